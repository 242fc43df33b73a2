/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Memory that PJSIP's pools ask for in large pieces and hardly use. They ask us for it (pj_pool_factory_policy: the
 * application may set it). Nothing here changes what a piece holds: only pages of nothing but zeros are given back,
 * and the kernel makes them again when they are touched.
 *
 * - Each SIP message that leaves has PJSIP_MAX_PKT_LEN octets to be written into and fills the first kilobyte: such
 *   rooms begin with a page of their own and are used again as they are, the last one first, so that the rest of them
 *   stays untouched. From malloc they would be what was used and freed elsewhere, and so all there.
 * - The conference has two tables for each port, with four octets for every port there may be; a leg is heard by two or
 *   three. PJMEDIA's UDP transport has buffers that nobody uses (sockets.c). Legs that live longer than AGE give such
 *   pages back; those of short calls stay, so that the next call finds them where they are.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"
#include "spare.h"

#if !PJ_HAS_POOL_ALT_API

#define PIECE (8 * 1024)    /* octets from which on a block may be looked at again */
#define AGE 5000000         /* microseconds */
#define AT_ONCE 64          /* pieces looked at in a tick: half a millisecond */
#define HEARERS 64          /* entries at the begin of a table that are left alone, whoever hears that leg */
#define TABLE_STEP 500      /* in which the pool of the conference's port grows (conf_thread.c) */
#define ALIGNED 64          /* no table begins farther behind the block's own head */
#define ROOMS 64            /* rooms for messages that are asked of the kernel together */

/* What a pool asks for when it has no room for the text of a message (pj_pool_allocate_find): so many steps. */
#define TEXT_NEEDS (sizeof(pj_pool_block) + PJ_POOL_ALIGNMENT - 1 + PJSIP_MAX_PKT_LEN)
#define TEXT_SIZE ((PJSIP_POOL_INC_TDATA + TEXT_NEEDS) / PJSIP_POOL_INC_TDATA * PJSIP_POOL_INC_TDATA)

struct room {
    struct room *next;
};

/* Behind a block of PIECE octets or more. */
struct piece {
    PJ_DECL_LIST_MEMBER(struct piece);
    char *from, *to; /* what of it may be given back */
    long long born;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* media threads have pools too */
static struct room *rooms;
static struct piece young = {&young, &young, NULL, NULL, 0}; /* those that will be looked at, the oldest first */
static size_t table_size, page;
static long long age = AGE;
static __thread unsigned tables; /* of a leg that are still to come in this thread */
static unsigned long long given_back;

static size_t room_size(void)
{
    return (TEXT_SIZE + page - 1) / page * page;
}

static void *take_room(void)
{
    struct room *room;

    pthread_mutex_lock(&lock);
    if (!rooms) {
        int kind = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
        char *new = mmap(NULL, ROOMS * room_size(), PROT_READ | PROT_WRITE, kind, -1, 0);

        for (unsigned i = ROOMS; new != MAP_FAILED && i-- > 0;) {
            room = (struct room *)(new + i * room_size());
            room->next = rooms;
            rooms = room;
        }
    }
    if ((room = rooms))
        rooms = room->next;
    pthread_mutex_unlock(&lock);
    return room;
}

static void leave_room(struct room *room)
{
    pthread_mutex_lock(&lock);
    room->next = rooms;
    rooms = room;
    pthread_mutex_unlock(&lock);
}

static struct piece *piece_of(void *block, size_t size)
{
    return (struct piece *)((char *)block + (size + 15) / 16 * 16);
}

static void look_later(struct piece *piece, void *from, void *to)
{
    pthread_mutex_lock(&lock);
    if (pj_list_empty(piece)) {
        piece->from = from;
        piece->to = to;
        piece->born = gate_now();
        pj_list_push_back(&young, piece);
    }
    pthread_mutex_unlock(&lock);
}

/* The table is the first thing in its block, and behind it there is no room for another. */
static pj_bool_t is_table(size_t size)
{
    return table_size && size > table_size && size <= table_size + 2 * TABLE_STEP;
}

static void *block_alloc(pj_pool_factory *factory, pj_size_t size)
{
    struct piece *piece;
    void *block;

    PJ_UNUSED_ARG(factory);
    if (size == TEXT_SIZE)
        return take_room();
    if (size < PIECE)
        return malloc(size);
    if (!(block = malloc((size + 15) / 16 * 16 + sizeof *piece)))
        return NULL;
    piece = piece_of(block, size);
    pj_list_init(piece);
    if (tables && is_table(size)) {
        char *table = (char *)block + sizeof(pj_pool_block);

        tables--;
        look_later(piece, table + ALIGNED + HEARERS * sizeof(unsigned), table + table_size);
    }
    return block;
}

static void block_free(pj_pool_factory *factory, void *block, pj_size_t size)
{
    PJ_UNUSED_ARG(factory);
    if (size == TEXT_SIZE) {
        leave_room(block);
        return;
    }
    if (size >= PIECE) {
        pthread_mutex_lock(&lock);
        pj_list_erase(piece_of(block, size));
        pthread_mutex_unlock(&lock);
    }
    free(block);
}

/* Before anybody makes a pool: each block is freed by whom it was got from. */
__attribute__((constructor)) static void be_asked(void)
{
    page = (size_t)sysconf(_SC_PAGESIZE);
    pj_pool_factory_default_policy.block_alloc = &block_alloc;
    pj_pool_factory_default_policy.block_free = &block_free;
}

/* --- giving back ------------------------------------------------------------------------------------------- */

static pj_bool_t is_zero(const char *at)
{
    const unsigned long long *word = (const unsigned long long *)at, *end = (const unsigned long long *)(at + page);

    for (; word < end; word += 4)
        if (word[0] | word[1] | word[2] | word[3])
            return PJ_FALSE;
    return PJ_TRUE;
}

static void give_back(const struct piece *piece)
{
    char *at = (char *)(((size_t)piece->from + page - 1) / page * page), *from;

    while (at + page <= piece->to) {
        for (from = at; at + page <= piece->to && is_zero(at); at += page)
            ;
        if (at > from && madvise(from, (size_t)(at - from), MADV_DONTNEED) == 0)
            given_back += (size_t)(at - from);
        at += page;
    }
}

void spare_tick(long long now)
{
    tables = 0; /* of a port that could not be made */
    pthread_mutex_lock(&lock);
    for (unsigned n = 0; n < AT_ONCE && !pj_list_empty(&young) && young.next->born <= now - age; n++) {
        struct piece *piece = young.next;

        pj_list_erase(piece);
        pj_list_init(piece);
        give_back(piece);
    }
    pthread_mutex_unlock(&lock);
}

void spare_start(void)
{
    table_size = pjsua_conf_get_max_ports() * sizeof(unsigned);
    if (table_size < PIECE)
        table_size = 0;
}

void spare_tables(void)
{
    tables = 2;
}

void spare_buffers(void *object)
{
    pj_pool_block *block = (pj_pool_block *)object - 1;
    size_t size = (size_t)(block->end - (unsigned char *)block);

    if (block->buf == (unsigned char *)object && size >= PIECE)
        look_later(piece_of(block, size), object, block->end);
}

unsigned long long tandem_spare(int milliseconds)
{
    if (milliseconds >= 0)
        age = milliseconds * 1000ll;
    return given_back;
}

#else /* each allocation is malloc's own: the address sanitizer's build */

void spare_tick(long long now)
{
    (void)now;
}

void spare_start(void)
{
}

void spare_tables(void)
{
}

void spare_buffers(void *object)
{
    (void)object;
}

unsigned long long tandem_spare(int milliseconds)
{
    (void)milliseconds;
    return 0;
}
#endif
