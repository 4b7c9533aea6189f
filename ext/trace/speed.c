/* How fast the machine is, and what events cost accordingly. */
#include "speed.h"

#include <stdlib.h>
#include <string.h>

/* ---- A piece of work ---- */

enum { TURNS = 64, TRIES = 6, PLACES = 64 };

typedef uint64_t step_fn(uint64_t noise);

static uint64_t places[PLACES];     /* what the work touches: no more than a line's figures are */
static lane scratch;

static uint64_t step_adds(uint64_t noise)
{
    places[noise & (PLACES - 1)] += noise;
    return noise * 6364136223846793005u + 1442695040888963407u;
}

static uint64_t step_mixes(uint64_t noise)
{
    return noise ^ places[noise >> 20 & (PLACES - 1)] >> 7;
}

/* Volatile: they are called through pointers, as callbacks are. */
static step_fn *volatile steps[] = {step_adds, step_mixes};

/*
 * As an event has it: calls, a reading of the clock, an interval that is charged. All jumps can
 * be foreseen, so that it takes as long after other work as after itself.
 */
static uint64_t work(const trace_clock *clock, const event_costs *costs)
{
    uint64_t noise = 12345, began = clock_read(clock), now = began;
    scratch.since = began;
    for (int i = 0; i < TURNS; i++) {
        noise = steps[0](steps[1](steps[0](steps[1](noise))));
        now = clock_read(clock);
        places[i & (PLACES - 1)] += lane_charge(costs, &scratch, now, COST_LINE);
    }
    return now - began;
}

/* ---- For tests ---- */

/* The next of the numbers that are given; false: none are. */
static bool given_time(uint64_t *units)
{
    static size_t at;
    const char *list = getenv("PYNYTPROF_SPEED");
    if (!list || !*list)
        return false;
    char *end = (char *)(uintptr_t)list;
    for (size_t i = 0; i <= at; i++) {
        *units = strtoull(end, &end, 10);
        if (*end != ',')
            break;
        end++;
    }
    at++;
    return *units > 0;
}

uint64_t speed_probe(const trace_clock *clock)
{
    static const event_costs none = {.most_debt = 1, .long_interval = INT64_MAX};
    uint64_t least = UINT64_MAX;
    if (given_time(&least))
        return least;
    for (int i = 0; i < TRIES; i++) {
        uint64_t took = work(clock, &none);
        if (took < least)
            least = took;
    }
    return least ? least : 1;
}

/* ---- What follows from it ---- */

/* Less than a part in so many is no change: the reading's own grain, caches, neighbours. */
enum { GRAIN = 16 };

bool speed_is_same(uint64_t a, uint64_t b)
{
    return (a > b ? a - b : b - a) <= (a < b ? a : b) / GRAIN;
}

/* Beyond these the work does not tell what an event costs. */
static double bounded(double factor)
{
    const double least = 0.4, largest = 2.5;
    return factor < least ? least : factor > largest ? largest : factor;
}

double speed_factor(const machine_speed *s)
{
    return s->then ? bounded((double)s->in_force / (double)s->then) : 1;
}

/* From here on events cost that much; what has come so far is paid as it was. */
static void put_in_force(machine_speed *s, uint64_t time, event_costs *costs, lane_table *lanes)
{
    lanes_pay(costs, lanes);
    s->in_force = time;
    const double factor = speed_factor(s);
    for (int kind = 0; kind < COST_KINDS; kind++)
        costs->of[kind] = (uint64_t)((double)s->measured.of[kind] * factor + 0.5);
    costs->most_debt = (uint64_t)((double)s->measured.most_debt * factor + 0.5);
    if (factor < s->least)
        s->least = factor;
    if (factor > s->largest)
        s->largest = factor;
}

static uint64_t middle(const uint64_t t[SPEEDS_KEPT])
{
    uint64_t low = t[0] < t[1] ? t[0] : t[1], high = t[0] < t[1] ? t[1] : t[0];
    return t[2] < low ? low : t[2] > high ? high : t[2];
}

void speed_begin(machine_speed *s, const trace_clock *clock, event_costs *costs, lane_table *lanes)
{
    if (!s->then)
        return;
    uint64_t time = speed_probe(clock);
    if (speed_is_same(time, s->then))
        time = s->then;
    for (int i = 0; i < SPEEDS_KEPT; i++)
        s->recent[i] = time;
    if (!s->probes)
        s->least = s->largest = bounded((double)time / (double)s->then);
    s->probes++;
    put_in_force(s, time, costs, lanes);
}

/* The middle one of the last three: a single one that was disturbed changes nothing. */
void speed_follow(machine_speed *s, const trace_clock *clock, event_costs *costs, lane_table *lanes)
{
    if (!s->then)
        return;
    s->recent[s->probes++ % SPEEDS_KEPT] = speed_probe(clock);
    uint64_t time = middle(s->recent);
    if (speed_is_same(time, s->in_force))
        return;
    s->changes++;
    put_in_force(s, time, costs, lanes);
}

void speed_forget(machine_speed *s)
{
    s->probes = s->changes = 0;
    s->least = s->largest = speed_factor(s);
}
