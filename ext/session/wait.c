/*
 * Waiting for the program, by the events that the tracer itself will use: sys.monitoring from
 * 3.12 on; before that a profile function, since others (coverage, debuggers) set trace
 * functions early. The one who waits has let go of its place before the tracer takes it.
 */
#include "wait.h"

#include <limits.h>

#include "first_line.h"
#include "messages.h"

#include "../trace/util.h"

static struct {
    session *s; /* owned; NULL: nobody waits */
    enum wait_until until;
    PyObject *code; /* owned: the main module's, once it is known */
    int line;       /* from where on it is to be traced */
} waiting;

static void forget(void)
{
    Py_CLEAR(waiting.code);
    Py_CLEAR(waiting.s);
}

/* Whether `frame` runs the main module's own code. */
static bool is_main(PyFrameObject *frame, PyCodeObject *code)
{
    if (PyUnicode_CompareWithASCIIString(code->co_name, "<module>") != 0)
        return false;
    PyObject *modules = PyImport_GetModuleDict();
    PyObject *module = modules ? dict_get(modules, "__main__") : NULL;
    PyObject *globals = frame_globals(frame);
    bool is = module && PyModule_Check(module) && PyModule_GetDict(module) == globals;
    Py_XDECREF(globals);
    return is;
}

enum where { AT_BEGIN, AT_LINE, AT_END };

/* The program must not notice a failure; it is told. What the program has begun itself goes on. */
static void start(PyFrameObject *frame, enum where where)
{
    session *s = waiting.s;
    waiting.s = NULL;
    Py_CLEAR(waiting.code);
    if (s->started) {
        Py_DECREF((PyObject *)s);
        return;
    }
    if (session_use(s, where == AT_LINE) == 0) {
        if (where == AT_BEGIN)
            tracer_frame_begins(s->t, frame);
    } else {
        messages_say_exception("can't profile");
    }
    Py_DECREF((PyObject *)s);
}

static void wait_in_main(PyObject *code);
static void stop_waiting(void);

/* The main module begins. */
static void main_begins(PyFrameObject *frame, PyCodeObject *code)
{
    waiting.line = waiting.until == MAIN_ENDS ? INT_MAX : 0;
    if (waiting.until == IMPORTS_END) {
        PyObject *globals = frame_globals(frame);
        waiting.line = first_line_after_imports(code, globals, waiting.s->t);
        Py_XDECREF(globals);
    }
    stop_waiting();
    if (waiting.line <= 0)
        start(frame, AT_BEGIN);
    else
        wait_in_main((PyObject *)code);
}

#if PY_VERSION_HEX >= 0x030C0000

/* ---- By sys.monitoring ---- */

static int tool = -1;

/* monitoring.name(...); NULL with an exception. */
#define CALL_MONITORING(name, ...) \
    PyObject_CallMethod(PySys_GetObject("monitoring"), name, __VA_ARGS__)

static long event_bit(const char *name)
{
    PyObject *events = PyObject_GetAttrString(PySys_GetObject("monitoring"), "events");
    PyObject *bit = events ? PyObject_GetAttrString(events, name) : NULL;
    long value = bit ? PyLong_AsLong(bit) : -1;
    Py_XDECREF(bit);
    Py_XDECREF(events);
    return value;
}

static bool did(PyObject *result)
{
    Py_XDECREF(result);
    return result != NULL;
}

static PyObject *on_start(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    (void)self;
    PyFrameObject *frame = PyEval_GetFrame();
    if (n == 2 && PyCode_Check(args[0]) && waiting.s && !waiting.code && frame &&
        is_main(frame, (PyCodeObject *)args[0])) {
        main_begins(frame, (PyCodeObject *)args[0]);
        Py_RETURN_NONE;
    }
    return PyObject_GetAttrString(PySys_GetObject("monitoring"), "DISABLE");
}

/* In the main module's code only. */
static PyObject *on_line(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    (void)self;
    if (n == 2 && waiting.s && args[0] == waiting.code && PyLong_AsLong(args[1]) >= waiting.line) {
        stop_waiting();
        start(PyEval_GetFrame(), AT_LINE);
    }
    PyErr_Clear();
    Py_RETURN_NONE;
}

/* It ends, by PY_RETURN in its code, or by an exception, of which all code tells. */
static PyObject *on_leave(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    (void)self;
    if (n == 3 && waiting.s && args[0] == waiting.code) {
        PyObject *type, *value, *traceback;
        PyErr_Fetch(&type, &value, &traceback);
        stop_waiting();
        start(PyEval_GetFrame(), AT_END);
        PyErr_Restore(type, value, traceback);
    }
    Py_RETURN_NONE;
}

static PyMethodDef start_method = {"on_start", (PyCFunction)(void (*)(void))on_start, METH_FASTCALL,
                                   NULL};
static PyMethodDef line_method = {"on_line", (PyCFunction)(void (*)(void))on_line, METH_FASTCALL,
                                  NULL};
static PyMethodDef leave_method = {"on_leave", (PyCFunction)(void (*)(void))on_leave, METH_FASTCALL,
                                   NULL};

static bool take_tool(void)
{
    for (int id = 4; tool < 0 && id >= 2; id--) {
        PyObject *holder = CALL_MONITORING("get_tool", "i", id);
        if (holder == Py_None && did(CALL_MONITORING("use_tool_id", "is", id, "pynytprof")))
            tool = id;
        Py_XDECREF(holder);
    }
    if (tool < 0 && !PyErr_Occurred())
        PyErr_SetString(PyExc_RuntimeError, "no sys.monitoring tool id is free for pynytprof");
    return tool >= 0;
}

static bool listen(const char *event, PyMethodDef *method)
{
    PyObject *callback = PyCFunction_New(method, NULL);
    bool ok = callback &&
              did(CALL_MONITORING("register_callback", "ilO", tool, event_bit(event), callback));
    Py_XDECREF(callback);
    return ok;
}

static void stop_waiting(void)
{
    static const char *const used[] = {"PY_START", "LINE", "PY_RETURN", "PY_UNWIND"};
    if (tool < 0)
        return;
    if (waiting.code)
        did(CALL_MONITORING("set_local_events", "iOl", tool, waiting.code, 0L));
    did(CALL_MONITORING("set_events", "il", tool, 0L));
    for (size_t i = 0; i < sizeof used / sizeof *used; i++)
        did(CALL_MONITORING("register_callback", "ilO", tool, event_bit(used[i]), Py_None));
    did(CALL_MONITORING("free_tool_id", "i", tool));
    PyErr_Clear();
    tool = -1;
}

static bool begin_waiting(void)
{
    return take_tool() && listen("PY_START", &start_method) &&
           did(CALL_MONITORING("set_events", "il", tool, event_bit("PY_START")));
}

static bool listen_in(PyObject *code)
{
    long local = event_bit("LINE") | event_bit("PY_RETURN");
    if (waiting.line == INT_MAX)
        local = event_bit("PY_RETURN");
    return take_tool() && listen("LINE", &line_method) && listen("PY_RETURN", &leave_method) &&
           listen("PY_UNWIND", &leave_method) &&
           did(CALL_MONITORING("set_events", "il", tool, event_bit("PY_UNWIND"))) &&
           did(CALL_MONITORING("set_local_events", "iOl", tool, code, local));
}

static void wait_in_main(PyObject *code)
{
    waiting.code = Py_NewRef(code);
    if (!listen_in(code)) {
        stop_waiting();
        PyErr_Clear();
        start(PyEval_GetFrame(), AT_LINE);
    }
}

#else

/* ---- By profile and trace functions ---- */

static int on_call(PyObject *self, PyFrameObject *frame, int what, PyObject *arg)
{
    (void)self, (void)arg;
    if (!waiting.s || what != (waiting.code ? PyTrace_RETURN : PyTrace_CALL))
        return 0;
    PyCodeObject *code = PyFrame_GetCode(frame);
    if (waiting.code && waiting.code == (PyObject *)code) {
        stop_waiting();
        start(frame, AT_END);
    } else if (!waiting.code && is_main(frame, code)) {
        main_begins(frame, code);
    }
    Py_DECREF(code);
    return 0;
}

static int on_line(PyObject *self, PyFrameObject *frame, int what, PyObject *arg)
{
    (void)self, (void)arg;
    if (what != PyTrace_LINE || !waiting.s)
        return 0;
    PyCodeObject *code = PyFrame_GetCode(frame);
    if ((PyObject *)code == waiting.code && PyFrame_GetLineNumber(frame) >= waiting.line) {
        stop_waiting();
        start(frame, AT_LINE);
    }
    Py_DECREF(code);
    return 0;
}

/* Only what is still ours is given back. */
static void stop_waiting(void)
{
    PyThreadState *here = PyThreadState_Get();
    if (here->c_profilefunc == on_call)
        PyEval_SetProfile(NULL, NULL);
    if (here->c_tracefunc == on_line)
        PyEval_SetTrace(NULL, NULL);
}

static bool begin_waiting(void)
{
    PyEval_SetProfile(on_call, NULL);
    return true;
}

static void wait_in_main(PyObject *code)
{
    waiting.code = Py_NewRef(code);
    PyEval_SetProfile(on_call, NULL);
    if (waiting.line < INT_MAX && !PyThreadState_Get()->c_tracefunc)
        PyEval_SetTrace(on_line, NULL);         /* somebody's must not be lost */
}

#endif

int wait_for_main(session *s, enum wait_until until)
{
    wait_over();
    waiting.s = (session *)Py_NewRef((PyObject *)s);
    waiting.until = until;
    if (begin_waiting())
        return 0;
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    wait_over();
    PyErr_Restore(type, value, traceback);
    return -1;
}

void wait_over(void)
{
    if (!waiting.s)
        return;
    stop_waiting();
    forget();
}
