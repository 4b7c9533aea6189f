/* What becomes of a lane's time away from the hot path: what is left out, and other clocks. */
#include "lane_time.h"

#include "wait.h"

TRACE_THREAD_LOCAL lane *trace_my_lane;
TRACE_THREAD_LOCAL uint64_t trace_my_key;

uint64_t lane_overhead(const lane *l)
{
    return l->slow_work + l->taken - lane_debt(l) - l->forgiven;
}

void lane_look_at_wait(lane *l)
{
    uint64_t ns;
    if (processor_wait(l->native_id, &ns))
        l->wait_ns = ns;
}

/*
 * What remains of an interval that ended just now and is a long one, or negative: with a counter
 * that differs between cores. The thread's wait for a processor is taken off: it would fall to
 * those lines most that have most events, for in them it runs longest.
 */
static uint64_t without_wait(const event_costs *costs, lane *l, uint64_t gross)
{
    if (gross > INT64_MAX)
        return 0;
    uint64_t began = clock_ns(CLOCK_MONOTONIC), before = l->wait_ns;
    lane_look_at_wait(l);
    double ns = l->wait_ns > before ? (double)(l->wait_ns - before) : 0;
    double wait = ns * costs->units_per_ns;
    uint64_t units = wait < (double)gross ? (uint64_t)wait : gross;
    l->waited += units;
    uint64_t took = (uint64_t)((double)(clock_ns(CLOCK_MONOTONIC) - began) * costs->units_per_ns);
    l->since += took;
    l->slow_work += took;
    return gross - units;
}

uint64_t lane_charge_unusual(const event_costs *costs, lane *l, uint64_t gross, enum cost_kind kind)
{
    uint64_t due = cost_within(costs, kind, gross) + lane_debt(l);
    if (gross >= costs->long_interval)
        gross = without_wait(costs, l, gross);
    if (gross >= due) {
        l->credit = l->most_debt;
        l->elapsed += gross - due;
        return gross - due;
    }
    uint64_t debt = due - gross;
    if (debt > l->most_debt) { /* the cost is overrated: it must not */
        l->forgiven += debt - l->most_debt; /* eat up what comes later */
        debt = l->most_debt;
    }
    l->credit = l->most_debt - debt;
    return 0;
}

bool lane_worked(const lane *l)
{
    uint64_t events = 0;
    for (int kind = 0; kind < COST_KINDS; kind++)
        events += l->events[kind];
    return l->elapsed > 0 || events > 0;
}

uint64_t lanes_line_events(const lane_table *lanes)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < lanes->n; i++)
        if (lanes->list[i]->key)
            for (int kind = COST_LINE; kind <= COST_STEP_LOOP_BIG; kind++)
                sum += lanes->list[i]->events[kind];
    return sum;
}

uint64_t lanes_waited(const lane_table *lanes)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < lanes->n; i++)
        if (lanes->list[i]->key)
            sum += lanes->list[i]->waited;
    return sum;
}

/* In a short time there is no wait, as little as in a short interval. */
void lane_leave_out(const trace_clock *clock, const event_costs *costs, lane *l, uint64_t began)
{
    if (clock_read(clock) - began >= costs->long_interval)
        lane_look_at_wait(l);
    uint64_t ended = clock_read(clock);
    if (l->since <= began) {
        l->slow_work += ended - began;
        l->since += ended - began;
    }
}

void lane_forgive(const trace_clock *clock, const lane_table *lanes, lane *l, uint64_t began)
{
    uint64_t ended = clock_read(clock);
    l->slow_work += ended - began;
    for (size_t i = 0; i < lanes->n; i++) {
        lane *each = lanes->list[i];
        if (clock->cpu && each != l)
            continue;
        if (each->since <= began)       /* not settled meanwhile */
            each->since += ended - began;
        else
            each->since = ended;
    }
}

uint64_t lane_clock(const trace_clock *clock, const lane *l, uint64_t now)
{
    uint64_t theirs;
    if (!clock->cpu || l == lane_here())
        return now;
    return clock_of_thread(l->native_id, &theirs) && theirs > l->since ? theirs : l->since;
}

uint64_t lane_deadline(const trace_clock *clock, const lane *l, uint64_t deadline)
{
    if (!clock->cpu || deadline == 0 || deadline == UINT64_MAX)
        return deadline;
    uint64_t now = clock_shared(clock);
    return l->since + (deadline > now ? deadline - now : 0);
}
