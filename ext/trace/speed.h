/*
 * speed.h - machines change their speed, virtual ones by a factor of two within seconds; what
 * events cost was measured at one of them. So a fixed piece of work in C, of the kind that an
 * event is, is timed beside that measurement, at the start, and every few milliseconds of a run;
 * and the costs in force are those measured, times what it takes now over what it took then.
 */
#ifndef PYNYTPROF_TRACE_SPEED_H
#define PYNYTPROF_TRACE_SPEED_H

#include "clock.h"
#include "lane_time.h"
#include "own_time.h"
#include "trace.h"

enum { SPEEDS_KEPT = 3, HEARD_KEPT = 15 };

/* Of one tracer. The times of the piece of work are in clock units. */
typedef struct {
    base_costs measured;    /* what events cost */
    double usual[COST_KINDS]; /* how long our callbacks took then, in units; 0: not known */
    own_watch watch; /* and do in the program that runs */
    uint64_t then;          /* the work's time when that was measured; 0: not known, costs stay */
    uint64_t in_force;      /* the one by which the costs are scaled now */
    uint64_t recent[SPEEDS_KEPT];
    uint64_t probes, changes;
    double least, largest;  /* of all factors that were in force */
    uint64_t interval;      /* from one look to the next */
    const lane *looked; /* the lane that looked last, and the processor time of its thread, ns */
    uint64_t looked_ran;
    double program; /* by what events cost more in this program; 0: not known yet */
    double heard[HEARD_KEPT]; /* what its last witnesses made of that */
    uint64_t n_heard;
} machine_speed;

/*
 * What the work takes now: the least of some tries, in units, some microseconds in all. Nothing of
 * Python's is touched. Tests give the times by PYNYTPROF_SPEED, numbers of which each serves
 * for one look and the last for all that follow. The lock is held.
 */
uint64_t speed_probe(const trace_clock *clock);

/* Whether two such times are those of one speed, as far as can be told. */
bool speed_is_same(uint64_t a, uint64_t b);

/* A run begins or goes on, or some time of it has passed: looks, and puts `costs` right. */
void speed_begin(machine_speed *s, const trace_clock *clock, event_costs *costs);
void speed_follow(machine_speed *s, const trace_clock *clock, event_costs *costs);

/* From here on the work takes that time, and events cost as much as follows from all that is known. */
void speed_set_costs(machine_speed *s, uint64_t time, event_costs *costs);

/* A witness says that events cost that much of what is taken off for them. */
void speed_hear(machine_speed *s, double factor);

/* The factor by which the costs are scaled now. */
double speed_factor(const machine_speed *s);

/* In a new process or after forget(): as if the run had begun now. */
void speed_forget(machine_speed *s);

#endif
