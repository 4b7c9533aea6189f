/* What the extensions share: failures of libnytprof as Python exceptions. */
#ifndef PYNYTPROF_PYUTIL_H
#define PYNYTPROF_PYUTIL_H

#include <Python.h>
#include <errno.h>

#include "nytprof.h"

/*
 * Raises what `err` says and returns NULL. An OSError of the subclass that errno asks
 * for, with `filename` (may be NULL); MemoryError; RuntimeError for a misuse; else a
 * ValueError. Where code called by the library has raised already, that stands.
 */
static inline PyObject *raise_nyt_error(const nyt_error *err, PyObject *filename)
{
    if (PyErr_Occurred())
        return NULL;
    switch (err->code) {
    case NYT_EIO:
        errno = err->sys_errno;
        return PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, filename);
    case NYT_ENOMEM:
        return PyErr_NoMemory();
    case NYT_EAPI:
        PyErr_SetString(PyExc_RuntimeError, err->message);
        return NULL;
    case NYT_ECHUNK:
        PyErr_Format(PyExc_ValueError, "%s (at byte %llu of the payload)", err->message,
                     (unsigned long long)err->offset);
        return NULL;
    default:
        PyErr_SetString(PyExc_ValueError, err->message);
        return NULL;
    }
}

#endif
