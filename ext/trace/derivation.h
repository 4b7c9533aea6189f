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

/* Where the counts stand, by line, when they are worked out: */
int64_t *derivation_counts(const derivation *d);
/* From those of the lines that are kept, which are lost, the others'. `stuck`: tier_place's. */
void derivation_apply(const derivation *d, const int64_t *stuck);

#endif
