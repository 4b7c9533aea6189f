/* What is done at an event because it is time: signals, snapshots. */
#ifndef PYNYTPROF_TRACE_DEADLINE_H
#define PYNYTPROF_TRACE_DEADLINE_H

#include "trace.h"

/* For tracer.on_deadline: a snapshot is due or a signal came. */
void deadline_work(tracer *t, lane *l);

#endif
