/*
 * begin.h - the session of a program that Python itself runs. pynytprof has become, or is about
 * to become, `python TARGET ARGS`; in it, site has come upon pynytprof.pth (or our
 * sitecustomize.py), which calls begin() if the environment or the command line has something
 * for us.
 */
#ifndef PYNYTPROF_SESSION_BEGIN_H
#define PYNYTPROF_SESSION_BEGIN_H

#include <Python.h>

PyObject *session_begin(PyObject *module, PyObject *unused);
PyObject *session_of_program(PyObject *module, PyObject *unused);
extern const char session_begin_doc[], session_of_program_doc[];

#endif
