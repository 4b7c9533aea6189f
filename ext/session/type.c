/* A session as Python sees it: its Tracers switch it. */
#include "type.h"

#include <structmember.h>

#include "session.h"

PyTypeObject *session_type;

static PyObject *type_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"settings", "sources", NULL};
    const char *text;
    PyObject *sources = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "y|O:Session", names, &text, &sources))
        return NULL;
    session *s = (session *)type->tp_alloc(type, 0);
    if (s && session_init(s, text, sources) < 0)
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

PyDoc_STRVAR(start_doc,
"start($self, /, *, open_frames=True)\n--\n\n"
"Begin, with a file on disk, or go on. The frames that are open then are the program's,\n"
"unless `open_frames` is false. RuntimeError: another one runs in this process.");

static PyObject *type_start(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"open_frames", NULL};
    int open_frames = 1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$p:start", names, &open_frames))
        return NULL;
    return session_start((session *)self, open_frames) < 0 ? NULL : Py_NewRef(Py_None);
}

PyDoc_STRVAR(pause_doc, "pause($self, /)\n--\n\nPause; nothing is written. start() goes on.");

static PyObject *type_pause(PyObject *self, PyObject *unused)
{
    (void)unused;
    session_pause((session *)self);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(stop_doc, "stop($self, /)\n--\n\nPause, and write the whole profile.");

static PyObject *type_stop(PyObject *self, PyObject *unused)
{
    (void)unused;
    session_stop((session *)self);
    Py_RETURN_NONE;
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
    {"start", (PyCFunction)(void (*)(void))type_start, METH_VARARGS | METH_KEYWORDS, start_doc},
    {"pause", type_pause, METH_NOARGS, pause_doc},
    {"stop", type_stop, METH_NOARGS, stop_doc},
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
    {"uses", T_INT, offsetof(session, uses), 0, "How often it has been switched on."},
    {"started", T_BOOL, offsetof(session, started), READONLY, "Whether it has ever run."},
    {"paused", T_BOOL, offsetof(session, paused), READONLY, "Between pause() and start()."},
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

int session_add_type(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &type_spec, NULL);
    if (!type)
        return -1;
    int rc = PyModule_AddType(module, (PyTypeObject *)type);
    Py_XSETREF(session_type, (PyTypeObject *)type);
    return rc;
}

const char session_active_doc[] = PyDoc_STR(
    "active_session()\n--\n\nThe session that runs or is paused in this process, or None.");

PyObject *session_active_object(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    session *s = session_active();
    return Py_NewRef(s ? (PyObject *)s : Py_None);
}
