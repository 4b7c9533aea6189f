/* How fast the machine is, and what events cost accordingly. */
#include "speed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * ---- A piece of work ----
 *
 * It has to slow down as the interpreter does. Where another program shares the core, a chain of
 * results that wait for each other takes as long as before, and so does a loop of few
 * instructions; but calls, and much code that is run once, take up to twice as long. So does
 * the interpreter, which consists of such code, and so do its events.
 */

enum { TURNS = 48, TRIES = 10, PLACES = 64 };

typedef void step_fn(uint64_t *at, uint64_t value);

static void step_adds(uint64_t *at, uint64_t value)
{
    at[0] += value;
    at[1]++;
    if (at[2] < at[1])
        at[2] = at[1];
}

static void step_compares(uint64_t *at, uint64_t value)
{
    at[4] = value;
    at[5] += at[6];
    if (!at[7])
        at[3] = value;
}

/* Volatile: they are called through pointers, as callbacks are. */
static step_fn *volatile steps[] = {step_adds, step_compares};

#define LOOK(n)                          \
    if (places[(n)] == UINT64_MAX - (n)) \
        places[(n) ^ 1] = (n);
#define LOOK_4(n)  LOOK(n) LOOK((n) + 1) LOOK((n) + 2) LOOK((n) + 3)
#define LOOK_16(n) LOOK_4(n) LOOK_4((n) + 4) LOOK_4((n) + 8) LOOK_4((n) + 12)

/* Code without a loop. */
static void look_at_all(uint64_t *places)
{
    LOOK_16(0)
    LOOK_16(16)
    LOOK_16(32)
    LOOK_16(48)
}

/*
 * As an event has it: calls, a reading of the clock, an interval that is charged; all jumps can
 * be foreseen, so that it takes as long after other work as after itself. What it touches stands
 * beside its own frames: how far they are apart can tell, and would be chance else.
 */
static uint64_t work(const trace_clock *clock, const event_costs *costs)
{
    uint64_t places[PLACES] = {0}, began = clock_read(clock), now = began;
    lane scratch = {.since = began};
    for (uint64_t i = 0; i < TURNS; i++) {
        for (int at = 0; at < PLACES; at += 16) {
            steps[0](places + at, i);
            steps[1](places + at + 8, i);
        }
        look_at_all(places);
        now = clock_read(clock);
        places[i] += lane_charge(costs, &scratch, now, COST_LINE);
    }
    return now - began;
}

/* ---- For tests ---- */

/* Asked once, before the program runs: it may change its environment while we read it. */
static const char *given_times(void)
{
    static const char *given; /* owned, to the end */
    static bool asked;
    if (!asked) {
        const char *now = getenv("PYNYTPROF_SPEED");
        given = now && *now ? strdup(now) : NULL;
        asked = true;
    }
    return given;
}

/* The next of the numbers that are given; false: none are. */
static bool given_time(uint64_t *units)
{
    static size_t at;
    const char *list = given_times();
    if (!list)
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
    static const event_costs none = {.long_interval = INT64_MAX};
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
enum { GRAIN = 12 };

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
    double program = s->program > 0 ? s->program : 1;
    return s->then ? bounded((double)s->in_force / (double)s->then) * program : 1;
}

void speed_hear(machine_speed *s, double factor)
{
    s->heard[s->n_heard++ % HEARD_KEPT] = factor * (s->program > 0 ? s->program : 1);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The middle one of the last, if that is news. */
static void witnesses_agree(machine_speed *s)
{
    enum { LEAST = 5 };
    const double least = 0.8, most = 2;
    double sorted[HEARD_KEPT];
    size_t n = s->n_heard < HEARD_KEPT ? (size_t)s->n_heard : HEARD_KEPT;
    if (n < LEAST)
        return;
    memcpy(sorted, s->heard, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare);
    double program = sorted[n / 2] < least ? least : sorted[n / 2] > most ? most : sorted[n / 2];
    double change = program / (s->program > 0 ? s->program : 1);
    if (change <= 0.97 || change >= 1.03)
        s->program = program;
}

/* What an event costs that has forgotten nothing: our callback may take longer here, or less. */
static double cost_at_hand(const machine_speed *s, int kind)
{
    const double least = -0.2, most = 0.5;
    double cost = (double)s->measured.of[kind], usual = s->usual[kind];
    double more = usual > 0 ? own_time_of(&s->watch.found, kind, usual) - usual : 0;
    return cost + fmax(least * cost, fmin(more, most * cost));
}

/*
 * What an event costs more in an interval of that length than at the calibration, at the speed of the
 * machine then, in units: what our callback takes longer, and what the interpreter's part does, of
 * which that tells: it has four times our instructions. The factor is fitted to real jobs' totals
 * (docs/accuracy.md). Bounded: it is a sample.
 */
static double more_than_usual(const machine_speed *s, const double common[LENGTHS], int kind,
                              int length)
{
    const double both = 3.5;
    double more = both * own_extra_of(&s->watch.extras, common, kind, length);
    return fmin(more, ldexp(1, length));
}

static void scale_kind(const machine_speed *s, const double common[LENGTHS], int kind,
                       double factor, event_costs *costs)
{
    double cost = cost_at_hand(s, kind);
    uint32_t *within = costs->within[kind];
    costs->of[kind] = (uint64_t)(cost * factor + 0.5);
    for (int length = FIRST_LENGTH; length <= LAST_LENGTH; length++) {
        double more = cost > 0 ? more_than_usual(s, common, kind, length) : 0;
        within[length] = (uint32_t)((cost + more) * factor + 0.5);
    }
    for (int length = 0; length < FIRST_LENGTH; length++)
        within[length] = within[FIRST_LENGTH];
    for (int length = LAST_LENGTH + 1; length < LENGTHS; length++)
        within[length] = within[LAST_LENGTH];
}

void speed_set_costs(machine_speed *s, uint64_t time, event_costs *costs)
{
    double common[LENGTHS];
    own_extras_common(&s->watch.extras, common);
    s->in_force = time;
    const double factor = speed_factor(s);
    for (int kind = 0; kind < COST_KINDS; kind++)
        scale_kind(s, common, kind, factor, costs);
    costs->most_debt = (uint64_t)((double)s->measured.most_debt * factor + 0.5);
    costs->instruction = (uint64_t)((double)s->measured.instruction * factor + 0.5);
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

void speed_begin(machine_speed *s, const trace_clock *clock, event_costs *costs)
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
    speed_set_costs(s, time, costs);
}

/* The middle one of the last three: a single one that was disturbed changes nothing. */
void speed_follow(machine_speed *s, const trace_clock *clock, event_costs *costs)
{
    if (!s->then)
        return;
    s->recent[s->probes++ % SPEEDS_KEPT] = speed_probe(clock);
    uint64_t time = middle(s->recent);
    witnesses_agree(s);
    if (speed_is_same(time, s->in_force))
        time = s->in_force;
    else
        s->changes++;
    speed_set_costs(s, time, costs);
    own_times_fade(&s->watch);
}

void speed_forget(machine_speed *s)
{
    s->probes = s->changes = 0;
    s->program = 0;
    s->n_heard = 0;
    s->watch = (own_watch){.usual = s->watch.usual};
    s->looked = NULL;
    s->least = s->largest = speed_factor(s);
}
