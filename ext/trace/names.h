/* Python's names as NYTProf subs. */
#ifndef PYNYTPROF_TRACE_NAMES_H
#define PYNYTPROF_TRACE_NAMES_H

#include "source.h"
#include "trace.h"

/* The name of a Python sub, malloc'ed; NULL: out of memory, or not to be encoded. */
char *name_of_python(PyObject *module, PyObject *qualname, int line, bool class_body);

/* The name of a C function as a str; NULL with an exception. */
PyObject *name_of_c(PyObject *callable, PyMethodDef *method);

/*
 * The final name of each of `n` subs, by index: of those with one name the first by file
 * and line keeps it, others get `@LINE`, and `.2`, `.3` on the same line. The order of
 * events has no say. NULL: out of memory; else to be given to names_free(), while the subs are there.
 */
char **names_settled(const sub_info *subs, size_t n, const file_table *files);
void names_free(char **names, const sub_info *subs, size_t n);

#endif
