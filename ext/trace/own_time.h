/*
 * own_time.h - how long our own callbacks take in the program that runs. Where much code runs in
 * turns, what an event needs has been forgotten by the nearest caches when it comes: it takes up
 * to three times as long as in a small loop, and the interpreter's part of it likewise. So after
 * each look at the machine's speed the next events are timed to their callbacks' ends. The same is
 * done in the calibration, and the costs in force follow the difference.
 */
#ifndef PYNYTPROF_TRACE_OWN_TIME_H
#define PYNYTPROF_TRACE_OWN_TIME_H

#include "clock.h"
#include "lane_time.h"

/* By kind of event: so many have been timed, and took so many units in all. */
typedef struct {
    double n[COST_KINDS], sum[COST_KINDS];
} own_times;

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
    uint64_t timed; /* in all */
    enum watch_stage stage;
} own_watch;

/* The lane's next events are to be timed, all but the first `skip`. Its deadline is set to "now". */
void own_time_begin(own_watch *w, lane *l, uint32_t n, uint32_t skip);
/*
 * At the end of an event of that lane, which is past its deadline. At a machine `factor` times as
 * slow as at the calibration. True: it goes on.
 */
bool own_time_note(own_watch *w, const trace_clock *clock, lane *l, double factor);
/* What has been found counts for less from now on. */
void own_times_fade(own_times *times);
void own_times_add(own_times *to, const own_times *from, double scale);
/* What an event of the kind takes on the average, in units; fewer than a few of them: `usual`. */
double own_time_of(const own_times *times, int kind, double usual);

#endif
