/* One sub: where it stands, who calls it, its source with figures, what it calls. */
#include "nytprof.h"

#include "base/error.h"
#include "report/excerpt.h"
#include "report/functions.h"
#include "report/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CALLS = 10,         /* callers and callees, as usual */
    CALLS_MOST = 1000,  /* of which those are chosen that are shown */
    WHOLE = 100,        /* so many lines are shown all */
    FIGURE = 9,
    COUNT = 11
};

/* Of a sub with more lines: only those with this share of its time, and their neighbours. */
static const double SHOWN_SHARE = 0.005;

/* ---- What it is ---- */

static void put_what(struct nyt_words *w, const void *what)
{
    const nyt_sub *sub = what;
    if (w->p->sectioned) {
        nyt_put_caveat(w);
        return;
    }
    if (sub->calls == 0) {
        nyt_out_text(w->o, nyt_knows_calls(w->p) ? "not called" : "its calls were not counted");
        return;
    }
    nyt_out_text(w->o, "called ");
    nyt_put_times(w, sub->calls);
    nyt_out_text(w->o, ": ");
    nyt_out_time(w->o, sub->incl, 0);
    nyt_out_text(w->o, " with all it calls");
    if (w->p->totals.statement_time > 0) {
        nyt_out_text(w->o, " (");
        nyt_put_percent(w, sub->incl, w->p->totals.statement_time);
        nyt_out_text(w->o, " of the time)");
    }
    nyt_out_text(w->o, ", ");
    nyt_out_time(w->o, sub->excl, 0);
    nyt_out_text(w->o, " in itself");
    if (sub->calls > 1) {
        nyt_out_text(w->o, ", ");
        nyt_out_time(w->o, sub->incl / (double)sub->calls, 0);
        nyt_out_text(w->o, " each");
    }
    if (sub->depth) {
        nyt_out_text(w->o, ", recursive to a depth of ");
        nyt_out_count(w->o, (int64_t)sub->depth, 0);
    }
}

/* Behind the name, or below it where there is no room; `used` columns are taken. */
static void put_range(struct nyt_report *r, const nyt_sub *sub, size_t used)
{
    char last[16] = "";
    if (sub->last > sub->first)
        snprintf(last, sizeof last, "-%u", (unsigned)sub->last);
    size_t room = r->width - 2 - strlen(last);
    bool fits = r->uncut || used + nyt_report_place_columns(r, sub->fid, sub->first) <= room;
    nyt_out_text(r->o, fits ? "  " : "\n  ");
    nyt_report_place(r, sub->fid, sub->first, room);
    nyt_out_text(r->o, last);
}

static void put_heading(struct nyt_report *r, const nyt_sub *sub)
{
    nyt_report_style(r, NYT_BOLD);
    size_t used = nyt_report_name(r, sub->name, r->width);
    nyt_report_style(r, NYT_PLAIN);
    if (sub->first)
        put_range(r, sub, used);
    nyt_out_text(r->o, "\n");
    nyt_report_paragraph(r, put_what, sub, 0, 0);
}

/* ---- Calls ---- */

typedef nyt_str other_fn(const nyt_call *c);

static nyt_str caller_of(const nyt_call *c)
{
    return c->caller;
}

static nyt_str called_of(const nyt_call *c)
{
    return c->called->name;
}

static void put_call(struct nyt_report *r, const nyt_call *c, nyt_str other, size_t room)
{
    nyt_out_count(r->o, (int64_t)c->count, COUNT);
    if (nyt_is_recursive(c))
        nyt_out_text(r->o, "  (rec.) ");
    else
        nyt_out_time(r->o, c->incl, FIGURE);
    nyt_out_time(r->o, c->count && !nyt_is_recursive(c) ? c->incl / (double)c->count : 0, FIGURE);
    nyt_out_text(r->o, "  ");
    size_t used = nyt_report_name(r, other, room);
    size_t before = COUNT + 2 * FIGURE + 2 + room + 2;
    if (r->uncut || r->width > before + 12) {
        nyt_out_fill(r->o, ' ', used < room ? room - used : 0);
        nyt_report_style(r, NYT_DIM);
        nyt_out_text(r->o, "  ");
        nyt_report_place(r, c->fid, c->line, r->width > before ? r->width - before : 0);
        nyt_report_style(r, NYT_PLAIN);
    }
    nyt_out_text(r->o, "\n");
}

static void put_calls(struct nyt_report *r, const char *title, const nyt_call *const *calls,
                      size_t n, other_fn *other)
{
    size_t widest = 8, room = r->width - COUNT - 2 * FIGURE - 2;
    size_t most = room < NYT_NAME_AND_PLACE ? room : room * 3 / 5;
    if (!n)
        return;
    for (size_t i = 0; i < n; i++) {
        size_t columns = nyt_report_name_columns(other(calls[i]));
        widest = columns > widest ? columns : widest;
    }
    nyt_report_title(r, title, NULL);
    nyt_report_style(r, NYT_DIM);
    nyt_out_text(r->o, "      calls  incl     each     name\n");
    nyt_report_style(r, NYT_PLAIN);
    for (size_t i = 0; i < n; i++)
        put_call(r, calls[i], other(calls[i]), r->uncut || widest < most ? widest : most);
}

/* Those of files that are left out are not shown; functions in C belong to none. */
static size_t shown_calls(const struct nyt_report *r, const nyt_call **calls, size_t n, size_t most)
{
    size_t kept = 0;
    for (size_t i = 0; i < n && kept < most; i++) {
        const nyt_sub *called = calls[i]->called;
        if (nyt_report_shows(r, calls[i]->fid) &&
            (called->kind != NYT_KIND_CODE || nyt_report_shows(r, called->fid)))
            calls[kept++] = calls[i];
    }
    return kept;
}

/* ---- Source ---- */

static bool is_worth_a_line(const nyt_profile *p, const nyt_sub *sub, uint32_t line)
{
    const nyt_line *at = nyt_profile_line(p, NYT_LEVEL_LINE, sub->fid, line);
    double least = SHOWN_SHARE * sub->incl;
    return line == sub->first || (at && (at->time > least || at->incl > least));
}

static bool is_shown(const nyt_profile *p, const nyt_sub *sub, uint32_t line)
{
    return sub->last - sub->first < WHOLE || is_worth_a_line(p, sub, line) ||
           is_worth_a_line(p, sub, line + 1) || (line > 1 && is_worth_a_line(p, sub, line - 1));
}

/* A file that lies may have billions of lines: none is shown behind the last that there is. */
static uint32_t last_line(const nyt_profile *p, const nyt_sub *sub)
{
    size_t n, m;
    const nyt_src_line *source = nyt_profile_source(p, sub->fid, &n);
    const nyt_line *lines = nyt_profile_lines(p, NYT_LEVEL_LINE, sub->fid, &m);
    uint32_t last = n ? source[n - 1].line : 0;
    if (m && lines[m - 1].line > last)
        last = lines[m - 1].line;
    return sub->last < last ? sub->last : last;
}

enum { LINES_MOST = 1000000 };

static void put_source(struct nyt_report *r, const nyt_sub *sub)
{
    struct nyt_excerpt e = nyt_excerpt_begin(r);
    uint32_t last = last_line(r->p, sub);
    bool gap = false;
    if (!sub->first || last < sub->first || last - sub->first > LINES_MOST)
        return;
    nyt_report_title(r, "Source", NULL);
    nyt_excerpt_fit(&e, sub->fid, sub->first, last);
    nyt_excerpt_outdent(&e, sub->fid, sub->first, last);
    nyt_excerpt_titles(&e);
    for (uint64_t at_line = sub->first; at_line <= last; at_line++) {
        const uint32_t line = (uint32_t)at_line;
        const nyt_line *at = nyt_profile_line(r->p, NYT_LEVEL_LINE, sub->fid, line);
        bool shown = is_shown(r->p, sub, line);
        if (!shown && !gap)
            nyt_out_text(r->o, "  ...\n");
        gap = !shown;
        if (shown)
            nyt_excerpt_line(&e, sub->fid, line, at && at->incl > 0.1 * sub->incl && sub->incl > 0);
    }
    nyt_report_shared_note(r);
}

/* ---- All ---- */

static bool put_sub(struct nyt_report *r, const nyt_sub *sub)
{
    size_t most = r->asked ? r->asked : CALLS;
    size_t looked_at = r->filtered && most < CALLS_MOST ? CALLS_MOST : most;
    const nyt_call **calls = calloc(looked_at, sizeof *calls);
    if (!calls)
        return false;
    put_heading(r, sub);
    size_t n = nyt_top_callers(r->p, sub, calls, looked_at);
    put_calls(r, "Called by", calls, shown_calls(r, calls, n, most), caller_of);
    put_source(r, sub);
    n = nyt_top_callees(r->p, sub, calls, looked_at);
    put_calls(r, "Calls", calls, shown_calls(r, calls, n, most), called_of);
    free(calls);
    return true;
}

int nyt_report_sub(const nyt_profile *p, const nyt_sub *sub, const nyt_report_options *options,
                   nyt_write_fn write, void *ctx, nyt_error *err)
{
    struct nyt_report r;
    int rc = nyt_report_begin(&r, p, options, write, ctx, err);
    if (rc < 0)
        return rc;
    bool ok = put_sub(&r, sub);
    rc = nyt_report_end(&r, err);
    return ok ? rc : nyt_fail(err, NYT_ENOMEM, "out of memory");
}

int nyt_report_subs(const nyt_profile *p, const nyt_sub *const *subs, size_t n,
                    const nyt_report_options *options, nyt_write_fn write, void *ctx,
                    nyt_error *err)
{
    struct nyt_report r;
    struct nyt_ranking list;
    int rc = nyt_report_begin(&r, p, options, write, ctx, err);
    if (rc < 0)
        return rc;
    bool ok = nyt_ranking_begin(&list, n);
    for (size_t i = 0; ok && i < n; i++)
        nyt_rank(&list, 0, subs[i]);
    if (ok)
        nyt_put_functions(&r, &list, n);
    nyt_ranking_free(&list);
    rc = nyt_report_end(&r, err);
    return ok ? rc : nyt_fail(err, NYT_ENOMEM, "out of memory");
}
