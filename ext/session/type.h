/* type.h - pynytprof._ctrace.Session. */
#ifndef PYNYTPROF_SESSION_TYPE_H
#define PYNYTPROF_SESSION_TYPE_H

#include <Python.h>

int session_add_type(PyObject *module);
PyObject *session_active_object(PyObject *module, PyObject *unused);
extern const char session_active_doc[];

#endif
