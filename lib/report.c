/* A profile as text for a terminal: what reports share, and the summary. */
#include "report.h"

#include <math.h>
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
    static const char *const codes[] = {
        [NYT_PLAIN] = "\033[0m", [NYT_BOLD] = "\033[1m", [NYT_DIM] = "\033[2m",
        [NYT_HOT] = "\033[31m"};
    if (r->colour)
        nyt_out_text(r->o, codes[style]);
}

void nyt_report_count(struct nyt_report *r, int64_t count, int width)
{
    char digits[24], grouped[32];
    int len = snprintf(digits, sizeof digits, "%lld", (long long)count);
    int first = count < 0 ? 1 : 0;
    size_t n = 0;
    for (int i = 0; i < len; i++) {
        if (i > first && (len - i) % 3 == 0)
            grouped[n++] = ',';
        grouped[n++] = digits[i];
    }
    grouped[n] = '\0';
    nyt_out_format(r->o, "%*s", width, grouped);
}

void nyt_report_time(struct nyt_report *r, double seconds, int width)
{
    static const struct { double at_least; double factor; const char *unit; } units[] = {
        {1, 1, " s "}, {1e-3, 1e3, " ms"}, {1e-6, 1e6, " us"}, {0, 1e9, " ns"}};
    double size = fabs(seconds);
    size_t i = 0;
    while (i < 3 && size < units[i].at_least)
        i++;
    if (!(size > 0) || !isfinite(seconds)) {    /* nothing, or no number */
        nyt_out_format(r->o, "%*s%s", width > 3 ? width - 3 : 0, isfinite(seconds) ? "0" : "?",
                       width ? "   " : " s");
        return;
    }
    double value = seconds * units[i].factor;
    double shown = fabs(value);
    int decimals = units[i].factor >= 1e9 ? 0 : shown < 10 ? 2 : shown < 100 ? 1 : 0;
    nyt_out_fixed(r->o, width > 3 ? width - 3 : 0, decimals, value);
    nyt_out_text(r->o, width ? units[i].unit : i ? units[i].unit : " s");
}

size_t nyt_report_place(struct nyt_report *r, uint32_t fid, uint32_t line, size_t limit)
{
    const nyt_file *file = nyt_profile_file(r->p, fid);
    nyt_str name = file ? file->name : (nyt_str){.data = "(no file)", .len = 9};
    char number[16] = "";
    if (line)
        snprintf(number, sizeof number, ":%u", (unsigned)line);
    size_t room = limit > strlen(number) ? limit - strlen(number) : 0;
    bool cut = nyt_safe_columns(name) > room;
    if (cut) {
        nyt_out_text(r->o, "...");
        room = room > 3 ? room - 3 : 0;
        name = nyt_safe_last(name, room);
    }
    size_t used = nyt_out_safe(r->o, name, room ? room : 1) + (cut ? 3 : 0);
    nyt_out_text(r->o, number);
    return used + strlen(number);
}

static nyt_str without_margins(nyt_str s)
{
    while (s.len && (*s.data == ' ' || *s.data == '\t'))
        s.data++, s.len--;
    while (s.len && (s.data[s.len - 1] == '\n' || s.data[s.len - 1] == '\r' ||
                     s.data[s.len - 1] == ' '))
        s.len--;
    return s;
}

void nyt_report_code(struct nyt_report *r, uint32_t fid, uint32_t line, size_t limit)
{
    const nyt_str *text = nyt_profile_source_line(r->p, fid, line);
    if (text && limit)
        nyt_out_safe(r->o, without_margins(*text), limit);
}

static nyt_str program_name(const struct nyt_report *r)
{
    const nyt_str *application = nyt_profile_attribute(r->p, "application");
    const char *fallback = r->path ? r->path : "(unknown program)";
    return application && application->len
               ? *application
               : (nyt_str){.data = fallback, .len = strlen(fallback)};
}

static size_t living_files(const nyt_profile *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->file_count; i++)
        n += !p->files[i].merged_into;
    return n;
}

void nyt_report_heading(struct nyt_report *r)
{
    const nyt_totals *t = &r->p->totals;
    nyt_report_style(r, NYT_BOLD);
    nyt_out_safe(r->o, program_name(r), 200);
    nyt_report_style(r, NYT_PLAIN);
    nyt_out_text(r->o, ": ");
    if (t->timed)
        nyt_report_time(r, t->duration, 0);
    else
        nyt_out_text(r->o, "unknown time");
    nyt_out_text(r->o, ", ");
    nyt_report_count(r, (int64_t)(t->statements - t->discounted), 0);
    nyt_out_text(r->o, " statements in ");
    nyt_report_time(r, t->statement_time, 0);
    nyt_out_text(r->o, ", ");
    nyt_report_count(r, (int64_t)t->calls, 0);
    nyt_out_text(r->o, " calls of ");
    nyt_report_count(r, (int64_t)r->p->sub_count, 0);
    nyt_out_text(r->o, " subs, ");
    nyt_report_count(r, (int64_t)living_files(r->p), 0);
    nyt_out_text(r->o, " files\n");
    if (!t->complete)
        nyt_out_format(r->o, "The profile is incomplete: %s.\n",
                       r->p->has_fault ? r->p->fault.message : "a process did not end");
}

static void json_member(struct nyt_report *r, const char *name, double value)
{
    nyt_out_format(r->o, "\"%s\":", name);
    nyt_out_json_number(r->o, value);
    nyt_out_text(r->o, ",");
}

void nyt_report_json_totals(struct nyt_report *r)
{
    const nyt_totals *t = &r->p->totals;
    nyt_out_text(r->o, "\"program\":");
    nyt_out_json_str(r->o, program_name(r));
    nyt_out_text(r->o, ",");
    if (t->timed)
        json_member(r, "duration", t->duration);
    json_member(r, "statements", (double)(t->statements - t->discounted));
    json_member(r, "statement_time", t->statement_time);
    json_member(r, "calls", (double)t->calls);
    json_member(r, "subs", (double)r->p->sub_count);
    json_member(r, "files", (double)living_files(r->p));
    nyt_out_format(r->o, "\"complete\":%s", t->complete ? "true" : "false");
}

/* ---- The summary's lists ---- */

struct line_rank {
    const nyt_line *line;
    nyt_sort sort;
};

static int descending(double a, double b)
{
    return a > b ? -1 : a < b;
}

static int compare_lines(const void *left, const void *right)
{
    const struct line_rank *a = left, *b = right;
    int c = 0;
    if (a->sort == NYT_SORT_COUNT)
        c = descending((double)a->line->count, (double)b->line->count);
    else if (a->sort != NYT_SORT_PLACE)
        c = descending(a->line->time, b->line->time);
    return c ? c : a->line < b->line ? -1 : a->line > b->line;
}

struct sub_rank {
    const nyt_sub *sub;
    nyt_sort sort;
};

static double sub_weight(const struct sub_rank *s)
{
    switch (s->sort) {
    case NYT_SORT_COUNT:
        return (double)s->sub->calls;
    case NYT_SORT_INCL:
        return s->sub->incl;
    case NYT_SORT_TIME:
        return s->sub->excl;
    default:
        return 0;
    }
}

static int compare_subs(const void *left, const void *right)
{
    const struct sub_rank *a = left, *b = right;
    int c = descending(sub_weight(a), sub_weight(b));
    return c ? c : a->sub < b->sub ? -1 : a->sub > b->sub;
}

/* Lines of files that were merged into others are in those. NULL: out of memory. */
static struct line_rank *rank_lines(const struct nyt_report *r, size_t *n)
{
    size_t all;
    const nyt_line *lines = nyt_profile_all_lines(r->p, NYT_LEVEL_LINE, &all);
    struct line_rank *list = calloc(all + 1, sizeof *list);
    *n = 0;
    if (!list)
        return NULL;
    const nyt_file *file = NULL;
    for (size_t i = 0; i < all; i++) {
        if (i == 0 || lines[i - 1].fid != lines[i].fid)
            file = nyt_profile_file(r->p, lines[i].fid);
        if (!file || !file->merged_into)
            list[(*n)++] = (struct line_rank){&lines[i], r->sort};
    }
    qsort(list, *n, sizeof *list, compare_lines);
    return list;
}

static struct sub_rank *rank_subs(const struct nyt_report *r, size_t *n)
{
    struct sub_rank *list = calloc(r->p->sub_count + 1, sizeof *list);
    *n = 0;
    for (size_t i = 0; list && i < r->p->sub_count; i++)
        if (r->p->subs[i].calls)
            list[(*n)++] = (struct sub_rank){&r->p->subs[i], r->sort};
    if (list)
        qsort(list, *n, sizeof *list, compare_subs);
    return list;
}

static double share(double part, double whole)
{
    return whole > 0 && isfinite(part) ? 100 * part / whole : 0;
}

static void text_line(struct nyt_report *r, const nyt_line *line)
{
    const size_t place_room = r->width / 3;
    double percent = share(line->time, r->p->totals.statement_time);
    nyt_report_count(r, line->count, 13);
    nyt_report_time(r, line->time, 11);
    nyt_report_style(r, percent >= 10 ? NYT_HOT : NYT_PLAIN);
    nyt_out_fixed(r->o, 7, 1, percent);
    nyt_report_style(r, NYT_PLAIN);
    nyt_out_text(r->o, "  ");
    size_t used = nyt_report_place(r, line->fid, line->line, place_room);
    nyt_out_fill(r->o, ' ', used < place_room ? place_room - used : 0);
    nyt_out_text(r->o, "  ");
    nyt_report_style(r, NYT_DIM);
    nyt_report_code(r, line->fid, line->line, r->width - place_room - 35);
    nyt_report_style(r, NYT_PLAIN);
    nyt_out_text(r->o, "\n");
}

static void text_sub(struct nyt_report *r, const nyt_sub *sub)
{
    const size_t name_room = r->width / 3;
    nyt_report_count(r, (int64_t)sub->calls, 13);
    nyt_report_time(r, sub->excl, 11);
    nyt_report_time(r, sub->incl, 11);
    nyt_out_text(r->o, "  ");
    size_t used = nyt_out_safe(r->o, sub->name, name_room);
    nyt_out_fill(r->o, ' ', used < name_room ? name_room - used : 0);
    nyt_out_text(r->o, "  ");
    nyt_report_style(r, NYT_DIM);
    if (sub->first)
        nyt_report_place(r, sub->fid, sub->first, r->width - name_room - 39);
    nyt_report_style(r, NYT_PLAIN);
    nyt_out_text(r->o, "\n");
}

static void text_title(struct nyt_report *r, const char *title, size_t shown, size_t all)
{
    nyt_report_style(r, NYT_BOLD);
    nyt_out_format(r->o, "\n%s", title);
    nyt_report_style(r, NYT_PLAIN);
    if (shown < all)
        nyt_out_format(r->o, " (%zu of %zu)", shown, all);
    nyt_out_text(r->o, "\n");
}

static void text_lists(struct nyt_report *r, const struct line_rank *lines, size_t line_count,
                       const struct sub_rank *subs, size_t sub_count)
{
    size_t line_top = line_count < r->top ? line_count : r->top;
    size_t sub_top = sub_count < r->top ? sub_count : r->top;
    nyt_report_heading(r);
    if (line_count) {
        text_title(r, "Lines", line_top, line_count);
        nyt_out_format(r->o, "%13s%11s%7s  place\n", "count", "time   ", "%");
    }
    for (size_t i = 0; i < line_top; i++)
        text_line(r, lines[i].line);
    if (sub_count) {
        text_title(r, "Subs", sub_top, sub_count);
        nyt_out_format(r->o, "%13s%11s%11s  name\n", "calls", "exclusive", "inclusive");
    }
    for (size_t i = 0; i < sub_top; i++)
        text_sub(r, subs[i].sub);
}

static void json_place(struct nyt_report *r, uint32_t fid, uint32_t line)
{
    const nyt_file *file = nyt_profile_file(r->p, fid);
    nyt_out_format(r->o, ",\"fid\":%u,\"line\":%u,\"file\":", (unsigned)fid, (unsigned)line);
    if (file)
        nyt_out_json_str(r->o, file->name);
    else
        nyt_out_text(r->o, "null");
}

static void json_line(struct nyt_report *r, const nyt_line *line)
{
    const nyt_str *text = nyt_profile_source_line(r->p, line->fid, line->line);
    nyt_out_format(r->o, "{\"count\":%lld,\"time\":", (long long)line->count);
    nyt_out_json_number(r->o, line->time);
    json_place(r, line->fid, line->line);
    nyt_out_text(r->o, ",\"source\":");
    if (text)
        nyt_out_json_str(r->o, *text);
    else
        nyt_out_text(r->o, "null");
    nyt_out_text(r->o, "}");
}

static void json_sub(struct nyt_report *r, const nyt_sub *sub)
{
    nyt_out_text(r->o, "{\"name\":");
    nyt_out_json_str(r->o, sub->name);
    nyt_out_format(r->o, ",\"calls\":%llu,", (unsigned long long)sub->calls);
    json_member(r, "exclusive", sub->excl);
    nyt_out_text(r->o, "\"inclusive\":");
    nyt_out_json_number(r->o, sub->incl);
    json_place(r, sub->fid, sub->first);
    nyt_out_text(r->o, "}");
}

static void json_lists(struct nyt_report *r, const struct line_rank *lines, size_t line_count,
                       const struct sub_rank *subs, size_t sub_count)
{
    nyt_out_text(r->o, "{");
    nyt_report_json_totals(r);
    nyt_out_text(r->o, ",\"top_lines\":[");
    for (size_t i = 0; i < line_count && i < r->top; i++) {
        nyt_out_text(r->o, i ? "," : "");
        json_line(r, lines[i].line);
    }
    nyt_out_text(r->o, "],\"top_subs\":[");
    for (size_t i = 0; i < sub_count && i < r->top; i++) {
        nyt_out_text(r->o, i ? "," : "");
        json_sub(r, subs[i].sub);
    }
    nyt_out_text(r->o, "]}\n");
}

int nyt_report_summary(const nyt_profile *p, const nyt_report_options *options,
                       nyt_write_fn write, void *ctx, nyt_error *err)
{
    struct nyt_report r;
    int rc = nyt_report_begin(&r, p, options, write, ctx, err);
    if (rc < 0)
        return rc;
    size_t line_count = 0, sub_count = 0;
    struct line_rank *lines = rank_lines(&r, &line_count);
    struct sub_rank *subs = rank_subs(&r, &sub_count);
    bool ok = lines && subs;
    if (ok && r.json)
        json_lists(&r, lines, line_count, subs, sub_count);
    else if (ok)
        text_lists(&r, lines, line_count, subs, sub_count);
    free(lines);
    free(subs);
    rc = nyt_report_end(&r, err);
    return ok ? rc : nyt_fail(err, NYT_ENOMEM, "out of memory");
}
