/* The source of one file with its figures beside each line. */
#include "nytprof.h"

#include "base/error.h"
#include "base/text.h"
#include "report/awaited.h"
#include "report/excerpt.h"
#include "report/report.h"

#include <stdlib.h>

enum { CALLERS_SHOWN = 5, HOT_PERCENT = 10 };

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

static void note(struct walk *w, const char *mark)
{
    struct nyt_report *r = w->r;
    nyt_out_fill(r->o, ' ', nyt_excerpt_column(&w->e) - 2);
    nyt_report_style(r, NYT_DIM);
    nyt_out_format(r->o, "  %s ", mark);
}

static void end_note(struct nyt_report *r)
{
    nyt_report_style(r, NYT_PLAIN);
    nyt_out_text(r->o, "\n");
}

static void times_called(struct nyt_report *r, uint64_t count)
{
    nyt_out_count(r->o, (int64_t)count, 0);
    nyt_out_text(r->o, count == 1 ? " time" : " times");
}

/* Calls of a sub from itself have only recursive time, which is part of that of the outer ones. */
static void call_time(struct nyt_report *r, const nyt_call *c)
{
    bool recursive = c->incl == 0 && c->reci > 0;
    nyt_out_time(r->o, recursive ? c->reci : c->incl, 0);
    nyt_out_text(r->o, recursive ? " recursively" : "");
}

static void note_caller(struct walk *w, const nyt_call *c)
{
    struct nyt_report *r = w->r;
    note(w, "#  ");
    times_called(r, c->count);
    nyt_out_text(r->o, " (");
    call_time(r, c);
    nyt_out_text(r->o, ")");
    if (c->caller.len) {
        nyt_out_text(r->o, " by ");
        nyt_report_name(r, c->caller, 60);
    }
    nyt_out_text(r->o, " at ");
    nyt_report_place(r, c->fid, c->line, 40);
    end_note(r);
}

static void note_sub(struct walk *w, const nyt_sub *sub)
{
    struct nyt_report *r = w->r;
    size_t n;
    const nyt_call *callers = nyt_profile_callers(r->p, sub, &n);
    note(w, "#");
    nyt_report_name(r, sub->name, 80);
    if (sub->calls == 0) {
        nyt_out_text(r->o, r->p->sectioned ? ": its calls are known of all threads together only"
                                           : " was not called");
        end_note(r);
        return;
    }
    nyt_out_text(r->o, " was called ");
    times_called(r, sub->calls);
    nyt_out_text(r->o, ", ");
    nyt_out_time(r->o, sub->incl, 0);
    nyt_out_text(r->o, " in all, ");
    nyt_out_time(r->o, sub->excl, 0);
    nyt_out_text(r->o, " in itself");
    end_note(r);
    size_t told = 0;
    for (size_t i = 0; i < n && told < CALLERS_SHOWN; i++) {
        if (!nyt_report_shows(r, callers[i].fid))
            continue;
        note_caller(w, &callers[i]);
        told++;
    }
    if (n > told) {
        note(w, "#  ");
        nyt_out_format(r->o, "and from %zu other %s", n - told, n - told == 1 ? "place" : "places");
        end_note(r);
    }
}

static void note_call(struct walk *w, const nyt_call *c)
{
    struct nyt_report *r = w->r;
    note(w, "# called");
    nyt_report_name(r, c->called->name, 80);
    nyt_out_text(r->o, " ");
    times_called(r, c->count);
    nyt_out_text(r->o, ": ");
    call_time(r, c);
    end_note(r);
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
        note_call(w, *w->calls);
    const nyt_await *awaited = nyt_profile_await(w->r->p, w->fid, line);
    if (awaited) {
        note(w, "#");
        nyt_put_awaited(w->r->o, awaited);
        end_note(w->r);
    }
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
    nyt_report_style(r, NYT_BOLD);
    nyt_out_safe(r->o, file->name, 0);
    nyt_report_style(r, NYT_PLAIN);
    nyt_out_text(r->o, w.source_count ? "\n" : " (no source in the profile)\n");
    list_lines(&w);
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
    if (subs)
        list_file(&r, file, subs, n);
    rc = nyt_report_end(&r, err);
    if (!subs)
        rc = nyt_fail(err, NYT_ENOMEM, "out of memory");
    free(subs);
    return rc;
}
