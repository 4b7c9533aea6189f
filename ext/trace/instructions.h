/*
 * instructions.h - where a trace function is set (3.10 and 3.11), the interpreter stops at every
 * instruction to see whether a line begins with it, and on 3.11 runs each in its general form. So
 * what a line costs more goes with its instructions, of which each has a weight: PLAIN_INSTRUCTION,
 * and more where a general form is dear.
 */
#ifndef PYNYTPROF_TRACE_INSTRUCTIONS_H
#define PYNYTPROF_TRACE_INSTRUCTIONS_H

#include "code_info.h"
#include "trace.h"

enum { PLAIN_INSTRUCTION = 8 };

/*
 * Fills info->ahead, when the code is about to run and its lines are known. False: no memory. Later
 * versions, and code of too many lines, have none.
 */
bool instructions_weigh(code_info *info, PyCodeObject *code);

/* In info->ahead: the line of an instruction, and the weight from it to the line's end. */
enum { AHEAD_BITS = 16, MOST_AHEAD = (1 << AHEAD_BITS) - 1 };

static inline uint32_t ahead_line(uint32_t ahead)
{
    return ahead >> AHEAD_BITS;
}

static inline uint32_t ahead_weight(uint32_t ahead)
{
    return ahead & MOST_AHEAD;
}

/* Whether it is known for the instruction at that unit of the code. */
static inline bool ahead_known(const code_info *info, uint32_t unit)
{
    return LIKELY(unit < info->n_ahead);
}

/* The weight behind the instruction at that unit, or that has its cache there; 0: not known. */
static inline uint32_t ahead_behind(const code_info *info, uint32_t unit)
{
    uint32_t weight = ahead_known(info, unit) ? ahead_weight(info->ahead[unit]) : 0;
    return weight > PLAIN_INSTRUCTION ? weight - PLAIN_INSTRUCTION : 0;
}

#endif
