/* The profile on disk while the program runs. */
#ifndef PYNYTPROF_TRACE_SNAPSHOT_H
#define PYNYTPROF_TRACE_SNAPSHOT_H

#include "clock.h"
#include "trace.h"

typedef struct {
    emit_fn           *emit;        /* what gives the chunks, of `whose` */
    tracer            *whose;
    struct nyt_pieces *pieces;      /* sources, compressed once */
    char              *path;        /* NULL: no snapshots are wanted */
    int                level;
    PyObject          *header;      /* bytes, owned */
    double             seconds;
    uint64_t           interval;    /* clock units */
    long               owner;       /* the process whose file it is */
} snapshots;

/*
 * Writes the profile as it is now to `path`, whole or not at all. 0; or NYT_EIO with
 * errno set, or another of NYT_E..., and what was there before is still there.
 */
int snapshot_write(snapshots *s, const char *path, int level, const void *header, size_t len);

/* From now on that file, every so many seconds; 0: no more. Takes effect with snapshot_arm(). */
void snapshot_set(snapshots *s, const char *path, int level, PyObject *header, double seconds);

/* These two by the shared clock: when the next one is due. UINT64_MAX: never. */
uint64_t snapshot_arm(snapshots *s, const trace_clock *clock);
uint64_t snapshot_take(snapshots *s, const trace_clock *clock, uint64_t now);

/* There are no more until snapshot_set(); and no memory is held, but for the header. */
void snapshot_forget(snapshots *s);
void snapshot_free(snapshots *s);

#endif
