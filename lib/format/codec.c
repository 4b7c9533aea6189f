/*
 * Integers, doubles and strings as the file spells them. Memory only, no state:
 * a reader looks ahead and decodes again when a record was short.
 */
#include "format/codec.h"

#include <string.h>

struct nyt_cursor nyt_cursor_over(const void *data, size_t len)
{
    const uint8_t *p = data;
    return (struct nyt_cursor){.p = p, .end = p + len, .bad_tag = -1};
}

static const uint8_t *take(struct nyt_cursor *c, size_t n)
{
    if (c->short_of || (size_t)(c->end - c->p) < n) {
        c->short_of = true;
        return NULL;
    }
    const uint8_t *at = c->p;
    c->p += n;
    return at;
}

/*
 * An unsigned integer; the first byte says how many follow:
 *
 *     0xxxxxxx            below 2^7
 *     10xxxxxx  1 byte    below 2^14
 *     110xxxxx  2 bytes   below 2^21
 *     1110xxxx  3 bytes   below 2^28
 *     11111111  4 bytes   the rest
 *
 * F0 to FE are never written; like Perl's reader we take them as 1110xxxx.
 */
uint32_t nyt_get_u32(struct nyt_cursor *c)
{
    static const uint8_t mask[] = {0x7F, 0x3F, 0x1F, 0x0F, 0x00};
    const uint8_t *first = take(c, 1);
    if (!first)
        return 0;
    uint32_t v = *first;
    size_t more = v < 0x80 ? 0 : v < 0xC0 ? 1 : v < 0xE0 ? 2 : v < 0xFF ? 3 : 4;
    const uint8_t *rest = take(c, more);
    if (!rest)
        return 0;
    v &= mask[more];
    for (size_t i = 0; i < more; i++)
        v = v << 8 | rest[i];
    return v;
}

/* A C double of the usual machines: IEEE 754, little-endian. */
double nyt_get_nv(struct nyt_cursor *c)
{
    const uint8_t *p = take(c, NYT_NV_BYTES);
    if (!p)
        return 0;
    uint64_t bits = nyt_le64(p);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

nyt_str nyt_get_str(struct nyt_cursor *c)
{
    nyt_str none = {.data = "", .len = 0};
    const uint8_t *tag = take(c, 1);
    if (!tag || c->bad_tag >= 0)
        return none;
    if (*tag != NYT_TAG_STRING && *tag != NYT_TAG_STRING_UTF8) {
        c->bad_tag = *tag;
        c->p = tag;
        c->end = tag;       /* whatever is asked next is short */
        return none;
    }
    size_t len = nyt_get_u32(c);
    const uint8_t *data = take(c, len);
    if (!data)
        return none;
    return (nyt_str){.data = (const char *)data, .len = len, .utf8 = *tag == NYT_TAG_STRING_UTF8};
}

uint8_t *nyt_put_u32(uint8_t *p, uint32_t v)
{
    if (v < 0x80) {
        *p++ = (uint8_t)v;
        return p;
    }
    if (v < 0x4000) {
        *p++ = (uint8_t)(0x80 | v >> 8);
    } else {
        if (v < 0x200000) {
            *p++ = (uint8_t)(0xC0 | v >> 16);
        } else {
            if (v < 0x10000000) {
                *p++ = (uint8_t)(0xE0 | v >> 24);
            } else {
                *p++ = 0xFF;
                *p++ = (uint8_t)(v >> 24);
            }
            *p++ = (uint8_t)(v >> 16);
        }
        *p++ = (uint8_t)(v >> 8);
    }
    *p++ = (uint8_t)v;
    return p;
}

uint8_t *nyt_put_nv(uint8_t *p, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    nyt_put_le64(p, bits);
    return p + NYT_NV_BYTES;
}

uint8_t *nyt_put_str(uint8_t *p, nyt_str s)
{
    *p++ = s.utf8 ? NYT_TAG_STRING_UTF8 : NYT_TAG_STRING;
    p = nyt_put_u32(p, (uint32_t)s.len);
    if (s.len)
        memcpy(p, s.data, s.len);
    return p + s.len;
}
