/*
 * The first line of functions that are called often. What is found of it in the code has to be
 * seen once before it is believed.
 */
#include "opening.h"

#include "flow.h"
#include "frames.h"

void openings_begin(tracer *t)
{
    enum { OFTEN = 16 };
    t->openings_after = often_is(OFTEN);
}

void opening_seek(const tracer *t, code_info *info, PyCodeObject *code)
{
    const int suspended = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR;
    if (++info->begun < t->openings_after)
        return;
    /* What is thrown into a generator may be caught before its first line. */
    bool found = code->co_flags & CO_OPTIMIZED && !(code->co_flags & suspended) && !info->folded &&
                 !info->steps && flow_opening(info, code);
    info->opening = found ? OPENING_EXPECTED : OPENING_NONE;
    swallow_error();
}

/* Other instructions may start the line, too: at a jump's target CPython does not always know. */
static bool is_opening(const code_info *info, uint32_t line)
{
#if HAVE_RAW_FRAMES
    const raw_frame *frame = running_frame();
    return line == info->opening_line && frame &&
           frame_offset(frame) == (int)info->opening_unit * 2;
#else
    (void)info, (void)line;
    return false;
#endif
}

bool opening_met(tracer *t, lane *l, uint32_t line, uint64_t now)
{
    activation *top = l->top;
    code_info *info = top->info;
    top->begun = false;
    if (!is_opening(info, line)) {
        if (info->opening == OPENING_EXPECTED)
            info->opening = OPENING_NONE;
        return false;
    }
    if (info->opening == OPENING_EXPECTED) {
        info->opening = OPENING_KNOWN;
        lane_line_at(t, l, line, now, code_line_kind(info, line));
    } else {
        /* All places tell again: another tool wished it, or the code is a copy. */
        (top->slot ? top->slot : top->slots)->time += lane_charge(&t->costs, l, now,
                                                                  code_line_kind(info, line));
    }
    return true;
}
