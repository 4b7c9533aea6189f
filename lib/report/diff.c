/*
 * What changed, for terminals and as Markdown: the totals, then the lines, subs and call edges that
 * changed most. This also decides what is shown, for all forms.
 */
#include "nytprof.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/str.h"
#include "base/text.h"
#include "diff/condition.h"
#include "diff/diff.h"
#include "model/sub_name.h"
#include "report/diff_json.h"
#include "report/diff_view.h"
#include "report/diff_work.h"
#include "report/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const titles[NYT_DIFF_KINDS] = {
    [NYT_DIFF_LINES] = "Lines", [NYT_DIFF_SUBS] = "Subs", [NYT_DIFF_EDGES] = "Calls"};

/* ---- What is shown ---- */

struct rank {
    const nyt_delta *delta;
    double weight;
};

static double weight_of(const nyt_delta *delta, nyt_sort sort)
{
    switch (sort) {
    case NYT_SORT_COUNT:
        return fabs((double)nyt_delta_count(delta));
    case NYT_SORT_INCL:
        return fabs(delta->after.incl - delta->before.incl);
    case NYT_SORT_TIME:
        return fabs(delta->after.excl - delta->before.excl);
    default:
        return 0;
    }
}

static int compare_optional(const nyt_str *a, const nyt_str *b)
{
    return a && b ? nyt_str_compare(*a, *b) : NYT_COMPARE(a != NULL, b != NULL);
}

static const nyt_diff_side *later_side(const nyt_delta *delta)
{
    return delta->after.there ? &delta->after : &delta->before;
}

static int compare_places(const nyt_diff_side *a, const nyt_diff_side *b)
{
    if (a->fid != b->fid)
        return NYT_COMPARE(a->fid, b->fid);
    if (a->line != b->line)
        return NYT_COMPARE(a->line, b->line);
    int c = compare_optional(a->name, b->name);
    return c ? c : compare_optional(a->caller, b->caller);
}

/* What is gone comes behind what stands at its place now. */
static int compare_ranks(const void *left, const void *right)
{
    const struct rank *a = left, *b = right;
    if (a->weight != b->weight)
        return a->weight > b->weight ? -1 : 1;
    int c = compare_places(later_side(a->delta), later_side(b->delta));
    return c ? c : NYT_COMPARE(nyt_delta_change(a->delta) == 1, nyt_delta_change(b->delta) == 1);
}

static size_t ranks_of(struct nyt_diff_view *v, int kind, const struct nyt_min_change *min,
                       struct rank *ranks)
{
    const struct nyt_deltas *deltas = &v->d->deltas[kind];
    size_t n = 0;
    for (size_t i = 0; i < deltas->count; i++) {
        const nyt_delta *delta = &deltas->list[i];
        if (!nyt_delta_differs(delta, min))
            continue;
        v->changes[kind][nyt_delta_change(delta)]++;
        ranks[n++] = (struct rank){delta, weight_of(delta, v->options->report.sort)};
    }
    qsort(ranks, n, sizeof *ranks, compare_ranks);
    return n;
}

static bool rank_kind(struct nyt_diff_view *v, int kind, const struct nyt_min_change *min,
                      size_t top)
{
    size_t all = v->d->deltas[kind].count;
    struct rank *ranks = malloc((all + 1) * sizeof *ranks);
    v->ranked[kind] = malloc((all + 1) * sizeof *v->ranked[kind]);
    bool ok = ranks && v->ranked[kind];
    if (ok) {
        size_t n = v->count[kind] = ranks_of(v, kind, min, ranks);
        for (size_t i = 0; i < n; i++)
            v->ranked[kind][i] = ranks[i].delta;
        v->shown[kind] = top && top < n ? top : n;
    }
    free(ranks);
    return ok;
}

/* ---- Conditions ---- */

static int keep_text(void *ctx, const void *data, size_t len)
{
    return nyt_buf_append(ctx, data, len) ? NYT_OK : NYT_ENOMEM;
}

static int judge_conditions(struct nyt_diff_view *v, nyt_error *err)
{
    size_t n = v->options->condition_count;
    v->said = calloc(n + 1, sizeof *v->said);
    v->met = calloc(n + 1, sizeof *v->met);
    if (!v->said || !v->met)
        return nyt_fail(err, NYT_ENOMEM, "out of memory");
    for (size_t i = 0; i < n; i++) {
        int rc = nyt_diff_check(v->d, v->options->conditions[i], keep_text, &v->said[i], err);
        if (rc < 0)
            return rc;
        v->met[i] = rc > 0;
    }
    return NYT_OK;
}

static nyt_str said_of(const struct nyt_diff_view *v, size_t i)
{
    return (nyt_str){.data = (const char *)v->said[i].data, .len = v->said[i].len};
}

/* ---- What of the work differs, as sentences ---- */

/* false: out of memory. */
static bool work_as_text(const struct nyt_diff_view *v, struct nyt_buf *text)
{
    struct nyt_out *o = malloc(sizeof *o);
    if (!o)
        return false;
    nyt_out_begin(o, keep_text, text);
    nyt_diff_work_text(o, v, "");
    int rc = nyt_out_end(o, NULL);
    free(o);
    return rc == NYT_OK;
}

static void put_work(struct nyt_report *r, const struct nyt_diff_view *v,
                     void (*put)(struct nyt_report *r, nyt_str sentence))
{
    struct nyt_buf text = {0};
    if (!work_as_text(v, &text) && r->o->status == NYT_OK)
        r->o->status = NYT_ENOMEM;
    for (size_t at = 0, end; at < text.len; at = end + 1) {
        for (end = at; end < text.len && text.data[end] != '\n';)
            end++;
        put(r, (nyt_str){.data = (char *)text.data + at, .len = end - at});
    }
    nyt_buf_free(&text);
}

/* ---- Text ---- */

enum {
    MARK = 2,
    COUNT = 13,
    TIME = 11,
    PERCENT = 9,
    FIGURES = MARK + COUNT + 2 * TIME + PERCENT,
    WIDTH_MIN = 60
};

static void put_percent(struct nyt_report *r, double before, double after)
{
    double percent = nyt_percent(before, after);
    if (!isfinite(percent) || percent == 0)
        nyt_out_fill(r->o, ' ', PERCENT);
    else if (fabs(percent) >= 1e5)
        nyt_out_format(r->o, "%*s", PERCENT, percent > 0 ? ">x1000" : "<-x1000");
    else {
        nyt_out_signed(r->o, PERCENT - 1, fabs(percent) < 1000 ? 1 : 0, percent);
        nyt_out_text(r->o, "%");
    }
}

/* Times that are shares have a '~', and so has a difference of one. */
static void put_time(struct nyt_report *r, bool shared, double seconds, int width)
{
    (shared ? nyt_out_rough_time : nyt_out_time)(r->o, seconds, width);
    r->told_shared |= shared && seconds > 0;
}

static void put_time_change(struct nyt_report *r, bool shared, double seconds, int width)
{
    (shared ? nyt_out_rough_time_change : nyt_out_time_change)(r->o, seconds, width);
    r->told_shared |= shared && seconds != 0;
}

static void put_change(struct nyt_report *r, bool shared, double before, double after)
{
    nyt_report_style(r, after > before ? NYT_HOT : after < before ? NYT_COOL : NYT_PLAIN);
    put_time_change(r, shared, after - before, TIME);
    put_percent(r, before, after);
    nyt_report_style(r, NYT_PLAIN);
}

/* Sums of 64 bits may exceed what is shown here: only files that lie come that far. */
static int64_t whole(double value)
{
    const double most = 9e18;
    return (int64_t)(value > most ? most : value < -most ? -most : value);
}

static void text_total(struct nyt_report *r, const nyt_diff_total *t)
{
    nyt_out_format(r->o, "  %-12s", t->name);
    if (t->is_time) {
        nyt_out_time(r->o, t->before, COUNT);
        nyt_out_time(r->o, t->after, COUNT);
        put_change(r, false, t->before, t->after);
    } else {
        nyt_out_count(r->o, whole(t->before), COUNT);
        nyt_out_count(r->o, whole(t->after), COUNT);
        nyt_out_count_change(r->o, whole(t->after - t->before), TIME);
        put_percent(r, t->before, t->after);
    }
    nyt_out_text(r->o, "\n");
}

static nyt_str name_or(const nyt_str *name, const char *otherwise)
{
    return name ? *name : (nyt_str){.data = otherwise, .len = strlen(otherwise)};
}

static void put_padded(struct nyt_report *r, size_t used, size_t room)
{
    nyt_out_fill(r->o, ' ', (used < room ? room - used : 0) + 2);
}

static void text_line_name(struct nyt_report *r, const nyt_diff_side *side, size_t room)
{
    size_t place = room < 40 ? room : room / 2;
    size_t used = nyt_report_place(r, side->fid, side->line, place);
    if (place < room && side->name) {
        put_padded(r, used, place);
        nyt_report_style(r, NYT_DIM);
        nyt_report_code(r, side->fid, side->line, room - place - 2);
        nyt_report_style(r, NYT_PLAIN);
    }
}

/* Names are cut in front: their ends tell them apart. */
static void text_edge_name(struct nyt_report *r, const nyt_diff_side *side, size_t room)
{
    size_t used = nyt_report_end_of(r, *side->caller, (room - 4) / 2);
    nyt_out_text(r->o, " -> ");
    nyt_report_end_of(r, *side->name, room - 4 - used);
}

/* Sorted by inclusive time, that is what is shown. */
static double shown_time(const struct nyt_diff_view *v, const nyt_diff_side *side)
{
    return v->options->report.sort == NYT_SORT_INCL ? side->incl : side->excl;
}

/* Is that one a share? */
static bool is_shared(const struct nyt_diff_view *v, const nyt_diff_side *side)
{
    return v->options->report.sort != NYT_SORT_INCL && side->shared;
}

static void text_delta(struct nyt_report *r, const struct nyt_diff_view *v, int kind,
                       const nyt_delta *delta)
{
    const nyt_diff_side *side = later_side(delta);
    size_t room = r->width - FIGURES - 2;
    r->p = v->d->match.half[delta->after.there].p;
    nyt_out_text(r->o, (const char *[]){"+ ", "- ", "  "}[nyt_delta_change(delta)]);
    nyt_out_count_change(r->o, nyt_delta_count(delta), COUNT);
    put_time(r, is_shared(v, &delta->after), shown_time(v, &delta->after), TIME);
    put_change(r, is_shared(v, &delta->before) || is_shared(v, &delta->after),
               shown_time(v, &delta->before), shown_time(v, &delta->after));
    nyt_out_text(r->o, "  ");
    if (kind == NYT_DIFF_LINES)
        text_line_name(r, side, room);
    else if (kind == NYT_DIFF_SUBS)
        nyt_report_end_of(r, name_or(side->name, ""), room);
    else
        text_edge_name(r, side, room);
    nyt_out_text(r->o, "\n");
}

static void text_kind(struct nyt_report *r, const struct nyt_diff_view *v, int kind)
{
    if (!v->count[kind])
        return;
    nyt_report_style(r, NYT_BOLD);
    nyt_out_format(r->o, "\n%s", titles[kind]);
    nyt_report_style(r, NYT_PLAIN);
    if (v->shown[kind] < v->count[kind])
        nyt_out_format(r->o, " (%zu of %zu)", v->shown[kind], v->count[kind]);
    nyt_out_format(r->o, ": %zu changed, %zu new, %zu gone\n", v->changes[kind][2],
                   v->changes[kind][0], v->changes[kind][1]);
    nyt_out_format(r->o, "%*s%*s%*s%*s\n", MARK + COUNT, kind == NYT_DIFF_LINES ? "count" : "calls",
                   TIME, v->options->report.sort == NYT_SORT_INCL ? "incl   " : "time   ", TIME,
                   "change   ", PERCENT, "%");
    for (size_t i = 0; i < v->shown[kind]; i++)
        text_delta(r, v, kind, v->ranked[kind][i]);
}

static bool has_changes(const struct nyt_diff_view *v)
{
    return v->count[0] || v->count[1] || v->count[2];
}

static const char *path_of(const struct nyt_diff_view *v, int s)
{
    const char *path = s ? v->options->path_after : v->options->report.path;
    return path ? path : s ? "(after)" : "(before)";
}

/* What stands behind the name of a profile that is not whole. */
static const char *state_of(const struct nyt_diff_view *v, int s)
{
    const nyt_totals *t = &v->d->match.half[s].p->totals;
    return t->snapshot ? " (snapshot)" : t->complete ? "" : " (incomplete)";
}

static void put_path(struct nyt_words *w, const struct nyt_diff_view *v, int s)
{
    nyt_out_safe(w->o, (nyt_str){.data = path_of(v, s), .len = strlen(path_of(v, s))}, 0);
    nyt_out_text(w->o, state_of(v, s));
}

static void put_paths(struct nyt_words *w, const void *what)
{
    const struct nyt_diff_view *v = what;
    put_path(w, v, 0);
    nyt_out_text(w->o, " -> ");
    put_path(w, v, 1);
}

static void text_heading(struct nyt_report *r, const struct nyt_diff_view *v)
{
    nyt_report_style(r, NYT_BOLD);
    if (r->uncut)
        put_paths(&r->w, v);
    else
        nyt_report_paragraph(r, put_paths, v, 0, 2);
    nyt_report_style(r, NYT_PLAIN);
    nyt_out_text(r->o, r->uncut ? "\n" : "");
}

static void text_options(struct nyt_report *r, const struct nyt_diff_view *v)
{
    const nyt_str *values[2];
    const char *name;
    for (size_t at = 0; (name = nyt_diff_next_option(v->d, &at, values)) != NULL;) {
        nyt_out_format(r->o, "Not all can be compared: the option %s was ", name);
        nyt_out_safe(r->o, *values[0], 20);
        nyt_out_text(r->o, ", is ");
        nyt_out_safe(r->o, *values[1], 20);
        nyt_out_text(r->o, ".\n");
    }
}

static void put_sentence(struct nyt_words *w, const void *what)
{
    const nyt_str *sentence = what;
    nyt_out_bytes(w->o, sentence->data, sentence->len);
}

/* Where nothing is cut each stands as it is, in one line. */
static void text_sentence(struct nyt_report *r, nyt_str sentence)
{
    if (!r->uncut) {
        nyt_report_paragraph(r, put_sentence, &sentence, 0, 2);
        return;
    }
    nyt_out_bytes(r->o, sentence.data, sentence.len);
    nyt_out_text(r->o, "\n");
}

static void text_report(struct nyt_report *r, const struct nyt_diff_view *v)
{
    nyt_report_widen(r, WIDTH_MIN);
    text_heading(r, v);
    put_work(r, v, text_sentence);
    text_options(r, v);
    nyt_out_format(r->o, "%14s%*s%*s%*s%*s\n", "", COUNT, "before", COUNT, "after", TIME,
                   "change   ", PERCENT, "%");
    for (int i = 0; i < NYT_TOTAL_OF_KINDS; i++)
        text_total(r, &v->d->totals[i]);
    for (int kind = 0; kind < NYT_DIFF_KINDS; kind++)
        text_kind(r, v, kind);
    if (!has_changes(v))
        nyt_out_text(r->o, "\nNo line, sub or call changed.\n");
    for (size_t i = 0; i < v->options->condition_count; i++) {
        nyt_report_style(r, v->met[i] ? NYT_HOT : NYT_COOL);
        nyt_out_text(r->o, v->met[i] ? "\nfailed: " : "\npassed: ");
        nyt_report_style(r, NYT_PLAIN);
        nyt_out_bytes(r->o, v->said[i].data, v->said[i].len);
    }
    nyt_out_text(r->o, v->options->condition_count ? "\n" : "");
    nyt_report_shared_note(r);
}

/* ---- Markdown ---- */

/* Text of a profile in one cell of a table. */
struct cell {
    nyt_str text;
    size_t limit;     /* columns */
    bool has_special; /* what code between backquotes cannot hold in a table */
};

static void put_entities(struct nyt_out *o, const char *text)
{
    for (; *text; text++) {
        if (*text > ' ' && *text < 0x7F && !nyt_is_word(*text))
            nyt_out_format(o, "&#%d;", *text);
        else
            nyt_out_bytes(o, text, 1);
    }
}

/* With `o` NULL it only looks. */
static void walk_cell(struct cell *c, struct nyt_out *o)
{
    char shown[NYT_SAFE_BYTES];
    size_t used = 0, bytes;
    for (size_t at = 0; at < c->text.len; at += bytes) {
        used += nyt_safe_next(c->text, at, shown, &bytes);
        bool cut = used > c->limit;
        if (!o)
            c->has_special |= strpbrk(shown, "|`\\") != NULL;
        else if (c->has_special)
            put_entities(o, cut ? "..." : shown);
        else
            nyt_out_text(o, cut ? "..." : shown);
        if (cut)
            return;
    }
}

static void put_code(struct nyt_out *o, nyt_str text, size_t limit)
{
    struct cell c = {.text = nyt_str_without_margins(text), .limit = limit};
    if (!c.text.len)
        return;
    walk_cell(&c, NULL);
    nyt_out_text(o, c.has_special ? "<code>" : "`");
    walk_cell(&c, o);
    nyt_out_text(o, c.has_special ? "</code>" : "`");
}

enum { CELL = 80 };

static void markdown_percent(struct nyt_report *r, double before, double after)
{
    double percent = nyt_percent(before, after);
    if (!isfinite(percent) || percent == 0)
        return;
    nyt_out_signed(r->o, 0, 1, percent);
    nyt_out_text(r->o, " %");
}

static void markdown_total(struct nyt_report *r, const nyt_diff_total *t)
{
    nyt_out_format(r->o, "| %s | ", t->name);
    if (t->is_time) {
        nyt_out_time(r->o, t->before, 0);
        nyt_out_text(r->o, " | ");
        nyt_out_time(r->o, t->after, 0);
        nyt_out_text(r->o, " | ");
        nyt_out_time_change(r->o, t->after - t->before, 0);
    } else {
        nyt_out_count(r->o, whole(t->before), 0);
        nyt_out_text(r->o, " | ");
        nyt_out_count(r->o, whole(t->after), 0);
        nyt_out_text(r->o, " | ");
        nyt_out_count_change(r->o, whole(t->after - t->before), 0);
    }
    nyt_out_text(r->o, " | ");
    markdown_percent(r, t->before, t->after);
    nyt_out_text(r->o, " |\n");
}

static void markdown_name(struct nyt_report *r, int kind, const nyt_diff_side *side)
{
    const nyt_file *file = nyt_profile_file(r->p, side->fid);
    char number[16];
    if (kind == NYT_DIFF_EDGES) {
        put_code(r->o, *side->caller, CELL);
        nyt_out_text(r->o, " → ");
    }
    if (kind != NYT_DIFF_LINES) {
        put_code(r->o, *side->name, CELL);
        return;
    }
    if (file)
        put_code(r->o, nyt_safe_last(file->name, CELL), CELL);
    snprintf(number, sizeof number, ":%u", (unsigned)side->line);
    nyt_out_text(r->o, number);
    if (side->name) {
        nyt_out_text(r->o, " ");
        put_code(r->o, *side->name, CELL);
    }
}

static void markdown_delta(struct nyt_report *r, const struct nyt_diff_view *v, int kind,
                           const nyt_delta *delta)
{
    r->p = v->d->match.half[delta->after.there].p;
    nyt_out_text(r->o, (const char *[]){"| new | ", "| gone | ", "| | "}[nyt_delta_change(delta)]);
    nyt_out_count_change(r->o, nyt_delta_count(delta), 0);
    nyt_out_text(r->o, " | ");
    double before = shown_time(v, &delta->before), after = shown_time(v, &delta->after);
    put_time(r, is_shared(v, &delta->after), after, 0);
    nyt_out_text(r->o, " | ");
    put_time_change(r, is_shared(v, &delta->before) || is_shared(v, &delta->after), after - before,
                    0);
    nyt_out_text(r->o, " | ");
    markdown_percent(r, before, after);
    nyt_out_text(r->o, " | ");
    markdown_name(r, kind, later_side(delta));
    nyt_out_text(r->o, " |\n");
}

static void markdown_kind(struct nyt_report *r, const struct nyt_diff_view *v, int kind)
{
    static const char *const names[] = {
        [NYT_DIFF_LINES] = "line", [NYT_DIFF_SUBS] = "sub", [NYT_DIFF_EDGES] = "call"};
    if (!v->count[kind])
        return;
    nyt_out_format(r->o, "\n**%s**: %zu changed, %zu new, %zu gone", titles[kind],
                   v->changes[kind][2], v->changes[kind][0], v->changes[kind][1]);
    if (v->shown[kind] < v->count[kind])
        nyt_out_format(r->o, "; the first %zu", v->shown[kind]);
    nyt_out_format(r->o, "\n\n| | %s | time | change | | %s |\n|---|--:|--:|--:|--:|---|\n",
                   kind == NYT_DIFF_LINES ? "count" : "calls", names[kind]);
    for (size_t i = 0; i < v->shown[kind]; i++)
        markdown_delta(r, v, kind, v->ranked[kind][i]);
}

static void markdown_options(struct nyt_report *r, const struct nyt_diff_view *v)
{
    const nyt_str *values[2];
    const char *name;
    for (size_t at = 0; (name = nyt_diff_next_option(v->d, &at, values)) != NULL;) {
        nyt_out_format(r->o, "\n\nNot all can be compared: the option `%s` was ", name);
        put_code(r->o, *values[0], 20);
        nyt_out_text(r->o, ", is ");
        put_code(r->o, *values[1], 20);
        nyt_out_text(r->o, ".");
    }
}

/* Names in it are foreign: each sentence is code. */
static void markdown_sentence(struct nyt_report *r, nyt_str sentence)
{
    nyt_out_text(r->o, "\n- ");
    put_code(r->o, sentence, 400);
}

static void markdown_report(struct nyt_report *r, const struct nyt_diff_view *v)
{
    for (int s = 0; s < 2; s++) {
        nyt_out_text(r->o, s ? " → " : "### ");
        put_code(r->o, name_or(NULL, path_of(v, s)), 200);
        nyt_out_text(r->o, state_of(v, s));
    }
    nyt_out_text(r->o, "\n");
    put_work(r, v, markdown_sentence);
    markdown_options(r, v);
    nyt_out_text(r->o, "\n\n| | before | after | change | |\n|---|--:|--:|--:|--:|\n");
    for (int i = 0; i < NYT_TOTAL_OF_KINDS; i++)
        markdown_total(r, &v->d->totals[i]);
    for (int kind = 0; kind < NYT_DIFF_KINDS; kind++)
        markdown_kind(r, v, kind);
    if (!has_changes(v))
        nyt_out_text(r->o, "\nNo line, sub or call changed.\n");
    for (size_t i = 0; i < v->options->condition_count; i++) {
        nyt_out_text(r->o, i ? "" : "\n");
        nyt_out_text(r->o, v->met[i] ? "- **failed**: " : "- passed: ");
        put_code(r->o, said_of(v, i), 300);
        nyt_out_text(r->o, "\n");
    }
    if (r->told_shared)
        nyt_out_text(r->o, "\n\\" NYT_SHARED_WORDS "\n");
}

/* ---- All forms ---- */

static void free_view(struct nyt_diff_view *v)
{
    for (int kind = 0; kind < NYT_DIFF_KINDS; kind++)
        free(v->ranked[kind]);
    for (size_t i = 0; v->said && i < v->options->condition_count; i++)
        nyt_buf_free(&v->said[i]);
    free(v->said);
    free(v->met);
    nyt_work_free(&v->work);
}

static int make_view(struct nyt_diff_view *v, size_t top, nyt_error *err)
{
    struct nyt_min_change min;
    int rc = nyt_min_change_parse(&min, v->options->min_change, err);
    if (rc == NYT_OK)
        rc = judge_conditions(v, err);
    if (rc == NYT_OK && !nyt_work_find(&v->work, v->d))
        rc = nyt_fail(err, NYT_ENOMEM, "out of memory");
    for (int kind = 0; rc == NYT_OK && kind < NYT_DIFF_KINDS; kind++)
        if (!rank_kind(v, kind, &min, top))
            rc = nyt_fail(err, NYT_ENOMEM, "out of memory");
    return rc;
}

int nyt_report_diff(const nyt_diff *d, const nyt_diff_options *options, nyt_write_fn write,
                    void *ctx, nyt_error *err)
{
    static const nyt_diff_options none = {.markdown = false};
    struct nyt_report r;
    struct nyt_diff_view v = {.d = d, .options = options ? options : &none};
    const nyt_report_options *report = &v.options->report;
    int rc = nyt_report_begin(&r, d->match.half[1].p, report, write, ctx, err);
    if (rc < 0)
        return rc;
    v.o = r.o;
    rc = make_view(&v, report->json ? report->top : r.top, err);
    if (rc == NYT_OK && report->json)
        nyt_diff_json(&v);
    else if (rc == NYT_OK && v.options->annotations)
        nyt_diff_work_annotations(r.o, &v);
    else if (rc == NYT_OK && v.options->markdown)
        markdown_report(&r, &v);
    else if (rc == NYT_OK)
        text_report(&r, &v);
    int ended = nyt_report_end(&r, rc < 0 ? NULL : err);
    free_view(&v);
    return rc < 0 ? rc : ended;
}
