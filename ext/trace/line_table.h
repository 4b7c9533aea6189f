/* The line table of a code object: which instruction stands on which line. */
#ifndef PYNYTPROF_TRACE_LINE_TABLE_H
#define PYNYTPROF_TRACE_LINE_TABLE_H

#include "trace.h"

/* A stretch of code, offsets in bytes, and its line; -1: none. */
typedef struct {
    int start, end, line;
} line_range;

/*
 * Gives the function each range of the code, as co_lines() has them: in order, none is empty, and
 * neighbours have different lines (in 3.11, co_lines() does not put them together). False: the
 * function said so, and got no more; or there is no memory. The function asks for no other code's.
 */
bool code_each_range(PyCodeObject *code, bool (*take)(void *ctx, line_range r), void *ctx);

/* What is kept of the code that was looked at last goes, but for a little memory. */
void line_ranges_forget(void);

/* The largest line of all ranges; 0: none has one. */
int code_largest_line(PyCodeObject *code);

#endif
