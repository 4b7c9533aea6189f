/*
 * Compressed sources. What is stored for later processes looks like this, in this machine's
 * own byte order, and is refused as a whole unless every byte is as it was written:
 *
 *     head                      mark, byte order, zlib's version
 *     entry, its bytes          one for each piece
 *     ...
 *     sum                       of all before
 */
#include "format/pieces.h"

#include "base/error.h"
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct head {
    char mark[8];
    uint64_t order;
    char zlib[16];
};

struct entry {
    uint64_t sum[2];
    uint64_t payload_len, plain, bytes;
    uint32_t fid, level, adler, unused;
};

enum { FIDS_MAX = 1 << 20 };

/* ---- Sums: quick, and of 128 bits ---- */

static uint64_t turned(uint64_t v, int by)
{
    return v << by | v >> (64 - by);
}

static uint64_t word_at(const uint8_t *p, size_t len)
{
    uint64_t v = 0;
    memcpy(&v, p, len < 8 ? len : 8);
    return v;
}

static void sum_of(const void *data, size_t len, uint64_t sum[2])
{
    const uint8_t *p = data;
    uint64_t a = 0x243F6A8885A308D3u ^ len, b = 0x13198A2E03707344u;
    for (; len >= 16; len -= 16, p += 16) {
        a = turned(a ^ word_at(p, 8), 29) * 0x9E3779B97F4A7C15u;
        b = turned(b ^ word_at(p + 8, 8), 31) * 0xC2B2AE3D27D4EB4Fu;
    }
    for (; len; len -= len < 8 ? len : 8, p += 8) {
        a = turned(a ^ word_at(p, len), 29) * 0x9E3779B97F4A7C15u;
        b = turned(b ^ a, 31) * 0xC2B2AE3D27D4EB4Fu;
        if (len < 8)
            break;
    }
    sum[0] = nyt_mix(a ^ turned(b, 17));
    sum[1] = nyt_mix(b + turned(a, 43));
}

/* ---- In this process ---- */

nyt_pieces *nyt_pieces_new(void)
{
    return calloc(1, sizeof(nyt_pieces));
}

void nyt_pieces_free(nyt_pieces *p)
{
    if (!p)
        return;
    for (size_t fid = 0; fid < p->cap; fid++)
        nyt_buf_free(&p->of_fid[fid].block.bytes);
    free(p->of_fid);
    free(p);
}

struct nyt_piece *nyt_piece_for(nyt_pieces *p, uint32_t fid)
{
    struct nyt_piece *grown = nyt_grow(p->of_fid, &p->cap, (size_t)fid + 1, sizeof *grown);
    if (!grown)
        return NULL;
    p->of_fid = grown;
    return &grown[fid];
}

const struct nyt_piece *nyt_piece_find(nyt_pieces *p, uint32_t fid, const void *payload, size_t len,
                                       int level)
{
    struct nyt_piece *piece = fid < p->cap ? &p->of_fid[fid] : NULL;
    if (!piece || piece->payload_len != len || piece->level != level)
        return NULL;
    if (piece->stored) {
        uint64_t sum[2];
        sum_of(payload, len, sum);
        if (sum[0] != piece->sum[0] || sum[1] != piece->sum[1])
            return NULL;
        piece->stored = false;
    }
    return piece;
}

void nyt_piece_made(nyt_pieces *p, struct nyt_piece *piece, const void *payload, size_t len,
                    int level)
{
    piece->level = level;
    piece->payload_len = len;
    piece->stored = false;
    sum_of(payload, len, piece->sum);
    p->unsaved += piece->block.bytes.len;
}

size_t nyt_pieces_unsaved(const nyt_pieces *p)
{
    return p->unsaved;
}

/* ---- For others ---- */

static void head_of(struct head *h)
{
    *h = (struct head){.mark = "NYTSRC2\n", .order = 0x0102030405060708u};
    strncpy(h->zlib, zlibVersion(), sizeof h->zlib - 1);
}

static bool put(struct nyt_buf *out, const void *data, size_t len)
{
    return nyt_buf_append(out, data, len);
}

static bool put_piece(struct nyt_buf *out, uint32_t fid, const struct nyt_piece *piece)
{
    if (piece->payload_len == 0)
        return true;
    struct entry e = {.sum = {piece->sum[0], piece->sum[1]},
                      .payload_len = piece->payload_len,
                      .plain = piece->block.plain,
                      .bytes = piece->block.bytes.len,
                      .fid = fid,
                      .level = (uint32_t)piece->level,
                      .adler = piece->block.adler};
    return put(out, &e, sizeof e) && put(out, piece->block.bytes.data, piece->block.bytes.len);
}

int nyt_pieces_save(nyt_pieces *p, nyt_write_fn fn, void *ctx)
{
    struct nyt_buf out = {0};
    struct head h;
    uint64_t sum[2];
    head_of(&h);
    bool ok = put(&out, &h, sizeof h);
    for (size_t fid = 0; ok && fid < p->cap; fid++)
        ok = put_piece(&out, (uint32_t)fid, &p->of_fid[fid]);
    if (ok) {
        sum_of(out.data, out.len, sum);
        ok = put(&out, sum, sizeof sum);
    }
    int rc = ok ? fn(ctx, out.data, out.len) : NYT_ENOMEM;
    if (rc >= 0)
        p->unsaved = 0;
    nyt_buf_free(&out);
    return rc;
}

static bool is_whole(const uint8_t *data, size_t len)
{
    struct head h;
    uint64_t sum[2];
    head_of(&h);
    if (len < sizeof h + sizeof sum || memcmp(data, &h, sizeof h) != 0)
        return false;
    sum_of(data, len - sizeof sum, sum);
    return memcmp(data + len - sizeof sum, sum, sizeof sum) == 0;
}

static bool take_piece(nyt_pieces *p, const struct entry *e, const uint8_t *bytes)
{
    struct nyt_piece *piece = nyt_piece_for(p, e->fid);
    if (!piece)
        return false;
    piece->block.bytes.len = 0;
    piece->payload_len = 0;
    if (!nyt_buf_append(&piece->block.bytes, bytes, (size_t)e->bytes))
        return false;
    piece->block.plain = e->plain;
    piece->block.adler = e->adler;
    piece->payload_len = (size_t)e->payload_len;
    piece->level = (int)e->level;
    piece->stored = true;
    piece->sum[0] = e->sum[0];
    piece->sum[1] = e->sum[1];
    return true;
}

int nyt_pieces_load(nyt_pieces *p, const void *data, size_t len)
{
    const uint8_t *at = data, *end = at + len - 2 * sizeof(uint64_t);
    struct entry e;
    if (!is_whole(data, len))
        return NYT_EFORMAT;
    for (at += sizeof(struct head); (size_t)(end - at) >= sizeof e; at += (size_t)e.bytes) {
        memcpy(&e, at, sizeof e);
        at += sizeof e;
        if (e.fid > FIDS_MAX || e.level > 9 || e.bytes > (size_t)(end - at))
            return NYT_EFORMAT;
        if (!take_piece(p, &e, at))
            return NYT_ENOMEM;
    }
    return at == end ? NYT_OK : NYT_EFORMAT;
}
