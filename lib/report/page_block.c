/*
 * A block of the page. The browser opens it with its own DecompressionStream("deflate-raw"). In
 * base64 nothing can end the element that it stands in, whatever the profile holds.
 */
#include "report/page_block.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* With level 5 a page takes a sixth more instructions, for a twentieth fewer bytes. */
enum { DEFLATED_AT_ONCE = 16 * 1024, LEVEL = 3 };

struct nyt_deflate {
    z_stream stream;
    struct nyt_out out;
};

static int deflate_all(struct nyt_block *b, int flush)
{
    z_stream *z = &b->deflate->stream;
    do {
        if (!nyt_buf_reserve(&b->packed, DEFLATED_AT_ONCE))
            return NYT_ENOMEM;
        z->next_out = b->packed.data + b->packed.len;
        z->avail_out = DEFLATED_AT_ONCE;
        deflate(z, flush);
        b->packed.len += DEFLATED_AT_ONCE - z->avail_out;
    } while (z->avail_out == 0);
    return NYT_OK;
}

static int take_text(void *ctx, const void *data, size_t len)
{
    struct nyt_block *b = ctx;
    b->deflate->stream.next_in = (uint8_t *)data;
    b->deflate->stream.avail_in = (uInt)len;
    return deflate_all(b, Z_NO_FLUSH);
}

struct nyt_block *nyt_block_new(void)
{
    struct nyt_block *b = calloc(1, sizeof *b);
    struct nyt_deflate *z = b ? calloc(1, sizeof *z) : NULL;
    if (!z || deflateInit2(&z->stream, LEVEL, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        free(z);
        free(b);
        return NULL;
    }
    b->deflate = z;
    nyt_out_begin(&z->out, take_text, b);
    b->json.o = &z->out;
    return b;
}

static void deflate_free(struct nyt_block *b)
{
    if (b->deflate)
        deflateEnd(&b->deflate->stream);
    free(b->deflate);
    b->deflate = NULL;
}

int64_t nyt_block_end(struct nyt_block *b)
{
    if (nyt_out_end(&b->deflate->out, NULL) < 0)
        return NYT_ENOMEM;
    b->deflate->stream.avail_in = 0;
    if (deflate_all(b, Z_FINISH) < 0)
        return NYT_ENOMEM;
    deflate_free(b);
    return (int64_t)((b->packed.len + 2) / 3 * 4);
}

void nyt_block_put(const struct nyt_block *b, struct nyt_out *o)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *p = b->packed.data;
    for (size_t left = b->packed.len; left > 0; p += 3, left = left > 3 ? left - 3 : 0) {
        uint32_t bits = (uint32_t)p[0] << 16 | (uint32_t)(left > 1 ? p[1] : 0) << 8 |
                        (uint32_t)(left > 2 ? p[2] : 0);
        char text[4] = {digits[bits >> 18], digits[bits >> 12 & 63],
                        left > 1 ? digits[bits >> 6 & 63] : '=',
                        left > 2 ? digits[bits & 63] : '='};
        for (size_t i = 0; i < sizeof text; i++)
            nyt_out_char(o, text[i]);
    }
}

void nyt_block_free(struct nyt_block *b)
{
    if (!b)
        return;
    deflate_free(b);
    nyt_buf_free(&b->packed);
    free(b);
}
