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

static void watch_this_thread(void);

/*
 * The tracer that is at work, or NULL. What CPython keeps with a trace function, and
 * sys.gettrace() shows, is not the tracer but the program's own function, or nothing.
 */
static tracer *watching;

/* What CPython has for functions in Python; not known until the program sets one. */
static Py_tracefunc their_trace, their_profile;

/* PyTrace_RETURN without a value: an exception leaves the frame. */
static void trace_event(PyFrameObject *frame, int what, PyObject *value)
{
    tracer *t = watching;
    uint64_t now = clock_read(&t->clock);
    lane *l = t->running ? lane_of_this_thread(t) : NULL;
    if (UNLIKELY(!l))
        return;
    if (LIKELY(what == PyTrace_LINE)) {
        if (t->stmts && is_top(t, l, frame, &now))
            lane_line(t, l, PyFrame_GetLineNumber(frame), now);
    } else if (what == PyTrace_CALL) {
        on_enter(t, l, frame, now);
    } else if (what == PyTrace_RETURN) {
        if (is_top(t, l, frame, &now))
            lane_leave(t, l, now, value ? COST_LEAVE : COST_UNWIND);
    }
}

static int on_trace(PyObject *function, PyFrameObject *frame, int what, PyObject *value)
{
    trace_event(frame, what, value);
    if (LIKELY(!function))
        return 0;
    int rc = their_trace(function, frame, what, value);
    if (rc < 0)                 /* it has failed and is no more set, and nor are we */
        watch_this_thread();
    return rc;
}

static void profile_event(PyFrameObject *frame, int what, PyObject *callable)
{
    tracer *t = watching;
    uint64_t now = clock_read(&t->clock);
    PyMethodDef *method;
    if (what != PyTrace_C_CALL && what != PyTrace_C_RETURN && what != PyTrace_C_EXCEPTION)
        return;
    lane *l = t->running ? lane_of_this_thread(t) : NULL;
    if (UNLIKELY(!l) || !code_c_function(callable, true, &method))
        return;
    if (what == PyTrace_C_CALL) {
        int64_t sub = is_top(t, l, frame, &now) ? code_c_sub(t, callable, method) : -1;
        if (sub >= 0 && !t->stmts)
            lane_place(l, PyFrame_GetLineNumber(frame));
        if (sub >= 0)
            lane_enter(t, l, method, NULL, (uint32_t)sub, now, COST_C_ENTER);
    } else if (l->top->c && l->top->key == method) {
        lane_leave(t, l, now, COST_C_LEAVE);
    }
}

/*
 * Without us there is no event for the return of the sys.setprofile() that sets the
 * first function: when it was called, nobody listened.
 */
static TRACE_THREAD_LOCAL bool unheard_return;

static int on_profile(PyObject *function, PyFrameObject *frame, int what, PyObject *callable)
{
    bool unheard = unheard_return;
    unheard_return = false;
    profile_event(frame, what, callable);
    if (LIKELY(!function) || (unheard && what == PyTrace_C_RETURN))
        return 0;
    int rc = their_profile(function, frame, what, callable);
    if (rc < 0)
        watch_this_thread();
    return rc;
}

/* ---- Threads ---- */

/* The interpreter has these, but declares the first as data in some versions. */
typedef int set_function(PyThreadState *, Py_tracefunc, PyObject *);

/*
 * `function`: in Python, or NULL. It may be the one that is set now. An exception that
 * is set stays; an audit hook of the program's may object, and then nothing is done.
 */
static void set_trace(PyThreadState *thread, Py_tracefunc trace, PyObject *function)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    Py_XINCREF(function);
    ((set_function *)&_PyEval_SetTrace)(thread, trace, function);
    trace_swallow_error();
    Py_XDECREF(function);
    PyErr_Restore(type, value, traceback);
}

static void set_profile(PyThreadState *thread, Py_tracefunc profile, PyObject *function)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    Py_XINCREF(function);
    ((set_function *)&_PyEval_SetProfile)(thread, profile, function);
    trace_swallow_error();
    Py_XDECREF(function);
    PyErr_Restore(type, value, traceback);
}

static bool wants_c_functions(const tracer *t)
{
    return t->slowops && t->subs_on;
}

/* Takes what is free. */
static void watch_thread(PyThreadState *thread, tracer *t)
{
    if (!thread->c_tracefunc)
        set_trace(thread, on_trace, NULL);
    if (!thread->c_profilefunc && wants_c_functions(t))
        set_profile(thread, on_profile, NULL);
}

static void watch_this_thread(void)
{
    watch_thread(PyThreadState_Get(), watching);
}

static void watch_all_threads(tracer *t)
{
    PyThreadState *thread = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    for (; thread; thread = PyThreadState_Next(thread))
        watch_thread(thread, t);
}

/* Leaves each thread to the program's own functions. */
static void unwatch_all_threads(void)
{
    PyThreadState *thread = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    for (; thread; thread = PyThreadState_Next(thread)) {
        if (thread->c_tracefunc == on_trace)
            set_trace(thread, thread->c_traceobj ? their_trace : NULL, thread->c_traceobj);
        if (thread->c_profilefunc == on_profile)
            set_profile(thread, thread->c_profileobj ? their_profile : NULL,
                        thread->c_profileobj);
    }
}

/* ---- Functions of CPython's that are replaced while the tracer runs ---- */

/* One C function stands behind all names that a program may have for it. */
enum { START_THREAD, SET_TRACE, SET_PROFILE, N_REPLACED };

static PyObject *start_thread(PyObject *module, PyObject *args);
static PyObject *sys_settrace(PyObject *module, PyObject *function);
static PyObject *sys_setprofile(PyObject *module, PyObject *function);

static struct {
    const char  *module, *name;
    PyCFunction  ours, theirs;
    PyMethodDef *method;
} replaced[N_REPLACED] = {
    [START_THREAD] = {.module = "_thread", .name = "start_new_thread", .ours = start_thread},
    [SET_TRACE] = {.module = "sys", .name = "settrace", .ours = sys_settrace},
    [SET_PROFILE] = {.module = "sys", .name = "setprofile", .ours = sys_setprofile},
};

/* They are the same functions in every interpreter; the tracer is one interpreter's. */
static PyInterpreterState *home;

static tracer *watching_here(void)
{
    return PyInterpreterState_Get() == home ? watching : NULL;
}

/*
 * A new thread has no trace function, and nothing tells of its birth: no event, no
 * audit hook. The function that starts it returns before the thread can run, with the
 * thread's state in the interpreter's list.
 */
static PyObject *start_thread(PyObject *module, PyObject *args)
{
    PyObject *ident = replaced[START_THREAD].theirs(module, args);
    tracer *t = watching_here();
    if (ident && t)
        watch_all_threads(t);
    return ident;
}

/* The program's function, if it is not None, is called by ours. */
static PyObject *sys_settrace(PyObject *module, PyObject *function)
{
    PyObject *result = replaced[SET_TRACE].theirs(module, function);
    PyThreadState *here = PyThreadState_Get();
    if (!result || !watching_here())
        return result;
    if (here->c_tracefunc) {
        their_trace = here->c_tracefunc;
        set_trace(here, on_trace, here->c_traceobj);
    }
    watch_this_thread();
    return result;
}

static PyObject *sys_setprofile(PyObject *module, PyObject *function)
{
    PyThreadState *here = PyThreadState_Get();
    bool first = here->c_profilefunc == on_profile && !here->c_profileobj;
    PyObject *result = replaced[SET_PROFILE].theirs(module, function);
    tracer *t = watching_here();
    if (!result || !t)
        return result;
    if (here->c_profilefunc && wants_c_functions(t)) {
        their_profile = here->c_profilefunc;
        set_profile(here, on_profile, here->c_profileobj);
        unheard_return = first;
    }
    watch_this_thread();
    return result;
}

static int replace_functions(void)
{
    for (size_t i = 0; i < N_REPLACED; i++) {
        PyObject *module = PyImport_ImportModule(replaced[i].module);
        PyObject *function = module ? PyObject_GetAttrString(module, replaced[i].name) : NULL;
        Py_XDECREF(module);
        if (!function)
            return -1;
        if (PyCFunction_Check(function) && !replaced[i].method) {
            replaced[i].method = ((PyCFunctionObject *)function)->m_ml;
            replaced[i].theirs = replaced[i].method->ml_meth;
        }
        Py_DECREF(function);
        if (replaced[i].method)
            replaced[i].method->ml_meth = replaced[i].ours;
    }
    return 0;
}

static void put_functions_back(void)
{
    for (size_t i = 0; i < N_REPLACED; i++)
        if (replaced[i].method)
            replaced[i].method->ml_meth = replaced[i].theirs;
}

/* ---- Start and stop ---- */

/*
 * The trace and profile functions that this thread had are put aside: they see
 * nothing while we run, and are there again afterwards.
 */
static void put_aside(tracer *t, PyThreadState *here)
{
    t->previous_trace = here->c_tracefunc;
    t->previous_trace_arg = Py_XNewRef(here->c_traceobj);
    if (t->previous_trace)
        set_trace(here, NULL, NULL);
    if (!wants_c_functions(t))
        return;
    t->previous_profile = here->c_profilefunc;
    t->previous_profile_arg = Py_XNewRef(here->c_profileobj);
    if (t->previous_profile)
        set_profile(here, NULL, NULL);
}

int engine_start(tracer *t)
{
    if (replace_functions() < 0) {
        put_functions_back();
        return -1;
    }
    watching = t;
    home = PyInterpreterState_Get();
    put_aside(t, PyThreadState_Get());
    watch_all_threads(t);
    return 0;
}

void engine_stop(tracer *t)
{
    if (watching != t)
        return;
    put_functions_back();
    unwatch_all_threads();
    watching = NULL;
    PyThreadState *here = PyThreadState_Get();
    if (t->previous_trace && !here->c_tracefunc)
        PyEval_SetTrace(t->previous_trace, t->previous_trace_arg);
    if (t->previous_profile && !here->c_profilefunc)
        PyEval_SetProfile(t->previous_profile, t->previous_profile_arg);
    t->previous_trace = t->previous_profile = NULL;
    Py_CLEAR(t->previous_trace_arg);
    Py_CLEAR(t->previous_profile_arg);
}

#endif
