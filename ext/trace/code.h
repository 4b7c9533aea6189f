/* From a code object, or a C function, to what is known of it. */
#ifndef PYNYTPROF_TRACE_CODE_H
#define PYNYTPROF_TRACE_CODE_H

#include "code_info.h"
#include "trace.h"

/*
 * The code_info of a code object; `globals` (may be NULL) are those of its frame,
 * which else is the running one. NULL: the tracer has failed.
 */
code_info *code_info_of(tracer *t, PyCodeObject *code, PyObject *globals);

/*
 * Is it what cProfile counts as a C function: a PyCFunction, or a method descriptor
 * called with an object? Then *method is what all its forms have in common.
 */
bool code_c_function(PyObject *callable, bool bound, PyMethodDef **method);

/* Index of the sub of a C function; -1: the tracer has failed. */
int64_t code_c_sub(tracer *t, PyObject *callable, PyMethodDef *method);
/* Another sub that is no Python function, by its name; -1 with or without an exception. */
int64_t code_sub_called(tracer *t, const char *text);

#endif
