/* The one place where memory grows, and arenas for small things that die together. */
#ifndef NYT_BASE_MEMORY_H
#define NYT_BASE_MEMORY_H

#include "nytprof.h"

/* A growing array of bytes. All zeros is an empty one. */
struct nyt_buf {
    uint8_t *data;
    size_t len, cap;
};

/* Room for `more` bytes behind len; false: out of memory, and nothing has changed. */
bool nyt_buf_reserve(struct nyt_buf *b, size_t more);
bool nyt_buf_append(struct nyt_buf *b, const void *data, size_t len);
void nyt_buf_free(struct nyt_buf *b);

/*
 * For arrays: makes room for at least `want` elements of `size` bytes, at least
 * doubling, new ones zeroed. Returns the array, or NULL with everything as it was.
 */
void *nyt_grow(void *array, size_t *cap, size_t want, size_t size);

/* No index: what stands for "none" in lists of at most as many elements. */
#define NYT_NONE UINT32_MAX

/* Room for one more element at the end of an array; false: out of memory. Indices stay below
 * NYT_NONE. */
#define NYT_ROOM_FOR_ONE(array, count, cap) \
    nyt_room_for_one(&(array), (count), &(cap), sizeof *(array))
bool nyt_room_for_one(void *array_at, size_t count, size_t *cap, size_t size);

/* Small things that die together. Memory is aligned for any object, not zeroed. */
struct nyt_arena {
    struct nyt_arena_block *last;
    size_t held; /* bytes asked of the system, for limits */
};

void *nyt_arena_take(struct nyt_arena *a, size_t size);         /* NULL: out of memory */
nyt_str nyt_arena_str(struct nyt_arena *a, nyt_str s, bool *ok); /* a terminated copy */
/* The same instead of `old`, which stays if it is equal: repeats cost nothing. */
nyt_str nyt_arena_str_again(struct nyt_arena *a, nyt_str old, nyt_str s, bool *ok);
void nyt_arena_free(struct nyt_arena *a);

#endif
