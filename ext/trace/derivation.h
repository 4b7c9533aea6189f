/* How often each line of a code object has started, by as few of them as can tell. */
#ifndef PYNYTPROF_TRACE_DERIVATION_H
#define PYNYTPROF_TRACE_DERIVATION_H

#include "tier.h"

/*
 * Finds which of the code's `n_lines` lines are to be counted, so that the others follow, and how.
 * `often` tells, by line, how dear it is to count: lines with less are taken first. Fills *d, which is
 * all zeros, and is to be freed whatever comes. False: nothing follows, or it would be too much, or
 * for want of memory.
 */
bool derivation_find(derivation *d, const code_flow *flow, uint32_t n_lines, const uint64_t *often);

/*
 * Whether a line is kept, its count in counts[line] stands for what its places have done; for the
 * others it is written there. `stuck`: tier_place's, by block, or NULL: none.
 */
void derivation_apply(derivation *d, const int64_t *stuck, int64_t *counts);

#endif
