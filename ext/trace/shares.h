/* The time of hot code's lines, of which only some have been timed themselves. */
#ifndef PYNYTPROF_TRACE_SHARES_H
#define PYNYTPROF_TRACE_SHARES_H

#include "tier.h"

/* Which lines have their time measured together, once only the kept ones tell. False: no memory. */
bool shares_find_parts(code_tier *tier);
/* While all lines are on: what they have got since what the place has of them tells their shares. */
void shares_learn(code_tier *tier, const line_slot *lines, const tier_place *since);
/* What lines have got since, but for what is their own, goes to the lines of their part. False: no
 * memory. */
bool shares_give(code_tier *tier, line_slot *lines, const tier_place *since);

#endif
