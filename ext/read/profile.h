/* The type Profile: all of a file, added up. */
#ifndef PYNYTPROF_READ_PROFILE_H
#define PYNYTPROF_READ_PROFILE_H

#include "cread.h"

/* Adds the type and those of its parts to the module. 0, or -1 with an exception. */
int add_profile(PyObject *module);

#endif
