/*
 * gc.callbacks are told when a collection starts and stops. It runs between two instructions of
 * some frame (before 3.12, within whatever takes memory), and the program's finalizers and weak
 * references' callbacks run in it: they are called by it.
 */
#include "collector.h"

#include "code.h"
#include "lane.h"
#include "tiers.h"

/* Whose activation it is: no method has that address. */
static const char collection;

static bool frame_is(const activation *a, PyFrameObject *frame)
{
    PyCodeObject *code = PyFrame_GetCode(frame);
    bool same = engine_key(frame, code) == a->key;
    Py_DECREF(code);
    return same;
}

/*
 * Without events of lines nobody has told where the frame at the top is. It is the running one, or
 * has called that, whose own event is still to come.
 */
static void place_top(lane *l)
{
    PyFrameObject *frame = l->top->c || !l->top->info ? NULL : PyEval_GetFrame();
    Py_XINCREF(frame);
    if (frame && !frame_is(l->top, frame))
        Py_SETREF(frame, PyFrame_GetBack(frame));
    if (frame && frame_is(l->top, frame))
        lane_place(l, PyFrame_GetLineNumber(frame));
    Py_XDECREF(frame);
}

static void collection_starts(tracer *t, lane *l, uint64_t now)
{
    if (!t->options.stmts && l->top != l->stack)
        place_top(l);
    if (tiers_are_off(l->top) && !l->top->c)
        tiers_interrupt(t, l, now);
    lane_enter(t, l, &collection, NULL, t->collector.sub, now, COST_NONE);
}

static void collection_stops(tracer *t, lane *l, uint64_t now)
{
    if (!lane_unwind_to(t, l, &collection, now))
        return;
    lane_leave(t, l, now, COST_NONE);
}

/* callback(phase, info): "start" or "stop". Whoever else calls it is told nothing, and does no harm. */
static PyObject *on_collection(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    tracer *t = (tracer *)self;
    uint64_t now = clock_read(&t->clock);
    if (n != 2 || !PyUnicode_Check(args[0])) {
        PyErr_SetString(PyExc_TypeError, "this callback of pynytprof is for the collector to call");
        return NULL;
    }
    lane *l = t->running ? lane_here() : NULL;
    if (l && PyUnicode_CompareWithASCIIString(args[0], "start") == 0)
        collection_starts(t, l, now);
    else if (l)
        collection_stops(t, l, now);
    Py_RETURN_NONE;
}

static PyObject *callbacks_of_collector(void)
{
    PyObject *gc = PyImport_ImportModule("gc");
    PyObject *callbacks = gc ? PyObject_GetAttrString(gc, "callbacks") : NULL;
    Py_XDECREF(gc);
    if (callbacks && !PyList_Check(callbacks)) {
        PyErr_SetString(PyExc_TypeError, "gc.callbacks is no list");
        Py_CLEAR(callbacks);
    }
    return callbacks;
}

int collector_watch(tracer *t)
{
    static PyMethodDef method = {"on_collection", (PyCFunction)(void (*)(void))on_collection,
                                 METH_FASTCALL, NULL};
    if (!t->options.gc || !t->options.subs)
        return 0;
    int64_t sub = code_sub_called(t, "gc::(collection)");
    PyObject *callbacks = sub < 0 ? NULL : callbacks_of_collector();
    PyObject *callback = callbacks ? PyCFunction_New(&method, (PyObject *)t) : NULL;
    int rc = callback ? PyList_Append(callbacks, callback) : -1;
    Py_XDECREF(callbacks);
    if (rc < 0) {
        Py_XDECREF(callback);
        if (!PyErr_Occurred())
            PyErr_NoMemory();
        return -1;
    }
    t->collector.sub = (uint32_t)sub;
    t->collector.callback = callback;
    return 0;
}

void collector_unwatch(tracer *t)
{
    PyObject *callback = t->collector.callback, *type, *value, *traceback;
    if (!callback)
        return;
    t->collector.callback = NULL;
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *callbacks = callbacks_of_collector();
    for (Py_ssize_t i = callbacks ? PyList_GET_SIZE(callbacks) : 0; i-- > 0;)
        if (PyList_GET_ITEM(callbacks, i) == callback && PySequence_DelItem(callbacks, i) < 0)
            break;
    swallow_error();
    PyErr_Restore(type, value, traceback);
    Py_XDECREF(callbacks);
    Py_DECREF(callback);
}
