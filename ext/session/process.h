/* process.h - what a process tells us through Python: that it exits, that it has forked. */
#ifndef PYNYTPROF_SESSION_PROCESS_H
#define PYNYTPROF_SESSION_PROCESS_H

#include <Python.h>

/*
 * Once a process: exit handlers that the program has registered by then
 * come after `at_exit`, those of later before, and are in the profile. `after_fork` is called in
 * the child. Code of the program may run in it. -1 with an exception; it can be tried again.
 */
int process_watch(PyMethodDef *at_exit, PyMethodDef *after_fork);

/* What is taken back: `at_exit`. A hook of forks can't be. -1 with an exception. */
int process_unwatch(void);

/* A module for a moment: the program must not find it in sys.modules before it imports it. A new
 * reference, or NULL with an exception. */
PyObject *module_borrow(const char *name);

#endif
