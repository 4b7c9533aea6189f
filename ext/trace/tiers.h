/* Hot code: fewer LINE events, the same counts. */
#ifndef PYNYTPROF_TRACE_TIERS_H
#define PYNYTPROF_TRACE_TIERS_H

#include "tracer.h"

/* Whether lines of hot code may go without events, in this interpreter and by the options. */
bool tiers_wanted(const tracer *t);
/* From now on; `alone`: no other tool is there, which would rather see all events. */
void tiers_begin(tracer *t, bool alone);
/* All lines of all code have their events again, until tiers_begin(). */
void tiers_end(tracer *t);

/* What there is for the code that this activation runs, or NULL. */
static inline code_tier *tier_of(const activation *a)
{
    code_tier *tier = a->info ? a->info->tier : NULL;
    return tier && tier->code == a->key ? tier : NULL;
}

/*
 * A line starts in the frame at the top, whose code has a tier. True: it did not start by this
 * event, and the place is to be disabled.
 */
bool tiers_line(tracer *t, lane *l, code_tier *tier, uint32_t line, uint64_t now);
/* A line of that code has started so often; it runs in the frame at the top. */
void tiers_look_at(tracer *t, lane *l, PyCodeObject *code, code_info *info);
static inline bool tiers_is_hot(const tracer *t, const code_info *info, uint64_t count)
{
    return UNLIKELY(count >= t->tiers.hot) && !info->tier && !info->no_tier;
}

/*
 * The frame at the top calls: up to now it was somewhere in a block. Its line is the one at
 * `offset`, in -1's case where its frame stands below the running one.
 */
void tiers_call(tracer *t, lane *l, int offset, uint64_t now, enum cost_kind kind);
/* Something comes between that is no call of the frame's at the top, below the running one or itself. */
void tiers_interrupt(tracer *t, lane *l, uint64_t now);
/* A call has returned: the frame at the top goes on. */
static inline void tiers_back(lane *l)
{
    activation *top = l->top;
    code_tier *tier = tier_of(top);
    if (tier && top->at && top->place < tier->times_cap && tier->times[top->place])
        top->slot = &tier->times[top->place][top->at - 1];
}
/* The line, as an index, of that frame at the top, below the running one or itself. */
uint32_t tiers_line_now(const activation *top);
/* An exception is raised in the frame at the top, which runs. */
void tiers_raise(lane *l);

/* The frame has been found open, and is at the top now. */
void tiers_found(lane *l, PyFrameObject *frame);
/* All lines of the code that the frame at the top, or one below it, runs have their events for good:
 * they are about to be counted at another place. */
void tiers_give_up(tracer *t, lane *l, activation *a);
/* The times of the code at that place are given to its lines. */
void tiers_settle_code(code_info *info, uint32_t place);
/* How many lines have a share of the time of their block, which was measured as a whole. */
uint64_t tiers_shared_times(const tracer *t);
/* After lanes_settle(): the lines' figures are what they are now; then the program goes on. */
void tiers_settle(tracer *t);
void tiers_go_on(tracer *t);

#endif
