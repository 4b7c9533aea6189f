/*
 * The line that each call of a function begins with: where nothing else leads to it, the start of
 * the frame tells of it as well as its own event does, which is switched off then.
 */
#ifndef PYNYTPROF_TRACE_OPENING_H
#define PYNYTPROF_TRACE_OPENING_H

#include "lane.h"

/* The tracer starts: asks how often is often. */
void openings_begin(tracer *t);
/* A function whose opening is not known is called: it is found once that has been often. */
void opening_seek(const tracer *t, code_info *info, PyCodeObject *code);
/*
 * A line starts in the frame at the top, the first one since that began. True: it is the opening,
 * its time and count are dealt with, and its place need not tell of it any more.
 */
bool opening_met(tracer *t, lane *l, uint32_t line, uint64_t now);

/* The frame at the top has begun. */
static inline void opening_begin(const tracer *t, const lane *l, code_info *info,
                                 const PyObject *code)
{
    activation *top = l->top;
    if (info->opening == OPENING_UNSOUGHT)
        opening_seek(t, info, (PyCodeObject *)(uintptr_t)code);
    top->begun = info->opening >= OPENING_EXPECTED;
    if (info->opening != OPENING_KNOWN)
        return;
    top->slot = &top->slots[info->opening_line];
    top->slot->count++;
}

/* It is left at `offset`, by what was raised: it may not have come to any line. */
static inline void opening_take_back(activation *top, int offset)
{
    const code_info *info = top->info;
    if (top->begun && info->opening == OPENING_KNOWN && (uint32_t)offset / 2 < info->opening_unit)
        top->slots[info->opening_line].count--;
}

#endif
