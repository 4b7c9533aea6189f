/* What is kept of hot code, some of whose LINE events are switched off: see tiers.c. */
#ifndef PYNYTPROF_TRACE_TIER_H
#define PYNYTPROF_TRACE_TIER_H

#include "trace.h"

/* An instruction at which a line starts. */
typedef struct {
    uint32_t unit;  /* its offset, in code units */
    uint32_t line;  /* index in info->lines */
    uint32_t block; /* index in blocks plus one; 0: in none */
} flow_place;

/*
 * Two or more places of one basic block: once the first one, its head, has started its line, so do
 * the others, in this order, unless an exception comes between. LINE never misses the head.
 */
typedef struct {
    uint32_t first, end; /* places: from the head to the one behind the last */
    uint32_t end_unit;   /* where the block ends */
} flow_block;

/* Of a code object, both by ascending offset. */
typedef struct {
    flow_place *places;
    flow_block *blocks;
    uint32_t n_places, n_blocks;
} code_flow;

#endif
