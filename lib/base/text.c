/*
 * Text on its way out, for exports and reports: collected in one buffer, with the spellings
 * of numbers and of foreign bytes that JSON and terminals can take.
 */
#include "base/text.h"

#include "base/utf8.h"

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
        nyt_out_char(o, c);
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

/* ---- Figures for the eye ---- */

static void put_count(struct nyt_out *o, int64_t count, int width, bool sign)
{
    char digits[24], grouped[32];
    int len = snprintf(digits, sizeof digits, sign ? "%+lld" : "%lld", (long long)count);
    int first = count < 0 || sign ? 1 : 0;
    size_t n = 0;
    for (int i = 0; i < len; i++) {
        if (i > first && (len - i) % 3 == 0)
            grouped[n++] = ',';
        grouped[n++] = digits[i];
    }
    grouped[n] = '\0';
    nyt_out_format(o, "%*s", width, grouped);
}

void nyt_out_count(struct nyt_out *o, int64_t count, int width)
{
    put_count(o, count, width, false);
}

void nyt_out_count_change(struct nyt_out *o, int64_t count, int width)
{
    put_count(o, count, width, count != 0);
}

static void put_with_tilde(struct nyt_out *o, int width, double value, char text[FIXED_BYTES])
{
    int len = (int)strlen(text);
    nyt_out_fill(o, ' ', width > len + 1 ? (size_t)(width - len - 1) : 0);
    nyt_out_text(o, "~");
    put_fixed(o, 0, value, text);
}

static void put_rough(struct nyt_out *o, int width, int decimals, double value)
{
    char text[FIXED_BYTES];
    snprintf(text, sizeof text, "%.*f", decimals, value);
    put_with_tilde(o, width, value, text);
}

static void put_rough_change(struct nyt_out *o, int width, int decimals, double value)
{
    char text[FIXED_BYTES];
    snprintf(text, sizeof text, "%+.*f", decimals, value);
    put_with_tilde(o, width, value, text);
}

typedef void put_value_fn(struct nyt_out *o, int width, int decimals, double value);

static void put_time(struct nyt_out *o, double seconds, int width, put_value_fn *put)
{
    static const struct {
        double at_least;
        double factor;
        const char *unit;
    } units[] = {{1, 1, " s "}, {1e-3, 1e3, " ms"}, {1e-6, 1e6, " us"}, {0, 1e9, " ns"}};
    double size = fabs(seconds);
    size_t i = 0;
    while (i < 3 && size < units[i].at_least)
        i++;
    if (!(size > 0) || !isfinite(seconds)) {    /* nothing, or no number */
        nyt_out_format(o, "%*s%s", width > 3 ? width - 3 : 0, isfinite(seconds) ? "0" : "?",
                       width ? "   " : " s");
        return;
    }
    double value = seconds * units[i].factor;
    double shown = fabs(value);
    int decimals = units[i].factor >= 1e9 ? 0 : shown < 10 ? 2 : shown < 100 ? 1 : 0;
    put(o, width > 3 ? width - 3 : 0, decimals, value);
    nyt_out_text(o, width ? units[i].unit : i ? units[i].unit : " s");
}

void nyt_out_time(struct nyt_out *o, double seconds, int width)
{
    put_time(o, seconds, width, nyt_out_fixed);
}

void nyt_out_rough_time(struct nyt_out *o, double seconds, int width)
{
    put_time(o, seconds, width, put_rough);
}

void nyt_out_time_change(struct nyt_out *o, double seconds, int width)
{
    put_time(o, fabs(seconds) < 0.5e-9 ? 0 : seconds, width, nyt_out_signed);
}

void nyt_out_rough_time_change(struct nyt_out *o, double seconds, int width)
{
    put_time(o, fabs(seconds) < 0.5e-9 ? 0 : seconds, width, put_rough_change);
}

/* ---- Foreign bytes ---- */

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
        memcpy(shown, "    ", 5);
        return 4;
    }
    if (is_unsafe(code))
        return (size_t)snprintf(shown, NYT_SAFE_BYTES, code < 0x100 ? "\\x%02x" : "\\u{%x}",
                                (unsigned)code);
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
