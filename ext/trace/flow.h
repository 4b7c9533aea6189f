/* Basic blocks of a code object, the ways between them, and where in them lines start. */
#ifndef PYNYTPROF_TRACE_FLOW_H
#define PYNYTPROF_TRACE_FLOW_H

#include "code_info.h"
#include "tier.h"

/* Whether this interpreter's instructions are known. */
bool flow_is_known(void);

/*
 * Fills *flow, which is all zeros, from the code and the lines known of it; places, blocks
 * and edges are to be freed whatever comes. False, with or without an exception: it can't be done, or for want of memory.
 */
bool flow_find(code_flow *flow, const code_info *info, PyCodeObject *code);
/*
 * Whether each call of the code begins with the same line, at an instruction that it comes to in no
 * other way: sets the info's opening_line and opening_unit.
 */
bool flow_opening(code_info *info, PyCodeObject *code);

#endif
