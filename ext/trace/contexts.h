/*
 * Contexts: which units of work are open around what runs. Each is a chain of units, of which none
 * comes twice. A lane keeps its figures of lines apart for each context that it has worked in: a
 * *place* is a lane and a context, and where a code object's counters of the two are found.
 */
#ifndef PYNYTPROF_TRACE_CONTEXTS_H
#define PYNYTPROF_TRACE_CONTEXTS_H

#include "util.h"

/* The innermost unit, and the context around it (0: none). */
typedef struct {
    uint32_t outer, sub;
} unit_context;

typedef struct {
    uint32_t lane;    /* the place of the same lane outside all units */
    uint32_t context; /* its number; 0: outside all units */
} lane_place_info;

/* All zeros is an empty one. Contexts are numbered from 1. */
typedef struct {
    unit_context *list;
    size_t n, cap;
    lane_place_info *places;
    size_t n_places, places_cap;
    struct nyt_map by_unit, by_lane;
    uint64_t untold; /* so often was there no room for one more */
} context_table;

/* A new lane's place; UINT32_MAX: out of memory. */
uint32_t contexts_new_lane(context_table *c);
/* The same lane in the unit `sub` as well. Where there is no room, or no memory, the same place. */
uint32_t contexts_inside(context_table *c, uint32_t place, uint32_t sub);
/* The place of the lane whose own is `home` in the context of that place, or `home`. */
uint32_t contexts_of_lane(context_table *c, uint32_t home, uint32_t place);
void contexts_free(context_table *c);

static inline uint32_t context_at(const context_table *c, uint32_t place)
{
    return c->places[place].context;
}

#endif
