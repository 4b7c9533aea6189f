/*
 * Events for the code that is wanted, and for no other. CPython keeps them with the code
 * object, beyond the tool's life: so each that has been given any is remembered, weakly, for
 * programs make code that dies.
 */
#include "local_events.h"

#include "util.h"

#include <stdlib.h>

enum { FEW = 1024 };

int local_events_begin(local_events *e, PyObject *monitoring, int tool_id)
{
    e->set = PyObject_GetAttrString(monitoring, "set_local_events");
    e->tool = PyLong_FromLong(tool_id);
    e->prune_at = FEW;
    return e->set && e->tool ? 0 : -1;
}

static int set_events(const local_events *e, PyObject *code, long events)
{
    PyObject *bits = PyLong_FromLong(events);
    PyObject *args[] = {e->tool, code, bits};
    PyObject *ok = bits ? PyObject_Vectorcall(e->set, args, 3, NULL) : NULL;
    Py_XDECREF(bits);
    Py_XDECREF(ok);
    return ok ? 0 : -1;
}

/* A new reference; NULL: it has died. */
static PyObject *code_of(PyObject *reference)
{
#if PY_VERSION_HEX >= 0x030D0000
    PyObject *code;
    return PyWeakref_GetRef(reference, &code) > 0 ? code : NULL;
#else
    PyObject *code = PyWeakref_GetObject(reference);
    return code == Py_None ? NULL : Py_XNewRef(code);
#endif
}

static void forget_the_dead(local_events *e)
{
    size_t kept = 0;
    for (size_t i = 0; i < e->n; i++) {
        PyObject *code = code_of(e->watched[i]);
        if (code)
            e->watched[kept++] = e->watched[i];
        else
            Py_DECREF(e->watched[i]);
        Py_XDECREF(code);
    }
    e->n = kept;
    e->prune_at = kept * 2 > FEW ? kept * 2 : FEW;
}

static int remember(local_events *e, PyObject *code)
{
    if (e->n >= e->prune_at)
        forget_the_dead(e);
    PyObject **grown = nyt_grow(e->watched, &e->cap, e->n + 1, sizeof *grown);
    if (!grown) {
        PyErr_NoMemory();
        return -1;
    }
    e->watched = grown;
    grown[e->n] = PyWeakref_NewRef(code, NULL);
    if (!grown[e->n])
        return -1;
    /* Who counts the collector's objects finds none of ours; but the program may have this one. */
    if (Py_REFCNT(grown[e->n]) == 1)
        PyObject_GC_UnTrack(grown[e->n]);
    e->n++;
    return 0;
}

int local_events_set(local_events *e, PyCodeObject *code, long events)
{
    if (remember(e, (PyObject *)code) < 0)
        return -1;
    return set_events(e, (PyObject *)code, events);
}

int local_events_renew(local_events *e, PyCodeObject *code, long events)
{
    int rc = set_events(e, (PyObject *)code, 0);
    return set_events(e, (PyObject *)code, events) < 0 ? -1 : rc;
}

void local_events_change(local_events *e, long events)
{
    for (size_t i = 0; i < e->n; i++) {
        PyObject *code = code_of(e->watched[i]);
        if (code && set_events(e, code, events) < 0)
            PyErr_Clear();
        Py_XDECREF(code);
    }
}

void local_events_end(local_events *e)
{
    local_events_change(e, 0);
    for (size_t i = 0; i < e->n; i++)
        Py_DECREF(e->watched[i]);
    free(e->watched);
    Py_CLEAR(e->set);
    Py_CLEAR(e->tool);
    *e = (local_events){0};
}
