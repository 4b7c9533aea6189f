/* What an event of each kind costs. */
#ifndef PYNYTPROF_TRACE_CALIBRATE_H
#define PYNYTPROF_TRACE_CALIBRATE_H

#include "trace.h"

/*
 * Fills t->speed by means of a tracer of the same kind that lives for this only: 1. Code of ours
 * in Python runs, in which handlers of the program's signals may, and other threads: -1 with an
 * exception that one has raised, 0 if somebody has abandoned it or something else went wrong. The
 * costs are at zero then: times would be raw.
 */
int trace_calibrate(tracer *t);

/* Lets another thread's calibration end; one that this thread is within is abandoned. */
void calibration_wait(void);

/* Ends the one that is under way, if any: a tracer is about to run, or this is a forked child. */
void calibration_abandon(void);

#endif
