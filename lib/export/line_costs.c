/*
 * A line belongs to the innermost sub around it that was called; where no calls are known, to the
 * innermost. Its time is less that of the functions in C which
 * it called, for they are subs of their own.
 */
#include "export/line_costs.h"

#include "base/str.h"

#include <math.h>
#include <stdlib.h>

/* ---- Ranges ---- */

static int by_range(const void *left, const void *right)
{
    const nyt_sub *a = *(const nyt_sub *const *)left, *b = *(const nyt_sub *const *)right;
    if (a->fid != b->fid)
        return NYT_COMPARE(a->fid, b->fid);
    if (a->first != b->first)
        return NYT_COMPARE(a->first, b->first);
    return a->last != b->last ? NYT_COMPARE(b->last, a->last) : NYT_COMPARE(a, b);
}

/* The lines of what was never called, its definition, are run by the sub around it. */
static bool is_wanted(const nyt_profile *p, const nyt_sub *sub)
{
    return sub->kind == NYT_KIND_CODE && sub->first && (sub->calls || !p->totals.calls);
}

bool nyt_ranges_find(struct nyt_ranges *r, const nyt_profile *p)
{
    *r = (struct nyt_ranges){.p = p,
                             .list = calloc(p->sub_count + 1, sizeof *r->list),
                             .open = calloc(p->sub_count + 1, sizeof *r->open)};
    if (!r->list || !r->open)
        return false;
    for (size_t i = 0; i < p->sub_count; i++)
        if (is_wanted(p, &p->subs[i]))
            r->list[r->count++] = &p->subs[i];
    qsort(r->list, r->count, sizeof *r->list, by_range);
    return true;
}

/* Lines come in order, so that ranges open and close like brackets. */
const nyt_sub *nyt_ranges_at(struct nyt_ranges *r, uint32_t fid, uint32_t line)
{
    if (fid != r->fid) {
        r->fid = fid;
        r->depth = 0;
        while (r->next < r->count && r->list[r->next]->fid < fid)
            r->next++;
    }
    while (r->next < r->count && r->list[r->next]->fid == fid && r->list[r->next]->first <= line)
        r->open[r->depth++] = r->list[r->next++];
    while (r->depth && r->open[r->depth - 1]->last < line)
        r->depth--;
    return r->depth ? r->open[r->depth - 1] : NULL;
}

void nyt_ranges_free(struct nyt_ranges *r)
{
    free(r->list);
    free(r->open);
    *r = (struct nyt_ranges){0};
}

/* ---- Costs ---- */

/* Has any line of its own figures? Without, its time is on the lines that called it. */
static bool has_lines(const nyt_profile *p, const nyt_sub *sub)
{
    size_t n;
    const nyt_line *lines = nyt_profile_lines(p, NYT_LEVEL_LINE, sub->fid, &n);
    size_t from = 0, to = n;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (lines[middle].line < sub->first)
            from = middle + 1;
        else
            to = middle;
    }
    return from < n && lines[from].line <= sub->last;
}

/* Functions in C, and code that was there before the profiler, as some of Perl's is. */
static bool is_on_caller(const nyt_profile *p, const nyt_sub *sub)
{
    return sub->kind != NYT_KIND_CODE || (sub->first && !has_lines(p, sub));
}

/* Of the calls that one line of a file made, in order of lines; *at moves on. */
static double time_of_called(const nyt_profile *p, const nyt_call *const *calls, size_t n,
                             uint32_t line, size_t *at)
{
    double sum = 0;
    for (; *at < n && calls[*at]->line <= line; ++*at)
        if (calls[*at]->line == line && is_on_caller(p, calls[*at]->called))
            sum += calls[*at]->excl;
    return sum;
}

static void add_file(struct nyt_line_costs *c, struct nyt_ranges *ranges, const nyt_file *file)
{
    size_t n, call_count, at = 0;
    const nyt_line *lines = nyt_profile_lines(ranges->p, NYT_LEVEL_LINE, file->fid, &n);
    const nyt_call *const *calls = nyt_profile_calls(ranges->p, file->fid, &call_count);
    for (size_t i = 0; i < n; i++) {
        double seconds = lines[i].time -
                         time_of_called(ranges->p, calls, call_count, lines[i].line, &at);
        const nyt_sub *sub = nyt_ranges_at(ranges, file->fid, lines[i].line);
        if (seconds > 0 && isfinite(seconds))
            c->list[c->count++] = (struct nyt_line_cost){
                .sub = sub, .fid = file->fid, .line = lines[i].line, .seconds = seconds};
    }
}

/* NULL comes last. */
static int compare_subs(const nyt_sub *a, const nyt_sub *b)
{
    return a && b ? NYT_COMPARE(a, b) : NYT_COMPARE(!a, !b);
}

static int by_sub(const void *left, const void *right)
{
    const struct nyt_line_cost *a = left, *b = right;
    int c = compare_subs(a->sub, b->sub);
    c = c ? c : NYT_COMPARE(a->fid, b->fid);
    return c ? c : NYT_COMPARE(a->line, b->line);
}

bool nyt_line_costs_find(struct nyt_line_costs *c, const nyt_profile *p)
{
    size_t lines;
    struct nyt_ranges ranges;
    nyt_profile_all_lines(p, NYT_LEVEL_LINE, &lines);
    *c = (struct nyt_line_costs){.list = calloc(lines + 1, sizeof *c->list)};
    bool ok = nyt_ranges_find(&ranges, p) && c->list;
    for (size_t i = 0; ok && i < p->file_count; i++)
        if (!p->files[i].merged_into)
            add_file(c, &ranges, &p->files[i]);
    if (c->count)
        qsort(c->list, c->count, sizeof *c->list, by_sub);
    nyt_ranges_free(&ranges);
    return ok;
}

const struct nyt_line_cost *nyt_line_costs_of(const struct nyt_line_costs *c, const nyt_sub *sub,
                                              size_t *n)
{
    size_t from = 0, to = c->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (compare_subs(c->list[middle].sub, sub) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    for (to = from; to < c->count && c->list[to].sub == sub;)
        to++;
    *n = to - from;
    return c->list + from;
}

double nyt_line_costs_sum(const struct nyt_line_cost *list, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += list[i].seconds;
    return sum;
}

void nyt_line_costs_free(struct nyt_line_costs *c)
{
    free(c->list);
    *c = (struct nyt_line_costs){0};
}
