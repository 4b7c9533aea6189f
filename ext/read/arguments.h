/* What callers hand in, paths and callables, and the errors they get back. */
#ifndef PYNYTPROF_READ_ARGUMENTS_H
#define PYNYTPROF_READ_ARGUMENTS_H

#include "cread.h"

struct path {
    PyObject *object;       /* owned: str or bytes */
    PyObject *bytes;        /* owned: as the system takes it */
};

/* A converter for PyArg_Parse...(): "O&" into a struct path of NULLs, to be freed in any case. */
int path_converter(PyObject *arg, void *out);
void path_free(struct path *path);

/* A nyt_write_fn that passes the bytes to the Python callable `ctx`. */
int call_write(void *ctx, const void *data, size_t len);

/*
 * Raises what reading ended with and returns NULL: ProfileError for what is wrong with the file,
 * else as raise_nyt_error() does.
 */
PyObject *raise_read_error(PyObject *module, const nyt_error *err, PyObject *path);

#endif
