/* How long our own callbacks take in the program that runs. */
#include "own_time.h"

#include <string.h>

/* What it takes to read the clock. */
static uint64_t reading_of(const trace_clock *clock)
{
    uint64_t least = UINT64_MAX, last = clock_read(clock);
    for (int i = 0; i < 3; i++) {
        uint64_t now = clock_read(clock);
        least = now - last < least ? now - last : least;
        last = now;
    }
    return least;
}

void own_time_begin(own_watch *w, const trace_clock *clock, lane *l, uint32_t n, uint32_t skip)
{
    w->of = l;
    w->left = n;
    w->skip = skip;
    w->before = false;
    w->reading = reading_of(clock);
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

/*
 * Whether it took so much more than usual that it is neither spread nor the grain of clocks: something
 * had been forgotten.
 */
static bool had_forgotten(const own_watch *w, int kind, double took)
{
    const double times = 3.5;
    return w->usual && w->usual[kind] > 0 && took > times * w->usual[kind];
}

/* How long the event took is remembered until the next one tells in what an interval that lay. */
static void note_extra(own_watch *w, const lane *l, int kind, double took)
{
    if (kind != COST_NONE && w->before && l->since > w->before_at)
        own_extras_add(&w->extras, kind, l->since - w->before_at, w->before_extra);
    w->before = kind != COST_NONE && !w->skip && w->usual[kind] > 0;
    w->before_extra = had_forgotten(w, kind, took) ? took - w->usual[kind] : 0;
}

bool own_time_note(own_watch *w, const trace_clock *clock, lane *l, uint64_t ended, double factor)
{
    enum { INTERRUPTED = 2000 };    /* units: nearly a microsecond; it counts for no more */
    uint64_t units = ended - l->since;
    double took = (double)(units < INTERRUPTED ? units : INTERRUPTED) / factor;
    int kind = kind_of_last(w, l);
    if (w->usual)
        note_extra(w, l, kind, took);
    if (w->skip) {
        w->skip--;
    } else if (kind != COST_NONE && units < INTERRUPTED) {
        bool counts = !had_forgotten(w, kind, took);
        w->timed++;
        w->found.n[kind] += counts;
        w->found.sum[kind] += counts ? took : 0;
    }
    w->left--;
    if (w->left == 0)
        w->of = NULL;
    uint64_t ours = clock_read(clock) - ended;
    l->since += ours;
    l->slow_work += ours;
    w->before_at = l->since + w->reading;
    return w->left > 0;
}

void own_times_add(own_times *to, const own_times *from, double scale)
{
    for (int kind = 0; kind < COST_KINDS; kind++) {
        to->n[kind] += from->n[kind];
        to->sum[kind] += from->sum[kind] * scale;
    }
}

void own_extras_add(own_extras *extras, int kind, uint64_t interval, double extra)
{
    int length = interval_length(interval);
    length = length < FIRST_LENGTH ? FIRST_LENGTH : length > LAST_LENGTH ? LAST_LENGTH : length;
    extras->n[kind][length]++;
    extras->sum[kind][length] += extra;
}

void own_times_fade(own_watch *w)
{
    const double kept = 0.98;
    own_extras *extras = &w->extras;
    for (int kind = 0; kind < COST_KINDS; kind++) {
        w->found.n[kind] *= kept;
        w->found.sum[kind] *= kept;
        for (int length = FIRST_LENGTH; length <= LAST_LENGTH; length++) {
            extras->n[kind][length] *= kept;
            extras->sum[kind][length] *= kept;
        }
    }
}

double own_time_of(const own_times *times, int kind, double usual)
{
    const double few = 30;          /* so many of the usual kind are added */
    return (times->sum[kind] + few * usual) / (times->n[kind] + few);
}

void own_extras_common(const own_extras *extras, double common[LENGTHS])
{
    const double few = 8;           /* so many are added that are as those in shorter intervals */
    double shorter = 0;
    for (int length = FIRST_LENGTH; length <= LAST_LENGTH; length++) {
        double n = few, sum = few * shorter;
        for (int kind = 0; kind < COST_KINDS; kind++) {
            n += extras->n[kind][length];
            sum += extras->sum[kind][length];
        }
        common[length] = shorter = sum / n;
    }
}

double own_extra_of(const own_extras *extras, const double common[LENGTHS], int kind, int length)
{
    const double few = 20;
    return (extras->sum[kind][length] + few * common[length]) / (extras->n[kind][length] + few);
}
