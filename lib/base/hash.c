/*
 * Hash tables: from 64-bit keys to small numbers, and from names to small numbers. Keys come
 * from files that may mean harm, so each table mixes its own address into its hashes.
 */
#include "base/hash.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

struct nyt_map_slot {
    uint64_t key;
    uint32_t value;
    uint32_t used;
};

static struct nyt_map_slot *slot_of(const struct nyt_map *m, uint64_t key)
{
    size_t mask = m->size - 1;
    size_t at = (size_t)nyt_mix(key ^ m->seed) & mask;
    while (m->slots[at].used && m->slots[at].key != key)
        at = (at + 1) & mask;
    return &m->slots[at];
}

static bool map_grow(struct nyt_map *m)
{
    struct nyt_map old = *m;
    if (old.size > SIZE_MAX / 2 / sizeof *old.slots)
        return false;
    m->size = old.size ? old.size * 2 : 64;
    m->slots = calloc(m->size, sizeof *m->slots);
    if (!m->slots) {
        *m = old;
        return false;
    }
    m->seed = nyt_mix((uint64_t)(uintptr_t)m->slots);
    for (size_t i = 0; i < old.size; i++)
        if (old.slots[i].used)
            *slot_of(m, old.slots[i].key) = old.slots[i];
    free(old.slots);
    return true;
}

uint32_t *nyt_map_find(const struct nyt_map *m, uint64_t key)
{
    if (!m->size)
        return NULL;
    struct nyt_map_slot *slot = slot_of(m, key);
    return slot->used ? &slot->value : NULL;
}

uint32_t *nyt_map_take(struct nyt_map *m, uint64_t key, bool *is_new)
{
    *is_new = false;
    if (m->count >= m->size / 2 && !map_grow(m))
        return NULL;
    struct nyt_map_slot *slot = slot_of(m, key);
    if (!slot->used) {
        *slot = (struct nyt_map_slot){.key = key, .used = 1};
        m->count++;
        *is_new = true;
    }
    return &slot->value;
}

bool nyt_map_next(const struct nyt_map *m, size_t *at, uint32_t *key)
{
    while (*at < m->size && !m->slots[*at].used)
        ++*at;
    if (*at == m->size)
        return false;
    *key = (uint32_t)m->slots[(*at)++].key;
    return true;
}

void nyt_map_clear(struct nyt_map *m)
{
    if (m->size)
        memset(m->slots, 0, m->size * sizeof *m->slots);
    m->count = 0;
}

void nyt_map_free(struct nyt_map *m)
{
    free(m->slots);
    *m = (struct nyt_map){0};
}

/* ---- Names ---- */

uint64_t nyt_str_hash(nyt_str s, uint64_t seed)
{
    uint64_t h = seed ^ s.len;
    size_t at = 0;
    for (; s.len - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, s.data + at, 8);
        h = nyt_mix(h ^ word);
    }
    uint64_t rest = 0;
    if (s.len > at)
        memcpy(&rest, s.data + at, s.len - at);
    return nyt_mix(h ^ rest);
}

/* Names with one hash hang together in a chain, the newest first. */
static uint32_t find_in_chain(const struct nyt_names *n, uint32_t first, nyt_str s)
{
    uint32_t id = first;
    while (id != NYT_NONE && nyt_str_compare(n->list[id].name, s) != 0)
        id = n->list[id].next;
    return id;
}

uint32_t nyt_names_find(const struct nyt_names *n, nyt_str s)
{
    const uint32_t *first = nyt_map_find(&n->by_hash, nyt_str_hash(s, n->seed));
    return first ? find_in_chain(n, *first, s) : NYT_NONE;
}

static uint32_t names_take(struct nyt_names *n, nyt_str s)
{
    bool is_new, ok = true;
    if (!n->seed)
        n->seed = nyt_mix((uint64_t)(uintptr_t)n) | 1;
    uint32_t *first = nyt_map_take(&n->by_hash, nyt_str_hash(s, n->seed), &is_new);
    if (!first)
        return NYT_NONE;
    if (is_new)
        *first = NYT_NONE;
    uint32_t id = find_in_chain(n, *first, s);
    if (id != NYT_NONE)
        return id;
    if (n->count >= NYT_NAMES_MAX)
        return NYT_NONE;
    void *list = nyt_grow(n->list, &n->cap, n->count + 1, sizeof *n->list);
    if (!list)
        return NYT_NONE;
    n->list = list;
    nyt_str copy = nyt_arena_str(&n->arena, s, &ok);
    if (!ok)
        return NYT_NONE;
    id = (uint32_t)n->count++;
    n->list[id] = (struct nyt_name){.name = copy, .next = *first};
    *first = id;
    return id;
}

/* Where a name would be among the recent ones. */
static uint32_t *recent_name(struct nyt_names *n, nyt_str s)
{
    uint64_t end = 0;
    if (s.len >= 8)
        memcpy(&end, s.data + s.len - 8, 8);
    return &n->recent[nyt_mix(end ^ s.len) % NYT_NAMES_RECENT];
}

static bool is_name(const struct nyt_names *n, uint32_t id, nyt_str s)
{
    return id < n->count && n->list[id].name.len == s.len &&
           (s.len == 0 || memcmp(n->list[id].name.data, s.data, s.len) == 0);
}

uint32_t nyt_names_take(struct nyt_names *n, nyt_str s)
{
    uint32_t *recent = recent_name(n, s);
    if (!is_name(n, *recent, s))
        *recent = names_take(n, s);
    return *recent;
}

void nyt_names_free(struct nyt_names *n)
{
    nyt_map_free(&n->by_hash);
    nyt_arena_free(&n->arena);
    free(n->list);
    *n = (struct nyt_names){0};
}
