/*
 * The call graph in the language of Graphviz. A graph is to be looked at, so it has the subs with
 * the most inclusive time and, between these, the calls that took most; below the picture stands
 * what was left out.
 *
 * A node shows exclusive and inclusive time with their shares of all, and is the redder the more
 * exclusive time it has. The calls of one line are known together: where several subs made them,
 * each has a dashed edge with the figures of all.
 */
#include "nytprof.h"

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/str.h"
#include "base/text.h"
#include "base/utf8.h"
#include "export/export.h"
#include "model/profile.h"

#include <math.h>
#include <stdlib.h>

enum { TOP = 40, EDGES_PER_SUB = 2, LABEL_CHARS = 60 };

/* All calls of one sub by another. */
struct edge {
    uint32_t from, to;      /* indices of subs */
    uint64_t count;
    double seconds; /* inclusive */
};

struct dot {
    const nyt_profile *p;
    struct nyt_out *o;
    size_t top;
    double total;           /* exclusive seconds of all subs */
    const nyt_sub **ranked; /* those that were called, most inclusive time first */
    size_t called, shown;
    bool *taken;        /* by sub */
    struct edge *edges; /* between subs that are taken */
    size_t edge_count, edge_cap, edges_shown;
    struct nyt_map edge_of;    /* from and to -> edge */
    struct nyt_names packages; /* whose numbers clusters have */
    struct nyt_buf text;
    bool failed; /* out of memory */
};

/* ---- What is drawn ---- */

static double number(double value)
{
    return isfinite(value) ? value : 0;
}

static int by_inclusive_time(const void *left, const void *right)
{
    const nyt_sub *a = *(const nyt_sub *const *)left, *b = *(const nyt_sub *const *)right;
    int c = NYT_COMPARE(number(b->incl), number(a->incl));
    return c ? c : NYT_COMPARE(a, b);
}

static void choose_subs(struct dot *d)
{
    for (size_t i = 0; i < d->p->sub_count; i++) {
        const nyt_sub *sub = &d->p->subs[i];
        if (!sub->calls)
            continue;
        d->ranked[d->called++] = sub;
        d->total += number(sub->excl);
    }
    qsort(d->ranked, d->called, sizeof *d->ranked, by_inclusive_time);
    d->shown = d->called < d->top ? d->called : d->top;
    for (size_t i = 0; i < d->shown; i++)
        d->taken[d->ranked[i] - d->p->subs] = true;
}

static bool add_edge(struct dot *d, const nyt_call *call, const nyt_sub *caller)
{
    bool is_new;
    uint32_t from = (uint32_t)(caller - d->p->subs), to = (uint32_t)(call->called - d->p->subs);
    uint32_t *at = nyt_map_take(&d->edge_of, nyt_pair_key(from, to), &is_new);
    if (!at || (is_new && !NYT_ROOM_FOR_ONE(d->edges, d->edge_count, d->edge_cap)))
        return false;
    if (is_new) {
        *at = (uint32_t)d->edge_count;
        d->edges[d->edge_count++] = (struct edge){.from = from, .to = to};
    }
    struct edge *edge = &d->edges[*at];
    edge->count += call->count;
    edge->seconds += number(call->incl);
    return true;
}

static bool add_call(struct dot *d, const nyt_call *call)
{
    const nyt_sub *caller = nyt_profile_sub(d->p, call->caller);
    bool wanted = call->count && caller && d->taken[caller - d->p->subs];
    return !wanted || add_edge(d, call, caller);
}

static int by_time(const void *left, const void *right)
{
    const struct edge *a = left, *b = right;
    if (a->seconds != b->seconds)
        return NYT_COMPARE(b->seconds, a->seconds);
    return a->from != b->from ? NYT_COMPARE(a->from, b->from) : NYT_COMPARE(a->to, b->to);
}

static void choose_edges(struct dot *d)
{
    size_t most = d->shown * EDGES_PER_SUB;
    for (size_t i = 0; !d->failed && i < d->p->call_count; i++)
        if (d->taken[d->p->calls[i].called - d->p->subs])
            d->failed |= !add_call(d, &d->p->calls[i]);
    if (d->edge_count)
        qsort(d->edges, d->edge_count, sizeof *d->edges, by_time);
    d->edges_shown = d->edge_count < most ? d->edge_count : most;
}

/* ---- Text ---- */

/* In a quoted string a backslash begins an escape, and & an entity. */
static const char *escape_of(char c)
{
    return c == '"' ? "\\\"" : c == '\\' ? "\\\\" : c == '&' ? "&amp;" : NULL;
}

static void put_quoted(struct dot *d, size_t limit)
{
    size_t chars = 0;
    for (size_t i = 0; i < d->text.len; i++) {
        char c = (char)d->text.data[i];
        bool begins = (c & 0xC0) != 0x80;
        if (begins && limit && chars++ == limit) {
            nyt_out_text(d->o, "...");
            return;
        }
        if (escape_of(c))
            nyt_out_text(d->o, escape_of(c));
        else
            nyt_out_bytes(d->o, &c, 1);
    }
}

/* At most `limit` characters (0: all) between quotes. */
static void put_text(struct dot *d, nyt_str text, size_t limit)
{
    d->text.len = 0;
    d->failed |= !nyt_buf_utf8(&d->text, text, "\t");
    put_quoted(d, limit);
}

static void put_time(struct dot *d, double seconds)
{
    nyt_out_time(d->o, number(seconds), 0);
}

/* 0 to 1. */
static double share_of(const struct dot *d, double seconds)
{
    double share = d->total > 0 ? seconds / d->total : 0;
    return share > 0 ? fmin(share, 1) : 0;
}

static void put_share(struct dot *d, double seconds)
{
    put_time(d, seconds);
    nyt_out_text(d->o, " (");
    nyt_out_fixed(d->o, 0, 1, share_of(d, seconds) * 100);
    nyt_out_text(d->o, " %)");
}

/* ---- Nodes ---- */

static nyt_str package_of(const nyt_sub *sub)
{
    return (nyt_str){.data = sub->name.data, .len = sub->package_len};
}

/* The name within its package. */
static nyt_str own_name(const nyt_sub *sub)
{
    size_t at = sub->package_len;
    while (at && at < sub->name.len && sub->name.data[at] == ':')
        at++;
    return (nyt_str){.data = sub->name.data + at, .len = sub->name.len - at};
}

static void put_tooltip(struct dot *d, const nyt_sub *sub)
{
    const nyt_file *file = nyt_profile_file(d->p, sub->fid);
    nyt_out_text(d->o, " tooltip=\"");
    put_text(d, sub->name, 0);
    if (file) {
        nyt_out_text(d->o, "\\n");
        put_text(d, file->name, 0);
        if (sub->first)
            nyt_out_format(d->o, ":%u", (unsigned)sub->first);
    }
    nyt_out_text(d->o, "\"");
}

static void put_node(struct dot *d, const nyt_sub *sub)
{
    nyt_out_format(d->o, "    s%zu [label=\"", (size_t)(sub - d->p->subs));
    put_text(d, own_name(sub), LABEL_CHARS);
    nyt_out_text(d->o, "\\nexclusive ");
    put_share(d, sub->excl);
    nyt_out_text(d->o, "\\ninclusive ");
    put_share(d, sub->incl);
    nyt_out_text(d->o, "\\n");
    nyt_out_count(d->o, (int64_t)sub->calls, 0);
    nyt_out_text(d->o, sub->calls == 1 ? " call\" fillcolor=\"0 " : " calls\" fillcolor=\"0 ");
    nyt_out_fixed(d->o, 0, 3, sqrt(share_of(d, sub->excl)));    /* small ones show, too */
    nyt_out_text(d->o, " 1\"");
    put_tooltip(d, sub);
    nyt_out_text(d->o, "];\n");
}

static void begin_package(struct dot *d, nyt_str package)
{
    uint32_t id = nyt_names_take(&d->packages, package);
    d->failed |= id == NYT_NONE;
    nyt_out_format(d->o, "  subgraph cluster_%u {\n    label=\"", (unsigned)id);
    put_text(d, package, LABEL_CHARS);
    nyt_out_text(d->o, "\";\n");
}

/* By name, so that most packages come in one piece; pieces of one name are drawn as one. */
static void put_nodes(struct dot *d)
{
    nyt_str open = {0};
    for (size_t i = 0; i < d->p->sub_count; i++) {
        const nyt_sub *sub = &d->p->subs[i];
        nyt_str package = package_of(sub);
        if (!d->taken[i])
            continue;
        if (nyt_str_compare(open, package) != 0) {
            nyt_out_text(d->o, open.len ? "  }\n" : "");
            if (package.len)
                begin_package(d, package);
        }
        open = package;
        put_node(d, sub);
    }
    nyt_out_text(d->o, open.len ? "  }\n" : "");
}

/* ---- Edges ---- */

static void put_edge(struct dot *d, const struct edge *edge)
{
    nyt_out_format(d->o, "  s%u -> s%u [label=\"", (unsigned)edge->from, (unsigned)edge->to);
    nyt_out_count(d->o, (int64_t)edge->count, 0);
    nyt_out_text(d->o, "\\n");
    put_time(d, edge->seconds);
    nyt_out_text(d->o, "\" penwidth=");
    nyt_out_fixed(d->o, 0, 2, 0.5 + 4 * share_of(d, edge->seconds));
    nyt_out_text(d->o, "];\n");
}

/* ---- The file ---- */

/* Program and what is not in the picture, below it. */
static void put_caption(struct dot *d)
{
    const nyt_str *name = nyt_profile_attribute(d->p, "application");
    double left_out = 0;
    for (size_t i = d->shown; i < d->called; i++)
        left_out += number(d->ranked[i]->excl);
    if (name)
        put_text(d, *name, 200);
    else
        nyt_out_text(d->o, "profile");
    nyt_out_text(d->o, ": ");
    put_time(d, d->total);
    nyt_out_format(d->o, "\\n%zu of %zu subs", d->shown, d->called);
    if (d->shown < d->called) {
        nyt_out_text(d->o, "; the others took ");
        put_share(d, left_out);
        nyt_out_text(d->o, " themselves");
    }
    nyt_out_format(d->o, "\\n%zu of %zu edges between them", d->edges_shown, d->edge_count);
}

static void put_all(struct dot *d)
{
    nyt_out_text(d->o, "digraph profile {\n  label=\"");
    put_caption(d);
    nyt_out_text(d->o, "\";\n  charset=\"UTF-8\";\n"
                       "  node [shape=box style=filled fontname=\"sans-serif\" fontsize=11];\n"
                       "  edge [fontname=\"sans-serif\" fontsize=9];\n");
    put_nodes(d);
    for (size_t i = 0; i < d->edges_shown; i++)
        put_edge(d, &d->edges[i]);
    nyt_out_text(d->o, "}\n");
}

int nyt_export_dot(const nyt_profile *p, nyt_limit *limit, nyt_write_fn write, void *ctx,
                   nyt_error *err)
{
    struct dot d = {.p = p,
                    .top = limit && limit->top ? limit->top : TOP,
                    .o = malloc(sizeof *d.o),
                    .ranked = calloc(p->sub_count + 1, sizeof *d.ranked),
                    .taken = calloc(p->sub_count + 1, sizeof *d.taken)};
    int rc = NYT_OK;
    d.failed = !d.o || !d.ranked || !d.taken;
    nyt_limit_begin(limit);
    nyt_limit_shown(limit, nyt_shown_of_calls(p));
    if (!d.failed) {
        nyt_out_begin(d.o, write, ctx);
        choose_subs(&d);
        choose_edges(&d);
        put_all(&d);
        rc = nyt_out_end(d.o, err);
    }
    free(d.o);
    free(d.ranked);
    free(d.taken);
    free(d.edges);
    nyt_map_free(&d.edge_of);
    nyt_names_free(&d.packages);
    nyt_buf_free(&d.text);
    return d.failed ? nyt_fail(err, NYT_ENOMEM, "out of memory") : rc;
}
