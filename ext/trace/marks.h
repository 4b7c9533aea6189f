/* Which lines have a share of a time that was measured for several of them together. */
#ifndef PYNYTPROF_TRACE_MARKS_H
#define PYNYTPROF_TRACE_MARKS_H

#include "tracer.h"

typedef struct {
    uint32_t fid, line;
} marked_line;

/*
 * Each once, by fid and line; to be freed. A line is marked if it is in any of the code objects that
 * it is of. After tiers_settle(). NULL: there is none, or, with *n not 0, no memory.
 */
marked_line *marked_lines(const tracer *t, size_t *n);

/* The last line of those that follow one another from `at` on. */
size_t marked_range(const marked_line *lines, size_t n, size_t at);

#endif
