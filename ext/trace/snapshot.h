/* The profile while the program runs: written again and again. */
#ifndef PYNYTPROF_TRACE_SNAPSHOT_H
#define PYNYTPROF_TRACE_SNAPSHOT_H

#include "clock.h"
#include "source_text.h"
#include "trace.h"

typedef struct {
    emit_fn *emit; /* what gives the chunks, of `whose` */
    tracer *whose;
    struct nyt_pieces *pieces; /* sources, compressed once: the file table's. NULL: each time */
    const char *program;       /* whose sources are kept for its next run, borrowed; NULL: not */
    uint32_t kind;             /* of run, by which files it meets */
    int (*write)(void *ctx);   /* writes one; 0 or negative. NULL: none are wanted */
    void *ctx;                 /* borrowed */
    uint64_t interval;         /* clock units */
} snapshots;

/* Takes bytes; 0, or a negative number that ends the work and is handed back. */
typedef int profile_put(void *file, const void *data, size_t len);

/* What stands for the token of an F chunk that an earlier run has made. */
enum { CHUNK_KEPT = 'f' };

/* The profile as it is now, to `put`: 0, what `put` returned, or NYT_E.... Each chunk is told
 * to `seen`. */
int profile_write(snapshots *s, profile_put *put, void *file, int level, const void *header,
                  size_t len, void (*seen)(void *ctx, char token, size_t len), void *ctx);

/* Sources that the last run of that kind of the program has compressed at that level are not read
 * again, and those of this one are kept. Before the first file is met. */
void snapshot_recall_sources(snapshots *s, kept_sources *kept, const char *program, uint32_t kind,
                             int level);

/* From now on `write` is called every so often; NULL: no more. All by the shared clock: when the
 * next one is due; UINT64_MAX: never. */
uint64_t snapshot_set(snapshots *s, const trace_clock *clock, int (*write)(void *ctx), void *ctx,
                      double seconds);
uint64_t snapshot_take(snapshots *s, const trace_clock *clock, uint64_t now);

/* There are no more until snapshot_set(), and no memory is held. */
void snapshot_forget(snapshots *s);

#endif
