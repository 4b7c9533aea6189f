/* Stacks that greenlet exchanges. */
#ifndef PYNYTPROF_TRACE_GREENLET_H
#define PYNYTPROF_TRACE_GREENLET_H

#include "trace.h"

/* From now on `switched` is called with `t` (borrowed) whenever a thread's stack has changed. */
void greenlets_watch(void (*switched)(tracer *t), tracer *t);
void greenlets_forget(void);

/*
 * To be called now and then, in the thread that is meant: the program may import
 * greenlet at any time, and may set a function of its own. Whether it has.
 */
bool greenlets_look(void);

#endif
