/* Code of extensions that tell of events themselves, as Cython's do: no frame runs it. */
#ifndef PYNYTPROF_TRACE_EXTENSION_CODE_H
#define PYNYTPROF_TRACE_EXTENSION_CODE_H

#include "trace.h"

/*
 * The name of the module that the code belongs to: the imported one whose name its file's path ends
 * with, else its file's stem. Owned; NULL with an exception.
 */
PyObject *extension_module_of(PyCodeObject *code);

/*
 * The qualified name of the code's function, as the module's functions and classes have it, for the
 * code object tells its last part alone. Owned; NULL without an exception: none of them has the code.
 */
PyObject *extension_qualname_of(PyCodeObject *code, PyObject *module);

#endif
