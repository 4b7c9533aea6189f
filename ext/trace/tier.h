/* What is kept of hot code, some of whose LINE events are switched off: see tiers.c. */
#ifndef PYNYTPROF_TRACE_TIER_H
#define PYNYTPROF_TRACE_TIER_H

#include "trace.h"

/* How often LINE comes at a place: */
enum place_kind {
    PLACE_INNER,  /* whenever its block runs that far */
    PLACE_LEADER, /* the block's first instruction: by the edges that come from another line */
    PLACE_WILD,   /* nobody knows */
    PLACE_NEVER,
};

/* An instruction at which a line starts. */
typedef struct {
    uint32_t unit;  /* its offset, in code units */
    uint32_t line;  /* index in info->lines */
    uint32_t block; /* index in blocks */
    enum place_kind kind;
} flow_place;

/* A basic block. */
typedef struct {
    uint32_t unit, last_unit; /* of its first and its last instruction */
    uint32_t first, end;      /* places */
    int last_line;            /* where it ends, plus one; 0: nowhere */
    bool in_known, out_known; /* frames come, go on, by its edges alone */
    bool may_stop;            /* its end tells that an iterator is exhausted: StopIteration */
} flow_block;

typedef struct {
    uint32_t from, to; /* blocks */
    bool same_line;    /* where it leads to is on the line where it comes from */
} flow_edge;

/* Of a code object; places and blocks by ascending offset, edges by the blocks that they leave. */
typedef struct {
    flow_place *places;
    flow_block *blocks;
    flow_edge *edges;
    uint32_t n_places, n_blocks, n_edges;
} code_flow;

/* value[target] -= factor * value[source] */
typedef struct {
    uint32_t target, source;
    int32_t factor;
} derivation_step;

/* How the counts of some lines follow from those of others: see derivation.c. */
typedef struct {
    uint32_t n_blocks, n_lines;
    bool *kept;             /* by line: it is counted itself */
    derivation_step *steps;
    size_t n_steps, steps_cap;
    int64_t *values; /* of rows, lines' last, while it is worked out */
} derivation;

/* Since the last settling, of one place (contexts.h). */
typedef struct {
    line_slot *base; /* what the lines had then */
    uint64_t *own; /* by line: time that is known to be its own, in C functions that it called */
    int64_t *stuck; /* by block: so many more frames have come into it than have gone on */
    int64_t *extra; /* by line: so many more starts than follow from its blocks */
} tier_place;

enum { WINDOWS = 3 };

/* What one start of a line took while all were on, on the average of each of the last windows. */
typedef struct {
    float each[WINDOWS];
    uint8_t n; /* of these, as far as it has started in any */
    uint8_t next;
} learned_line;

/* Of hot code. */
typedef struct {
    PyObject *code; /* owned */
    code_flow flow;
    derivation derived;
    learned_line *learned; /* by line */
    uint32_t *part; /* by line: those of one part have their time measured together */
    bool *shared; /* by line: its time is a learned share, at least in part */
    uint32_t first_line; /* index of the line that each call begins with */
    uint8_t
        *steps; /* by offset in code units, of code that is followed so: what is left of them while
                     * lines are off (enum step_left) */
    tier_place **places; /* by place, NULL where nothing has been noted */
    uint32_t places_cap;
    uint8_t window; /* while all are on: how many have passed; the first is not learned from */
    bool off; /* only the lines that derived.kept tells have events */
    bool has_been_off;
    bool dead; /* all its lines stay on */
    bool wrong; /* what was derived is not what was counted */
} code_tier;

static inline bool tier_knows(const code_tier *tier, uint32_t place)
{
    return place < tier->places_cap && tier->places[place];
}

void code_flow_free(code_flow *flow);
void derivation_free(derivation *d);
/* NULL is passed over, here and below. */
void tier_free(code_tier *tier);
/* Nothing has come since, at any place. */
void tier_forget(code_tier *tier);

#endif
