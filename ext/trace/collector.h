/* The collector of garbage as a sub of its own: its time is not that of the line that it came in. */
#ifndef PYNYTPROF_TRACE_COLLECTOR_H
#define PYNYTPROF_TRACE_COLLECTOR_H

#include "tracer.h"

/* When the tracer begins and pauses. Where the option is off nothing is done. -1 with an exception. */
int collector_watch(tracer *t);
void collector_unwatch(tracer *t);

#endif
