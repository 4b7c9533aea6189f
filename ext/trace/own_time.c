/* How long our own callbacks take in the program that runs. */
#include "own_time.h"

#include <string.h>

void own_time_begin(own_watch *w, lane *l, uint32_t n, uint32_t skip)
{
    w->of = l;
    w->left = n;
    w->skip = skip;
    memcpy(w->events, l->events, sizeof w->events);
    l->deadline = 0;
}

/* The one event that has come since the last look; COST_NONE: none, or more than one. */
static int kind_of_last(own_watch *w, const lane *l)
{
    int found = COST_NONE;
    uint64_t n = 0;
    for (int kind = COST_NONE; kind < COST_KINDS; kind++) {
        n += l->events[kind] - w->events[kind];
        if (l->events[kind] != w->events[kind])
            found = kind;
        w->events[kind] = l->events[kind];
    }
    return n == 1 ? found : COST_NONE;
}

bool own_time_note(own_watch *w, const trace_clock *clock, lane *l, double factor)
{
    enum { INTERRUPTED = 1500 };    /* units: half a microsecond or so */
    uint64_t ended = clock_read(clock), took = ended - l->since;
    int kind = kind_of_last(w, l);
    if (w->skip) {
        w->skip--;
    } else if (kind != COST_NONE && took < INTERRUPTED) {
        w->found.n[kind]++;
        w->timed++;
        w->found.sum[kind] += (double)took / factor;
    }
    w->left--;
    if (w->left == 0)
        w->of = NULL;
    uint64_t ours = clock_read(clock) - ended;
    l->since += ours;
    l->slow_work += ours;
    return w->left > 0;
}

void own_times_fade(own_times *times)
{
    const double kept = 0.95;
    for (int kind = 0; kind < COST_KINDS; kind++) {
        times->n[kind] *= kept;
        times->sum[kind] *= kept;
    }
}

void own_times_add(own_times *to, const own_times *from, double scale)
{
    for (int kind = 0; kind < COST_KINDS; kind++) {
        to->n[kind] += from->n[kind];
        to->sum[kind] += from->sum[kind] * scale;
    }
}

double own_time_of(const own_times *times, int kind, double usual)
{
    const double few = 8;           /* so many of the usual kind are added */
    return (times->sum[kind] + few * usual) / (times->n[kind] + few);
}
