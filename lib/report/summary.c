/*
 * The summary: the answer, or the lines, subs, files and calls that cost most as plain lists. Each
 * list is ranked, and has a row for the terminal and an object for JSON.
 */
#include "nytprof.h"

#include "base/error.h"
#include "base/json.h"
#include "base/str.h"
#include "base/text.h"
#include "model/profile.h"
#include "report/answer.h"
#include "report/rank.h"
#include "report/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH_MIN = 60 };        /* of lists */

struct file_sum {
    const nyt_file *file;
    int64_t count;
    double time;
};

struct summary {
    struct nyt_report r;
    struct file_sum *files;
    size_t file_count;
    struct nyt_ranking list; /* the one at work */
};

/* ---- Ranking ---- */

static void rank(struct summary *s, double weight, const void *item)
{
    nyt_rank(&s->list, weight, item);
}

/* By place all weigh the same. */
static double weight_of(const struct summary *s, double count, double time, double incl)
{
    switch (s->r.sort) {
    case NYT_SORT_COUNT:
        return count;
    case NYT_SORT_INCL:
        return incl;
    case NYT_SORT_TIME:
        return time;
    default:
        return 0;
    }
}

/* Lines of files that were merged into others are in those. */
static bool is_shown(const struct summary *s, uint32_t fid)
{
    const nyt_file *file = nyt_profile_file(s->r.p, fid);
    return nyt_report_shows(&s->r, fid) && !(file && file->merged_into);
}

static void rank_lines(struct summary *s)
{
    size_t n;
    const nyt_line *lines = nyt_profile_all_lines(s->r.p, NYT_LEVEL_LINE, &n);
    bool shown = true;
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || lines[i - 1].fid != lines[i].fid)
            shown = is_shown(s, lines[i].fid);
        if (shown)
            rank(s, weight_of(s, (double)lines[i].count, lines[i].time, lines[i].incl), &lines[i]);
    }
}

static void rank_subs(struct summary *s)
{
    for (size_t i = 0; i < s->r.p->sub_count; i++) {
        const nyt_sub *sub = &s->r.p->subs[i];
        if (sub->calls && nyt_report_shows(&s->r, sub->fid))
            rank(s, weight_of(s, (double)sub->calls, sub->excl, sub->incl), sub);
    }
}

static void sum_files(struct summary *s)
{
    for (size_t i = 0; i < s->r.p->file_count; i++) {
        const nyt_file *file = &s->r.p->files[i];
        struct file_sum sum = {.file = file};
        size_t n;
        const nyt_line *lines = nyt_profile_lines(s->r.p, NYT_LEVEL_LINE, file->fid, &n);
        for (size_t j = 0; j < n; j++) {
            sum.count += lines[j].count;
            sum.time += lines[j].time;
        }
        if (n && is_shown(s, file->fid))
            s->files[s->file_count++] = sum;
    }
}

static void rank_files(struct summary *s)
{
    for (size_t i = 0; i < s->file_count; i++) {
        const struct file_sum *sum = &s->files[i];
        rank(s, weight_of(s, (double)sum->count, sum->time, sum->time), sum);
    }
}

/* In order of places; an item is a place in that list. */
static void rank_calls(struct summary *s)
{
    for (size_t i = 0; i < s->r.p->call_count; i++) {
        const nyt_call *const *at = &s->r.p->calls_by_fid[i];
        if ((*at)->count && nyt_report_shows(&s->r, (*at)->fid))
            rank(s, weight_of(s, (double)(*at)->count, (*at)->excl, (*at)->incl), at);
    }
}

/* ---- Rows for the terminal ---- */

static void fill(struct nyt_report *r, size_t used, size_t room)
{
    nyt_out_fill(r->o, ' ', used < room ? room - used : 0);
    nyt_out_text(r->o, "  ");
}

static void put_share(struct nyt_report *r, double part)
{
    double whole = r->p->totals.statement_time;
    double percent = whole > 0 && isfinite(part) ? 100 * part / whole : 0;
    nyt_report_style(r, percent >= 10 ? NYT_HOT : NYT_PLAIN);
    nyt_out_fixed(r->o, 7, 1, percent);
    nyt_report_style(r, NYT_PLAIN);
    nyt_out_text(r->o, "  ");
}

static void text_line(struct nyt_report *r, const void *item)
{
    const nyt_line *line = item;
    const size_t rest = r->width - 46;
    const size_t place_room = r->width / 3 < rest ? r->width / 3 : rest;
    nyt_out_count(r->o, line->count, 13);
    nyt_report_line_time(r, line, 11);
    if (!nyt_knows_calls(r->p))
        nyt_out_format(r->o, "%11s", "-");
    else
        nyt_out_time(r->o, line->incl, 11);
    put_share(r, line->time);
    fill(r, nyt_report_place(r, line->fid, line->line, place_room), place_room);
    nyt_report_style(r, NYT_DIM);
    nyt_report_code(r, line->fid, line->line, rest - place_room);
    nyt_report_style(r, NYT_PLAIN);
}

/* Nothing where it would be cut to nothing. */
static void put_place(struct nyt_report *r, uint32_t fid, uint32_t line, size_t room)
{
    if (room < 14 && !r->uncut)
        return;
    nyt_report_style(r, NYT_DIM);
    nyt_report_place(r, fid, line, room);
    nyt_report_style(r, NYT_PLAIN);
}

static void text_sub(struct nyt_report *r, const void *item)
{
    const nyt_sub *sub = item;
    const size_t name_room = r->width / 3;
    nyt_out_count(r->o, (int64_t)sub->calls, 13);
    nyt_out_time(r->o, sub->excl, 11);
    nyt_out_time(r->o, sub->incl, 11);
    nyt_out_text(r->o, "  ");
    fill(r, nyt_report_name(r, sub->name, name_room), name_room);
    if (sub->first)
        put_place(r, sub->fid, sub->first, r->width - name_room - 39);
}

static void text_file(struct nyt_report *r, const void *item)
{
    const struct file_sum *sum = item;
    nyt_out_count(r->o, sum->count, 13);
    nyt_out_time(r->o, sum->time, 11);
    put_share(r, sum->time);
    nyt_report_place(r, sum->file->fid, 0, r->width - 33);
}

/* "caller, ... -> called", in so many columns. Returns how many it took. */
static size_t put_edge(struct nyt_report *r, const nyt_call *call, size_t room)
{
    static const nyt_str nobody = {.data = "(unknown)", .len = 9};
    static const char arrow[] = " -> ";
    size_t rest = room - strlen(arrow), wanted = nyt_report_name_columns(call->called->name);
    size_t used = nyt_report_name(r, call->caller.len ? call->caller : nobody,
                                  wanted < rest / 2 ? rest - wanted : rest / 2);
    nyt_out_text(r->o, arrow);
    used += strlen(arrow);
    return used + nyt_report_name(r, call->called->name, room > used ? room - used : 0);
}

static void text_call(struct nyt_report *r, const void *item)
{
    const nyt_call *call = *(const nyt_call *const *)item;
    const size_t edge_room = (r->width - 39) * 2 / 3;
    nyt_out_count(r->o, (int64_t)call->count, 13);
    nyt_out_time(r->o, call->excl, 11);
    nyt_out_time(r->o, call->incl, 11);
    nyt_out_text(r->o, "  ");
    fill(r, put_edge(r, call, edge_room), edge_room);
    put_place(r, call->fid, call->line, r->width - 39 - edge_room);
}

/* ---- JSON ---- */

static void json_place(struct nyt_report *r, uint32_t fid, uint32_t line)
{
    const nyt_file *file = nyt_profile_file(r->p, fid);
    nyt_json_count(&r->j, "fid", fid);
    nyt_json_count(&r->j, "line", line);
    nyt_json_optional(&r->j, "file", file ? &file->name : NULL);
}

static void json_line(struct nyt_report *r, const void *item)
{
    const nyt_line *line = item;
    nyt_json_whole(&r->j, "count", line->count);
    nyt_json_number(&r->j, "time", line->time);
    nyt_report_json_incl(r, line);
    nyt_report_json_shared(r, line);
    json_place(r, line->fid, line->line);
    nyt_json_optional(&r->j, "source", nyt_profile_source_line(r->p, line->fid, line->line));
}

static void json_times(struct nyt_report *r, uint64_t calls, double excl, double incl)
{
    nyt_json_count(&r->j, "calls", calls);
    nyt_json_number(&r->j, "exclusive", excl);
    nyt_json_number(&r->j, "inclusive", incl);
}

static void json_sub(struct nyt_report *r, const void *item)
{
    const nyt_sub *sub = item;
    nyt_json_str(&r->j, "name", sub->name);
    json_times(r, sub->calls, sub->excl, sub->incl);
    json_place(r, sub->fid, sub->first);
}

static void json_file(struct nyt_report *r, const void *item)
{
    const struct file_sum *sum = item;
    nyt_json_whole(&r->j, "count", sum->count);
    nyt_json_number(&r->j, "time", sum->time);
    nyt_json_count(&r->j, "fid", sum->file->fid);
    nyt_json_str(&r->j, "file", sum->file->name);
}

static void json_call(struct nyt_report *r, const void *item)
{
    const nyt_call *call = *(const nyt_call *const *)item;
    nyt_json_str(&r->j, "called", call->called->name);
    nyt_json_str(&r->j, "caller", call->caller);
    json_times(r, call->count, call->excl, call->incl);
    json_place(r, call->fid, call->line);
}

/* ---- The lists ---- */

static const struct list {
    const char *title, *key;
    const char *columns;        /* above the rows */
    void (*rank)(struct summary *s);
    void (*text)(struct nyt_report *r, const void *item);
    void (*json)(struct nyt_report *r, const void *item);
} lists[] = {
    {"Lines", "top_lines", "        count    time       incl         %  place\n", rank_lines,
     text_line, json_line},
    {"Subs", "top_subs", "        calls  exclusive  inclusive  name\n", rank_subs, text_sub,
     json_sub},
    {"Files", "top_files", "        count    time         %  name\n", rank_files, text_file,
     json_file},
    {"Calls", "top_calls", "        calls  exclusive  inclusive  from and to\n", rank_calls,
     text_call, json_call},
};

static void put_list_text(struct summary *s, const struct list *list, size_t shown)
{
    struct nyt_report *r = &s->r;
    char note[60];
    if (!s->list.count)
        return;
    snprintf(note, sizeof note, "%zu of %zu", shown, s->list.count);
    nyt_report_title(r, list->title, shown < s->list.count ? note : NULL);
    nyt_out_text(r->o, list->columns);
    for (size_t i = 0; i < shown; i++) {
        list->text(r, s->list.list[i].item);
        nyt_out_text(r->o, "\n");
    }
}

static void put_list_json(struct summary *s, const struct list *list, size_t shown)
{
    nyt_json_open(&s->r.j, list->key, '[');
    for (size_t i = 0; i < shown; i++) {
        nyt_json_open(&s->r.j, NULL, '{');
        list->json(&s->r, s->list.list[i].item);
        nyt_json_close(&s->r.j, '}');
    }
    nyt_json_close(&s->r.j, ']');
}

static void put_list(struct summary *s, const struct list *list)
{
    s->list.count = 0;
    list->rank(s);
    nyt_ranking_sort(&s->list);
    size_t shown = s->list.count < s->r.top ? s->list.count : s->r.top;
    if (s->r.json)
        put_list_json(s, list, shown);
    else
        put_list_text(s, list, shown);
}

static void put_lists(struct summary *s)
{
    sum_files(s);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        put_list(s, &lists[i]);
    if (!s->r.json)
        nyt_report_shared_note(&s->r);
}

static bool put_json(struct summary *s)
{
    nyt_json_open(&s->r.j, NULL, '{');
    nyt_report_json_totals(&s->r);
    bool ok = nyt_report_json_answer(&s->r);
    put_lists(s);
    nyt_json_close(&s->r.j, '}');
    nyt_out_text(s->r.o, "\n");
    return ok;
}

/* The longest of the lists. */
static size_t most_entries(const nyt_profile *p)
{
    size_t most = p->sub_count, lines;
    nyt_profile_all_lines(p, NYT_LEVEL_LINE, &lines);
    most = most > lines ? most : lines;
    most = most > p->file_count ? most : p->file_count;
    return most > p->call_count ? most : p->call_count;
}

static bool put_all(struct summary *s, bool only_lists)
{
    s->files = calloc(s->r.p->file_count + 1, sizeof *s->files);
    bool ok = nyt_ranking_begin(&s->list, most_entries(s->r.p)) && s->files;
    if (ok && s->r.json) {
        ok = put_json(s);
    } else if (ok && only_lists) {
        nyt_report_widen(&s->r, WIDTH_MIN);
        nyt_report_heading(&s->r);
        put_lists(s);
    } else if (ok) {
        ok = nyt_report_answer(&s->r);
    }
    nyt_ranking_free(&s->list);
    free(s->files);
    return ok;
}

int nyt_report_summary(const nyt_profile *p, const nyt_report_options *options, nyt_write_fn write,
                       void *ctx, nyt_error *err)
{
    struct summary s = {0};
    int rc = nyt_report_begin(&s.r, p, options, write, ctx, err);
    if (rc < 0)
        return rc;
    bool ok = put_all(&s, options && options->all);
    rc = nyt_report_end(&s.r, err);
    return ok ? rc : nyt_fail(err, NYT_ENOMEM, "out of memory");
}
