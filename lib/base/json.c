/* JSON: all ASCII, so that no reader can take it wrongly. */
#include "base/json.h"

#include "base/utf8.h"

#include <math.h>
#include <string.h>

static void json_escape(struct nyt_out *o, uint32_t code)
{
    static const char named[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
                                 ['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\'};
    if (code < sizeof named && named[code]) {
        nyt_out_char(o, '\\');
        nyt_out_char(o, named[code]);
    } else if (code < 0x20 || (code >= 0x7F && code <= 0xFFFF)) {
        nyt_out_format(o, "\\u%04x", (unsigned)code);
    } else if (code > 0xFFFF) {
        nyt_out_format(o, "\\u%04x\\u%04x", (unsigned)(0xD7C0 + (code >> 10)),
                       (unsigned)(0xDC00 + (code & 0x3FF)));
    } else {
        nyt_out_char(o, (char)code);
    }
}

enum { WORD = sizeof(uint64_t) };

/* Whether any of eight bytes is a control, a quote, a backslash, DEL or beyond ASCII. */
static bool any_is_special(const char *data)
{
    const uint64_t ones = 0x0101010101010101u, tops = ones << 7;
    uint64_t word;
    memcpy(&word, data, sizeof word);
    uint64_t quote = word ^ ones * '"', backslash = word ^ ones * '\\', del = word ^ ones * 0x7F;
    /* x - ones borrows into the top bit where a byte of x is 0; of word, where one is below 0x20 */
    return (word | ((word - ones * 0x20) & ~word) | ((quote - ones) & ~quote) |
            ((backslash - ones) & ~backslash) | ((del - ones) & ~del)) &
           tops;
}

/* How many bytes from here on JSON takes as they are. */
static size_t json_plain(const char *data, size_t len)
{
    size_t n = 0;
    while (len - n >= WORD && !any_is_special(data + n))
        n += WORD;
    while (n < len && data[n] >= 0x20 && data[n] < 0x7F && data[n] != '"' && data[n] != '\\')
        n++;
    return n;
}

void nyt_out_json_str(struct nyt_out *o, nyt_str s)
{
    bool utf8 = nyt_is_utf8(s);
    nyt_out_char(o, '"');
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
    nyt_out_char(o, '"');
}

/* ---- Values ---- */

/* What stands before a value. */
static void begin_value(struct nyt_json *j, const char *key)
{
    if (j->comma)
        nyt_out_char(j->o, ',');
    j->comma = true;
    if (key) {
        nyt_out_char(j->o, '"');
        nyt_out_text(j->o, key);
        nyt_out_text(j->o, "\":");
    }
}

void nyt_json_open(struct nyt_json *j, const char *key, char bracket)
{
    begin_value(j, key);
    nyt_out_char(j->o, bracket);
    j->comma = false;
}

void nyt_json_close(struct nyt_json *j, char bracket)
{
    nyt_out_char(j->o, bracket);
    j->comma = true;
}

void nyt_json_key(struct nyt_json *j, nyt_str key)
{
    begin_value(j, NULL);
    nyt_out_json_str(j->o, key);
    nyt_out_text(j->o, ":");
    j->comma = false;
}

void nyt_json_line(struct nyt_json *j)
{
    begin_value(j, NULL);
    nyt_out_text(j->o, "\n");
    j->comma = false;
}

void nyt_json_number(struct nyt_json *j, const char *key, double value)
{
    char text[NYT_NUMBER_BYTES];
    const char *quote = isfinite(value) ? "" : "\"";
    begin_value(j, key);
    nyt_out_text(j->o, quote);
    nyt_out_text(j->o, nyt_number(value, text));
    nyt_out_text(j->o, quote);
}

/* A report has millions of numbers: printf() would take a third of all time. */
static void put_digits(struct nyt_out *o, uint64_t value, bool minus)
{
    char text[24], *p = text + sizeof text;
    do {
        *--p = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    if (minus)
        nyt_out_char(o, '-');
    while (p < text + sizeof text)
        nyt_out_char(o, *p++);
}

void nyt_json_whole(struct nyt_json *j, const char *key, int64_t value)
{
    begin_value(j, key);
    put_digits(j->o, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, value < 0);
}

void nyt_json_count(struct nyt_json *j, const char *key, uint64_t value)
{
    begin_value(j, key);
    put_digits(j->o, value, false);
}

void nyt_json_bool(struct nyt_json *j, const char *key, bool value)
{
    begin_value(j, key);
    nyt_out_text(j->o, value ? "true" : "false");
}

void nyt_json_null(struct nyt_json *j, const char *key)
{
    begin_value(j, key);
    nyt_out_text(j->o, "null");
}

void nyt_json_str(struct nyt_json *j, const char *key, nyt_str value)
{
    begin_value(j, key);
    nyt_out_json_str(j->o, value);
}

void nyt_json_text(struct nyt_json *j, const char *key, const char *value)
{
    nyt_json_str(j, key, (nyt_str){.data = value, .len = strlen(value)});
}

void nyt_json_optional(struct nyt_json *j, const char *key, const nyt_str *value)
{
    if (value)
        nyt_json_str(j, key, *value);
    else
        nyt_json_null(j, key);
}
