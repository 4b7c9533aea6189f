/* What the extensions share: failures of libnytprof as Python exceptions. */
#ifndef PYNYTPROF_PYUTIL_H
#define PYNYTPROF_PYUTIL_H

#include <Python.h>
#include <errno.h>

#include "nytprof.h"

/*
 * Raises what `err` says and returns NULL. OSError (its subclass by errno, with
 * `filename` where not NULL), MemoryError, RuntimeError for a misuse, else ValueError.
 */
static inline PyObject *raise_nyt_error(const nyt_error *err, PyObject *filename)
{
    switch (err->code) {
    case NYT_EIO:
        errno = err->sys_errno;
        return filename ? PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, filename)
                        : PyErr_SetFromErrno(PyExc_OSError);
    case NYT_ENOMEM:
        return PyErr_NoMemory();
    case NYT_EAPI:
        PyErr_SetString(PyExc_RuntimeError, err->message);
        return NULL;
    default:
        PyErr_SetString(PyExc_ValueError, err->message);
        return NULL;
    }
}

#endif
