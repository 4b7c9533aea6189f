/* first_line.h - where a main module's imports end. */
#ifndef PYNYTPROF_SESSION_FIRST_LINE_H
#define PYNYTPROF_SESSION_FIRST_LINE_H

#include "../trace/tracer.h"

/*
 * The first line of the module after its docstring and imports, INT_MAX if there is no other
 * one, 0 if its text is not known. `if` and `try` around nothing but imports are imports.
 */
int first_line_after_imports(PyCodeObject *code, PyObject *globals, const tracer *t);

#endif
