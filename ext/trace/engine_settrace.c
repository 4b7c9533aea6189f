/*
 * The engine of CPython 3.10 and 3.11: PyEval_SetTrace for frames and lines, and
 * PyEval_SetProfile for C functions, of which the former does not tell. Both are
 * set thread by thread.
 *
 * A thread has one place for each. Who was there before us, or comes while we run, is
 * called by us with all events that it would get; its object stays where sys.gettrace()
 * and sys.getprofile() look for it, so that a program sees no difference.
 */
#include "engine.h"

#include "code.h"
#include "frames.h"
#include "instructions.h"
#include "lane.h"
#include "new_threads.h"
#include "tracer.h"

#include <stdlib.h>
#include <string.h>

#if PY_VERSION_HEX < 0x030C0000

const char engine_name[] = "PyEval_SetTrace";

static code_info *info_of(tracer *t, PyFrameObject *frame)
{
    return code_info_of(t, frame_code(frame), NULL);
}

/* Of the instruction at which it is; negative: it has not begun. */
static inline int offset_of(const PyFrameObject *frame)
{
    int unit = frame_unit(frame);
    return unit < 0 ? -1 : unit * 2;
}

/* With stmts=0 nobody has told at which line the frame at the top is. */
static void place_top(lane *l)
{
    activation *top = l->top;
    PyFrameObject *frame = (PyFrameObject *)(uintptr_t)top->key;
    int offset = offset_of(frame);
    if (offset >= 0)
        top->slot = &top->slots[code_place(top->info, frame_code(frame), offset)];
}

/* The offset at which a generator goes on; -1: this frame begins. */
static int resume_offset(PyFrameObject *frame, PyCodeObject *code)
{
    if (!(code->co_flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR)))
        return -1;
    int at = offset_of(frame);
#if PY_VERSION_HEX >= 0x030B0000
    return at <= code->_co_firsttraceable * (int)sizeof(_Py_CODEUNIT) ? -1 : at;
#else
    return at;
#endif
}

/* The next interval bears what the top's line has cost up to where it is; the rest is still to come. */
static inline void weigh_up_to(const tracer *t, lane *l, const PyFrameObject *frame)
{
    activation *top = l->top;
    uint32_t behind = ahead_behind(top->info, (uint32_t)frame_unit(frame));
    if (behind < top->at) {
        lane_owe_weight(&t->costs, l, top->at - behind);
        top->at = behind;
    }
}

/* The frame at the top, if that is what has called. */
static inline void weigh_caller(const tracer *t, lane *l, const PyFrameObject *callee)
{
    if (l->top->at && frame_called_by(callee, l->top->key))
        weigh_up_to(t, l, (const PyFrameObject *)l->top->key);
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
    uint64_t since = l->since;
    code_info *info = info_of(t, frame);
    if (!info || info->skip)
        return;
    now = lane_later(l, now, since);
    if (!t->options.stmts && l->top->info && !l->top->c)
        place_top(l);
    int offset = resume_offset(frame, frame_code(frame));
    enum cost_kind kind = offset < 0 ? COST_ENTER : COST_RESUME;
    weigh_caller(t, l, frame);
    if (lane_enter(t, l, frame, info, info->sub, now, kind) && offset >= 0) {
        l->top->slot = &l->top->slots[code_place(info, frame_code(frame), offset)];
        l->top->at = ahead_behind(info, (uint32_t)offset / 2);
    }
    if (UNLIKELY(t->units.n_open) && l->top->key == frame) {
        if (offset < 0)
            units_take(&t->units, frame);
        else
            lane_resume_units(t, l, frame);
    }
    if (UNLIKELY(info->awaits))
        (offset < 0 ? awaits_begin(&t->awaits, frame) : awaits_resume(&t->awaits, frame, now));
    if (UNLIKELY(info->unit) && offset >= 0 && l->top->key == frame)
        lane_uncount(t, l);     /* a unit of work is counted when it begins */
}

/* ---- Who else is there ---- */

/* In one thread: the functions whose places we have taken, NULL: none. */
typedef struct {
    PyThreadState *thread;
    uint64_t thread_id;
    Py_tracefunc trace, profile;
} neighbours;

static tracer *at_work;             /* owned; NULL: no tracer of this kind runs */
static PyInterpreterState *home;    /* that it runs in */
static neighbours **known;          /* of threads that have had any */
static size_t n_known, known_cap, prune_at;
static uint64_t changes;            /* of what is known */

static TRACE_THREAD_LOCAL struct {
    uint64_t change;
    PyThreadState *thread;
    neighbours *others; /* borrowed, NULL: there are none */
} mine;

static int on_trace(PyObject *theirs, PyFrameObject *frame, int what, PyObject *value);
static int on_profile(PyObject *theirs, PyFrameObject *frame, int what, PyObject *callable);

static neighbours *neighbours_known(PyThreadState *thread)
{
    uint64_t id = PyThreadState_GetID(thread);
    for (size_t i = 0; i < n_known; i++)
        if (known[i]->thread == thread && known[i]->thread_id == id)
            return known[i];
    return NULL;
}

static bool is_alive(const neighbours *others)
{
    PyThreadState *thread = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    while (thread && (thread != others->thread || PyThreadState_GetID(thread) != others->thread_id))
        thread = PyThreadState_Next(thread);
    return thread != NULL;
}

static void forget_ended_threads(void)
{
    enum { FEW = 64 };
    size_t kept = 0;
    for (size_t i = 0; i < n_known; i++) {
        if (is_alive(known[i]))
            known[kept++] = known[i];
        else
            free(known[i]);
    }
    n_known = kept;
    prune_at = kept * 2 > FEW ? kept * 2 : FEW;
    changes++;
}

/* NULL: out of memory; then they are lost to the thread while we run. */
static neighbours *neighbours_of(PyThreadState *thread)
{
    neighbours *others = neighbours_known(thread);
    if (others)
        return others;
    if (n_known >= prune_at)
        forget_ended_threads();
    changes++;
    neighbours **grown = nyt_grow(known, &known_cap, n_known + 1, sizeof *known);
    if (grown)
        known = grown;
    others = grown ? calloc(1, sizeof *others) : NULL;
    if (others) {
        others->thread = thread;
        others->thread_id = PyThreadState_GetID(thread);
        known[n_known++] = others;
    }
    return others;
}

static void neighbours_forget(void)
{
    for (size_t i = 0; i < n_known; i++)
        free(known[i]);
    free(known);
    known = NULL;
    n_known = known_cap = prune_at = 0;
    changes++;
}

/* The running thread's; NULL: none. */
static inline neighbours *neighbours_here(PyThreadState *here)
{
    if (UNLIKELY(mine.change != changes || mine.thread != here)) {
        mine.change = changes;
        mine.thread = here;
        mine.others = neighbours_known(here);
    }
    return mine.others;
}

/*
 * As _PyEval_SetTrace and _PyEval_SetProfile do, but without an audit event: a hook in
 * Python would let other threads run, and end, while we walk along their list.
 */
static void set_slot(PyThreadState *thread, Py_tracefunc *slot, Py_tracefunc function)
{
    *slot = function;
    bool on = thread->c_tracefunc || thread->c_profilefunc;
#if PY_VERSION_HEX >= 0x030B0000
    thread->cframe->use_tracing = on && thread->tracing == 0 ? 255 : 0;
#else
    thread->cframe->use_tracing = on;
#endif
}

/* We stand in the trace function's place; its object stays, for sys.gettrace(). */
static void take_trace(PyThreadState *thread)
{
    Py_tracefunc theirs = thread->c_tracefunc;
    neighbours *others = theirs ? neighbours_of(thread) : neighbours_known(thread);
    if (others)
        others->trace = theirs;
    if (theirs)
        thread->c_tracefunc = on_trace;
    else
        set_slot(thread, &thread->c_tracefunc, on_trace);
}

static void take_profile(PyThreadState *thread)
{
    Py_tracefunc theirs = thread->c_profilefunc;
    neighbours *others = theirs ? neighbours_of(thread) : neighbours_known(thread);
    if (others)
        others->profile = theirs;
    if (theirs)
        thread->c_profilefunc = on_profile;
    else
        set_slot(thread, &thread->c_profilefunc, on_profile);
}

static void give_back(PyThreadState *thread)
{
    neighbours *others = neighbours_known(thread);
    if (thread->c_tracefunc == on_trace) {
        if (others && others->trace)
            thread->c_tracefunc = others->trace;
        else
            set_slot(thread, &thread->c_tracefunc, NULL);
    }
    if (thread->c_profilefunc == on_profile) {
        if (others && others->profile)
            thread->c_profilefunc = others->profile;
        else
            set_slot(thread, &thread->c_profilefunc, NULL);
    }
}

static inline bool wants_c(const tracer *t)
{
    return t->options.slowops && t->options.subs;
}

/* Both places, if they are not ours already; that for C functions only where these are wanted. */
static void take_both(PyThreadState *thread, const tracer *t)
{
    if (thread->c_tracefunc != on_trace)
        take_trace(thread);
    if (wants_c(t) && thread->c_profilefunc != on_profile)
        take_profile(thread);
}

/* ---- Whether it wants lines ---- */

#if PY_VERSION_HEX >= 0x030B0000

static bool wants_lines(PyFrameObject *frame)
{
    PyObject *wanted = PyObject_GetAttrString((PyObject *)frame, "f_trace_lines");
    PyErr_Clear();
    Py_XDECREF(wanted);
    return wanted != Py_False;
}

static void set_lines(PyFrameObject *frame)
{
    if (PyObject_SetAttrString((PyObject *)frame, "f_trace_lines", Py_True) < 0)
        PyErr_Clear();
}

#else

static bool wants_lines(PyFrameObject *frame)
{
    return frame->f_trace_lines;
}

static void set_lines(PyFrameObject *frame)
{
    frame->f_trace_lines = 1;
}

#endif

/* A neighbour may switch a frame's lines off; for us they stay on, and it gets none. */
static void keep_lines(lane *l, PyFrameObject *frame)
{
    if (l->top->key == frame && !wants_lines(frame)) {
        set_lines(frame);
        l->top->quiet = true;
    }
}

/* ---- Events ---- */

/*
 * Calls a neighbour's function, whose time is nobody's. It may raise; and it may put
 * another in its place, or end us.
 */
static int call_neighbour(Py_tracefunc function, PyObject *theirs, PyFrameObject *frame, int what,
                          PyObject *arg)
{
    tracer *t = at_work;
    uint32_t run = t->run;
    uint64_t began = clock_read(&t->clock);
    int rc = function(theirs, frame, what, arg);
    if (at_work != t || t->run != run)
        return rc;
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyThreadState *here = PyThreadState_Get();
    take_both(here, t);
    lane *l = lane_of_this_thread(t);
    if (l) {
        keep_lines(l, frame);
        lane_leave_out(&t->clock, &t->costs, l, began);
    }
    PyErr_Restore(type, value, traceback);
    return rc;
}

/*
 * A coroutine's frame returns a value: it is suspended, or it has ended, and then it never goes
 * on. What an asynchronous generator makes for whoever iterates is nothing that it awaits.
 */
static void suspend(tracer *t, const lane *l, const PyObject *value, uint64_t now)
{
    const activation *top = l->top;
    const code_info *info = top->info;
    if (top->slot && strcmp(Py_TYPE(value)->tp_name, "async_generator_wrapped_value") != 0)
        awaits_suspend(&t->awaits, top->key, info->file,
                       (uint32_t)info->lines[top->slot - top->slots], now);
}

static void on_return(tracer *t, lane *l, PyFrameObject *frame, const PyObject *value, uint64_t now)
{
    if (!is_top(t, l, frame, &now))
        return;
    if (UNLIKELY(l->top->info->awaits) && value)
        suspend(t, l, value, now);
    if (UNLIKELY(l->top->unit != NULL) && value && !units_hold(&t->units, frame, l->top->unit))
        trace_fail(t);
    weigh_up_to(t, l, frame);
    lane_leave(t, l, now, value ? COST_LEAVE : COST_UNWIND);
}

static inline void on_line(tracer *t, lane *l, PyFrameObject *frame, uint64_t now)
{
    activation *top = l->top;
    uint32_t unit = (uint32_t)frame_unit(frame);
    lane_owe_weight(&t->costs, l, top->at);
    if (!ahead_known(top->info, unit)) {
        top->at = 0;
        lane_line(t, l, PyFrame_GetLineNumber(frame), now);
        return;
    }
    uint32_t ahead = top->info->ahead[unit];
    top->at = ahead_weight(ahead);
    lane_line_at(t, l, ahead_line(ahead), now, COST_LINE);
}

/* PyTrace_RETURN without a value: an exception leaves the frame. */
static void trace_event(tracer *t, lane *l, PyFrameObject *frame, int what, PyObject *value,
                        uint64_t now)
{
    if (LIKELY(what == PyTrace_LINE)) {
        if (t->options.stmts && is_top(t, l, frame, &now))
            on_line(t, l, frame, now);
    } else if (what == PyTrace_CALL) {
        on_enter(t, l, frame, now);
    } else if (what == PyTrace_RETURN) {
        on_return(t, l, frame, value, now);
    }
}

/*
 * Somebody has taken our profile function's place, with a C function whose end
 * we have not been told of.
 */
static void missed_profile(tracer *t, lane *l, PyThreadState *here, PyFrameObject *frame,
                           uint64_t now)
{
    take_profile(here);
    if (l && l->top->c)
        lane_unwind_to(t, l, frame, now);
}

static int on_trace(PyObject *theirs, PyFrameObject *frame, int what, PyObject *value)
{
    tracer *t = at_work;
    if (UNLIKELY(!t))
        return 0;
    uint64_t now = clock_read(&t->clock);
    PyThreadState *here = PyThreadState_Get();
    lane *l = t->running ? lane_of_this_thread(t) : NULL;
    if (UNLIKELY(here->c_profilefunc != on_profile) && wants_c(t))
        missed_profile(t, l, here, frame, now);
    neighbours *others = neighbours_here(here);
    Py_tracefunc next = UNLIKELY(others != NULL) ? others->trace : NULL;
    if (LIKELY(l != NULL)) {
        trace_event(t, l, frame, what, value, now);
        if (UNLIKELY(next && what == PyTrace_LINE && l->top->key == frame && l->top->quiet))
            return 0;
    }
    if (LIKELY(!next) || at_work != t)
        return 0;
    return call_neighbour(next, theirs, frame, what, value);
}

static void c_event(tracer *t, lane *l, PyFrameObject *frame, int what, PyObject *callable,
                    uint64_t now)
{
    PyMethodDef *method;
    if (!code_c_function(callable, true, &method))
        return;
    if (what == PyTrace_C_CALL) {
        if (!is_top(t, l, frame, &now))
            return;
        uint64_t since = l->since;
        int64_t sub = code_c_sub(t, callable, method);
        if (sub >= 0 && !t->options.stmts && !l->top->c)
            place_top(l);
        if (sub >= 0 && !l->top->c)
            weigh_up_to(t, l, frame);
        if (sub >= 0)
            lane_enter(t, l, method, NULL, (uint32_t)sub, lane_later(l, now, since), COST_C_ENTER);
    } else if (l->top->c && l->top->key == method) {
        lane_leave(t, l, now, COST_C_LEAVE);
    }
}

/*
 * Without us there is no event for the return of the sys.setprofile() that sets the
 * first function: when it was called, nobody listened.
 */
static TRACE_THREAD_LOCAL bool unheard_return;

/* C functions, and a watch over the trace function's place. */
static int on_profile(PyObject *theirs, PyFrameObject *frame, int what, PyObject *callable)
{
    tracer *t = at_work;
    if (UNLIKELY(!t))
        return 0;
    uint64_t now = clock_read(&t->clock);
    PyThreadState *here = PyThreadState_Get();
    if (UNLIKELY(here->c_tracefunc != on_trace))
        take_trace(here);
    neighbours *others = neighbours_here(here);
    Py_tracefunc next = UNLIKELY(others != NULL) ? others->profile : NULL;
    if (wants_c(t)) {
        bool of_c = what == PyTrace_C_CALL || what == PyTrace_C_RETURN ||
                    what == PyTrace_C_EXCEPTION;
        lane *l = of_c && t->running ? lane_of_this_thread(t) : NULL;
        if (LIKELY(l != NULL))
            c_event(t, l, frame, what, callable, now);
    } else {        /* the watch is over */
        here->c_profilefunc = next;
    }
    bool unheard = unheard_return && what == PyTrace_C_RETURN;
    unheard_return = false;
    if (LIKELY(!next) || unheard || at_work != t)
        return 0;
    return call_neighbour(next, theirs, frame, what, callable);
}

/*
 * Without C functions nothing of ours is in the profile function's place, and nobody
 * would notice that the trace function's is taken. So that is put there for one event.
 */
static int on_audit(const char *event, PyObject *args, void *unused)
{
    (void)args;
    (void)unused;
    tracer *t = at_work;
    if (!t || wants_c(t) || strcmp(event, "sys.settrace") != 0)
        return 0;
    PyThreadState *here = PyThreadState_Get();
    if (here->c_tracefunc == on_trace && here->c_profilefunc != on_profile) {
        neighbours *others = here->c_profilefunc ? neighbours_of(here) : neighbours_known(here);
        if (others)
            others->profile = here->c_profilefunc;
        if (others || !here->c_profilefunc)
            here->c_profilefunc = on_profile;
    }
    return 0;
}

/* For the life of the process: hooks can't be taken back. */
static int watch_audits(void)
{
    static bool hooked;
    if (!hooked && PySys_AddAuditHook(on_audit, NULL) < 0)
        return -1;
    hooked = true;
    return 0;
}

/* ---- All threads ---- */

static void take_all_threads(const tracer *t)
{
    PyThreadState *thread = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    for (; thread; thread = PyThreadState_Next(thread))
        take_both(thread, t);
}

static void give_all_back(void)
{
    PyThreadState *thread = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    for (; thread; thread = PyThreadState_Next(thread))
        give_back(thread);
}

/* One that C code has made, or that runs already. */
static void thread_runs(PyThreadState *thread)
{
    tracer *t = at_work;
    if (LIKELY(thread->c_tracefunc == on_trace))
        return;
    if (t && PyThreadState_GetInterpreter(thread) == home)
        take_both(thread, t);
}

/* ---- Functions of CPython's that are replaced while the tracer runs ---- */

/* One C function stands behind all names that a program may have for it. */
enum { START_THREAD, SET_TRACE, SET_PROFILE, N_REPLACED };

static PyObject *start_thread(PyObject *module, PyObject *args);
static PyObject *sys_settrace(PyObject *module, PyObject *function);
static PyObject *sys_setprofile(PyObject *module, PyObject *function);

static struct {
    const char *module, *name;
    PyCFunction ours, theirs;
    PyMethodDef *method;
} replaced[N_REPLACED] = {
    [START_THREAD] = {.module = "_thread", .name = "start_new_thread", .ours = start_thread},
    [SET_TRACE] = {.module = "sys", .name = "settrace", .ours = sys_settrace},
    [SET_PROFILE] = {.module = "sys", .name = "setprofile", .ours = sys_setprofile},
};

/* They are the same functions in every interpreter; the tracer is one interpreter's. */
static tracer *at_work_here(void)
{
    return PyInterpreterState_Get() == home ? at_work : NULL;
}

/*
 * A new thread has no trace function, and no event or audit hook tells of its birth.
 * The function that starts it returns before the thread can run, with the thread's state
 * in the interpreter's list. Of those that C code makes new_threads.h tells.
 */
static PyObject *start_thread(PyObject *module, PyObject *args)
{
    PyObject *ident = replaced[START_THREAD].theirs(module, args);
    tracer *t = at_work_here();
    if (ident && t)
        take_all_threads(t);
    return ident;
}

/* What the program sets is called by us from now on. */
static PyObject *sys_settrace(PyObject *module, PyObject *function)
{
    PyObject *result = replaced[SET_TRACE].theirs(module, function);
    tracer *t = at_work_here();
    if (t)
        take_both(PyThreadState_Get(), t);
    return result;
}

static PyObject *sys_setprofile(PyObject *module, PyObject *function)
{
    PyThreadState *here = PyThreadState_Get();
    bool first = here->c_profilefunc == on_profile && !here->c_profileobj;
    PyObject *result = replaced[SET_PROFILE].theirs(module, function);
    tracer *t = at_work_here();
    if (t) {
        take_both(here, t);
        unheard_return = first && here->c_profileobj;
    }
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

int engine_start(tracer *t)
{
    if (replace_functions() < 0 || (!wants_c(t) && watch_audits() < 0)) {
        put_functions_back();
        return -1;
    }
    home = PyInterpreterState_Get();
    at_work = (tracer *)Py_NewRef((PyObject *)t);
    take_all_threads(t);
    new_threads_watch(thread_runs);
    return 0;
}

void engine_stop(tracer *t)
{
    if (at_work != t)
        return;
    put_functions_back();
    new_threads_unwatch();
    at_work = NULL;
    give_all_back();
    neighbours_forget();
    Py_DECREF((PyObject *)t);
}

/* Whoever takes our places is called by us from then on. */
bool engine_disturbed(const tracer *t)
{
    (void)t;
    return false;
}

#endif
