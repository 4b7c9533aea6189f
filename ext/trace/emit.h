/* Tables -> chunks (docs/format.md). */
#ifndef PYNYTPROF_TRACE_EMIT_H
#define PYNYTPROF_TRACE_EMIT_H

#include "trace.h"

/*
 * Emits the profile as it is now. 0, or what the sink returned, or -1: out of memory
 * (with no exception set).
 */
int trace_emit(tracer *t, const void *header, size_t header_len, const chunk_sink *sink);

/* {(fid, line): [count, inclusive ticks, exclusive ticks]} over all lanes; a new dict. */
PyObject *trace_line_hits(tracer *t);

/* Lines that got time while nobody counted them. */
uint64_t trace_uncounted_lines(const tracer *t);

#endif
