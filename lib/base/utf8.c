/* UTF-8, and what is not quite. */
#include "base/utf8.h"

#include <string.h>

/*
 * One character of UTF-8 as Perl takes it, surrogates included: its length, or 0 and *code as
 * it was. Nothing above U+10FFFF, which no reader of JSON could take.
 */
size_t nyt_utf8_next(const char *data, size_t len, uint32_t *code)
{
    static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    const uint8_t *p = (const uint8_t *)data;
    if (len == 0)
        return 0;
    if (p[0] < 0x80) {
        *code = p[0];
        return 1;
    }
    size_t n = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    if (p[0] < 0xC2 || p[0] > 0xF4 || n > len)
        return 0;
    uint32_t v = p[0] & (0xFFu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        v = v << 6 | (p[i] & 0x3F);
    }
    if (v < lowest[n] || v > 0x10FFFF)
        return 0;
    *code = v;
    return n;
}

/* Nearly all text: eight bytes at a time. */
static size_t ascii_words(const char *data, size_t len)
{
    const uint64_t beyond = 0x8080808080808080u;
    uint64_t word;
    size_t n = 0;
    for (; len - n >= sizeof word; n += sizeof word) {
        memcpy(&word, data + n, sizeof word);
        if (word & beyond)
            break;
    }
    return n;
}

bool nyt_is_utf8(nyt_str s)
{
    uint32_t code;
    for (size_t at = 0, n; at < s.len; at += n) {
        n = ascii_words(s.data + at, s.len - at);
        if (n == 0 && (n = nyt_utf8_next(s.data + at, s.len - at, &code)) == 0)
            return false;
    }
    return true;
}

static size_t put_utf8(uint8_t *p, uint32_t code)
{
    if (code < 0x80) {
        p[0] = (uint8_t)code;
        return 1;
    }
    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, code >>= 6)
        p[i] = (uint8_t)(0x80 | (code & 0x3F));
    p[0] = (uint8_t)((0xF00 >> n & 0xF0) | code);
    return n;
}

static bool is_control(uint32_t code)
{
    return (code < 0x20 && code != '\t') || (code >= 0x7F && code < 0xA0) || code == 0x2028 ||
           code == 0x2029;
}

static uint32_t allowed(uint32_t code, const char *never)
{
    if (code >= 0xD800 && code <= 0xDFFF)
        return 0xFFFD;
    if (never && (is_control(code) || (code < 0x80 && strchr(never, (int)code))))
        return '?';
    return code;
}

bool nyt_buf_utf8(struct nyt_buf *b, nyt_str s, const char *never)
{
    if (s.len > SIZE_MAX / 4 || !nyt_buf_reserve(b, s.len * 2 + 1))     /* Latin-1 may double */
        return false;
    bool utf8 = nyt_is_utf8(s);
    for (size_t at = 0; at < s.len;) {
        uint32_t code = (uint8_t)s.data[at];
        at += utf8 ? nyt_utf8_next(s.data + at, s.len - at, &code) : 1;
        b->len += put_utf8(b->data + b->len, allowed(code, never));
    }
    return true;
}
