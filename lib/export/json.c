/*
 * The profile as one JSON object for programs; docs/tools.md has its members. Names tell
 * units, lists are sorted as the profile's are, and nothing must be looked up by number but files.
 *
 * A limit leaves out lines and paths; a path that is written brings those above it.
 */
#include "nytprof.h"

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "export/export.h"
#include "model/profile.h"

#include <stdlib.h>

struct json {
    const nyt_profile *p;
    struct nyt_out    *o, *measure;
    uint64_t           measured;        /* bytes, with what `measure` still holds */
    const nyt_line    *lines;
    size_t             line_count;
    bool              *wanted;          /* nodes, then lines */
    uint32_t          *index_of;        /* node -> place in "paths" */
    bool               comma;
};

/* ---- Values ---- */

static void separate(struct json *j)
{
    nyt_out_text(j->o, j->comma ? "," : "");
    j->comma = true;
}

static void open_with(struct json *j, const char *bracket)
{
    nyt_out_text(j->o, bracket);
    j->comma = false;
}

static void close_with(struct json *j, const char *bracket)
{
    nyt_out_text(j->o, bracket);
    j->comma = true;
}

static void put_key(struct json *j, const char *name)
{
    separate(j);
    nyt_out_format(j->o, "\"%s\":", name);
}

static void put_number(struct json *j, const char *name, double value)
{
    put_key(j, name);
    nyt_out_json_number(j->o, value);
}

static void put_whole(struct json *j, const char *name, int64_t value)
{
    put_key(j, name);
    nyt_out_format(j->o, "%lld", (long long)value);
}

static void put_bool(struct json *j, const char *name, bool value)
{
    put_key(j, name);
    nyt_out_text(j->o, value ? "true" : "false");
}

static void put_str(struct json *j, const char *name, nyt_str value)
{
    put_key(j, name);
    nyt_out_json_str(j->o, value);
}

static void begin_item(struct json *j)
{
    separate(j);
    open_with(j, "\n{");
}

static void begin_list(struct json *j, const char *name)
{
    nyt_out_text(j->o, ",\n");
    j->comma = false;
    put_key(j, name);
    open_with(j, "[");
}

/* ---- What is always written ---- */

static void put_pairs(struct json *j, const char *name, const nyt_pair *pairs, size_t n)
{
    put_key(j, name);
    open_with(j, "{");
    for (size_t i = 0; i < n; i++) {
        if (!pairs[i].value.data)
            continue;
        separate(j);
        nyt_out_json_str(j->o, pairs[i].key);
        nyt_out_text(j->o, ":");
        nyt_out_json_str(j->o, pairs[i].value);
    }
    close_with(j, "}");
}

static void put_totals(struct json *j)
{
    const nyt_totals *t = &j->p->totals;
    put_whole(j, "schema", 1);
    put_bool(j, "complete", t->complete);
    put_whole(j, "ticks_per_second", t->ticks_per_sec);
    put_number(j, "duration_seconds", t->duration);
    put_number(j, "active_seconds", t->active);
    put_number(j, "statement_seconds", t->statement_time);
    put_whole(j, "statement_count", (int64_t)nyt_counted_statements(t));
    put_whole(j, "call_count", (int64_t)t->calls);
    put_pairs(j, "attributes", j->p->attributes.list, j->p->attributes.count);
    put_pairs(j, "options", j->p->options.list, j->p->options.count);
}

static void put_processes(struct json *j)
{
    begin_list(j, "processes");
    for (size_t i = 0; i < j->p->process_count; i++) {
        const nyt_process *process = &j->p->processes[i];
        begin_item(j);
        put_whole(j, "id", process->pid);
        put_whole(j, "parent_id", process->parent);
        put_number(j, "start_epoch_seconds", process->start);
        if (process->ended)
            put_number(j, "end_epoch_seconds", process->end);
        close_with(j, "}");
    }
    close_with(j, "]");
}

static void put_files(struct json *j)
{
    begin_list(j, "files");
    for (size_t i = 0; i < j->p->file_count; i++) {
        const nyt_file *file = &j->p->files[i];
        if (file->merged_into)
            continue;
        begin_item(j);
        put_whole(j, "fid", file->fid);
        put_str(j, "name", file->name);
        if (file->is_eval) {
            put_whole(j, "eval_fid", file->eval_fid);
            put_whole(j, "eval_line", file->eval_line);
        }
        close_with(j, "}");
    }
    close_with(j, "]");
}

static void put_times(struct json *j, double incl, double excl, double reci, uint32_t depth)
{
    put_number(j, "inclusive_seconds", incl);
    put_number(j, "exclusive_seconds", excl);
    put_number(j, "recursive_seconds", reci);
    put_whole(j, "recursion_depth", depth);
}

static void put_subs(struct json *j)
{
    static const nyt_str kinds[] = {
        [NYT_KIND_CODE] = {.data = "code", .len = 4},
        [NYT_KIND_XSUB] = {.data = "c", .len = 1},
        [NYT_KIND_OPCODE] = {.data = "opcode", .len = 6},
    };
    begin_list(j, "subs");
    for (size_t i = 0; i < j->p->sub_count; i++) {
        const nyt_sub *sub = &j->p->subs[i];
        begin_item(j);
        put_str(j, "name", sub->name);
        put_str(j, "kind", kinds[sub->kind]);
        put_whole(j, "fid", sub->fid);
        put_whole(j, "first_line", sub->first);
        put_whole(j, "last_line", sub->last);
        put_whole(j, "call_count", (int64_t)sub->calls);
        put_times(j, sub->incl, sub->excl, sub->reci, sub->depth);
        close_with(j, "}");
    }
    close_with(j, "]");
}

static void put_call(struct json *j, const nyt_call *call)
{
    begin_item(j);
    put_str(j, "called", call->called->name);
    put_whole(j, "fid", call->fid);
    put_whole(j, "line", call->line);
    put_key(j, "callers");
    open_with(j, "[");
    for (size_t i = 0; i < call->by_len; i++) {
        separate(j);
        nyt_out_json_str(j->o, call->by[i]);
    }
    close_with(j, "]");
    put_whole(j, "call_count", (int64_t)call->count);
    put_times(j, call->incl, call->excl, call->reci, call->depth);
    close_with(j, "}");
}

static void put_fixed(struct json *j)
{
    open_with(j, "{");
    put_totals(j);
    put_processes(j);
    put_files(j);
    put_subs(j);
    begin_list(j, "calls");
    for (size_t i = 0; i < j->p->call_count; i++)
        put_call(j, &j->p->calls[i]);
    close_with(j, "]");
}

/* ---- Lines and paths ---- */

static void put_line(struct json *j, const nyt_line *line)
{
    const nyt_str *source = nyt_profile_source_line(j->p, line->fid, line->line);
    begin_item(j);
    put_whole(j, "fid", line->fid);
    put_whole(j, "line", line->line);
    put_whole(j, "count", line->count);
    put_number(j, "exclusive_seconds", line->time);
    if (source)
        put_str(j, "source", *source);
    close_with(j, "}");
}

/* Parents come first, so that their places are known. */
static void put_path(struct json *j, uint32_t node, uint32_t index)
{
    const nyt_node *n = &j->p->nodes[node];
    begin_item(j);
    put_key(j, "parent");
    if (n->parent)
        nyt_out_format(j->o, "%u", (unsigned)j->index_of[n->parent]);
    else
        nyt_out_text(j->o, "null");
    put_str(j, "sub", n->name.len ? n->name : nyt_unreturned);
    put_number(j, "inclusive_seconds", nyt_seconds_of(j->p, n->incl));
    put_number(j, "exclusive_seconds", nyt_seconds_of(j->p, n->excl));
    close_with(j, "}");
    j->index_of[node] = index;
}

static bool is_merged(const struct json *j, const nyt_line *line)
{
    const nyt_file *file = nyt_profile_file(j->p, line->fid);
    return file && file->merged_into;
}

static void put_lines(struct json *j, nyt_limit *limit)
{
    begin_list(j, "lines");
    for (size_t i = 0; i < j->line_count; i++) {
        if (is_merged(j, &j->lines[i]))
            continue;
        if (j->wanted[j->p->node_count + i])
            put_line(j, &j->lines[i]);
        else
            nyt_limit_left_out_line(limit);
    }
    close_with(j, "]");
}

static void put_paths(struct json *j, nyt_limit *limit)
{
    uint32_t index = 0;
    begin_list(j, "paths");
    for (uint32_t i = 1; i < j->p->node_count; i++) {
        if (j->wanted[i])
            put_path(j, i, index++);
        else
            nyt_limit_left_out(limit, nyt_seconds_of(j->p, j->p->nodes[i].excl));
    }
    close_with(j, "]");
}

/* ---- Limits ---- */

static double item_seconds(void *ctx, size_t item)
{
    const struct json *j = ctx;
    return item < j->p->node_count ? nyt_seconds_of(j->p, j->p->nodes[item].excl)
                                   : j->lines[item - j->p->node_count].time;
}

/* Writes to `measure` for a while. */
static uint64_t begin_measure(struct json *j, struct nyt_out **real)
{
    *real = j->o;
    j->o = j->measure;
    return j->measured + j->measure->len;
}

static uint64_t end_measure(struct json *j, struct nyt_out *real, uint64_t before)
{
    j->o = real;
    return j->measured + j->measure->len - before;
}

enum { LIST_BYTES = 40, INDEX_BYTES = 12 };     /* around "lines" and "paths"; at most */

static uint64_t fixed_bytes(struct json *j)
{
    struct nyt_out *real;
    uint64_t before = begin_measure(j, &real);
    put_fixed(j);
    return end_measure(j, real, before) + LIST_BYTES;
}

/* A path is measured with the place 0 of its parent. */
static uint64_t item_bytes(void *ctx, size_t item)
{
    struct json *j = ctx;
    struct nyt_out *real;
    uint64_t before = begin_measure(j, &real), places = 0;
    if (item >= j->p->node_count) {
        put_line(j, &j->lines[item - j->p->node_count]);
        return end_measure(j, real, before);
    }
    for (; !j->wanted[item]; item = j->p->nodes[item].parent, places += INDEX_BYTES)
        put_path(j, (uint32_t)item, 0);
    return end_measure(j, real, before) + places;
}

static void want_item(void *ctx, size_t item)
{
    struct json *j = ctx;
    if (item >= j->p->node_count)
        j->wanted[item] = true;
    else
        for (; !j->wanted[item]; item = j->p->nodes[item].parent)
            j->wanted[item] = true;
}

/* The root is no path, but it ends every way up. */
static bool choose(struct json *j, nyt_limit *limit)
{
    struct nyt_chooser chooser = {.ctx = j, .n = j->p->node_count + j->line_count,
                                  .value = item_seconds, .cost = item_bytes, .take = want_item};
    uint64_t fixed = nyt_is_limited(limit) ? fixed_bytes(j) : 0;
    j->wanted[0] = true;
    return nyt_choose(&chooser, fixed, limit);
}

int nyt_export_json(const nyt_profile *p, nyt_limit *limit, nyt_write_fn write, void *ctx,
                    nyt_error *err)
{
    struct json j = {.p = p, .o = malloc(sizeof *j.o), .measure = malloc(sizeof *j.measure)};
    j.lines = nyt_profile_all_lines(p, NYT_LEVEL_LINE, &j.line_count);
    j.wanted = calloc(p->node_count + j.line_count, sizeof *j.wanted);
    j.index_of = calloc(p->node_count, sizeof *j.index_of);
    bool ok = j.o && j.measure && j.wanted && j.index_of;
    int rc = NYT_OK;
    nyt_limit_begin(limit);
    if (ok) {
        nyt_out_begin(j.o, write, ctx);
        nyt_out_begin(j.measure, nyt_count_bytes, &j.measured);
        ok = choose(&j, limit);
    }
    if (ok) {
        put_fixed(&j);
        put_lines(&j, limit);
        put_paths(&j, limit);
        nyt_out_text(j.o, "}\n");
        rc = nyt_out_end(j.o, err);
    }
    free(j.o);
    free(j.measure);
    free(j.wanted);
    free(j.index_of);
    return ok ? rc : nyt_fail(err, NYT_ENOMEM, "out of memory");
}
