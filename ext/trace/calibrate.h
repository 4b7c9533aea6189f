/* What an event of each kind costs. */
#ifndef PYNYTPROF_TRACE_CALIBRATE_H
#define PYNYTPROF_TRACE_CALIBRATE_H

#include "trace.h"

/*
 * Fills t->costs by means of a tracer of the same kind that lives for this only. What goes
 * wrong here leaves the costs at zero: times are then raw.
 */
void trace_calibrate(tracer *t);

#endif
