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

void deadline_work(tracer *t, lane *l)
{
    uint64_t began = clock_read(&t->clock);
    lanes_hurry(t, t->lanes.deadline);      /* before the look at the signal's flag */
    if (ends_signal_pending())
        ends_finish_and_die();
    uint64_t now = clock_shared(&t->clock);
    if (now >= t->lanes.look_at && t->running) {
        witnesses_ask(t, l);
        speed_follow(&t->speed, &t->clock, &t->costs, &t->lanes);
        t->lanes.look_at = clock_shared(&t->clock) + t->speed.interval;
        lanes_hurry(t, t->lanes.deadline);
    }
    if (now >= t->lanes.deadline && t->running)
        lanes_hurry(t, snapshot_take(&t->snapshot, &t->clock, now));
    if (t->costs.long_interval != INT64_MAX)
        lane_look_at_wait(l);       /* what has been waited for in here is forgiven */
    lane_forgive(&t->clock, &t->lanes, l, began);
}
