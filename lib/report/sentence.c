/* The answer in one sentence: where the time went, the line that costs most, and who calls it. */
#include "report/sentence.h"

#include "model/split.h"
#include "report/words.h"

#include <math.h>

static int largest_part(const nyt_split *split)
{
    int largest = 0;
    for (int part = 1; part < NYT_PARTS; part++)
        if (split->seconds[part] > split->seconds[largest])
            largest = part;
    return largest;
}

static void put_part(struct nyt_words *w, const nyt_split *split)
{
    static const char *const phrases[NYT_PARTS] = {
        [NYT_PART_PROJECT] = "is in the project",
        [NYT_PART_PACKAGES] = "is in installed packages",
        [NYT_PART_LIBRARY] = "is in the standard library",
        [NYT_PART_IMPORTS] = "went into imports",
        [NYT_PART_WAITING] = "was spent waiting"};
    int largest = largest_part(split);
    nyt_put_percent(w, split->seconds[largest], split->total);
    nyt_out_format(w->o, " of the time %s", phrases[largest]);
}

static void put_figures(struct nyt_words *w, const nyt_line *line, double cost)
{
    nyt_out_text(w->o, " (");
    nyt_put_percent(w, cost, w->p->totals.statement_time);
    nyt_out_text(w->o, ", ");
    nyt_out_count(w->o, line->count, 0);
    nyt_out_text(w->o, line->count == 1 ? " time" : " times");
    if (line->count > 1) {
        nyt_out_text(w->o, ", ");
        nyt_out_time(w->o, cost / (double)line->count, 0);
        nyt_out_text(w->o, " each");
    }
    nyt_out_text(w->o, ")");
}

/* Most of the time of some lines is that of one function that they call. */
static void put_called(struct nyt_words *w, const nyt_line *line, double cost)
{
    const nyt_call *call;
    if (nyt_top_calls_on(w->p, line->fid, line->line, &call, 1) == 0 || call->incl < 0.5 * cost)
        return;
    nyt_out_text(w->o, nyt_is_wait(call->called) ? ", which waits in " : ", most of it in ");
    nyt_put_sub(w, call->called->name);
}

static void put_caller(struct nyt_words *w, const nyt_sub *sub)
{
    const nyt_call *caller;
    if (nyt_top_callers(w->p, sub, &caller, 1) == 0 || nyt_is_recursive(caller))
        return;
    nyt_out_text(w->o, ", called by ");
    nyt_put_sub(w, caller->caller);
    nyt_out_text(w->o, " (");
    nyt_put_place(w, caller->fid, caller->line);
    nyt_out_text(w->o, ")");
}

static void put_line(struct nyt_words *w, const nyt_line *line, double cost)
{
    const nyt_sub *sub = nyt_sub_around(w->p, line->fid, line->line);
    nyt_put_place(w, line->fid, line->line);
    if (sub) {
        nyt_out_text(w->o, " in ");
        nyt_put_sub(w, sub->name);
    }
    put_figures(w, line, cost);
    put_called(w, line, cost);
    if (sub)
        put_caller(w, sub);
}

/* ---- What waited ---- */

/* Of the project's coroutines, the line that awaited longest in all; NULL: there is none. */
static const nyt_await *longest_await(const nyt_profile *p)
{
    const nyt_await *longest = NULL;
    for (size_t i = 0; i < p->await_count; i++)
        if (nyt_profile_scope(p, p->awaits[i].fid) == NYT_SCOPE_PROJECT &&
            (!longest || p->awaits[i].time > longest->time))
            longest = &p->awaits[i];
    return longest;
}

/* An event loop's wait is nobody's: what was waited for is what coroutines awaited meanwhile. */
static void put_await(struct nyt_words *w, const nyt_split *split)
{
    const nyt_await *a = longest_await(w->p);
    if (!a || largest_part(split) != NYT_PART_WAITING)
        return;
    const nyt_sub *sub = nyt_sub_around(w->p, a->fid, a->line);
    nyt_out_text(w->o, "; ");
    nyt_put_place(w, a->fid, a->line);
    if (sub) {
        nyt_out_text(w->o, " in ");
        nyt_put_sub(w, sub->name);
    }
    nyt_out_text(w->o, " awaited longest, ");
    nyt_out_time(w->o, a->time, 0);
    nyt_out_text(w->o, " in all (");
    nyt_put_times(w, a->count);
    if (a->count > 1) {
        nyt_out_text(w->o, ", ");
        nyt_out_time(w->o, a->time / (double)a->count, 0);
        nyt_out_text(w->o, " each");
    }
    nyt_out_text(w->o, ")");
}

/* ---- Without lines (stmts=0) ---- */

/* Of the project, the one with most time of its own; NULL: it has none. */
static const nyt_sub *dearest_sub(const nyt_profile *p)
{
    const nyt_sub *best = NULL;
    size_t n;
    const nyt_sub *subs = nyt_profile_subs(p, &n);
    for (size_t i = 0; i < n; i++) {
        const nyt_sub *sub = &subs[i];
        if (sub->calls && sub->kind == NYT_KIND_CODE && isfinite(sub->excl) && sub->excl > 0 &&
            nyt_profile_scope(p, sub->fid) == NYT_SCOPE_PROJECT &&
            (!best || sub->excl > best->excl))
            best = sub;
    }
    return best;
}

static void put_functions_alone(struct nyt_words *w, const nyt_split *split)
{
    const nyt_sub *sub = split->total > 0 ? dearest_sub(w->p) : NULL;
    if (!(split->total > 0)) {
        nyt_out_text(w->o, "The profile holds no time.");
        return;
    }
    put_part(w, split);
    put_await(w, split);
    if (sub) {
        nyt_out_text(w->o, "; the project's function that costs most is ");
        nyt_put_sub(w, sub->name);
        nyt_out_text(w->o, " (");
        nyt_put_percent(w, sub->excl, split->total);
        nyt_out_text(w->o, ", called ");
        nyt_put_times(w, sub->calls);
        nyt_out_text(w->o, ")");
        put_caller(w, sub);
    }
    nyt_out_text(w->o, ".");
}

/* ---- All ---- */

void nyt_put_sentence_of(struct nyt_words *w, const struct nyt_insight *insight)
{
    const nyt_split *split = &insight->split;
    const nyt_line *line = insight->hottest;
    if (!line || !(split->total > 0)) {
        put_functions_alone(w, split);
        return;
    }
    bool own = nyt_profile_scope(w->p, line->fid) == NYT_SCOPE_PROJECT;
    bool mostly = split->seconds[NYT_PART_PROJECT] >= 0.5 * split->total;
    put_part(w, split);
    put_await(w, split);
    nyt_out_text(w->o, own && !mostly ? "; the project's line that costs most is "
                                      : "; the line that costs most is ");
    put_line(w, line, insight->cost);
    nyt_out_text(w->o, ".");
}

void nyt_put_sentence(struct nyt_out *o, const struct nyt_insight *insight)
{
    struct nyt_words w = nyt_words_begin(o, insight->p);
    if (insight->p->of_unit && insight->p->units_wanted == 1) {
        nyt_out_text(o, "Of what ran in ");
        nyt_put_sub(&w, insight->p->unit_wanted);
        nyt_out_text(o, " alone: ");
    } else if (insight->p->of_unit) {
        nyt_out_format(o, "Of what ran in %zu units of work alone: ", insight->p->units_wanted);
    }
    nyt_put_sentence_of(&w, insight);
}
