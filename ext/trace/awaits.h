/*
 * Awaited time: from the moment at which a coroutine is suspended to that at which it goes on. It
 * is nobody's time in a thread, where other things run meanwhile; so it stands beside the lines'
 * times. Of coroutines that await one another, the line of each has it.
 */
#ifndef PYNYTPROF_TRACE_AWAITS_H
#define PYNYTPROF_TRACE_AWAITS_H

#include "base/hash.h"

typedef struct {
    uint32_t file, line; /* the file's index */
    uint64_t units, count;
} await_place;

/* A frame that has been suspended: since when (0: it is not), and the index of the place. */
typedef struct {
    uint64_t since;
    uint32_t place;
} await_moment;

/* All zeros is an empty one. Grows with the frames that are suspended at once, and the lines. */
typedef struct {
    struct nyt_map by_frame, by_place;
    await_moment *moments;
    await_place *places;
    size_t n_moments, moments_cap, n_places, places_cap;
} await_table;

/*
 * The coroutine's frame is suspended at that line; `frame` is where it stays while it exists. What
 * there is no memory for is not told.
 */
void awaits_suspend(await_table *a, const void *frame, uint32_t file, uint32_t line, uint64_t now);
/* It goes on. */
void awaits_resume(await_table *a, const void *frame, uint64_t now);
/* Another frame begins where one may have been. */
void awaits_begin(await_table *a, const void *frame);
/* Nobody looks for a while: what is suspended now is not measured. */
void awaits_let_go(await_table *a);
void awaits_free(await_table *a);

#endif
