/* sys.monitoring's events for single code objects, and which have been given any. */
#ifndef PYNYTPROF_TRACE_LOCAL_EVENTS_H
#define PYNYTPROF_TRACE_LOCAL_EVENTS_H

#include "trace.h"

typedef struct {
    PyObject *set;  /* sys.monitoring.set_local_events, owned; NULL: not begun */
    PyObject *tool; /* its number, owned */
    PyObject **watched; /* weak references to code, owned */
    size_t n, cap;
    size_t prune_at;
} local_events;

/* -1 with an exception. */
int local_events_begin(local_events *e, PyObject *monitoring, int tool_id);
/* Gives the code these events, from now on; -1 with an exception. */
int local_events_set(local_events *e, PyCodeObject *code, long events);
/* Code that has been given these has all of them again, where they were disabled too; -1 likewise. */
int local_events_renew(local_events *e, PyCodeObject *code, long events);
/* Gives all that have been given any these instead; errors are passed over. */
void local_events_change(local_events *e, long events);
/* No code has any, and all is freed. */
void local_events_end(local_events *e);

#endif
