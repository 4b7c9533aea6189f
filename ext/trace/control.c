/* Begin, pause, forget. */
#include "control.h"

#include "calibrate.h"
#include "code.h"
#include "collector.h"
#include "cost_cache.h"
#include "emit.h"
#include "engine.h"
#include "evals.h"
#include "greenlet.h"
#include "lane.h"

PyTypeObject *tracer_type;

static tracer *running;         /* one at a time in a process; borrowed */

static int refuse_free_threaded(void)
{
#ifdef Py_GIL_DISABLED
    PyErr_SetString(PyExc_RuntimeError,
                    "pynytprof does not support free-threaded builds of CPython yet");
    return -1;
#else
    return 0;
#endif
}

/* From one look at the machine to the next, and from where on an interval is looked at. */
static void intervals_set(tracer *t)
{
    enum { LOOK_EVERY_NS = 10000000, LONG_NS = 1000000 };
    if (t->options.raw)
        return;
    double units_per_ns = 1 / clock_ns_per_unit(&t->clock);
    t->costs.units_per_ns = units_per_ns;
    if (t->clock.cpu)       /* lanes' deadlines stand still with their threads: snapshots alone */
        return;
    t->speed.interval = (uint64_t)(LOOK_EVERY_NS * units_per_ns);
    t->costs.long_interval = (uint64_t)(LONG_NS * units_per_ns);
}

int tracer_calibrate(tracer *t)
{
    enum { TRIES = 3 };         /* somebody may abandon the first ones */
    if (t->calibrated)
        return 0;
    clock_begin(&t->clock, t->options.cpu);
    for (int i = 0; i < TRIES; i++) {
        calibration_wait();
        if (running)            /* nobody else can begin, and there is nothing to find out */
            return 0;
        if (t->calibrated || costs_recall(t) || t->options.raw)
            break;
        int rc = trace_calibrate(t);
        if (rc < 0)
            return -1;
        if (rc > 0) {
            costs_keep(t);
            break;
        }
    }
    intervals_set(t);
    t->calibrated = true;
    return 0;
}

/* Sets the engine in motion, in a thread whose lane is ready. */
static int set_off(tracer *t, bool open_frames)
{
    t->engine.open_frames = open_frames;
    lane *l = lane_of_this_thread(t);
    if (l && open_frames)
        lane_find_frames(t, l, true);
    if (l)
        l->run = t->run;
    if (!l || collector_watch(t) < 0 || engine_start(t) < 0) {
        if (!PyErr_Occurred())
            PyErr_NoMemory();
        collector_unwatch(t);
        return -1;
    }
    evals_watch();
    greenlets_watch(lane_switch, t);
    if (t->costs.long_interval != INT64_MAX)
        lane_look_at_wait(l);
    l->since = clock_read(&t->clock);
    return 0;
}

int tracer_begin(tracer *t, bool open_frames)
{
    if (refuse_free_threaded() < 0 || tracer_calibrate(t) < 0)
        return -1;
    if (running || t->broken) {
        PyErr_SetString(PyExc_RuntimeError,
                        running ? "a tracer is already running" : "this tracer has failed");
        return -1;
    }
    calibration_abandon();
    if (t->run == 0)
        clock_begin(&t->clock, t->options.cpu);
    speed_begin(&t->speed, &t->clock, &t->costs);
    t->speed.watch.usual = t->speed.usual;
    t->speed.watch.stage = WATCH_NEXT;
    t->lanes.look_at = t->speed.interval ? clock_shared(&t->clock) + t->speed.interval / 2
                                         : UINT64_MAX;
    t->run++;
    running = t;
    t->running = true;
    if (set_off(t, open_frames) == 0)
        return 0;
    t->running = false;
    running = NULL;
    lanes_let_go(t);
    return -1;
}

void tracer_frame_begins(tracer *t, PyFrameObject *frame)
{
    PyCodeObject *code = PyFrame_GetCode(frame);
    lane *l = t->running ? lane_of_this_thread(t) : NULL;
    code_info *info = l ? code_info_of(t, code, NULL) : NULL;
    if (info && !info->skip)
        lane_enter(t, l, engine_key(frame, code), info, info->sub, l->since, COST_NONE);
    if (l)
        l->since = clock_read(&t->clock);
    Py_DECREF(code);
}

void tracer_pause(tracer *t)
{
    if (!t->running)
        return;
    uint64_t now = clock_read(&t->clock);
    t->lanes.settled = clock_shared(&t->clock);
    engine_stop(t);
    collector_unwatch(t);
    evals_unwatch();
    greenlets_forget();
    awaits_let_go(&t->awaits);
    t->running = false;
    if (running == t)
        running = NULL;
    for (size_t i = 0; i < t->lanes.n; i++)
        if (t->lanes.list[i]->key && !t->lanes.list[i]->folded)
            lane_drop_stack(t, t->lanes.list[i], lane_clock(&t->clock, t->lanes.list[i], now));
    lanes_let_go(t);
}

int tracer_forget_figures(tracer *t)
{
    lanes_close(t);
    graph_free(&t->graph);
    awaits_free(&t->awaits);
    units_free(&t->units);
    contexts_free(&t->contexts);
    codes_forget(&t->codes);
    source_files_forget(&t->files);
    snapshot_forget(&t->snapshot);
    lanes_hurry(t, UINT64_MAX);
    speed_forget(&t->speed);
    t->lanes.resyncs = 0;
    if (!graph_begin(&t->graph, t->options.max_nodes)) {
        tracer_pause(t);
        t->broken = true;
        PyErr_NoMemory();
        return -1;
    }
    lane *l = t->running ? lane_of_this_thread(t) : NULL;
    if (l)
        lane_find_frames(t, l, true);
    return 0;
}

void trace_facts_of(const tracer *t, trace_facts *f)
{
    *f = (trace_facts){
        .engine = engine_name,
        .clock = t->clock.cpu   ? "thread cpu"
                 : t->clock.tsc ? "tsc"
                                : "monotonic",
        .uncounted_lines = trace_uncounted_lines(t),
        .resyncs = t->lanes.resyncs,
        .folded_evals = t->files.folded_evals,
        .folded_calls = t->graph.folds,
        .failures = t->failures,
        .disturbed = engine_disturbed(t),
        .speed_changes = t->speed.changes,
        .waited = (double)lanes_waited(&t->lanes) * clock_ns_per_unit(&t->clock) / 1e9,
        .least_speed_factor = t->speed.least,
        .largest_speed_factor = t->speed.largest,
    };
}
