/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The bans as a packet filter on our own sockets (classic BPF, socket(7) SO_ATTACH_FILTER): what a banned address sends
 * is thrown away in the kernel and costs this process nothing. TCP is caught at the SYN. Where the kernel takes no
 * filter, the gate drops the same packets itself. */
#include <dirent.h>
#include <errno.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "internal.h"
#include "tandem.h"

#define MOST_4 400 /* five instructions each; a program has at most 4096 */
#define MOST_6 100 /* nine each */
#define MOST_SOCKETS 64
#define PASS_ALL 0xffffffffu
#define DROPS 8 /* SK_MEMINFO_DROPS */

struct program {
    struct sock_filter code[4096];
    unsigned short n;
};

static int sockets[MOST_SOCKETS], n_sockets;

static void put(struct program *p, unsigned short code, unsigned jump_true, unsigned jump_false, unsigned value)
{
    if (p->n < PJ_ARRAY_SIZE(p->code))
        p->code[p->n] = (struct sock_filter){code, (unsigned char)jump_true, (unsigned char)jump_false, value};
    p->n++;
}

static unsigned word(const unsigned char *at)
{
    return (unsigned)at[0] << 24 | (unsigned)at[1] << 16 | (unsigned)at[2] << 8 | at[3];
}

/* A search tree over sorted addresses; the accumulator holds the source. */
static void put_tree(struct program *p, const unsigned *sorted, int n)
{
    int half = n / 2, jump;

    if (n == 0) {
        put(p, BPF_RET | BPF_K, 0, 0, PASS_ALL);
        return;
    }
    put(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, sorted[half]);
    put(p, BPF_RET | BPF_K, 0, 0, 0);
    put(p, BPF_JMP | BPF_JGT | BPF_K, 0, 1, sorted[half]);
    jump = p->n;
    put(p, BPF_JMP | BPF_JA, 0, 0, 0);
    put_tree(p, sorted, half);
    if (jump < (int)PJ_ARRAY_SIZE(p->code))
        p->code[jump].k = (unsigned)(p->n - jump - 1);
    put_tree(p, sorted + half + 1, n - half - 1);
}

static int by_size(const void *a, const void *b)
{
    unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

    return x < y ? -1 : x > y;
}

static void write_program(struct program *p, const struct key *banned, int n, int most_4, int most_6)
{
    unsigned four[MOST_4];
    int n_4 = 0, n_6 = 0, jump;

    p->n = 0;
    put(p, BPF_LD | BPF_B | BPF_ABS, 0, 0, (unsigned)SKF_NET_OFF); /* version and header length */
    put(p, BPF_ALU | BPF_RSH | BPF_K, 0, 0, 4);
    put(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 6);
    jump = p->n;
    put(p, BPF_JMP | BPF_JA, 0, 0, 0); /* to the part for IPv6 */
    put(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 4);
    put(p, BPF_RET | BPF_K, 0, 0, PASS_ALL);
    put(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, (unsigned)SKF_NET_OFF + 12);
    for (int i = 0; i < n && n_4 < most_4; i++)
        if (banned[i].bytes == 4)
            four[n_4++] = word(banned[i].address);
    qsort(four, (size_t)n_4, sizeof(four[0]), &by_size);
    put_tree(p, four, n_4);
    p->code[jump].k = (unsigned)(p->n - jump - 1);
    for (int i = 0; i < n && n_6 < most_6; i++) {
        if (banned[i].bytes != 16)
            continue;
        n_6++;
        for (int part = 0; part < 4; part++) {
            put(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, (unsigned)SKF_NET_OFF + 8 + 4 * (unsigned)part);
            put(p, BPF_JMP | BPF_JEQ | BPF_K, 0, (unsigned)(7 - 2 * part), word(banned[i].address + 4 * part));
        }
        put(p, BPF_RET | BPF_K, 0, 0, 0);
    }
    put(p, BPF_RET | BPF_K, 0, 0, PASS_ALL);
}

/* --- sockets ------------------------------------------------------------------------------------------------ */

static pj_bool_t is_ours(int fd)
{
    pj_sockaddr address;
    socklen_t len = sizeof(address), size = sizeof(int);
    int type, listens = 0;

    memset(&address, 0, sizeof(address));
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0 ||
        (address.addr.sa_family != PJ_AF_INET && address.addr.sa_family != PJ_AF_INET6))
        return PJ_FALSE;
    size = sizeof(int);
    if (type == SOCK_STREAM && (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || !listens))
        return PJ_FALSE;
    return place_binds(type == SOCK_DGRAM, &address);
}

/* PJSIP tells the descriptor of a UDP socket only; all are found among the open ones. */
static void find_sockets(void)
{
    DIR *folder = opendir("/proc/self/fd");
    struct dirent *entry;

    n_sockets = 0;
    while (folder && (entry = readdir(folder)) && n_sockets < MOST_SOCKETS) {
        int fd = atoi(entry->d_name);

        if (entry->d_name[0] != '.' && fd != dirfd(folder) && is_ours(fd))
            sockets[n_sockets++] = fd;
    }
    if (folder)
        closedir(folder);
}

static pj_bool_t attach(struct program *p)
{
    struct sock_fprog given = {.len = p->n, .filter = p->code};

    for (int i = 0; i < n_sockets; i++)
        if (setsockopt(sockets[i], SOL_SOCKET, SO_ATTACH_FILTER, &given, sizeof(given)) != 0)
            return PJ_FALSE;
    return PJ_TRUE;
}

void filter_set(const struct key *banned, int n)
{
    static struct program p;

    find_sockets();
    if (!n) {
        int nothing = 0;

        for (int i = 0; i < n_sockets; i++)
            setsockopt(sockets[i], SOL_SOCKET, SO_DETACH_FILTER, &nothing, sizeof(nothing));
        return;
    }
    for (int most_4 = MOST_4, most_6 = MOST_6; most_4 > 0; most_4 /= 2, most_6 /= 2) {
        write_program(&p, banned, n, most_4, most_6);
        if (attach(&p))
            return;
        if (errno != ENOMEM)
            break; /* smaller would not help */
    }
    count(COUNT_FILTER_FAILED);
}

unsigned long long tandem_gate_kernel_drops(void)
{
    unsigned long long sum = 0;
    unsigned info[16] = {0};

    for (int i = 0; i < n_sockets; i++) {
        socklen_t len = sizeof(info);

        if (is_ours(sockets[i]) && getsockopt(sockets[i], SOL_SOCKET, SO_MEMINFO, info, &len) == 0 &&
            len > DROPS * sizeof(info[0]))
            sum += info[DROPS];
    }
    return sum;
}
