/*
 * Text on its way out, for exports and reports: collected in one buffer, with the spellings
 * of numbers and of foreign bytes that JSON and terminals can take.
 */
#include "private.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void nyt_out_begin(struct nyt_out *o, nyt_write_fn write, void *ctx)
{
    o->write = write;
    o->ctx = ctx;
    o->len = 0;
    o->status = NYT_OK;
    o->sys_errno = 0;
}

static void flush(struct nyt_out *o)
{
    if (o->status == NYT_OK && o->len) {
        errno = 0;
        o->status = o->write(o->ctx, o->data, o->len);
        o->sys_errno = errno;
    }
    o->len = 0;
}

int nyt_out_end(struct nyt_out *o, nyt_error *err)
{
    flush(o);
    errno = o->sys_errno;
    if (o->status == NYT_EIO && errno)
        return nyt_fail_errno(err, "cannot write");
    if (o->status < 0)
        return nyt_fail(err, o->status, "cannot write: %s", nyt_strerror(o->status));
    return NYT_OK;
}

void nyt_out_bytes(struct nyt_out *o, const void *data, size_t len)
{
    const char *p = data;
    while (len > sizeof o->data - o->len) {
        size_t part = sizeof o->data - o->len;
        memcpy(o->data + o->len, p, part);
        o->len += part;
        p += part;
        len -= part;
        flush(o);
    }
    if (len)
        memcpy(o->data + o->len, p, len);
    o->len += len;
}

void nyt_out_text(struct nyt_out *o, const char *text)
{
    nyt_out_bytes(o, text, strlen(text));
}

void nyt_out_format(struct nyt_out *o, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (len > 0)
        nyt_out_bytes(o, text, (size_t)len < sizeof text ? (size_t)len : sizeof text - 1);
}

void nyt_out_fill(struct nyt_out *o, char c, size_t n)
{
    while (n-- > 0)
        nyt_out_bytes(o, &c, 1);
}

/* ---- Numbers ---- */

/* The locale of the program around us may write a comma, or more than one byte. */
static void restore_point(char *text)
{
    char *to = text;
    bool point = false;
    for (const char *p = text; *p; p++) {
        bool plain = (*p >= '0' && *p <= '9') || *p == '-' || *p == '+' || *p == 'e';
        if (plain)
            *to++ = *p;
        else if (!point)
            *to++ = '.';
        point = !plain;
    }
    *to = '\0';
}

const char *nyt_number(double value, char text[static NYT_NUMBER_BYTES])
{
    if (isnan(value) || isinf(value)) {
        snprintf(text, NYT_NUMBER_BYTES, "%s", isnan(value) ? "NaN" : value > 0 ? "Inf" : "-Inf");
        return text;
    }
    if (value == trunc(value) && fabs(value) < 1e15) {
        snprintf(text, NYT_NUMBER_BYTES, "%.0f", value == 0 ? 0 : value);
        return text;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, NYT_NUMBER_BYTES, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    restore_point(text);
    return text;
}

void nyt_out_json_number(struct nyt_out *o, double value)
{
    char text[NYT_NUMBER_BYTES];
    nyt_number(value, text);
    bool quoted = isnan(value) || isinf(value);
    nyt_out_format(o, quoted ? "\"%s\"" : "%s", text);
}

enum { FIXED_BYTES = 400 };

static void put_fixed(struct nyt_out *o, int width, double value, char text[FIXED_BYTES])
{
    if (isfinite(value))
        restore_point(text);
    nyt_out_format(o, "%*s", width, text);
}

void nyt_out_fixed(struct nyt_out *o, int width, int decimals, double value)
{
    char text[FIXED_BYTES];
    snprintf(text, sizeof text, "%.*f", decimals, value);
    put_fixed(o, width, value, text);
}

void nyt_out_signed(struct nyt_out *o, int width, int decimals, double value)
{
    char text[FIXED_BYTES];
    snprintf(text, sizeof text, "%+.*f", decimals, value);
    put_fixed(o, width, value, text);
}

void nyt_out_general(struct nyt_out *o, double value)
{
    char text[NYT_NUMBER_BYTES];
    snprintf(text, sizeof text, "%g", value);
    if (isfinite(value))
        restore_point(text);
    nyt_out_text(o, text);
}

/* ---- Foreign bytes ---- */

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

bool nyt_is_utf8(nyt_str s)
{
    uint32_t code;
    for (size_t at = 0, n; at < s.len; at += n)
        if ((n = nyt_utf8_next(s.data + at, s.len - at, &code)) == 0)
            return false;
    return true;
}

static void json_escape(struct nyt_out *o, uint32_t code)
{
    static const char named[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
                                 ['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\'};
    if (code < sizeof named && named[code])
        nyt_out_format(o, "\\%c", named[code]);
    else if (code < 0x20 || (code >= 0x7F && code <= 0xFFFF))
        nyt_out_format(o, "\\u%04x", (unsigned)code);
    else if (code > 0xFFFF)
        nyt_out_format(o, "\\u%04x\\u%04x", (unsigned)(0xD7C0 + (code >> 10)),
                       (unsigned)(0xDC00 + (code & 0x3FF)));
    else
        nyt_out_fill(o, (char)code, 1);
}

/* How many bytes from here on JSON takes as they are. */
static size_t json_plain(const char *data, size_t len)
{
    size_t n = 0;
    while (n < len && data[n] >= 0x20 && data[n] < 0x7F && data[n] != '"' && data[n] != '\\')
        n++;
    return n;
}

void nyt_out_json_str(struct nyt_out *o, nyt_str s)
{
    bool utf8 = nyt_is_utf8(s);
    nyt_out_fill(o, '"', 1);
    for (size_t at = 0; at < s.len;) {
        size_t n = json_plain(s.data + at, s.len - at);
        nyt_out_bytes(o, s.data + at, n);
        at += n;
        if (at == s.len)
            break;
        uint32_t code = (uint8_t)s.data[at];
        at += utf8 ? nyt_utf8_next(s.data + at, s.len - at, &code) : 1;
        json_escape(o, code);
    }
    nyt_out_fill(o, '"', 1);
}

void nyt_out_json_text(struct nyt_out *o, const char *text)
{
    nyt_out_json_str(o, (nyt_str){.data = text, .len = strlen(text)});
}

/* Characters that could move the cursor, hide text or turn its direction. */
static bool is_unsafe(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0xAD || c == 0x61C ||
           (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
           (c >= 0x2060 && c <= 0x206F) || (c >= 0xD800 && c <= 0xDFFF) || c == 0xFEFF ||
           (c >= 0xFFF9 && c <= 0xFFFB) || (c >= 0xE0000 && c <= 0xE007F);
}

/* Columns that a character takes: none for combining marks, two for East Asian and pictures. */
static size_t columns_of(uint32_t c)
{
    if ((c >= 0x300 && c <= 0x36F) || (c >= 0x1AB0 && c <= 0x1AFF) ||
        (c >= 0x20D0 && c <= 0x20FF) || (c >= 0xFE00 && c <= 0xFE0F) ||
        (c >= 0xFE20 && c <= 0xFE2F))
        return 0;
    bool wide = (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF && c != 0x303F) ||
                (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) ||
                (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) ||
                (c >= 0xFFE0 && c <= 0xFFE6) || (c >= 0x1F300 && c <= 0x1FAFF) ||
                (c >= 0x20000 && c <= 0x3FFFD);
    return wide ? 2 : 1;
}

/* One character made harmless: its bytes in `shown`, its columns as the result. */
static size_t safe_char(uint32_t code, bool valid, const char *bytes, size_t len,
                        char shown[NYT_SAFE_BYTES])
{
    if (!valid)
        return (size_t)snprintf(shown, NYT_SAFE_BYTES, "\\x%02x", (unsigned)code);
    if (code == '\t') {
        strcpy(shown, "    ");
        return 4;
    }
    if (is_unsafe(code))
        return (size_t)snprintf(shown, NYT_SAFE_BYTES, code < 0x100 ? "\\x%02x" : "\\u{%x}", (unsigned)code);
    memcpy(shown, bytes, len);
    shown[len] = '\0';
    return columns_of(code);
}

size_t nyt_safe_next(nyt_str s, size_t at, char shown[NYT_SAFE_BYTES], size_t *bytes)
{
    uint32_t code = (uint8_t)s.data[at];
    size_t n = nyt_utf8_next(s.data + at, s.len - at, &code);
    *bytes = n ? n : 1;
    return safe_char(code, n > 0, s.data + at, n, shown);
}

size_t nyt_out_safe(struct nyt_out *o, nyt_str s, size_t limit)
{
    char shown[NYT_SAFE_BYTES];
    size_t used = 0, bytes;
    for (size_t at = 0; at < s.len; at += bytes) {
        size_t columns = nyt_safe_next(s, at, shown, &bytes);
        if (limit && used + columns > limit)
            break;
        nyt_out_text(o, shown);
        used += columns;
    }
    return used;
}

size_t nyt_safe_columns(nyt_str s)
{
    char shown[NYT_SAFE_BYTES];
    size_t used = 0, bytes;
    for (size_t at = 0; at < s.len; at += bytes)
        used += nyt_safe_next(s, at, shown, &bytes);
    return used;
}

nyt_str nyt_safe_last(nyt_str s, size_t limit)
{
    char shown[NYT_SAFE_BYTES];
    size_t left = nyt_safe_columns(s), bytes;
    while (s.len && left > limit) {
        left -= nyt_safe_next(s, 0, shown, &bytes);
        s.data += bytes;
        s.len -= bytes;
    }
    return s;
}
