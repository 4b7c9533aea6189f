/* Two profiles, matched, as one list of lines, of subs, and of call edges, with both's figures. */
#include "diff/diff.h"

#include "base/error.h"
#include "base/str.h"

#include <math.h>
#include <stdlib.h>

static double sound(double seconds)
{
    return isfinite(seconds) ? seconds : 0;
}

/* An empty one at the end of a list; NULL: out of memory. */
static nyt_delta *add_delta(struct nyt_diff *d, nyt_diff_kind kind)
{
    struct nyt_deltas *deltas = &d->deltas[kind];
    if (!NYT_ROOM_FOR_ONE(deltas->list, deltas->count, deltas->cap))
        return NULL;
    deltas->list[deltas->count] = (nyt_delta){.before = {.there = false}};
    return &deltas->list[deltas->count++];
}

/* ---- Lines ---- */

static nyt_diff_side side_of_line(const struct nyt_half *h, uint32_t at)
{
    if (at == NYT_NONE)
        return (nyt_diff_side){.there = false};
    const struct nyt_place *place = &h->places[at];
    nyt_diff_side side = {.there = true, .fid = place->fid, .line = place->line};
    if (place->source != NYT_NONE)
        side.name = &h->p->sources[place->source].text;
    if (place->figures != NYT_NONE) {
        const nyt_line *line = &h->p->lines[NYT_LEVEL_LINE].list[place->figures];
        side.count = line->count;
        side.excl = sound(line->time);
        side.incl = sound(line->incl);
        side.shared = line->shared;
    }
    return side;
}

static bool has_figures(const struct nyt_half *h, uint32_t at)
{
    return at != NYT_NONE && h->places[at].figures != NYT_NONE;
}

static bool add_line(struct nyt_diff *d, uint32_t before, uint32_t after)
{
    nyt_delta *delta = add_delta(d, NYT_DIFF_LINES);
    if (delta) {
        delta->before = side_of_line(&d->match.half[0], before);
        delta->after = side_of_line(&d->match.half[1], after);
    }
    return delta != NULL;
}

/* First all that the second half has, then what only the first one ran. */
static bool add_lines(struct nyt_diff *d)
{
    const struct nyt_half *a = &d->match.half[0], *b = &d->match.half[1];
    bool ok = true;
    for (uint32_t i = 0; ok && i < b->place_count; i++)
        if (has_figures(b, i))
            ok = add_line(d, b->places[i].mate, i);
    for (uint32_t i = 0; ok && i < a->place_count; i++)
        if (has_figures(a, i) && !has_figures(b, a->places[i].mate))
            ok = add_line(d, i, a->places[i].mate);
    return ok;
}

/* ---- Subs ---- */

static nyt_diff_side side_of_sub(const struct nyt_half *h, uint32_t index)
{
    if (index == NYT_NONE)
        return (nyt_diff_side){.there = false};
    const nyt_sub *sub = &h->p->subs[index];
    return (nyt_diff_side){.there = true,
                           .fid = sub->fid,
                           .line = sub->first,
                           .name = &sub->name,
                           .count = (int64_t)sub->calls,
                           .incl = sound(sub->incl),
                           .excl = sound(sub->excl)};
}

static bool was_called(const struct nyt_half *h, uint32_t index)
{
    return index != NYT_NONE && h->p->subs[index].calls;
}

static bool add_sub(struct nyt_diff *d, uint32_t before, uint32_t after)
{
    const struct nyt_half *h = d->match.half;
    if (!was_called(&h[0], before) && !was_called(&h[1], after))
        return true;
    nyt_delta *delta = add_delta(d, NYT_DIFF_SUBS);
    if (delta) {
        delta->before = side_of_sub(&h[0], before);
        delta->after = side_of_sub(&h[1], after);
    }
    return delta != NULL;
}

static bool add_subs(struct nyt_diff *d)
{
    const struct nyt_half *a = &d->match.half[0], *b = &d->match.half[1];
    bool ok = true;
    for (uint32_t i = 0; ok && i < b->p->sub_count; i++)
        ok = add_sub(d, b->sub_mates[i], i);
    for (uint32_t i = 0; ok && i < a->p->sub_count; i++)
        if (a->sub_mates[i] == NYT_NONE)
            ok = add_sub(d, i, NYT_NONE);
    return ok;
}

/* ---- Edges ---- */

/* Calls of one sub by one caller, in one half. */
struct edge {
    uint32_t called;        /* index of the second half's sub, or that of the first one's behind
                               all of those */
    uint32_t caller;        /* number of the caller's name, as the second half has it */
    uint32_t shown;         /* number of its name in this half */
    const nyt_call *call;   /* the first one */
    nyt_diff_side side;
};

struct edges {
    struct edge *list;
    size_t count;
};

/* What the second half calls this sub of the first one. */
static nyt_str name_after(const struct nyt_diff *d, nyt_str name)
{
    const struct nyt_half *h = d->match.half;
    const nyt_sub *sub = nyt_profile_sub(h[0].p, name);
    uint32_t mate = sub ? h[0].sub_mates[sub - h[0].p->subs] : NYT_NONE;
    return mate == NYT_NONE ? name : h[1].p->subs[mate].name;
}

/* false: out of memory. */
static bool name_caller(struct nyt_diff *d, int s, struct edge *e)
{
    e->shown = e->caller = nyt_names_take(&d->callers, e->call->caller);
    if (s == 0)
        e->caller = nyt_names_take(&d->callers, name_after(d, e->call->caller));
    return e->shown != NYT_NONE && e->caller != NYT_NONE;
}

static uint32_t number_of_called(const struct nyt_match *m, int s, const nyt_sub *sub)
{
    uint32_t index = (uint32_t)(sub - m->half[s].p->subs);
    if (s == 1)
        return index;
    uint32_t mate = m->half[0].sub_mates[index];
    return mate == NYT_NONE ? (uint32_t)m->half[1].p->sub_count + index : mate;
}

static int compare_edges(const void *left, const void *right)
{
    const struct edge *a = left, *b = right;
    if (a->called != b->called)
        return NYT_COMPARE(a->called, b->called);
    return NYT_COMPARE(a->caller, b->caller);
}

static int compare_edges_and_calls(const void *left, const void *right)
{
    int c = compare_edges(left, right);
    return c ? c
             : NYT_COMPARE(((const struct edge *)left)->call, ((const struct edge *)right)->call);
}

static void add_up(nyt_diff_side *sum, const nyt_diff_side *more)
{
    sum->count = (int64_t)((uint64_t)sum->count + (uint64_t)more->count); /* hostile ones wrap */
    sum->incl += more->incl;
    sum->excl += more->excl;
}

/* Calls from several lines become one. */
static void join_equal_edges(struct edges *e)
{
    size_t kept = 0;
    for (size_t i = 0; i < e->count; i++) {
        if (kept && compare_edges(&e->list[kept - 1], &e->list[i]) == 0)
            add_up(&e->list[kept - 1].side, &e->list[i].side);
        else
            e->list[kept++] = e->list[i];
    }
    e->count = kept;
}

static bool collect_edges(struct nyt_diff *d, int s, struct edges *e)
{
    const nyt_profile *p = d->match.half[s].p;
    bool ok = (e->list = calloc(p->call_count + 1, sizeof *e->list)) != NULL;
    for (size_t i = 0; ok && i < p->call_count; i++) {
        const nyt_call *c = &p->calls[i];
        struct edge *edge = &e->list[e->count];
        if (c->count == 0)
            continue;
        *edge = (struct edge){.called = number_of_called(&d->match, s, c->called),
                              .call = c,
                              .side = {.there = true,
                                       .fid = c->fid,
                                       .line = c->line,
                                       .name = &c->called->name,
                                       .count = (int64_t)c->count,
                                       .incl = sound(c->incl),
                                       .excl = sound(c->excl)}};
        ok = name_caller(d, s, edge);
        e->count++;
    }
    if (ok && e->count)
        qsort(e->list, e->count, sizeof *e->list, compare_edges_and_calls);
    join_equal_edges(e);
    return ok;
}

static nyt_diff_side side_of_edge(const struct nyt_diff *d, const struct edge *e)
{
    if (!e)
        return (nyt_diff_side){.there = false};
    nyt_diff_side side = e->side;
    side.caller = &d->callers.list[e->shown].name;
    return side;
}

static bool join_edges(struct nyt_diff *d, const struct edges *a, const struct edges *b)
{
    for (size_t i = 0, j = 0; i < a->count || j < b->count;) {
        int c = i == a->count ? 1 : j == b->count ? -1 : compare_edges(&a->list[i], &b->list[j]);
        nyt_delta *delta = add_delta(d, NYT_DIFF_EDGES);
        if (!delta)
            return false;
        delta->before = side_of_edge(d, c <= 0 ? &a->list[i] : NULL);
        delta->after = side_of_edge(d, c >= 0 ? &b->list[j] : NULL);
        i += c <= 0;
        j += c >= 0;
    }
    return true;
}

static bool add_edges(struct nyt_diff *d)
{
    struct edges a = {0}, b = {0};
    bool ok = collect_edges(d, 0, &a) && collect_edges(d, 1, &b) && join_edges(d, &a, &b);
    free(a.list);
    free(b.list);
    return ok;
}

/* ---- Whole profiles ---- */

static double time_of_subs(const nyt_profile *p)
{
    double sum = 0;
    for (size_t i = 0; i < p->sub_count; i++)
        sum += sound(p->subs[i].excl);
    return sum;
}

double nyt_diff_whole_time(const nyt_diff *d, const nyt_profile *p)
{
    bool by_lines = d->match.half[0].p->totals.statements && d->match.half[1].p->totals.statements;
    return by_lines ? p->totals.statement_time : time_of_subs(p);
}

static void total(struct nyt_diff *d, enum nyt_total which, const char *name, bool is_time,
                  double before, double after)
{
    d->totals[which] = (nyt_diff_total){.name = name,
                                        .is_time = is_time,
                                        .before = sound(before),
                                        .after = sound(after),
                                        .before_least = sound(before),
                                        .before_most = sound(before),
                                        .after_least = sound(after),
                                        .after_most = sound(after)};
}

static void count_kinds(struct nyt_diff *d)
{
    static const char *const names[NYT_DIFF_KINDS][3] = {
        [NYT_DIFF_LINES] = {"lines.new", "lines.gone", "lines.changed"},
        [NYT_DIFF_SUBS] = {"subs.new", "subs.gone", "subs.changed"},
        [NYT_DIFF_EDGES] = {"edges.new", "edges.gone", "edges.changed"},
    };
    for (int kind = 0; kind < NYT_DIFF_KINDS; kind++) {
        double counts[3] = {0, 0, 0};
        for (size_t i = 0; i < d->deltas[kind].count; i++) {
            const nyt_delta *delta = &d->deltas[kind].list[i];
            bool differs = delta->before.count != delta->after.count;
            if (!delta->before.there || !delta->after.there)
                counts[delta->before.there] += differs; /* else it was open, and never ran */
            else
                counts[2] += differs;
        }
        for (int i = 0; i < 3; i++)
            total(d, (enum nyt_total)(NYT_TOTAL_OF_KINDS + 3 * kind + i), names[kind][i], false, 0,
                  counts[i]);
    }
}

void nyt_diff_count_totals(nyt_diff *d)
{
    const nyt_profile *a = d->match.half[0].p, *b = d->match.half[1].p;
    const nyt_totals *before = &a->totals, *after = &b->totals;
    total(d, NYT_TOTAL_TIME, "total", true, nyt_diff_whole_time(d, a), nyt_diff_whole_time(d, b));
    total(d, NYT_TOTAL_DURATION, "duration", true, before->duration, after->duration);
    total(d, NYT_TOTAL_ACTIVE, "active", true, before->active, after->active);
    total(d, NYT_TOTAL_LINES, "lines.count", false, (double)nyt_counted_statements(before),
          (double)nyt_counted_statements(after));
    total(d, NYT_TOTAL_CALLS, "calls", false, (double)before->calls, (double)after->calls);
    count_kinds(d);
}

const char *nyt_diff_next_option(const nyt_diff *d, size_t *at, const nyt_str *values[2])
{
    static const char *const names[] = {"usecputime", "clock", "stmts",     "subs",
                                        "slowops",    "leave", "findcaller"};
    while (*at < sizeof names / sizeof *names) {
        const char *name = names[(*at)++];
        for (int s = 0; s < 2; s++)
            values[s] = nyt_profile_option(d->match.half[s].p, name);
        if (values[0] && values[1] && nyt_str_compare(*values[0], *values[1]) != 0)
            return name;
    }
    return NULL;
}

/* ---- The diff ---- */

void nyt_diff_free(nyt_diff *d)
{
    if (!d)
        return;
    nyt_match_free(&d->match);
    for (int kind = 0; kind < NYT_DIFF_KINDS; kind++)
        free(d->deltas[kind].list);
    nyt_names_free(&d->callers);
    free(d);
}

/* One run is the least and the most that there is. */
static void begin_runs(struct nyt_diff *d)
{
    d->runs[0] = d->runs[1] = 1;
    for (int kind = 0; kind < NYT_DIFF_KINDS; kind++) {
        for (size_t i = 0; i < d->deltas[kind].count; i++) {
            nyt_delta *delta = &d->deltas[kind].list[i];
            for (int half = 0; half < 2; half++) {
                nyt_diff_side *side = half ? &delta->after : &delta->before;
                side->incl_least = side->incl_most = side->incl;
                side->excl_least = side->excl_most = side->excl;
                side->count_least = side->count_most = side->count;
            }
        }
    }
}

int nyt_diff_new(nyt_diff **out, const nyt_profile *before, const nyt_profile *after,
                 nyt_error *err)
{
    *out = NULL;
    struct nyt_diff *d = calloc(1, sizeof *d);
    int rc = d ? nyt_match_profiles(&d->match, before, after) : NYT_ENOMEM;
    if (rc == NYT_OK && !(add_lines(d) && add_subs(d) && add_edges(d)))
        rc = NYT_ENOMEM;
    if (rc < 0) {
        nyt_diff_free(d);
        return nyt_fail(err, rc, "%s", nyt_strerror(rc));
    }
    begin_runs(d);
    nyt_diff_count_totals(d);
    *out = d;
    return NYT_OK;
}

const nyt_delta *nyt_diff_list(const nyt_diff *d, nyt_diff_kind kind, size_t *n)
{
    *n = d->deltas[kind].count;
    return d->deltas[kind].list;
}

const nyt_diff_total *nyt_diff_totals(const nyt_diff *d, size_t *n)
{
    *n = NYT_DIFF_TOTALS;
    return d->totals;
}
