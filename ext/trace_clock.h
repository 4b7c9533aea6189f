/*
 * trace_clock.h - the tracer's clock: the processor's time stamp counter where
 * the kernel itself trusts it, else CLOCK_MONOTONIC.
 */
#ifndef PYNYTPROF_TRACE_CLOCK_H
#define PYNYTPROF_TRACE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#define HAVE_TSC 1
#else
#define HAVE_TSC 0
#endif

typedef struct {
    bool     tsc;
    uint64_t units0;        /* the clock, */
    uint64_t ns0;           /* and CLOCK_MONOTONIC, read together at the start */
} trace_clock;

static inline uint64_t clock_monotonic_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static inline uint64_t clock_read(const trace_clock *c)
{
#if HAVE_TSC
    if (c->tsc)
        return __rdtsc();
#else
    (void)c;
#endif
    return clock_monotonic_ns();
}

/* Chooses the clock and reads both; `tsc` false: CLOCK_MONOTONIC whatever the machine has. */
void clock_begin(trace_clock *c, bool tsc);

/* Nanoseconds in a unit, measured over all the time since clock_begin. */
double clock_ns_per_unit(const trace_clock *c);

#endif
