/* What is done with a tracer as a whole: by its methods, and by sessions. */
#ifndef PYNYTPROF_TRACE_CONTROL_H
#define PYNYTPROF_TRACE_CONTROL_H

#include "tracer.h"

extern PyTypeObject *tracer_type;       /* owned: the last one made */

/*
 * Finds out what events cost, unless it is known. Not within an event: there come none then.
 * Code in Python may run; -1 with an exception that a signal's handler has raised. Nothing is
 * done while another tracer runs.
 */
int tracer_calibrate(tracer *t);

/* Begins, or goes on; see Tracer.start(). -1 with an exception. */
int tracer_begin(tracer *t, bool open_frames);
void tracer_pause(tracer *t);

/* See Tracer.forget(). -1 with an exception. */
int tracer_forget_figures(tracer *t);

/*
 * A frame begins, which is the running one, and whose own event nobody of ours has seen,
 * because the tracer was started in it: the call counts all the same.
 */
void tracer_frame_begins(tracer *t, PyFrameObject *frame);

/* What is worth telling of a run. */
typedef struct {
    const char *engine, *clock;
    uint64_t uncounted_lines, resyncs, folded_evals, folded_calls, failures, disturbed,
        speed_changes;
    double waited;      /* for a processor, in seconds; it is nobody's time */
    double least_speed_factor, largest_speed_factor;    /* 0: costs were not scaled */
} trace_facts;

void trace_facts_of(const tracer *t, trace_facts *f);

#endif
