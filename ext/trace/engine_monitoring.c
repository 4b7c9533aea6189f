/*
 * The engine of CPython 3.12 and later: sys.monitoring, with callback objects that
 * have a vectorcall slot of their own.
 *
 * Lines are to be counted as sys.settrace counts them. It is built on the same events:
 * LINE, and JUMP for a jump back to the line it stands on (a loop on one line), which
 * LINE does not tell of. PY_START must be set for a one-line function's LINE to come
 * on 3.13 and later.
 *
 * Events are everywhere, or, where some code is left out or LINE events are slow, only the
 * entries of frames are: PY_START and PY_RESUME tell of code that runs for the first time,
 * and what is wanted of it gets the other events as its own. So what is left out costs one
 * event in all. Code on whose far lines LINE is slow is followed by INSTRUCTION instead,
 * which is taken off where no line can start (steps.h).
 */
#include "engine.h"

#include "code.h"
#include "frames.h"
#include "greenlet.h"
#include "lane.h"
#include "line_costs.h"
#include "opening.h"
#include "other_tools.h"
#include "steps.h"
#include "tiers.h"
#include "tracer.h"

#if PY_VERSION_HEX >= 0x030C0000

#include <string.h>
#include <structmember.h>

const char engine_name[] = "sys.monitoring";

typedef struct {
    PyObject_HEAD
    vectorcallfunc call;
    tracer *t; /* owned */
} callback;

#define CALLBACK_OF(self) (((callback *)(self))->t)

/*
 * Whoever replaces a callback gets ours, and may call it: with other arguments than the
 * interpreter's, or when the tracer does not run.
 */
static PyObject *refuse(PyObject *self, PyObject *const *args, size_t n, PyObject *names)
{
    (void)self, (void)args, (void)n, (void)names;
    PyErr_SetString(PyExc_TypeError, "this callback of pynytprof is for sys.monitoring to call");
    return NULL;
}

/* Where our id is another tool's by now, the interpreter may call us still: to no end. */
static PyObject *ignore(PyObject *self, PyObject *const *args, size_t n, PyObject *names)
{
    (void)self, (void)args, (void)n, (void)names;
    Py_RETURN_NONE;
}

/* Whether these are `n` arguments as the interpreter gives them: code, then what each event has. */
#define IS_EVENT(n, wanted, names) \
    LIKELY(PyVectorcall_NARGS(n) == (wanted) && !(names) && PyLong_Check(args[1]))

/* This place is none of ours, and never calls us again. */
static inline PyObject *disable(const tracer *t)
{
    return Py_NewRef(t->engine.disable);
}

/* The number in a small int, without a call. */
static inline int as_int(PyObject *number)
{
    if (LIKELY(PyUnstable_Long_IsCompact((PyLongObject *)number)))
        return (int)PyUnstable_Long_CompactValue((PyLongObject *)number);
    return (int)PyLong_AsLong(number);
}

/* What follows the kind is the same far from the code's beginning: of the offset an object is made. */
static inline enum cost_kind at_offset(enum cost_kind kind, int offset)
{
    return kind + (offset > MOST_SMALL_INT);
}

static code_info *info_of(tracer *t, PyObject *code)
{
    if (UNLIKELY(!PyCode_Check(code)))      /* other languages fire events too */
        return NULL;
    return code_info_of(t, (PyCodeObject *)code, NULL);
}

/*
 * The event's code is not at the top. True once it is; false if it is not traced, and
 * then *answer is what to return.
 */
static bool find_top(tracer *t, lane *l, PyObject *code, PyObject **answer)
{
    code_info *info = info_of(t, code);
    *answer = info && info->skip ? t->engine.disable : Py_None;
    return info && !info->skip && lane_resync(t, l, code);
}

/* ---- Lines ---- */

/* At an event that may begin a line: the lane, whose top is that code's frame; NULL: what to answer. */
static inline lane *lane_at_line(tracer *t, PyObject *code, uint64_t *now, PyObject **answer)
{
    lane *l = lane_of_this_thread(t);
    *answer = Py_None;
    if (UNLIKELY(l && l->top->key != code)) {
        l->at_line = true;
        bool found = find_top(t, l, code, answer);
        l->at_line = false;
        *now = l->since;
        return found ? l : NULL;
    }
    return l;
}

static PyObject *on_line(PyObject *self, PyObject *const *args, size_t n, PyObject *names)
{
    if (!IS_EVENT(n, 2, names))
        return refuse(self, args, n, names);
    tracer *t = CALLBACK_OF(self);
    uint64_t now = clock_read(&t->clock);
    lane *l = lane_of_this_thread(t);
    PyObject *answer;
    if (UNLIKELY(!l))
        Py_RETURN_NONE;
    if (UNLIKELY(l->top->key != args[0])) {
        if (!find_top(t, l, args[0], &answer))
            return Py_NewRef(answer);
        now = l->since;
    }
    const code_info *info = l->top->info;
    uint32_t line = code_line_index(info, as_int(args[1]));
    if (UNLIKELY(l->top->begun) && opening_met(t, l, line, now))
        return disable(t);
    lane_line_at(t, l, line, now, info->line_kinds[line]);
    Py_RETURN_NONE;
}

/* The same where lines of hot code may go without. */
static PyObject *on_line_of_tiers(PyObject *self, PyObject *const *args, size_t n, PyObject *names)
{
    if (!IS_EVENT(n, 2, names))
        return refuse(self, args, n, names);
    tracer *t = CALLBACK_OF(self);
    uint64_t now = clock_read(&t->clock);
    PyObject *answer;
    lane *l = lane_at_line(t, args[0], &now, &answer);
    if (UNLIKELY(!l))
        return Py_NewRef(answer);
    code_info *info = l->top->info;
    uint32_t line = code_line_index(info, as_int(args[1]));
    if (UNLIKELY(l->top->begun) && opening_met(t, l, line, now))
        return disable(t);
    uint8_t kind = info->line_kinds[line];
    if (UNLIKELY(kind & LINE_IS_OFF)) {
        lane_pass(t, l, now, code_line_kind(info, line));
        return disable(t);
    }
    const line_slot *started = &l->top->slots[line];
    l->top->at = 0;
    lane_line_at(t, l, line, now, kind);
    if (UNLIKELY(started->count >= info->due))
        tiers_due(t, l, (PyCodeObject *)args[0], info);
    Py_RETURN_NONE;
}

/* A block is left in its middle. */
static PyObject *on_raise(PyObject *self, PyObject *const *args, size_t n, PyObject *names)
{
    if (!IS_EVENT(n, 3, names))
        return refuse(self, args, n, names);
    lane *l = lane_here();
    if (l && l->top->key == args[0] && tier_of(l->top))
        tiers_raise(CALLBACK_OF(self), l, args[2]);
    Py_RETURN_NONE;
}

/*
 * A jump back to its own line starts the line again; all others are nothing to us, and
 * disabled.
 */
static PyObject *on_jump(PyObject *self, PyObject *const *args, size_t n, PyObject *names)
{
    if (!IS_EVENT(n, 3, names))
        return refuse(self, args, n, names);
    tracer *t = CALLBACK_OF(self);
    uint64_t now = clock_read(&t->clock);
    if (UNLIKELY(!PyCode_Check(args[0]) || !PyLong_Check(args[2])))     /* an extension's */
        return disable(t);
    int from = as_int(args[1]), to = as_int(args[2]);
    lane *l = lane_of_this_thread(t);
    PyObject *answer;
    if (to > from || UNLIKELY(!l))
        return disable(t);
    code_info *info = info_of(t, args[0]);
    if (!info || info->skip)
        return disable(t);
    PyCodeObject *code = (PyCodeObject *)args[0];
    if (!code_stays_on_line(info, code, from, to))
        return disable(t);
    uint32_t index = code_place(info, code, from);
    if (UNLIKELY(l->top->key != args[0])) {
        if (!find_top(t, l, args[0], &answer))
            return Py_NewRef(answer);
        now = l->since;
    }
    lane_line_at(t, l, index, now, COST_JUMP);
    Py_RETURN_NONE;
}

/*
 * INSTRUCTION: a line starts as LINE would tell it, where what ran before in this frame was on
 * another line, or on none.
 */
static inline PyObject *step(tracer *t, lane *l, uint32_t unit, uint64_t now, bool tiers)
{
    const code_info *info = l->top->info;
    uint32_t what = unit < info->n_steps ? info->steps[unit] : 0;
    uint32_t line = what >> STEP_LINE_SHIFT;
    bool starts = what & STEP_STARTS_LINE && line != l->top->at;
    if (what)
        l->top->at = line;
    if (!starts) {
        lane_pass(t, l, now, COST_STEP_BIG);
        return what ? Py_NewRef(Py_None) : disable(t);
    }
    lane_line_at(t, l, line - 1, now, code_line_kind(info, line - 1) + (COST_STEP - COST_LINE));
    if (tiers && UNLIKELY(l->top->slots[line - 1].count >= info->due))
        tiers_due(t, l, (PyCodeObject *)(uintptr_t)l->top->key, l->top->info);
    return Py_NewRef(Py_None);
}

static PyObject *on_instruction(PyObject *self, PyObject *const *args, size_t n, PyObject *names)
{
    if (!IS_EVENT(n, 2, names))
        return refuse(self, args, n, names);
    tracer *t = CALLBACK_OF(self);
    uint64_t now = clock_read(&t->clock);
    lane *l = lane_of_this_thread(t);
    PyObject *answer;
    if (UNLIKELY(!l))
        Py_RETURN_NONE;
    if (UNLIKELY(l->top->key != args[0])) {
        if (!find_top(t, l, args[0], &answer))
            return Py_NewRef(answer);
        now = l->since;
    }
    return step(t, l, (uint32_t)as_int(args[1]) / 2, now, false);
}

/* The same of hot code, of whose lines only some have events: what is left of its steps tells. */
static PyObject *step_of_tier(tracer *t, lane *l, uint32_t unit, uint64_t now)
{
    const code_info *info = l->top->info;
    uint8_t left = unit < info->n_steps ? info->tier->steps[unit] : LEFT_OUT;
    uint32_t line = left ? info->steps[unit] >> STEP_LINE_SHIFT : 0;
    bool starts = left == LEFT_STARTS || (left == LEFT_ASKS && line != l->top->at);
    if (left)
        l->top->at = line;
    if (!starts) {
        lane_pass(t, l, now, COST_STEP_BIG);
        return left ? Py_NewRef(Py_None) : disable(t);
    }
    lane_line_at(t, l, line - 1, now, code_line_kind(info, line - 1) + (COST_STEP - COST_LINE));
    if (UNLIKELY(l->top->slots[line - 1].count >= info->due))
        tiers_due(t, l, (PyCodeObject *)(uintptr_t)l->top->key, l->top->info);
    Py_RETURN_NONE;
}

static PyObject *on_instruction_of_tiers(PyObject *self, PyObject *const *args, size_t n,
                                         PyObject *names)
{
    if (!IS_EVENT(n, 2, names))
        return refuse(self, args, n, names);
    tracer *t = CALLBACK_OF(self);
    uint64_t now = clock_read(&t->clock);
    PyObject *answer;
    lane *l = lane_at_line(t, args[0], &now, &answer);
    if (UNLIKELY(!l))
        return Py_NewRef(answer);
    uint32_t unit = (uint32_t)as_int(args[1]) / 2;
    return tiers_are_off(l->top) && l->top->info->tier->steps ? step_of_tier(t, l, unit, now)
                                                              : step(t, l, unit, now, true);
}

/* ---- Frames ---- */

#if HAVE_RAW_FRAMES

/*
 * The offset in `code` at which the frame that called the running one is; -1: that is not
 * its frame. Between a frame and its caller's stands one of the interpreter's where C called.
 */
static int caller_offset(const void *code)
{
    const raw_frame *frame = running_frame();
    for (int step = 0; frame && step < 2; step++) {
        frame = frame->back;
        if (frame && frame_runs(frame, code))
            return frame_offset(frame);
    }
    return -1;
}

#else

static int caller_offset(const void *code)
{
    PyFrameObject *frame = PyEval_GetFrame();
    PyFrameObject *back = frame ? PyFrame_GetBack(frame) : NULL;
    PyCodeObject *of = back ? PyFrame_GetCode(back) : NULL;
    int offset = of && of == code ? PyFrame_GetLasti(back) : -1;
    Py_XDECREF(of);
    Py_XDECREF(back);
    return offset;
}

#endif

/* With stmts=0 nobody has told where the caller is: its frame knows. */
static void place_caller(lane *l)
{
    activation *top = l->top;
    if (top == l->stack || !top->info)
        return;
    int offset = caller_offset(top->key);
    if (offset >= 0)
        top->slot = &top->slots[code_place(top->info, (PyCodeObject *)(uintptr_t)top->key, offset)];
}

/*
 * Whether a frame that goes on at `offset` may do so with the start of a line, even the one it
 * stands on: where the next instruction can start one. Where something is thrown, it stands
 * before that instruction from 3.13 on, and at it before.
 */
static inline bool begins_line(const code_info *info, int offset, bool thrown)
{
    uint32_t next = (uint32_t)offset / 2 + 1;
    if (thrown)
        return PY_VERSION_HEX >= 0x030D0000;
    return next < info->n_steps && info->steps[next] & STEP_STARTS_LINE;
}

/* ---- Coroutines ---- */

/* Where the running frame is, if it runs that code; NULL: it does not. */
static const void *frame_of(const PyObject *code)
{
#if HAVE_RAW_FRAMES
    const raw_frame *frame = running_frame();
    return frame && frame_runs(frame, code) ? frame : NULL;
#else
    (void)code;
    return PyEval_GetFrame();
#endif
}

/* A value that an asynchronous generator has made for whoever iterates, not one that it awaits. */
static bool is_made_by_generator(const PyObject *value)
{
    return strcmp(Py_TYPE(value)->tp_name, "async_generator_wrapped_value") == 0;
}

/* The coroutine at the top is suspended, as PY_YIELD tells: code, offset, value. */
static void suspend(tracer *t, const lane *l, PyObject *const *args)
{
    code_info *info = l->top->info;
    const void *frame = is_made_by_generator(args[2]) ? NULL : frame_of(args[0]);
    if (!frame)
        return;
    uint32_t index = code_place(info, (PyCodeObject *)args[0], as_int(args[1]));
    awaits_suspend(&t->awaits, frame, info->file, (uint32_t)info->lines[index],
                   clock_read(&t->clock));
}

/* The frame at the top is suspended: its units of work wait with it. */
static inline void hold_units(tracer *t, const lane *l, const PyObject *code)
{
    if (LIKELY(!l || l->top->key != code || !l->top->unit))
        return;
    const void *frame = frame_of(code);
    if (frame && !units_hold(&t->units, frame, l->top->unit))
        trace_fail(t);
}

/* The frame at the top begins, or goes on with the units that it has. */
static inline void meet_units(tracer *t, lane *l, const PyObject *code, bool begins)
{
    const void *frame = l->top->key == code ? frame_of(code) : NULL;
    if (frame && begins)
        units_take(&t->units, frame);
    else if (frame)
        lane_resume_units(t, l, frame);
}

/* A coroutine begins, or goes on. A unit of work that is one is counted when it begins. */
static void meet_coroutine(tracer *t, lane *l, PyObject *code, const code_info *info, int offset,
                           uint64_t now)
{
    if (offset < 0) {
        awaits_begin(&t->awaits, frame_of(code));
        return;
    }
    awaits_resume(&t->awaits, frame_of(code), now);
    if (info->unit && l->top->key == code)
        lane_uncount(t, l);
}

/* Of a coroutine that the program traces. */
static inline bool is_awaiting(const lane *l, const PyObject *code)
{
    return l && l->top->key == code && UNLIKELY(l->top->info->awaits);
}

/* What is kept of the frame at the top until it goes on; of PY_YIELD, before it is left. */
static inline void note_suspension(tracer *t, PyObject *const *args)
{
    const lane *l = lane_here();
    if (is_awaiting(l, args[0]))
        suspend(t, l, args);
    hold_units(t, l, args[0]);
}

/* The frame at the top begins. */
static inline void begin_lines(const tracer *t, lane *l, const PyObject *code, bool tiers)
{
    code_info *info = l->top->info;
    if (info->opening != OPENING_NONE)
        opening_begin(t, l, info, code);
    if (tiers && tiers_are_off(l->top))
        tiers_start(l);
}

/* A frame begins, or goes on at `offset` (-1: begins). */
static inline PyObject *enter(PyObject *self, PyObject *code, int offset, bool may_disable,
                              bool tiers)
{
    tracer *t = CALLBACK_OF(self);
    uint64_t now = clock_read(&t->clock);
    lane *l = lane_of_this_thread(t);
    uint64_t since = l ? l->since : 0;
    code_info *info = info_of(t, code);
    if (UNLIKELY(!l || !info || info->skip))
        return info && info->skip && may_disable ? disable(t) : Py_NewRef(Py_None);
    now = lane_later(l, now, since);
    if (UNLIKELY(!t->options.stmts) && !l->top->c)
        place_caller(l);
    enum cost_kind resume = at_offset(COST_RESUME, offset);
    bool entered = tiers && tiers_are_off(l->top)
                       ? lane_enter_from(t, l, code, info, info->sub, now,
                                         offset < 0 ? COST_HOT_ENTER : resume,
                                         tiers_caller_line(l->top))
                       : lane_enter(t, l, code, info, info->sub, now,
                                    offset < 0 ? COST_ENTER : resume);
    if (LIKELY(entered) && offset >= 0) {
        uint32_t index = code_place(info, (PyCodeObject *)code, offset);
        l->top->slot = &l->top->slots[index];
        l->top->at = begins_line(info, offset, !may_disable) ? 0 : index + 1;
    } else if (entered && t->options.stmts) {
        begin_lines(t, l, code, tiers);
    }
    if (UNLIKELY(t->units.n_open))
        meet_units(t, l, code, offset < 0);
    if (UNLIKELY(info->awaits))
        meet_coroutine(t, l, code, info, offset, now);
    Py_RETURN_NONE;
}

static PyObject *on_start(PyObject *self, PyObject *const *args, size_t n, PyObject *names)
{
    if (!IS_EVENT(n, 2, names))
        return refuse(self, args, n, names);
    return enter(self, args[0], -1, true, false);
}

static PyObject *on_resume(PyObject *self, PyObject *const *args, size_t n, PyObject *names)
{
    if (!IS_EVENT(n, 2, names))
        return refuse(self, args, n, names);
    return enter(self, args[0], as_int(args[1]), true, false);
}

static PyObject *on_throw(PyObject *self, PyObject *const *args, size_t n, PyObject *names)
{
    if (!IS_EVENT(n, 3, names))
        return refuse(self, args, n, names);
    return enter(self, args[0], as_int(args[1]), false, false);
}

static PyObject *on_start_of_tiers(PyObject *self, PyObject *const *args, size_t n, PyObject *names)
{
    if (!IS_EVENT(n, 2, names))
        return refuse(self, args, n, names);
    return enter(self, args[0], -1, true, true);
}

static PyObject *on_resume_of_tiers(PyObject *self, PyObject *const *args, size_t n,
                                    PyObject *names)
{
    if (!IS_EVENT(n, 2, names))
        return refuse(self, args, n, names);
    return enter(self, args[0], as_int(args[1]), true, true);
}

static PyObject *on_throw_of_tiers(PyObject *self, PyObject *const *args, size_t n, PyObject *names)
{
    if (!IS_EVENT(n, 3, names))
        return refuse(self, args, n, names);
    return enter(self, args[0], as_int(args[1]), false, true);
}

/* PY_UNWIND may not be disabled. */
static inline PyObject *leave(PyObject *self, PyObject *code, enum cost_kind kind)
{
    tracer *t = CALLBACK_OF(self);
    uint64_t now = clock_read(&t->clock);
    lane *l = lane_of_this_thread(t);
    if (UNLIKELY(!l))
        Py_RETURN_NONE;
    if (LIKELY(l->top->key == code)) {
        lane_leave(t, l, now, kind);
        Py_RETURN_NONE;
    }
    code_info *info = info_of(t, code);
    if (info && !info->skip && lane_resync(t, l, code))
        lane_leave(t, l, l->since, kind);
    return info && info->skip && kind != COST_UNWIND ? disable(t) : Py_NewRef(Py_None);
}

static PyObject *on_yield(PyObject *self, PyObject *const *args, size_t n, PyObject *names)
{
    if (!IS_EVENT(n, 3, names))
        return refuse(self, args, n, names);
    note_suspension(CALLBACK_OF(self), args);
    return leave(self, args[0], at_offset(COST_LEAVE, as_int(args[1])));
}

static PyObject *leave_of_tiers(PyObject *self, PyObject *code, enum cost_kind kind)
{
    lane *l = lane_of_this_thread(CALLBACK_OF(self));
    if (!l)
        Py_RETURN_NONE;
    l->leaving = true;
    PyObject *answer = leave(self, code, kind);
    l->leaving = false;
    return answer;
}

/* PY_RETURN, PY_YIELD */
static PyObject *on_leave(PyObject *self, PyObject *const *args, size_t n, PyObject *names)
{
    if (!IS_EVENT(n, 3, names))
        return refuse(self, args, n, names);
    return leave(self, args[0], at_offset(COST_LEAVE, as_int(args[1])));
}

static PyObject *on_leave_of_tiers(PyObject *self, PyObject *const *args, size_t n, PyObject *names)
{
    if (!IS_EVENT(n, 3, names))
        return refuse(self, args, n, names);
    return leave_of_tiers(self, args[0], at_offset(COST_LEAVE, as_int(args[1])));
}

static PyObject *on_yield_of_tiers(PyObject *self, PyObject *const *args, size_t n, PyObject *names)
{
    if (!IS_EVENT(n, 3, names))
        return refuse(self, args, n, names);
    note_suspension(CALLBACK_OF(self), args);
    return leave_of_tiers(self, args[0], at_offset(COST_LEAVE, as_int(args[1])));
}

/* The frame at the top may not have come to its first line. */
static inline void unwind_opening(PyObject *const *args)
{
    const lane *l = lane_here();
    if (l && l->top->key == args[0])
        opening_take_back(l->top, as_int(args[1]));
}

static PyObject *on_unwind(PyObject *self, PyObject *const *args, size_t n, PyObject *names)
{
    if (!IS_EVENT(n, 3, names))
        return refuse(self, args, n, names);
    unwind_opening(args);
    return leave(self, args[0], COST_UNWIND);
}

static PyObject *on_unwind_of_tiers(PyObject *self, PyObject *const *args, size_t n,
                                    PyObject *names)
{
    if (!IS_EVENT(n, 3, names))
        return refuse(self, args, n, names);
    unwind_opening(args);
    return leave_of_tiers(self, args[0], COST_UNWIND);
}

/* ---- C functions ---- */

/*
 * A call of a class or another object is no sub of its own, but the event has its
 * cost, which the line must not bear.
 */
static PyObject *pass_over(const tracer *t, lane *l, int offset, uint64_t now)
{
    if (LIKELY(l && l->top != l->stack)) {
        activation *top = l->top;
        line_slot *slot = top->slot ? top->slot : top->slots;
        slot->time += lane_charge(&t->costs, l, now, at_offset(COST_OTHER, offset));
    }
    Py_RETURN_NONE;
}

/* The same, begun or ended, where lines of hot code may go without events: it tells the line. */
static PyObject *pass_over_of_tiers(const tracer *t, lane *l, PyObject *const *args, bool ended,
                                    uint64_t now)
{
    int offset = as_int(args[1]);
    activation *top = l ? l->top : NULL;
    if (!top || top == l->stack || top->key != args[0] || !tier_of(top))
        return pass_over(t, l, offset, now);
    line_slot *slot = top->slot ? top->slot : top->slots;
    uint64_t time = lane_charge(&t->costs, l, now, at_offset(COST_OTHER, offset));
    slot->time += time;
    if (ended && top->slot)
        tiers_own_time(top, time);
    else if (tiers_are_off(top))
        top->slot = &top->slots[code_place(top->info, (PyCodeObject *)args[0], offset)];
    Py_RETURN_NONE;
}

/* A call of a Python function, which will tell of itself. */
static inline PyObject *pass_by(const tracer *t, int offset)
{
    lane *l = offset > MOST_SMALL_INT ? lane_here() : NULL;
    if (l && l->top != l->stack)
        lane_owe(&t->costs, l, COST_CALL_BIG);
    Py_RETURN_NONE;
}

static inline PyObject *c_enter(PyObject *self, PyObject *const *args, bool tiers)
{
    PyMethodDef *method;
    tracer *t = CALLBACK_OF(self);
    uint64_t now = clock_read(&t->clock);
    int offset = as_int(args[1]);
    if (PyFunction_Check(args[2]) || PyMethod_Check(args[2]))
        return pass_by(t, offset);
    lane *l = lane_of_this_thread(t);
    PyObject *answer;
    if (!code_c_function(args[2], args[3] != t->engine.missing, &method))
        return tiers ? pass_over_of_tiers(t, l, args, false, now) : pass_over(t, l, offset, now);
    if (UNLIKELY(!l))
        Py_RETURN_NONE;
    if (UNLIKELY(l->top->key != args[0])) {
        if (!find_top(t, l, args[0], &answer))
            return Py_NewRef(answer);
        now = l->since;
    }
    uint64_t since = l->since;
    int64_t sub = code_c_sub(t, args[2], method);
    if (UNLIKELY(sub < 0))
        Py_RETURN_NONE;
    now = lane_later(l, now, since);
    if (UNLIKELY(!t->options.stmts) && PyCode_Check(args[0])) {
        code_info *info = l->top->info;
        l->top->slot = &l->top->slots[code_place(info, (PyCodeObject *)args[0], offset)];
    }
    if (tiers && tiers_are_off(l->top)) {
        uint32_t line = code_place(l->top->info, (PyCodeObject *)args[0], offset);
        lane_enter_from(t, l, method, NULL, (uint32_t)sub, now, at_offset(COST_HOT_C_ENTER, offset),
                        line);
    } else {
        lane_enter(t, l, method, NULL, (uint32_t)sub, now, at_offset(COST_C_ENTER, offset));
    }
    Py_RETURN_NONE;
}

/* CALL: of anything; Python functions will tell of themselves. */
static PyObject *on_call(PyObject *self, PyObject *const *args, size_t n, PyObject *names)
{
    return IS_EVENT(n, 4, names) ? c_enter(self, args, false) : refuse(self, args, n, names);
}

static PyObject *on_call_of_tiers(PyObject *self, PyObject *const *args, size_t n, PyObject *names)
{
    return IS_EVENT(n, 4, names) ? c_enter(self, args, true) : refuse(self, args, n, names);
}

/* C_RETURN, C_RAISE: of anything that is no Python function. */
static inline PyObject *c_leave(PyObject *self, PyObject *const *args, bool tiers)
{
    PyMethodDef *method;
    tracer *t = CALLBACK_OF(self);
    uint64_t now = clock_read(&t->clock);
    lane *l = lane_of_this_thread(t);
    if (!code_c_function(args[2], true, &method))
        return tiers ? pass_over_of_tiers(t, l, args, true, now)
                     : pass_over(t, l, as_int(args[1]), now);
    if (LIKELY(l && l->top->c && l->top->key == method)) {
        const activation *left = l->top;
        uint64_t time = lane_leave(t, l, now, at_offset(COST_C_LEAVE, as_int(args[1])));
        if (tiers)
            tiers_own_time(left, time);
    }
    Py_RETURN_NONE;
}

static PyObject *on_c_leave(PyObject *self, PyObject *const *args, size_t n, PyObject *names)
{
    return IS_EVENT(n, 4, names) ? c_leave(self, args, false) : refuse(self, args, n, names);
}

static PyObject *on_c_leave_of_tiers(PyObject *self, PyObject *const *args, size_t n,
                                     PyObject *names)
{
    return IS_EVENT(n, 4, names) ? c_leave(self, args, true) : refuse(self, args, n, names);
}

/* ---- The callback type ---- */

static int callback_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(CALLBACK_OF(self));
    return 0;
}

static void callback_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_CLEAR(CALLBACK_OF(self));
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMemberDef callback_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(callback, call), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot callback_slots[] = {
    {Py_tp_call, (void *)PyVectorcall_Call},
    {Py_tp_traverse, (void *)callback_traverse},
    {Py_tp_dealloc, (void *)callback_dealloc},
    {Py_tp_members, callback_members},
    {0, NULL},
};

static PyType_Spec callback_spec = {
    .name = "pynytprof._ctrace._Callback",
    .basicsize = sizeof(callback),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = callback_slots,
};

/* ---- Our id, our callbacks and events ---- */

/* Which option wants an event; and whether code can have it for itself alone. */
enum { FOR_STMTS = 1, FOR_C = 2, LOCAL = 4, FOR_STEPS = 8, FOR_TIERS = 16 };

/*
 * Exceptions are local from 3.15 on. Set for all code they end that version with a segmentation
 * fault where there is no memory for code that runs for the first time.
 */
#if PY_VERSION_HEX >= 0x030F0000
enum { EXCEPTION = LOCAL };
#else
enum { EXCEPTION = 0 };
#endif

static const struct {
    const char *event;
    vectorcallfunc call, call_of_tiers;
    int when;
} wanted[] = {
    {"PY_START", on_start, on_start_of_tiers, 0},
    {"PY_RESUME", on_resume, on_resume_of_tiers, 0},
    {"PY_THROW", on_throw, on_throw_of_tiers, 0},
    {"PY_UNWIND", on_unwind, on_unwind_of_tiers, EXCEPTION},
    {"PY_RETURN", on_leave, on_leave_of_tiers, LOCAL},
    {"PY_YIELD", on_yield, on_yield_of_tiers, LOCAL},
    {"RAISE", NULL, on_raise, EXCEPTION | FOR_TIERS},
    {"LINE", on_line, on_line_of_tiers, LOCAL | FOR_STMTS},
    {"JUMP", on_jump, on_jump, LOCAL | FOR_STMTS},
    {"INSTRUCTION", on_instruction, on_instruction_of_tiers, LOCAL | FOR_STMTS | FOR_STEPS},
    {"CALL", on_call, on_call_of_tiers, LOCAL | FOR_C},
    {"C_RETURN", on_c_leave, on_c_leave_of_tiers, LOCAL | FOR_C},
    {"C_RAISE", on_c_leave, on_c_leave_of_tiers, LOCAL | FOR_C},
};
enum { N_WANTED = sizeof wanted / sizeof *wanted };

static bool is_wanted(const tracer *t, size_t i)
{
    return !((wanted[i].when & FOR_STMTS && !t->options.stmts) ||
             (wanted[i].when & FOR_C && !(t->options.slowops && t->options.subs)) ||
             (wanted[i].when & FOR_STEPS && !t->engine.local) ||
             (wanted[i].when & FOR_TIERS && !tiers_wanted(t)));
}

/* The bit of an event by name: numbers shift between versions. */
static long event_bit(PyObject *monitoring, const char *name)
{
    PyObject *events = PyObject_GetAttrString(monitoring, "events");
    PyObject *bit = events ? PyObject_GetAttrString(events, name) : NULL;
    long value = bit ? PyLong_AsLong(bit) : -1;
    Py_XDECREF(bit);
    Py_XDECREF(events);
    return value;
}

static int register_callback(tracer *t, PyObject *monitoring, long bit, PyObject *call)
{
    PyObject *old = PyObject_CallMethod(monitoring, "register_callback", "ilO", t->engine.tool_id,
                                        bit, call);
    Py_XDECREF(old);
    return old ? 0 : -1;
}

/* A callback, which `t` keeps as long as it may be called. */
static PyObject *callback_new(tracer *t, PyTypeObject *type, vectorcallfunc call)
{
    callback *c = PyObject_GC_New(callback, type);
    if (!c)
        return NULL;
    c->call = call;
    c->t = (tracer *)Py_NewRef((PyObject *)t);
    PyObject_GC_Track((PyObject *)c);
    if (PyList_Append(t->engine.callbacks, (PyObject *)c) < 0)
        Py_CLEAR(c);
    return (PyObject *)c;
}

/* Whoever else has them can't do anything with them any more. */
static void callbacks_retire(tracer *t, vectorcallfunc answer)
{
    PyObject *all = t->engine.callbacks;
    t->engine.callbacks = NULL;
    for (Py_ssize_t i = 0; all && i < PyList_GET_SIZE(all); i++)
        ((callback *)PyList_GET_ITEM(all, i))->call = answer;
    Py_XDECREF(all);
}

/*
 * Which events are everywhere, and which go with code. LINE and INSTRUCTION are set for
 * different code; and C_RETURN and C_RAISE come with CALL.
 */
static void note_event(engine_state *e, size_t i, long bit)
{
    if (!e->local || !(wanted[i].when & LOCAL))
        e->everywhere |= bit;
    if (!(wanted[i].when & LOCAL))
        return;
    if (wanted[i].when == LOCAL)
        e->ends |= bit;
    if (!(wanted[i].when & FOR_STEPS))
        e->events |= bit;
    if (wanted[i].call != on_line)
        e->step_events |= bit;
}

/* Registers all, and finds which events are where; -1 with an exception. */
static int register_all(tracer *t, PyObject *monitoring)
{
    PyTypeObject *type = (PyTypeObject *)PyType_FromSpec(&callback_spec);
    engine_state *e = &t->engine;
    bool ok = type != NULL;
    e->events = e->step_events = e->ends = e->everywhere = 0;
    for (size_t i = 0; ok && i < N_WANTED; i++) {
        if (!is_wanted(t, i))
            continue;
        long bit = event_bit(monitoring, wanted[i].event);
        vectorcallfunc function = tiers_wanted(t) ? wanted[i].call_of_tiers : wanted[i].call;
        PyObject *call = bit < 0 ? NULL : callback_new(t, type, function);
        ok = call && register_callback(t, monitoring, bit, call) == 0;
        if (ok)
            note_event(e, i, bit);
        Py_XDECREF(call);
    }
    Py_XDECREF((PyObject *)type);
    return ok ? 0 : -1;
}

/* False: somebody has put other callbacks in their place. */
static bool unregister_all(tracer *t, PyObject *monitoring)
{
    bool ours = true;
    for (size_t i = 0; i < N_WANTED; i++) {
        long bit = is_wanted(t, i) ? event_bit(monitoring, wanted[i].event) : -1;
        PyObject *old = bit < 0 ? NULL
                                : PyObject_CallMethod(monitoring, "register_callback", "ilO",
                                                      t->engine.tool_id, bit, Py_None);
        ours = ours && (!old || PySequence_Contains(t->engine.callbacks, old) == 1);
        Py_XDECREF(old);
        PyErr_Clear();
    }
    return ours;
}

static const char our_name[] = "pynytprof";

/* 4, 3, then 2: cProfile and line_profiler can do with 2 only. Who has to move takes any. */
static const int ids[] = {4, 3, 2, 5, 1, 0};
enum { AT_START = 3, N_IDS = sizeof ids / sizeof *ids };

/* Takes the first of the first `n` that is free, but not `asked_for`. */
static int take_tool_id(tracer *t, PyObject *monitoring, size_t n, int asked_for)
{
    PyObject *holders = PyUnicode_FromString("");
    for (size_t i = 0; holders && i < n; i++) {
        if (ids[i] == asked_for)
            continue;
        PyObject *holder = PyObject_CallMethod(monitoring, "get_tool", "i", ids[i]);
        if (!holder) {
            Py_CLEAR(holders);
            break;
        }
        if (holder == Py_None) {
            PyObject *ok = PyObject_CallMethod(monitoring, "use_tool_id", "is", ids[i], our_name);
            Py_DECREF(holder);
            Py_DECREF(holders);
            Py_XDECREF(ok);
            t->engine.tool_id = ok ? ids[i] : -1;
            return ok ? 0 : -1;
        }
        Py_SETREF(holders,
                  PyUnicode_FromFormat("%U%s%d: %S", holders, i ? ", " : "", ids[i], holder));
        Py_DECREF(holder);
    }
    if (holders)
        PyErr_Format(PyExc_RuntimeError, "no sys.monitoring tool id is free for pynytprof (%U)",
                     holders);
    Py_XDECREF(holders);
    return -1;
}

/* Another tool may have freed our id, and taken it. */
static bool holds_tool_id(const tracer *t, PyObject *monitoring)
{
    PyObject *holder = PyObject_CallMethod(monitoring, "get_tool", "i", t->engine.tool_id);
    bool ours = holder && PyUnicode_Check(holder) &&
                PyUnicode_CompareWithASCIIString(holder, our_name) == 0;
    Py_XDECREF(holder);
    PyErr_Clear();
    return ours;
}

static int set_events(tracer *t, PyObject *monitoring, long events)
{
    PyObject *ok = PyObject_CallMethod(monitoring, "set_events", "il", t->engine.tool_id, events);
    Py_XDECREF(ok);
    return ok ? 0 : -1;
}

/* Places that an earlier tracer has disabled call again; harmless to other tools. */
static int restart_events(PyObject *monitoring)
{
    PyObject *ok = PyObject_CallMethod(monitoring, "restart_events", NULL);
    Py_XDECREF(ok);
    return ok ? 0 : -1;
}

/* ---- Code by code ---- */

static tracer *unobserved;      /* borrowed; NULL: none that minds other tools */

/*
 * Another tool is about to come. The versions that follow instructions then forget who is to be
 * told of one: so LINE tells of all lines again. It does so of hot code, too.
 */
static void other_tool_comes(void)
{
    engine_state *e = &unobserved->engine;
    other_tools_watch(NULL);
    if (e->steps)
        local_events_change(&e->by_step, e->events);
    e->steps = false;
    tiers_end(unobserved);
}

static bool wants_steps(tracer *t, PyCodeObject *code, code_info *info)
{
    if (!t->engine.steps || !(info->steps || steps_are_better(info, code)))
        return false;
    bool ok = steps_find(info, code);
    swallow_error();
    if (ok && unobserved != t) {
        unobserved = t;
        ok = t->engine.steps = other_tools_watch(other_tool_comes);
    }
    return ok;
}

/* Code that runs for the first time since the start: what is left out has no events. */
static int watch(tracer *t, PyCodeObject *code, code_info *info)
{
    engine_state *e = &t->engine;
    if (info->skip)
        return 0;
    if (!wants_steps(t, code, info))
        return local_events_set(&e->by_line, code, e->events);
    int rc = local_events_set(&e->by_step, code, e->step_events);
    if (rc == 0)
        steps_thin_events(info, code, e->tool_id);
    return rc;
}

/* Not all that is set is shown: C_RETURN and C_RAISE come with CALL. -1: an error. */
static long events_shown(const tracer *t, PyObject *monitoring)
{
    PyObject *set = PyObject_CallMethod(monitoring, "get_events", "i", t->engine.tool_id);
    long events = set ? PyLong_AsLong(set) : -1;
    Py_XDECREF(set);
    PyErr_Clear();
    return events;
}

/* Of extensions' code the ends must be told as the starts are, or what follows were called by it. */
static int watch_unframed(tracer *t)
{
    engine_state *e = &t->engine;
    PyObject *monitoring = PySys_GetObject("monitoring");
    if ((e->everywhere & e->ends) == e->ends || !monitoring)
        return 0;
    e->everywhere |= e->ends;
    int rc = set_events(t, monitoring, e->everywhere);
    e->shown = events_shown(t, monitoring);
    return rc;
}

/* The code of frames that are open in any thread: no event will tell of it. */
static int watch_open_frames(tracer *t)
{
    const uint64_t failures = t->failures;
    PyThreadState *thread = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    for (; thread; thread = PyThreadState_Next(thread)) {
        bool passed_over = thread == PyThreadState_Get() && !t->engine.open_frames;
        PyFrameObject *frame = passed_over ? NULL : PyThreadState_GetFrame(thread);
        while (frame && t->failures == failures) {
            PyCodeObject *code = PyFrame_GetCode(frame);
            PyObject *globals = PyFrame_GetGlobals(frame);
            code_info_of(t, code, globals);
            Py_XDECREF(globals);
            Py_DECREF(code);
            PyFrameObject *back = PyFrame_GetBack(frame);
            Py_SETREF(frame, back);
        }
        Py_XDECREF(frame);
    }
    return t->failures == failures ? 0 : -1;
}

static bool leaves_code_out(const trace_options *o)
{
    return PyTuple_GET_SIZE(o->include) || PyTuple_GET_SIZE(o->exclude) ||
           PyTuple_GET_SIZE(o->exclude_prefixes);
}

static int watch_begin(tracer *t, PyObject *monitoring)
{
    engine_state *e = &t->engine;
    if (!e->local)
        return 0;
    t->codes.epoch++;
    e->steps = t->options.stmts && steps_may_be_better() &&
               !other_tools_here(monitoring, e->tool_id);
    if (local_events_begin(&e->by_line, monitoring, e->tool_id) < 0 ||
        local_events_begin(&e->by_step, monitoring, e->tool_id) < 0)
        return -1;
    e->watch = watch;
    e->watch_unframed = watch_unframed;
    if (tiers_wanted(t)) {
        bool alone = !other_tools_here(monitoring, e->tool_id) && !greenlets_look();
        if (alone && unobserved != t) {
            unobserved = t;
            alone = other_tools_watch(other_tool_comes);
        }
        tiers_begin(t, alone);
    }
    return watch_open_frames(t);
}

static void watch_end(tracer *t)
{
    t->engine.watch = NULL;
    t->engine.watch_unframed = NULL;
    tiers_end(t);
    if (unobserved == t) {
        other_tools_watch(NULL);
        unobserved = NULL;
    }
    local_events_end(&t->engine.by_line);
    local_events_end(&t->engine.by_step);
}

/* ---- With our id, and without ---- */

static int events_begin(tracer *t, PyObject *monitoring)
{
    t->engine.local = leaves_code_out(&t->options) || steps_may_be_better() || tiers_wanted(t);
    openings_begin(t);
    return register_all(t, monitoring) < 0 || restart_events(monitoring) < 0 ||
                   set_events(t, monitoring, t->engine.everywhere) < 0 ||
                   watch_begin(t, monitoring) < 0
               ? -1
               : 0;
}

/* What is another tool's by now stays so. */
static void detach(tracer *t, PyObject *monitoring)
{
    bool lost = t->engine.tool_id >= 0 && !holds_tool_id(t, monitoring);
    if (lost) {
        watch_end(t);
        t->engine.disturbed = true;
    } else if (t->engine.tool_id >= 0) {
        if (events_shown(t, monitoring) != t->engine.shown)
            t->engine.disturbed = true;
        set_events(t, monitoring, 0);
        PyErr_Clear();
        watch_end(t);
        if (!unregister_all(t, monitoring))
            t->engine.disturbed = true;
        PyObject *ok = PyObject_CallMethod(monitoring, "free_tool_id", "i", t->engine.tool_id);
        PyErr_Clear();
        Py_XDECREF(ok);
    }
    t->engine.tool_id = -1;
    callbacks_retire(t, lost ? ignore : refuse);
}

static int attach(tracer *t, PyObject *monitoring, size_t n_ids, int asked_for)
{
    t->engine.callbacks = PyList_New(0);
    if (!t->engine.callbacks || take_tool_id(t, monitoring, n_ids, asked_for) < 0) {
        Py_CLEAR(t->engine.callbacks);
        return -1;
    }
    if (events_begin(t, monitoring) == 0) {
        t->engine.shown = events_shown(t, monitoring);
        return 0;
    }
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    detach(t, monitoring);
    PyErr_Restore(type, value, traceback);
    return -1;
}

/* ---- A program that asks for our id by its number ---- */

typedef PyObject *fast_function(PyObject *, PyObject *const *, Py_ssize_t);

static PyMethodDef *use_tool_id;        /* sys.monitoring's; NULL: not found */
static PyCFunction original;
static tracer *at_work;                 /* borrowed */
static PyInterpreterState *home;

/* It gets it, as without us: we move to another one, or where there is none, are gone. */
static PyObject *watched_use_tool_id(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    PyObject *monitoring = PySys_GetObject("monitoring");
    tracer *t = at_work;
    if (t && monitoring && PyInterpreterState_Get() == home && n == 2 && PyLong_Check(args[0]) &&
        t->engine.tool_id >= 0 && as_int(args[0]) == t->engine.tool_id) {
        int asked_for = t->engine.tool_id;
        Py_INCREF(monitoring);
        detach(t, monitoring);
        at_work = NULL;                 /* what follows is our own call */
        if (attach(t, monitoring, N_IDS, asked_for) < 0)
            t->engine.disturbed = true;
        at_work = t;
        PyErr_Clear();
        Py_DECREF(monitoring);
    }
    return ((fast_function *)(void (*)(void))original)(self, args, n);
}

static void watch_ids(tracer *t, PyObject *monitoring)
{
    PyModuleDef *def = PyModule_Check(monitoring) ? PyModule_GetDef(monitoring) : NULL;
    PyMethodDef *m = def ? def->m_methods : NULL;
    while (m && m->ml_name && strcmp(m->ml_name, "use_tool_id") != 0)
        m++;
    at_work = t;
    home = PyInterpreterState_Get();
    if (!m || !m->ml_name || m->ml_flags != METH_FASTCALL || use_tool_id)
        return;
    use_tool_id = m;
    original = m->ml_meth;
    m->ml_meth = (PyCFunction)(void (*)(void))watched_use_tool_id;
}

static void unwatch_ids(void)
{
    if (use_tool_id)
        use_tool_id->ml_meth = original;
    use_tool_id = NULL;
    at_work = NULL;
}

/* ---- Start and stop ---- */

int engine_start(tracer *t)
{
    PyObject *monitoring = PySys_GetObject("monitoring");
    if (!monitoring) {
        PyErr_SetString(PyExc_RuntimeError, "sys.monitoring is gone");
        return -1;
    }
    Py_INCREF(monitoring);
    Py_XSETREF(t->engine.disable, PyObject_GetAttrString(monitoring, "DISABLE"));
    Py_XSETREF(t->engine.missing, PyObject_GetAttrString(monitoring, "MISSING"));
    int rc = -1;
    if (t->engine.disable && t->engine.missing)
        rc = attach(t, monitoring, AT_START, -1);
    if (rc == 0)
        watch_ids(t, monitoring);
    Py_DECREF(monitoring);
    return rc;
}

void engine_stop(tracer *t)
{
    PyObject *monitoring = PySys_GetObject("monitoring");
    unwatch_ids();
    if (!monitoring)
        return;
    Py_INCREF(monitoring);
    detach(t, monitoring);
    Py_DECREF(monitoring);
}

bool engine_disturbed(const tracer *t)
{
    PyObject *monitoring = PySys_GetObject("monitoring");
    if (!t->engine.disturbed && t->engine.tool_id >= 0 && monitoring)
        return !holds_tool_id(t, monitoring) || events_shown(t, monitoring) != t->engine.shown;
    return t->engine.disturbed;
}

#endif
