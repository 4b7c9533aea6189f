/*
 * Several runs of a side: what takes least time in any of them is nearest to what the program needs,
 * for whatever disturbs a run makes it longer; the median tells what is usual. The runs are of one program, so that lines are found by
 * file and number. Counts that vary from run to run are no change as long as the sides overlap.
 */
#include "base/error.h"
#include "base/str.h"
#include "diff/diff.h"

#include <math.h>
#include <stdlib.h>

/* One more run of one side. */
struct run {
    nyt_diff *d;
    int half;
    const nyt_profile *p;
    struct nyt_names files; /* names of its files; */
    uint32_t *fids;         /* and their numbers */
};

static bool index_files(struct run *r)
{
    r->fids = calloc(r->p->file_count + 1, sizeof *r->fids);
    for (size_t i = 0; r->fids && i < r->p->file_count; i++) {
        const nyt_file *file = &r->p->files[i];
        uint32_t id = file->merged_into ? 0 : nyt_names_take(&r->files, file->name);
        if (id == NYT_NONE)
            return false;
        if (!file->merged_into)
            r->fids[id] = file->fid;
    }
    return r->fids != NULL;
}

static const nyt_line *line_of(const struct run *r, const nyt_diff_side *side)
{
    const nyt_file *file = nyt_profile_file(r->d->match.half[r->half].p, side->fid);
    uint32_t id = file ? nyt_names_find(&r->files, file->name) : NYT_NONE;
    return id == NYT_NONE ? NULL : nyt_profile_line(r->p, NYT_LEVEL_LINE, r->fids[id], side->line);
}

/* What one entry is in a run; false: it is not in it. */
typedef bool find_fn(const struct run *r, const nyt_diff_side *side, nyt_diff_side *found);

static bool find_line(const struct run *r, const nyt_diff_side *side, nyt_diff_side *found)
{
    const nyt_line *line = line_of(r, side);
    if (line)
        *found = (nyt_diff_side){
            .count = line->count, .incl = line->incl, .excl = line->time, .shared = line->shared};
    return line != NULL;
}

static bool find_sub(const struct run *r, const nyt_diff_side *side, nyt_diff_side *found)
{
    const nyt_sub *sub = nyt_profile_sub(r->p, *side->name);
    if (sub)
        *found = (nyt_diff_side){
            .count = (int64_t)sub->calls, .incl = sub->incl, .excl = sub->excl};
    return sub != NULL;
}

static bool find_edge(const struct run *r, const nyt_diff_side *side, nyt_diff_side *found)
{
    size_t n = 0;
    const nyt_sub *called = nyt_profile_sub(r->p, *side->name);
    const nyt_call *calls = called ? nyt_profile_callers(r->p, called, &n) : NULL;
    *found = (nyt_diff_side){.there = false};
    for (size_t i = 0; i < n; i++) {
        if (nyt_str_compare(calls[i].caller, *side->caller) != 0)
            continue;
        found->count += (int64_t)calls[i].count;
        found->incl += calls[i].incl;
        found->excl += calls[i].excl;
    }
    return found->count != 0;
}

static void widen(nyt_diff_side *side, const nyt_diff_side *found)
{
    side->incl_least = fmin(side->incl_least, found->incl);
    side->excl_least = fmin(side->excl_least, found->excl);
    side->incl_most = fmax(side->incl_most, found->incl);
    side->excl_most = fmax(side->excl_most, found->excl);
    side->shared |= found->shared;
    if (found->count < side->count_least)
        side->count_least = found->count;
    if (found->count > side->count_most)
        side->count_most = found->count;
}

/* Times of one kind of entries in all runs of a side; NaN: it is not in this run. */
struct samples {
    size_t runs, count;
    double *incl, *excl; /* of each entry, of each run; NULL where the least are wanted */
};

static void keep(struct samples *s, size_t entry, size_t run, const nyt_diff_side *found)
{
    if (!s->incl)
        return;
    s->incl[entry * s->runs + run] = found->incl;
    s->excl[entry * s->runs + run] = found->excl;
}

static nyt_diff_side *side_of(nyt_diff *d, int kind, size_t i, int half)
{
    nyt_delta *delta = &d->deltas[kind].list[i];
    return half ? &delta->after : &delta->before;
}

static void add_kind(const struct run *r, int kind, size_t run, struct samples *s)
{
    static find_fn *const finds[NYT_DIFF_KINDS] = {
        [NYT_DIFF_LINES] = find_line, [NYT_DIFF_SUBS] = find_sub, [NYT_DIFF_EDGES] = find_edge};
    nyt_diff_side found;
    for (size_t i = 0; i < s->count; i++) {
        nyt_diff_side *side = side_of(r->d, kind, i, r->half);
        if (!side->there || !finds[kind](r, side, &found) || !isfinite(found.incl) ||
            !isfinite(found.excl))
            continue;
        widen(side, &found);
        keep(s, i, run, &found);
    }
}

static bool begin_samples(struct samples *s, nyt_diff *d, int kind, int half, size_t runs)
{
    *s = (struct samples){.runs = runs, .count = d->deltas[kind].count};
    if (d->take == NYT_TAKE_LEAST)
        return true;
    s->incl = calloc(s->count * runs + 1, sizeof *s->incl);
    s->excl = calloc(s->count * runs + 1, sizeof *s->excl);
    if (!s->incl || !s->excl)
        return false;
    for (size_t i = 0; i < s->count * runs; i++)
        s->incl[i] = s->excl[i] = NAN;
    for (size_t i = 0; i < s->count; i++)
        keep(s, i, 0, side_of(d, kind, i, half));
    return true;
}

static int compare_times(const void *left, const void *right)
{
    const double *a = left, *b = right;
    return NYT_COMPARE(*a, *b);
}

/* Of those that are numbers, of which there is one. */
static double median(double *times, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(times[i]))
            times[kept++] = times[i];
    if (!kept)
        return 0;
    qsort(times, kept, sizeof *times, compare_times);
    return (times[(kept - 1) / 2] + times[kept / 2]) / 2;
}

static void settle_times(nyt_diff *d, int kind, int half, struct samples *s)
{
    for (size_t i = 0; i < s->count; i++) {
        nyt_diff_side *side = side_of(d, kind, i, half);
        if (!side->there)
            continue;
        side->incl = s->incl ? median(&s->incl[i * s->runs], s->runs) : side->incl_least;
        side->excl = s->excl ? median(&s->excl[i * s->runs], s->runs) : side->excl_least;
    }
}

static bool add_runs_of_kind(struct run *runs, size_t count, int kind)
{
    struct samples s;
    bool ok = begin_samples(&s, runs[0].d, kind, runs[0].half, count);
    for (size_t i = 1; ok && i < count; i++)
        add_kind(&runs[i], kind, i, &s);
    if (ok)
        settle_times(runs[0].d, kind, runs[0].half, &s);
    free(s.incl);
    free(s.excl);
    return ok;
}

/* The first run is the one that was matched. */
static bool add_runs_of_side(nyt_diff *d, int half, const nyt_profile *const *side, size_t count)
{
    struct run *runs = calloc(count, sizeof *runs);
    bool ok = runs != NULL;
    d->runs[half] = count;
    for (size_t i = 0; ok && i < count; i++) {
        runs[i] = (struct run){.d = d, .half = half, .p = side[i]};
        ok = index_files(&runs[i]);
    }
    for (int kind = 0; ok && kind < NYT_DIFF_KINDS; kind++)
        ok = add_runs_of_kind(runs, count, kind);
    for (size_t i = 0; runs && i < count; i++) {
        nyt_names_free(&runs[i].files);
        free(runs[i].fids);
    }
    free(runs);
    return ok;
}

/* What varies within the runs is no change. */
static void settle_counts(nyt_diff *d)
{
    for (int kind = 0; kind < NYT_DIFF_KINDS; kind++) {
        for (size_t i = 0; i < d->deltas[kind].count; i++) {
            nyt_diff_side *a = &d->deltas[kind].list[i].before, *b = &d->deltas[kind].list[i].after;
            if (a->there && b->there && a->count_least <= b->count_most &&
                b->count_least <= a->count_most)
                b->count = a->count;
        }
    }
}

static double whole_time(const nyt_diff *d, const nyt_profile *p, int total)
{
    return total == NYT_TOTAL_TIME       ? nyt_diff_whole_time(d, p)
           : total == NYT_TOTAL_DURATION ? p->totals.duration
                                         : p->totals.active;
}

/* One time of whole profiles; `times` has room for all runs. */
static void settle_total(nyt_diff *d, int total, int half, const nyt_profile *const *side,
                         double *times)
{
    nyt_diff_total *t = &d->totals[total];
    double *shown = half ? &t->after : &t->before;
    double *least = half ? &t->after_least : &t->before_least;
    double *most = half ? &t->after_most : &t->before_most;
    for (size_t i = 0; i < d->runs[half]; i++) {
        times[i] = whole_time(d, side[i], total);
        if (!isfinite(times[i]))
            continue;
        *least = fmin(*least, times[i]);
        *most = fmax(*most, times[i]);
    }
    *shown = d->take == NYT_TAKE_MEDIAN ? median(times, d->runs[half]) : *least;
}

static bool settle_totals(nyt_diff *d, const nyt_profile *const *const sides[2])
{
    static const int times_of[] = {NYT_TOTAL_TIME, NYT_TOTAL_DURATION, NYT_TOTAL_ACTIVE};
    double *times = calloc(d->runs[0] + d->runs[1], sizeof *times);
    nyt_diff_count_totals(d);
    for (size_t i = 0; times && i < sizeof times_of / sizeof *times_of; i++)
        for (int half = 0; half < 2; half++)
            settle_total(d, times_of[i], half, sides[half], times);
    free(times);
    return times != NULL;
}

static bool add_runs(nyt_diff *d, const nyt_profile *const *const sides[2], const size_t counts[2])
{
    if (!add_runs_of_side(d, 0, sides[0], counts[0]) ||
        !add_runs_of_side(d, 1, sides[1], counts[1]))
        return false;
    settle_counts(d);
    return settle_totals(d, sides);
}

int nyt_diff_new_runs(nyt_diff **out, const nyt_profile *const *before, size_t before_count,
                      const nyt_profile *const *after, size_t after_count, nyt_diff_take take,
                      nyt_error *err)
{
    const nyt_profile *const *const sides[2] = {before, after};
    const size_t counts[2] = {before_count, after_count};
    *out = NULL;
    if (before_count == 0 || after_count == 0)
        return nyt_fail(err, NYT_EAPI, "there is nothing to compare");
    int rc = nyt_diff_new(out, before[0], after[0], err);
    if (rc == NYT_OK)
        (*out)->take = take;
    if (rc == NYT_OK && before_count + after_count > 2 && !add_runs(*out, sides, counts)) {
        nyt_diff_free(*out);
        *out = NULL;
        rc = nyt_fail(err, NYT_ENOMEM, "out of memory");
    }
    return rc;
}
