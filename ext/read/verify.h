/* Is a profile sound? A function of the module. */
#ifndef PYNYTPROF_READ_VERIFY_H
#define PYNYTPROF_READ_VERIFY_H

#include "cread.h"

/* Adds the type of findings to the module. 0, or -1 with an exception. */
int add_verify(PyObject *module);

PyObject *verify_file(PyObject *module, PyObject *args);

#endif
