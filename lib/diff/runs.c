/*
 * Several runs of a side: what takes least time in any of them is nearest to what the program needs,
 * for whatever disturbs a run makes it longer. The runs are of one program, so that lines are found by
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

static void take(nyt_diff_side *side, int64_t count, double incl, double excl)
{
    if (!isfinite(incl) || !isfinite(excl))
        return;
    side->incl = fmin(side->incl, incl);
    side->excl = fmin(side->excl, excl);
    side->incl_most = fmax(side->incl_most, incl);
    side->excl_most = fmax(side->excl_most, excl);
    side->count_least = count < side->count_least ? count : side->count_least;
    side->count_most = count > side->count_most ? count : side->count_most;
}

static void take_line(const struct run *r, nyt_diff_side *side)
{
    const nyt_line *line = line_of(r, side);
    if (line)
        take(side, line->count, line->incl, line->time);
}

static void take_sub(const struct run *r, nyt_diff_side *side)
{
    const nyt_sub *sub = nyt_profile_sub(r->p, *side->name);
    if (sub)
        take(side, (int64_t)sub->calls, sub->incl, sub->excl);
}

static void take_edge(const struct run *r, nyt_diff_side *side)
{
    size_t n = 0;
    const nyt_sub *called = nyt_profile_sub(r->p, *side->name);
    const nyt_call *calls = called ? nyt_profile_callers(r->p, called, &n) : NULL;
    nyt_diff_side sum = {.there = false};
    for (size_t i = 0; i < n; i++) {
        if (nyt_str_compare(calls[i].caller, *side->caller) != 0)
            continue;
        sum.count += (int64_t)calls[i].count;
        sum.incl += calls[i].incl;
        sum.excl += calls[i].excl;
    }
    if (sum.count)
        take(side, sum.count, sum.incl, sum.excl);
}

static bool add_run(nyt_diff *d, int half, const nyt_profile *p)
{
    static void (*const takes[NYT_DIFF_KINDS])(const struct run *, nyt_diff_side *) = {
        [NYT_DIFF_LINES] = take_line, [NYT_DIFF_SUBS] = take_sub, [NYT_DIFF_EDGES] = take_edge};
    struct run r = {.d = d, .half = half, .p = p};
    bool ok = index_files(&r);
    for (int kind = 0; ok && kind < NYT_DIFF_KINDS; kind++) {
        for (size_t i = 0; i < d->deltas[kind].count; i++) {
            nyt_delta *delta = &d->deltas[kind].list[i];
            nyt_diff_side *side = half ? &delta->after : &delta->before;
            if (side->there)
                takes[kind](&r, side);
        }
    }
    nyt_names_free(&r.files);
    free(r.fids);
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

/* Times of whole profiles are the least of all runs, too. */
static void add_to_totals(nyt_diff *d, int half, const nyt_profile *p)
{
    const double times[] = {[NYT_TOTAL_TIME] = nyt_diff_whole_time(d, p),
                            [NYT_TOTAL_DURATION] = p->totals.duration,
                            [NYT_TOTAL_ACTIVE] = p->totals.active};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        nyt_diff_total *t = &d->totals[i];
        double *least = half ? &t->after : &t->before;
        double *most = half ? &t->after_most : &t->before_most;
        if (!isfinite(times[i]))
            continue;
        *least = fmin(*least, times[i]);
        *most = fmax(*most, times[i]);
    }
}

static bool add_runs(nyt_diff *d, const nyt_profile *const *const sides[2], const size_t counts[2])
{
    bool ok = true;
    for (int half = 0; half < 2; half++) {
        d->runs[half] = counts[half];
        for (size_t i = 1; ok && i < counts[half]; i++)
            ok = add_run(d, half, sides[half][i]);
    }
    if (!ok)
        return false;
    settle_counts(d);
    nyt_diff_count_totals(d);
    for (int half = 0; half < 2; half++)
        for (size_t i = 1; i < counts[half]; i++)
            add_to_totals(d, half, sides[half][i]);
    return true;
}

int nyt_diff_new_runs(nyt_diff **out, const nyt_profile *const *before, size_t before_count,
                      const nyt_profile *const *after, size_t after_count, nyt_error *err)
{
    const nyt_profile *const *const sides[2] = {before, after};
    const size_t counts[2] = {before_count, after_count};
    *out = NULL;
    if (before_count == 0 || after_count == 0)
        return nyt_fail(err, NYT_EAPI, "there is nothing to compare");
    int rc = nyt_diff_new(out, before[0], after[0], err);
    if (rc == NYT_OK && before_count + after_count > 2 && !add_runs(*out, sides, counts)) {
        nyt_diff_free(*out);
        *out = NULL;
        rc = nyt_fail(err, NYT_ENOMEM, "out of memory");
    }
    return rc;
}
