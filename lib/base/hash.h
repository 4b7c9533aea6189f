/* Keys and names -> small numbers. */
#ifndef NYT_BASE_HASH_H
#define NYT_BASE_HASH_H

#include "base/memory.h"

/* Each bit of the result depends on each of v. */
static inline uint64_t nyt_mix(uint64_t v)
{
    v ^= v >> 32;
    v *= 0x9FB21C651E98DF25u;
    v ^= v >> 29;
    v *= 0xD6E8FEB86659FD93u;
    return v ^ v >> 32;
}

uint64_t nyt_str_hash(nyt_str s, uint64_t seed);

/* All zeros is an empty one. Pointers to values live until the next nyt_map_take(). */
struct nyt_map {
    struct nyt_map_slot *slots;
    size_t size, count;
    uint64_t seed;
};

uint32_t *nyt_map_find(const struct nyt_map *m, uint64_t key);                  /* or NULL */
/* Adds a zero if there is nothing yet. NULL: out of memory. */
uint32_t *nyt_map_take(struct nyt_map *m, uint64_t key, bool *is_new);
/* Steps through all keys below 2^32; *at begins at 0. false: there are no more. */
bool nyt_map_next(const struct nyt_map *m, size_t *at, uint32_t *key);
/* Empty, but with all its memory. */
void nyt_map_clear(struct nyt_map *m);
void nyt_map_free(struct nyt_map *m);

static inline uint64_t nyt_pair_key(uint32_t high, uint32_t low)
{
    return (uint64_t)high << 32 | low;
}

#define NYT_NAMES_MAX 0x7FFFFFFFu

struct nyt_name {
    nyt_str name; /* terminated, ours */
    uint32_t next;
};

/* Names numbered from 0. Which tag a name came with makes no difference. */
enum { NYT_NAMES_RECENT = 256 };

struct nyt_names {
    struct nyt_map by_hash;
    struct nyt_arena arena;
    struct nyt_name *list;
    size_t count, cap;
    uint64_t seed;
    uint32_t recent[NYT_NAMES_RECENT]; /* by what they end with: looked at first */
};

uint32_t nyt_names_find(const struct nyt_names *n, nyt_str s);      /* NYT_NONE: unknown */
uint32_t nyt_names_take(struct nyt_names *n, nyt_str s);            /* NYT_NONE: no memory */
void nyt_names_free(struct nyt_names *n);

#endif
