/*
 * Units of work that are open: `with pynytprof.unit("name")`. Each belongs to one frame. While that
 * runs, its activation has the chain of its units, innermost first; while it is suspended (a
 * generator, a coroutine), the table holds the chain for it.
 */
#ifndef PYNYTPROF_TRACE_UNITS_H
#define PYNYTPROF_TRACE_UNITS_H

#include "graph.h"

struct unit_mark {
    uint64_t id;
    uint32_t sub;
    edge *edge;         /* from the line where it began */
    node *below;        /* the path without it, while its frame runs */
    unit_mark *outer;   /* of the same frame */
    const void *held_by; /* the suspended frame whose innermost unit it is */
};

/* All zeros is an empty one. Grows with the units that are open at once. */
typedef struct {
    unit_mark **marks;  /* owned; NULL: a free place */
    size_t n, cap, n_open;
    struct nyt_map by_frame; /* suspended: place of the innermost mark plus one, 0: none */
} unit_table;

/* A new mark, in no chain yet. NULL: out of memory. */
unit_mark *units_add(unit_table *u, uint32_t sub, edge *e);
/* NULL: it is not open, or not any more. */
unit_mark *units_find(const unit_table *u, uint64_t id);
/* Takes the mark out of the chain that begins at *chain; false: it is not in it. */
bool units_unlink(unit_mark **chain, const unit_mark *m);
/* Frees a mark that no activation has; out of the chain of a suspended frame it is taken. */
void units_remove(unit_table *u, unit_mark *m);
/* The frame is suspended with that chain. false: there is no memory, it goes on without. */
bool units_hold(unit_table *u, const void *frame, unit_mark *chain);
/* The frame goes on, or another begins in its place: what it had, or NULL. */
unit_mark *units_take(unit_table *u, const void *frame);
void units_free(unit_table *u);

#endif
