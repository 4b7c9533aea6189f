/*
 * Lanes: what runs in each thread, and to whom its time goes. The engines call
 * enter, leave and line; everything else here is off the hot path.
 */
#include "lane.h"

#include "code.h"
#include "greenlet.h"
#include "tiers.h"

#include <pythread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static lane *_Atomic all_lanes;     /* a list that only grows: a signal handler walks it */
static _Atomic bool hurried;        /* by lanes_hurry_now() */
static uint64_t last_key;

/* ---- Time and activations ---- */

static inline line_slot *current_slot(activation *a)
{
    return a->slot ? a->slot : a->slots;
}

static inline void edge_account(edge *e, bool outermost, uint64_t incl, uint64_t excl)
{
    e->excl += excl;
    if (outermost) {
        e->incl += incl;
    } else {
        e->reci += incl;
        e->inner_excl += excl;
    }
}

/* Of the units of work that are open in the frame, the innermost one has its own time. */
static void units_account(lane *l, const activation *a, uint64_t incl, uint64_t excl)
{
    for (const unit_mark *m = a->unit; m; m = m->outer) {
        edge_account(m->edge, --l->active[m->sub] == 0, incl, excl);
        excl = 0;
    }
}

/*
 * What the activation has run since it was entered, or since the last settling,
 * goes to its edge and path. Returns it, inclusive.
 */
static inline uint64_t activation_account(lane *l, activation *a, bool outermost)
{
    uint64_t incl = l->elapsed - a->entered;
    uint64_t excl = incl - a->inner;
    if (a->edge) {
        a->node->excl += excl;
        if (UNLIKELY(a->unit != NULL)) {
            units_account(l, a, incl, excl);
            excl = 0;
        }
        edge_account(a->edge, outermost, incl, excl);
    }
    return incl;
}

static inline void caller_account(activation *caller, const activation *a, uint64_t incl)
{
    caller->inner += incl;
    if (!a->c && caller->slot)
        caller->slot->calls += incl;
}

uint64_t lane_leave(tracer *t, lane *l, uint64_t now, enum cost_kind kind)
{
    activation *a = l->top;
    uint64_t time = lane_charge(&t->costs, l, now, kind);
    current_slot(a)->time += time;
    l->active[a->sub]--;
    caller_account(a - 1, a, activation_account(l, a, l->active[a->sub] == 0));
    l->top = a - 1;
    if (UNLIKELY(now >= l->deadline))
        t->on_deadline(t, l);
    return time;
}

static bool lane_deepen(lane *l)
{
    size_t used = (size_t)(l->top - l->stack) + 1, cap = used * 2;
    activation *stack = realloc(l->stack, cap * sizeof *stack);
    if (!stack)
        return false;
    l->stack = stack;
    l->top = stack + used - 1;
    l->stack_end = stack + cap;
    return true;
}

static bool lane_widen(tracer *t, lane *l, uint32_t sub)
{
    size_t want = t->codes.n_subs > sub ? t->codes.n_subs : (size_t)sub + 1;
    uint32_t *active = nyt_grow(l->active, &l->active_cap, want, sizeof *active);
    if (active)
        l->active = active;
    return active != NULL;
}

/* The counters of info's lines at that place. NULL: out of memory. */
static line_slot *slots_at(code_info *info, uint32_t place)
{
    line_slot **slots = grow_by_place(info->slots, &info->slots_cap, place);
    if (!slots)
        return NULL;
    info->slots = slots;
    if (!info->slots[place])
        info->slots[place] = calloc(info->n_lines, sizeof(line_slot));
    return info->slots[place];
}

/*
 * The code runs at this place for the first time. A unit's function never runs at the place of what
 * calls it, so that it is looked at here each time: what it calls is within the unit.
 */
static NOINLINE bool find_slots(tracer *t, activation *a)
{
    if (a->info->unit)
        a->place = contexts_inside(&t->contexts, a->place, a->sub);
    a->slots = slots_at(a->info, a->place);
    return a->slots != NULL;
}

static inline uint32_t line_of_slot(const activation *a)
{
    int line = a->info->lines[a->slot - a->slots];
    return line > 0 ? (uint32_t)line : 0;
}

/* As the table of edges has it: its index plus one. */
static inline uint32_t calling_sub(const activation *caller)
{
    return (caller->unit ? caller->unit->sub : caller->sub) + 1;
}

/* A call to `sub`, which runs at that place. */
static edge *edge_from(tracer *t, const activation *caller, const code_info *callee_info,
                       uint32_t sub, uint32_t place)
{
    edge_place wanted = {.callee = sub, .context = context_at(&t->contexts, place)};
    wanted.file = caller->info ? caller->info->file : callee_info->file;
    if (caller->info) {     /* else a root: called from line 0 of its own file */
        wanted.line = line_of_slot(caller);
        wanted.caller = calling_sub(caller);
    }
    return graph_edge(&t->graph, &wanted);
}

/* As edge_from(), but looked up at the calling line first, which C functions share with their caller. */
static NOINLINE edge *edge_again(tracer *t, const activation *caller, const code_info *callee_info,
                                 uint32_t sub, uint32_t place)
{
    edge *e = caller->info ? graph_edge_from(&t->graph, caller->slot, sub) : NULL;
    if (e && e->at.caller == calling_sub(caller) &&
        e->at.context == context_at(&t->contexts, place))
        return e;
    e = edge_from(t, caller, callee_info, sub, place);
    if (e && caller->info)
        graph_remember_edge(&t->graph, caller->slot, e);
    return e;
}

/*
 * Another than was called last from this path. A function calls others in the same order again
 * and again, in which their nodes were made.
 */
static NOINLINE node *find_child(tracer *t, node *from, uint32_t sub)
{
    node *next = from->hot_child ? from->hot_child->next : NULL;
    node *n = next && next->sub == sub ? next : graph_child(&t->graph, from, sub);
    if (n != from)
        from->hot_child = n;
    return n;
}

/* Finds path and edge of a call; the ones used last from here often serve. */
static inline bool find_edge(tracer *t, activation *caller, activation *a)
{
    node *from = caller->node;
    node *n = from->hot_child;
    if (UNLIKELY(!n || n->sub != a->sub))
        n = find_child(t, from, a->sub);
    a->node = n;
    if (UNLIKELY(n == from)) {      /* folded: the node does not tell the callee */
        a->edge = edge_from(t, caller, a->info, a->sub, a->place);
    } else if (UNLIKELY(!n->hot_edge || n->hot_slot != caller->slot)) {
        a->edge = edge_again(t, caller, a->info, a->sub, a->place);
        n->hot_edge = a->edge;
        n->hot_slot = caller->slot;
    } else {
        a->edge = n->hot_edge;
    }
    return a->edge != NULL;
}

/* Puts a frame, or a C function (info NULL), on the stack. Charges nothing. */
static bool lane_push(tracer *t, lane *l, const void *key, code_info *info, uint32_t sub,
                      bool counted)
{
    if (UNLIKELY(l->top + 1 == l->stack_end) && !lane_deepen(l))
        return false;
    if (UNLIKELY(sub >= l->active_cap) && !lane_widen(t, l, sub))
        return false;
    activation *caller = l->top, *a = caller + 1;
    a->key = key;
    a->sub = sub;
    a->at = 0;
    a->place = caller->place;
    a->c = info == NULL;
    a->begun = false;
    a->quiet = false;
    a->entered = l->elapsed;
    a->inner = 0;
    a->edge = NULL;
    a->unit = NULL;
    if (a->c) {
        a->info = caller->info;
        a->slots = caller->slots;
        a->slot = caller->slot;
    } else {
        a->info = info;
        a->slot = NULL;
        a->slots = a->place < info->slots_cap ? info->slots[a->place] : NULL;
        if (UNLIKELY(!a->slots) && !find_slots(t, a))
            return false;
    }
    if (t->options.subs && UNLIKELY(!find_edge(t, caller, a)))
        return false;
    uint32_t below = l->active[sub]++;
    if (counted && a->edge) {
        a->edge->count++;
        a->edge->inner += below > 0;
        if (below > a->edge->depth)
            a->edge->depth = below;
    }
    l->top = a;
    return true;
}

/* Puts it on the stack once the caller has its time. */
static inline bool lane_begin_call(tracer *t, lane *l, const void *key, code_info *info,
                                   uint32_t sub, uint64_t now)
{
    if (UNLIKELY(!lane_push(t, l, key, info, sub, true))) {
        trace_fail(t);
        return false;
    }
    if (UNLIKELY(now >= l->deadline))
        t->on_deadline(t, l);
    return true;
}

bool lane_enter_from(tracer *t, lane *l, const void *key, code_info *info, uint32_t sub,
                     uint64_t now, enum cost_kind kind, uint32_t line)
{
    activation *caller = l->top;
    current_slot(caller)->time += lane_charge(&t->costs, l, now, kind);
    caller->slot = &caller->slots[line];
    return lane_begin_call(t, l, key, info, sub, now);
}

bool lane_enter(tracer *t, lane *l, const void *key, code_info *info, uint32_t sub, uint64_t now,
                enum cost_kind kind)
{
    activation *caller = l->top;
    if (UNLIKELY(caller == l->stack)) {
        if (info == NULL)
            return true;
        if (l->run != t->run)
            lane_find_frames(t, l, false);
        l->since = now;         /* the time before was nobody's */
    } else {
        if (!caller->slot)
            caller->slot = caller->slots;
        caller->slot->time += lane_charge(&t->costs, l, now, kind);
    }
    return lane_begin_call(t, l, key, info, sub, now);
}

void lane_uncount(const tracer *t, lane *l)
{
    const activation *a = l->top;
    if (!t->options.subs || !a->edge || a->edge->count == 0)
        return;
    a->edge->count--;
    a->edge->inner -= l->active[a->sub] > 1 && a->edge->inner > 0;
}

void lane_place(lane *l, int line)
{
    activation *a = l->top;
    if (a->info) {
        uint32_t index = code_line_index(a->info, line);
        a->slot = &a->slots[index];
        a->at = PY_VERSION_HEX < 0x030C0000 ? 0 : index + 1;
    }
}

/* ---- Out of step ---- */

bool lane_unwind_to(tracer *t, lane *l, const void *key, uint64_t now)
{
    activation *a = l->top;
    while (a > l->stack && a->key != key)
        a--;
    if (a == l->stack)
        return false;
    while (l->top != a)
        lane_leave(t, l, now, COST_LEAVE);
    return true;
}

void lane_drop_stack(tracer *t, lane *l, uint64_t now)
{
    while (l->top != l->stack)
        lane_leave(t, l, now, COST_LEAVE);
}

/* The frame's code_info; NULL: no memory. */
static code_info *info_of_frame(tracer *t, PyFrameObject *frame)
{
    PyCodeObject *code = PyFrame_GetCode(frame);
    PyObject *globals = frame_globals(frame);
    code_info *info = code_info_of(t, code, globals);
    Py_XDECREF(globals);
    Py_DECREF(code);            /* the frame keeps it */
    return info;
}

static bool push_open_frame(tracer *t, lane *l, PyFrameObject *frame)
{
    code_info *info = info_of_frame(t, frame);
    if (!info || info->skip)
        return info != NULL;
    PyCodeObject *code = PyFrame_GetCode(frame);
    bool ok = lane_push(t, l, engine_key(frame, code), info, info->sub, false);
    Py_DECREF(code);
    if (ok) {
        lane_place(l, PyFrame_GetLineNumber(frame));
        tiers_found(t, l, frame);
    }
    return ok;
}

/*
 * The open frames from `frame` outwards, as a new list. Where frames of our own
 * package have called the program, what called them is not the program's.
 */
static PyObject *open_frames(tracer *t, PyFrameObject *frame)
{
    PyObject *open = PyList_New(0);
    bool ok = open != NULL, program = false;
    Py_XINCREF(frame);
    while (ok && frame) {
        code_info *info = info_of_frame(t, frame);
        bool ours = info && t->files.list[info->file].hidden;
        if (ours && program)
            break;
        program = program || !ours;
        ok = info && PyList_Append(open, (PyObject *)frame) == 0;
        Py_SETREF(frame, PyFrame_GetBack(frame));
    }
    Py_XDECREF(frame);
    if (!ok)
        Py_CLEAR(open);
    return open;
}

void lane_find_frames(tracer *t, lane *l, bool with_current)
{
    l->run = t->run;
    PyFrameObject *frame = PyEval_GetFrame();
    if (frame && !with_current) {
        frame = PyFrame_GetBack(frame);
        Py_XDECREF(frame);          /* the current one keeps it */
    }
    PyObject *open = open_frames(t, frame);
    bool ok = open != NULL;
    for (Py_ssize_t i = ok ? PyList_GET_SIZE(open) : 0; ok && i-- > 0;)
        ok = push_open_frame(t, l, (PyFrameObject *)PyList_GET_ITEM(open, i));
    Py_XDECREF(open);
    if (!ok)
        trace_fail(t);
    l->wait_ns = WAIT_UNKNOWN;
    l->since = clock_read(&t->clock);
}

bool lane_resync(tracer *t, lane *l, const void *key)
{
    uint64_t now = clock_read(&t->clock);
    greenlets_look();
    if (l->run == t->run) {
        if (l->top != l->stack)
            t->lanes.resyncs++;
        if (lane_unwind_to(t, l, key, now))
            return true;
        lane_drop_stack(t, l, now);
    }
    lane_find_frames(t, l, true);
    return lane_unwind_to(t, l, key, l->since);
}

void lane_switch(tracer *t)
{
    lane *l = t->running ? lane_of_this_thread(t) : NULL;
    if (!l)
        return;
    lane_drop_stack(t, l, clock_read(&t->clock));
    lane_find_frames(t, l, true);
}

/* ---- Lanes come and go ---- */

static lane *lane_from_pool(void)
{
    lane *first = atomic_load(&all_lanes), *l = first;
    while (l && l->key != 0)
        l = l->next_made;
    if (l)
        return l;
    l = calloc(1, sizeof *l);
    if (l) {
        l->next_made = first;
        atomic_store(&all_lanes, l);
    }
    return l;
}

/* Whether a signal has come: to be asked after a deadline was written. */
static bool must_hurry(void)
{
    atomic_thread_fence(memory_order_seq_cst);
    return atomic_load(&hurried);
}

/* What is due first. */
static uint64_t next_deadline(const lane_table *lanes)
{
    return lanes->deadline < lanes->look_at ? lanes->deadline : lanes->look_at;
}

enum { FIRST_DEPTH = 64 };

static bool lane_begin(tracer *t, lane *l, uint32_t place)
{
    if (!l->stack) {
        l->stack = calloc(FIRST_DEPTH, sizeof *l->stack);
        if (!l->stack)
            return false;
        l->stack_end = l->stack + FIRST_DEPTH;
    }
    l->top = l->stack;
    memset(l->top, 0, sizeof *l->top);
    l->top->node = t->graph.root;
    l->top->place = place;
    if (l->active)
        memset(l->active, 0, l->active_cap * sizeof *l->active);
    l->place = place;
    l->thread = PyThreadState_GetID(PyThreadState_Get());
    l->native_id = (uint32_t)PyThread_get_thread_native_id();
    if (t->costs.long_interval != INT64_MAX)
        lane_look_at_wait(l);
    l->since = clock_read(&t->clock);
    l->began = clock_shared(&t->clock);
    l->elapsed = l->forgiven = l->slow_work = l->taken = l->weight = l->waited = 0;
    l->credit = l->most_debt = t->costs.most_debt;
    memset(l->events, 0, sizeof l->events);
    l->deadline = lane_deadline(&t->clock, l, next_deadline(&t->lanes));
    if (must_hurry())
        l->deadline = 0;
    l->run = 0;
    l->folded = false;
    l->key = ++last_key;
    return true;
}

static bool thread_is_alive(PyInterpreterState *interp, uint64_t id)
{
    for (PyThreadState *s = PyInterpreterState_ThreadHead(interp); s; s = PyThreadState_Next(s))
        if (PyThreadState_GetID(s) == id)
            return true;
    return false;
}

/* What was counted at one place goes to another. */
static void add_slots(tracer *t, uint32_t to, uint32_t from)
{
    for (size_t i = 0; i < t->codes.n; i++) {
        code_info *info = t->codes.list[i];
        line_slot *theirs = from < info->slots_cap ? info->slots[from] : NULL;
        line_slot *ours = theirs ? slots_at(info, to) : NULL;
        if (!ours)
            continue;
        tiers_settle_place(t, info, from);
        tiers_settle_place(t, info, to);
        for (uint32_t k = 0; k < info->n_lines; k++) {
            ours[k].count += theirs[k].count;
            ours[k].time += theirs[k].time;
            ours[k].calls += theirs[k].calls;
        }
        memset(theirs, 0, info->n_lines * sizeof *theirs);
        tiers_take_as_new(t, info, from);
        tiers_take_as_new(t, info, to);
    }
}

static void add_lane(tracer *t, const lane *to, const lane *from)
{
    context_table *c = &t->contexts;
    for (uint32_t place = 0, n = (uint32_t)c->n_places; place < n; place++)
        if (c->places[place].lane == from->place)
            add_slots(t, contexts_of_lane(c, to->place, place), place);
}

/* The lanes of threads that have ended become one; their places are free again. */
static void lanes_fold(tracer *t)
{
    PyInterpreterState *interp = PyInterpreterState_Get();
    lane *fold = NULL;
    for (size_t i = 1; i < t->lanes.n && !fold; i++)
        if (t->lanes.list[i]->key && t->lanes.list[i]->folded)
            fold = t->lanes.list[i];
    size_t live = 0;
    for (size_t i = 1; i < t->lanes.n; i++) {
        lane *l = t->lanes.list[i];
        if (!l->key || l->folded)
            continue;
        if (thread_is_alive(interp, l->thread)) {
            live++;
            continue;
        }
        lane_drop_stack(t, l, l->since);
        if (!fold) {
            fold = l;
            fold->folded = true;
            fold->key = ++last_key;     /* no thread's any more */
            continue;
        }
        add_lane(t, fold, l);
        fold->elapsed += l->elapsed;
        fold->forgiven += lane_debt(l) + l->forgiven;
        fold->slow_work += l->slow_work;
        fold->taken += l->taken;
        fold->waited += l->waited;
        for (int kind = 0; kind < COST_KINDS; kind++)
            fold->events[kind] += l->events[kind];
        if (l->since > fold->since)
            fold->since = l->since;
        l->key = 0;
    }
    t->lanes.fold_at = live * 2 > TRACE_MAX_LANES ? live * 2 : TRACE_MAX_LANES;
}

static lane *lane_place_free(tracer *t)
{
    for (size_t i = 0; i < t->lanes.n; i++)
        if (t->lanes.list[i]->key == 0)
            return t->lanes.list[i];
    return NULL;
}

static lane *lane_add(tracer *t)
{
    lane **lanes = nyt_grow(t->lanes.list, &t->lanes.cap, t->lanes.n + 1, sizeof *lanes);
    if (!lanes)
        return NULL;
    t->lanes.list = lanes;
    lane *l = lane_from_pool();
    if (l)
        lanes[t->lanes.n] = l;
    return l;
}

/* The lane that this thread had before the tracer was stopped, or NULL. */
static lane *lane_left_behind(tracer *t)
{
    uint64_t thread = PyThreadState_GetID(PyThreadState_Get());
    for (size_t i = 0; i < t->lanes.n; i++) {
        lane *l = t->lanes.list[i];
        if (l->key && !l->folded && l->thread == thread)
            return l;
    }
    return NULL;
}

static lane *lane_is_ours(lane *l)
{
    trace_my_lane = l;
    trace_my_key = l->key;
    return l;
}

lane *lane_new_for_this_thread(tracer *t)
{
    lane *l = lane_left_behind(t);
    if (l)
        return lane_is_ours(l);
    l = lane_place_free(t);
    if (!l && t->lanes.n >= t->lanes.fold_at) {
        lanes_fold(t);
        l = lane_place_free(t);
    }
    bool added = l == NULL;
    if (added)
        l = lane_add(t);
    uint32_t place = added ? contexts_new_lane(&t->contexts) : l->place;
    if (!l || place == UINT32_MAX || !lane_begin(t, l, place)) {
        trace_fail(t);
        return NULL;
    }
    t->lanes.n += added;
    return lane_is_ours(l);
}

void lanes_let_go(tracer *t)
{
    for (size_t i = 0; i < t->lanes.n; i++)
        if (t->lanes.list[i]->key)
            t->lanes.list[i]->key = ++last_key;
}

void lanes_close(tracer *t)
{
    for (size_t i = 0; i < t->lanes.n; i++) {
        lane *l = t->lanes.list[i];
        free(l->stack);
        free(l->active);
        *l = (lane){.next_made = l->next_made};
    }
    free(t->lanes.list);
    t->lanes.list = NULL;
    t->lanes.n = t->lanes.cap = 0;
}

/* ---- Moments at which the tables must be whole ---- */

/*
 * Settles one lane: its open activations hand over what they have, and run on. The time of
 * one that is at no line yet waits for its first: the line of the `def` has not been started.
 */
static void lane_settle(const tracer *t, lane *l, uint64_t now)
{
    if (l->top == l->stack)
        return;
    if (l->top->slot)
        l->top->slot->time += lane_charge(&t->costs, l, now, COST_NONE);
    for (activation *a = l->top; a > l->stack; a--) {
        l->active[a->sub]--;
        caller_account(a - 1, a, activation_account(l, a, l->active[a->sub] == 0));
    }
    for (activation *a = l->stack + 1; a <= l->top; a++) {
        l->active[a->sub]++;
        for (const unit_mark *m = a->unit; m; m = m->outer)
            l->active[m->sub]++;
        a->entered = l->elapsed;
        a->inner = 0;
    }
    l->stack->inner = 0;
}

/* ---- Units of work ---- */

/* A chain becomes an activation's, on the path that it has: the outermost unit first. */
static bool units_apply(tracer *t, lane *l, activation *a, unit_mark *m)
{
    if (m->outer && !units_apply(t, l, a, m->outer))
        return false;
    if (m->sub >= l->active_cap && !lane_widen(t, l, m->sub))
        return false;
    m->below = a->node;
    a->node = graph_child(&t->graph, a->node, m->sub);
    a->unit = m;
    l->active[m->sub]++;
    return true;
}

/* The place of one that runs at `place` itself, with its units. */
static uint32_t place_in_units(context_table *c, uint32_t place, const unit_mark *m)
{
    return m ? contexts_inside(c, place_in_units(c, place, m->outer), m->sub) : place;
}

/*
 * An activation's units have changed: its lines are counted elsewhere. In another thread's lane
 * they stay where they are, until it is left.
 */
static void lane_move(tracer *t, lane *l, activation *a)
{
    uint32_t place = (a - 1)->place;
    if (a->info->unit)
        place = contexts_inside(&t->contexts, place, a->sub);
    place = place_in_units(&t->contexts, place, a->unit);
    if (place == a->place || l != lane_here())
        return;
    tiers_give_up(t, l, a);
    line_slot *slots = slots_at(a->info, place);
    if (!slots)
        return;
    if (a->slot)
        a->slot = &slots[a->slot - a->slots];
    a->slots = slots;
    a->place = place;
}

uint64_t lane_begin_unit(tracer *t, lane *l, const void *key, uint32_t sub)
{
    activation *a = l->top;
    while (a > l->stack && a->key != key)
        a--;
    if (a == l->stack || a->c || !a->edge)
        return 0;
    tiers_give_up(t, l, a); /* its line is to be known */
    lane_settle(t, l, clock_read(&t->clock));
    edge *e = edge_from(t, a, a->info, sub, contexts_inside(&t->contexts, a->place, sub));
    unit_mark *m = e ? units_add(&t->units, sub, e) : NULL, *outer = a->unit;
    if (!m || !units_apply(t, l, a, m)) {
        if (m)
            units_remove(&t->units, m);
        trace_fail(t);
        return 0;
    }
    m->outer = outer;
    lane_move(t, l, a);
    uint32_t around = l->active[sub] - 1;
    e->count++;
    e->inner += around > 0;
    if (around > e->depth)
        e->depth = around;
    return m->id;
}

/* Takes the unit off the activation that has it in this lane, if one has. */
static bool lane_drop_unit(tracer *t, lane *l, const unit_mark *m)
{
    for (activation *a = l->top; a > l->stack; a--) {
        const unit_mark *at = a->unit;
        while (at && at != m)
            at = at->outer;
        if (!at)
            continue;
        lane_settle(t, l, lane_clock(&t->clock, l, clock_read(&t->clock)));
        if (a->unit == m)
            a->node = m->below;
        l->active[m->sub]--;
        bool unlinked = units_unlink(&a->unit, m);
        lane_move(t, l, a);
        return unlinked;
    }
    return false;
}

void lane_end_unit(tracer *t, lane *l, uint64_t id)
{
    unit_mark *m = units_find(&t->units, id);
    if (!m)
        return;
    bool dropped = l && lane_drop_unit(t, l, m);
    for (size_t i = 0; i < t->lanes.n && !dropped; i++)
        dropped = lane_drop_unit(t, t->lanes.list[i], m);
    units_remove(&t->units, m);
}

void lane_resume_units(tracer *t, lane *l, const void *frame)
{
    unit_mark *chain = units_take(&t->units, frame);
    if (chain && !units_apply(t, l, l->top, chain))
        trace_fail(t);
    if (chain)
        lane_move(t, l, l->top);
}

void lanes_settle(tracer *t)
{
    uint64_t now = clock_read(&t->clock);
    if (t->running)
        t->lanes.settled = clock_shared(&t->clock);
    for (size_t i = 0; i < t->lanes.n; i++)
        if (t->lanes.list[i]->key && !t->lanes.list[i]->folded)
            lane_settle(t, t->lanes.list[i], lane_clock(&t->clock, t->lanes.list[i], now));
}

void lanes_hurry_now(void)
{
    atomic_store(&hurried, true);
    for (lane *l = atomic_load(&all_lanes); l; l = l->next_made)
        l->deadline = 0;
}

void lanes_hurry_no_more(void)
{
    atomic_store(&hurried, false);
}

void lanes_hurry(tracer *t, uint64_t deadline)
{
    t->lanes.deadline = deadline;
    for (size_t i = 0; i < t->lanes.n; i++)
        t->lanes.list[i]->deadline = lane_deadline(&t->clock, t->lanes.list[i],
                                                   next_deadline(&t->lanes));
    if (must_hurry())       /* the signal came while a snapshot was written, perhaps */
        lanes_hurry_now();
}
