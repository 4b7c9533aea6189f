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

/* Whether lines of what the activation runs go without events now. */
static inline bool tiers_are_off(const activation *a)
{
    const code_tier *tier = tier_of(a);
    return tier && tier->off;
}

/* A line of the code that the frame at the top runs has started as often as info->due. */
void tiers_due(tracer *t, lane *l, PyCodeObject *code, code_info *info);
/* Another code object with that info has come to run: what is known of one is not true of the other. */
void tiers_not_alone(tracer *t, code_info *info);

/* The line, as an index, of the frame at the top, which stands below the running one and calls it. */
uint32_t tiers_caller_line(const activation *top);
/* Something comes between that is no call of the frame's at the top, below the running one or itself. */
void tiers_interrupt(tracer *t, lane *l, uint64_t now);
/* The line, as an index, of that frame at the top, below the running one or itself. */
uint32_t tiers_line_now(const activation *top);
/* So much of its line's time is the line's own: of a C function, which has just been left, or of what
 * the frame has called that is no sub. */
static inline void tiers_own_time(const activation *a, uint64_t time)
{
    const code_tier *tier = a->info ? a->info->tier : NULL;
    if (tier && tier_knows(tier, a->place) && !tier->dead)
        tier->places[a->place]->own[a->slot - a->slots] += time;
}
/* The frame at the top has begun: its first line may have no event. */
void tiers_start(lane *l);
/* That is raised in the frame at the top, which runs. */
void tiers_raise(tracer *t, lane *l, PyObject *exception);

/* The frame has been found open, and is at the top now. */
void tiers_found(tracer *t, lane *l, PyFrameObject *frame);
/* All lines of the code that the frame at the top, or one below it, runs have their events for good:
 * they are about to be counted at another place. */
void tiers_give_up(tracer *t, lane *l, activation *a);

/* What has been counted at that place, of an ended thread, is there as lines' figures. */
void tiers_settle_place(tracer *t, code_info *info, uint32_t place);
/* The figures there have been changed since. */
void tiers_take_as_new(tracer *t, code_info *info, uint32_t place);
/* After lanes_settle(): the lines' figures are what they are now; then the program goes on. */
void tiers_settle(tracer *t);
void tiers_go_on(tracer *t);

/* How many lines have a share of a time that was measured for several. */
uint64_t tiers_shared_times(const tracer *t);
/* In how much code lines go without events; and of how much it was found that counts do not follow. */
void tiers_count(const tracer *t, uint64_t *hot, uint64_t *refused);

#endif
