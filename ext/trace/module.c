/*
 * pynytprof._ctrace: the C tracer as a Python type. Its methods are those of the
 * Python tracer (src/pynytprof/_pure/tracer.py), and a few that only C can have.
 */
#include "blocks.h"
#include "code.h"
#include "control.h"
#include "deadline.h"
#include "emit.h"
#include "engine.h"
#include "exits.h"
#include "flow.h"
#include "lane.h"
#include "instructions.h"
#include "line_costs.h"
#include "snapshot.h"
#include "tiers.h"
#include "tracer.h"

#include <limits.h>
#include <stdlib.h>
#include <structmember.h>

#include "nytprof.h"
#include "../session/begin.h"
#include "../session/instead.h"
#include "../session/orders.h"
#include "../session/type.h"

/* ---- Making and freeing ---- */

static int tables_new(tracer *t)
{
    t->lanes.fold_at = TRACE_MAX_LANES;
    t->lanes.deadline = t->lanes.look_at = UINT64_MAX;
    if (files_begin(&t->files, &t->options) < 0 || codes_begin(&t->codes) < 0)
        return -1;
    t->files.kept.pieces = t->snapshot.pieces = nyt_pieces_new();
    if (!graph_begin(&t->graph, t->options.max_nodes)) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

static void tables_free(tracer *t)
{
    lanes_close(t);
    graph_free(&t->graph);
    awaits_free(&t->awaits);
    units_free(&t->units);
    contexts_free(&t->contexts);
    codes_free(&t->codes);
    source_files_free(&t->files);
    snapshot_forget(&t->snapshot);
}

static PyObject *tracer_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    tracer *t = (tracer *)type->tp_alloc(type, 0);
    if (!t)
        return NULL;
    t->engine.tool_id = -1;
    t->costs.long_interval = INT64_MAX;
    t->on_deadline = deadline_work;
    t->snapshot.emit = trace_emit;
    t->snapshot.whose = t;
    if (options_parse(&t->options, args, kwargs) < 0 || tables_new(t) < 0) {
        Py_DECREF(t);
        return NULL;
    }
    return (PyObject *)t;
}

static int tracer_traverse(PyObject *self, visitproc visit, void *arg)
{
    tracer *t = (tracer *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(t->options.sources);
    return 0;
}

static int tracer_clear(PyObject *self)
{
    tracer *t = (tracer *)self;
    Py_CLEAR(t->options.sources);
    return 0;
}

static void tracer_dealloc(PyObject *self)
{
    tracer *t = (tracer *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    tracer_clear(self);
    tables_free(t);
    options_free(&t->options);
    Py_CLEAR(t->engine.disable);
    Py_CLEAR(t->engine.missing);
    type->tp_free(self);
    Py_DECREF(type);
}

/* ---- Methods ---- */

PyDoc_STRVAR(start_doc,
"start($self, /, *, open_frames=True)\n--\n\n"
"Begin, or after stop() go on. Frames that are open are found, not counted as calls;\n"
"with open_frames=False those of this thread are passed over: they are not the program's.\n"
"RuntimeError: another tracer runs in this process, or no tool id is free.");

static PyObject *tracer_start(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"open_frames", NULL};
    int open_frames = 1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$p:start", names, &open_frames))
        return NULL;
    return tracer_begin((tracer *)self, open_frames) < 0 ? NULL : Py_NewRef(Py_None);
}

PyDoc_STRVAR(stop_doc,
"stop($self, /)\n--\n\nPause. The tables are kept; start() goes on.");

static PyObject *tracer_stop(PyObject *self, PyObject *unused)
{
    (void)unused;
    tracer_pause((tracer *)self);
    Py_RETURN_NONE;
}

/* Keeps a chunk for a Python callable. */
static int keep_chunk(void *ctx, char token, const void *payload, size_t len)
{
    PyObject *chunk = Py_BuildValue("y#y#", &token, (Py_ssize_t)1, len ? payload : "",
                                    (Py_ssize_t)len);
    int rc = chunk ? PyList_Append((PyObject *)ctx, chunk) : -1;
    Py_XDECREF(chunk);
    return rc < 0 ? -2 : 0;
}

/* Once all are made: code in Python lets other threads run, which add to the tables. */
static PyObject *put_to_python(PyObject *chunks, PyObject *write_chunk)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(chunks); i++) {
        PyObject *result = PyObject_CallObject(write_chunk, PyList_GET_ITEM(chunks, i));
        if (!result)
            return NULL;
        Py_DECREF(result);
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(emit_doc,
"emit($self, write_chunk, header, /)\n--\n\n"
"Hand the profile as it is now to write_chunk(token: bytes, payload: bytes), also while\n"
"running. `header`: encoded pairs of the first P chunk (docs/format.md). Exceptions of\n"
"write_chunk come through.");

static PyObject *tracer_emit(PyObject *self, PyObject *args)
{
    PyObject *write_chunk;
    const char *header;
    Py_ssize_t len;
    if (!PyArg_ParseTuple(args, "Oy#:emit", &write_chunk, &header, &len))
        return NULL;
    PyObject *chunks = PyList_New(0);
    int collects = PyGC_Disable();
    const chunk_sink sink = {.put = keep_chunk, .ctx = chunks};
    int rc = chunks ? trace_emit((tracer *)self, header, (size_t)len, &sink) : -2;
    if (collects)
        PyGC_Enable();
    if (rc < 0 && !PyErr_Occurred())
        PyErr_NoMemory();
    PyObject *done = rc < 0 ? NULL : put_to_python(chunks, write_chunk);
    Py_XDECREF(chunks);
    return done;
}

PyDoc_STRVAR(forget_doc,
"forget($self, /)\n--\n\n"
"Forget all figures, as in a process just forked; what is known of files and code stays, and\n"
"with it the names. While running: what is open goes on, as if it had been open at the\n"
"start. There are no snapshots any more.");

static PyObject *tracer_forget(PyObject *self, PyObject *unused)
{
    (void)unused;
    return tracer_forget_figures((tracer *)self) < 0 ? NULL : Py_NewRef(Py_None);
}

PyDoc_STRVAR(line_hits_doc,
"line_hits($self, /)\n--\n\n"
"{(fid, line): [count, inclusive ticks, exclusive ticks]} so far, over all threads.");

static PyObject *tracer_line_hits(PyObject *self, PyObject *unused)
{
    (void)unused;
    return trace_line_hits((tracer *)self);
}

PyDoc_STRVAR(begin_unit_doc,
"begin_unit($self, frame, function, /)\n--\n\n"
"What the frame runs from now on stands in the call tree below `function`, whose name is a unit's.\n"
"Returns a number for end_unit(); 0: that is not traced.");

static PyObject *tracer_begin_unit(PyObject *self, PyObject *args)
{
    tracer *t = (tracer *)self;
    PyObject *frame, *function;
    if (!PyArg_ParseTuple(args, "O!O!:begin_unit", &PyFrame_Type, &frame, &PyFunction_Type,
                          &function))
        return NULL;
    lane *l = t->running ? lane_of_this_thread(t) : NULL;
    code_info *info = l ? code_info_of(t, (PyCodeObject *)PyFunction_GET_CODE(function),
                                       PyFunction_GET_GLOBALS(function))
                        : NULL;
    uint64_t id = 0;
    if (info && !info->skip) {
        if (l->run != t->run)
            lane_find_frames(t, l, true);
        PyCodeObject *code = PyFrame_GetCode((PyFrameObject *)frame);
        id = lane_begin_unit(t, l, engine_key((PyFrameObject *)frame, code), info->sub);
        Py_DECREF(code);
    }
    return PyLong_FromUnsignedLongLong(id);
}

PyDoc_STRVAR(end_unit_doc,
"end_unit($self, id, /)\n--\n\n"
"Ends what begin_unit() began, in whatever thread; another number is passed over.");

static PyObject *tracer_end_unit(PyObject *self, PyObject *number)
{
    tracer *t = (tracer *)self;
    unsigned long long id = PyLong_AsUnsignedLongLong(number);
    if (id == (unsigned long long)-1 && PyErr_Occurred())
        return NULL;
    lane_end_unit(t, t->running ? lane_of_this_thread(t) : NULL, id);
    Py_RETURN_NONE;
}

static const char *const cost_names[COST_KINDS] = {
    [COST_NONE] = "none",
    [COST_LINE] = "line",
    [COST_LINE_GLOBAL] = "global line",
    [COST_LINE_LOOP] = "loop",
    [COST_LINE_BIG] = "big line",
    [COST_LINE_GLOBAL_BIG] = "big global line",
    [COST_LINE_LOOP_BIG] = "big loop",
    [COST_STEP] = "step",
    [COST_STEP_GLOBAL] = "global step",
    [COST_STEP_LOOP] = "loop step",
    [COST_STEP_BIG] = "big step",
    [COST_STEP_GLOBAL_BIG] = "big global step",
    [COST_STEP_LOOP_BIG] = "big loop step",
    [COST_JUMP] = "jump",
    [COST_ENTER] = "enter",
    [COST_RESUME] = "resume",
    [COST_RESUME_BIG] = "big resume",
    [COST_LEAVE] = "leave",
    [COST_LEAVE_BIG] = "big leave",
    [COST_UNWIND] = "unwind",
    [COST_C_ENTER] = "enter C",
    [COST_C_ENTER_BIG] = "big enter C",
    [COST_C_LEAVE] = "leave C",
    [COST_C_LEAVE_BIG] = "big leave C",
    [COST_OTHER] = "other call",
    [COST_OTHER_BIG] = "big other call",
    [COST_CALL_BIG] = "big call",
    [COST_HOT_ENTER] = "enter from hot code",
    [COST_HOT_C_ENTER] = "enter C from hot code",
    [COST_HOT_C_ENTER_BIG] = "big enter C from hot code",
};

/* Of each kind by its name, in ns; a new reference. */
static PyObject *costs_in_ns(const event_costs *costs, double ns)
{
    PyObject *all = PyDict_New();
    for (int kind = COST_NONE + 1; all && kind < COST_KINDS; kind++) {
        PyObject *cost = PyFloat_FromDouble((double)costs->of[kind] * ns);
        if (!cost || PyDict_SetItemString(all, cost_names[kind], cost) < 0)
            Py_CLEAR(all);
        Py_XDECREF(cost);
    }
    return all;
}

PyDoc_STRVAR(facts_doc,
"facts($self, /)\n--\n\nWhat is worth telling of this run, as a new dict.");

static PyObject *tracer_facts(PyObject *self, PyObject *unused)
{
    (void)unused;
    tracer *t = (tracer *)self;
    double ns = t->run ? clock_ns_per_unit(&t->clock) : 1;
    uint64_t hot, refused;
    tiers_count(t, &hot, &refused);
    return Py_BuildValue(
        "{s:s,s:s,s:n,s:n,s:n,s:n,s:n,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:i,s:d,s:d,s:d,s:d,s:d,s:d,s:d,"
        "s:K,s:K,s:d,s:d,s:d,s:d,s:K,s:K,s:d,s:K,s:N,s:d}",
        "engine", engine_name, "clock",
        t->clock.cpu   ? "thread cpu"
        : t->clock.tsc ? "tsc"
                       : "monotonic",
        "files", (Py_ssize_t)t->files.n_fids, "codes", (Py_ssize_t)t->codes.n, "edges",
        (Py_ssize_t)t->graph.n_edges, "paths", (Py_ssize_t)(t->graph.n_nodes - 1), "lanes",
        (Py_ssize_t)t->lanes.n, "folded_evals", (unsigned long long)t->files.folded_evals,
        "resyncs", (unsigned long long)t->lanes.resyncs, "folded_calls",
        (unsigned long long)t->graph.folds, "uncounted_lines",
        (unsigned long long)trace_uncounted_lines(t), "shared_times",
        (unsigned long long)tiers_shared_times(t), "line_events",
        (unsigned long long)lanes_line_events(&t->lanes), "internal_errors",
        (unsigned long long)t->failures, "disturbed", (int)engine_disturbed(t), "ns_per_line",
        (double)t->costs.of[COST_LINE] * ns, "ns_per_global_line",
        (double)t->costs.of[COST_LINE_GLOBAL] * ns, "ns_per_jump",
        (double)t->costs.of[COST_JUMP] * ns, "ns_per_step", (double)t->costs.of[COST_STEP] * ns,
        "ns_per_call", (double)(t->costs.of[COST_ENTER] + t->costs.of[COST_LEAVE]) * ns,
        "ns_per_resumption", (double)(t->costs.of[COST_RESUME] + t->costs.of[COST_LEAVE]) * ns,
        "ns_per_c_call", (double)(t->costs.of[COST_C_ENTER] + t->costs.of[COST_C_LEAVE]) * ns,
        "speed_looks", (unsigned long long)t->speed.probes, "speed_changes",
        (unsigned long long)t->speed.changes, "speed_factor", speed_factor(&t->speed),
        "least_speed_factor", t->speed.least, "largest_speed_factor", t->speed.largest,
        "waited_for_processor", (double)lanes_waited(&t->lanes) * ns / 1e9, "hot_codes",
        (unsigned long long)hot, "refused_codes", (unsigned long long)refused, "program_factor",
        t->speed.program > 0 ? t->speed.program : 1, "events_timed",
        (unsigned long long)t->speed.watch.timed, "event_costs", costs_in_ns(&t->costs, ns),
        "ns_per_instruction",
        (double)(t->costs.instruction * PLAIN_INSTRUCTION) * ns / WEIGHT_PARTS);
}

/* ---- The type and the module ---- */

static PyMethodDef tracer_methods[] = {
    {"start", (PyCFunction)(void (*)(void))tracer_start, METH_VARARGS | METH_KEYWORDS, start_doc},
    {"stop", tracer_stop, METH_NOARGS, stop_doc},
    {"emit", tracer_emit, METH_VARARGS, emit_doc},
    {"forget", tracer_forget, METH_NOARGS, forget_doc},
    {"line_hits", tracer_line_hits, METH_NOARGS, line_hits_doc},
    {"begin_unit", tracer_begin_unit, METH_VARARGS, begin_unit_doc},
    {"end_unit", tracer_end_unit, METH_O, end_unit_doc},
    {"facts", tracer_facts, METH_NOARGS, facts_doc},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef tracer_members[] = {
    {"running", T_BOOL, offsetof(tracer, running), READONLY, "Between start() and stop()."},
    {NULL, 0, 0, 0, NULL},
};

PyDoc_STRVAR(tracer_doc,
"Tracer(*, stmts=True, blocks=False, subs=True, slowops=True, include=(), exclude=(),\n"
"       exclude_prefixes=(), hide_prefix='', raw=False, max_tree_nodes=1000000,\n"
"       savesrc=True, sources=None, cpu=False, exact_lines=True, gc=False)\n--\n\n"
"The tracer in C. Globs are matched against absolute paths (`*` matches `/` too);\n"
"sources: {co_filename: text} of code that is in no file.");

static PyType_Slot tracer_slots[] = {
    {Py_tp_doc, (void *)tracer_doc},         {Py_tp_new, (void *)tracer_new},
    {Py_tp_dealloc, (void *)tracer_dealloc}, {Py_tp_traverse, (void *)tracer_traverse},
    {Py_tp_clear, (void *)tracer_clear},     {Py_tp_methods, tracer_methods},
    {Py_tp_members, tracer_members},         {0, NULL},
};

static PyType_Spec tracer_spec = {
    .name = "pynytprof._ctrace.Tracer",
    .basicsize = sizeof(tracer),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = tracer_slots,
};

PyDoc_STRVAR(block_headers_doc,
"block_headers($module, lines, /)\n--\n\n"
"What blocks=1 finds in a text, given as a list of its lines, each with its end: by line,\n"
"from 1, the first line of the header of its suite; 0 for what is in none.");

static PyObject *block_headers(PyObject *module, PyObject *lines)
{
    (void)module;
    PyObject *nothing = PyUnicode_FromString("");
    PyObject *joined = nothing ? PyUnicode_Join(nothing, lines) : NULL;
    Py_ssize_t len, n_lines = PyObject_Length(lines);
    const char *text = joined && n_lines >= 0 ? PyUnicode_AsUTF8AndSize(joined, &len) : NULL;
    uint32_t *headers = text ? blocks_of_text(text, (size_t)len, (uint32_t)n_lines) : NULL;
    PyObject *result = headers ? PyList_New(n_lines + 1) : NULL;
    for (Py_ssize_t i = 0; result && i <= n_lines; i++)
        PyList_SET_ITEM(result, i, PyLong_FromUnsignedLong(headers[i]));
    if (text && !headers)
        PyErr_NoMemory();
    free(headers);
    Py_XDECREF(joined);
    Py_XDECREF(nothing);
    return result;
}

/* Whether a line starts there whenever its block runs. */
static bool always_starts(const code_flow *flow, const flow_place *p)
{
    bool always = p->kind != PLACE_WILD;
    for (uint32_t i = 0; i < flow->n_edges && p->kind == PLACE_LEADER; i++)
        always = always && !(flow->edges[i].to == p->block && flow->edges[i].same_line);
    return always;
}

static PyObject *places_of_block(const code_flow *flow, const code_info *info, flow_block block)
{
    PyObject *places = PyList_New(0);
    for (uint32_t i = block.first; places && i < block.end; i++) {
        if (!always_starts(flow, &flow->places[i]))
            continue;
        PyObject *place = Py_BuildValue("(Ii)", flow->places[i].unit * 2,
                                        info->lines[flow->places[i].line]);
        if (!place || PyList_Append(places, place) < 0)
            Py_CLEAR(places);
        Py_XDECREF(place);
    }
    return places;
}

/* False with an exception. */
static bool is_code(PyObject *object)
{
    if (!PyCode_Check(object))
        PyErr_SetString(PyExc_TypeError, "a code object is wanted");
    return PyCode_Check(object);
}

PyDoc_STRVAR(line_blocks_doc,
"line_blocks($module, code, /)\n--\n\n"
"The basic blocks of a code object in which two or more lines start, each as a list of\n"
"(offset, line): once the first has started, so do the others, unless something raises.\n"
"None: the instructions of this interpreter are not known.");

static PyObject *line_blocks(PyObject *module, PyObject *code)
{
    (void)module;
    if (!is_code(code))
        return NULL;
    if (!flow_is_known())
        Py_RETURN_NONE;
    code_info *info = calloc(1, sizeof *info);
    code_flow flow = {0};
    PyObject *blocks = NULL;
    if (info && code_collect_lines(info, (PyCodeObject *)code, INT_MAX) &&
        flow_find(&flow, info, (PyCodeObject *)code))
        blocks = PyList_New(0);
    for (uint32_t i = 0; blocks && i < flow.n_blocks; i++) {
        PyObject *places = places_of_block(&flow, info, flow.blocks[i]);
        bool several = places && PyList_GET_SIZE(places) >= 2;
        if (!places || (several && PyList_Append(blocks, places) < 0))
            Py_CLEAR(blocks);
        Py_XDECREF(places);
    }
    code_flow_free(&flow);
    code_info_free(info);
    return blocks || PyErr_Occurred() ? blocks : PyErr_NoMemory();
}

static bool add_line_range(void *ranges, line_range r)
{
    PyObject *range = Py_BuildValue("(iii)", r.start, r.end, r.line);
    bool ok = range && PyList_Append(ranges, range) == 0;
    Py_XDECREF(range);
    return ok;
}

PyDoc_STRVAR(line_ranges_doc,
"line_ranges($module, code, /)\n--\n\n"
"What co_lines() of a code object gives, as a list, neighbours on one line together; -1 where\n"
"there is no line.");

static PyObject *line_ranges(PyObject *module, PyObject *code)
{
    (void)module;
    if (!is_code(code))
        return NULL;
    PyObject *ranges = PyList_New(0);
    if (ranges && !code_each_range((PyCodeObject *)code, add_line_range, ranges))
        Py_CLEAR(ranges);
    return ranges;
}

PyDoc_STRVAR(line_costs_doc,
"line_costs($module, code, /)\n--\n\n"
"What an event at each line of a code object costs, as a new dict: line -> kind of cost, as in\n"
"event_costs of Tracer.facts().");

static PyObject *line_costs(PyObject *module, PyObject *object)
{
    (void)module;
    if (!is_code(object))
        return NULL;
    PyCodeObject *code = (PyCodeObject *)object;
    PyObject *found = PyDict_New();
    code_info *info = calloc(1, sizeof *info);
    bool ok = found && info && code_collect_lines(info, code, code_last_line(code, INT_MAX)) &&
              line_costs_find(info, code, true, false);
    for (uint32_t i = 0; ok && i < info->n_lines; i++) {
        PyObject *line = PyLong_FromLong(info->lines[i]);
        PyObject *kind = PyUnicode_FromString(cost_names[info->line_kinds[i]]);
        ok = line && kind && PyDict_SetItem(found, line, kind) == 0;
        Py_XDECREF(line);
        Py_XDECREF(kind);
    }
    if (info)
        code_info_free(info);
    if (!ok)
        Py_CLEAR(found);
    return found || PyErr_Occurred() ? found : PyErr_NoMemory();
}

typedef struct {
    const code_info *info;
    PyObject *found; /* dict */
} weight_search;

static bool add_line_weight(void *search, line_range r)
{
    const weight_search *s = search;
    uint32_t unit = (uint32_t)r.start / 2;
    if (r.line <= 0 || !ahead_known(s->info, unit))
        return true;
    PyObject *line = PyLong_FromLong(r.line);
    PyObject *weight = PyLong_FromUnsignedLong(ahead_weight(s->info->ahead[unit]));
    bool ok = line && weight && PyDict_SetDefault(s->found, line, weight);
    Py_XDECREF(line);
    Py_XDECREF(weight);
    return ok;
}

PyDoc_STRVAR(line_weights_doc,
"line_weights($module, code, /)\n--\n\n"
"What the instructions of each line weigh, from its first on, as a new dict: line -> weight. An\n"
"instruction's is at least 8. From 3.12 on there is none.");

static PyObject *line_weights(PyObject *module, PyObject *object)
{
    (void)module;
    if (!is_code(object))
        return NULL;
    PyCodeObject *code = (PyCodeObject *)object;
    code_info *info = calloc(1, sizeof *info);
    weight_search s = {.info = info, .found = PyDict_New()};
    bool ok = s.found && info && code_collect_lines(info, code, code_last_line(code, INT_MAX)) &&
              instructions_weigh(info, code) && code_each_range(code, add_line_weight, &s);
    if (info)
        code_info_free(info);
    if (!ok)
        Py_CLEAR(s.found);
    return s.found || PyErr_Occurred() ? s.found : PyErr_NoMemory();
}

PyDoc_STRVAR(costs_by_length_doc,
"costs_by_length($module, cost, timed, usual=0, took=0, /)\n--\n\n"
"What events cost by the length of the interval that they end, for tests: one at a line, and one\n"
"at a return, if either costs as many units and events at lines have been timed: pairs of the units of\n"
"such an interval, and by how many the callback before took longer than usual. And a hundred that took\n"
"as long as `took`, where `usual` is what they take else. Two lists, in which item n is of intervals\n"
"from 2**n units on.");

static PyObject *list_of_costs(const uint32_t costs[LENGTHS])
{
    PyObject *list = PyList_New(LENGTHS);
    for (int length = 0; list && length < LENGTHS; length++) {
        PyObject *cost = PyLong_FromUnsignedLong(costs[length]);
        if (!cost)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, length, cost);
    }
    return list;
}

static bool add_timed(own_extras *extras, PyObject *timed)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(timed); i++) {
        unsigned long long interval;
        double extra;
        if (!PyArg_ParseTuple(PyList_GET_ITEM(timed, i), "Kd", &interval, &extra))
            return false;
        own_extras_add(extras, COST_LINE, interval, extra);
    }
    return true;
}

static PyObject *costs_by_length(PyObject *module, PyObject *args)
{
    (void)module;
    unsigned long long cost;
    double usual = 0, took = 0;
    PyObject *timed, *found = NULL;
    if (!PyArg_ParseTuple(args, "KO!|dd", &cost, &PyList_Type, &timed, &usual, &took))
        return NULL;
    machine_speed *speed = calloc(1, sizeof *speed);
    event_costs *costs = calloc(1, sizeof *costs);
    if (!speed || !costs) {
        PyErr_NoMemory();
    } else if (add_timed(&speed->watch.extras, timed)) {
        const double n = 100;
        own_times *times = &speed->watch.found;
        speed->measured.of[COST_LINE] = speed->measured.of[COST_LEAVE] = cost;
        speed->usual[COST_LINE] = speed->usual[COST_LEAVE] = usual;
        times->n[COST_LINE] = took > 0 ? n : 0;
        times->sum[COST_LINE] = n * took;
        speed_set_costs(speed, 0, costs);
        found = Py_BuildValue("NN", list_of_costs(costs->within[COST_LINE]),
                              list_of_costs(costs->within[COST_LEAVE]));
    }
    free(speed);
    free(costs);
    return found;
}

static PyMethodDef module_methods[] = {
    {"block_headers", block_headers, METH_O, block_headers_doc},
    {"costs_by_length", costs_by_length, METH_VARARGS, costs_by_length_doc},
    {"line_blocks", line_blocks, METH_O, line_blocks_doc},
    {"line_costs", line_costs, METH_O, line_costs_doc},
    {"line_ranges", line_ranges, METH_O, line_ranges_doc},
    {"line_weights", line_weights, METH_O, line_weights_doc},
    {"watch_ends", ends_watch, METH_VARARGS, ends_watch_doc},
    {"unwatch_ends", ends_unwatch, METH_NOARGS, ends_unwatch_doc},
    {"begin", session_begin, METH_NOARGS, session_begin_doc},
    {"run_instead", session_run_instead, METH_VARARGS, session_run_instead_doc},
    {"session_of_program", session_of_program, METH_NOARGS, session_of_program_doc},
    {"occupy", session_occupy_object, METH_O, session_occupy_doc},
    {"end_orders", orders_end, METH_NOARGS, orders_end_doc},
    {"active_session", session_active_object, METH_NOARGS, session_active_doc},
    {NULL, NULL, 0, NULL},
};

static int module_exec(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &tracer_spec, NULL);
    if (!type)
        return -1;
    int rc = PyModule_AddType(module, (PyTypeObject *)type);
    Py_XSETREF(tracer_type, (PyTypeObject *)type);
    ends_find_functions();
    return rc < 0 ? rc : session_add_types(module);
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, (void *)module_exec},
    {0, NULL},
};

static struct PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "pynytprof._ctrace",
    .m_doc = "The tracer in C: CPython's events into tables, tables into chunks.",
    .m_methods = module_methods,
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__ctrace(void);

PyMODINIT_FUNC PyInit__ctrace(void)
{
    return PyModuleDef_Init(&module_def);
}
