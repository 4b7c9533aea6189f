/* What the parts of pynytprof._cread share. */
#ifndef PYNYTPROF_CREAD_H
#define PYNYTPROF_CREAD_H

#include "../pyutil.h"

enum { RECORD_KINDS = 16 };

typedef struct {
    PyObject *error;        /* ProfileError */
    PyObject *profile;      /* the type Profile */
    PyObject *diff;         /* the type Diff */
    PyObject *reader;       /* the type Reader */
    PyTypeObject *records[RECORD_KINDS];
} module_state;

static inline module_state *state_of(PyObject *module)
{
    return PyModule_GetState(module);
}

/* A path among the arguments: a converter for PyArg_Parse...(). */
struct path {
    PyObject *object;       /* owned: str or bytes */
    PyObject *bytes;        /* owned: as the system takes it */
};

int path_converter(PyObject *arg, void *out);
void path_free(struct path *path);

/* As UTF-8 or, if it is none, Latin-1; and None where there is no value. */
PyObject *text_of(nyt_str s);
PyObject *text_or_none(nyt_str s);

/* Raises what reading ended with; returns NULL. */
PyObject *raise_read_error(PyObject *module, const nyt_error *err, PyObject *path);

/* records.c: the type Reader and those of records. 0, or -1 with an exception. */
int add_records(PyObject *module);
int visit_records(module_state *state, visitproc visit, void *arg);
void clear_records(module_state *state);

#endif
