/* The time of hot code's lines, of which only some have been timed themselves. */
#ifndef PYNYTPROF_TRACE_SHARES_H
#define PYNYTPROF_TRACE_SHARES_H

#include "tier.h"

/* Which lines have their time measured together, once only the kept ones tell. False: no memory. */
bool shares_find_parts(code_tier *tier);
/* While all lines are on: what they have, less what they had, tells their shares. */
void shares_learn(code_tier *tier, const line_slot *lines, const line_slot *had);
/* What lines have got since they had `had` goes to the lines of their part. False: no memory. */
bool shares_give(code_tier *tier, line_slot *lines, const line_slot *had);

#endif
