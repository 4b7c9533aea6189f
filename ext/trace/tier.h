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

/* Of a block, while the program runs. */
typedef struct {
    uint64_t seen; /* how often its head has started, in all lanes */
    uint64_t due;  /* that many: its lines are switched off, or on again for a while */
    bool on;       /* LINE tells of its head alone */
} tier_block;

#define LINE_IN_NO_BLOCK    0
#define LINE_OF_MANY_PLACES UINT32_MAX

/* Of hot code. */
typedef struct {
    PyObject *code; /* this one alone, of those that share the code_info; owned */
    code_flow flow;
    tier_block *blocks; /* as in flow */
    float *weights;     /* by place: its line's time while all were on */
    uint32_t *place_of; /* by line: index in places plus one, or one of the above */
    bool *shared;    /* by line: its time is a learned share, at least in part */
    /*
     * By lane, NULL where it has not run: time that is still to be given to lines. First by line,
     * while all are on and shares are learned; then by block.
     */
    line_slot **times;
    uint32_t times_cap;
    bool dead; /* all its lines stay on */
} code_tier;

#endif
