/*
 * Records to a file: the mirror of reader.c. Plain records collect in `plain` and
 * are cut, at record boundaries, into segments; a segment is compressed from a fresh
 * state and ended by a full flush, so that it may be repeated, or kept for another
 * file, byte for byte. docs/format.md tells the law of the cuts, which the writer
 * in Python follows too: both give the same bytes.
 */
#include "format/writer.h"

#include "base/error.h"
#include "format/adler.h"
#include "format/codec.h"
#include "format/run_block.h"
#include "format/time_block.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

#ifdef _WIN32
#include <io.h>
#else
#include <unistd.h>
#endif
#ifndef O_BINARY
#define O_BINARY 0
#endif
#ifndef O_CLOEXEC
#define O_CLOEXEC 0
#endif

enum {
    SEGMENT = 60 * 1024,            /* a segment is cut before it would grow past this: zlib
                                       then never has to slide its window, a third of the time */
    OUTPUT = 64 * 1024,
    RECORD_MAX = 1 + 7 * NYT_U32_BYTES + 3 * NYT_NV_BYTES,  /* of any, less its strings */
    RUN_BLOCK = 64,                 /* equal records worth a block made by hand */
    TIME_BLOCK = 256 * 1024,        /* bytes with which a block of runs ends */
    RUN_MIN = 256 * 1024,           /* bytes of them worth a segment that is repeated */
    RUN_PIECE = 16 * 1024,          /* and its size */
    RUN_LONG = 16 * 1024 * 1024,    /* and worth a larger, better packed one */
    SEGMENTS_OF_LONG = 256,
    SEGMENT_MAX = 1024 * 1024,
    LONG_LEVEL = 6,
    QUICK_LEVEL = 1,                /* who asks for more shall have small files */
    SEGMENT_SMALL = 2 * 1024,       /* bytes; for fewer zlib's tables are smaller, */
    MEMORY_OF_SMALL = 5,            /* which it clears each time */
    MEMORY = 9,
    TICKS_MAX = INT32_MAX
};

struct nyt_writer {
    nyt_write_fn sink;
    void *sink_ctx;
    int fd; /* of a path that we opened; -1: none */
    int level;
    bool deflating;
    bool long_ready, small_ready; /* `long_runs`, `small` are initialised */
    z_stream z;
    z_stream small;        /* for small segments */
    z_stream long_runs;    /* used when `level` packs long runs badly */
    struct nyt_buf plain;  /* records not yet cut */
    struct nyt_buf packed; /* the last segment, compressed */
    struct nyt_buf out;    /* small writes on their way to the sink */
    struct nyt_time_block runs; /* begun only while `plain` is for those of its records */
    uint32_t adler;        /* of all that the zlib stream inflates to, */
    uint64_t plain_total;  /* and its length, both since `block` began */
    uint64_t packed_total;
    struct nyt_cached_block *block; /* being made, or NULL */
    uint32_t outer_adler;           /* of what was before it */
    uint64_t outer_total;
    int status;
    nyt_error failure;
};

/* ---- To the sink ---- */

static int fd_write(void *ctx, const void *data, size_t len)
{
    const char *p = data;
    int fd = *(const int *)ctx;
    while (len) {
        size_t some = len < (1u << 30) ? len : 1u << 30;
        ptrdiff_t n = write(fd, p, (unsigned)some);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return NYT_EIO;
        p += n;
        len -= (size_t)n;
    }
    return NYT_OK;
}

static int failed(nyt_writer *w, int code)
{
    if (w->status != NYT_OK)
        return w->status;
    w->status = code;
    if (code == NYT_EIO)
        return nyt_fail_errno(&w->failure, "cannot write the profile");
    return nyt_fail(&w->failure, code, "cannot write the profile: %s", nyt_strerror(code));
}

static void to_sink(nyt_writer *w, const void *data, size_t len)
{
    if (w->status != NYT_OK || len == 0)
        return;
    int rc = w->sink(w->sink_ctx, data, len);
    if (rc < 0)
        failed(w, rc);
}

static void flush_out(nyt_writer *w)
{
    to_sink(w, w->out.data, w->out.len);
    w->out.len = 0;
}

static void put_out(nyt_writer *w, const void *data, size_t len)
{
    if (w->status != NYT_OK || len == 0)
        return;
    if (w->block && !nyt_buf_append(&w->block->bytes, data, len)) {
        failed(w, NYT_ENOMEM);
        return;
    }
    if (len > OUTPUT - w->out.len)
        flush_out(w);
    if (len >= OUTPUT) {
        to_sink(w, data, len);
    } else {
        memcpy(w->out.data + w->out.len, data, len);
        w->out.len += len;
    }
}

/* ---- Segments ---- */

/* Compresses `len` bytes into w->packed; returns its length, 0 after a failure. */
static size_t pack(nyt_writer *w, z_stream *z, const uint8_t *data, size_t len)
{
    enum { FLUSH_ROOM = 64 };
    w->packed.len = 0;
    deflateReset(z);
    if (!nyt_buf_reserve(&w->packed, deflateBound(z, (uLong)len) + FLUSH_ROOM)) {
        failed(w, NYT_ENOMEM);
        return 0;
    }
    z->next_in = data;
    z->avail_in = (uInt)len;
    z->next_out = w->packed.data;
    z->avail_out = (uInt)w->packed.cap;
    deflate(z, Z_NO_FLUSH);
    deflate(z, Z_FULL_FLUSH);
    return w->packed.cap - z->avail_out;
}

/* The adler32 of the stream goes on over `times` copies of a segment. */
static void count_in(nyt_writer *w, uint32_t adler, uint64_t len, uint64_t times)
{
    w->adler = nyt_adler_join(w->adler, nyt_adler_times(adler, len, times), len * times);
    w->plain_total += len * times;
}

static bool deflate_ready(nyt_writer *w, z_stream *z, int level, int memory)
{
    enum { RAW = -15 };
    if (deflateInit2(z, level, Z_DEFLATED, RAW, memory, Z_DEFAULT_STRATEGY) == Z_OK)
        return true;
    failed(w, NYT_ENOMEM);
    return false;
}

/* NULL after a failure. */
static z_stream *packer_of(nyt_writer *w, size_t len)
{
    if (len >= SEGMENT_SMALL)
        return &w->z;
    if (!w->small_ready)
        w->small_ready = deflate_ready(w, &w->small, w->level, MEMORY_OF_SMALL);
    return w->small_ready ? &w->small : NULL;
}

static void put_segment(nyt_writer *w, const uint8_t *data, size_t len)
{
    if (w->status != NYT_OK || len == 0)
        return;
    if (!w->deflating) {
        put_out(w, data, len);
        return;
    }
    z_stream *z = packer_of(w, len);
    size_t packed = z ? pack(w, z, data, len) : 0;
    count_in(w, (uint32_t)adler32(1, data, (uInt)len), len, 1);
    w->packed_total += packed;
    put_out(w, w->packed.data, packed);
}

/* Of runs in a block, those whose checksum has not been counted yet. */
static void count_plain(nyt_writer *w)
{
    count_in(w, (uint32_t)adler32(1, w->plain.data, (uInt)w->plain.len), w->plain.len, 1);
    w->plain.len = 0;
}

static void end_runs(nyt_writer *w)
{
    if (w->runs.inflated == 0)
        return;
    count_plain(w);
    nyt_time_block_end(&w->runs);
    w->packed_total += w->runs.packed.len;
    put_out(w, w->runs.packed.data, w->runs.packed.len);
    nyt_time_block_next(&w->runs);
}

int nyt_writer_cut(nyt_writer *w)
{
    end_runs(w);
    put_segment(w, w->plain.data, w->plain.len);
    w->plain.len = 0;
    return w->status;
}

/* ---- Records into the buffer ---- */

/* Room for a record, or NULL: strings need `strings` bytes more than RECORD_MAX. */
static uint8_t *reserve(nyt_writer *w, size_t strings)
{
    if (w->status != NYT_OK)
        return NULL;
    if (strings > INT32_MAX) {
        failed(w, NYT_ELIMIT);
        return NULL;
    }
    if (!nyt_buf_reserve(&w->plain, RECORD_MAX + strings)) {
        failed(w, NYT_ENOMEM);
        return NULL;
    }
    return w->plain.data + w->plain.len;
}

/* Where a record made the segment too large: what is before it goes. */
static int cut_before_last(nyt_writer *w, size_t before)
{
    put_segment(w, w->plain.data, before);
    w->plain.len -= before;
    memmove(w->plain.data, w->plain.data + before, w->plain.len);
    return w->plain.len > SEGMENT ? nyt_writer_cut(w) : w->status;
}

/* The record begun by reserve() ends here. */
static int commit(nyt_writer *w, const uint8_t *end)
{
    size_t before = w->plain.len;
    w->plain.len = (size_t)(end - w->plain.data);
    return w->plain.len > SEGMENT ? cut_before_last(w, before) : w->status;
}

static bool has(nyt_str s, char c)
{
    return s.len && memchr(s.data, c, s.len);
}

static uint8_t *put_bytes(uint8_t *p, nyt_str s)
{
    if (s.len)
        memcpy(p, s.data, s.len);
    return p + s.len;
}

int nyt_writer_comment(nyt_writer *w, nyt_str text)
{
    if (has(text, '\n'))
        return NYT_EAPI;
    uint8_t *p = reserve(w, text.len);
    if (!p)
        return w->status;
    *p++ = NYT_TAG_COMMENT;
    p = put_bytes(p, text);
    *p++ = '\n';
    return commit(w, p);
}

static int put_pair(nyt_writer *w, nyt_tag tag, nyt_str key, nyt_str value)
{
    if (has(key, '\n') || has(key, '=') || has(value, '\n'))
        return NYT_EAPI;
    uint8_t *p = reserve(w, key.len + value.len);
    if (!p)
        return w->status;
    *p++ = (uint8_t)tag;
    p = put_bytes(p, key);
    *p++ = '=';
    p = put_bytes(p, value);
    *p++ = '\n';
    return commit(w, p);
}

int nyt_writer_attribute(nyt_writer *w, nyt_str key, nyt_str value)
{
    return put_pair(w, NYT_TAG_ATTRIBUTE, key, value);
}

int nyt_writer_option(nyt_writer *w, nyt_str key, nyt_str value)
{
    return put_pair(w, NYT_TAG_OPTION, key, value);
}

int nyt_writer_pid_start(nyt_writer *w, const nyt_pid_start *r)
{
    uint8_t *p = reserve(w, 0);
    if (!p)
        return w->status;
    *p++ = NYT_TAG_PID_START;
    p = nyt_put_u32(p, r->pid);
    p = nyt_put_u32(p, r->parent);
    p = nyt_put_nv(p, r->time);
    return commit(w, p);
}

int nyt_writer_pid_end(nyt_writer *w, const nyt_pid_end *r)
{
    uint8_t *p = reserve(w, 0);
    if (!p)
        return w->status;
    *p++ = NYT_TAG_PID_END;
    p = nyt_put_u32(p, r->pid);
    p = nyt_put_nv(p, r->time);
    return commit(w, p);
}

int nyt_writer_new_fid(nyt_writer *w, const nyt_new_fid *r)
{
    uint8_t *p = reserve(w, r->name.len);
    if (!p)
        return w->status;
    *p++ = NYT_TAG_NEW_FID;
    p = nyt_put_u32(p, r->fid);
    p = nyt_put_u32(p, r->eval_fid);
    p = nyt_put_u32(p, r->eval_line);
    p = nyt_put_u32(p, r->flags);
    p = nyt_put_u32(p, r->size);
    p = nyt_put_u32(p, r->mtime);
    p = nyt_put_str(p, r->name);
    return commit(w, p);
}

static uint8_t *put_time(uint8_t *p, const nyt_time *r)
{
    bool block = r->block_line || r->sub_line;
    *p++ = block ? NYT_TAG_TIME_BLOCK : NYT_TAG_TIME_LINE;
    p = nyt_put_u32(p, (uint32_t)r->ticks);
    p = nyt_put_u32(p, r->fid);
    p = nyt_put_u32(p, r->line);
    if (block) {
        p = nyt_put_u32(p, r->block_line);
        p = nyt_put_u32(p, r->sub_line);
    }
    return p;
}

int nyt_writer_time(nyt_writer *w, const nyt_time *r)
{
    uint8_t *p = reserve(w, 0);
    if (!p)
        return w->status;
    return commit(w, put_time(p, r));
}

int nyt_writer_discount(nyt_writer *w)
{
    uint8_t *p = reserve(w, 0);
    if (!p)
        return w->status;
    *p++ = NYT_TAG_DISCOUNT;
    return commit(w, p);
}

int nyt_writer_sub_entry(nyt_writer *w, const nyt_sub_entry *r)
{
    uint8_t *p = reserve(w, 0);
    if (!p)
        return w->status;
    *p++ = NYT_TAG_SUB_ENTRY;
    p = nyt_put_u32(p, r->fid);
    p = nyt_put_u32(p, r->line);
    return commit(w, p);
}

int nyt_writer_sub_return(nyt_writer *w, const nyt_sub_return *r)
{
    uint8_t *p = reserve(w, r->name.len);
    if (!p)
        return w->status;
    *p++ = NYT_TAG_SUB_RETURN;
    p = nyt_put_u32(p, r->depth);
    p = nyt_put_nv(p, r->incl);
    p = nyt_put_nv(p, r->excl);
    p = nyt_put_str(p, r->name);
    return commit(w, p);
}

int nyt_writer_src_line(nyt_writer *w, const nyt_src_line *r)
{
    uint8_t *p = reserve(w, r->text.len);
    if (!p)
        return w->status;
    *p++ = NYT_TAG_SRC_LINE;
    p = nyt_put_u32(p, r->fid);
    p = nyt_put_u32(p, r->line);
    p = nyt_put_str(p, r->text);
    return commit(w, p);
}

int nyt_writer_sub_info(nyt_writer *w, const nyt_sub_info *r)
{
    uint8_t *p = reserve(w, r->name.len);
    if (!p)
        return w->status;
    *p++ = NYT_TAG_SUB_INFO;
    p = nyt_put_u32(p, r->fid);
    p = nyt_put_str(p, r->name);
    p = nyt_put_u32(p, r->first);
    p = nyt_put_u32(p, r->last);
    return commit(w, p);
}

int nyt_writer_sub_callers(nyt_writer *w, const nyt_sub_callers *r)
{
    uint8_t *p = reserve(w, r->caller.len + r->called.len);
    if (!p)
        return w->status;
    *p++ = NYT_TAG_SUB_CALLERS;
    p = nyt_put_u32(p, r->fid);
    p = nyt_put_u32(p, r->line);
    p = nyt_put_str(p, r->caller);
    p = nyt_put_u32(p, r->count);
    p = nyt_put_nv(p, r->incl);
    p = nyt_put_nv(p, r->excl);
    p = nyt_put_nv(p, r->reci);
    p = nyt_put_u32(p, r->depth);
    p = nyt_put_str(p, r->called);
    return commit(w, p);
}

/* A count that 32 bits don't hold takes several records; all time is in the first. */
int nyt_writer_calls(nyt_writer *w, const nyt_sub_callers *calls, uint64_t count)
{
    nyt_sub_callers r = *calls;
    for (;;) {
        r.count = count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
        int rc = nyt_writer_sub_callers(w, &r);
        count -= r.count;
        if (count == 0 || rc != NYT_OK)
            return rc;
        r.incl = r.excl = r.reci = 0;
    }
}

/* ---- Runs of equal records ---- */

/* One record, or a DISCOUNT and one, and how often it comes. */
struct run {
    uint8_t bytes[1 + RECORD_MAX];
    size_t len;
    uint64_t times;
};

static void fill(uint8_t *to, const struct run *run, uint64_t times)
{
    size_t done = run->len, all = run->len * (size_t)times;
    memcpy(to, run->bytes, done);
    for (; done < all; done *= 2)
        memcpy(to + done, to, done < all - done ? done : all - done);
}

static void run_plain(nyt_writer *w, const struct run *run, uint64_t times)
{
    while (times && w->status == NYT_OK) {
        uint64_t fit = (SEGMENT - w->plain.len) / run->len;
        uint64_t some = times < fit ? times : fit;
        if (some) {
            fill(w->plain.data + w->plain.len, run, some);
            w->plain.len += run->len * (size_t)some;
            times -= some;
        }
        if (times)
            nyt_writer_cut(w);
    }
}

static size_t segment_size(uint64_t total)
{
    if (total < RUN_LONG)
        return RUN_PIECE;
    size_t size = SEGMENT_MAX;
    while (size > total / SEGMENTS_OF_LONG)
        size /= 2;
    return size;
}

/* Quick levels look for matches so loosely that a long run takes thrice the room. */
static z_stream *packer_of_run(nyt_writer *w, uint64_t total)
{
    if (total < RUN_LONG || w->level >= LONG_LEVEL)
        return &w->z;
    if (!w->long_ready)
        w->long_ready = deflate_ready(w, &w->long_runs, LONG_LEVEL, MEMORY);
    return w->long_ready ? &w->long_runs : NULL;
}

/* Compresses a part of the run once and repeats it; returns how many are left. */
static uint64_t run_in_segments(nyt_writer *w, const struct run *run)
{
    uint64_t total = run->len * run->times;
    uint64_t in_segment = segment_size(total) / run->len;
    size_t len = (size_t)in_segment * run->len;
    z_stream *z = packer_of_run(w, total);

    nyt_writer_cut(w);
    if (!z || !nyt_buf_reserve(&w->plain, len)) {
        failed(w, NYT_ENOMEM);
        return 0;
    }
    fill(w->plain.data, run, in_segment);
    size_t packed = pack(w, z, w->plain.data, len);
    uint64_t times = run->times / in_segment;
    count_in(w, (uint32_t)adler32(1, w->plain.data, (uInt)len), len, times);
    w->packed_total += packed * times;
    for (uint64_t i = 0; i < times && w->status == NYT_OK; i++)
        put_out(w, w->packed.data, packed);
    return run->times % in_segment;
}

static void run_as_block(nyt_writer *w, const struct run *run)
{
    nyt_writer_cut(w);
    if (!nyt_buf_reserve(&w->plain, nyt_run_block_room(run->len, run->times))) {
        failed(w, NYT_ENOMEM);
        return;
    }
    size_t packed = nyt_run_block(w->plain.data, run->bytes, run->len, run->times);
    uint32_t adler = (uint32_t)adler32(1, run->bytes, (uInt)run->len);
    count_in(w, adler, run->len, run->times);
    w->packed_total += packed;
    put_out(w, w->plain.data, packed);
}

/* Into the block that is open, or a new one. */
static void run_in_block(nyt_writer *w, const struct run *run)
{
    if (w->runs.inflated == 0)
        nyt_writer_cut(w);
    if (!nyt_time_block_add(&w->runs, run->bytes, run->len, run->times)) {
        failed(w, NYT_ENOMEM);
        return;
    }
    if (w->plain.len + run->len * RUN_BLOCK > SEGMENT || run->times >= RUN_BLOCK)
        count_plain(w);
    if (run->times < RUN_BLOCK) {
        fill(w->plain.data + w->plain.len, run, run->times);
        w->plain.len += run->len * (size_t)run->times;
    } else {
        count_in(w, (uint32_t)adler32(1, run->bytes, (uInt)run->len), run->len, run->times);
    }
    if (w->runs.inflated >= TIME_BLOCK)
        nyt_writer_cut(w);
}

bool nyt_writer_is_quick(const nyt_writer *w)
{
    return w->deflating && w->level == QUICK_LEVEL;
}

void nyt_writer_packed(nyt_writer *w, const struct nyt_buf *plain, const struct nyt_buf *packed)
{
    if (!plain) {
        failed(w, NYT_ENOMEM);
        return;
    }
    nyt_writer_cut(w);
    if (w->status != NYT_OK)
        return;
    count_in(w, (uint32_t)adler32(1, plain->data, (uInt)plain->len), plain->len, 1);
    w->packed_total += packed->len;
    put_out(w, packed->data, packed->len);
}

static bool is_wanted(enum nyt_runs which, uint64_t times)
{
    return which == NYT_RUNS_ALL || which == NYT_RUNS_IN_BLOCKS ||
           (which == NYT_RUNS_LONG) == (times >= RUN_BLOCK);
}

static void put_run(nyt_writer *w, const struct run *run, enum nyt_runs which)
{
    if (run->times == 0 || w->status != NYT_OK || !is_wanted(which, run->times))
        return;
    struct run rest = *run;
    if (w->deflating && rest.times >= (RUN_MIN + run->len - 1) / run->len)
        rest.times = run_in_segments(w, run);
    if (rest.times && which == NYT_RUNS_IN_BLOCKS)
        run_in_block(w, &rest);
    else if (w->deflating && rest.times >= RUN_BLOCK && rest.times == run->times)
        run_as_block(w, &rest);
    else
        run_plain(w, &rest, rest.times);
}

/* Which of the runs that belong to a line are put out, and where. */
typedef struct {
    const nyt_time *where;
    enum nyt_runs which;
} runs_of_line;

static void put_times(nyt_writer *w, const runs_of_line *line, bool discounted, uint64_t ticks,
                      uint64_t times)
{
    struct run run = {.times = times};
    uint8_t *p = run.bytes;
    nyt_time record = *line->where;
    record.ticks = (int32_t)ticks;
    if (discounted)
        *p++ = NYT_TAG_DISCOUNT;
    run.len = (size_t)(put_time(p, &record) - run.bytes);
    put_run(w, &run, line->which);
}

/* Time that belongs to no execution, or to one whose own record is full. */
static int put_uncounted(nyt_writer *w, const runs_of_line *line, uint64_t ticks)
{
    put_times(w, line, true, TICKS_MAX, ticks / TICKS_MAX);
    if (ticks % TICKS_MAX)
        put_times(w, line, true, ticks % TICKS_MAX, 1);
    return w->status;
}

int nyt_writer_runs(nyt_writer *w, const nyt_time *where, uint64_t count, uint64_t ticks,
                    enum nyt_runs which)
{
    const runs_of_line line = {.where = where, .which = which};
    if (count > NYT_COUNT_MAX)
        return NYT_EAPI;
    if (count == 0)
        return put_uncounted(w, &line, ticks);
    uint64_t base = ticks / count, rest = ticks % count;
    if (base < TICKS_MAX) {
        put_times(w, &line, false, base + 1, rest);
        put_times(w, &line, false, base, count - rest);
        return w->status;
    }
    put_times(w, &line, false, TICKS_MAX, count);
    return put_uncounted(w, &line, ticks - count * TICKS_MAX);
}

int nyt_writer_time_run(nyt_writer *w, const nyt_time *where, uint64_t count, uint64_t ticks)
{
    return nyt_writer_runs(w, where, count, ticks, NYT_RUNS_ALL);
}

/* ---- Pieces for other files ---- */

void nyt_writer_block_begin(nyt_writer *w, struct nyt_cached_block *block)
{
    block->bytes.len = 0;
    w->block = block;
    w->outer_adler = w->adler;
    w->outer_total = w->plain_total;
    w->adler = 1;
    w->plain_total = 0;
}

int nyt_writer_block_end(nyt_writer *w)
{
    struct nyt_cached_block *block = w->block;
    w->block = NULL;
    block->plain = w->plain_total;
    block->adler = w->adler;
    w->adler = w->outer_adler;
    w->plain_total = w->outer_total;
    count_in(w, block->adler, block->plain, 1);
    return w->status;
}

int nyt_writer_block_again(nyt_writer *w, const struct nyt_cached_block *block)
{
    if (w->status != NYT_OK)
        return w->status;
    count_in(w, block->adler, block->plain, 1);
    w->packed_total += block->bytes.len;
    put_out(w, block->bytes.data, block->bytes.len);
    return w->status;
}

/* ---- Begin and end ---- */

int nyt_writer_start_deflate(nyt_writer *w)
{
    static const uint8_t zlib_header[] = {0x78, 0x9C};
    char text[80];
    if (w->level == 0 || w->status != NYT_OK)
        return w->status;
    if (w->deflating)
        return NYT_EAPI;
    int len = snprintf(text, sizeof text, "Compressed at level %d with zlib %s", w->level,
                       zlibVersion());
    nyt_writer_comment(w, (nyt_str){.data = text, .len = (size_t)len});
    uint8_t *p = reserve(w, 0);
    if (!p || !deflate_ready(w, &w->z, w->level, MEMORY))
        return w->status;
    *p++ = NYT_TAG_START_DEFLATE;
    commit(w, p);
    nyt_writer_cut(w);
    w->deflating = true;
    w->adler = 1;
    w->packed_total = sizeof zlib_header;
    put_out(w, zlib_header, sizeof zlib_header);
    return w->status;
}

/* An empty last block and the checksum; then, for people, what it was good for. */
static void end_deflate(nyt_writer *w)
{
    uint8_t last[] = {0x03,
                      0x00,
                      (uint8_t)(w->adler >> 24),
                      (uint8_t)(w->adler >> 16),
                      (uint8_t)(w->adler >> 8),
                      (uint8_t)w->adler};
    char text[160];
    w->packed_total += sizeof last;
    put_out(w, last, sizeof last);
    double plain = (double)w->plain_total, packed = (double)w->packed_total;
    int len = snprintf(text, sizeof text,
                       "#\n# Compressed %" PRIu64 " bytes to %" PRIu64
                       ", ratio %f:1, data shrunk by %f%%\n",
                       w->plain_total, w->packed_total, plain / packed,
                       plain > 0 ? 100 * (plain - packed) / plain : 0.0);
    put_out(w, text, (size_t)len);
}

static void writer_free(nyt_writer *w)
{
    if (w->deflating)
        deflateEnd(&w->z);
    if (w->small_ready)
        deflateEnd(&w->small);
    if (w->long_ready)
        deflateEnd(&w->long_runs);
    nyt_time_block_free(&w->runs);
    nyt_buf_free(&w->plain);
    nyt_buf_free(&w->packed);
    nyt_buf_free(&w->out);
    free(w);
}

static int writer_new(nyt_writer **out, int level, nyt_error *err)
{
    static const char banner[] = "NYTProf 5 0\n";
    *out = NULL;
    if (level < 0 || level > 9)
        return nyt_fail(err, NYT_EAPI, "the compression level must be 0 to 9, not %d", level);
    nyt_writer *w = calloc(1, sizeof *w);
    if (!w)
        return nyt_fail(err, NYT_ENOMEM, "out of memory");
    w->level = level;
    w->fd = -1;
    if (!nyt_buf_reserve(&w->plain, SEGMENT + RECORD_MAX) || !nyt_buf_reserve(&w->out, OUTPUT)) {
        writer_free(w);
        return nyt_fail(err, NYT_ENOMEM, "out of memory");
    }
    nyt_buf_append(&w->plain, banner, sizeof banner - 1);
    *out = w;
    return NYT_OK;
}

int nyt_writer_open_fn(nyt_writer **out, nyt_write_fn fn, void *ctx, int level, nyt_error *err)
{
    int rc = writer_new(out, level, err);
    assert((rc == NYT_OK) == (*out != NULL));
    if (rc == NYT_OK) {
        (*out)->sink = fn;
        (*out)->sink_ctx = ctx;
    }
    return rc;
}

int nyt_writer_open(nyt_writer **out, const char *path, int level, nyt_error *err)
{
    int rc = writer_new(out, level, err);
    if (rc != NYT_OK)
        return rc;
    assert(*out);
    nyt_writer *w = *out;
    w->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_BINARY | O_CLOEXEC, 0666);
    if (w->fd < 0) {
        rc = nyt_fail_errno(err, "cannot create %s", path);
        writer_free(w);
        *out = NULL;
        return rc;
    }
    w->sink = fd_write;
    w->sink_ctx = &w->fd;
    return NYT_OK;
}

int nyt_writer_status(const nyt_writer *w, nyt_error *err)
{
    if (w->status != NYT_OK && err)
        *err = w->failure;
    return w->status;
}

int nyt_writer_close(nyt_writer *w, nyt_error *err)
{
    if (!w)
        return NYT_OK;
    nyt_writer_cut(w);
    if (w->deflating)
        end_deflate(w);
    flush_out(w);
    if (w->fd >= 0 && close(w->fd) != 0)
        failed(w, NYT_EIO);
    int rc = nyt_writer_status(w, err);
    writer_free(w);
    return rc;
}

void nyt_writer_abandon(nyt_writer *w)
{
    if (!w)
        return;
    if (w->fd >= 0)
        close(w->fd);
    writer_free(w);
}
