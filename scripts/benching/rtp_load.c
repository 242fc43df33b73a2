/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Sends and receives G.711 A-law streams for scripts/bench: 50 packets a second each, spread over the 20 ms, and tells
 * what became of them. Compiled at run time by rtp.py; thousands of streams on one core are out of Python's reach.
 *
 * usage: rtp_load HOST PORT SOCKETS     SOCKETS even RTP ports from PORT for trunk legs, then as many for agent legs
 * stdin:  add STREAM IP PORT            begin to send a stream; even numbers are trunk legs, odd ones agent legs
 *         report                        one line of JSON about the time since the report before
 *         (end of file)                 end
 *
 * Each payload names its stream, counts up, and has the time of sending in it, so loss and delay are measured whatever
 * the server does with RTP headers. It survives a conference bridge: 4 bits of information a sample, as sign and
 * segment of an A-law code, which decoding and encoding leave alone. A check sum tells it from made-up sound. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum {
    STREAMS = 16384,
    SOCKETS = 64,
    SLOTS = 20,           /* milliseconds between two packets of a stream */
    SAMPLES = 160,
    NIBBLES = 26,         /* of a record: magic 4, stream 4, count 6, microseconds 10, check 2 */
    BATCH = 64,
    BUCKET_US = 50,
    BUCKETS = 40000       /* 2 s */
};

struct stream {
    struct sockaddr_in to;
    uint32_t ssrc, stamp;
    uint16_t sequence;
    uint32_t count;       /* packets sent */
    int32_t first, last;  /* counts heard: base of this report's span, and the highest; -1 before anything was heard */
};

static struct stream streams[STREAMS];
static int known[STREAMS], live; /* numbers of the streams that are sent */
static int by_slot[SLOTS][STREAMS], in_slot[SLOTS];
static int rtp[2][SOCKETS], rtcp[2][SOCKETS], sockets;
static uint32_t delays[BUCKETS];
static uint64_t sent, heard, twice, unreadable, crossed, late_us, unsent;

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

/* --- the record --- */

static void put(uint8_t *nibbles, int *at, uint64_t value, int count)
{
    for (int i = count - 1; i >= 0; i--)
        nibbles[(*at)++] = (value >> (4 * i)) & 15;
}

static uint64_t get(const uint8_t *nibbles, int *at, int count)
{
    uint64_t value = 0;
    while (count--)
        value = value << 4 | nibbles[(*at)++];
    return value;
}

static unsigned check(const uint8_t *nibbles)
{
    unsigned sum = 7;
    for (int i = 0; i < NIBBLES - 2; i++)
        sum = (sum * 31 + nibbles[i] + 1) & 0xFF;
    return sum;
}

static void write_payload(uint8_t *payload, unsigned stream, uint32_t count, int64_t us)
{
    uint8_t n[NIBBLES];
    int at = 0;
    put(n, &at, 0xA5C3, 4);
    put(n, &at, stream, 4);
    put(n, &at, count & 0xFFFFFF, 6);
    put(n, &at, us & 0xFFFFFFFFFF, 10);
    put(n, &at, check(n), 2);
    for (int i = 0; i < SAMPLES; i++)
        payload[i] = ((n[i % NIBBLES] & 8) << 4 | (n[i % NIBBLES] & 7) << 4 | 8) ^ 0x55;
}

/* The bridge may cut frames elsewhere than we did: the record, which is repeated, is looked for. */
static int read_payload(const uint8_t *payload, int size, unsigned *stream, uint32_t *count, int64_t *us)
{
    uint8_t n[SAMPLES];
    if (size > SAMPLES)
        size = SAMPLES;
    for (int i = 0; i < size; i++) {
        uint8_t code = payload[i] ^ 0x55;
        n[i] = (code >> 4 & 8) | (code >> 4 & 7);
    }
    for (int i = 0; i + NIBBLES <= size; i++) {
        int at = i;
        if (get(n, &at, 4) != 0xA5C3)
            continue;
        *stream = get(n, &at, 4);
        *count = get(n, &at, 6);
        *us = get(n, &at, 10);
        if (get(n, &at, 2) == check(n + i) && *stream < STREAMS)
            return 1;
    }
    return 0;
}

/* --- the wire --- */

static int bound(const char *host, int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1, size = 4 << 20;
    if (fd < 0 || inet_pton(AF_INET, host, &a.sin_addr) != 1)
        die(host);
    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size))
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (bind(fd, (struct sockaddr *)&a, sizeof a))
        die("bind");
    return fd;
}

static void send_slot(int slot)
{
    uint8_t packet[12 + SAMPLES];
    for (int i = 0; i < in_slot[slot]; i++) {
        int number = by_slot[slot][i];
        struct stream *s = &streams[number];
        uint32_t ssrc = htonl(s->ssrc), stamp = htonl(s->stamp);
        uint16_t sequence = htons(s->sequence);
        packet[0] = 0x80;
        packet[1] = 8 | (s->count ? 0 : 0x80);
        memcpy(packet + 2, &sequence, 2);
        memcpy(packet + 4, &stamp, 4);
        memcpy(packet + 8, &ssrc, 4);
        write_payload(packet + 12, number, s->count, now_us(CLOCK_REALTIME));
        int fd = rtp[number & 1][(number / 2) % sockets];
        if (sendto(fd, packet, sizeof packet, 0, (struct sockaddr *)&s->to, sizeof s->to) == sizeof packet)
            sent++;
        else
            unsent++;
        s->count++;
        s->sequence++;
        s->stamp += SAMPLES;
    }
}

static uint32_t overflowed[2][SOCKETS];

static void take(int side, const uint8_t *packet, int size, int64_t arrived)
{
    unsigned number;
    uint32_t count;
    int64_t us;
    if (size < 12)
        return;
    if (!read_payload(packet + 12, size - 12, &number, &count, &us)) {
        unreadable++;
        return;
    }
    if ((int)(number & 1) == side)
        crossed++; /* a leg hears itself, or another leg of its own side */
    struct stream *s = &streams[number];
    int32_t at = (int32_t)count;
    if (s->last < 0)
        s->first = at - 1; /* what was sent before the bridge was there is not lost */
    if (s->last >= 0 && at == s->last) {
        twice++;
        return;
    }
    if (at > s->last)
        s->last = at;
    heard++;
    int64_t delay = ((arrived - us) & 0xFFFFFFFFFF) / BUCKET_US;
    delays[delay < BUCKETS ? delay : BUCKETS - 1]++;
}

static void receive(int side, int which)
{
    static uint8_t data[BATCH][512];
    static char control[BATCH][128];
    struct mmsghdr m[BATCH];
    struct iovec v[BATCH];
    int fd = rtp[side][which], got;
    do {
        for (int i = 0; i < BATCH; i++) {
            v[i] = (struct iovec){data[i], sizeof data[i]};
            m[i].msg_hdr = (struct msghdr){.msg_iov = &v[i], .msg_iovlen = 1,
                                           .msg_control = control[i], .msg_controllen = sizeof control[i]};
        }
        got = recvmmsg(fd, m, BATCH, 0, NULL);
        for (int i = 0; i < got; i++) {
            int64_t arrived = 0;
            for (struct cmsghdr *c = CMSG_FIRSTHDR(&m[i].msg_hdr); c; c = CMSG_NXTHDR(&m[i].msg_hdr, c)) {
                if (c->cmsg_level != SOL_SOCKET)
                    continue;
                if (c->cmsg_type == SO_TIMESTAMPNS) {
                    struct timespec t;
                    memcpy(&t, CMSG_DATA(c), sizeof t);
                    arrived = (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
                } else if (c->cmsg_type == SO_RXQ_OVFL) {
                    memcpy(&overflowed[side][which], CMSG_DATA(c), 4);
                }
            }
            take(side, data[i], m[i].msg_len, arrived);
        }
    } while (got == BATCH);
}

/* --- commands --- */

static double percentile(uint64_t total, double share)
{
    uint64_t wanted = total * share, seen = 0;
    for (int i = 0; i < BUCKETS; i++)
        if ((seen += delays[i]) > wanted)
            return (i + 0.5) * BUCKET_US / 1000.0;
    return 0;
}

static void report(void)
{
    static uint64_t dropped_before;
    uint64_t expected = 0, dropped = 0, deaf = 0;
    for (int i = 0; i < live; i++) {
        struct stream *s = &streams[known[i]];
        if (s->last < 0) {
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
           "\"p50_ms\": %.3f, \"p99_ms\": %.3f}\n",
           live, (unsigned long long)deaf, (unsigned long long)sent, (unsigned long long)expected,
           (unsigned long long)heard, (unsigned long long)twice, (unsigned long long)unreadable,
           (unsigned long long)crossed, (unsigned long long)(dropped - dropped_before), (unsigned long long)unsent,
           late_us / 1000.0, percentile(heard, 0.50), percentile(heard, 0.99));
    fflush(stdout);
    dropped_before = dropped;
    sent = heard = twice = unreadable = crossed = unsent = late_us = 0;
    memset(delays, 0, sizeof delays);
}

static void obey(char *line)
{
    unsigned number, port;
    char host[64];
    if (sscanf(line, "add %u %63s %u", &number, host, &port) == 3 && number < STREAMS) {
        struct stream *s = &streams[number];
        *s = (struct stream){.ssrc = 0x7a000000u + number, .first = -1, .last = -1, .sequence = 1};
        s->to.sin_family = AF_INET;
        s->to.sin_port = htons(port);
        if (inet_pton(AF_INET, host, &s->to.sin_addr) != 1)
            die(host);
        int slot = (number * 7) % SLOTS;
        by_slot[slot][in_slot[slot]++] = known[live++] = (int)number;
    } else if (!strncmp(line, "report", 6)) {
        report();
    }
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

int main(int count, char **arguments)
{
    if (count != 4 || (sockets = atoi(arguments[3])) < 1 || sockets > SOCKETS) {
        fprintf(stderr, "usage: rtp_load HOST PORT SOCKETS\n");
        return 2;
    }
    int poller = epoll_create1(EPOLL_CLOEXEC), port = atoi(arguments[2]);
    for (int i = 0; i < 2 * sockets; i++, port += 2) {
        int side = i / sockets, which = i % sockets;
        rtp[side][which] = bound(arguments[1], port);
        rtcp[side][which] = bound(arguments[1], port + 1); /* nobody reads it: without it each report costs an ICMP */
        struct epoll_event e = {.events = EPOLLIN, .data.u32 = 2 + i};
        epoll_ctl(poller, EPOLL_CTL_ADD, rtp[side][which], &e);
    }
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct itimerspec each = {.it_interval.tv_nsec = 1000000, .it_value.tv_nsec = 1000000};
    timerfd_settime(timer, 0, &each, NULL);
    fcntl(0, F_SETFL, O_NONBLOCK);
    struct epoll_event e = {.events = EPOLLIN, .data.u32 = 0};
    epoll_ctl(poller, EPOLL_CTL_ADD, timer, &e);
    e.data.u32 = 1;
    epoll_ctl(poller, EPOLL_CTL_ADD, 0, &e);
    printf("ready\n");
    fflush(stdout);
    int slot = 0;
    for (;;) {
        struct epoll_event ready[64];
        int n = epoll_wait(poller, ready, 64, -1);
        for (int i = 0; i < n; i++) {
            unsigned what = ready[i].data.u32;
            uint64_t ticks;
            if (what >= 2) {
                receive((what - 2) / sockets, (what - 2) % sockets);
            } else if (what == 1) {
                if (!read_commands())
                    return 0;
            } else if (read(timer, &ticks, sizeof ticks) == sizeof ticks) {
                if ((ticks - 1) * 1000 > late_us)
                    late_us = (ticks - 1) * 1000;
                for (; ticks; ticks--, slot = (slot + 1) % SLOTS)
                    send_slot(slot);
            }
        }
    }
}
