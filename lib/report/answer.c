/*
 * The first screen: the run, one sentence, the parts of the program, the hottest lines of the
 * project with those around them and their callers, then functions, then what else stands out.
 */
#include "report/answer.h"

#include "base/str.h"
#include "model/split.h"
#include "report/awaited.h"
#include "report/excerpt.h"
#include "report/facts.h"
#include "report/functions.h"
#include "report/hot.h"
#include "report/rank.h"
#include "report/insight.h"
#include "report/sentence.h"
#include "report/units.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    HOT_LINES = 5,
    FUNCTIONS = 8,
    OTHERS = 5,         /* functions outside of the project */
    BAR = 30,           /* columns */
    BEFORE_BAR = 41,
    FIGURE = 9,         /* columns of a time */
    CALLS_SHOWN = 2,
    THREADS = 8,
    INDENT = 10
};

static const double SHOWN_PART = 0.0005;        /* smaller ones would be told as 0.0 % */
static const double HOT_SHARE = 0.004;          /* lines that take less are not hot */

/* ---- The parts ---- */

const char *nyt_part_words(nyt_part part)
{
    static const char *const words[NYT_PARTS] = {[NYT_PART_PROJECT] = "project",
                                                 [NYT_PART_PACKAGES] = "installed packages",
                                                 [NYT_PART_LIBRARY] = "standard library",
                                                 [NYT_PART_IMPORTS] = "imports",
                                                 [NYT_PART_WAITING] = "waiting"};
    return words[part];
}

static void put_bar(struct nyt_report *r, double share)
{
    size_t room = r->width > BEFORE_BAR ? r->width - BEFORE_BAR : 0;
    int halves = (int)(share * 2 * (double)(room < BAR ? room : BAR) + 0.5);
    nyt_out_text(r->o, halves ? "  " : "");
    for (int i = 0; i < halves / 2; i++)
        nyt_out_text(r->o, "\u2588");
    nyt_out_text(r->o, halves % 2 ? "\u258C" : "");
}

static void put_part(struct nyt_report *r, nyt_part part, const nyt_split *split)
{
    double share = split->seconds[part] / split->total;
    nyt_out_format(r->o, "  %-19s", nyt_part_words(part));
    nyt_out_time(r->o, split->seconds[part], FIGURE);
    nyt_out_fixed(r->o, 7, 1, 100 * share);
    nyt_out_text(r->o, " %");
    nyt_report_style(r, part == NYT_PART_PROJECT ? NYT_HOT : NYT_DIM);
    put_bar(r, share);
    nyt_report_style(r, NYT_PLAIN);
    nyt_out_text(r->o, "\n");
}

static void put_split(struct nyt_report *r, const nyt_split *split)
{
    if (!(split->total > 0))
        return;
    nyt_out_text(r->o, "\n");
    for (int part = 0; part < NYT_PARTS; part++)
        if (split->seconds[part] >= SHOWN_PART * split->total || part == NYT_PART_PROJECT)
            put_part(r, (nyt_part)part, split);
}

/* ---- Threads ---- */

/* Are there threads of several processes? */
static bool has_processes(const nyt_profile *p)
{
    bool several = false;
    for (size_t i = 0; i < p->process_count; i++) {
        if (!p->processes[i].process)
            return false;
        several |= p->processes[i].process != p->processes[0].process;
    }
    return several;
}

static void put_thread(struct nyt_report *r, const nyt_process *t, bool with_process)
{
    nyt_out_format(r->o, "%11u", (unsigned)t->pid);
    nyt_out_time(r->o, t->statement_time, FIGURE);
    if (t->started && t->ended)
        nyt_out_time(r->o, t->end - t->start, FIGURE);
    else if (with_process)
        nyt_out_fill(r->o, ' ', FIGURE);
    if (with_process)
        nyt_out_format(r->o, "%10u", (unsigned)t->process);
    nyt_out_text(r->o, "\n");
}

static bool put_threads(struct nyt_report *r)
{
    struct nyt_ranking list;
    const nyt_profile *p = r->p;
    char note[60];
    if (p->process_count < 2 || p->sectioned)
        return true;
    if (!nyt_ranking_begin(&list, p->process_count))
        return false;
    for (size_t i = 0; i < p->process_count; i++)
        if (isfinite(p->processes[i].statement_time))
            nyt_rank(&list, p->processes[i].statement_time, &p->processes[i]);
    nyt_ranking_sort(&list);
    size_t shown = list.count < THREADS ? list.count : THREADS;
    snprintf(note, sizeof note, "%zu of %zu; --thread ID%s shows one", shown, p->process_count,
             has_processes(p) ? " or --process ID" : "");
    nyt_report_title(r, "Threads", note);
    nyt_report_style(r, NYT_DIM);
    const bool with_process = has_processes(p);
    nyt_out_format(r->o, "         id  lines    lasted%s\n", with_process ? "   process" : "");
    nyt_report_style(r, NYT_PLAIN);
    for (size_t i = 0; i < shown; i++)
        put_thread(r, list.list[i].item, with_process);
    nyt_ranking_free(&list);
    return true;
}

/* ---- Hot lines ---- */

static void put_called_by(struct nyt_words *w, const void *what)
{
    const nyt_sub *sub = what;
    const nyt_call *best[CALLS_SHOWN];
    size_t n = nyt_top_callers(w->p, sub, best, CALLS_SHOWN);
    nyt_out_text(w->o, "called ");
    nyt_put_times(w, sub->calls);
    for (size_t i = 0; i < n; i++) {
        nyt_out_text(w->o, i ? ", and " : n == 1 && best[0]->count == sub->calls ? " by " : ": ");
        if (best[i]->count != sub->calls) {
            nyt_put_times(w, best[i]->count);
            nyt_out_text(w->o, " by ");
        }
        nyt_put_sub(w, best[i]->caller);
        nyt_out_text(w->o, " (");
        nyt_put_place(w, best[i]->fid, best[i]->line);
        nyt_out_text(w->o, ")");
    }
}

static void put_calls_of_line(struct nyt_words *w, const void *what)
{
    const nyt_line *line = what;
    const nyt_call *best[CALLS_SHOWN];
    size_t n = nyt_top_calls_on(w->p, line->fid, line->line, best, CALLS_SHOWN);
    nyt_out_text(w->o, "calls ");
    for (size_t i = 0; i < n; i++) {
        nyt_out_text(w->o, i ? ", and " : "");
        nyt_put_sub(w, best[i]->called->name);
        nyt_out_text(w->o, " ");
        nyt_put_times(w, best[i]->count);
        nyt_out_text(w->o, " (");
        nyt_put_call_time(w, best[i]);
        nyt_out_text(w->o, ")");
    }
}

static void put_awaited(struct nyt_words *w, const void *what)
{
    nyt_put_awaited(w->o, what);
}

static void put_note(struct nyt_report *r, nyt_report_put_fn *put, const void *what)
{
    nyt_report_style(r, NYT_DIM);
    nyt_out_fill(r->o, ' ', INDENT);
    nyt_report_paragraph(r, put, what, INDENT, INDENT + 2);
    nyt_report_style(r, NYT_PLAIN);
}

static void put_where(struct nyt_words *w, const void *what)
{
    const struct nyt_hot_block *b = what;
    nyt_put_place(w, b->fid, b->hottest->line);
    if (b->sub) {
        nyt_out_text(w->o, " in ");
        nyt_put_sub(w, b->sub->name);
    }
    if (b->cost > 1.1 * b->hottest->time) {
        nyt_out_text(w->o, ": ");
        nyt_out_time(w->o, b->cost, 0);
        nyt_out_text(w->o, " with the libraries it calls");
    }
}

static void put_block_heading(struct nyt_report *r, const struct nyt_hot_block *b)
{
    const nyt_call *call;
    double whole = r->p->totals.statement_time;
    nyt_out_text(r->o, "\n");
    nyt_report_style(r, NYT_HOT);
    nyt_out_fixed(r->o, 6, 1, whole > 0 ? 100 * b->cost / whole : 0);
    nyt_out_text(r->o, " %  ");
    nyt_report_style(r, NYT_BOLD);
    nyt_report_paragraph(r, put_where, b, INDENT, INDENT);
    nyt_report_style(r, NYT_PLAIN);
    if (b->sub && b->sub->calls && (b->sub->calls > 1 || nyt_top_callers(r->p, b->sub, &call, 1)))
        put_note(r, put_called_by, b->sub);
    if (nyt_top_calls_on(r->p, b->fid, b->hottest->line, &call, 1))
        put_note(r, put_calls_of_line, b->hottest);
    const nyt_await *awaited = nyt_profile_await(r->p, b->fid, b->hottest->line);
    if (awaited)
        put_note(r, put_awaited, awaited);
}

static void put_block(const struct nyt_hot *hot, const struct nyt_hot_block *b,
                      struct nyt_excerpt e)
{
    put_block_heading(e.r, b);
    nyt_excerpt_outdent(&e, b->fid, b->first, b->last);
    for (uint64_t line = b->first; line <= b->last; line++)
        nyt_excerpt_line(&e, b->fid, (uint32_t)line, nyt_hot_has(hot, b->fid, (uint32_t)line));
}

static void put_hot(struct nyt_report *r, const struct nyt_hot *hot)
{
    char note[60];
    struct nyt_excerpt e = nyt_excerpt_begin(r);
    if (!hot->count)
        return;
    snprintf(note, sizeof note, "%zu of %zu", hot->count, hot->candidates);
    nyt_report_title(r, hot->of_project ? "Hottest lines of the project" : "Hottest lines", note);
    for (size_t i = 0; i < hot->block_count; i++)
        nyt_excerpt_fit(&e, hot->blocks[i].fid, hot->blocks[i].first, hot->blocks[i].last);
    nyt_excerpt_titles(&e);
    for (size_t i = 0; i < hot->block_count; i++)
        put_block(hot, &hot->blocks[i], e);
    nyt_report_shared_note(r);
}

/* ---- Functions ---- */

static bool is_of_project(const nyt_profile *p, const nyt_sub *sub)
{
    return sub->kind == NYT_KIND_CODE && nyt_profile_scope(p, sub->fid) == NYT_SCOPE_PROJECT;
}

static bool belongs(const struct nyt_report *r, const nyt_sub *sub, bool of_project)
{
    if (!sub->calls || !(sub->excl > 0) || !isfinite(sub->excl) || !isfinite(sub->incl) ||
        !nyt_report_shows(r, sub->fid))
        return false;
    return is_of_project(r->p, sub) == of_project &&
           (of_project || (!nyt_is_import(r->p, sub) && !nyt_is_wait(sub)));
}

static double weight_of(const struct nyt_report *r, const nyt_sub *sub)
{
    return r->sort == NYT_SORT_COUNT  ? (double)sub->calls
           : r->sort == NYT_SORT_INCL ? sub->incl
           : r->sort == NYT_SORT_TIME ? sub->excl
                                      : 0;
}

static bool put_functions(struct nyt_report *r, bool of_project, size_t most)
{
    struct nyt_ranking list;
    size_t n;
    const nyt_sub *subs = nyt_profile_subs(r->p, &n);
    char note[60];
    if (!nyt_ranking_begin(&list, n))
        return false;
    for (size_t i = 0; i < n; i++)
        if (belongs(r, &subs[i], of_project))
            nyt_rank(&list, weight_of(r, &subs[i]), &subs[i]);
    nyt_ranking_sort(&list);
    size_t shown = list.count < most ? list.count : most;
    snprintf(note, sizeof note, "%zu of %zu", shown, list.count);
    if (shown)
        nyt_report_title(
            r, of_project ? "Functions of the project" : "Functions of libraries, and in C", note);
    nyt_put_functions(r, &list, shown);
    nyt_ranking_free(&list);
    return true;
}

/* ---- What else ---- */

static void put_fact(struct nyt_words *w, const void *what)
{
    const struct nyt_fact *fact = what;
    fact->put(w, fact);
}

static void put_facts(struct nyt_report *r, const struct nyt_insight *insight)
{
    struct nyt_fact facts[NYT_FACTS_MOST];
    size_t n = nyt_find_facts(insight, r->shown, facts);
    if (n)
        nyt_report_title(r, "What else", NULL);
    for (size_t i = 0; i < n; i++) {
        nyt_out_text(r->o, "  - ");
        nyt_report_paragraph(r, put_fact, &facts[i], 4, 4);
    }
}

/* ---- All ---- */

static void put_sentence(struct nyt_words *w, const void *what)
{
    nyt_put_sentence_of(w, what);
}

static void put_next(struct nyt_words *w, const void *unused)
{
    (void)unused;
    nyt_out_text(w->o, "Next: func NAME, source FILE, tree, summary --all, explain, html");
}

static void put_hints(struct nyt_report *r)
{
    nyt_out_text(r->o, "\n");
    nyt_report_style(r, NYT_DIM);
    nyt_report_paragraph(r, put_next, NULL, 0, 6);
    nyt_report_style(r, NYT_PLAIN);
}

static bool put_hot_lines(struct nyt_report *r, const struct nyt_insight *insight)
{
    struct nyt_hot hot;
    struct nyt_hot_choice choice = {.shown = r->shown,
                                    .top = r->asked ? r->asked : HOT_LINES,
                                    .least = r->asked ? 0 : HOT_SHARE,
                                    .around = 1,
                                    .sort = r->sort};
    bool ok = nyt_hot_find(&hot, insight, &choice);
    if (ok)
        put_hot(r, &hot);
    nyt_hot_free(&hot);
    return ok;
}

static bool put_answer(struct nyt_report *r, const struct nyt_insight *insight)
{
    nyt_report_heading(r);
    nyt_out_text(r->o, "\n");
    nyt_report_paragraph(r, put_sentence, insight, 0, 0);
    put_split(r, &insight->split);
    bool ok = put_hot_lines(r, insight) && nyt_report_awaited(r) &&
              put_functions(r, true, r->asked ? r->asked : FUNCTIONS) &&
              put_functions(r, false, r->asked ? r->asked : OTHERS);
    nyt_report_units(r);
    ok = ok && put_threads(r);
    put_facts(r, insight);
    put_hints(r);
    return ok;
}

bool nyt_report_answer(struct nyt_report *r)
{
    struct nyt_insight insight;
    bool ok = nyt_insight_find(&insight, r->p) && put_answer(r, &insight);
    nyt_insight_free(&insight);
    return ok;
}

/* ---- JSON ---- */

static int keep_text(void *ctx, const void *data, size_t len)
{
    return nyt_buf_append(ctx, data, len) ? NYT_OK : NYT_ENOMEM;
}

static bool json_words(struct nyt_report *r, const char *key, nyt_report_put_fn *put,
                       const void *what)
{
    struct nyt_buf text = {0};
    struct nyt_out *o = malloc(sizeof *o);
    struct nyt_words w = r->w;
    w.o = o;
    if (o) {
        nyt_out_begin(o, keep_text, &text);
        put(&w, what);
    }
    bool ok = o && nyt_out_end(o, NULL) == NYT_OK;
    if (ok)
        nyt_json_str(
            &r->j, key,
            (nyt_str){.data = text.data ? (char *)text.data : "", .len = text.len, .utf8 = true});
    nyt_buf_free(&text);
    free(o);
    return ok;
}

static void json_split(struct nyt_report *r, const nyt_split *split)
{
    nyt_json_open(&r->j, "split", '{');
    for (int part = 0; part < NYT_PARTS; part++)
        nyt_json_number(&r->j, nyt_part_name((nyt_part)part), split->seconds[part]);
    nyt_json_number(&r->j, "total", split->total);
    nyt_json_close(&r->j, '}');
}

static void json_call(struct nyt_report *r, const nyt_call *c)
{
    const nyt_file *file = nyt_profile_file(r->p, c->fid);
    nyt_json_open(&r->j, NULL, '{');
    nyt_json_str(&r->j, "called", c->called->name);
    nyt_json_str(&r->j, "caller", c->caller);
    nyt_json_count(&r->j, "calls", c->count);
    nyt_json_number(&r->j, "exclusive", c->excl);
    nyt_json_number(&r->j, "inclusive", c->incl);
    nyt_json_count(&r->j, "fid", c->fid);
    nyt_json_count(&r->j, "line", c->line);
    nyt_json_optional(&r->j, "file", file ? &file->name : NULL);
    nyt_json_close(&r->j, '}');
}

static void json_calls(struct nyt_report *r, const char *key, const nyt_call *const *calls,
                       size_t n)
{
    nyt_json_open(&r->j, key, '[');
    for (size_t i = 0; i < n; i++)
        json_call(r, calls[i]);
    nyt_json_close(&r->j, ']');
}

enum { CALLS_IN_JSON = 5 };

static void json_hot_line(struct nyt_report *r, const nyt_line *line, double cost)
{
    const nyt_sub *sub = nyt_sub_around(r->p, line->fid, line->line);
    const nyt_file *file = nyt_profile_file(r->p, line->fid);
    const nyt_call *best[CALLS_IN_JSON];
    nyt_json_open(&r->j, NULL, '{');
    nyt_json_whole(&r->j, "count", line->count);
    nyt_json_number(&r->j, "time", line->time);
    nyt_report_json_incl(r, line);
    nyt_report_json_shared(r, line);
    nyt_json_number(&r->j, "with_libraries", cost);
    nyt_json_count(&r->j, "fid", line->fid);
    nyt_json_count(&r->j, "line", line->line);
    nyt_json_optional(&r->j, "file", file ? &file->name : NULL);
    nyt_json_optional(&r->j, "source", nyt_profile_source_line(r->p, line->fid, line->line));
    nyt_json_optional(&r->j, "sub", sub ? &sub->name : NULL);
    json_calls(r, "callers", best, sub ? nyt_top_callers(r->p, sub, best, CALLS_IN_JSON) : 0);
    json_calls(r, "calls", best,
               nyt_top_calls_on(r->p, line->fid, line->line, best, CALLS_IN_JSON));
    nyt_json_close(&r->j, '}');
}

static bool json_facts(struct nyt_report *r, const struct nyt_insight *insight)
{
    struct nyt_fact facts[NYT_FACTS_MOST];
    size_t n = nyt_find_facts(insight, r->shown, facts);
    bool ok = true;
    nyt_json_open(&r->j, "facts", '[');
    for (size_t i = 0; ok && i < n; i++)
        ok = json_words(r, NULL, put_fact, &facts[i]);
    nyt_json_close(&r->j, ']');
    return ok;
}

static bool json_hot_lines(struct nyt_report *r, const struct nyt_insight *insight)
{
    struct nyt_hot hot;
    struct nyt_hot_choice choice = {.shown = r->shown, .top = r->top, .sort = r->sort};
    bool ok = nyt_hot_find(&hot, insight, &choice);
    nyt_json_open(&r->j, "hot_lines", '[');
    for (size_t i = 0; ok && i < hot.count; i++)
        json_hot_line(r, hot.lines[i], nyt_hot_cost(&hot, hot.lines[i]));
    nyt_json_close(&r->j, ']');
    nyt_hot_free(&hot);
    return ok;
}

bool nyt_report_json_answer(struct nyt_report *r)
{
    struct nyt_insight insight;
    bool ok = nyt_insight_find(&insight, r->p);
    if (ok) {
        json_split(r, &insight.split);
        ok = json_words(r, "sentence", put_sentence, &insight) && json_hot_lines(r, &insight) &&
             json_facts(r, &insight);
        nyt_report_json_awaited(r);
        nyt_report_json_units(r);
    }
    nyt_insight_free(&insight);
    return ok;
}
