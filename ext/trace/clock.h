/*
 * clock.h - the tracer's clock: the processor's time stamp counter where
 * the kernel itself trusts it, else CLOCK_MONOTONIC. Or, on request, the processor
 * time of each thread; then what all threads share is CLOCK_MONOTONIC.
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
    bool tsc;
    bool cpu;        /* a thread's own time; its unit is a nanosecond, too */
    uint64_t units0; /* the shared clock, */
    uint64_t ns0;    /* and CLOCK_MONOTONIC, read together at the start; */
    double wall0;    /* and the time of day then, in seconds */
} trace_clock;

static inline uint64_t clock_ns(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* What the running thread's intervals are measured by. */
static inline uint64_t clock_read(const trace_clock *c)
{
#if HAVE_TSC
    if (c->tsc)
        return __rdtsc();
#endif
    return clock_ns(c->cpu ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC);
}

/* The clock on the wall, the same for all threads. */
static inline uint64_t clock_shared(const trace_clock *c)
{
    return c->cpu ? clock_ns(CLOCK_MONOTONIC) : clock_read(c);
}

/* Chooses the clock and reads all; `cpu`: each thread's processor time is wanted. */
void clock_begin(trace_clock *c, bool cpu);

/* The processor time of another thread of this process; false: it has ended. */
bool clock_of_thread(uint32_t native_id, uint64_t *ns);

/* Nanoseconds in a unit, measured over all the time since clock_begin; over the first
 * milliseconds as assumed, if something is, else they are waited for. */
double clock_ns_per_unit(const trace_clock *c);
void clock_assume_rate(double ns_per_unit);

#endif
