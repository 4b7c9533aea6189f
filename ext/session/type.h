/* type.h - pynytprof._ctrace.Session. */
#ifndef PYNYTPROF_SESSION_TYPE_H
#define PYNYTPROF_SESSION_TYPE_H

#include <Python.h>

int session_add_types(PyObject *module);
PyObject *session_active_object(PyObject *module, PyObject *unused);
PyObject *session_occupy_object(PyObject *module, PyObject *path);
extern const char session_active_doc[], session_occupy_doc[];

#endif
