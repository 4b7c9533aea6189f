/*
 * The engine of CPython 3.10 and 3.11: PyEval_SetTrace for frames and lines, and
 * PyEval_SetProfile for C functions, of which the former does not tell. Both are
 * set thread by thread.
 */
#include "trace.h"

#if PY_VERSION_HEX < 0x030C0000

const char engine_name[] = "PyEval_SetTrace";

const void *engine_key(PyFrameObject *frame, PyCodeObject *code)
{
    (void)code;
    return frame;
}

/* Borrowed: the frame keeps it. */
static PyCodeObject *code_of(PyFrameObject *frame)
{
    PyCodeObject *code = PyFrame_GetCode(frame);
    Py_DECREF(code);
    return code;
}

static code_info *info_of(tracer *t, PyFrameObject *frame)
{
    return code_info_of(t, code_of(frame), NULL);
}

/* The offset at which a generator goes on; -1: this frame begins. */
static int resume_offset(PyFrameObject *frame, PyCodeObject *code)
{
    if (!(code->co_flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR)))
        return -1;
#if PY_VERSION_HEX >= 0x030B0000
    int at = PyFrame_GetLasti(frame);
    return at <= code->_co_firsttraceable * (int)sizeof(_Py_CODEUNIT) ? -1 : at;
#else
    return frame->f_lasti < 0 ? -1 : frame->f_lasti * 2;
#endif
}

/* Makes the frame the top if it is traced; *now is put right if that took time. */
static bool is_top(tracer *t, lane *l, PyFrameObject *frame, uint64_t *now)
{
    if (LIKELY(l->top->key == frame))
        return true;
    code_info *info = info_of(t, frame);
    if (!info || info->skip || !lane_resync(t, l, frame))
        return false;
    *now = l->since;
    return true;
}

static void on_enter(tracer *t, lane *l, PyFrameObject *frame, uint64_t now)
{
    code_info *info = info_of(t, frame);
    if (!info || info->skip)
        return;
    if (!t->stmts && l->top->info && !l->top->c)
        lane_place(l, PyFrame_GetLineNumber((PyFrameObject *)l->top->key));
    int offset = resume_offset(frame, code_of(frame));
    enum cost_kind kind = offset < 0 ? COST_ENTER : COST_RESUME;
    if (lane_enter(t, l, frame, info, info->sub, now, kind) && offset >= 0)
        l->top->slot = &l->top->slots[code_place(info, code_of(frame), offset)];
}

/* PyTrace_RETURN without a value: an exception leaves the frame. */
static int on_trace(PyObject *self, PyFrameObject *frame, int what, PyObject *value)
{
    tracer *t = (tracer *)self;
    uint64_t now = clock_read(&t->clock);
    lane *l = t->running ? lane_of_this_thread(t) : NULL;
    if (UNLIKELY(!l))
        return 0;
    if (LIKELY(what == PyTrace_LINE)) {
        if (t->stmts && is_top(t, l, frame, &now))
            lane_line(t, l, PyFrame_GetLineNumber(frame), now);
    } else if (what == PyTrace_CALL) {
        on_enter(t, l, frame, now);
    } else if (what == PyTrace_RETURN) {
        if (is_top(t, l, frame, &now))
            lane_leave(t, l, now, value ? COST_LEAVE : COST_UNWIND);
    }
    return 0;
}

static int on_profile(PyObject *self, PyFrameObject *frame, int what, PyObject *callable)
{
    tracer *t = (tracer *)self;
    uint64_t now = clock_read(&t->clock);
    PyMethodDef *method;
    if (what != PyTrace_C_CALL && what != PyTrace_C_RETURN && what != PyTrace_C_EXCEPTION)
        return 0;
    lane *l = t->running ? lane_of_this_thread(t) : NULL;
    if (UNLIKELY(!l) || !code_c_function(callable, true, &method))
        return 0;
    if (what == PyTrace_C_CALL) {
        int64_t sub = is_top(t, l, frame, &now) ? code_c_sub(t, callable, method) : -1;
        if (sub >= 0 && !t->stmts)
            lane_place(l, PyFrame_GetLineNumber(frame));
        if (sub >= 0)
            lane_enter(t, l, method, NULL, (uint32_t)sub, now, COST_C_ENTER);
    } else if (l->top->c && l->top->key == method) {
        lane_leave(t, l, now, COST_C_LEAVE);
    }
    return 0;
}

/* ---- Threads ---- */

/* The interpreter has these, but declares the first as data in some versions. */
typedef int set_function(PyThreadState *, Py_tracefunc, PyObject *);

static void set_both(PyThreadState *thread, tracer *t)
{
    ((set_function *)&_PyEval_SetTrace)(thread, t ? on_trace : NULL, (PyObject *)t);
    if (!t || (t->slowops && t->subs_on))
        ((set_function *)&_PyEval_SetProfile)(thread, t ? on_profile : NULL, (PyObject *)t);
    trace_swallow_error();      /* an audit hook of the program's may object */
}

/* Each thread that has no trace function of its own. */
static void set_all_threads(tracer *t)
{
    PyThreadState *thread = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    for (; thread; thread = PyThreadState_Next(thread))
        if (thread->c_tracefunc == NULL)
            set_both(thread, t);
}

static void clear_all_threads(void)
{
    PyThreadState *thread = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    for (; thread; thread = PyThreadState_Next(thread))
        if (thread->c_tracefunc == on_trace)
            set_both(thread, NULL);
}

/*
 * A new thread has no trace function, and nothing tells of its birth: no event, no
 * audit hook. So the C function behind all names of _thread.start_new_thread is
 * replaced while the tracer runs. It returns before the thread can run, with the
 * thread's state in the interpreter's list.
 */
static tracer *watching;            /* NULL: the function is itself */
static PyMethodDef *start_method;
static PyCFunction start_thread;

static PyObject *start_watched_thread(PyObject *self, PyObject *args)
{
    PyObject *ident = start_thread(self, args);
    if (ident && watching)
        set_all_threads(watching);
    return ident;
}

static int watch_threads(tracer *t)
{
    PyObject *module = PyImport_ImportModule("_thread");
    PyObject *start = module ? PyObject_GetAttrString(module, "start_new_thread") : NULL;
    if (start && PyCFunction_Check(start) && !start_method) {
        start_method = ((PyCFunctionObject *)start)->m_ml;
        start_thread = start_method->ml_meth;
    }
    if (start_method)
        start_method->ml_meth = start_watched_thread;
    watching = t;
    Py_XDECREF(start);
    Py_XDECREF(module);
    return start ? 0 : -1;
}

static void unwatch_threads(void)
{
    watching = NULL;
    if (start_method)
        start_method->ml_meth = start_thread;
}

/* ---- Start and stop ---- */

int engine_start(tracer *t)
{
    if (watch_threads(t) < 0) {
        unwatch_threads();
        return -1;
    }
    PyThreadState *here = PyThreadState_Get();
    t->previous_trace = here->c_tracefunc;
    t->previous_trace_arg = Py_XNewRef(here->c_traceobj);
    t->previous_profile = here->c_profilefunc;
    t->previous_profile_arg = Py_XNewRef(here->c_profileobj);
    set_both(here, t);
    set_all_threads(t);
    return 0;
}

void engine_stop(tracer *t)
{
    if (watching != t)
        return;
    unwatch_threads();
    clear_all_threads();
    if (t->previous_trace)
        PyEval_SetTrace(t->previous_trace, t->previous_trace_arg);
    if (t->previous_profile)
        PyEval_SetProfile(t->previous_profile, t->previous_profile_arg);
    Py_CLEAR(t->previous_trace_arg);
    Py_CLEAR(t->previous_profile_arg);
}

#endif
