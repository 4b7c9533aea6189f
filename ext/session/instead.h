/*
 * instead.h - an interpreter that was started for the command `pynytprof TARGET ARGS` and has not
 * come to it runs the target itself.
 */
#ifndef PYNYTPROF_SESSION_INSTEAD_H
#define PYNYTPROF_SESSION_INSTEAD_H

#include <Python.h>
#include <stdbool.h>

/* Asks the command's Python code; true: what Python is going to run is the target now. */
bool instead_of_command(void);

PyObject *session_run_instead(PyObject *module, PyObject *args);
extern const char session_run_instead_doc[];

#endif
