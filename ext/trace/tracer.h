/* The tracer: its parts, each as its owner's header has it. */
#ifndef PYNYTPROF_TRACE_TRACER_H
#define PYNYTPROF_TRACE_TRACER_H

#include "awaits.h"
#include "clock.h"
#include "code_info.h"
#include "contexts.h"
#include "engine.h"
#include "graph.h"
#include "lane_time.h"
#include "options.h"
#include "snapshot.h"
#include "source.h"
#include "speed.h"
#include "trace.h"
#include "units.h"
#include "util.h"

struct tracer {
    PyObject_HEAD
    bool running, calibrated;
    bool broken;        /* can't run any more */
    uint64_t failures;  /* events that were lost, for want of memory */
    uint32_t run; /* counts start() */
    trace_options options;
    trace_clock clock;
    event_costs costs;      /* in force now */
    machine_speed speed;
    file_table files;
    code_table codes;
    call_graph graph;
    await_table awaits;
    unit_table units;
    context_table contexts;
    lane_table lanes;
    snapshots snapshot;
    engine_state engine;
    struct {
        uint64_t hot; /* so often has a line of hot code started; UINT64_MAX: all lines are on */
    } tiers;
    uint32_t openings_after; /* so many calls is a function's first line sought (opening.h) */
    struct {
        PyObject *callback; /* in gc.callbacks while it runs, owned; NULL: it is not wanted */
        uint32_t sub;
    } collector;
    void (*on_deadline)(tracer *t, lane *l); /* called at an event past it */
};

/* An event is lost; what comes after it is not. The stack is found again by its frames. */
static inline void trace_fail(tracer *t)
{
    t->failures++;
    swallow_error();
}

#endif
