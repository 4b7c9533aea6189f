/* What a line's events cost, by the instruction that the line begins with. */
#ifndef PYNYTPROF_TRACE_LINE_COSTS_H
#define PYNYTPROF_TRACE_LINE_COSTS_H

#include "code_info.h"
#include "trace.h"

#include <limits.h>

/* The ints that CPython has ready; before 3.12 events bring none, 3.15 has more. */
#if PY_VERSION_HEX < 0x030C0000
enum { MOST_SMALL_INT = INT_MAX };
#elif PY_VERSION_HEX < 0x030F0000
enum { MOST_SMALL_INT = 256 };
#else
enum { MOST_SMALL_INT = 1024 };
#endif

/*
 * Fills info->line_kinds, when the code is about to run: with `lines`, as its lines' events will need
 * them, and with `witnesses` its witnesses as well (witness.h). False with or without an exception: no
 * memory.
 */
bool line_costs_find(code_info *info, PyCodeObject *code, bool lines, bool witnesses);

#endif
