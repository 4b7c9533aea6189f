/*
 * Threads that C code makes, before CPython 3.12: no event, no audit hook and no function
 * that could be replaced tells that one has begun to run Python code.
 */
#ifndef PYNYTPROF_TRACE_NEW_THREADS_H
#define PYNYTPROF_TRACE_NEW_THREADS_H

#include <Python.h>

#if PY_VERSION_HEX < 0x030C0000

/* Called in the thread, with the GIL, before its first frame runs; and for others at times. */
typedef void thread_met(PyThreadState *thread);

void new_threads_watch(thread_met *met);
void new_threads_unwatch(void);

#endif

#endif
