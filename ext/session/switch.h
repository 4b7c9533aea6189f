/* switch.h - pynytprof._ctrace.Switch. */
#ifndef PYNYTPROF_SESSION_SWITCH_H
#define PYNYTPROF_SESSION_SWITCH_H

#include <Python.h>

int switch_add_type(PyObject *module);

#endif
