/* A profile as text for a terminal: what reports share. */
#include "report/report.h"

#include "base/json.h"
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOP = 15, WIDTH = 100, WIDTH_MIN = 60 };

/* ---- Shared by reports ---- */

int nyt_report_begin(struct nyt_report *r, const nyt_profile *p, const nyt_report_options *options,
                     nyt_write_fn write, void *ctx, nyt_error *err)
{
    nyt_report_options none = {0};
    if (!options)
        options = &none;
    *r = (struct nyt_report){.p = p,
                             .o = malloc(sizeof *r->o),
                             .top = options->top ? options->top : TOP,
                             .width = options->width ? options->width : WIDTH,
                             .sort = options->sort,
                             .colour = options->colour,
                             .json = options->json,
                             .path = options->path};
    if (r->width < WIDTH_MIN)
        r->width = WIDTH_MIN;
    if (!r->o)
        return nyt_fail(err, NYT_ENOMEM, "out of memory");
    nyt_out_begin(r->o, write, ctx);
    r->j.o = r->o;
    return NYT_OK;
}

int nyt_report_end(struct nyt_report *r, nyt_error *err)
{
    int rc = nyt_out_end(r->o, err);
    free(r->o);
    return rc;
}

void nyt_report_style(struct nyt_report *r, enum nyt_style style)
{
    static const char *const codes[] = {[NYT_PLAIN] = "\033[0m",
                                        [NYT_BOLD] = "\033[1m",
                                        [NYT_DIM] = "\033[2m",
                                        [NYT_HOT] = "\033[31m",
                                        [NYT_COOL] = "\033[32m"};
    if (r->colour)
        nyt_out_text(r->o, codes[style]);
}

size_t nyt_report_end_of(struct nyt_report *r, nyt_str name, size_t limit)
{
    bool cut = nyt_safe_columns(name) > limit;
    if (cut) {
        nyt_out_text(r->o, "...");
        limit = limit > 3 ? limit - 3 : 0;
        name = nyt_safe_last(name, limit);
    }
    return nyt_out_safe(r->o, name, limit ? limit : 1) + (cut ? 3 : 0);
}

size_t nyt_report_place(struct nyt_report *r, uint32_t fid, uint32_t line, size_t limit)
{
    const nyt_file *file = nyt_profile_file(r->p, fid);
    nyt_str name = file ? file->name : (nyt_str){.data = "(no file)", .len = 9};
    char number[16] = "";
    if (line)
        snprintf(number, sizeof number, ":%u", (unsigned)line);
    size_t room = limit > strlen(number) ? limit - strlen(number) : 0;
    size_t used = nyt_report_end_of(r, name, room);
    nyt_out_text(r->o, number);
    return used + strlen(number);
}

void nyt_report_code(struct nyt_report *r, uint32_t fid, uint32_t line, size_t limit)
{
    const nyt_str *text = nyt_profile_source_line(r->p, fid, line);
    if (text && limit)
        nyt_out_safe(r->o, nyt_str_without_margins(*text), limit);
}

static nyt_str program_name(const struct nyt_report *r)
{
    const nyt_str *application = nyt_profile_attribute(r->p, "application");
    const char *fallback = r->path ? r->path : "(unknown program)";
    return application && application->len ? *application
                                           : (nyt_str){.data = fallback, .len = strlen(fallback)};
}

static size_t living_files(const nyt_profile *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->file_count; i++)
        n += !p->files[i].merged_into;
    return n;
}

/* Wall time, and what hides in it: threads run side by side, and the profiler takes its part. */
static void heading_time(struct nyt_report *r)
{
    const nyt_totals *t = &r->p->totals;
    double own = t->duration - t->active;
    if (!t->timed) {
        nyt_out_text(r->o, "unknown time");
        return;
    }
    nyt_out_time(r->o, t->wall, 0);
    if (r->p->process_count > 1)
        nyt_out_format(r->o, " with %zu threads or processes", r->p->process_count);
    if (own >= 0.001 * t->duration && own > 0) {
        nyt_out_text(r->o, " (");
        nyt_out_time(r->o, own, 0);
        nyt_out_text(r->o, " of it the profiler's)");
    }
}

void nyt_report_heading(struct nyt_report *r)
{
    const nyt_totals *t = &r->p->totals;
    nyt_report_style(r, NYT_BOLD);
    nyt_out_safe(r->o, program_name(r), 200);
    nyt_report_style(r, NYT_PLAIN);
    nyt_out_text(r->o, ": ");
    heading_time(r);
    nyt_out_text(r->o, ", ");
    nyt_out_count(r->o, (int64_t)nyt_counted_statements(t), 0);
    nyt_out_text(r->o, " statements in ");
    nyt_out_time(r->o, t->statement_time, 0);
    nyt_out_text(r->o, ", ");
    nyt_out_count(r->o, (int64_t)t->calls, 0);
    nyt_out_text(r->o, " calls of ");
    nyt_out_count(r->o, (int64_t)r->p->sub_count, 0);
    nyt_out_text(r->o, " subs, ");
    nyt_out_count(r->o, (int64_t)living_files(r->p), 0);
    nyt_out_text(r->o, " files\n");
    if (r->p->has_fault)
        nyt_out_format(r->o, "The profile is incomplete: %s.\n", r->p->fault.message);
    else if (t->snapshot)
        nyt_out_text(r->o, "This is a snapshot: the program was still running.\n");
    else if (!t->complete)
        nyt_out_text(r->o, "The profile is incomplete: a process did not end.\n");
}

void nyt_report_json_totals(struct nyt_report *r)
{
    const nyt_totals *t = &r->p->totals;
    nyt_json_str(&r->j, "program", program_name(r));
    if (t->timed) {
        nyt_json_number(&r->j, "wall_time", t->wall);
        nyt_json_number(&r->j, "duration", t->duration);
        nyt_json_number(&r->j, "profiler_time", t->duration - t->active);
    }
    nyt_json_number(&r->j, "statements", (double)nyt_counted_statements(t));
    nyt_json_number(&r->j, "statement_time", t->statement_time);
    nyt_json_number(&r->j, "calls", (double)t->calls);
    nyt_json_number(&r->j, "subs", (double)r->p->sub_count);
    nyt_json_number(&r->j, "files", (double)living_files(r->p));
    nyt_json_bool(&r->j, "complete", t->complete);
    nyt_json_bool(&r->j, "snapshot", t->snapshot);
}
