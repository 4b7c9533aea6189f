/* Lanes: what runs in each thread, and to whom its time goes. */
#ifndef PYNYTPROF_TRACE_LANE_H
#define PYNYTPROF_TRACE_LANE_H

#include "tracer.h"

/* ---- The hot path ---- */

/* NULL: no memory. */
lane *lane_new_for_this_thread(tracer *t);

/* The lane of the running thread. */
static inline lane *lane_of_this_thread(tracer *t)
{
    lane *l = lane_here();
    return LIKELY(l != NULL) ? l : lane_new_for_this_thread(t);
}

/* An entry of a frame (call, resumption, throw) or of a C function (info NULL). */
bool lane_enter(tracer *t, lane *l, const void *key, code_info *info, uint32_t sub, uint64_t now,
                enum cost_kind kind);
/* The same where the frame at the top, which has lines, has come to that one without an event. */
bool lane_enter_from(tracer *t, lane *l, const void *key, code_info *info, uint32_t sub,
                     uint64_t now, enum cost_kind kind, uint32_t line);
/* Returns how much of the time since the last event was its own. */
uint64_t lane_leave(tracer *t, lane *l, uint64_t now, enum cost_kind kind);

/* A line starts in the frame at the top. */
static inline void lane_line_at(tracer *t, lane *l, uint32_t index, uint64_t now,
                                enum cost_kind kind)
{
    activation *top = l->top;
    line_slot *next = &top->slots[index];
    uint64_t time = lane_charge(&t->costs, l, now, kind);
    line_slot *left = top->slot ? top->slot : next;     /* entering belongs to the first line */
    left->time += time;
    next->count++;
    top->slot = next;
    if (UNLIKELY(now >= l->deadline))
        t->on_deadline(t, l);
}

/* An event of that kind starts no line: the line that runs goes on. */
static inline void lane_pass(const tracer *t, lane *l, uint64_t now, enum cost_kind kind)
{
    activation *top = l->top;
    line_slot *running = top->slot ? top->slot : top->slots;
    running->time += lane_charge(&t->costs, l, now, kind);
}

static inline void lane_line(tracer *t, lane *l, int line, uint64_t now)
{
    const code_info *info = l->top->info;
    uint32_t index = code_line_index(info, line);
    lane_line_at(t, l, index, now, info->line_kinds[index]);
}

/* ---- Off it ---- */

/* The frame at the top, which was entered just now, goes on: that is no call of its own. */
void lane_uncount(const tracer *t, lane *l);
/* The frame at the top is at this line, without starting it. */
void lane_place(lane *l, int line);
/* Makes the frame with this key, which runs now, the top. False if it can't be. */
bool lane_resync(tracer *t, lane *l, const void *key);
/* Leaves everything above the activation with that key; false if there is none. */
bool lane_unwind_to(tracer *t, lane *l, const void *key, uint64_t now);
/* Leaves all. */
void lane_drop_stack(tracer *t, lane *l, uint64_t now);
/*
 * Builds the stack from the frames that are open, without counting them as
 * calls: they began before we looked. The time this takes is ours.
 */
void lane_find_frames(tracer *t, lane *l, bool with_current);
/* The running thread's stack has been exchanged for another: greenlet's work. */
void lane_switch(tracer *t);

/*
 * A unit of work of that sub begins in the frame with this key: what the frame runs from now on is
 * below it. Returns what ends it; 0: no such frame is traced.
 */
uint64_t lane_begin_unit(tracer *t, lane *l, const void *key, uint32_t sub);
/* In whatever thread it began; `l` (or NULL) is looked at first. One that is not open is passed over. */
void lane_end_unit(tracer *t, lane *l, uint64_t id);
/* The frame at the top goes on: its units, which units_hold() has, are open again. */
void lane_resume_units(tracer *t, lane *l, const void *frame);

/* No thread holds its lane any more: another tracer may come in between. */
void lanes_let_go(tracer *t);
/* Gives all lanes back. */
void lanes_close(tracer *t);
/* After this the tables hold all time up to now, of the open activations too. */
void lanes_settle(tracer *t);
/* Sets when every lane's next event does slow work; 0: at once. */
void lanes_hurry(tracer *t, uint64_t deadline);
/* Every lane's next event does slow work, whatever lanes_hurry() says. Async-signal-safe. */
void lanes_hurry_now(void);
void lanes_hurry_no_more(void);

#endif
