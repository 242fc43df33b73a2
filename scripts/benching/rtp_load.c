/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Sends and receives G.711 A-law streams for scripts/bench: 50 packets a second each, spread over the 20 ms, and tells
 * what became of them. Compiled at run time by rtp.py; thousands of streams on one core are out of Python's reach.
 *
 * usage: rtp_load HOST PORT SOCKETS     SOCKETS even RTP ports from PORT for trunk legs, then as many for agent legs
 * stdin:  add STREAM IP PORT            begin to send a stream; even numbers are trunk legs, odd ones agent legs
 *         remove STREAM                 send it no more, and forget it
 *         timed SOCKETS                 streams of so many sockets of each side tell their delay; the others only loss
 *         pause, resume                 all streams
 *         report                        one line of JSON about the time since the report before
 *         (end of file)                 end
 *
 * Each payload names its stream, counts up, and has the time of sending in it, so loss and delay are measured whatever
 * the server does with RTP headers (rtp_record.h).
 *
 * Once a millisecond it sends what is due (sendmmsg) and reads what has come (recvmmsg), and sleeps for the rest. So the
 * server never pays for waking it, as it would not if the far ends were other machines; the time of arrival is the
 * kernel's. What tells its delay is sent by itself, right behind the look at the clock. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "rtp_record.h"

enum {
    STREAMS = 32768,
    SOCKETS = 16,
    SLOTS = 20,           /* milliseconds between two packets of a stream */
    PACKET = 12 + SAMPLES,
    BATCH = 64,
    LIST = 2 * STREAMS / SLOTS,
    LISTEN_EACH = 8,      /* milliseconds between two looks at the commands */
    MOST_LATE_US = 200000,
    BUCKET_US = 10,
    BUCKETS = 100000      /* 1 s */
};

struct stream {
    struct sockaddr_in to;
    uint32_t ssrc, stamp, count; /* packets sent */
    uint16_t sequence;
    uint8_t on;
    int32_t first, last;  /* counts heard: base of this report's span, and the highest; -1 before anything was heard */
};

struct list {
    int size;
    uint16_t numbers[LIST];
};

static struct stream streams[STREAMS];
static struct list due[SLOTS][2][SOCKETS];
static int rtp[2][SOCKETS], rtcp[2][SOCKETS], sockets, timed_sockets, paused, live;
static uint32_t delays[BUCKETS], overflowed[2][SOCKETS];
static uint64_t sent, heard, timed, twice, unreadable, crossed, unsent;
static int64_t late_us, slept_us, reported_us;

static int64_t now_us(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* --- the wire --- */

static int bound(const char *host, int port, int size)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    if (fd < 0 || inet_pton(AF_INET, host, &a.sin_addr) != 1)
        die(host);
    setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size))
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (bind(fd, (struct sockaddr *)&a, sizeof a))
        die("bind");
    return fd;
}

static void set_timed(int count)
{
    timed_sockets = count < sockets ? count : sockets;
    for (int side = 0; side < 2; side++)
        for (int i = 0; i < sockets; i++) {
            int on = i < timed_sockets;
            setsockopt(rtp[side][i], SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
        }
}

/* Where a stream is sent from, and when: neighbours follow each other by a millisecond, both sides evenly. */
static struct list *list_of(unsigned number)
{
    unsigned call = number / 2, side = number & 1;
    return &due[(call + 10 * side) % SLOTS][side][call / SLOTS % sockets];
}

static void write_packet(uint8_t *packet, unsigned number, uint64_t magic, int64_t us)
{
    struct stream *s = &streams[number];
    uint32_t ssrc = htonl(s->ssrc), stamp = htonl(s->stamp);
    uint16_t sequence = htons(s->sequence);
    packet[0] = 0x80;
    packet[1] = 8 | (s->count ? 0 : 0x80);
    memcpy(packet + 2, &sequence, 2);
    memcpy(packet + 4, &stamp, 4);
    memcpy(packet + 8, &ssrc, 4);
    write_payload(packet + 12, magic, number, s->count, us);
    s->count++;
    s->sequence++;
    s->stamp += SAMPLES;
}

static void send_one(int fd, unsigned number)
{
    uint8_t packet[PACKET];
    write_packet(packet, number, TIMED, now_us(CLOCK_REALTIME));
    struct sockaddr_in *to = &streams[number].to;
    int ok = sendto(fd, packet, PACKET, 0, (struct sockaddr *)to, sizeof *to) == PACKET;
    sent += ok;
    unsent += !ok;
}

static void send_many(int fd, const uint16_t *numbers, int count, int64_t us)
{
    static uint8_t packets[BATCH][PACKET];
    static struct iovec v[BATCH];
    static struct mmsghdr m[BATCH];
    for (int i = 0; i < count; i++) {
        write_packet(packets[i], numbers[i], LOOSE, us);
        v[i] = (struct iovec){packets[i], PACKET};
        m[i].msg_hdr = (struct msghdr){.msg_iov = &v[i], .msg_iovlen = 1, .msg_name = &streams[numbers[i]].to,
                                       .msg_namelen = sizeof(struct sockaddr_in)};
    }
    for (int done = 0; done < count;) {
        int got = sendmmsg(fd, m + done, count - done, 0);
        sent += got > 0 ? got : 0;
        unsent += got <= 0; /* the first of them */
        done += got > 0 ? got : 1;
    }
}

static void send_slot(int slot)
{
    int64_t us = now_us(CLOCK_REALTIME);
    for (int which = 0; which < sockets; which++)
        for (int side = 0; side < 2; side++) {
            struct list *list = &due[slot][side][which];
            if (which < timed_sockets) {
                for (int i = 0; i < list->size; i++)
                    send_one(rtp[side][which], list->numbers[i]);
                continue;
            }
            for (int i = 0; i < list->size; i += BATCH)
                send_many(rtp[side][which], list->numbers + i, list->size - i < BATCH ? list->size - i : BATCH, us);
        }
}

static void take(int side, const uint8_t *packet, int size, int64_t arrived)
{
    unsigned number;
    uint32_t count;
    uint64_t magic;
    int64_t us;
    if (size < 12)
        return;
    if (!read_payload(packet + 12, size - 12, &magic, &number, &count, &us) || number >= STREAMS) {
        unreadable++;
        return;
    }
    struct stream *s = &streams[number];
    if (!s->on)
        return;
    if ((int)(number & 1) == side)
        crossed++; /* a leg hears itself, or another leg of its own side */
    int32_t at = (int32_t)count;
    if (s->last < 0)
        s->first = at - 1; /* what was sent before the bridge was there is not lost */
    if (s->last >= 0 && at == s->last) {
        twice++;
        return;
    }
    s->last = at > s->last ? at : s->last;
    heard++;
    if (magic == TIMED && arrived) {
        int64_t delay = ((arrived - us) & 0xFFFFFFFFFF) / BUCKET_US;
        delays[delay < BUCKETS ? delay : BUCKETS - 1]++;
        timed++;
    }
}

static int64_t stamp_of(struct msghdr *header, uint32_t *lost)
{
    int64_t arrived = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level != SOL_SOCKET)
            continue;
        if (c->cmsg_type == SO_TIMESTAMPNS) {
            struct timespec t;
            memcpy(&t, CMSG_DATA(c), sizeof t);
            arrived = (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
        } else if (c->cmsg_type == SO_RXQ_OVFL) {
            memcpy(lost, CMSG_DATA(c), 4);
        }
    }
    return arrived;
}

static void receive(int side, int which)
{
    static uint8_t data[BATCH][512];
    static char control[BATCH][128];
    static struct iovec v[BATCH];
    static struct mmsghdr m[BATCH];
    int got;
    do {
        for (int i = 0; i < BATCH; i++) {
            v[i] = (struct iovec){data[i], sizeof data[i]};
            m[i].msg_hdr = (struct msghdr){.msg_iov = &v[i], .msg_iovlen = 1,
                                           .msg_control = control[i], .msg_controllen = sizeof control[i]};
        }
        got = recvmmsg(rtp[side][which], m, BATCH, 0, NULL);
        for (int i = 0; i < got; i++)
            take(side, data[i], m[i].msg_len, stamp_of(&m[i].msg_hdr, &overflowed[side][which]));
    } while (got == BATCH);
}

/* --- commands --- */

static double percentile(double share)
{
    uint64_t wanted = timed * share, seen = 0;
    for (int i = 0; timed && i < BUCKETS; i++)
        if ((seen += delays[i]) > wanted)
            return (i + 0.5) * BUCKET_US / 1000.0;
    return 0;
}

static void report(void)
{
    static uint64_t dropped_before;
    uint64_t expected = 0, dropped = 0, deaf = 0;
    int64_t now = now_us(CLOCK_MONOTONIC);
    for (int i = 0; i < STREAMS; i++) {
        struct stream *s = &streams[i];
        if (!s->on)
            continue;
        if (s->last < 0 || s->last == s->first) { /* never heard, or not since the report before */
            deaf++;
            continue;
        }
        expected += s->last - s->first;
        s->first = s->last;
    }
    for (int side = 0; side < 2; side++)
        for (int i = 0; i < sockets; i++)
            dropped += overflowed[side][i];
    printf("{\"streams\": %d, \"unheard\": %llu, \"sent\": %llu, \"expected\": %llu, \"heard\": %llu, \"twice\": %llu, "
           "\"unreadable\": %llu, \"crossed\": %llu, \"dropped_here\": %llu, \"unsent\": %llu, \"late_ms\": %.1f, "
           "\"busy\": %.3f, \"timed\": %llu, \"p50_ms\": %.3f, \"p99_ms\": %.3f}\n",
           live, (unsigned long long)deaf, (unsigned long long)sent, (unsigned long long)expected,
           (unsigned long long)heard, (unsigned long long)twice, (unsigned long long)unreadable,
           (unsigned long long)crossed, (unsigned long long)(dropped - dropped_before), (unsigned long long)unsent,
           late_us / 1000.0, 1.0 - (double)slept_us / (double)(now - reported_us + 1), (unsigned long long)timed,
           percentile(0.50), percentile(0.99));
    fflush(stdout);
    dropped_before = dropped;
    reported_us = now;
    sent = heard = timed = twice = unreadable = crossed = unsent = 0;
    late_us = slept_us = 0;
    memset(delays, 0, sizeof delays);
}

static void add(unsigned number, const char *host, unsigned port)
{
    struct stream *s = &streams[number];
    struct list *list = list_of(number);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (inet_pton(AF_INET, host, &to.sin_addr) != 1)
        die(host);
    if (!s->on) {
        if (list->size == LIST)
            die("too many streams");
        *s = (struct stream){.ssrc = 0x7a000000u + number, .first = -1, .last = -1, .sequence = 1, .on = 1};
        list->numbers[list->size++] = (uint16_t)number;
        live++;
    }
    s->to = to;
}

static void remove_stream(unsigned number)
{
    struct list *list = list_of(number);
    if (!streams[number].on)
        return;
    for (int i = 0; i < list->size; i++)
        if (list->numbers[i] == number)
            list->numbers[i] = list->numbers[--list->size];
    streams[number].on = 0;
    live--;
}

static void obey(char *line)
{
    unsigned number, port;
    char host[64];
    if (sscanf(line, "add %u %63s %u", &number, host, &port) == 3 && number < STREAMS)
        add(number, host, port);
    else if (sscanf(line, "remove %u", &number) == 1 && number < STREAMS)
        remove_stream(number);
    else if (sscanf(line, "timed %u", &number) == 1)
        set_timed((int)number);
    else if (!strcmp(line, "report"))
        report();
    else
        paused = !strcmp(line, "pause");
}

static int read_commands(void)
{
    static char buffer[65536];
    static size_t filled;
    ssize_t got = read(0, buffer + filled, sizeof buffer - 1 - filled);
    if (got <= 0)
        return got < 0 && errno == EAGAIN;
    filled += got;
    buffer[filled] = 0;
    char *line = buffer, *end;
    while ((end = strchr(line, '\n'))) {
        *end = 0;
        obey(line);
        line = end + 1;
    }
    filled -= line - buffer;
    memmove(buffer, line, filled);
    return 1;
}

/* Until this time of the monotonic clock; the time from which the next millisecond counts. What is too late to be made
 * up for is left out: a report tells that it was late, and later ones are not spoilt by it. */
static int64_t rest(int64_t until)
{
    struct timespec then = {.tv_sec = until / 1000000, .tv_nsec = until % 1000000 * 1000};
    int64_t now = now_us(CLOCK_MONOTONIC);
    if (now >= until) {
        if (now - until > late_us)
            late_us = now - until;
        return now - until > MOST_LATE_US ? now : until;
    }
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &then, NULL);
    slept_us += now_us(CLOCK_MONOTONIC) - now;
    return until;
}

int main(int count, char **arguments)
{
    if (count != 4 || (sockets = atoi(arguments[3])) < 1 || sockets > SOCKETS)
        return fprintf(stderr, "usage: rtp_load HOST PORT SOCKETS\n"), 2;
    int port = atoi(arguments[2]);
    for (int i = 0; i < 2 * sockets; i++, port += 2) {
        rtp[i / sockets][i % sockets] = bound(arguments[1], port, 8 << 20);
        rtcp[i / sockets][i % sockets] = bound(arguments[1], port + 1, 8192); /* unread: else each report costs an ICMP */
    }
    set_timed(sockets);
    prctl(PR_SET_TIMERSLACK, 1000UL);
    setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) - 10); /* before signalling on this core, where we may */
    fcntl(0, F_SETFL, O_NONBLOCK);
    printf("ready\n");
    fflush(stdout);
    int64_t next = reported_us = now_us(CLOCK_MONOTONIC);
    for (unsigned tick = 0;; tick++) {
        if (!paused)
            send_slot((int)(tick % SLOTS));
        for (int i = 0; i < 2 * sockets; i++)
            receive(i / sockets, i % sockets);
        if (tick % LISTEN_EACH == 0 && !read_commands())
            return 0;
        next = rest(next + 1000);
    }
}
