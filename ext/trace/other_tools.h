/* Whether other tools take CPython's events (sys.monitoring, sys.settrace, sys.setprofile). */
#ifndef PYNYTPROF_TRACE_OTHER_TOOLS_H
#define PYNYTPROF_TRACE_OTHER_TOOLS_H

#include "trace.h"

/* In this interpreter, besides the tool with our id. */
bool other_tools_here(PyObject *monitoring, int ours);

/*
 * From now on, `coming` is called when another tool is about to begin in this interpreter;
 * NULL: no longer. False: it can't be watched.
 */
bool other_tools_watch(void (*coming)(void));

#endif
