/*
 * What switches a session: the base of pynytprof.Tracer. It is in C so that Ctrl-C, or an
 * exception of any other signal's handler, comes before a switch or after it, as with a lock: a
 * `with` whose body never begins must not leave the profiler on, nor one that ends.
 */
#include "switch.h"

#include <stddef.h>
#include <structmember.h>

#include "session.h"

typedef struct {
    PyObject_HEAD
    PyObject *session; /* owned: a Session, or one in Python, which has the same methods */
} switcher;

static PyObject *session_of(PyObject *self)
{
    PyObject *s = ((switcher *)self)->session;
    if (!s)
        PyErr_SetString(PyExc_AttributeError, "_session");
    return s;
}

static bool is_in_c(PyObject *s)
{
    return session_type && Py_IS_TYPE(s, session_type);
}

static PyObject *use(PyObject *self)
{
    PyObject *s = session_of(self);
    if (s && is_in_c(s))
        return session_use((session *)s, true) < 0 ? NULL : Py_NewRef(Py_None);
    return s ? PyObject_CallMethod(s, "use", NULL) : NULL;
}

static PyObject *release(PyObject *self)
{
    PyObject *s = session_of(self);
    if (s && is_in_c(s))
        return session_release((session *)s, false) < 0 ? NULL : Py_NewRef(Py_None);
    return s ? PyObject_CallMethod(s, "release", NULL) : NULL;
}

PyDoc_STRVAR(start_doc,
"start($self, /)\n--\n\n"
"Begins or goes on. Raises RuntimeError if another session or tracer is at work.");

static PyObject *switch_start(PyObject *self, PyObject *unused)
{
    (void)unused;
    return use(self);
}

PyDoc_STRVAR(stop_doc,
"stop($self, /)\n--\n\nEnds one use; with the last one the profile is written.");

static PyObject *switch_stop(PyObject *self, PyObject *unused)
{
    (void)unused;
    return release(self);
}

static PyObject *switch_enter(PyObject *self, PyObject *unused)
{
    (void)unused;
    PyObject *done = use(self);
    Py_XDECREF(done);
    return done ? Py_NewRef(self) : NULL;
}

static PyObject *switch_exit(PyObject *self, PyObject *args)
{
    (void)args;
    return release(self);
}

static int switch_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((switcher *)self)->session);
    return 0;
}

static int switch_clear(PyObject *self)
{
    Py_CLEAR(((switcher *)self)->session);
    return 0;
}

static void switch_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    switch_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef switch_methods[] = {
    {"start", switch_start, METH_NOARGS, start_doc},
    {"stop", switch_stop, METH_NOARGS, stop_doc},
    {"__enter__", switch_enter, METH_NOARGS, NULL},
    {"__exit__", switch_exit, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef switch_members[] = {
    {"_session", T_OBJECT_EX, offsetof(switcher, session), 0, "What is switched."},
    {NULL, 0, 0, 0, NULL},
};

PyDoc_STRVAR(type_doc, "Switches the session that is its `_session`.");

static PyType_Slot switch_slots[] = {
    {Py_tp_doc, (void *)type_doc},
    {Py_tp_dealloc, (void *)switch_dealloc},
    {Py_tp_traverse, (void *)switch_traverse},
    {Py_tp_clear, (void *)switch_clear},
    {Py_tp_methods, switch_methods},
    {Py_tp_members, switch_members},
    {0, NULL},
};

static PyType_Spec switch_spec = {
    .name = "pynytprof._ctrace.Switch",
    .basicsize = sizeof(switcher),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = switch_slots,
};

int switch_add_type(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &switch_spec, NULL);
    int rc = type ? PyModule_AddType(module, (PyTypeObject *)type) : -1;
    Py_XDECREF(type);
    return rc;
}
