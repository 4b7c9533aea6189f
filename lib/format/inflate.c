/*
 * A zlib stream, inflated. zlib does the work; here are the stream's head and checksum, and an
 * eye for segments that come again byte for byte. Writers of this format make runs of equal
 * records of such segments (docs/format.md): a thousand million records are some thousand copies
 * of one segment, which is inflated once.
 *
 * A segment ends with a flush, at a whole byte between two blocks. If it inflates by itself, from
 * no history at all, then each copy that follows it in the stream inflates to the same: that is
 * tried, not assumed.
 */
#include "format/inflate.h"

#include "base/error.h"
#include "format/adler.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    HEAD = 2,
    CHECK = 4,              /* bytes */
    WINDOW = 32 * 1024,     /* so far back does deflate reach */
    PACKED_MAX = 64 * 1024, /* of a segment worth looking at */
    PLAIN_MAX = 2 * 1024 * 1024
};

static enum nyt_inflated fault(struct nyt_inflater *f, int code, const char *format, ...)
    NYT_PRINTF(3, 4);

static enum nyt_inflated fault(struct nyt_inflater *f, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(f->message, sizeof f->message, format, args);
    va_end(args);
    f->code = code;
    return NYT_INFLATED_FAULT;
}

static enum nyt_inflated damaged(struct nyt_inflater *f, const char *how)
{
    return fault(f, NYT_EDEFLATE, "the compressed data is damaged: %s", how);
}

static enum nyt_inflated hungry(struct nyt_inflater *f)
{
    if (!f->last)
        return NYT_INFLATED_HUNGRY;
    f->p = f->end;
    return fault(f, NYT_ETRUNC, "the file ends inside its compressed data");
}

static size_t left(const struct nyt_inflater *f)
{
    return (size_t)(f->end - f->p);
}

/* ---- Head and checksum ---- */

/* In the order and with the words of zlib. */
static enum nyt_inflated take_head(struct nyt_inflater *f)
{
    enum { DEFLATE = 8, DICTIONARY = 0x20 };
    if (left(f) < HEAD)
        return hungry(f);
    unsigned method = f->p[0], flags = f->p[1], window_bits = (method >> 4) + 8;
    f->p += HEAD;
    if ((method << 8 | flags) % 31 != 0)
        return damaged(f, "incorrect header check");
    if ((method & 0x0F) != DEFLATE)
        return damaged(f, "unknown compression method");
    if (window_bits > 15)
        return damaged(f, "invalid window size");
    if (flags & DICTIONARY)
        return damaged(f, "a dictionary is wanted");
    inflateReset2(&f->z, -(int)window_bits);
    f->part = NYT_STREAM_BODY;
    f->between = true;
    return NYT_INFLATED_SOME;
}

static enum nyt_inflated take_check(struct nyt_inflater *f)
{
    if (left(f) < CHECK)
        return hungry(f);
    uint32_t expected = (uint32_t)f->p[0] << 24 | (uint32_t)f->p[1] << 16 | (uint32_t)f->p[2] << 8 |
                        f->p[3];
    f->p += CHECK;
    if (expected != f->adler)
        return damaged(f, "incorrect data check");
    f->part = NYT_STREAM_END;
    return NYT_INFLATED_END;
}

/* ---- Pieces ---- */

const uint8_t *nyt_find_mark(const uint8_t *p, const uint8_t *end)
{
    enum { MARK = 4 };
    if (end - p < MARK)
        return NULL;
    const uint8_t *at = p + 2;
    while (end - at >= 2 && (at = memchr(at, 0xFF, (size_t)(end - at) - 1)) != NULL) {
        if (at[1] == 0xFF && at[-1] == 0 && at[-2] == 0)
            return at + 2;
        at++;
    }
    return NULL;
}

/* How far inflate() may go: to where it is between blocks again, as far as that can be told. */
static size_t reach(struct nyt_inflater *f)
{
    if (!f->until_mark) {
        const uint8_t *mark = nyt_find_mark(f->p, f->end);
        f->until_mark = mark ? (size_t)(mark - f->p) : left(f);
    }
    return f->until_mark;
}

bool nyt_is_between_blocks(const z_stream *z)
{
    enum { UNUSED_BITS = 63, LAST = 64, AT_BLOCK = 128 };
    return (z->data_type & (UNUSED_BITS | LAST | AT_BLOCK)) == AT_BLOCK;
}

static bool segment_ready(struct nyt_copied_segment *c)
{
    c->packed.len = c->plain.len = 0;
    if (!c->z_live)
        c->z_live = inflateInit2(&c->z, -15) == Z_OK;
    return c->z_live && inflateReset(&c->z) == Z_OK;
}

/* All of c->packed from no history into c->plain; false: that does not go. */
static bool inflate_segment(struct nyt_copied_segment *c)
{
    z_stream *z = &c->z;
    z->next_in = c->packed.data;
    z->avail_in = (uInt)c->packed.len;
    int code;
    do {
        if (c->plain.len > PLAIN_MAX || !nyt_buf_reserve(&c->plain, WINDOW))
            return false;
        size_t room = c->plain.cap - c->plain.len;
        z->next_out = c->plain.data + c->plain.len;
        z->avail_out = (uInt)room;
        code = inflate(z, Z_NO_FLUSH);
        c->plain.len += room - z->avail_out;
    } while (code == Z_OK && z->avail_out == 0 && !(z->avail_in == 0 && nyt_is_between_blocks(z)));
    return code == Z_OK && z->avail_in == 0 && nyt_is_between_blocks(z);
}

/* Is the segment of `len` bytes, of which at least two stand here, one that needs no history? */
static bool take_segment(struct nyt_inflater *f, size_t len)
{
    struct nyt_copied_segment *c = &f->segment;
    bool ok = segment_ready(c) && nyt_buf_append(&c->packed, f->p, len) && inflate_segment(c);
    if (ok)
        c->adler = (uint32_t)adler32(1, c->plain.data, (uInt)c->plain.len);
    else
        c->packed.len = 0;
    return ok;
}

static size_t count_copies(const struct nyt_inflater *f, size_t len)
{
    size_t n = 1;
    for (const uint8_t *at = f->p + len; (size_t)(f->end - at) >= len; at += len, n++)
        if (memcmp(at, f->p, len) != 0)
            break;
    return n;
}

/* zlib has not seen the copies: it gets the history that they leave. */
static bool set_history(struct nyt_inflater *f, size_t copies)
{
    const struct nyt_buf *plain = &f->segment.plain;
    size_t most = plain->len < WINDOW ? plain->len : WINDOW;
    for (size_t told = 0; copies-- > 0 && most && told < WINDOW; told += most)
        if (inflateSetDictionary(&f->z, plain->data + plain->len - most, (uInt)most) != Z_OK)
            return false;
    return true;
}

static enum nyt_inflated put_copies(struct nyt_inflater *f, size_t len)
{
    const struct nyt_copied_segment *c = &f->segment;
    size_t n = count_copies(f, len);
    if (!set_history(f, n))
        return fault(f, NYT_ENOMEM, "out of memory");
    f->p += n * len;
    f->until_mark = 0;
    f->adler = nyt_adler_join(f->adler, nyt_adler_times(c->adler, c->plain.len, n),
                              (uint64_t)c->plain.len * n);
    f->copies = (struct nyt_copies){.data = c->plain.data, .len = c->plain.len, .times = n};
    return NYT_INFLATED_COPIES;
}

/* Between blocks: the length of the segment that stands here if it is one of several copies. */
static size_t segment_here(struct nyt_inflater *f)
{
    const struct nyt_buf *known = &f->segment.packed;
    if (known->len && left(f) >= known->len && memcmp(f->p, known->data, known->len) == 0)
        return known->len;
    size_t len = reach(f);
    if (len > PACKED_MAX || left(f) - len < len || memcmp(f->p, f->p + len, len) != 0)
        return 0;
    return take_segment(f, len) ? len : 0;
}

/* ---- Blocks ---- */

/* At a mark zlib may still hold bytes for which there was no room. */
static void see_where_we_are(struct nyt_inflater *f)
{
    f->at_mark = f->until_mark == 0;
    f->between = f->at_mark && nyt_is_between_blocks(&f->z);
    if (f->between || f->z.avail_out > 0)
        f->at_mark = false;
}

static enum nyt_inflated took(struct nyt_inflater *f, int code, bool any)
{
    if (code == Z_STREAM_END)
        f->part = NYT_STREAM_CHECK;
    else if (code == Z_MEM_ERROR)
        fault(f, NYT_ENOMEM, "out of memory");
    else if (code != Z_OK && code != Z_BUF_ERROR)
        damaged(f, f->z.msg ? f->z.msg : zError(code));
    return f->code && !any ? NYT_INFLATED_FAULT : NYT_INFLATED_SOME;
}

static enum nyt_inflated take_blocks(struct nyt_inflater *f, uint8_t *to, size_t room, size_t *got)
{
    z_stream *z = &f->z;
    size_t some = f->naive ? left(f) : f->at_mark ? 0 : reach(f);
    z->next_in = f->p;
    z->avail_in = (uInt)some;
    z->next_out = to;
    z->avail_out = (uInt)room;
    int code = inflate(z, Z_NO_FLUSH);
    f->p += some - z->avail_in;
    f->until_mark = z->avail_in;
    see_where_we_are(f);
    *got = room - z->avail_out;
    f->adler = (uint32_t)adler32(f->adler, to, (uInt)*got);
    if (*got == 0 && code == Z_BUF_ERROR && left(f) == 0)
        return hungry(f);
    return took(f, code, *got > 0);
}

static enum nyt_inflated take_body(struct nyt_inflater *f, uint8_t *to, size_t room, size_t *got)
{
    if (f->between && !f->naive) {
        if (!f->last && left(f) < f->lookahead)
            return NYT_INFLATED_HUNGRY;
        size_t len = segment_here(f);
        if (len)
            return put_copies(f, len);
        f->between = false;
    }
    return take_blocks(f, to, room, got);
}

int nyt_inflater_begin(struct nyt_inflater *f, nyt_error *err)
{
    enum { RAW = -15 };
    *f = (struct nyt_inflater){.adler = 1};
    f->z_live = inflateInit2(&f->z, RAW) == Z_OK;
    return f->z_live ? NYT_OK : nyt_fail(err, NYT_ENOMEM, "out of memory");
}

void nyt_inflater_end(struct nyt_inflater *f)
{
    if (f->z_live)
        inflateEnd(&f->z);
    if (f->segment.z_live)
        inflateEnd(&f->segment.z);
    nyt_buf_free(&f->segment.packed);
    nyt_buf_free(&f->segment.plain);
    *f = (struct nyt_inflater){0};
}

enum nyt_inflated nyt_inflate(struct nyt_inflater *f, uint8_t *to, size_t room, size_t *got)
{
    enum nyt_inflated how = NYT_INFLATED_SOME;
    *got = 0;
    while (how == NYT_INFLATED_SOME && *got == 0) {
        if (f->code)
            return NYT_INFLATED_FAULT;
        switch (f->part) {
        case NYT_STREAM_HEAD:
            how = take_head(f);
            break;
        case NYT_STREAM_BODY:
            how = take_body(f, to, room, got);
            break;
        case NYT_STREAM_CHECK:
            how = take_check(f);
            break;
        case NYT_STREAM_END:
            how = NYT_INFLATED_END;
            break;
        }
    }
    return how;
}
