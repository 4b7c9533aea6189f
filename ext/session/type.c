/* A session as Python sees it: its Tracers switch it. */
#include "type.h"

#include <structmember.h>

#include "create.h"
#include "orders.h"
#include "session.h"
#include "switch.h"

PyTypeObject *session_type;

static PyObject *type_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"settings", "sources", NULL};
    const char *text;
    PyObject *sources = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "y|O:Session", names, &text, &sources))
        return NULL;
    session *s = (session *)type->tp_alloc(type, 0);
    if (s && (session_init(s, text, sources) < 0 || orders_by_signals(s) < 0))
        Py_CLEAR(s);
    return (PyObject *)s;
}

static int type_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((session *)self)->t);
    return 0;
}

static void type_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    session *s = (session *)self;
    PyObject_GC_UnTrack(self);
    if (s->weak)
        PyObject_ClearWeakRefs(self);
    session_clear(s);
    type->tp_free(self);
    Py_DECREF(type);
}

PyDoc_STRVAR(arrange_end_doc,
"arrange_end($self, /)\n--\n\n"
"Have the profile completed when the program ends, also if it is not begun before that.");

static PyObject *type_arrange_end(PyObject *self, PyObject *unused)
{
    (void)unused;
    return session_arrange_end((session *)self) < 0 ? NULL : Py_NewRef(Py_None);
}

PyDoc_STRVAR(use_doc,
"use($self, /, *, open_frames=True)\n--\n\n"
"Switch it on once more. The first time it begins, with a file on disk, or goes on. The frames\n"
"that are open then are the program's, unless `open_frames` is false. RuntimeError: another one\n"
"runs in this process.");

static PyObject *type_use(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"open_frames", NULL};
    int open_frames = 1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$p:use", names, &open_frames))
        return NULL;
    return session_use((session *)self, open_frames) < 0 ? NULL : Py_NewRef(Py_None);
}

PyDoc_STRVAR(await_orders_doc,
"await_orders($self, /)\n--\n\nHave it begin by an order from outside; see orders.h.");

static PyObject *type_await_orders(PyObject *self, PyObject *unused)
{
    (void)unused;
    if (session_prepare((session *)self) < 0)
        return NULL;
    orders_for((session *)self);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(release_doc,
"release($self, /, *, pause=False)\n--\n\n"
"Undo one use(). With the last one the whole profile is written; or nothing is, with `pause`.");

static PyObject *type_release(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"pause", NULL};
    int pause = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$p:release", names, &pause))
        return NULL;
    return session_release((session *)self, pause) < 0 ? NULL : Py_NewRef(Py_None);
}

PyDoc_STRVAR(finish_doc, "finish($self, /)\n--\n\nUndo all use(), and write the whole profile.");

static PyObject *type_finish(PyObject *self, PyObject *unused)
{
    (void)unused;
    return session_finish((session *)self) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *get_path(PyObject *self, void *unused)
{
    (void)unused;
    return PyUnicode_DecodeFSDefault(((session *)self)->out.shown);
}

static PyObject *get_settings(PyObject *self, void *unused)
{
    (void)unused;
    char *text = settings_copy(&((session *)self)->settings, ORIGIN_PREFIX);
    PyObject *bytes = text ? PyBytes_FromString(text) : PyErr_NoMemory();
    free(text);
    return bytes;
}

static PyObject *get_sources(PyObject *self, void *unused)
{
    (void)unused;
    return Py_NewRef(((session *)self)->t->options.sources);
}

static PyMethodDef type_methods[] = {
    {"arrange_end", type_arrange_end, METH_NOARGS, arrange_end_doc},
    {"await_orders", type_await_orders, METH_NOARGS, await_orders_doc},
    {"use", (PyCFunction)(void (*)(void))type_use, METH_VARARGS | METH_KEYWORDS, use_doc},
    {"release", (PyCFunction)(void (*)(void))type_release, METH_VARARGS | METH_KEYWORDS,
     release_doc},
    {"finish", type_finish, METH_NOARGS, finish_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef type_getset[] = {
    {"path", get_path, NULL, "The profile's path as the user gave it.", NULL},
    {"settings", get_settings, NULL, "The settings, as text (see settings.h).", NULL},
    {"sources", get_sources, NULL, "{co_filename: text} of code that is in no file.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef type_members[] = {
    {"tracer", T_OBJECT_EX, offsetof(session, t), READONLY, "The Tracer."},
    {"uses", T_INT, offsetof(session, uses), READONLY, "How often it has been switched on."},
    {"started", T_BOOL, offsetof(session, started), READONLY, "Whether it has ever run."},
    {"paused", T_BOOL, offsetof(session, paused), READONLY, "Whether it will go on."},
    {"failed", T_BOOL, offsetof(session, failed), READONLY,
     "Whether the profile could not be written; the reason was told then."},
    {"inherited", T_BOOL, offsetof(session, inherited), READONLY,
     "Whether another process began the run."},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(session, weak), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

PyDoc_STRVAR(type_doc,
"Session(settings, sources=None)\n--\n\n"
"One profile run of this process. `settings` is the text that pynytprof._run.handover makes.");

static PyType_Slot type_slots[] = {
    {Py_tp_doc, (void *)type_doc},         {Py_tp_new, (void *)type_new},
    {Py_tp_dealloc, (void *)type_dealloc}, {Py_tp_traverse, (void *)type_traverse},
    {Py_tp_methods, type_methods},         {Py_tp_getset, type_getset},
    {Py_tp_members, type_members},         {0, NULL},
};

static PyType_Spec type_spec = {
    .name = "pynytprof._ctrace.Session",
    .basicsize = sizeof(session),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = type_slots,
};

int session_add_types(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &type_spec, NULL);
    if (!type)
        return -1;
    int rc = PyModule_AddType(module, (PyTypeObject *)type);
    Py_XSETREF(session_type, (PyTypeObject *)type);
    orders_begin();
    return rc < 0 ? rc : switch_add_type(module);
}

const char session_occupy_doc[] = PyDoc_STR(
    "occupy(path, /)\n--\n\n"
    "A session in Python begins that writes `path`, and no other may; None: it has ended.");

PyObject *session_occupy_object(PyObject *module, PyObject *path)
{
    (void)module;
    PyObject *bytes = NULL;
    if (path != Py_None && !PyUnicode_FSConverter(path, &bytes))
        return NULL;
    int rc = session_occupy(bytes ? PyBytes_AS_STRING(bytes) : NULL);
    Py_XDECREF(bytes);
    return rc < 0 ? NULL : Py_NewRef(Py_None);
}

const char session_active_doc[] = PyDoc_STR(
    "active_session()\n--\n\nThe session that runs or is paused in this process, or None.");

PyObject *session_active_object(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    session *s = session_active();
    return Py_NewRef(s ? (PyObject *)s : Py_None);
}
