/*
 * What makes the work of two profiles differ. Counts are exact; most that differ do because the sub
 * around them is called more or less often. What remains is where it began: a line of a sub that
 * runs more often than before for each call of the sub, or makes more calls.
 *
 * Times differ in each run. Where nearly all of them did by one factor, it was the machine.
 */
#include "diff/work.h"

#include "base/str.h"

#include <math.h>
#include <stdlib.h>

/* ---- What is explained ---- */

/* Calls of a sub in both halves; `there` tells whether it is in both. */
struct around {
    bool known, there;
    double before, after;
};

static struct around calls_of(const nyt_diff *d, int half, const nyt_sub *sub)
{
    const struct nyt_half *h = d->match.half;
    if (!sub)
        return (struct around){.known = false};
    uint32_t mate = h[half].sub_mates[sub - h[half].p->subs];
    if (mate == NYT_NONE)
        return (struct around){.known = true};
    double own = (double)sub->calls, other = (double)h[!half].p->subs[mate].calls;
    return (struct around){.known = true,
                           .there = own > 0 && other > 0,
                           .before = half ? other : own,
                           .after = half ? own : other};
}

/* The change of a count that the calls of the sub around it do not explain. */
static double unexplained(const struct around *a, const nyt_delta *delta)
{
    double before = (double)delta->before.count, after = (double)delta->after.count;
    if (!a->known)
        return after - before;
    return a->there ? after - before * (a->after / a->before) : 0;
}

static double seconds_each(const nyt_diff_side *side)
{
    return side->count > 0 && side->incl > 0 ? side->incl / (double)side->count : 0;
}

/* What the change costs. Of two figures the smaller: a run that had to wait for the machine once has
 * a large one. */
static double weight_of(const nyt_delta *delta, double change)
{
    double before = seconds_each(&delta->before), after = seconds_each(&delta->after);
    return fabs(change) * (before > 0 && after > 0 ? fmin(before, after) : fmax(before, after));
}

static void add_item(struct nyt_work *w, struct nyt_work_item item, double change)
{
    if (fabs(change) < 0.5 || fabs(change) > 9e18)
        return;
    item.change = (int64_t)llround(change);
    item.weight = weight_of(item.delta, change);
    w->list[w->count++] = item;
}

/* ---- Calls ---- */

/* Calls from one line of the other half, by the same caller; 0: the line or its calls are new. */
static double count_before(const nyt_diff *d, const nyt_delta *delta, const nyt_call *call)
{
    const struct nyt_half *h = d->match.half;
    uint32_t at = nyt_place_find(&h[1], call->fid, call->line);
    uint32_t mate = at == NYT_NONE ? NYT_NONE : h[1].places[at].mate;
    const nyt_sub *called = delta->before.there ? nyt_profile_sub(h[0].p, *delta->before.name)
                                                : NULL;
    size_t n = 0;
    const nyt_call *calls = called ? nyt_profile_callers(h[0].p, called, &n) : NULL;
    double sum = 0;
    for (size_t i = 0; i < n && mate != NYT_NONE; i++)
        if (calls[i].fid == h[0].places[mate].fid && calls[i].line == h[0].places[mate].line &&
            nyt_str_compare(calls[i].caller, *delta->before.caller) == 0)
            sum += (double)calls[i].count;
    return sum;
}

/* The line on which the number of these calls changed most. */
static void find_line(const nyt_diff *d, struct nyt_work_item *item)
{
    const nyt_delta *delta = item->delta;
    const nyt_sub *called = nyt_profile_sub(d->match.half[1].p, *delta->after.name);
    size_t n = 0;
    const nyt_call *calls = called ? nyt_profile_callers(d->match.half[1].p, called, &n) : NULL;
    double most = -1;
    for (size_t i = 0; i < n; i++) {
        if (nyt_str_compare(calls[i].caller, *delta->after.caller) != 0)
            continue;
        double change = fabs((double)calls[i].count - count_before(d, delta, &calls[i]));
        if (change > most) {
            most = change;
            item->fid = calls[i].fid;
            item->line = calls[i].line;
        }
    }
}

static void add_calls(struct nyt_work *w, const nyt_diff *d, const nyt_delta *delta)
{
    int half = delta->after.there;
    const nyt_diff_side *side = half ? &delta->after : &delta->before;
    struct nyt_work_item item = {
        .kind = NYT_DIFF_EDGES, .delta = delta, .half = half, .fid = side->fid, .line = side->line};
    struct around a = calls_of(d, half, nyt_profile_sub(d->match.half[half].p, *side->caller));
    if (half)
        find_line(d, &item);
    add_item(w, item, unexplained(&a, delta));
}

/* ---- Lines ---- */

static const nyt_sub *sub_around(const nyt_profile *p, uint32_t fid, uint32_t line)
{
    size_t n;
    const nyt_sub *const *subs = nyt_profile_defined(p, fid, &n), *best = NULL;
    for (size_t i = 0; i < n; i++) {
        const nyt_sub *sub = subs[i];
        bool holds = sub->calls && sub->first && sub->fid == fid && sub->first <= line &&
                     line <= sub->last;
        if (holds && (!best || sub->last - sub->first < best->last - best->first))
            best = sub;
    }
    return best;
}

/* A line that begins a sub is run by the one around it. */
static void add_line(struct nyt_work *w, const nyt_diff *d, const nyt_delta *delta)
{
    int half = delta->after.there;
    const nyt_diff_side *side = half ? &delta->after : &delta->before;
    struct around a = calls_of(d, half, sub_around(d->match.half[half].p, side->fid, side->line));
    add_item(w,
             (struct nyt_work_item){.kind = NYT_DIFF_LINES,
                                    .delta = delta,
                                    .half = half,
                                    .fid = side->fid,
                                    .line = side->line},
             unexplained(&a, delta));
}

/* ---- The order ---- */

static int by_weight(const void *left, const void *right)
{
    const struct nyt_work_item *a = left, *b = right;
    int c = NYT_COMPARE(a->kind == NYT_DIFF_LINES, b->kind == NYT_DIFF_LINES);
    c = c ? c : NYT_COMPARE(b->weight, a->weight);
    c = c ? c : NYT_COMPARE(llabs(b->change), llabs(a->change));
    c = c ? c : NYT_COMPARE(a->fid, b->fid);
    return c ? c : NYT_COMPARE(a->line, b->line);
}

/* Is it told already, by calls from this line, or by another line that changed as much? */
static bool is_told(const struct nyt_work *w, size_t n, const struct nyt_work_item *item)
{
    enum { LOOKED_AT = 20 };
    for (size_t i = 0; i < n && i < LOOKED_AT; i++) {
        const struct nyt_work_item *other = &w->list[i];
        if (other->fid == item->fid && other->half == item->half &&
            (other->line == item->line || other->change == item->change))
            return true;
    }
    return false;
}

static void drop_repeated(struct nyt_work *w)
{
    size_t kept = 0;
    for (size_t i = 0; i < w->count; i++)
        if (w->list[i].kind != NYT_DIFF_LINES || !is_told(w, kept, &w->list[i]))
            w->list[kept++] = w->list[i];
    w->count = kept;
}

/* ---- The machine ---- */

struct ratio {
    double ratio, weight;
};

static int by_ratio(const void *left, const void *right)
{
    const struct ratio *a = left, *b = right;
    return NYT_COMPARE(a->ratio, b->ratio);
}

/* Weight of those within `spread` of a ratio. */
static double weight_near(const struct ratio *list, size_t n, double ratio, double spread)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        if (list[i].ratio > ratio / spread && list[i].ratio < ratio * spread)
            sum += list[i].weight;
    return sum;
}

/* The median, by weight, if most of the weight is near to it. */
static double common_factor(struct ratio *list, size_t n, double sum)
{
    const double spread = 1.15, most = 0.8, least = 1.05;
    double passed = 0, median = 1;
    qsort(list, n, sizeof *list, by_ratio);
    for (size_t i = 0; i < n && passed <= sum / 2; i++) {
        passed += list[i].weight;
        median = list[i].ratio;
    }
    bool is_common = weight_near(list, n, median, spread) >= most * sum;
    return is_common && (median > least || median < 1 / least) ? median : 1;
}

/* Of lines that ran as often as before, and long enough for their times to mean something. */
static bool find_factor(struct nyt_work *w, const nyt_diff *d)
{
    enum { LINES_AT_LEAST = 5 };
    const double long_enough = 20e-6;
    const struct nyt_deltas *lines = &d->deltas[NYT_DIFF_LINES];
    struct ratio *list = calloc(lines->count + 1, sizeof *list);
    size_t n = 0;
    double sum = 0;
    w->factor = 1;
    for (size_t i = 0; list && i < lines->count; i++) {
        const nyt_diff_side *a = &lines->list[i].before, *b = &lines->list[i].after;
        if (a->count != b->count || a->excl < long_enough || b->excl < long_enough)
            continue;
        list[n++] = (struct ratio){.ratio = b->excl / a->excl, .weight = a->excl};
        sum += a->excl;
    }
    if (n >= LINES_AT_LEAST)
        w->factor = common_factor(list, n, sum);
    free(list);
    return list != NULL;
}

/* ---- All ---- */

bool nyt_work_find(struct nyt_work *w, const nyt_diff *d)
{
    const struct nyt_deltas *edges = &d->deltas[NYT_DIFF_EDGES],
                            *lines = &d->deltas[NYT_DIFF_LINES];
    *w = (struct nyt_work){.list = calloc(edges->count + lines->count + 1, sizeof *w->list)};
    if (!w->list)
        return false;
    for (size_t i = 0; i < edges->count; i++)
        if (nyt_delta_count(&edges->list[i]))
            add_calls(w, d, &edges->list[i]);
    for (size_t i = 0; i < lines->count; i++)
        if (nyt_delta_count(&lines->list[i]))
            add_line(w, d, &lines->list[i]);
    for (size_t i = 0; i < edges->count && !w->differs; i++)
        w->differs = nyt_delta_count(&edges->list[i]) != 0;
    for (size_t i = 0; i < lines->count && !w->differs; i++)
        w->differs = nyt_delta_count(&lines->list[i]) != 0;
    if (w->count)
        qsort(w->list, w->count, sizeof *w->list, by_weight);
    drop_repeated(w);
    return find_factor(w, d);
}

void nyt_work_free(struct nyt_work *w)
{
    free(w->list);
    *w = (struct nyt_work){0};
}
