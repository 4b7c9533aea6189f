/* The source of one file with its figures beside each line. */
#include "nytprof.h"

#include "base/error.h"
#include "base/text.h"
#include "report/awaited.h"
#include "report/excerpt.h"
#include "report/report.h"

#include <stdlib.h>
#include <string.h>

enum {
    CALLERS_SHOWN = 5,
    HOT_PERCENT = 10,
    NOTE = 72, /* columns that most notes need */
    NOTE_MIN = 4 /* where they begin at least */
};

#define NO_SOURCE " (no source in the profile)\n"

/* Four lists by line number that are walked side by side. */
struct walk {
    struct nyt_report *r;
    uint32_t fid;
    struct nyt_excerpt e;
    double hot; /* seconds from which a line is marked */
    const nyt_line *lines;
    const nyt_src_line *source;
    const nyt_call *const *calls;
    const nyt_sub **subs;       /* by first line */
    size_t line_count, source_count, call_count, sub_count;
};

/* ---- Notes about subs and calls ---- */

/* They stand below the code where there is room for them, and to the left of that where not. */
static size_t note_column(const struct walk *w)
{
    size_t code = nyt_excerpt_column(&w->e), width = w->r->width;
    size_t wanted = width > NOTE + NOTE_MIN ? width - NOTE : NOTE_MIN;
    return w->r->uncut || code < wanted ? code : wanted;
}

static void note(struct walk *w, const char *mark, nyt_report_put_fn *put, const void *what)
{
    struct nyt_report *r = w->r;
    size_t column = note_column(w);
    size_t used = column + strlen(mark) + 1;
    nyt_out_fill(r->o, ' ', column - 2);
    nyt_report_style(r, NYT_DIM);
    nyt_out_format(r->o, "  %s ", mark);
    nyt_report_paragraph(r, put, what, used, used + 2);
    nyt_report_style(r, NYT_PLAIN);
}

/* Calls of a sub from itself have only recursive time, which is part of that of the outer ones. */
static void call_time(struct nyt_words *w, const nyt_call *c)
{
    bool recursive = c->incl == 0 && c->reci > 0;
    nyt_out_time(w->o, recursive ? c->reci : c->incl, 0);
    nyt_out_text(w->o, recursive ? " recursively" : "");
}

static void put_caller(struct nyt_words *w, const void *what)
{
    const nyt_call *c = what;
    nyt_put_times(w, c->count);
    nyt_out_text(w->o, " (");
    call_time(w, c);
    nyt_out_text(w->o, ")");
    if (c->caller.len) {
        nyt_out_text(w->o, " by ");
        nyt_put_sub(w, c->caller);
    }
    nyt_out_text(w->o, " at ");
    nyt_put_place(w, c->fid, c->line);
}

/* What begins a program is called from no line, and by nobody. */
static bool is_start(const nyt_call *c)
{
    return c->line == 0 && nyt_is_nobody(c->caller);
}

static void put_others(struct nyt_words *w, const void *what)
{
    const size_t *n = what;
    nyt_out_format(w->o, "and from %zu other %s", *n, *n == 1 ? "place" : "places");
}

static void put_sub(struct nyt_words *w, const void *what)
{
    const nyt_sub *sub = what;
    nyt_put_sub(w, sub->name);
    if (!nyt_knows_calls(w->p))
        return;
    if (sub->calls == 0) {
        nyt_out_text(w->o, " was not called");
        return;
    }
    nyt_out_text(w->o, " was called ");
    nyt_put_times(w, sub->calls);
    nyt_out_text(w->o, ", ");
    nyt_out_time(w->o, sub->incl, 0);
    nyt_out_text(w->o, " in all, ");
    nyt_out_time(w->o, sub->excl, 0);
    nyt_out_text(w->o, " in itself");
}

static void note_sub(struct walk *w, const nyt_sub *sub)
{
    const struct nyt_report *r = w->r;
    size_t n, told = 0, starts = 0;
    const nyt_call *callers = nyt_profile_callers(r->p, sub, &n);
    note(w, "#", put_sub, sub);
    for (size_t i = 0; i < n; i++)
        starts += is_start(&callers[i]);
    for (size_t i = 0; i < n && told < CALLERS_SHOWN; i++) {
        if (!nyt_report_shows(r, callers[i].fid) || is_start(&callers[i]))
            continue;
        note(w, "#  ", put_caller, &callers[i]);
        told++;
    }
    n -= told + starts;
    if (n)
        note(w, "#  ", put_others, &n);
}

static void put_call(struct nyt_words *w, const void *what)
{
    const nyt_call *c = what;
    nyt_out_text(w->o, "called ");
    nyt_put_sub(w, c->called->name);
    nyt_out_text(w->o, " ");
    nyt_put_times(w, c->count);
    nyt_out_text(w->o, ": ");
    call_time(w, c);
}

static void put_awaited(struct nyt_words *w, const void *what)
{
    nyt_put_awaited(w->o, what);
}

/* ---- Lines ---- */

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* The lowest line number that any list has next. false: all are done. */
static bool next_line(const struct walk *w, uint32_t *line)
{
    *line = UINT32_MAX;
    if (w->line_count)
        *line = smaller(*line, w->lines->line);
    if (w->source_count)
        *line = smaller(*line, w->source->line);
    if (w->call_count)
        *line = smaller(*line, (*w->calls)->line);
    if (w->sub_count)
        *line = smaller(*line, (*w->subs)->first);
    return w->line_count || w->source_count || w->call_count || w->sub_count;
}

static void take_subs(struct walk *w, uint32_t line)
{
    for (; w->sub_count && (*w->subs)->first == line; w->subs++, w->sub_count--)
        note_sub(w, *w->subs);
}

static void take_line(struct walk *w, uint32_t line)
{
    bool is_hot = w->line_count && w->lines->line == line && w->lines->time >= w->hot &&
                  w->lines->time > 0;
    nyt_excerpt_line(&w->e, w->fid, line, is_hot);
    for (; w->line_count && w->lines->line == line; w->lines++)
        w->line_count--;
    for (; w->source_count && w->source->line == line; w->source++)
        w->source_count--;
    for (; w->call_count && (*w->calls)->line == line; w->calls++, w->call_count--)
        note(w, "#", put_call, *w->calls);
    const nyt_await *awaited = nyt_profile_await(w->r->p, w->fid, line);
    if (awaited)
        note(w, "#", put_awaited, awaited);
}

static void list_lines(struct walk *w)
{
    uint32_t line;
    nyt_excerpt_fit(&w->e, w->fid, 0, UINT32_MAX);
    nyt_excerpt_titles(&w->e);
    while (next_line(w, &line)) {
        take_subs(w, line);
        take_line(w, line);
    }
}

/* ---- The file ---- */

static int compare_subs(const void *left, const void *right)
{
    const nyt_sub *a = *(const nyt_sub *const *)left, *b = *(const nyt_sub *const *)right;
    if (a->first != b->first)
        return a->first < b->first ? -1 : 1;
    return a < b ? -1 : a > b;
}

/* Those that have a place in this file. NULL: out of memory. */
static const nyt_sub **subs_of(const nyt_profile *p, uint32_t fid, size_t *count)
{
    size_t n;
    const nyt_sub *const *defined = nyt_profile_defined(p, fid, &n);
    const nyt_sub **list = calloc(n + 1, sizeof *list);
    *count = 0;
    for (size_t i = 0; list && i < n; i++)
        if (defined[i]->fid == fid && defined[i]->first)
            list[(*count)++] = defined[i];
    if (list)
        qsort(list, *count, sizeof *list, compare_subs);
    return list;
}

static void list_file(struct nyt_report *r, const nyt_file *file, const nyt_sub **subs,
                      size_t sub_count)
{
    struct walk w = {.r = r,
                     .fid = file->fid,
                     .e = nyt_excerpt_begin(r),
                     .hot = r->p->totals.statement_time * HOT_PERCENT / 100,
                     .subs = subs,
                     .sub_count = sub_count};
    w.lines = nyt_profile_lines(r->p, NYT_LEVEL_LINE, file->fid, &w.line_count);
    w.source = nyt_profile_source(r->p, file->fid, &w.source_count);
    w.calls = nyt_profile_calls(r->p, file->fid, &w.call_count);
    for (; w.call_count && is_start(*w.calls); w.call_count--)
        w.calls++;
    nyt_report_style(r, NYT_BOLD);
    nyt_report_end_of(r, file->name, r->width);
    nyt_report_style(r, NYT_PLAIN);
    nyt_out_text(r->o, w.source_count ? "\n" : r->uncut ? NO_SOURCE : "\n" NO_SOURCE);
    if (r->p->sectioned)
        nyt_report_caveat(r);
    list_lines(&w);
    nyt_report_shared_note(r);
}

int nyt_report_source(const nyt_profile *p, uint32_t fid, const nyt_report_options *options,
                      nyt_write_fn write, void *ctx, nyt_error *err)
{
    struct nyt_report r;
    size_t n;
    const nyt_file *file = nyt_profile_file(p, fid);
    if (!file)
        return nyt_fail(err, NYT_EAPI, "there is no fid %u", (unsigned)fid);
    int rc = nyt_report_begin(&r, p, options, write, ctx, err);
    if (rc < 0)
        return rc;
    const nyt_sub **subs = subs_of(p, fid, &n);
    r.unbroken = r.uncut;
    if (subs)
        list_file(&r, file, subs, n);
    rc = nyt_report_end(&r, err);
    if (!subs)
        rc = nyt_fail(err, NYT_ENOMEM, "out of memory");
    free(subs);
    return rc;
}
