/*
 * The engine: CPython's events -> enter, leave and line of lane.h. There is one for each
 * CPython: engine_monitoring.c from 3.12 on, engine_settrace.c before.
 */
#ifndef PYNYTPROF_TRACE_ENGINE_H
#define PYNYTPROF_TRACE_ENGINE_H

#include "local_events.h"
#include "trace.h"

/* Of sys.monitoring. */
typedef struct {
    int tool_id;                 /* -1: none held */
    long shown;                  /* events that are set everywhere, as get_events() tells */
    PyObject *disable, *missing; /* its DISABLE and MISSING, owned */
    PyObject *callbacks;         /* list, owned; NULL: it does not run */
    bool disturbed;              /* once another tool has taken what was ours */
    bool open_frames;            /* those of the thread that starts us are the program's */
    bool local;                  /* only what is watched has events of its lines and calls */
    long events;                 /* which these are, */
    long step_events;            /* and for code that is followed by the instruction; */
    long ends;                   /* which of them tell of the ends of frames */
    long everywhere;             /* what all code has */
    bool steps;                  /* some may be */
    local_events by_line, by_step;
    /* Called with code that runs for the first time since the start; NULL: of no interest. */
    int (*watch)(tracer *t, PyCodeObject *code, code_info *info);
    /*
     * Called with what no frame runs, as extensions' code: events that are the code's own do not
     * tell of it. -1: an error. NULL: all events are everywhere.
     */
    int (*watch_unframed)(tracer *t);
} engine_state;

extern const char engine_name[];

int engine_start(tracer *t); /* -1 with an exception set */
void engine_stop(tracer *t);

/* Whether events are missing because another tool has taken our id, callbacks or events. */
bool engine_disturbed(const tracer *t);

/* What frames are told apart by: sys.monitoring's events bring no more than the code. */
static inline const void *engine_key(PyFrameObject *frame, PyCodeObject *code)
{
#if PY_VERSION_HEX >= 0x030C0000
    (void)frame;
    return code;
#else
    (void)code;
    return frame;
#endif
}

#endif
