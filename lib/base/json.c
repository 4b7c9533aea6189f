/* JSON: all ASCII, so that no reader can take it wrongly. */
#include "base/json.h"

#include "base/utf8.h"

#include <math.h>
#include <string.h>

void nyt_out_json_number(struct nyt_out *o, double value)
{
    char text[NYT_NUMBER_BYTES];
    nyt_number(value, text);
    bool quoted = isnan(value) || isinf(value);
    nyt_out_format(o, quoted ? "\"%s\"" : "%s", text);
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
