/*
 * Hot code: fewer LINE events, the same counts.
 *
 * Once a line has started often, the basic blocks of its code are looked for (flow.c). When a
 * block has been seen often enough, its lines but the first, its head, are switched off: LINE is
 * answered with DISABLE there, and never counts. Instead, the head counts them all in advance.
 * What makes that right:
 *
 * - A line at which the block is left by an exception is the last that has run: RAISE takes the
 *   others back. A yield, a return, a jump end a block by themselves.
 * - What is open, in any thread, while a block is switched off or on is in the middle of it,
 *   perhaps: where its frame stands tells which lines are still to come. They are counted in
 *   advance, or taken back. So it is with frames that are found open, and, for the time that it
 *   takes, when a profile is written.
 * - Where another tool is, or comes (sys.settrace is what lets code jump to other lines; it also
 *   fires no event at what is disabled), or stacks are exchanged (greenlet), all lines are on.
 *
 * All of that is by code object: others that share its code_info may have other instructions.
 *
 * A block's time is measured as a whole, less the calls made in it, which tell where they are. It
 * is kept apart until the profile is written; then its lines have shares of it, as they were
 * while all were on: before the block was switched off, and again each time it has run twice as
 * often, for a while. The profile tells how many lines have such a share.
 */
#include "tiers.h"

#include "flow.h"
#include "frames.h"

#include <stdlib.h>
#include <string.h>

#if HAVE_RAW_FRAMES

enum { HOT = 256, TO_LEARN = 256 };

bool tiers_wanted(const tracer *t)
{
    return !t->options.exact_lines && t->options.stmts && flow_is_known();
}

/* ---- Places ---- */

/* The place at that offset, in code units, plus one; 0: none. */
static uint32_t place_at(const code_flow *flow, uint32_t unit)
{
    uint32_t low = 0, high = flow->n_places;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (flow->places[mid].unit < unit)
            low = mid + 1;
        else
            high = mid;
    }
    return low < flow->n_places && flow->places[low].unit == unit ? low + 1 : 0;
}

/* The block, whose head has started, that has the offset, plus one; 0: none. */
static uint32_t block_at(const code_flow *flow, uint32_t unit)
{
    uint32_t low = 0, high = flow->n_blocks;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (flow->places[flow->blocks[mid].first].unit <= unit)
            low = mid + 1;
        else
            high = mid;
    }
    return low && unit < flow->blocks[low - 1].end_unit ? low : 0;
}

static uint32_t n_lines_of(const activation *a)
{
    return a->info->n_lines;
}

/* What activation.at is within a block that is switched off. */
static uint32_t at_block(const activation *a, uint32_t block)
{
    return n_lines_of(a) + block + 1;
}

/* Where a frame stands, the lines of its block that come after: once more, or less. */
static void count_rest(const code_tier *tier, activation *a, uint32_t block, uint32_t unit, int by)
{
    const code_flow *flow = &tier->flow;
    for (uint32_t i = flow->blocks[block].first; i < flow->blocks[block].end; i++)
        if (flow->places[i].unit > unit)
            a->slots[flow->places[i].line].count += (uint64_t)(int64_t)by;
}

/* They have been counted in advance, and do not run, or are on again. */
static void take_back(const code_tier *tier, activation *a, uint32_t unit, int by)
{
    uint32_t block = block_at(&tier->flow, unit);
    if (block && tier->blocks[block - 1].on && a->at == at_block(a, block - 1))
        count_rest(tier, a, block - 1, unit, by);
}

/* ---- Open frames ---- */

/* What is done with one that has a tier, and stands there. */
typedef void open_fn(code_tier *tier, activation *a, uint32_t unit, uint32_t block);

static const PyThreadState *thread_of(const lane *l)
{
    PyThreadState *thread = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    while (thread && PyThreadState_GetID(thread) != l->thread)
        thread = PyThreadState_Next(thread);
    return thread;
}

/* From `frame` outwards, the first that runs the code; one that has not begun yet is none. */
static const raw_frame *find_frame(const raw_frame *frame, const void *code)
{
    for (; frame; frame = frame->back)
        if (frame_runs(frame, code) &&
            frame_offset(frame) / 2 >= ((const PyCodeObject *)code)->_co_firsttraceable)
            return frame;
    return NULL;
}

static void each_open_of(lane *l, const code_tier *only, uint32_t block, open_fn *visit)
{
    const PyThreadState *thread = l->top == l->stack ? NULL : thread_of(l);
    const raw_frame *frame = thread ? running_frame_of(thread) : NULL;
    if (frame && l->leaving)
        frame = frame->back;
    for (activation *a = l->top; a > l->stack && frame; a--) {
        code_tier *tier = tier_of(a);
        if (!tier || (only && tier != only))
            continue;
        frame = find_frame(frame, a->key);
        if (!frame)
            break;
        if (a != l->starting)
            visit(tier, a, (uint32_t)frame_offset(frame) / 2, block);
        frame = frame->back;
    }
}

/*
 * All frames that are open in any thread and known to a lane; of `only`, unless NULL. Not the one
 * whose next line is being started: it is in no block.
 */
static void each_open(const tracer *t, const code_tier *only, uint32_t block, open_fn *visit)
{
    for (size_t i = 0; i < t->lanes.n; i++)
        if (t->lanes.list[i]->key && !t->lanes.list[i]->folded)
            each_open_of(t->lanes.list[i], only, block, visit);
}

static void open_taken_back(code_tier *tier, activation *a, uint32_t unit, uint32_t unused)
{
    (void)unused;
    take_back(tier, a, unit, -1);
}

static void open_goes_on(code_tier *tier, activation *a, uint32_t unit, uint32_t unused)
{
    (void)unused;
    take_back(tier, a, unit, 1);
}

static void open_switched_on(code_tier *tier, activation *a, uint32_t unit, uint32_t block)
{
    if (a->at != at_block(a, block))
        return;
    take_back(tier, a, unit, -1);
    a->at = 0;
}

static void open_switched_off(code_tier *tier, activation *a, uint32_t unit, uint32_t block)
{
    if (block_at(&tier->flow, unit) != block + 1)
        return;
    count_rest(tier, a, block, unit, 1);
    a->at = at_block(a, block);
}

/* ---- Times ---- */

/* Where they are kept for that place; NULL: no memory. */
static line_slot *times_new(code_tier *tier, uint32_t place, uint32_t n_lines)
{
    if (place >= tier->times_cap) {
        uint32_t cap = place == 0 ? 1 : place + 16;
        line_slot **times = realloc(tier->times, cap * sizeof *times);
        if (!times)
            return NULL;
        memset(times + tier->times_cap, 0, (cap - tier->times_cap) * sizeof *times);
        tier->times = times;
        tier->times_cap = cap;
    }
    if (!tier->times[place])
        tier->times[place] = calloc(n_lines + tier->flow.n_blocks, sizeof(line_slot));
    return tier->times[place];
}

static inline line_slot *times_of(code_tier *tier, const activation *a, uint32_t n_lines)
{
    uint32_t place = a->place;
    if (LIKELY(place < tier->times_cap && tier->times[place]))
        return tier->times[place];
    return times_new(tier, place, n_lines);
}

static float places_of_line(const code_tier *tier, uint32_t line)
{
    uint32_t n = 0;
    if (tier->place_of[line] != LINE_OF_MANY_PLACES)
        return 1;
    for (uint32_t i = 0; i < tier->flow.n_places; i++)
        n += tier->flow.places[i].line == line;
    return (float)n;
}

/* What lines have taken while all were on is theirs, and tells their share of the block. */
static void learn(code_tier *tier, const line_slot *times)
{
    for (uint32_t i = 0; i < tier->flow.n_places; i++) {
        const flow_place *p = &tier->flow.places[i];
        if (p->block && times[p->line].time)
            tier->weights[i] += (float)times[p->line].time / places_of_line(tier, p->line);
    }
}

static void add_slot(line_slot *to, line_slot *from)
{
    to->time += from->time;
    to->calls += from->calls;
    *from = (line_slot){0};
}

/* A line that has not started in this lane has no time. */
static double weight_of(const code_tier *tier, const line_slot *lines, uint32_t place)
{
    return lines[tier->flow.places[place].line].count ? (double)tier->weights[place] : 0;
}

/* The block's time goes to its lines by their weights; what is left over to the last of them. */
static void share_out(code_tier *tier, line_slot *lines, const flow_block *block, line_slot *from)
{
    const flow_place *places = tier->flow.places;
    double sum = 0;
    uint64_t left = from->time;
    uint32_t last = block->first;
    lines[places[block->first].line].calls += from->calls;
    for (uint32_t i = block->first; i < block->end; i++)
        sum += weight_of(tier, lines, i);
    for (uint32_t i = block->first; i < block->end; i++) {
        double weight = weight_of(tier, lines, i);
        if (weight <= 0)
            continue;
        uint64_t share = (uint64_t)((double)from->time * (weight / sum));
        if (share > left)
            share = left;
        lines[places[i].line].time += share;
        left -= share;
        last = i;
    }
    lines[places[last].line].time += left;
    *from = (line_slot){0};
}

void tiers_settle_code(code_info *info, uint32_t place)
{
    code_tier *tier = info->tier;
    if (!tier || place >= tier->times_cap || !tier->times[place])
        return;
    line_slot *times = tier->times[place], *lines = info->slots[place];
    learn(tier, times);
    for (uint32_t i = 0; i < info->n_lines; i++)
        add_slot(&lines[i], &times[i]);
    for (uint32_t i = 0; i < tier->flow.n_blocks; i++)
        if (times[info->n_lines + i].time || times[info->n_lines + i].calls)
            share_out(tier, lines, &tier->flow.blocks[i], &times[info->n_lines + i]);
}

static void settle_all_lanes(code_info *info)
{
    for (uint32_t i = 0; i < info->tier->times_cap; i++)
        tiers_settle_code(info, i);
}

uint64_t tiers_shared_times(const tracer *t)
{
    uint64_t n = 0;
    for (size_t i = 0; i < t->codes.n; i++) {
        const code_info *info = t->codes.list[i];
        for (uint32_t k = 0; info->tier && k < info->n_lines; k++)
            n += info->tier->shared[k];
    }
    return n;
}

void tiers_settle(tracer *t)
{
    if (tiers_wanted(t))
        each_open(t, NULL, 0, open_taken_back);
    for (size_t i = 0; i < t->codes.n; i++)
        if (t->codes.list[i]->tier)
            settle_all_lanes(t->codes.list[i]);
}

void tiers_go_on(tracer *t)
{
    if (tiers_wanted(t))
        each_open(t, NULL, 0, open_goes_on);
}

/* ---- Off and on ---- */

/* All that has been disabled in the code is on again; false: perhaps not. */
static bool renew_events(tracer *t, code_tier *tier)
{
    engine_state *e = &t->engine;
    bool ok = local_events_renew(&e->by_line, (PyCodeObject *)tier->code, e->events) == 0;
    if (!ok)
        trace_fail(t);
    return ok;
}

static void block_off(tracer *t, code_info *info, uint32_t block)
{
    code_tier *tier = info->tier;
    settle_all_lanes(info);
    tier->blocks[block].on = true;
    tier->blocks[block].due = 2 * tier->blocks[block].seen;
    for (uint32_t i = tier->flow.blocks[block].first; i < tier->flow.blocks[block].end; i++)
        tier->shared[tier->flow.places[i].line] = true;
    each_open(t, tier, block, open_switched_off);
}

static void block_on(tracer *t, code_info *info, uint32_t block)
{
    enum { HALF = 2 };
    code_tier *tier = info->tier;
    const flow_block *b = &tier->flow.blocks[block];
    settle_all_lanes(info);
    each_open(t, tier, block, open_switched_on);
    tier->blocks[block].on = false;
    tier->blocks[block].due = tier->blocks[block].seen + often_is(TO_LEARN);
    for (uint32_t i = b->first; i < b->end; i++)
        tier->weights[i] /= HALF;       /* what was learned long ago counts less */
}

/* All lines of the code are on. */
static void code_on(tracer *t, code_info *info)
{
    bool any = false;
    for (uint32_t i = 0; i < info->tier->flow.n_blocks; i++)
        if (info->tier->blocks[i].on) {
            block_on(t, info, i);
            any = true;
        }
    if (any)
        renew_events(t, info->tier);
}

void tiers_begin(tracer *t, bool alone)
{
    t->tiers.hot = alone && tiers_wanted(t) ? often_is(HOT) : UINT64_MAX;
}

void tiers_end(tracer *t)
{
    if (t->tiers.hot == UINT64_MAX)
        return;
    t->tiers.hot = UINT64_MAX;
    for (size_t i = 0; i < t->codes.n; i++)
        if (t->codes.list[i]->tier)
            code_on(t, t->codes.list[i]);
}

/* It is time: the lines of the block are switched off, or on for a while. */
static void block_due(tracer *t, lane *l, code_info *info, uint32_t block)
{
    uint64_t began = clock_read(&t->clock);
    code_tier *tier = info->tier;
    if (!tier->blocks[block].on) {
        if (t->tiers.hot != UINT64_MAX)
            block_off(t, info, block);
        else
            tier->blocks[block].due = UINT64_MAX;
    } else if (renew_events(t, tier)) {
        block_on(t, info, block);
    }
    if (!t->options.raw)
        lane_leave_out(&t->clock, l, began);
}

/* ---- Hot code ---- */

static void place_lines(code_tier *tier)
{
    for (uint32_t i = 0; i < tier->flow.n_places; i++) {
        uint32_t *place = &tier->place_of[tier->flow.places[i].line];
        *place = *place == LINE_IN_NO_BLOCK ? i + 1 : LINE_OF_MANY_PLACES;
    }
    /* Of a single place in no block there is nothing to know. */
    for (uint32_t i = 0; i < tier->flow.n_places; i++)
        if (!tier->flow.places[i].block &&
            tier->place_of[tier->flow.places[i].line] != LINE_OF_MANY_PLACES)
            tier->place_of[tier->flow.places[i].line] = LINE_IN_NO_BLOCK;
}

static code_tier *tier_new(const code_info *info, PyCodeObject *code)
{
    code_tier *tier = calloc(1, sizeof *tier);
    bool ok = tier && flow_find(&tier->flow, info, code) && tier->flow.n_blocks;
    swallow_error();
    if (ok) {
        tier->blocks = calloc(tier->flow.n_blocks, sizeof *tier->blocks);
        tier->weights = calloc(tier->flow.n_places, sizeof *tier->weights);
        tier->place_of = calloc(info->n_lines, sizeof *tier->place_of);
        tier->shared = calloc(info->n_lines, sizeof *tier->shared);
        ok = tier->blocks && tier->weights && tier->place_of && tier->shared;
    }
    if (!ok) {
        code_tier_free(tier);
        return NULL;
    }
    place_lines(tier);
    for (uint32_t i = 0; i < tier->flow.n_blocks; i++)
        tier->blocks[i].due = often_is(TO_LEARN);
    tier->code = Py_NewRef((PyObject *)code);
    return tier;
}

void tiers_look_at(tracer *t, lane *l, PyCodeObject *code, code_info *info)
{
    uint64_t began = clock_read(&t->clock);
    if (!info->steps)
        info->tier = tier_new(info, code);
    info->no_tier = !info->tier;
    if (!t->options.raw)
        lane_leave_out(&t->clock, l, began);
}

/* ---- Events ---- */

/* The place of a line that starts at many: where the running frame is. */
static uint32_t place_of_line(const code_tier *tier, uint32_t line)
{
    uint32_t place = tier->place_of[line];
    if (UNLIKELY(place == LINE_OF_MANY_PLACES))
        place = place_at(&tier->flow, (uint32_t)frame_offset(running_frame()) / 2);
    return place;
}

static void count_line(tracer *t, lane *l, uint32_t line, uint32_t at, line_slot *where,
                       uint64_t now)
{
    activation *top = l->top;
    line_slot *left = top->slot ? top->slot : &top->slots[line];
    left->time += lane_charge(&t->costs, l, now, top->info->line_kinds[line]);
    top->slots[line].count++;
    top->slot = where;
    top->at = at;
}

/* The head of a block that is switched off: its other lines will run, too. */
static void count_block(tracer *t, lane *l, code_tier *tier, uint32_t block, line_slot *times,
                        uint64_t now)
{
    const flow_block *b = &tier->flow.blocks[block];
    const flow_place *places = tier->flow.places;
    activation *top = l->top;
    uint32_t at = at_block(top, block);
    count_line(t, l, places[b->first].line, at, &times[at - 1], now);
    for (uint32_t i = b->first + 1; i < b->end; i++)
        top->slots[places[i].line].count++;
}

/* Without memory for the code's times, all its lines stay on. */
static void give_up(tracer *t, code_info *info)
{
    info->tier->dead = true;
    code_on(t, info);
}

/* A line starts, by whatever event: the block that ran before is behind. */
static void start_line(tracer *t, lane *l, code_tier *tier, uint32_t line, uint32_t place,
                       uint64_t now)
{
    code_info *info = l->top->info;
    uint32_t block = place ? tier->flow.places[place - 1].block : 0;
    line_slot *times = block ? times_of(tier, l->top, info->n_lines) : NULL;
    l->top->at = 0;
    l->starting = l->top;
    if (block && UNLIKELY(!times))
        give_up(t, info);
    if (!times) {
        count_line(t, l, line, 0, &l->top->slots[line], now);
    } else {
        tier_block *b = &tier->blocks[block - 1];
        bool head = tier->flow.blocks[block - 1].first == place - 1;
        if (head && UNLIKELY(++b->seen >= b->due)) {
            uint64_t since = l->since;
            block_due(t, l, info, block - 1);
            now = lane_later(l, now, since);
        }
        if (b->on)
            count_block(t, l, tier, block - 1, times, now);
        else
            count_line(t, l, line, line + 1, &times[line], now);
    }
    l->starting = NULL;
    if (UNLIKELY(now >= l->deadline))
        t->on_deadline(t, l);
}

bool tiers_line(tracer *t, lane *l, code_tier *tier, uint32_t line, uint64_t now)
{
    uint32_t place = tier->dead ? 0 : place_of_line(tier, line);
    uint32_t block = place ? tier->flow.places[place - 1].block : 0;
    if (block && tier->blocks[block - 1].on && tier->flow.blocks[block - 1].first != place - 1) {
        line_slot *running = l->top->slot ? l->top->slot : l->top->slots;
        running->time += lane_charge(&t->costs, l, now, l->top->info->line_kinds[line]);
        return true;
    }
    start_line(t, l, tier, line, place, now);
    return false;
}

/* The line at which the frame that runs the activation's code is, from `frame` outwards. */
static uint32_t line_in(const activation *a, const raw_frame *frame)
{
    frame = find_frame(frame, a->key);
    return code_place(a->info, (PyCodeObject *)(uintptr_t)a->key, frame ? frame_offset(frame) : 0);
}

uint32_t tiers_line_now(const activation *top)
{
    return line_in(top, running_frame());
}

/* Up to now the top was somewhere in a block; it is at that line. */
static void leave_block(tracer *t, lane *l, uint32_t line, uint64_t now, enum cost_kind kind)
{
    activation *top = l->top;
    (top->slot ? top->slot : top->slots)->time += lane_charge(&t->costs, l, now, kind);
    top->slot = &top->slots[line];
}

void tiers_call(tracer *t, lane *l, int offset, uint64_t now, enum cost_kind kind)
{
    const activation *top = l->top;
    uint32_t line = offset < 0 ? line_in(top, running_frame()->back)
                               : code_place(top->info, (PyCodeObject *)(uintptr_t)top->key, offset);
    leave_block(t, l, line, now, kind);
}

void tiers_interrupt(tracer *t, lane *l, uint64_t now)
{
    leave_block(t, l, tiers_line_now(l->top), now, COST_NONE);
}

void tiers_give_up(tracer *t, lane *l, activation *a)
{
    code_tier *tier = tier_of(a);
    if (!tier)
        return;
    if (a == l->top)
        tiers_interrupt(t, l, clock_read(&t->clock));
    if (!tier->dead)
        give_up(t, a->info);
    a->at = 0;
}

void tiers_raise(lane *l)
{
    code_tier *tier = tier_of(l->top);
    const raw_frame *frame = running_frame();
    if (!tier || !frame || !frame_runs(frame, l->top->key))
        return;
    take_back(tier, l->top, (uint32_t)frame_offset(frame) / 2, -1);
    l->top->at = 0;
}

void tiers_found(lane *l, PyFrameObject *frame)
{
    activation *a = l->top;
    code_tier *tier = tier_of(a);
    int offset = tier ? PyFrame_GetLasti(frame) : -1;
    if (offset < 0)
        return;
    uint32_t unit = (uint32_t)offset / 2;
    if (unit && l->at_line && frame == PyEval_GetFrame())
        unit--;                         /* its line has not started yet */
    uint32_t block = block_at(&tier->flow, unit);
    if (block && tier->blocks[block - 1].on && times_of(tier, a, n_lines_of(a)))
        open_switched_off(tier, a, unit, block - 1);
    else
        a->at = 0;
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

void tiers_found(lane *l, PyFrameObject *frame)
{
    (void)l, (void)frame;
}

void tiers_give_up(tracer *t, lane *l, activation *a)
{
    (void)t, (void)l, (void)a;
}

uint64_t tiers_shared_times(const tracer *t)
{
    (void)t;
    return 0;
}

void tiers_settle_code(code_info *info, uint32_t place)
{
    (void)info, (void)place;
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
