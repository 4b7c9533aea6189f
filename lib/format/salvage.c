/*
 * A damaged file -> the records in it that are worth belief, as a plain profile. What is not
 * compressed goes through the resync as it is. A compressed part is taken unit by unit, from one
 * flush to the next: our writers begin each unit without a history, so that one can be inflated
 * whatever is before it. A unit in which anything is wrong is lost as a whole, for inflated damage
 * may look like records for long; but what no flush ends is kept up to the damage.
 */
#include "format/salvage.h"

#include "base/error.h"
#include "base/memory.h"
#include "format/gunzip.h"
#include "format/inflate.h"
#include "format/resync.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK = 64 * 1024,
    HELD_MAX = 4 * 1024 * 1024, /* of what a unit inflates to: beyond, it is given bit by bit */
    BANNER_MAX = 4096
};

#define NYT_UNZIPPED_MAX ((size_t)1 << 30)

enum phase { PLAIN, STREAM, DONE };

struct nyt_salvage {
    FILE *file; /* NULL: memory */
    struct nyt_buf unzipped; /* of a gzipped file: that memory */
    const uint8_t *memory;
    uint64_t size; /* of that */
    uint64_t at;   /* byte of the file that comes next */
    uint8_t raw[BLOCK], inflated[BLOCK];

    enum phase phase;
    struct nyt_resync resync;
    size_t given;  /* so much of resync.out was read */
    bool searched; /* for a stream whose beginning is lost */

    z_stream z;
    bool z_live, in_unit, marked, held;
    size_t doubted;          /* so much of resync.out is of a unit that went bad */
    uint64_t unit, unit_end; /* bytes of the file; `marked`: a flush ends it */
    uint64_t unit_inflated, inflated_total;
    uint64_t records_before, records_doubted;
    uint32_t adler;
    struct nyt_losses losses;
};

/* ---- The file ---- */

static size_t read_at(struct nyt_salvage *s, uint64_t at, void *data, size_t size)
{
    if (s->file)
        return fseek(s->file, (long)at, SEEK_SET) == 0 ? fread(data, 1, size, s->file) : 0;
    size_t got = at >= s->size ? 0 : s->size - at < size ? (size_t)(s->size - at) : size;
    if (got)
        memcpy(data, s->memory + at, got);
    return got;
}

/* Where the flush after `from` ends; or the file, and *marked is false. */
static uint64_t end_of_unit(struct nyt_salvage *s, uint64_t from, bool *marked)
{
    enum { MARK = 4 };
    size_t got;
    while ((got = read_at(s, from, s->raw, BLOCK)) >= MARK) {
        const uint8_t *mark = nyt_find_mark(s->raw, s->raw + got);
        *marked = mark != NULL;
        if (mark)
            return from + (uint64_t)(mark - s->raw);
        from += got - (MARK - 1);
    }
    *marked = false;
    return from + got;
}

static void lose(struct nyt_salvage *s, uint64_t from, uint64_t to, uint64_t inflated)
{
    struct nyt_losses *l = &s->losses;
    if (from >= to)
        return;
    if (l->count < NYT_LOSSES_REPORTED)
        l->first[l->count] = (struct nyt_loss){from, to, inflated};
    l->count++;
    l->bytes += to - from;
}

static void lose_plain(void *salvage, uint64_t from, uint64_t to)
{
    lose(salvage, from, to, NYT_NOT_INFLATED);
}

/* ---- What is not compressed ---- */

static void begin_stream(struct nyt_salvage *s)
{
    s->phase = STREAM;
    s->resync.in_deflate = true;
    s->resync.at_deflate = false;
    nyt_resync_drop(&s->resync);
    s->resync.doubtful = false;
    s->adler = 1;
}

/* The end of the file. If nothing that made sense came after some byte, a stream may have begun
 * there: then there are flushes to begin from. */
static bool end_plain(struct nyt_salvage *s)
{
    bool marked;
    if (!nyt_resync_end(&s->resync))
        return false;
    s->phase = DONE;
    uint64_t end = s->resync.broken ? s->resync.broken_at : s->resync.offset, from = end;
    if (s->resync.broken && !s->searched) {
        s->searched = true;
        from = end_of_unit(s, end, &marked);
        if (marked)
            begin_stream(s);
    }
    if (s->phase == DONE)
        from = s->at;
    s->losses.kept = end - s->losses.bytes;
    lose(s, end, from, NYT_NOT_INFLATED);
    s->at = from;
    return true;
}

static bool resync_plain(struct nyt_salvage *s)
{
    enum { HEAD = 3 }; /* the tag and the head of the stream */
    size_t got = read_at(s, s->at, s->raw, BLOCK);
    if (got == 0)
        return end_plain(s);
    s->at += got;
    if (!nyt_resync_add(&s->resync, s->raw, got))
        return false;
    if (s->resync.at_deflate) {
        if (!nyt_resync_end(&s->resync))
            return false;
        s->at = s->resync.offset + HEAD;
        s->losses.kept = s->at - s->losses.bytes;
        begin_stream(s);
    }
    return true;
}

/* ---- The compressed part ---- */

static void begin_unit(struct nyt_salvage *s)
{
    s->unit = s->at;
    s->unit_end = end_of_unit(s, s->at, &s->marked);
    s->unit_inflated = s->inflated_total;
    s->records_before = s->resync.records;
    s->in_unit = s->held = true;
    s->resync.lenient = s->losses.count > 0; /* whose definitions may be among them */
    s->resync.odd = false;
}

/* The records of this unit are believed, and whatever came of those before it. */
static bool end_good_unit(struct nyt_salvage *s)
{
    struct nyt_buf *out = &s->resync.out;
    if (s->doubted) {
        memmove(out->data, out->data + s->doubted, out->len - s->doubted);
        out->len -= s->doubted;
        s->resync.records -= s->records_doubted;
        s->doubted = 0;
    }
    s->in_unit = s->held = false;
    s->losses.kept += s->at - s->unit;
    return nyt_resync_end(&s->resync);
}

/*
 * What it held before the damage showed is kept, less what is near to it, but only until the next
 * unit turns out to need no history: then this one was of the kind that can be lost as a whole.
 */
static void end_bad_unit(struct nyt_salvage *s)
{
    struct nyt_resync *f = &s->resync;
    if (s->held && f->odd) {
        f->out.len = f->odd_out;
        f->records = f->odd_records;
    }
    nyt_resync_drop(f);
    lose(s, s->unit, s->unit_end, s->unit_inflated);
    s->doubted = s->held ? f->out.len : 0;
    s->records_doubted = f->records - s->records_before;
    s->at = s->unit_end;
    s->in_unit = s->held = false;
    inflateReset(&s->z);
    if (!s->marked)
        s->phase = DONE;
}

static bool end_stream(struct nyt_salvage *s)
{
    uint8_t check[4];
    s->phase = DONE;
    if (read_at(s, s->at, check, sizeof check) == sizeof check && s->losses.count == 0)
        s->losses.checksum = s->adler != ((uint32_t)check[0] << 24 | (uint32_t)check[1] << 16 |
                                          (uint32_t)check[2] << 8 | check[3]);
    return end_good_unit(s);
}

/* All that zlib makes of `len` bytes in s->raw. false: out of memory. */
static bool inflate_block(struct nyt_salvage *s, size_t len, int *code)
{
    z_stream *z = &s->z;
    z->next_in = s->raw;
    z->avail_in = (uInt)len;
    do {
        z->next_out = s->inflated;
        z->avail_out = BLOCK;
        *code = inflate(z, Z_NO_FLUSH);
        size_t got = BLOCK - z->avail_out;
        s->adler = (uint32_t)adler32(s->adler, s->inflated, (uInt)got);
        s->inflated_total += got;
        if (*code == Z_MEM_ERROR || !nyt_resync_add(&s->resync, s->inflated, got))
            return false;
    } while (*code == Z_OK && z->avail_out == 0 && !s->resync.broken &&
             !(z->avail_in == 0 && nyt_is_between_blocks(z)));
    s->at += len - z->avail_in;
    return true;
}

static bool resync_stream(struct nyt_salvage *s)
{
    int code;
    if (!s->in_unit)
        begin_unit(s);
    uint64_t left = s->unit_end - s->at;
    size_t got = read_at(s, s->at, s->raw, left < BLOCK ? (size_t)left : BLOCK);
    if (got == 0) { /* the file breaks off */
        s->phase = DONE;
        return end_good_unit(s);
    }
    if (!inflate_block(s, got, &code))
        return false;
    if (s->resync.out.len > HELD_MAX) {
        s->held = s->resync.lenient = false;
        s->doubted = 0;
    }
    if (s->resync.broken || (code != Z_OK && code != Z_BUF_ERROR && code != Z_STREAM_END))
        end_bad_unit(s);
    else if (code == Z_STREAM_END)
        return end_stream(s);
    else if (s->marked && s->at == s->unit_end) {
        if (nyt_is_between_blocks(&s->z))
            return end_good_unit(s);
        end_bad_unit(s);
    }
    return true;
}

/* ---- Read as a file ---- */

static size_t ready(const struct nyt_salvage *s)
{
    return s->held || (s->doubted && s->phase != DONE) ? 0 : s->resync.out.len - s->given;
}

int nyt_salvage_read(void *salvage, void *data, size_t size, size_t *got)
{
    struct nyt_salvage *s = salvage;
    *got = 0;
    while (!ready(s) && s->phase != DONE) {
        if (!s->held && !s->doubted)
            s->resync.out.len = s->given = 0;
        if (!(s->phase == PLAIN ? resync_plain(s) : resync_stream(s)))
            return NYT_ENOMEM;
    }
    s->losses.records = s->resync.records;
    *got = ready(s) < size ? ready(s) : size;
    if (*got)
        memcpy(data, s->resync.out.data + s->given, *got);
    s->given += *got;
    return NYT_OK;
}

static bool take_banner(struct nyt_salvage *s)
{
    size_t got = read_at(s, 0, s->raw, BANNER_MAX);
    const uint8_t *newline = got ? memchr(s->raw, '\n', got) : NULL;
    size_t len = newline ? (size_t)(newline + 1 - s->raw) : 0;
    s->at = s->resync.offset = len;
    return nyt_buf_append(&s->resync.out, s->raw, len);
}

bool nyt_is_cut_off(const nyt_error *fault, const nyt_progress *progress)
{
    enum { RECORD = 4096 };
    return fault->code == NYT_ETRUNC &&
           fault->offset + RECORD > (fault->in_deflate ? progress->inflated : progress->bytes);
}

/* ---- Gzipped files ---- */

static int read_raw(void *salvage, void *data, size_t size, size_t *got)
{
    struct nyt_salvage *s = salvage;
    *got = read_at(s, s->at, data, size);
    s->at += *got;
    return NYT_OK;
}

/* It is read back and forth: all of it is held. Damage to gzip's own data ends it. */
static int unzip(struct nyt_salvage *s, nyt_error *err)
{
    struct nyt_gunzip *g = nyt_gunzip_new(read_raw, s, s->raw, 0);
    size_t got = 1;
    int rc = g ? NYT_OK : NYT_ENOMEM;
    while (rc == NYT_OK && got) {
        if (s->unzipped.len > NYT_UNZIPPED_MAX)
            rc = NYT_ELIMIT;
        else if (!nyt_buf_reserve(&s->unzipped, BLOCK))
            rc = NYT_ENOMEM;
        else
            rc = nyt_gunzip_read(g, s->unzipped.data + s->unzipped.len, BLOCK, &got);
        s->unzipped.len += rc == NYT_OK ? got : 0;
    }
    nyt_gunzip_free(g);
    s->at = 0;
    if (rc < 0 && rc != NYT_EDEFLATE)
        return nyt_fail(err, rc, "%s", nyt_strerror(rc));
    if (s->file)
        fclose(s->file);
    s->file = NULL;
    s->memory = s->unzipped.data;
    s->size = s->unzipped.len;
    return NYT_OK;
}

int nyt_salvage_new(struct nyt_salvage **out, const struct nyt_source *source, nyt_error *err)
{
    enum { RAW = -15 };
    struct nyt_salvage *s = *out = calloc(1, sizeof *s);
    if (!s)
        return nyt_fail(err, NYT_ENOMEM, "out of memory");
    s->memory = source->data;
    s->size = source->len;
    s->resync.lost = lose_plain;
    s->resync.ctx = s;
    int rc = NYT_OK;
    if (source->path && !(s->file = fopen(source->path, "rb")))
        rc = nyt_fail_errno(err, "cannot open");
    if (rc == NYT_OK && nyt_is_gzip(s->raw, read_at(s, 0, s->raw, BLOCK)))
        rc = unzip(s, err);
    s->z_live = rc == NYT_OK && inflateInit2(&s->z, RAW) == Z_OK;
    if (rc == NYT_OK && (!s->z_live || !take_banner(s)))
        rc = nyt_fail(err, NYT_ENOMEM, "out of memory");
    if (rc < 0) {
        nyt_salvage_free(s);
        *out = NULL;
    }
    return rc;
}

const struct nyt_losses *nyt_salvage_losses(const struct nyt_salvage *s)
{
    return &s->losses;
}

void nyt_salvage_free(struct nyt_salvage *s)
{
    if (!s)
        return;
    if (s->file)
        fclose(s->file);
    if (s->z_live)
        inflateEnd(&s->z);
    nyt_resync_free(&s->resync);
    nyt_buf_free(&s->unzipped);
    free(s);
}
