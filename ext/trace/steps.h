/* Where CPython's LINE events come, for code that is followed instruction by instruction. */
#ifndef PYNYTPROF_TRACE_STEPS_H
#define PYNYTPROF_TRACE_STEPS_H

#include "code_info.h"
#include "trace.h"

/*
 * An instruction's step: 0 for one of no interest, else its line (index + 1, 0: it has none)
 * above these. A handler is come to from where something was raised, which is on another line.
 */
enum { STEP_SEEN = 1, STEP_STARTS_LINE = 2, STEP_HANDLER = 4, STEP_LINE_SHIFT = 3 };

/* What an instruction's event is for where lines of hot code have none: */
enum step_left {
    LEFT_OUT, /* nothing, and it does not come */
    LEFT_SEEN, /* what comes next asks for its line */
    LEFT_ASKS, /* its line starts if what ran before was on another one */
    LEFT_STARTS, /* its line starts */
};

/*
 * Whether LINE events can be slow, and whether they are in this code: CPython 3.12 and early 3.13
 * decode the line table from its beginning for each event on a line that lies far from where
 * code of even density would have it.
 */
bool steps_may_be_better(void);
bool steps_are_better(const code_info *info, PyCodeObject *code);

/* Finds info->steps; false with or without an exception: it can't be done. */
bool steps_find(code_info *info, PyCodeObject *code);

/*
 * What is left of the steps while only lines that are `kept` have events: by offset in code units, a
 * step_left each; owned. NULL: no memory, or it can't be told.
 */
uint8_t *steps_left(const code_info *info, const code_flow *flow, const bool *kept);

/*
 * INSTRUCTION has just been set for the code, by the tool of that number: where nothing is of interest it
 * does not come. Where that can't be, its callback has to answer DISABLE there, as ever.
 */
void steps_thin_events(const code_info *info, PyCodeObject *code, int tool);

#endif
