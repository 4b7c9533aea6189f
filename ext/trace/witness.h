/*
 * What events cost in the program that runs: more than in the programs of the calibration, where
 * much code runs in turns or other programs share the caches. Lines that only move a local
 * variable tell of it: they take a nanosecond or two, so that the rest of their time is what
 * events cost more than is taken off.
 */
#ifndef PYNYTPROF_TRACE_WITNESS_H
#define PYNYTPROF_TRACE_WITNESS_H

#include "tracer.h"

/* Asks the code that runs in the lane, and what called it, now and then. */
void witnesses_ask(tracer *t, const lane *l);

#endif
