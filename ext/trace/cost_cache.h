/*
 * cost_cache.h - what events cost, measured once a machine, Python and build: to measure takes
 * longer than most programs take to start. Kept in the process, and in a file of the user's
 * (pynytprof/ in XDG_CACHE_HOME or ~/.cache) that nobody else can write and whose key says what
 * it was measured for. PYNYTPROF_CALIBRATION=fresh: measured anew, and kept.
 */
#ifndef PYNYTPROF_TRACE_COST_CACHE_H
#define PYNYTPROF_TRACE_COST_CACHE_H

#include "tracer.h"

/* Fills t->speed, and tells the clock its rate; false: nothing is known. */
bool costs_recall(tracer *t);

/* Keeps what has been measured, if it can be kept. */
void costs_keep(const tracer *t);

#endif
