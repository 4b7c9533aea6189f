/*
 * Hot code: fewer LINE events, the same counts.
 *
 * Once a line has started often, its code's flow graph is made (flow.c), and lines are chosen from
 * whose counts all others follow (derivation.c). For a while all are on still: it is looked
 * whether what follows is what was counted; if not, the code is left alone for good. Then the others
 * are switched off: LINE is answered with DISABLE there, and never counts. What events remain are
 * counted as ever. When a profile is written, and when lines are switched on again, the tables are
 * settled: the others' counts and times are worked out from what has come since the last time.
 * What else belongs to the flow:
 *
 * - Where a block is left by an exception, one frame less goes on than has come, and the lines behind
 *   it in the block have not started: RAISE tells of it. A yield, a return, a jump end a block.
 * - What is open, in any thread, when the tables are settled is in the middle of a block: it has
 *   come, and not gone on. So it is with frames that are found open, the other way round.
 * - Where another tool is, or comes (sys.settrace is what lets code jump to other lines; it also
 *   fires no event at what is disabled), or stacks are exchanged (greenlet), all lines are on.
 * - Code that is followed by INSTRUCTION (steps.h) has what is left of its steps: those of the lines that
 *   are counted, and those that tell of the line from which one comes to these.
 * - Where two code objects share one code_info, they share the lines' figures: all lines are on.
 *
 * Times are shares.c's. Shares are learned, in some windows of time, before lines are switched off,
 * and anew each time that the code has run AGAIN times as often: all its lines are on for a while. The
 * profile tells which lines have such a share.
 */
#include "tiers.h"

#include "derivation.h"
#include "flow.h"
#include "frames.h"
#include "shares.h"
#include "steps.h"

#include <stdlib.h>
#include <string.h>

#if HAVE_RAW_FRAMES

enum {
    HOT = 64,           /* starts of a line with which its code is hot */
    WARM_UP = 8,        /* in the first window, */
    TO_LEARN = 32,      /* in each of the others, */
    TO_BEGIN = 16,      /* but for the first time in these: who knows how often it will run */
    AGAIN = 4           /* times as often as when shares were learned: they are learned anew */
};

bool tiers_wanted(const tracer *t)
{
    return !t->options.exact_lines && t->options.stmts && flow_is_known();
}

/* ---- What is noted of a place ---- */

/* As one piece; NULL: no memory. */
static tier_place *place_new(const code_tier *tier)
{
    enum { A_LINE = sizeof(line_slot) + sizeof(uint64_t) + sizeof(int64_t) };
    size_t n_lines = tier->derived.n_lines, n_blocks = tier->flow.n_blocks;
    tier_place *p = calloc(1, sizeof *p + n_lines * A_LINE + n_blocks * sizeof *p->stuck);
    if (!p)
        return NULL;
    p->base = (line_slot *)(void *)(p + 1);
    p->own = (uint64_t *)(void *)(p->base + n_lines);
    p->extra = (int64_t *)(void *)(p->own + n_lines);
    p->stuck = p->extra + n_lines;
    return p;
}

/* NULL: no memory, and the code is given up: what is not noted would be wrong. */
static tier_place *place_of(tracer *t, code_tier *tier, uint32_t place)
{
    if (tier_knows(tier, place))
        return tier->places[place];
    tier_place **places = grow_by_place(tier->places, &tier->places_cap, place);
    if (places) {
        tier->places = places;
        places[place] = place_new(tier);
    }
    if (tier_knows(tier, place))
        return tier->places[place];
    trace_fail(t);
    tier->dead = true;
    return NULL;
}

/* ---- Where a frame stands ---- */

/* The block that has the offset, in code units. */
static uint32_t block_at(const code_flow *flow, uint32_t unit)
{
    uint32_t low = 0, high = flow->n_blocks;
    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;
        if (flow->blocks[mid].unit <= unit)
            low = mid;
        else
            high = mid;
    }
    return low;
}

/*
 * A frame that has come into the block stays there: by 1; -1: one goes on that had come before the
 * last settling. Its lines from unit `next` on are still to start.
 */
static void note_stuck(tracer *t, code_tier *tier, uint32_t place, uint32_t block, uint32_t next,
                       int by)
{
    tier_place *p = place_of(t, tier, place);
    if (!p)
        return;
    p->stuck[block] += by;
    for (uint32_t i = tier->flow.blocks[block].first; i < tier->flow.blocks[block].end; i++)
        if (tier->flow.places[i].unit >= next)
            p->extra[tier->flow.places[i].line] -= by;
}

/* ---- Open frames ---- */

static const PyThreadState *thread_of(const lane *l)
{
    PyThreadState *thread = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    while (thread && PyThreadState_GetID(thread) != l->thread)
        thread = PyThreadState_Next(thread);
    return thread;
}

static bool has_begun(uint32_t unit, const PyCodeObject *code)
{
    return (int)unit >= code->_co_firsttraceable;
}

/* From `frame` outwards, the first that runs the code; one that has not begun yet is none. */
static const raw_frame *find_frame(const raw_frame *frame, const void *code)
{
    for (; frame; frame = frame->back)
        if (frame_runs(frame, code) && has_begun((uint32_t)frame_offset(frame) / 2, code))
            return frame;
    return NULL;
}

/* `next` of what stands at an instruction: an opening was counted when the frame began. */
static uint32_t next_unit_of(const activation *a, uint32_t unit)
{
    const code_info *info = a->info;
    bool opened = a->begun && info->opening == OPENING_KNOWN && unit < info->opening_unit;
    return (opened ? info->opening_unit : unit) + 1;
}

static void note_open_of(tracer *t, lane *l, const code_tier *only, int by)
{
    const PyThreadState *thread = l->top == l->stack ? NULL : thread_of(l);
    const raw_frame *frame = thread ? running_frame_of(thread) : NULL;
    if (frame && l->leaving)
        frame = frame->back;
    for (activation *a = l->top; a > l->stack && frame; a--) {
        code_tier *tier = tier_of(a);
        if (!tier || tier->dead || (only && tier != only))
            continue;
        frame = find_frame(frame, a->key);
        if (!frame)
            break;
        uint32_t unit = (uint32_t)frame_offset(frame) / 2;
        if (a->at != (HAS_RAISED | unit))       /* what has raised there is noted already */
            note_stuck(t, tier, a->place, block_at(&tier->flow, unit), next_unit_of(a, unit), by);
        frame = frame->back;
    }
}

/* All frames that are open in any thread and known to a lane; of `only`, unless NULL. */
static void note_open(tracer *t, const code_tier *only, int by)
{
    for (size_t i = 0; i < t->lanes.n; i++)
        if (t->lanes.list[i]->key && !t->lanes.list[i]->folded)
            note_open_of(t, t->lanes.list[i], only, by);
}

/* ---- Steps ---- */

/* Of open frames, which have come past steps without events, what has run last. */
static void find_steps_of(lane *l, const code_tier *tier)
{
    const PyThreadState *thread = l->top == l->stack ? NULL : thread_of(l);
    const raw_frame *frame = thread ? running_frame_of(thread) : NULL;
    if (frame && l->leaving)
        frame = frame->back;
    for (activation *a = l->top; a > l->stack && frame; a--) {
        if (tier_of(a) != tier)
            continue;
        frame = find_frame(frame, a->key);
        if (!frame)
            break;
        if (!(a->at & HAS_RAISED))
            a->at = code_place(a->info, (PyCodeObject *)(uintptr_t)a->key, frame_offset(frame)) + 1;
        frame = frame->back;
    }
}

static void find_steps(const tracer *t, const code_tier *tier)
{
    for (size_t i = 0; i < t->lanes.n; i++)
        if (t->lanes.list[i]->key && !t->lanes.list[i]->folded)
            find_steps_of(t->lanes.list[i], tier);
}

/* ---- Settling ---- */

/* What has come since, of the lines that are counted; then of the others. */
static void derive(code_tier *tier, const tier_place *p, const line_slot *lines)
{
    int64_t *counts = derivation_counts(&tier->derived);
    for (uint32_t i = 0; i < tier->derived.n_lines; i++)
        counts[i] = (int64_t)(lines[i].count - p->base[i].count) - p->extra[i];
    derivation_apply(&tier->derived, p->stuck);
    for (uint32_t i = 0; i < tier->derived.n_lines; i++) {
        counts[i] += p->extra[i];
        tier->wrong = tier->wrong || (!tier->derived.kept[i] && counts[i] < 0);
    }
}

static void check(code_tier *tier, const tier_place *p, const line_slot *lines)
{
    const int64_t *counts = derivation_counts(&tier->derived);
    derive(tier, p, lines);
    for (uint32_t i = 0; i < tier->derived.n_lines; i++)
        if (!tier->derived.kept[i] && (uint64_t)counts[i] != lines[i].count - p->base[i].count)
            tier->wrong = true;
}

static void take_derived(tracer *t, code_tier *tier, const tier_place *p, line_slot *lines)
{
    const int64_t *counts = derivation_counts(&tier->derived);
    derive(tier, p, lines);
    for (uint32_t i = 0; i < tier->derived.n_lines; i++)
        if (!tier->derived.kept[i] && counts[i] > 0)
            lines[i].count = p->base[i].count + (uint64_t)counts[i];
    if (!shares_give(tier, lines, p))
        trace_fail(t);
}

static void take_as_new(const code_tier *tier, tier_place *p, const line_slot *lines)
{
    memcpy(p->base, lines, tier->derived.n_lines * sizeof *lines);
    memset(p->own, 0, tier->derived.n_lines * sizeof *p->own);
    memset(p->extra, 0, tier->derived.n_lines * sizeof *p->extra);
    memset(p->stuck, 0, tier->flow.n_blocks * sizeof *p->stuck);
}

void tiers_take_as_new(tracer *t, code_info *info, uint32_t place)
{
    code_tier *tier = info->tier;
    tier_place *p = tier && !tier->dead ? place_of(t, tier, place) : NULL;
    if (p)
        take_as_new(tier, p, info->slots[place]);
}

/* note_open() was before. */
void tiers_settle_place(tracer *t, code_info *info, uint32_t place)
{
    code_tier *tier = info->tier;
    bool wanted = tier && !tier->dead && place < info->slots_cap && info->slots[place];
    tier_place *p = wanted ? place_of(t, tier, place) : NULL;
    if (!p)
        return;
    line_slot *lines = info->slots[place];
    if (tier->off) {
        take_derived(t, tier, p, lines);
    } else if (t->tiers.hot != UINT64_MAX) {
        check(tier, p, lines);
        if (tier->window > 0)
            shares_learn(tier, lines, p);
    }
    take_as_new(tier, p, lines);
}

static void settle_code(tracer *t, code_info *info)
{
    note_open(t, info->tier, 1);
    for (uint32_t i = 0; i < info->slots_cap; i++)
        tiers_settle_place(t, info, i);
}

void tiers_settle(tracer *t)
{
    if (!tiers_wanted(t))
        return;
    note_open(t, NULL, 1);
    for (size_t i = 0; i < t->codes.n; i++) {
        code_info *info = t->codes.list[i];
        for (uint32_t k = 0; info->tier && k < info->slots_cap; k++)
            tiers_settle_place(t, info, k);
    }
}

void tiers_go_on(tracer *t)
{
    if (tiers_wanted(t))
        note_open(t, NULL, -1);
}

/* ---- Off and on ---- */

/* All that has been disabled in the code is on again; false: perhaps not. */
static bool renew_events(tracer *t, const code_info *info)
{
    const code_tier *tier = info->tier;
    engine_state *e = &t->engine;
    PyCodeObject *code = (PyCodeObject *)tier->code;
    bool by_step = tier->steps && e->steps;
    int rc = by_step ? local_events_renew(&e->by_step, code, e->step_events)
                     : local_events_renew(&e->by_line, code, e->events);
    if (by_step && rc == 0)
        steps_thin_events(info, code, e->tool_id);
    if (rc < 0)
        trace_fail(t);
    return rc == 0;
}

static void mark_lines(code_info *info, bool off)
{
    const bool *kept = info->tier->derived.kept;
    for (uint32_t i = 0; i < info->n_lines; i++) {
        uint8_t kind = code_line_kind(info, i);
        info->line_kinds[i] = off && !kept[i] ? kind | LINE_IS_OFF : kind;
    }
    info->tier->off = off;
    info->tier->has_been_off = true;
}

/* How often the line that has started most often has, of those alone that have events. */
static uint64_t most_often(const code_info *info)
{
    uint64_t most = 0;
    for (uint32_t i = 0; i < info->slots_cap; i++)
        for (uint32_t k = 0; info->slots[i] && k < info->n_lines; k++)
            if (!(info->line_kinds[k] & LINE_IS_OFF) && info->slots[i][k].count > most)
                most = info->slots[i][k].count;
    return most;
}

static void switch_off(tracer *t, code_info *info)
{
    settle_code(t, info);
    info->due = UINT64_MAX;
    if (info->tier->wrong)
        info->tier->dead = true;
    if (!info->tier->dead) {
        mark_lines(info, true);
        note_open(t, info->tier, -1);
        info->due = AGAIN * most_often(info);
    }
}

/* False: for want of memory it stays as it was. */
static bool switch_on(tracer *t, code_info *info)
{
    if (!renew_events(t, info))
        return false;
    settle_code(t, info);
    mark_lines(info, false);
    note_open(t, info->tier, -1);
    if (info->tier->steps)
        find_steps(t, info->tier);
    return true;
}

static uint32_t window_of(const code_tier *tier)
{
    return often_is(tier->has_been_off ? TO_LEARN : TO_BEGIN);
}

/* The first window: the interpreter changes the code's instructions. */
static void begin_windows(code_info *info)
{
    uint32_t window = window_of(info->tier);
    info->tier->window = 0;
    info->due = most_often(info) + (window < WARM_UP ? window : WARM_UP);
}

static void switch_on_for_a_while(tracer *t, code_info *info)
{
    info->due = UINT64_MAX;
    if (switch_on(t, info))
        begin_windows(info);
}

/* One is over, in which all lines were on. */
static void window_ends(tracer *t, code_info *info)
{
    if (info->tier->window == WINDOWS) {
        switch_off(t, info);
        return;
    }
    settle_code(t, info);
    note_open(t, info->tier, -1);
    info->tier->window++;
    info->due = most_often(info) + window_of(info->tier);
}

/* All its lines stay on. */
static void give_up(tracer *t, code_info *info)
{
    info->due = UINT64_MAX;
    if (info->tier->off)
        switch_on(t, info);
    info->tier->dead = true;
}

/* What has been counted since tiers_end(), or while nothing ran, has not been followed. */
void tiers_begin(tracer *t, bool alone)
{
    t->tiers.hot = alone && tiers_wanted(t) ? often_is(HOT) : UINT64_MAX;
    for (size_t i = 0; i < t->codes.n; i++) {
        code_info *info = t->codes.list[i];
        info->due = 0;
        for (uint32_t k = 0; info->tier && k < info->slots_cap; k++)
            if (info->slots[k])
                tiers_take_as_new(t, info, k);
    }
    tiers_go_on(t);
}

void tiers_end(tracer *t)
{
    if (t->tiers.hot == UINT64_MAX)
        return;
    t->tiers.hot = UINT64_MAX;
    for (size_t i = 0; i < t->codes.n; i++) {
        code_info *info = t->codes.list[i];
        if (info->tier && info->tier->off)
            switch_on(t, info);
        info->due = UINT64_MAX;
    }
}

/* ---- Hot code ---- */

/* How dear it is to count each line; an opening is counted anyhow. NULL: no memory. */
static uint64_t *dearness_of(const code_info *info)
{
    uint64_t *often = calloc(info->n_lines, sizeof *often);
    for (uint32_t i = 0; often && i < info->slots_cap; i++)
        for (uint32_t k = 0; info->slots[i] && k < info->n_lines; k++)
            often[k] += info->slots[i][k].count;
    if (often && info->opening == OPENING_KNOWN)
        often[info->opening_line] = 0;
    return often;
}

static bool tier_find(code_tier *tier, const code_info *info, PyCodeObject *code)
{
    uint64_t *often = dearness_of(info);
    bool ok = often && flow_find(&tier->flow, info, code) &&
              derivation_find(&tier->derived, &tier->flow, info->n_lines, often);
    free(often);
    tier->learned = calloc(info->n_lines, sizeof *tier->learned);
    tier->part = calloc(info->n_lines, sizeof *tier->part);
    tier->shared = calloc(info->n_lines, sizeof *tier->shared);
    ok = ok && tier->learned && tier->part && tier->shared && shares_find_parts(tier);
    if (ok && info->steps) {
        tier->steps = steps_left(info, &tier->flow, tier->derived.kept);
        ok = tier->steps != NULL;
    }
    free(tier->flow.edges);     /* what they told is in the derivation */
    tier->flow.edges = NULL;
    tier->flow.n_edges = 0;
    return ok;
}

static code_tier *tier_new(const code_info *info, PyCodeObject *code)
{
    code_tier *tier = calloc(1, sizeof *tier);
    bool ok = tier && tier_find(tier, info, code);
    swallow_error();
    if (!ok) {
        tier_free(tier);
        return NULL;
    }
    const flow_block *entry = tier->flow.blocks;
    tier->first_line = entry->first < entry->end ? tier->flow.places[entry->first].line
                                                 : UINT32_MAX;
    tier->code = Py_NewRef((PyObject *)code);
    return tier;
}

/* From now on it is looked at how frames go through it. */
static void become_hot(tracer *t, code_info *info, PyCodeObject *code)
{
    bool possible = !info->no_tier && !info->folded;
    code_tier *tier = possible ? tier_new(info, code) : NULL;
    info->tier = tier;
    info->no_tier = !tier;
    info->due = UINT64_MAX;
    if (!tier)
        return;
    for (uint32_t i = 0; i < info->slots_cap; i++)
        if (info->slots[i])
            tiers_take_as_new(t, info, i);
    note_open(t, tier, -1);
    begin_windows(info);
}

void tiers_due(tracer *t, lane *l, PyCodeObject *code, code_info *info)
{
    uint64_t began = clock_read(&t->clock);
    code_tier *tier = tier_of(l->top);
    if (t->tiers.hot == UINT64_MAX || info->no_tier || (tier && tier->dead))
        info->due = UINT64_MAX;
    else if (most_often(info) < t->tiers.hot)
        info->due = t->tiers.hot;
    else if (!info->tier)
        become_hot(t, info, code);
    else if (!tier)
        tiers_not_alone(t, info);
    else if (tier->off)
        switch_on_for_a_while(t, info);
    else
        window_ends(t, info);
    if (!t->options.raw)
        lane_leave_out(&t->clock, &t->costs, l, began);
}

void tiers_not_alone(tracer *t, code_info *info)
{
    info->no_tier = true;
    if (info->tier)
        give_up(t, info);
}

/* ---- Events ---- */

/* The line at which the frame that runs the activation's code is, from `frame` outwards. */
static uint32_t line_in(const activation *a, const raw_frame *frame)
{
    while (frame && !frame_runs(frame, a->key))
        frame = frame->back;
    return code_place(a->info, (PyCodeObject *)(uintptr_t)a->key, frame ? frame_offset(frame) : 0);
}

uint32_t tiers_line_now(const activation *top)
{
    return line_in(top, running_frame());
}

uint32_t tiers_caller_line(const activation *top)
{
    return line_in(top, running_frame()->back);
}

void tiers_interrupt(tracer *t, lane *l, uint64_t now)
{
    activation *top = l->top;
    (top->slot ? top->slot : top->slots)->time += lane_charge(&t->costs, l, now, COST_NONE);
    top->slot = &top->slots[tiers_line_now(top)];
}

void tiers_start(lane *l)
{
    activation *top = l->top;
    uint32_t line = top->info->tier->first_line;
    if (!top->slot && line != UINT32_MAX)
        top->slot = &top->slots[line];
}

void tiers_give_up(tracer *t, lane *l, activation *a)
{
    code_tier *tier = tier_of(a);
    if (!tier || tier->dead)
        return;
    if (tier->off && a == l->top)
        tiers_interrupt(t, l, clock_read(&t->clock));
    give_up(t, a->info);
}

/* That an iterator has come to its end is what its loop goes on with. */
static bool ends_loop(const flow_block *b, uint32_t unit, PyObject *exception)
{
    return b->may_stop && unit == b->last_unit &&
           PyErr_GivenExceptionMatches(exception, PyExc_StopIteration);
}

void tiers_raise(tracer *t, lane *l, PyObject *exception)
{
    code_tier *tier = tier_of(l->top);
    const raw_frame *frame = running_frame();
    if (!tier || tier->dead || !frame || !frame_runs(frame, l->top->key))
        return;
    uint32_t unit = (uint32_t)frame_offset(frame) / 2, block = block_at(&tier->flow, unit);
    if (has_begun(unit, (PyCodeObject *)tier->code) &&
        !ends_loop(&tier->flow.blocks[block], unit, exception)) {
        note_stuck(t, tier, l->top->place, block, unit + 1, 1);
        l->top->at = HAS_RAISED | unit;
    }
}

void tiers_found(tracer *t, lane *l, PyFrameObject *frame)
{
    activation *a = l->top;
    code_tier *tier = tier_of(a);
    int offset = tier && !tier->dead ? PyFrame_GetLasti(frame) : -1;
    if (offset < 0 || !has_begun((uint32_t)offset / 2, (PyCodeObject *)tier->code))
        return;
    uint32_t unit = (uint32_t)offset / 2;
    bool not_yet = l->at_line && frame == PyEval_GetFrame();  /* its line has not been counted */
    note_stuck(t, tier, a->place, block_at(&tier->flow, unit), unit + !not_yet, -1);
}

/* ---- Facts ---- */

uint64_t tiers_shared_times(const tracer *t)
{
    uint64_t n = 0;
    for (size_t i = 0; i < t->codes.n; i++) {
        const code_info *info = t->codes.list[i];
        for (uint32_t k = 0; info->tier && info->tier->has_been_off && k < info->n_lines; k++)
            n += info->tier->shared[k];
    }
    return n;
}

void tiers_count(const tracer *t, uint64_t *hot, uint64_t *refused)
{
    *hot = *refused = 0;
    for (size_t i = 0; i < t->codes.n; i++) {
        const code_tier *tier = t->codes.list[i]->tier;
        *hot += tier && tier->off;
        *refused += tier && tier->wrong;
    }
}

#else

bool tiers_wanted(const tracer *t)
{
    (void)t;
    return false;
}

void tiers_begin(tracer *t, bool alone)
{
    (void)alone;
    t->tiers.hot = UINT64_MAX;
}

void tiers_end(tracer *t)
{
    (void)t;
}

uint32_t tiers_line_now(const activation *top)
{
    (void)top;
    return 0;
}

void tiers_interrupt(tracer *t, lane *l, uint64_t now)
{
    (void)t, (void)l, (void)now;
}

void tiers_found(tracer *t, lane *l, PyFrameObject *frame)
{
    (void)t, (void)l, (void)frame;
}

void tiers_give_up(tracer *t, lane *l, activation *a)
{
    (void)t, (void)l, (void)a;
}

void tiers_not_alone(tracer *t, code_info *info)
{
    (void)t, (void)info;
}

uint64_t tiers_shared_times(const tracer *t)
{
    (void)t;
    return 0;
}

void tiers_count(const tracer *t, uint64_t *hot, uint64_t *refused)
{
    (void)t;
    *hot = *refused = 0;
}

void tiers_settle_place(tracer *t, code_info *info, uint32_t place)
{
    (void)t, (void)info, (void)place;
}

void tiers_take_as_new(tracer *t, code_info *info, uint32_t place)
{
    (void)t, (void)info, (void)place;
}

void tiers_settle(tracer *t)
{
    (void)t;
}

void tiers_go_on(tracer *t)
{
    (void)t;
}

#endif
