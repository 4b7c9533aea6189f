/* Blocks: which compound statement's suite each line of a text stands in. */
#ifndef PYNYTPROF_TRACE_BLOCKS_H
#define PYNYTPROF_TRACE_BLOCKS_H

#include "trace.h"

/*
 * By line, from 1 to n_lines: the first line of the header of the suite that it stands
 * in, 0 for what stands in none. To be freed; NULL: out of memory.
 */
uint32_t *blocks_of_text(const char *text, size_t len, uint32_t n_lines);

/*
 * The first line of the block of a sub's line: that of the header of the innermost suite
 * in the sub, or the sub's own. `headers` is what blocks_of_text() found, or NULL; `first` is
 * the sub's, as the profile has it: a decorator's.
 */
uint32_t block_of_line(const uint32_t *headers, uint32_t n_lines, uint32_t line, uint32_t first,
                       bool module);

#endif
