/*
 * What is done at an event because it is time: never from a thread of ours, nor in a
 * signal's handler. The lanes know of it by a pointer alone.
 */
#include "deadline.h"

#include "exits.h"
#include "lane.h"
#include "snapshot.h"
#include "tracer.h"
#include "witness.h"

enum { OWN_TIMES = 100, SKIPPED = 4 };

/* So much later by the shared clock, as a part of the time between two looks. */
static void look_after(tracer *t, uint64_t part)
{
    t->lanes.look_at = clock_shared(&t->clock) + t->speed.interval / part;
    lanes_hurry(t, t->lanes.deadline);
}

/*
 * Between two looks: so many events are timed from here on, if the thread has run on for a while. What a
 * look leaves in the caches is gone then, and so is what others have, for which it had to wait.
 */
static void watch_own_time(tracer *t, lane *l, uint64_t began, uint64_t now)
{
    enum { A_WHILE = 32 };
    own_watch *w = &t->speed.watch;
    bool soon = w->stage == WATCH_SOON;
    bool ran_on = now - t->lanes.look_at < t->speed.interval / A_WHILE;
    w->stage = soon ? WATCH_NOT : WATCH_SOON;
    look_after(t, soon ? 2 : A_WHILE);
    lane_forgive(&t->clock, &t->lanes, l, began);
    if (soon && ran_on)
        own_time_begin(w, &t->clock, l, OWN_TIMES, SKIPPED);
}

/* A thread that mostly waits needs no look: what there is to take off is little, and looks would be
 * much of what it costs. */
static bool has_hardly_run(tracer *t, const lane *l)
{
    enum { HARDLY = 4 };
    uint64_t ran = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    double since = (double)(ran - t->speed.looked_ran) / clock_ns_per_unit(&t->clock);
    if (t->speed.looked == l && since < (double)(t->speed.interval / HARDLY))
        return true;
    t->speed.looked = l;
    t->speed.looked_ran = ran;
    return false;
}

static void look(tracer *t, lane *l)
{
    witnesses_ask(t, l);
    speed_follow(&t->speed, &t->clock, &t->costs);
    t->speed.watch.stage = WATCH_NEXT;
    look_after(t, 2);
}

void deadline_work(tracer *t, lane *l)
{
    own_watch *w = &t->speed.watch;
    uint64_t began = clock_read(&t->clock);
    if (w->of == l && !ends_signal_pending() &&
        own_time_note(w, &t->clock, l, began, speed_factor(&t->speed)))
        return;
    lanes_hurry(t, t->lanes.deadline);      /* before the look at the signal's flag */
    if (ends_signal_pending())
        ends_finish_and_die();
    uint64_t now = clock_shared(&t->clock);
    if (now >= t->lanes.look_at && t->running && w->stage != WATCH_NOT) {
        watch_own_time(t, l, began, now);
        return;
    }
    if (now >= t->lanes.look_at && t->running) {
        if (has_hardly_run(t, l))
            look_after(t, 1);
        else
            look(t, l);
    }
    if (now >= t->lanes.deadline && t->running)
        lanes_hurry(t, snapshot_take(&t->snapshot, &t->clock, now));
    if (t->costs.long_interval != INT64_MAX)
        lane_look_at_wait(l);       /* what has been waited for in here is forgiven */
    lane_forgive(&t->clock, &t->lanes, l, began);
}
