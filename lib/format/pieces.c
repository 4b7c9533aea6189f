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
#include "format/record.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct head {
    char mark[8];
    uint64_t order;
    char zlib[16];
};

struct entry {
    uint64_t sum[2], identity[2];
    uint64_t payload_len, plain, bytes;
    uint32_t fid, level, adler, lines;
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

void nyt_piece_begin(struct nyt_piece *piece)
{
    if (piece->borrowed)
        piece->block.bytes = (struct nyt_buf){0};
    piece->borrowed = false;
    piece->block.bytes.len = 0;
    piece->payload_len = 0;
    piece->stored = false;
    memset(piece->identity, 0, sizeof piece->identity);
}

void nyt_pieces_free(nyt_pieces *p)
{
    if (!p)
        return;
    for (size_t fid = 0; fid < p->cap; fid++) {
        nyt_piece_begin(&p->of_fid[fid]);
        nyt_buf_free(&p->of_fid[fid].block.bytes);
    }
    free(p->of_fid);
    free(p);
}

static struct nyt_piece *piece_at(nyt_pieces *p, uint32_t fid)
{
    struct nyt_piece *grown = nyt_grow(p->of_fid, &p->cap, (size_t)fid + 1, sizeof *grown);
    if (!grown)
        return NULL;
    p->of_fid = grown;
    return &grown[fid];
}

struct nyt_piece *nyt_piece_for(nyt_pieces *p, uint32_t fid)
{
    struct nyt_piece *piece = piece_at(p, fid);
    return piece && !piece->known ? piece : NULL;
}

static bool is_same_sum(const uint64_t a[2], const uint64_t b[2])
{
    return a[0] == b[0] && a[1] == b[1];
}

/* A file that was touched, or copied, is known by its new state from the next time on. */
static void take_wanted(nyt_pieces *p, struct nyt_piece *piece)
{
    static const uint64_t none[2];
    if (is_same_sum(piece->wanted, none) || is_same_sum(piece->identity, piece->wanted))
        return;
    memcpy(piece->identity, piece->wanted, sizeof piece->identity);
    p->unsaved += piece->block.bytes.len;
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
        if (!is_same_sum(sum, piece->sum))
            return NULL;
        piece->stored = false;
        take_wanted(p, piece);
    }
    return piece;
}

void nyt_piece_made(nyt_pieces *p, struct nyt_piece *piece, const void *payload, size_t len,
                    uint32_t lines, int level)
{
    piece->level = level;
    piece->payload_len = len;
    piece->lines = lines;
    sum_of(payload, len, piece->sum);
    memcpy(piece->identity, piece->wanted, sizeof piece->identity);
    p->unsaved += piece->block.bytes.len;
}

void nyt_pieces_renumber(nyt_pieces *p)
{
    for (size_t fid = 0; fid < p->cap; fid++) {
        p->of_fid[fid].stored = true;
        memset(p->of_fid[fid].wanted, 0, sizeof p->of_fid[fid].wanted);
    }
}

/* ---- By what the file is ---- */

int nyt_pieces_know(nyt_pieces *p, uint32_t fid, int level, const void *identity, size_t len,
                    nyt_kept_source *out)
{
    struct nyt_piece *piece = fid <= FIDS_MAX ? piece_at(p, fid) : NULL;
    if (!piece)
        return fid <= FIDS_MAX ? NYT_ENOMEM : 0;
    sum_of(identity, len, piece->wanted);
    if (piece->payload_len == 0 || piece->level != level ||
        !is_same_sum(piece->identity, piece->wanted))
        return 0;
    piece->known = true;
    *out = (nyt_kept_source){.lines = piece->lines, .payload = piece->payload_len};
    return 1;
}

const struct nyt_piece *nyt_piece_known(const nyt_pieces *p, uint32_t fid)
{
    return fid < p->cap && p->of_fid[fid].known ? &p->of_fid[fid] : NULL;
}

/* The records of a piece, malloc'ed; NULL with *rc. */
static uint8_t *records_of(const struct nyt_piece *piece, int *rc)
{
    enum { RAW = -15 };
    const struct nyt_cached_block *block = &piece->block;
    z_stream z = {.next_in = block->bytes.data, .avail_in = (uInt)block->bytes.len};
    uint8_t *plain = malloc((size_t)block->plain + 1);
    *rc = NYT_ENOMEM;
    if (plain && inflateInit2(&z, RAW) == Z_OK) {
        z.next_out = plain;
        z.avail_out = (uInt)block->plain;
        int code = inflate(&z, Z_SYNC_FLUSH);
        *rc = (code == Z_OK || code == Z_BUF_ERROR) && z.avail_out == 0 ? NYT_OK : NYT_EFORMAT;
        inflateEnd(&z);
    }
    if (*rc == NYT_OK)
        return plain;
    free(plain);
    return NULL;
}

/* The lines' text moves to the front of the records, which it is shorter than. */
static int lines_to_front(uint8_t *plain, size_t len, size_t *text_len)
{
    struct nyt_cursor c = nyt_cursor_over(plain, len);
    nyt_record r;
    *text_len = 0;
    while (c.p < c.end) {
        if (nyt_record_decode(&c, &r) != NYT_DECODED)
            return NYT_EFORMAT;
        if (r.tag != NYT_TAG_SRC_LINE)
            continue;
        memmove(plain + *text_len, r.u.src_line.text.data, r.u.src_line.text.len);
        *text_len += r.u.src_line.text.len;
    }
    return NYT_OK;
}

int nyt_pieces_text(const nyt_pieces *p, uint32_t fid, char **text, size_t *len)
{
    const struct nyt_piece *piece = nyt_piece_known(p, fid);
    int rc = NYT_EFORMAT;
    uint8_t *plain = piece ? records_of(piece, &rc) : NULL;
    if (plain)
        rc = lines_to_front(plain, (size_t)piece->block.plain, len);
    if (rc != NYT_OK) {
        free(plain);
        plain = NULL;
    }
    *text = (char *)plain;
    return rc;
}

size_t nyt_pieces_unsaved(const nyt_pieces *p)
{
    return p->unsaved;
}

/* ---- For others ---- */

static void head_of(struct head *h)
{
    *h = (struct head){.mark = "NYTSRC3\n", .order = 0x0102030405060708u};
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
                      .identity = {piece->identity[0], piece->identity[1]},
                      .lines = piece->lines,
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

/* `bytes` stay where they are. */
static bool take_piece(nyt_pieces *p, const struct entry *e, const uint8_t *bytes)
{
    struct nyt_piece *piece = piece_at(p, e->fid);
    if (!piece)
        return false;
    if (piece->known)
        return true;
    nyt_piece_begin(piece);
    nyt_buf_free(&piece->block.bytes);
    /* Nothing is added to what is borrowed: nyt_piece_begin() comes first. */
    piece->block.bytes = (struct nyt_buf){.data = (uint8_t *)(uintptr_t)bytes,
                                          .len = (size_t)e->bytes};
    piece->borrowed = true;
    piece->block.plain = e->plain;
    piece->block.adler = e->adler;
    piece->payload_len = (size_t)e->payload_len;
    piece->lines = e->lines;
    piece->level = (int)e->level;
    piece->stored = true;
    memcpy(piece->sum, e->sum, sizeof piece->sum);
    memcpy(piece->identity, e->identity, sizeof piece->identity);
    return true;
}

/* The entry at *at, which goes on to the next one; false: there is none, or no sound one. */
static bool next_entry(const uint8_t **at, const uint8_t *end, struct entry *e,
                       const uint8_t **bytes)
{
    if ((size_t)(end - *at) < sizeof *e)
        return false;
    memcpy(e, *at, sizeof *e);
    *bytes = *at + sizeof *e;
    if (e->fid > FIDS_MAX || e->level > 9 || e->bytes > (size_t)(end - *bytes))
        return false;
    *at = *bytes + e->bytes;
    return true;
}

int nyt_pieces_load(nyt_pieces *p, const void *data, size_t len)
{
    struct entry e;
    const uint8_t *bytes;
    if (!is_whole(data, len))
        return NYT_EFORMAT;
    const uint8_t *first = (const uint8_t *)data + sizeof(struct head), *at = first;
    const uint8_t *end = (const uint8_t *)data + len - 2 * sizeof(uint64_t);
    while (next_entry(&at, end, &e, &bytes))
        ;
    if (at != end)
        return NYT_EFORMAT;
    for (at = first; next_entry(&at, end, &e, &bytes);)
        if (!take_piece(p, &e, bytes))
            return NYT_ENOMEM;
    return NYT_OK;
}
