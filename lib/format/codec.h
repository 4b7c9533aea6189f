/* Values <-> bytes. */
#ifndef NYT_FORMAT_CODEC_H
#define NYT_FORMAT_CODEC_H

#include "nytprof.h"

#include <string.h>

#define NYT_U32_BYTES 5     /* the longest integer */
#define NYT_NV_BYTES  8

/*
 * Bytes taken from the front. Once a value does not fit, `short_of` is set,
 * nothing more is taken and every later get answers zero: a record is a list of
 * gets with one check at its end. A string with a wrong tag sets `bad_tag` to it
 * and `p` stays on that byte.
 */
struct nyt_cursor {
    const uint8_t *p, *end;
    bool short_of;
    int bad_tag; /* -1: none */
};

struct nyt_cursor nyt_cursor_over(const void *data, size_t len);
uint32_t nyt_get_u32(struct nyt_cursor *c);
double nyt_get_nv(struct nyt_cursor *c);
/* Points into the cursor's memory; nothing is copied. */
nyt_str nyt_get_str(struct nyt_cursor *c);

/* Each stores at p, where there is room, and returns the end of what it stored. */
uint8_t *nyt_put_u32(uint8_t *p, uint32_t value);
uint8_t *nyt_put_nv(uint8_t *p, double value);
uint8_t *nyt_put_str(uint8_t *p, nyt_str s);        /* NYT_U32_BYTES + 1 + s.len bytes */

/* The same where all of NYT_U32_BYTES are known to be in memory: the end of what it took. */
static inline const uint8_t *nyt_fast_u32(const uint8_t *p, uint32_t *value)
{
    uint32_t first = *p;
    if (first < 0x80) {
        *value = first;
        return p + 1;
    }
    if (first < 0xC0) {
        *value = (first & 0x7F) << 8 | p[1];
        return p + 2;
    }
    if (first < 0xE0) {
        *value = (first & 0x1F) << 16 | (uint32_t)p[1] << 8 | p[2];
        return p + 3;
    }
    if (first < 0xFF) {
        *value = (first & 0x0F) << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
        return p + 4;
    }
    *value = (uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 8 | p[4];
    return p + 5;
}

/* Stores eight bytes, the lowest first: compilers make one store of it. */
static inline void nyt_put_le64(uint8_t *p, uint64_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)(v >> 16);
    p[3] = (uint8_t)(v >> 24);
    p[4] = (uint8_t)(v >> 32);
    p[5] = (uint8_t)(v >> 40);
    p[6] = (uint8_t)(v >> 48);
    p[7] = (uint8_t)(v >> 56);
}

/* Eight bytes, the lowest first. */
static inline uint64_t nyt_le64(const uint8_t *p)
{
    uint64_t v;
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    memcpy(&v, p, sizeof v);        /* which compilers make one load; the loop they do not */
#else
    v = 0;
    for (int i = 8; i-- > 0;)
        v = v << 8 | p[i];
#endif
    return v;
}

#endif
