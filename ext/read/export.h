/* Profiles written in other formats, and the records of files as text. */
#ifndef PYNYTPROF_READ_EXPORT_H
#define PYNYTPROF_READ_EXPORT_H

#include "cread.h"

/* Adds the types of results to the module. 0, or -1 with an exception. */
int add_exports(PyObject *module);

/* Methods of Profile; each passes bytes to a callable. */
PyObject *export_model(PyObject *profile, PyObject *write);
PyObject *export_fragment(PyObject *profile, PyObject *write);
PyObject *export_format(PyObject *profile, PyObject *args);
PyObject *export_csv(PyObject *profile, PyObject *args);
PyObject *export_summary(PyObject *profile, PyObject *args, PyObject *kwargs);
PyObject *export_info(PyObject *profile, PyObject *args, PyObject *kwargs);

/* Functions of the module. */
PyObject *export_formats(PyObject *module, PyObject *unused);
PyObject *export_dump(PyObject *module, PyObject *args);

#endif
