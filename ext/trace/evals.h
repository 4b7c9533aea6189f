/* The text of code that comes from no file: what exec, eval and compile were given. */
#ifndef PYNYTPROF_TRACE_EVALS_H
#define PYNYTPROF_TRACE_EVALS_H

#include "trace.h"

/*
 * The text, str or bytes, that the code of a whole module or eval was made of, as a new
 * reference; NULL, without an exception: it is not known. It is handed out once.
 */
PyObject *evals_text_of(PyCodeObject *code);
void evals_watch(void);
void evals_unwatch(void);

#endif
