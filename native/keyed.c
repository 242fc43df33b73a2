/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Nodes found by a key of fixed length. The hash is seeded at the start, so nobody outside can choose keys that fall
 * into one chain. */
#include <string.h>
#include <sys/random.h>

#include "internal.h"

unsigned long long keyed_hash(const void *bytes, size_t len, unsigned long long hash)
{
    static unsigned long long seed;

    if (!seed && getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
        seed = 0x9e3779b97f4a7c15ull;
    hash ^= seed;
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3ull;
        hash ^= hash >> 29;
    }
    return hash ^ hash >> 32;
}

static struct keyed **chain(struct keyed_table *table, const struct key *key)
{
    return &table->chains[keyed_hash(key, sizeof(*key), 0) % KEYED_CHAINS];
}

struct keyed *keyed_find(struct keyed_table *table, const struct key *key)
{
    struct keyed *node = table->n ? *chain(table, key) : NULL;

    while (node && memcmp(&node->key, key, sizeof(*key)) != 0)
        node = node->next;
    return node;
}

void keyed_put(struct keyed_table *table, struct keyed *node)
{
    struct keyed **head = chain(table, &node->key);

    node->next = *head;
    *head = node;
    table->n++;
}

void keyed_take(struct keyed_table *table, struct keyed *node)
{
    struct keyed **at = chain(table, &node->key);

    while (*at != node)
        at = &(*at)->next;
    *at = node->next;
    table->n--;
}

void keyed_each(struct keyed_table *table, void (*see)(struct keyed *node, void *data), void *data)
{
    for (int i = 0; table->n && i < KEYED_CHAINS; i++)
        for (struct keyed *node = table->chains[i], *next; node; node = next) {
            next = node->next;
            see(node, data);
        }
}

struct key key_of_address(const pj_sockaddr *address, int port)
{
    struct key key = {.port = (unsigned short)port};

    key.bytes = (unsigned char)plain_address(address, key.address);
    return key;
}

pj_bool_t key_of_text(const char *text, int port, struct key *key)
{
    pj_str_t host = pj_str((char *)text);
    pj_sockaddr address;

    if (pj_sockaddr_init(strchr(text, ':') ? pj_AF_INET6() : pj_AF_INET(), &address, NULL, 0) != PJ_SUCCESS ||
        pj_inet_pton(address.addr.sa_family, &host, pj_sockaddr_get_addr(&address)) != PJ_SUCCESS)
        return PJ_FALSE; /* an address, never a name: a look-up would stop all calls */
    *key = key_of_address(&address, port);
    return PJ_TRUE;
}

void key_print(const struct key *key, char *text, int room)
{
    if (pj_inet_ntop(key->bytes == 4 ? pj_AF_INET() : pj_AF_INET6(), key->address, text, room) != PJ_SUCCESS)
        text[0] = '\0';
}
