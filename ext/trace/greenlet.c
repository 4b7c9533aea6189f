/*
 * greenlet (and with it gevent, eventlet) exchanges a thread's stack behind CPython's
 * back, which no event tells of; but it has a trace function of its own. At each
 * switch what ran is left, and the frames of what goes on are found. So greenlets are
 * as threads that take turns in one lane: each one's first frame is called by nobody,
 * and while it waits it costs nothing.
 */
#include "greenlet.h"

#include "util.h"

static tracer *watching;        /* borrowed; NULL: the trace functions that are set do nothing */
static void (*on_switched)(tracer *t);

/* `self` is the trace function that was there before, or None. */
static PyObject *on_switch(PyObject *self, PyObject *args)
{
    if (watching)
        on_switched(watching);
    if (self == Py_None)
        Py_RETURN_NONE;
    return PyObject_Call(self, args, NULL);
}

static PyMethodDef switch_method = {"pynytprof", on_switch, METH_VARARGS, NULL};

static bool is_ours(PyObject *function)
{
    return PyCFunction_CheckExact(function) &&
           ((PyCFunctionObject *)function)->m_ml == &switch_method;
}

/* Sets our function before the one that is set in this thread. */
static void set_trace(PyObject *greenlet)
{
    PyObject *old = PyObject_CallMethod(greenlet, "gettrace", NULL);
    PyObject *ours = old && !is_ours(old) ? PyCFunction_New(&switch_method, old) : NULL;
    PyObject *done = ours ? PyObject_CallMethod(greenlet, "settrace", "O", ours) : NULL;
    Py_XDECREF(done);
    Py_XDECREF(ours);
    Py_XDECREF(old);
    swallow_error();            /* it is still being imported, or is something else */
}

void greenlets_watch(void (*switched)(tracer *t), tracer *t)
{
    on_switched = switched;
    watching = t;
}

bool greenlets_look(void)
{
    static PyObject *name;
    PyObject *greenlet = dict_item(PyImport_GetModuleDict(), "greenlet", &name);
    if (greenlet)
        set_trace(greenlet);
    return greenlet != NULL;
}

void greenlets_forget(void)
{
    watching = NULL;
}
