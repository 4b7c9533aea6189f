/*
 * own_time.h - how long our own callbacks take in the program that runs. Where much code runs in
 * turns, what an event needs has been forgotten by the nearest caches when it comes: it takes up
 * to ten times as long as in a small loop, and the interpreter's part of it likewise. So after
 * each look at the machine's speed some events are timed to their callbacks' ends. The same is
 * done in the calibration, and the costs in force follow the difference.
 *
 * Most events find all that they need, also where the average is three times the usual: some take
 * very long, and these are in long intervals. So the difference is kept by how long the interval is
 * that it lies in, which the next event ends.
 */
#ifndef PYNYTPROF_TRACE_OWN_TIME_H
#define PYNYTPROF_TRACE_OWN_TIME_H

#include "clock.h"
#include "lane_time.h"

/* By kind of event: so many have been timed, and took so many units in all. */
typedef struct {
    double n[COST_KINDS], sum[COST_KINDS];
} own_times;

/* Columns as in event_costs; shorter intervals are in the first, longer ones in the last. */
enum { FIRST_LENGTH = 4, LAST_LENGTH = 15 };

/*
 * By the kind of event that ends an interval, and its length: what the callback of the event before,
 * which lies in the interval, took more than usual.
 */
typedef struct {
    double n[COST_KINDS][LENGTHS], sum[COST_KINDS][LENGTHS];
} own_extras;

/* What comes at the next look: one at the machine's speed, */
enum watch_stage {
    WATCH_NOT,
    WATCH_NEXT, /* or it is seen whether the thread runs on, */
    WATCH_SOON, /* or, if it has, events are timed */
};

typedef struct {
    const lane *of; /* whose events are timed now; NULL: nobody's */
    uint32_t left, skip; /* so many more, after so many that are not */
    uint64_t events[COST_KINDS]; /* of the lane, when it was looked at last */
    own_times found;
    own_extras extras;
    const double *usual; /* by kind; NULL: extras are not wanted */
    bool before; /* the event before was timed as well: */
    double before_extra; /* it took so much more than usual, */
    uint64_t before_at; /* and came then, but for our looking at it */
    uint64_t reading; /* of the clock: what it takes */
    uint64_t timed; /* in all */
    enum watch_stage stage;
} own_watch;

/* The lane's next events are to be timed, all but the first `skip`. Its deadline is set to "now". */
void own_time_begin(own_watch *w, const trace_clock *clock, lane *l, uint32_t n, uint32_t skip);
/*
 * At the end of an event of that lane, which is past its deadline; it ended just now. At a machine
 * `factor` times as slow as at the calibration. True: it goes on.
 */
bool own_time_note(own_watch *w, const trace_clock *clock, lane *l, uint64_t ended, double factor);
void own_times_add(own_times *to, const own_times *from, double scale);

/* The event of that kind that ended an interval of that many units: the callback before took so much
 * more than usual. */
void own_extras_add(own_extras *extras, int kind, uint64_t interval, double extra);
/* What has been found counts for less from now on. */
void own_times_fade(own_watch *w);
/* What an event of the kind takes on the average that has forgotten nothing, in units; few or none have
 * been timed: `usual`. */
double own_time_of(const own_times *times, int kind, double usual);
/* What is to be expected, in units, of all kinds in intervals of each length; none at all: 0. */
void own_extras_common(const own_extras *extras, double common[LENGTHS]);
/* The same of one kind, with what is common to all as far as few have been timed. */
double own_extra_of(const own_extras *extras, const double common[LENGTHS], int kind, int length);

#endif
