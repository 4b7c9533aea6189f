/*
 * The first lines of a diff: which work is new, where it began, and whether times alone moved. They
 * are for people who review a change, so they are words.
 */
#include "report/diff_work.h"

#include "base/memory.h"
#include "base/str.h"
#include "diff/condition.h"
#include "report/short_path.h"
#include "report/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 3, NAME_COLUMNS = 60, TEXT_COLUMNS = 60, ANNOTATIONS = 10 };

static const nyt_diff_side *side_of(const struct nyt_work_item *item)
{
    return item->half ? &item->delta->after : &item->delta->before;
}

static const nyt_file *file_of(const struct nyt_diff_view *v, const struct nyt_work_item *item)
{
    return nyt_profile_file(v->d->match.half[item->half].p, item->fid);
}

/* Is it text for what may be of any width? */
static bool is_uncut(const struct nyt_diff_view *v)
{
    const nyt_diff_options *how = v->options;
    return !how->report.width && !how->markdown && !how->annotations;
}

/* Of a long name the end. */
static void put_name(struct nyt_out *o, const struct nyt_diff_view *v, nyt_str name)
{
    nyt_str end = is_uncut(v) ? name : nyt_safe_last(name, NAME_COLUMNS);
    if (end.len < name.len)
        nyt_out_text(o, "...");
    nyt_out_safe(o, end, 0);
}

/* Relative to the project, where it is the project's. */
static struct nyt_short_path path_of(const struct nyt_diff_view *v,
                                     const struct nyt_work_item *item)
{
    const nyt_profile *p = v->d->match.half[item->half].p;
    const nyt_file *file = file_of(v, item);
    return file ? nyt_short_path(p, file, nyt_project_folder(p))
                : (struct nyt_short_path){.prefix = "?", .rest = {.data = ""}};
}

static void put_path(struct nyt_out *o, const struct nyt_diff_view *v,
                     const struct nyt_work_item *item)
{
    struct nyt_short_path path = path_of(v, item);
    nyt_out_text(o, path.prefix);
    put_name(o, v, path.rest);
}

static void put_place(struct nyt_out *o, const struct nyt_diff_view *v,
                      const struct nyt_work_item *item)
{
    put_path(o, v, item);
    nyt_out_format(o, ":%u", (unsigned)item->line);
}

static void put_change(struct nyt_out *o, int64_t change, const char *what)
{
    nyt_out_count(o, llabs(change), 0);
    nyt_out_format(o, " %s %s%s of ", change < 0 ? "fewer" : "more", what,
                   llabs(change) == 1 ? "" : "s");
}

static bool is_machinery(const nyt_profile *p, const nyt_sub *sub)
{
    static const char begin[] = "(frozen importlib";
    const nyt_file *file = nyt_profile_file(p, sub->fid);
    return sub->kind != NYT_KIND_CODE || (file && file->name.len >= sizeof begin - 1 &&
                                          memcmp(file->name.data, begin, sizeof begin - 1) == 0);
}

/* The first sub above a path that is not import machinery; NULL: there is none. */
static const nyt_sub *importer_above(const nyt_profile *p, const nyt_node *nodes, uint32_t at)
{
    for (at = nodes[at].parent; at; at = nodes[at].parent) {
        const nyt_sub *sub = nyt_profile_sub(p, nodes[at].name);
        if (sub && !is_machinery(p, sub))
            return sub;
    }
    return NULL;
}

/* Who imports a module for the first time: NULL where that is no import, or not known. */
static const nyt_sub *importer_of(const nyt_profile *p, nyt_str module)
{
    size_t n;
    const nyt_node *nodes = nyt_profile_tree(p, &n);
    const nyt_sub *importer = NULL;
    if (strcmp(nyt_sub_words(module).rest, " (module)") != 0)
        return NULL;
    for (size_t i = 1; i < n && !importer; i++)
        if (nyt_str_compare(nodes[i].name, module) == 0)
            importer = importer_above(p, nodes, (uint32_t)i);
    return importer;
}

/* "1 more import of json, by app (module), app.py"; false: nothing is known of it. */
static bool put_import(struct nyt_out *o, const struct nyt_diff_view *v,
                       const struct nyt_work_item *item)
{
    const nyt_profile *p = v->d->match.half[item->half].p;
    const nyt_str module = *side_of(item)->name;
    const nyt_sub *importer = importer_of(p, module);
    struct nyt_work_item where = *item;
    if (!importer)
        return false;
    put_change(o, item->change, "import");
    put_name(o, v, nyt_sub_words(module).name);
    nyt_out_text(o, ", by ");
    put_name(o, v, nyt_sub_words(importer->name).name);
    nyt_out_text(o, nyt_sub_words(importer->name).rest);
    where.fid = importer->fid;
    nyt_out_text(o, ", ");
    put_path(o, v, &where);
    return true;
}

static void put_calls(struct nyt_out *o, const struct nyt_diff_view *v,
                      const struct nyt_work_item *item)
{
    const nyt_diff_side *side = side_of(item);
    if (put_import(o, v, item))
        return;
    put_change(o, item->change, "call");
    put_name(o, v, *side->name);
    nyt_out_text(o, ", from ");
    if (side->caller->len) {
        put_name(o, v, *side->caller);
        nyt_out_text(o, ", ");
    }
    put_place(o, v, item);
}

static void put_line(struct nyt_out *o, const struct nyt_diff_view *v,
                     const struct nyt_work_item *item)
{
    const nyt_diff_side *side = side_of(item);
    put_change(o, item->change, "run");
    put_place(o, v, item);
    if (side->name) {
        nyt_out_text(o, ": ");
        nyt_out_safe(o, nyt_str_without_margins(*side->name), is_uncut(v) ? 0 : TEXT_COLUMNS);
    }
}

static void put_item(struct nyt_out *o, const struct nyt_diff_view *v,
                     const struct nyt_work_item *item)
{
    double time = item->delta->after.incl - item->delta->before.incl;
    if (item->kind == NYT_DIFF_EDGES)
        put_calls(o, v, item);
    else
        put_line(o, v, item);
    nyt_out_text(o, " (");
    nyt_out_time_change(o, time, 0);
    nyt_out_text(o, ")");
}

/* ---- Times ---- */

static void put_factor(struct nyt_out *o, double factor)
{
    nyt_out_text(o, "everything took ");
    nyt_out_fixed(o, 0, 2, factor);
    nyt_out_text(o, " times as long: the machine, not the program");
}

static void put_times(struct nyt_out *o, const struct nyt_diff_view *v)
{
    const double same = 2;
    const nyt_diff_total *total = &v->d->totals[NYT_TOTAL_TIME];
    double percent = nyt_percent(total->before, total->after);
    nyt_out_text(o, "No difference in work: all counts are equal");
    if (v->work.factor != 1) {
        nyt_out_text(o, "; ");
        put_factor(o, v->work.factor);
    } else if (isfinite(percent) && fabs(percent) > same) {
        nyt_out_text(o, "; times alone moved (total ");
        nyt_out_signed(o, 0, 1, percent);
        nyt_out_text(o, "%)");
    }
    nyt_out_text(o, ".");
}

/* ---- Text ---- */

/* So many are shown: of calls, then of lines. */
static size_t shown_of(const struct nyt_work *w, nyt_diff_kind kind, size_t most)
{
    size_t n = 0;
    for (size_t i = 0; i < w->count && n < most; i++)
        n += w->list[i].kind == kind;
    return n;
}

static void put_items(struct nyt_out *o, const struct nyt_diff_view *v, nyt_diff_kind kind,
                      const char *before)
{
    size_t left = shown_of(&v->work, kind, SHOWN);
    for (size_t i = 0; i < v->work.count && left; i++) {
        if (v->work.list[i].kind != kind)
            continue;
        nyt_out_text(o, before);
        put_item(o, v, &v->work.list[i]);
        nyt_out_text(o, "\n");
        left--;
    }
}

static double spread_of(double least, double most)
{
    return least > 0 ? 100 * (most - least) / least : 0;
}

static void put_runs(struct nyt_out *o, const struct nyt_diff_view *v)
{
    const nyt_diff_total *t = &v->d->totals[NYT_TOTAL_TIME];
    nyt_out_format(
        o, "Times are the %s of %zu and %zu runs; the totals spread by %.1f%% and %.1f%%.\n",
        v->d->take == NYT_TAKE_MEDIAN ? "medians" : "least", v->d->runs[0], v->d->runs[1],
        spread_of(t->before_least, t->before_most), spread_of(t->after_least, t->after_most));
}

void nyt_diff_work_text(struct nyt_out *o, const struct nyt_diff_view *v, const char *before)
{
    put_items(o, v, NYT_DIFF_EDGES, before);
    put_items(o, v, NYT_DIFF_LINES, before);
    if (!v->work.differs) {
        nyt_out_text(o, before);
        put_times(o, v);
        nyt_out_text(o, "\n");
    } else if (v->work.factor != 1) {
        nyt_out_text(o, before);
        nyt_out_text(o, "Where counts are equal, ");
        put_factor(o, v->work.factor);
        nyt_out_text(o, ".\n");
    }
    if (v->d->runs[0] + v->d->runs[1] > 2)
        put_runs(o, v);
}

/* ---- GitHub ---- */

/* In a workflow command some characters do not stand for themselves: more in its properties. */
static void put_escaped(struct nyt_out *o, const char *special, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (strchr(special, text[i]) && text[i])
            nyt_out_format(o, "%%%02X", (unsigned char)text[i]);
        else
            nyt_out_bytes(o, text + i, 1);
    }
}

static int keep_escaped(void *ctx, const void *data, size_t len)
{
    put_escaped(ctx, "%\r\n", data, len);
    return NYT_OK;
}

static void put_annotation(struct nyt_out *o, const struct nyt_diff_view *v,
                           const struct nyt_work_item *item)
{
    struct nyt_short_path path = path_of(v, item);
    struct nyt_out *text = malloc(sizeof *text);
    if (!text && o->status == NYT_OK)
        o->status = NYT_ENOMEM;
    if (!text)
        return;
    nyt_out_format(o, "::%s ", item->change > 0 ? "warning" : "notice");
    if (!*path.prefix && item->half) {
        nyt_out_text(o, "file=");
        put_escaped(o, "%\r\n:,", path.rest.data, path.rest.len);
        nyt_out_format(o, ",line=%u", (unsigned)item->line);
    }
    nyt_out_text(o, "::");
    nyt_out_begin(text, keep_escaped, o);
    put_item(text, v, item);
    nyt_out_end(text, NULL);
    free(text);
    nyt_out_text(o, "\n");
}

void nyt_diff_work_annotations(struct nyt_out *o, const struct nyt_diff_view *v)
{
    for (size_t i = 0; i < v->work.count && i < ANNOTATIONS; i++)
        put_annotation(o, v, &v->work.list[i]);
    if (!v->work.differs) {
        nyt_out_text(o, "::notice ::");
        put_times(o, v);
        nyt_out_text(o, "\n");
    }
}

/* ---- JSON ---- */

static void json_item(struct nyt_json *j, const struct nyt_diff_view *v,
                      const struct nyt_work_item *item)
{
    const nyt_file *file = file_of(v, item);
    const nyt_diff_side *side = side_of(item);
    nyt_json_open(j, NULL, '{');
    nyt_json_text(j, "kind", item->kind == NYT_DIFF_EDGES ? "calls" : "line");
    nyt_json_whole(j, "count_change", item->change);
    nyt_json_optional(j, "file", file ? &file->name : NULL);
    nyt_json_count(j, "line", item->line);
    if (item->kind == NYT_DIFF_EDGES) {
        nyt_json_optional(j, "called", side->name);
        nyt_json_optional(j, "caller", side->caller);
    } else {
        nyt_json_optional(j, "source", side->name);
    }
    nyt_json_number(j, "inclusive_change", item->delta->after.incl - item->delta->before.incl);
    nyt_json_close(j, '}');
}

void nyt_diff_work_json(struct nyt_json *j, const struct nyt_diff_view *v)
{
    nyt_json_bool(j, "work_differs", v->work.differs);
    nyt_json_number(j, "machine_factor", v->work.factor);
    nyt_json_open(j, "work", '[');
    for (size_t i = 0; i < v->work.count; i++)
        json_item(j, v, &v->work.list[i]);
    nyt_json_close(j, ']');
}
