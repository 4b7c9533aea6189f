/*
 * What callers hand in, and the errors they get back: a path as Python has it and as the system
 * takes it, a callable that is libnytprof's sink, a failure of reading as an exception.
 */
#define PY_SSIZE_T_CLEAN
#include "arguments.h"

int path_converter(PyObject *arg, void *out)
{
    struct path *path = out;
    path->object = PyOS_FSPath(arg);
    if (!path->object)
        return 0;
    if (PyUnicode_FSConverter(path->object, &path->bytes))
        return 1;
    Py_CLEAR(path->object);
    return 0;
}

void path_free(struct path *path)
{
    Py_CLEAR(path->object);
    Py_CLEAR(path->bytes);
}

int call_write(void *ctx, const void *data, size_t len)
{
    PyObject *bytes = PyBytes_FromStringAndSize(data, (Py_ssize_t)len);
    PyObject *result = bytes ? PyObject_CallOneArg(ctx, bytes) : NULL;
    Py_XDECREF(bytes);
    if (!result) {
        errno = EIO;        /* the exception tells more */
        return NYT_EIO;
    }
    Py_DECREF(result);
    return NYT_OK;
}

PyObject *raise_read_error(PyObject *module, const nyt_error *err, PyObject *path)
{
    bool of_file = err->code == NYT_EFORMAT || err->code == NYT_EVERSION ||
                   err->code == NYT_ETRUNC || err->code == NYT_EDEFLATE || err->code == NYT_ELIMIT;
    if (!of_file || PyErr_Occurred())
        return raise_nyt_error(err, path);
    return PyErr_Format(state_of(module)->error, "%S: %s (at offset %llu%s)", path, err->message,
                        (unsigned long long)err->offset,
                        err->in_deflate ? " of the inflated data" : "");
}
