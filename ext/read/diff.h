/* The type Diff: what changed from one Profile to another. */
#ifndef PYNYTPROF_READ_DIFF_H
#define PYNYTPROF_READ_DIFF_H

#include "cread.h"

/* Adds the type and those of its parts to the module. 0, or -1 with an exception. */
int add_diff(PyObject *module);

/* Functions of the module. */
PyObject *diff_check_condition(PyObject *module, PyObject *args);
PyObject *diff_check_min_change(PyObject *module, PyObject *args);

#endif
