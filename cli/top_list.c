/* The rows of `top`. */
#include "top_list.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIGURE = 9, COUNT = 12, FIGURES = 2 * FIGURE + COUNT + 2, PLACE = 28, NAME = 44 };

/* ---- What costs most ---- */

struct ranked {
    double weight;
    const void *item;
};

static int heaviest_first(const void *left, const void *right)
{
    const struct ranked *a = left, *b = right;
    if (a->weight != b->weight)
        return a->weight < b->weight ? 1 : -1;
    return a->item < b->item ? -1 : a->item > b->item;
}

/* What is no number comes last. */
static double weigh(nyt_sort sort, double self, double incl, double count)
{
    double weight = sort == NYT_SORT_TIME    ? self
                    : sort == NYT_SORT_INCL  ? incl
                    : sort == NYT_SORT_COUNT ? count
                                             : 0;
    return isnan(weight) ? -1 : weight;
}

static bool is_of_project(const nyt_profile *p, uint32_t fid)
{
    return fid && nyt_profile_scope(p, fid) == NYT_SCOPE_PROJECT;
}

static bool is_merged(const nyt_profile *p, uint32_t fid)
{
    const nyt_file *file = nyt_profile_file(p, fid);
    return file && file->merged_into;
}

static size_t rank_lines(struct ranked *list, const nyt_profile *p, const struct top_view *v,
                         bool project)
{
    size_t n, found = 0;
    const nyt_line *lines = nyt_profile_all_lines(p, NYT_LEVEL_LINE, &n);
    bool shown = false;
    for (size_t i = 0; i < n; i++) {
        const nyt_line *l = &lines[i];
        if (i == 0 || l->fid != l[-1].fid)
            shown = (!project || is_of_project(p, l->fid)) && !is_merged(p, l->fid);
        if (shown)
            list[found++] = (struct ranked){weigh(v->sort, l->time, l->incl, (double)l->count), l};
    }
    return found;
}

static size_t rank_subs(struct ranked *list, const nyt_profile *p, const struct top_view *v,
                        bool project)
{
    size_t n, found = 0;
    const nyt_sub *subs = nyt_profile_subs(p, &n);
    for (size_t i = 0; i < n; i++) {
        const nyt_sub *s = &subs[i];
        if (s->calls && (!project || is_of_project(p, s->fid)))
            list[found++] = (struct ranked){weigh(v->sort, s->excl, s->incl, (double)s->calls), s};
    }
    return found;
}

/* ---- Rows ---- */

/* The last folder and the name of a file: the same wherever the program stands. */
static nyt_str short_name(nyt_str path)
{
    size_t at = path.len, slashes = 0;
    while (at > 0 && (path.data[at - 1] != '/' || ++slashes < 2))
        at--;
    return slashes < 2 ? path : (nyt_str){path.data + at, path.len - at};
}

static void put_figures(struct nyt_out *o, double self, double incl, int64_t count, bool shared)
{
    (shared ? nyt_out_rough_time : nyt_out_time)(o, self, FIGURE);
    nyt_out_time(o, incl, FIGURE);
    nyt_out_count(o, count, COUNT);
    nyt_out_text(o, "  ");
}

/* The columns that it took. */
static size_t put_place(struct nyt_out *o, const nyt_profile *p, uint32_t fid, uint32_t line,
                        const struct top_view *v)
{
    const nyt_file *file = nyt_profile_file(p, fid);
    nyt_str name = file ? (v->width ? short_name(file->name) : file->name) : (nyt_str){"?", 1};
    char number[16];
    int len = snprintf(number, sizeof number, ":%u", (unsigned)line);
    size_t room = PLACE - (size_t)len;
    if (v->width)
        name = nyt_safe_last(name, room);
    size_t used = nyt_out_safe(o, name, v->width ? room : 0);
    nyt_out_text(o, number);
    return used + (size_t)len;
}

static nyt_str without_indent(const nyt_str *text)
{
    nyt_str s = text ? *text : (nyt_str){"", 0};
    while (s.len && (*s.data == ' ' || *s.data == '\t'))
        s.data++, s.len--;
    while (s.len && (s.data[s.len - 1] == '\n' || s.data[s.len - 1] == '\r'))
        s.len--;
    return s;
}

/* Whether its time is a shared one. */
static bool put_line_row(struct nyt_out *o, const nyt_profile *p, const nyt_line *l,
                         const struct top_view *v)
{
    put_figures(o, l->time, l->incl, l->count, l->shared);
    size_t used = put_place(o, p, l->fid, l->line, v), before = FIGURES + PLACE + 2;
    nyt_str text = without_indent(nyt_profile_source_line(p, l->fid, l->line));
    if (text.len && !(v->width && v->width <= before + 8)) {
        nyt_out_fill(o, ' ', (used < PLACE ? PLACE - used : 0) + 2);
        nyt_out_safe(o, text, v->width ? v->width - before : 0);
    }
    return l->shared;
}

static void put_sub_row(struct nyt_out *o, const nyt_profile *p, const nyt_sub *s,
                        const struct top_view *v)
{
    size_t room = v->width > FIGURES + 8 ? v->width - FIGURES : 8,
           columns = room < NAME ? room : NAME;
    put_figures(o, s->excl, s->incl, (int64_t)s->calls, false);
    size_t used = nyt_out_safe(o, v->width ? nyt_safe_last(s->name, columns) : s->name,
                               v->width ? columns : 0);
    if (!s->first || (v->width && room <= NAME + 2 + PLACE))
        return;
    nyt_out_fill(o, ' ', (used < NAME ? NAME - used : 0) + 2);
    put_place(o, p, s->fid, s->first, v);
}

static size_t rank(struct ranked *list, const nyt_profile *p, const struct top_view *v)
{
    size_t (*fill)(struct ranked *, const nyt_profile *, const struct top_view *,
                   bool) = v->functions ? rank_subs : rank_lines;
    size_t n = fill(list, p, v, v->project);
    if (n == 0 && v->project)
        n = fill(list, p, v, false);
    if (n)
        qsort(list, n, sizeof *list, heaviest_first);
    return n;
}

int put_top_list(struct nyt_out *o, const nyt_profile *p, struct top_view *v)
{
    size_t lines, subs;
    nyt_profile_all_lines(p, NYT_LEVEL_LINE, &lines);
    nyt_profile_subs(p, &subs);
    struct ranked *list = calloc((v->functions ? subs : lines) + 1, sizeof *list);
    if (!list)
        return NYT_ENOMEM;
    size_t n = rank(list, p, v);
    nyt_out_format(o, "     self     incl%*s  %s", COUNT, v->functions ? "calls" : "count",
                   v->functions ? "function" : "line");
    for (size_t i = 0; i < n && i < v->rows; i++) {
        nyt_out_text(o, "\n");
        if (v->functions)
            put_sub_row(o, p, list[i].item, v);
        else
            v->told_shared |= put_line_row(o, p, list[i].item, v);
    }
    free(list);
    return NYT_OK;
}
