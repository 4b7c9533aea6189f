/*
 * The profile while the program runs: made at an event, in C alone, so that no signal handler
 * of the program can run within it. Where it goes is the session's business.
 */
#include "snapshot.h"

#include <errno.h>
#include <stdlib.h>

#include "nytprof.h"
#include "piece_cache.h"

/* ---- One profile ---- */

typedef struct {
    nyt_chunks *out;
    void (*seen)(void *ctx, char token, size_t len);
    void *ctx;
} output;

static int put_chunk(void *ctx, char token, const void *payload, size_t len)
{
    output *o = ctx;
    o->seen(o->ctx, token, len);
    return nyt_chunks_write(o->out, token, payload, len, NULL);
}

static int put_kept(void *ctx, uint32_t fid, size_t len)
{
    output *o = ctx;
    o->seen(o->ctx, CHUNK_KEPT, len);
    return nyt_chunks_kept(o->out, fid, NULL);
}

int profile_write(snapshots *s, profile_put *put, void *file, int level, const void *header,
                  size_t len, void (*seen)(void *ctx, char token, size_t len), void *ctx)
{
    output to = {.seen = seen, .ctx = ctx};
    const chunk_sink sink = {.put = put_chunk, .put_kept = put_kept, .ctx = &to};
    nyt_error err = {0};
    int rc = nyt_chunks_open_fn(&to.out, put, file, level, s->pieces, &err);
    if (rc == 0) {
        int emitted = s->emit(s->whose, header, len, &sink);
        rc = nyt_chunks_close(to.out, &err);
        if (rc == 0 && emitted < 0)
            rc = emitted == -1 ? NYT_ENOMEM : emitted;
    }
    if (rc == 0 && s->program)
        pieces_keep(s->pieces, s->program, s->kind, level);
    if (rc == NYT_EIO && err.sys_errno)
        errno = err.sys_errno;
    return rc;
}

void snapshot_recall_sources(snapshots *s, kept_sources *kept, const char *program, uint32_t kind,
                             int level)
{
    if (!s->pieces || !level)
        return;
    s->program = program;
    s->kind = kind;
    kept->level = level;
    if (!kept->loaded)
        kept->loaded = pieces_recall(s->pieces, program, kind, level);
}

/* ---- Again and again ---- */

enum { SHARE = 100 };       /* of the time, at most one part goes into snapshots */

uint64_t snapshot_set(snapshots *s, const trace_clock *clock, int (*write)(void *ctx), void *ctx,
                      double seconds)
{
    s->write = write;
    s->ctx = ctx;
    s->interval = write ? (uint64_t)(seconds * 1e9 / clock_ns_per_unit(clock)) : 0;
    return write ? clock_shared(clock) + s->interval : UINT64_MAX;
}

/* After a failure the next one is given more time. */
uint64_t snapshot_take(snapshots *s, const trace_clock *clock, uint64_t now)
{
    enum { PATIENCE = 10 };
    if (!s->write)
        return UINT64_MAX;
    int rc = s->write(s->ctx);
    uint64_t ended = clock_shared(clock), cost = (ended - now) * SHARE;
    uint64_t wait = s->interval * (rc == 0 ? 1 : PATIENCE);
    return ended + (cost > wait ? cost : wait);
}

void snapshot_forget(snapshots *s)
{
    s->program = NULL;
    s->write = NULL;
}
