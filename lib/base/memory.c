/* The one place where memory grows, and arenas for small things that die together. */
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

bool nyt_buf_reserve(struct nyt_buf *b, size_t more)
{
    if (more <= b->cap - b->len)
        return true;
    if (more > SIZE_MAX / 2 - b->len)
        return false;
    size_t cap = b->cap ? b->cap : 256;
    while (cap < b->len + more)
        cap *= 2;
    uint8_t *data = realloc(b->data, cap);
    if (!data)
        return false;
    b->data = data;
    b->cap = cap;
    return true;
}

bool nyt_buf_append(struct nyt_buf *b, const void *data, size_t len)
{
    if (!nyt_buf_reserve(b, len))
        return false;
    if (len)
        memcpy(b->data + b->len, data, len);
    b->len += len;
    return true;
}

void nyt_buf_free(struct nyt_buf *b)
{
    free(b->data);
    *b = (struct nyt_buf){0};
}

void *nyt_grow(void *array, size_t *cap, size_t want, size_t size)
{
    if (want <= *cap && array)
        return array;
    size_t room = *cap > SIZE_MAX / 2 ? want : *cap * 2;
    if (room < want)
        room = want;
    if (room < 8)
        room = 8;
    if (room > SIZE_MAX / size)
        return NULL;
    char *grown = realloc(array, room * size);
    if (!grown)
        return NULL;
    memset(grown + *cap * size, 0, (room - *cap) * size);
    *cap = room;
    return grown;
}

/* The array's own type is not known here, so the pointer is copied as bytes. */
bool nyt_room_for_one(void *array_at, size_t count, size_t *cap, size_t size)
{
    void *array;
    memcpy(&array, array_at, sizeof array);
    array = count < NYT_NONE - 1 ? nyt_grow(array, cap, count + 1, size) : NULL;
    if (array)
        memcpy(array_at, &array, sizeof array);
    return array != NULL;
}

struct nyt_arena_block {
    struct nyt_arena_block *before;
    size_t used, size;
    max_align_t memory[];
};

enum { ARENA_BLOCK = 64 * 1024 };

static struct nyt_arena_block *arena_block_new(struct nyt_arena *a, size_t size)
{
    size_t room = size > ARENA_BLOCK ? size : ARENA_BLOCK;
    if (room > SIZE_MAX - sizeof(struct nyt_arena_block))
        return NULL;
    struct nyt_arena_block *block = malloc(sizeof *block + room);
    if (!block)
        return NULL;
    *block = (struct nyt_arena_block){.size = room};
    a->held += sizeof *block + room;
    if (a->last && size > ARENA_BLOCK / 4) {    /* a large one must not waste the rest */
        block->before = a->last->before;
        a->last->before = block;
    } else {
        block->before = a->last;
        a->last = block;
    }
    return block;
}

void *nyt_arena_take(struct nyt_arena *a, size_t size)
{
    const size_t align = sizeof(max_align_t);
    if (size > SIZE_MAX - align)
        return NULL;
    size = (size + align - 1) / align * align;
    struct nyt_arena_block *block = a->last;
    if (!block || block->size - block->used < size)
        block = arena_block_new(a, size);
    if (!block)
        return NULL;
    void *p = (char *)block->memory + block->used;
    block->used += size;
    return p;
}

nyt_str nyt_arena_str(struct nyt_arena *a, nyt_str s, bool *ok)
{
    char *copy = s.len < SIZE_MAX ? nyt_arena_take(a, s.len + 1) : NULL;
    if (!copy) {
        *ok = false;
        return (nyt_str){.data = ""};
    }
    if (s.len)
        memcpy(copy, s.data, s.len);
    copy[s.len] = '\0';
    return (nyt_str){.data = copy, .len = s.len, .utf8 = s.utf8};
}

nyt_str nyt_arena_str_again(struct nyt_arena *a, nyt_str old, nyt_str s, bool *ok)
{
    bool same = old.data && old.len == s.len && old.utf8 == s.utf8 &&
                (s.len == 0 || memcmp(old.data, s.data, s.len) == 0);
    return same ? old : nyt_arena_str(a, s, ok);
}

void nyt_arena_free(struct nyt_arena *a)
{
    while (a->last) {
        struct nyt_arena_block *before = a->last->before;
        free(a->last);
        a->last = before;
    }
    a->held = 0;
}
