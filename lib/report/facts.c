/*
 * Facts that stand out: lines that run many times for each call, functions that one line calls
 * again and again, imports, waits, deep recursion. They say what is in the profile, no more:
 * what to make of it is for the reader.
 */
#include "report/facts.h"

#include "base/str.h"
#include "model/split.h"

#include <math.h>

static const double TELLING = 0.04;     /* of all time: less is not worth a sentence */
enum { MANY_CALLS = 100, MANY_TURNS = 10, DEEP = 100, LINES_ABOVE = 12, MOST_OF_A_KIND = 2 };

struct finder {
    const nyt_profile *p;
    const struct nyt_insight *insight;
    const bool *shown;
    double total;
    struct nyt_fact *facts;
    size_t count;
};

static void add_fact(struct finder *f, struct nyt_fact fact)
{
    fact.total = f->total;
    if (f->count < NYT_FACTS_MOST)
        f->facts[f->count++] = fact;
}

static bool is_own(const struct finder *f, uint32_t fid)
{
    const nyt_file *file = nyt_profile_file(f->p, fid);
    return file && f->shown[file - f->p->files] &&
           nyt_profile_scope(f->p, fid) == NYT_SCOPE_PROJECT;
}

/* ---- Calls that one line repeats ---- */

static bool begins_with_word(nyt_str text, const char *word)
{
    size_t len = 0;
    while (word[len] && len < text.len && text.data[len] == word[len])
        len++;
    return word[len] == '\0' && len < text.len && (text.data[len] == ' ' || text.data[len] == '(');
}

static bool begins_loop(nyt_str text)
{
    return begins_with_word(text, "for") || begins_with_word(text, "while") ||
           begins_with_word(text, "foreach") || begins_with_word(text, "async for");
}

static size_t indentation(const nyt_str *text)
{
    size_t n = 0;
    while (text && n < text->len && (text->data[n] == ' ' || text->data[n] == '\t'))
        n++;
    return n;
}

/* The header of the loop that a line stands in: above it, less indented, and as often at work. */
static const nyt_line *loop_around(const nyt_profile *p, uint32_t fid, uint32_t line,
                                   uint64_t turns)
{
    const size_t within = indentation(nyt_profile_source_line(p, fid, line));
    for (uint32_t above = line; above > 1 && line - above < LINES_ABOVE;) {
        const nyt_str *text = nyt_profile_source_line(p, fid, --above);
        const nyt_line *header = nyt_profile_line(p, NYT_LEVEL_LINE, fid, above);
        if (!text || !header || indentation(text) >= within || header->count < (int64_t)turns)
            continue;
        if (begins_loop(nyt_str_without_margins(*text)) &&
            (uint64_t)header->count <= turns + turns / 5 + 1)
            return header;
    }
    return NULL;
}

static void put_repeated(struct nyt_words *w, const struct nyt_fact *fact)
{
    const nyt_call *c = fact->call;
    const nyt_line *loop = loop_around(w->p, c->fid, c->line, c->count);
    nyt_put_place(w, c->fid, c->line);
    nyt_out_text(w->o, " calls ");
    nyt_put_sub(w, c->called->name);
    nyt_out_text(w->o, " ");
    nyt_put_times(w, c->count);
    nyt_out_text(w->o, ", ");
    nyt_out_time(w->o, c->incl / (double)c->count, 0);
    nyt_out_text(w->o, " each, ");
    nyt_out_time(w->o, c->incl, 0);
    nyt_out_text(w->o, " in all");
    if (loop) {
        nyt_out_text(w->o, ": once a turn of the loop at ");
        nyt_put_place(w, loop->fid, loop->line);
    }
    nyt_out_text(w->o, ".");
}

static void find_repeated(struct finder *f)
{
    const nyt_call *best[MOST_OF_A_KIND] = {NULL, NULL};
    size_t n;
    const nyt_call *calls = nyt_profile_all_calls(f->p, &n);
    for (size_t i = 0; i < n; i++) {
        const nyt_call *c = &calls[i];
        if (c->count < MANY_CALLS || !(c->incl >= TELLING * f->total) || !isfinite(c->incl) ||
            nyt_is_wait(c->called) || !is_own(f, c->fid))
            continue;
        if (!best[0] || c->incl > best[0]->incl) {
            best[1] = best[0];
            best[0] = c;
        } else if (!best[1] || c->incl > best[1]->incl) {
            best[1] = c;
        }
    }
    for (size_t i = 0; i < MOST_OF_A_KIND && best[i]; i++)
        add_fact(f, (struct nyt_fact){.put = put_repeated, .call = best[i]});
}

/* ---- A line that runs many times a call ---- */

static void put_turns(struct nyt_words *w, const struct nyt_fact *fact)
{
    nyt_put_place(w, fact->line->fid, fact->line->line);
    nyt_out_text(w->o, " runs ");
    nyt_out_fixed(w->o, 0, 1, (double)fact->line->count / (double)fact->subs[0]->calls);
    nyt_out_text(w->o, " times for each of the ");
    nyt_out_count(w->o, (int64_t)fact->subs[0]->calls, 0);
    nyt_out_text(w->o, " calls of ");
    nyt_put_sub(w, fact->subs[0]->name);
    nyt_out_text(w->o, ".");
}

static void find_turns(struct finder *f)
{
    const nyt_line *line = f->insight->hottest;
    const nyt_sub *sub = line ? nyt_sub_around(f->p, line->fid, line->line) : NULL;
    if (!sub || sub->calls < 2 || !is_own(f, line->fid) || line->time < TELLING * f->total ||
        line->count < (int64_t)(MANY_TURNS * sub->calls))
        return;
    add_fact(f, (struct nyt_fact){.put = put_turns, .line = line, .subs = {sub}});
}

/* ---- Imports, waits ---- */

static void put_imports(struct nyt_words *w, const struct nyt_fact *fact)
{
    nyt_out_text(w->o, "Imports took ");
    nyt_out_time(w->o, fact->seconds, 0);
    nyt_out_text(w->o, " (");
    nyt_put_percent(w, fact->seconds, fact->total);
    nyt_out_text(w->o, ")");
    for (size_t i = 0; i < 3 && fact->subs[i]; i++) {
        nyt_out_text(w->o, i ? ", " : "; the slowest, with what they import: ");
        nyt_out_safe(w->o, nyt_sub_words(fact->subs[i]->name).name, 0);
        nyt_out_text(w->o, " ");
        nyt_out_time(w->o, fact->subs[i]->incl, 0);
    }
    nyt_out_text(w->o, ".");
}

static bool is_module(const nyt_sub *sub)
{
    const char *rest = nyt_sub_words(sub->name).rest;
    return rest[0] == ' ' && rest[2] == 'm';
}

/* By inclusive time, into the three places. */
static void keep_slowest(const nyt_sub *slowest[3], const nyt_sub *sub)
{
    for (size_t i = 0; i < 3; i++) {
        if (!slowest[i] || sub->incl > slowest[i]->incl) {
            const nyt_sub *pushed = slowest[i];
            slowest[i] = sub;
            if (!pushed)
                return;
            sub = pushed;
        }
    }
}

static void find_imports(struct finder *f, const nyt_split *split)
{
    struct nyt_fact fact = {.put = put_imports, .seconds = split->seconds[NYT_PART_IMPORTS]};
    size_t n;
    const nyt_sub *subs = nyt_profile_subs(f->p, &n);
    if (fact.seconds < TELLING * split->total)
        return;
    for (size_t i = 0; i < n; i++)
        if (subs[i].calls && isfinite(subs[i].incl) && is_module(&subs[i]) &&
            nyt_is_import(f->p, &subs[i]))
            keep_slowest(fact.subs, &subs[i]);
    add_fact(f, fact);
}

static void put_waits(struct nyt_words *w, const struct nyt_fact *fact)
{
    nyt_out_time(w->o, fact->seconds, 0);
    nyt_out_text(w->o, " (");
    nyt_put_percent(w, fact->seconds, fact->total);
    nyt_out_text(w->o, ") was spent waiting");
    if (fact->call) {
        nyt_out_text(w->o, ", most of it in ");
        nyt_put_sub(w, fact->call->called->name);
        nyt_out_text(w->o, ": ");
        nyt_put_times(w, fact->call->count);
        nyt_out_text(w->o, " from ");
        nyt_put_place(w, fact->call->fid, fact->call->line);
        nyt_out_text(w->o, ", ");
        nyt_out_time(w->o, fact->call->excl, 0);
    }
    nyt_out_text(w->o, ".");
}

static void find_waits(struct finder *f, const nyt_split *split)
{
    struct nyt_fact fact = {.put = put_waits, .seconds = split->seconds[NYT_PART_WAITING]};
    size_t n;
    const nyt_call *calls = nyt_profile_all_calls(f->p, &n);
    if (fact.seconds < TELLING * split->total)
        return;
    for (size_t i = 0; i < n; i++)
        if (nyt_is_wait(calls[i].called) && isfinite(calls[i].excl) &&
            (!fact.call || calls[i].excl > fact.call->excl))
            fact.call = &calls[i];
    add_fact(f, fact);
}

/* ---- Recursion ---- */

static void put_recursion(struct nyt_words *w, const struct nyt_fact *fact)
{
    nyt_put_sub(w, fact->subs[0]->name);
    nyt_out_text(w->o, " calls itself, directly or not, to a depth of ");
    nyt_out_count(w->o, (int64_t)fact->subs[0]->depth, 0);
    nyt_out_text(w->o, ".");
}

static void find_recursion(struct finder *f)
{
    size_t n;
    const nyt_sub *subs = nyt_profile_subs(f->p, &n), *deepest = NULL;
    for (size_t i = 0; i < n; i++)
        if (subs[i].depth >= DEEP && (!deepest || subs[i].depth > deepest->depth) &&
            is_own(f, subs[i].fid))
            deepest = &subs[i];
    if (deepest)
        add_fact(f, (struct nyt_fact){.put = put_recursion, .subs = {deepest}});
}

/* ---- The profiler ---- */

static void put_own_cost(struct nyt_words *w, const struct nyt_fact *fact)
{
    nyt_out_text(w->o, "The profiler took ");
    nyt_put_percent(w, fact->seconds, w->p->totals.duration);
    nyt_out_text(w->o, " of the time on the clock, which no figure here contains; those of very "
                       "short lines are less certain than others.");
}

static void find_own_cost(struct finder *f)
{
    const nyt_totals *t = &f->p->totals;
    double own = t->duration - t->active;
    if (t->timed && own > 0.4 * t->duration && isfinite(own))
        add_fact(f, (struct nyt_fact){.put = put_own_cost, .seconds = own});
}

size_t nyt_find_facts(const struct nyt_insight *insight, const bool *shown,
                      struct nyt_fact facts[NYT_FACTS_MOST])
{
    const nyt_split *split = &insight->split;
    struct finder f = {
        .p = insight->p, .insight = insight, .shown = shown, .total = split->total, .facts = facts};
    if (!(split->total > 0))
        return 0;
    find_repeated(&f);
    find_turns(&f);
    find_imports(&f, split);
    find_waits(&f, split);
    find_recursion(&f);
    find_own_cost(&f);
    return f.count;
}
