/* Profiles made into one sound profile: functions of the module. */
#ifndef PYNYTPROF_READ_MERGE_H
#define PYNYTPROF_READ_MERGE_H

#include "cread.h"

/* Adds the type of notes to the module. 0, or -1 with an exception. */
int add_merge(PyObject *module);

PyObject *merge_profiles(PyObject *module, PyObject *args);
PyObject *merge_recover(PyObject *module, PyObject *args);

#endif
