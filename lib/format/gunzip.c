/*
 * Profiles that were gzipped: what the members hold, one after the other. What follows the last one
 * is ignored, as gzip does with padding.
 */
#include "format/gunzip.h"

#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

enum { BLOCK = 64 * 1024, GZIP_ONLY = 15 + 16 };

struct nyt_gunzip {
    nyt_read_fn read;
    void *ctx;
    z_stream z;
    bool source_ended, ended;
    uint8_t in[BLOCK];
};

bool nyt_is_gzip(const uint8_t *data, size_t len)
{
    return len >= 2 && data[0] == 0x1F && data[1] == 0x8B;
}

struct nyt_gunzip *nyt_gunzip_new(nyt_read_fn read, void *ctx, const uint8_t *first, size_t len)
{
    struct nyt_gunzip *g = calloc(1, sizeof *g);
    if (!g || len > BLOCK || inflateInit2(&g->z, GZIP_ONLY) != Z_OK) {
        free(g);
        return NULL;
    }
    g->read = read;
    g->ctx = ctx;
    memcpy(g->in, first, len);
    g->z.next_in = g->in;
    g->z.avail_in = (uInt)len;
    return g;
}

static int feed(struct nyt_gunzip *g)
{
    size_t got = 0;
    memmove(g->in, g->z.next_in, g->z.avail_in);
    int rc = g->read(g->ctx, g->in + g->z.avail_in, BLOCK - g->z.avail_in, &got);
    g->z.next_in = g->in;
    g->z.avail_in += (uInt)got;
    g->source_ended = rc < 0 || got == 0;
    return rc;
}

/* Behind a member: another one, or the end. */
static int end_member(struct nyt_gunzip *g)
{
    int rc = NYT_OK;
    while (rc == NYT_OK && g->z.avail_in < 2 && !g->source_ended)
        rc = feed(g);
    g->ended = !nyt_is_gzip(g->z.next_in, g->z.avail_in);
    if (!g->ended)
        inflateReset(&g->z);
    return rc;
}

static int step(struct nyt_gunzip *g)
{
    if (g->z.avail_in == 0 && !g->source_ended) {
        int rc = feed(g);
        if (rc < 0)
            return rc;
    }
    if (g->z.avail_in == 0) {
        g->ended = true;
        return NYT_OK;
    }
    switch (inflate(&g->z, Z_NO_FLUSH)) {
    case Z_OK:
    case Z_BUF_ERROR:
        return NYT_OK;
    case Z_STREAM_END:
        return end_member(g);
    case Z_MEM_ERROR:
        return NYT_ENOMEM;
    default:
        g->ended = true;
        return NYT_EDEFLATE;
    }
}

int nyt_gunzip_read(void *gunzip, void *data, size_t size, size_t *got)
{
    struct nyt_gunzip *g = gunzip;
    uInt room = size < (1u << 30) ? (uInt)size : 1u << 30;
    int rc = NYT_OK;
    g->z.next_out = data;
    g->z.avail_out = room;
    while (rc == NYT_OK && !g->ended && g->z.avail_out == room)
        rc = step(g);
    *got = room - g->z.avail_out;
    return rc;
}

void nyt_gunzip_free(struct nyt_gunzip *g)
{
    if (g)
        inflateEnd(&g->z);
    free(g);
}
