/* What the parts of pynytprof._cread share: the module's state, and the object Profile. */
#ifndef PYNYTPROF_CREAD_H
#define PYNYTPROF_CREAD_H

#include "../pyutil.h"

/* The types whose fields stand in a table: see values.h. */
enum layout_id {
    LAYOUT_HEADER,
    LAYOUT_FAULT,
    LAYOUT_PROCESS,
    LAYOUT_AWAIT,
    LAYOUT_FILE,
    LAYOUT_COUNTS,
    LAYOUT_LINE,
    LAYOUT_SUB,
    LAYOUT_CALL,
    LAYOUT_NODE,
    LAYOUT_SIDE,
    LAYOUT_TOTAL,
    LAYOUT_FORMAT,
    LAYOUT_LEFT_OUT,
    LAYOUT_NOTE,
    LAYOUT_FINDING,
    LAYOUT_VERSION,
    LAYOUT_COMMENT,
    LAYOUT_ATTRIBUTE,
    LAYOUT_OPTION,
    LAYOUT_START_DEFLATE,
    LAYOUT_PID_START,
    LAYOUT_PID_END,
    LAYOUT_NEW_FID,
    LAYOUT_TIME_LINE,
    LAYOUT_TIME_BLOCK,
    LAYOUT_DISCOUNT,
    LAYOUT_SUB_ENTRY,
    LAYOUT_SUB_RETURN,
    LAYOUT_SRC_LINE,
    LAYOUT_SUB_INFO,
    LAYOUT_SUB_CALLERS,
    LAYOUT_COUNT
};

/* All owned. */
typedef struct {
    PyObject *error;        /* ProfileError */
    PyObject *profile;      /* the type Profile */
    PyObject *diff;         /* the type Diff */
    PyObject *reader;       /* the type Reader */
    PyTypeObject *layouts[LAYOUT_COUNT];
} module_state;

static inline module_state *state_of(PyObject *module)
{
    return PyModule_GetState(module);
}

/* The module that an object of one of its types belongs to; borrowed. */
static inline PyObject *module_of(PyObject *self)
{
    return PyType_GetModule(Py_TYPE(self));
}

/* An object of the type Profile, which profile.c makes. */
typedef struct {
    PyObject_HEAD
    nyt_profile *p; /* owned */
    PyObject *path; /* owned: str or bytes */
} Profile;

static inline const nyt_profile *profile_of(PyObject *self)
{
    return ((Profile *)self)->p;
}

#endif
