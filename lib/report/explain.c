/*
 * A profile in Markdown, for pull requests, tickets and assistants: as much of it as its budget
 * holds. It is written with less and less around the hot lines, and then with fewer of them, until
 * it fits.
 */
#include "nytprof.h"

#include "base/error.h"
#include "base/memory.h"
#include "model/split.h"
#include "report/answer.h"
#include "report/awaited.h"
#include "report/excerpt.h"
#include "report/facts.h"
#include "report/hot.h"
#include "report/insight.h"
#include "report/rank.h"
#include "report/report.h"
#include "report/sentence.h"
#include "report/units.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BUDGET = 4000, CODE_WIDTH = 108, CALLS_SHOWN = 2 };

static const double HOT_SHARE = 0.002;

/* How much is told: the first is the most; the last has the head and the sentence alone. */
static const struct detail {
    size_t lines;
    uint32_t around;
    size_t functions;
    bool no_facts;
} details[] = {{10, 3, 8}, {10, 2, 8}, {10, 1, 8},      {10, 1, 4},     {9, 1, 4}, {8, 1, 4},
               {7, 1, 4},  {6, 1, 4},  {5, 1, 3},       {4, 1, 3},      {3, 1, 3}, {3, 0, 3},
               {1, 0, 2},  {1, 0, 0},  {1, 0, 0, true}, {0, 0, 0, true}};

struct explanation {
    struct nyt_report *r; /* over the text in the making */
    const struct nyt_insight *insight;
    const struct nyt_ranking *functions;
    const struct detail *detail;
};

/* ---- Parts ---- */

static void put_head(struct explanation *e)
{
    struct nyt_words *w = &e->r->w;
    nyt_out_text(w->o, "# Profile of `");
    nyt_out_safe(w->o, nyt_program_title(w->p, e->r->path), 100);
    nyt_out_text(w->o, "`\n\n");
    nyt_put_run(w, NULL);
    nyt_out_text(w->o, ".");
    if (w->folder.len > 1) {
        nyt_out_text(w->o, " Paths are relative to `");
        nyt_out_safe(w->o, w->folder, 0);
        nyt_out_text(w->o, "`.");
    }
    nyt_out_text(w->o, "\n\n");
    if (nyt_put_caveat(w))
        nyt_out_text(w->o, "\n\n");
    nyt_out_text(w->o, "**");
    nyt_put_sentence_of(w, e->insight);
    nyt_out_text(w->o, "**\n\n");
}

static void put_split(struct explanation *e)
{
    const nyt_split *split = &e->insight->split;
    struct nyt_words *w = &e->r->w;
    bool first = true;
    for (int part = 0; part < NYT_PARTS && split->total > 0; part++) {
        if (split->seconds[part] < 0.0005 * split->total)
            continue;
        nyt_out_text(w->o, first ? "Time: " : ", ");
        nyt_out_text(w->o, nyt_part_words((nyt_part)part));
        nyt_out_text(w->o, " ");
        nyt_out_time(w->o, split->seconds[part], 0);
        nyt_out_text(w->o, " (");
        nyt_put_percent(w, split->seconds[part], split->total);
        nyt_out_text(w->o, ")");
        first = false;
    }
    nyt_out_text(w->o, first ? "" : ".\n");
}

static void put_facts(struct explanation *e)
{
    struct nyt_fact facts[NYT_FACTS_MOST];
    size_t n = nyt_find_facts(e->insight, e->r->shown, facts);
    for (size_t i = 0; i < n; i++) {
        nyt_out_text(e->r->o, i ? "- " : "\n## Facts\n\n- ");
        facts[i].put(&e->r->w, &facts[i]);
        nyt_out_text(e->r->o, "\n");
    }
}

/* ---- Hot lines ---- */

static void put_callers(struct nyt_words *w, const nyt_sub *sub)
{
    const nyt_call *best[CALLS_SHOWN];
    size_t n = nyt_top_callers(w->p, sub, best, CALLS_SHOWN);
    nyt_out_text(w->o, "called ");
    nyt_put_times(w, sub->calls);
    for (size_t i = 0; i < n; i++) {
        nyt_out_text(w->o, i ? ", " : best[i]->count == sub->calls ? " by " : ": ");
        if (best[i]->count != sub->calls) {
            nyt_out_count(w->o, (int64_t)best[i]->count, 0);
            nyt_out_text(w->o, " by ");
        }
        nyt_put_sub(w, best[i]->caller);
        nyt_out_text(w->o, " at ");
        nyt_put_place(w, best[i]->fid, best[i]->line);
    }
}

static void put_callees(struct nyt_words *w, const nyt_line *line)
{
    const nyt_call *best[CALLS_SHOWN];
    size_t n = nyt_top_calls_on(w->p, line->fid, line->line, best, CALLS_SHOWN);
    for (size_t i = 0; i < n; i++) {
        nyt_out_text(w->o, i ? ", " : "; calls ");
        nyt_put_sub(w, best[i]->called->name);
        nyt_out_text(w->o, " ");
        nyt_put_times(w, best[i]->count);
        nyt_out_text(w->o, " (");
        nyt_put_call_time(w, best[i]);
        if (best[i]->count > 1 && !nyt_is_recursive(best[i])) {
            nyt_out_text(w->o, ", ");
            nyt_out_time(w->o, best[i]->incl / (double)best[i]->count, 0);
            nyt_out_text(w->o, " each");
        }
        nyt_out_text(w->o, ")");
    }
}

static void put_block_heading(struct nyt_words *w, const struct nyt_hot_block *b)
{
    nyt_out_text(w->o, "\n### ");
    nyt_put_place(w, b->fid, b->hottest->line);
    nyt_out_text(w->o, "\n\n");
    nyt_put_percent(w, b->cost, w->p->totals.statement_time);
    if (b->cost > 1.1 * b->hottest->time) {
        nyt_out_text(w->o, " with the libraries it calls (");
        nyt_out_time(w->o, b->cost, 0);
        nyt_out_text(w->o, ")");
    }
    if (b->sub) {
        nyt_out_text(w->o, ", in ");
        nyt_put_sub(w, b->sub->name);
    }
    if (b->sub && b->sub->calls && !w->p->sectioned) {
        nyt_out_text(w->o, ", ");
        put_callers(w, b->sub);
    }
    put_callees(w, b->hottest);
    const nyt_await *awaited = nyt_profile_await(w->p, b->fid, b->hottest->line);
    if (awaited) {
        nyt_out_text(w->o, "; ");
        nyt_put_awaited(w->o, awaited);
    }
    nyt_out_text(w->o, "\n\n");
}

static bool has_fence(const nyt_profile *p, const struct nyt_hot_block *b)
{
    for (uint64_t line = b->first; line <= b->last; line++) {
        const nyt_str *text = nyt_profile_source_line(p, b->fid, (uint32_t)line);
        if (text && strstr(text->data, "```"))
            return true;
    }
    return false;
}

static void put_block(struct explanation *e, const struct nyt_hot *hot,
                      const struct nyt_hot_block *b, bool titled)
{
    struct nyt_excerpt x = nyt_excerpt_begin(e->r);
    const char *fence = has_fence(e->r->p, b) ? "``````" : "```";
    put_block_heading(&e->r->w, b);
    nyt_out_format(e->r->o, "%stext\n", fence);
    nyt_excerpt_fit(&x, b->fid, b->first, b->last);
    nyt_excerpt_outdent(&x, b->fid, b->first, b->last);
    if (titled)
        nyt_excerpt_titles(&x);
    for (uint64_t line = b->first; line <= b->last; line++)
        nyt_excerpt_line(&x, b->fid, (uint32_t)line, nyt_hot_has(hot, b->fid, (uint32_t)line));
    nyt_out_format(e->r->o, "%s\n", fence);
}

static bool put_hot_lines(struct explanation *e)
{
    struct nyt_hot hot;
    struct nyt_hot_choice choice = {.shown = e->r->shown,
                                    .top = e->detail->lines,
                                    .least = HOT_SHARE,
                                    .around = e->detail->around};
    bool ok = nyt_hot_find(&hot, e->insight, &choice);
    if (ok && hot.count)
        nyt_out_text(e->r->o,
                     hot.of_project ? "\n## Hot lines of the project\n" : "\n## Hot lines\n");
    for (size_t i = 0; ok && i < hot.block_count; i++)
        put_block(e, &hot, &hot.blocks[i], i == 0);
    nyt_report_shared_note(e->r);
    nyt_hot_free(&hot);
    return ok;
}

/* ---- Functions ---- */

static void put_function(struct nyt_words *w, const nyt_sub *sub)
{
    nyt_out_text(w->o, "| ");
    nyt_out_time(w->o, sub->excl, 0);
    nyt_out_text(w->o, " | ");
    nyt_out_time(w->o, sub->incl, 0);
    nyt_out_text(w->o, " | ");
    nyt_out_count(w->o, (int64_t)sub->calls, 0);
    nyt_out_text(w->o, " | ");
    nyt_put_sub(w, sub->name);
    nyt_out_text(w->o, " | ");
    if (sub->first)
        nyt_put_place(w, sub->fid, sub->first);
    nyt_out_text(w->o, " |\n");
}

/* Once for all degrees of detail. False: out of memory. */
static bool rank_functions(struct nyt_ranking *list, const struct nyt_report *r)
{
    size_t n;
    const nyt_sub *subs = nyt_profile_subs(r->p, &n);
    if (!nyt_ranking_begin(list, n))
        return false;
    for (size_t i = 0; i < n; i++)
        if (subs[i].calls && subs[i].excl > 0 && isfinite(subs[i].excl) &&
            nyt_report_shows(r, subs[i].fid) && !nyt_is_import(r->p, &subs[i]))
            nyt_rank(list, subs[i].excl, &subs[i]);
    nyt_ranking_sort(list);
    return true;
}

static void put_functions(struct explanation *e)
{
    const struct nyt_ranking *list = e->functions;
    for (size_t i = 0; i < list->count && i < e->detail->functions; i++) {
        nyt_out_text(e->r->o, i ? ""
                                : "\n## Functions by self time\n\n"
                                  "| self | incl | calls | function | |\n|--:|--:|--:|---|---|\n");
        put_function(&e->r->w, list->list[i].item);
    }
}

/* ---- All ---- */

static int keep_text(void *ctx, const void *data, size_t len)
{
    return nyt_buf_append(ctx, data, len) ? NYT_OK : NYT_ENOMEM;
}

static bool put_all(struct explanation *e)
{
    put_head(e);
    put_split(e);
    bool ok = !e->detail->lines || put_hot_lines(e);
    put_functions(e);
    nyt_explain_units(e->r, e->detail->functions);
    if (!e->detail->no_facts)
        put_facts(e);
    return ok;
}

/* false: out of memory. */
static bool write_in_detail(struct nyt_buf *text, struct explanation e)
{
    struct nyt_report mine = *e.r;
    mine.o = malloc(sizeof *mine.o);
    if (!mine.o)
        return false;
    mine.w.o = mine.o;
    mine.w.markdown = true;
    mine.colour = false;
    mine.uncut = false;
    mine.width = CODE_WIDTH;
    text->len = 0;
    nyt_out_begin(mine.o, keep_text, text);
    e.r = &mine;
    bool ok = put_all(&e);
    ok = nyt_out_end(mine.o, NULL) == NYT_OK && ok;
    free(mine.o);
    return ok;
}

static bool explain(struct nyt_report *r, size_t budget)
{
    struct nyt_insight insight;
    struct nyt_ranking functions = {0};
    struct nyt_buf text = {0};
    bool ok = nyt_insight_find(&insight, r->p) && rank_functions(&functions, r), fits = false;
    struct explanation e = {.r = r, .insight = &insight, .functions = &functions};
    for (size_t i = 0; ok && !fits && i < sizeof details / sizeof *details; i++) {
        e.detail = &details[i];
        ok = write_in_detail(&text, e);
        fits = text.len <= budget;
    }
    if (ok)
        nyt_out_bytes(r->o, text.data, text.len);
    nyt_buf_free(&text);
    nyt_ranking_free(&functions);
    nyt_insight_free(&insight);
    return ok;
}

int nyt_report_explain(const nyt_profile *p, size_t budget, const nyt_report_options *options,
                       nyt_write_fn write, void *ctx, nyt_error *err)
{
    struct nyt_report r;
    int rc = nyt_report_begin(&r, p, options, write, ctx, err);
    if (rc < 0)
        return rc;
    bool ok = explain(&r, budget ? budget : BUDGET);
    rc = nyt_report_end(&r, err);
    return ok ? rc : nyt_fail(err, NYT_ENOMEM, "out of memory");
}
