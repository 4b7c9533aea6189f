/* A diff as one JSON object; docs/tools.md has its members. */
#include "report/diff_json.h"

#include "base/json.h"
#include "diff/condition.h"
#include "report/diff_work.h"

#include <math.h>

/* null: there was nothing before. */
static void put_percent(struct nyt_json *j, double before, double after)
{
    double percent = nyt_percent(before, after);
    if (isfinite(percent))
        nyt_json_number(j, "percent", percent);
    else
        nyt_json_null(j, "percent");
}

static void put_profile(struct nyt_json *j, const struct nyt_diff_view *v, int s, const char *path)
{
    const nyt_profile *p = v->d->match.half[s].p;
    nyt_json_open(j, s ? "after" : "before", '{');
    nyt_json_bool(j, "complete", p->totals.complete);
    nyt_json_bool(j, "snapshot", p->totals.snapshot);
    if (path)
        nyt_json_text(j, "path", path);
    else
        nyt_json_null(j, "path");
    nyt_json_optional(j, "application", nyt_profile_attribute(p, "application"));
    nyt_json_close(j, '}');
}

/* Of several runs. */
static void put_spread(struct nyt_json *j, const nyt_diff_total *t)
{
    nyt_json_open(j, "before_range", '[');
    nyt_json_number(j, NULL, t->before_least);
    nyt_json_number(j, NULL, t->before_most);
    nyt_json_close(j, ']');
    nyt_json_open(j, "after_range", '[');
    nyt_json_number(j, NULL, t->after_least);
    nyt_json_number(j, NULL, t->after_most);
    nyt_json_close(j, ']');
}

static void put_totals(struct nyt_json *j, const struct nyt_diff_view *v)
{
    nyt_json_open(j, "totals", '{');
    for (int i = 0; i < NYT_TOTAL_OF_KINDS; i++) {
        const nyt_diff_total *t = &v->d->totals[i];
        nyt_json_open(j, t->name, '{');
        nyt_json_text(j, "unit", t->is_time ? "s" : "count");
        nyt_json_number(j, "before", t->before);
        nyt_json_number(j, "after", t->after);
        nyt_json_number(j, "change", t->after - t->before);
        put_percent(j, t->before, t->after);
        if (t->is_time && v->d->runs[0] + v->d->runs[1] > 2)
            put_spread(j, t);
        nyt_json_close(j, '}');
    }
    nyt_json_close(j, '}');
}

static void put_options(struct nyt_json *j, const struct nyt_diff_view *v)
{
    const nyt_str *values[2];
    const char *name;
    nyt_json_open(j, "options", '{');
    for (size_t at = 0; (name = nyt_diff_next_option(v->d, &at, values)) != NULL;) {
        nyt_json_open(j, name, '[');
        nyt_json_str(j, NULL, *values[0]);
        nyt_json_str(j, NULL, *values[1]);
        nyt_json_close(j, ']');
    }
    nyt_json_close(j, '}');
}

/* ---- Lines, subs, calls ---- */

static void put_side(struct nyt_json *j, const struct nyt_diff_view *v, int kind, int s,
                     const nyt_diff_side *side)
{
    const nyt_file *file = nyt_profile_file(v->d->match.half[s].p, side->fid);
    const char *key = s ? "after" : "before";
    if (!side->there) {
        nyt_json_null(j, key);
        return;
    }
    nyt_json_open(j, key, '{');
    nyt_json_count(j, "fid", side->fid);
    nyt_json_count(j, "line", side->line);
    nyt_json_optional(j, "file", file ? &file->name : NULL);
    if (kind == NYT_DIFF_EDGES)
        nyt_json_optional(j, "caller", side->caller);
    nyt_json_optional(j,
                      kind == NYT_DIFF_LINES  ? "source"
                      : kind == NYT_DIFF_SUBS ? "name"
                                              : "called",
                      side->name);
    nyt_json_whole(j, "count", side->count);
    nyt_json_number(j, "exclusive_seconds", side->excl);
    nyt_json_number(j, "inclusive_seconds", side->incl);
    if (side->shared)
        nyt_json_bool(j, "shared", true);
    nyt_json_close(j, '}');
}

static void put_delta(struct nyt_json *j, const struct nyt_diff_view *v, int kind,
                      const nyt_delta *delta)
{
    static const char *const changes[] = {"new", "gone", "changed"};
    nyt_json_open(j, NULL, '{');
    nyt_json_text(j, "change", changes[nyt_delta_change(delta)]);
    put_side(j, v, kind, 0, &delta->before);
    put_side(j, v, kind, 1, &delta->after);
    nyt_json_whole(j, "count_change", nyt_delta_count(delta));
    nyt_json_number(j, "exclusive_change", delta->after.excl - delta->before.excl);
    nyt_json_number(j, "inclusive_change", delta->after.incl - delta->before.incl);
    put_percent(j, delta->before.excl, delta->after.excl);
    nyt_json_close(j, '}');
}

static void put_kind(struct nyt_json *j, const struct nyt_diff_view *v, int kind)
{
    static const char *const names[] = {
        [NYT_DIFF_LINES] = "lines", [NYT_DIFF_SUBS] = "subs", [NYT_DIFF_EDGES] = "calls"};
    const size_t *counts = v->changes[kind];
    nyt_json_open(j, names[kind], '{');
    nyt_json_count(j, "changed", counts[2]);
    nyt_json_count(j, "new", counts[0]);
    nyt_json_count(j, "gone", counts[1]);
    nyt_json_open(j, "list", '[');
    for (size_t i = 0; i < v->shown[kind]; i++)
        put_delta(j, v, kind, v->ranked[kind][i]);
    nyt_json_close(j, ']');
    nyt_json_close(j, '}');
}

static void put_conditions(struct nyt_json *j, const struct nyt_diff_view *v)
{
    nyt_json_open(j, "conditions", '[');
    for (size_t i = 0; i < v->options->condition_count; i++) {
        nyt_str said = {.data = (const char *)v->said[i].data, .len = v->said[i].len};
        nyt_json_open(j, NULL, '{');
        nyt_json_text(j, "condition", v->options->conditions[i]);
        nyt_json_bool(j, "met", v->met[i]);
        nyt_json_str(j, "text", said);
        nyt_json_close(j, '}');
    }
    nyt_json_close(j, ']');
}

void nyt_diff_json(struct nyt_diff_view *v)
{
    struct nyt_json j = {.o = v->o};
    nyt_json_open(&j, NULL, '{');
    nyt_json_count(&j, "schema", 1);
    put_profile(&j, v, 0, v->options->report.path);
    put_profile(&j, v, 1, v->options->path_after);
    put_options(&j, v);
    nyt_diff_work_json(&j, v);
    put_totals(&j, v);
    for (int kind = 0; kind < NYT_DIFF_KINDS; kind++)
        put_kind(&j, v, kind);
    put_conditions(&j, v);
    nyt_json_close(&j, '}');
    nyt_out_text(v->o, "\n");
}
