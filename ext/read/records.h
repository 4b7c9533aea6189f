/* Records one after the other: the type Reader, and a type for each kind of record. */
#ifndef PYNYTPROF_READ_RECORDS_H
#define PYNYTPROF_READ_RECORDS_H

#include "cread.h"

/* Adds the types to the module. 0, or -1 with an exception. */
int add_records(PyObject *module);

#endif
