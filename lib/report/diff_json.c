/* A diff as one JSON object; docs/tools.md has its members. */
#include "report/diff_json.h"

#include "base/json.h"
#include "diff/condition.h"

#include <math.h>
#include <string.h>

static void put_member(struct nyt_out *o, const char *name)
{
    nyt_out_format(o, ",\"%s\":", name);
}

static void put_number(struct nyt_out *o, const char *name, double value)
{
    put_member(o, name);
    nyt_out_json_number(o, value);
}

static void put_whole(struct nyt_out *o, const char *name, int64_t value)
{
    put_member(o, name);
    nyt_out_format(o, "%lld", (long long)value);
}

/* null: there was nothing before. */
static void put_percent(struct nyt_out *o, double before, double after)
{
    double percent = nyt_percent(before, after);
    put_member(o, "percent");
    if (isfinite(percent))
        nyt_out_json_number(o, percent);
    else
        nyt_out_text(o, "null");
}

static void put_optional(struct nyt_out *o, const char *name, const nyt_str *s)
{
    put_member(o, name);
    if (s)
        nyt_out_json_str(o, *s);
    else
        nyt_out_text(o, "null");
}

static void put_profile(const struct nyt_diff_view *v, int s, const char *path)
{
    const nyt_profile *p = v->d->match.half[s].p;
    nyt_out_format(v->o, "\"complete\":%s,\"path\":", p->totals.complete ? "true" : "false");
    if (path)
        nyt_out_json_text(v->o, path);
    else
        nyt_out_text(v->o, "null");
    put_optional(v->o, "application", nyt_profile_attribute(p, "application"));
}

static void put_totals(const struct nyt_diff_view *v)
{
    struct nyt_out *o = v->o;
    nyt_out_text(o, ",\"totals\":{");
    for (int i = 0; i < NYT_TOTAL_OF_KINDS; i++) {
        const nyt_diff_total *t = &v->d->totals[i];
        nyt_out_format(o, "%s\"%s\":{\"unit\":\"%s\"", i ? "," : "", t->name,
                       t->is_time ? "s" : "count");
        put_number(o, "before", t->before);
        put_number(o, "after", t->after);
        put_number(o, "change", t->after - t->before);
        put_percent(o, t->before, t->after);
        nyt_out_text(o, "}");
    }
    nyt_out_text(o, "}");
}

static void put_options(const struct nyt_diff_view *v)
{
    const nyt_str *values[2];
    const char *name;
    size_t n = 0;
    nyt_out_text(v->o, ",\"options\":{");
    for (size_t at = 0; (name = nyt_diff_next_option(v->d, &at, values)) != NULL;) {
        nyt_out_format(v->o, "%s\"%s\":[", n++ ? "," : "", name);
        nyt_out_json_str(v->o, *values[0]);
        nyt_out_text(v->o, ",");
        nyt_out_json_str(v->o, *values[1]);
        nyt_out_text(v->o, "]");
    }
    nyt_out_text(v->o, "}");
}

/* ---- Lines, subs, calls ---- */

static void put_side(const struct nyt_diff_view *v, int kind, int s, const nyt_diff_side *side)
{
    struct nyt_out *o = v->o;
    const nyt_file *file = nyt_profile_file(v->d->match.half[s].p, side->fid);
    put_member(o, s ? "after" : "before");
    if (!side->there) {
        nyt_out_text(o, "null");
        return;
    }
    nyt_out_format(o, "{\"fid\":%u,\"line\":%u", (unsigned)side->fid, (unsigned)side->line);
    put_optional(o, "file", file ? &file->name : NULL);
    if (kind == NYT_DIFF_EDGES)
        put_optional(o, "caller", side->caller);
    put_optional(o, kind == NYT_DIFF_LINES ? "source" : kind == NYT_DIFF_SUBS ? "name" : "called",
                 side->name);
    put_whole(o, "count", side->count);
    put_number(o, "exclusive_seconds", side->excl);
    if (kind != NYT_DIFF_LINES)
        put_number(o, "inclusive_seconds", side->incl);
    nyt_out_text(o, "}");
}

static void put_delta(const struct nyt_diff_view *v, int kind, const nyt_delta *delta)
{
    static const char *const changes[] = {"new", "gone", "changed"};
    struct nyt_out *o = v->o;
    nyt_out_format(o, "{\"change\":\"%s\"", changes[nyt_delta_change(delta)]);
    put_side(v, kind, 0, &delta->before);
    put_side(v, kind, 1, &delta->after);
    put_whole(o, "count_change", nyt_delta_count(delta));
    put_number(o, "exclusive_change", delta->after.excl - delta->before.excl);
    if (kind != NYT_DIFF_LINES)
        put_number(o, "inclusive_change", delta->after.incl - delta->before.incl);
    put_percent(o, delta->before.excl, delta->after.excl);
    nyt_out_text(o, "}");
}

static void put_kind(const struct nyt_diff_view *v, int kind)
{
    static const char *const names[] = {[NYT_DIFF_LINES] = "lines", [NYT_DIFF_SUBS] = "subs",
                                        [NYT_DIFF_EDGES] = "calls"};
    const size_t *counts = v->changes[kind];
    nyt_out_format(v->o, ",\"%s\":{\"changed\":%zu,\"new\":%zu,\"gone\":%zu,\"list\":[",
                   names[kind], counts[2], counts[0], counts[1]);
    for (size_t i = 0; i < v->shown[kind]; i++) {
        nyt_out_text(v->o, i ? "," : "");
        put_delta(v, kind, v->ranked[kind][i]);
    }
    nyt_out_text(v->o, "]}");
}

static void put_conditions(const struct nyt_diff_view *v)
{
    nyt_out_text(v->o, ",\"conditions\":[");
    for (size_t i = 0; i < v->options->condition_count; i++) {
        nyt_str said = {.data = (const char *)v->said[i].data, .len = v->said[i].len};
        nyt_out_text(v->o, i ? ",{\"condition\":" : "{\"condition\":");
        nyt_out_json_text(v->o, v->options->conditions[i]);
        nyt_out_format(v->o, ",\"met\":%s", v->met[i] ? "true" : "false");
        put_optional(v->o, "text", &said);
        nyt_out_text(v->o, "}");
    }
    nyt_out_text(v->o, "]");
}

void nyt_diff_json(struct nyt_diff_view *v)
{
    nyt_out_text(v->o, "{\"schema\":1,\"before\":{");
    put_profile(v, 0, v->options->report.path);
    nyt_out_text(v->o, "},\"after\":{");
    put_profile(v, 1, v->options->path_after);
    nyt_out_text(v->o, "}");
    put_options(v);
    put_totals(v);
    for (int kind = 0; kind < NYT_DIFF_KINDS; kind++)
        put_kind(v, kind);
    put_conditions(v);
    nyt_out_text(v->o, "}\n");
}
