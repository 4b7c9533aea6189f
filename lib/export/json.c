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
#include "export/paths.h"
#include "model/awaits.h"

#include <stdlib.h>

struct json {
    const nyt_profile *p;
    struct nyt_paths paths;
    struct nyt_json w; /* what is written, and where to */
    struct nyt_out *o, *measure;
    uint64_t measured; /* bytes, with what `measure` still holds */
    const nyt_line *lines;
    size_t line_count;
    double left_out; /* ticks of no path that is written */
    bool *wanted;       /* paths, then lines */
    uint32_t *index_of; /* path -> place in "paths" */
};

/* ---- Values ---- */

static void begin_item(struct json *j)
{
    nyt_json_line(&j->w);
    nyt_json_open(&j->w, NULL, '{');
}

static void end_item(struct json *j)
{
    nyt_json_close(&j->w, '}');
}

static void begin_list(struct json *j, const char *name)
{
    nyt_json_line(&j->w);
    nyt_json_open(&j->w, name, '[');
}

static void end_list(struct json *j)
{
    nyt_json_close(&j->w, ']');
}

/* ---- What is always written ---- */

static void put_pairs(struct json *j, const char *name, const struct nyt_pairs *pairs)
{
    nyt_json_open(&j->w, name, '{');
    for (size_t i = 0; i < pairs->count; i++) {
        if (!pairs->list[i].value.data)
            continue;
        nyt_json_key(&j->w, pairs->list[i].key);
        nyt_json_str(&j->w, NULL, pairs->list[i].value);
    }
    nyt_json_close(&j->w, '}');
}

static void put_totals(struct json *j)
{
    const nyt_totals *t = &j->p->totals;
    nyt_json_whole(&j->w, "schema", 1);
    nyt_json_bool(&j->w, "complete", t->complete);
    nyt_json_bool(&j->w, "snapshot", t->snapshot);
    nyt_json_whole(&j->w, "ticks_per_second", t->ticks_per_sec);
    nyt_json_number(&j->w, "duration_seconds", t->duration);
    nyt_json_number(&j->w, "active_seconds", t->active);
    nyt_json_number(&j->w, "statement_seconds", t->statement_time);
    nyt_json_whole(&j->w, "statement_count", (int64_t)nyt_counted_statements(t));
    if (j->p->sectioned)
        nyt_json_null(&j->w, "call_count");
    else
        nyt_json_whole(&j->w, "call_count", (int64_t)t->calls);
    put_pairs(j, "attributes", &j->p->attributes);
    put_pairs(j, "options", &j->p->options);
}

static void put_processes(struct json *j)
{
    begin_list(j, "processes");
    for (size_t i = 0; i < j->p->process_count; i++) {
        const nyt_process *process = &j->p->processes[i];
        begin_item(j);
        nyt_json_whole(&j->w, "id", process->pid);
        nyt_json_whole(&j->w, "parent_id", process->parent);
        if (process->process)
            nyt_json_whole(&j->w, "process_id", process->process);
        nyt_json_number(&j->w, "start_epoch_seconds", process->start);
        if (process->ended)
            nyt_json_number(&j->w, "end_epoch_seconds", process->end);
        end_item(j);
    }
    end_list(j);
}

static void put_files(struct json *j)
{
    begin_list(j, "files");
    for (size_t i = 0; i < j->p->file_count; i++) {
        const nyt_file *file = &j->p->files[i];
        if (file->merged_into)
            continue;
        begin_item(j);
        nyt_json_whole(&j->w, "fid", file->fid);
        nyt_json_str(&j->w, "name", file->name);
        if (file->is_eval) {
            nyt_json_whole(&j->w, "eval_fid", file->eval_fid);
            nyt_json_whole(&j->w, "eval_line", file->eval_line);
        }
        end_item(j);
    }
    end_list(j);
}

static void put_times(struct json *j, double incl, double excl, double reci, uint32_t depth)
{
    nyt_json_number(&j->w, "inclusive_seconds", incl);
    nyt_json_number(&j->w, "exclusive_seconds", excl);
    nyt_json_number(&j->w, "recursive_seconds", reci);
    nyt_json_whole(&j->w, "recursion_depth", depth);
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
        nyt_json_str(&j->w, "name", sub->name);
        nyt_json_str(&j->w, "kind", kinds[sub->kind]);
        nyt_json_whole(&j->w, "fid", sub->fid);
        nyt_json_whole(&j->w, "first_line", sub->first);
        nyt_json_whole(&j->w, "last_line", sub->last);
        nyt_json_whole(&j->w, "call_count", (int64_t)sub->calls);
        put_times(j, sub->incl, sub->excl, sub->reci, sub->depth);
        end_item(j);
    }
    end_list(j);
}

static void put_call(struct json *j, const nyt_call *call)
{
    begin_item(j);
    nyt_json_str(&j->w, "called", call->called->name);
    nyt_json_whole(&j->w, "fid", call->fid);
    nyt_json_whole(&j->w, "line", call->line);
    nyt_json_str(&j->w, "caller", call->caller);
    nyt_json_whole(&j->w, "call_count", (int64_t)call->count);
    nyt_json_whole(&j->w, "outermost_calls", (int64_t)call->outermost);
    put_times(j, call->incl, call->excl, call->reci, call->depth);
    end_item(j);
}

static void put_awaited(struct json *j)
{
    begin_list(j, "awaited");
    for (size_t i = 0; i < j->p->await_count; i++) {
        nyt_json_line(&j->w);
        nyt_await_json(&j->w, j->p, &j->p->awaits[i]);
    }
    end_list(j);
}

static void put_fixed(struct json *j)
{
    nyt_json_open(&j->w, NULL, '{');
    put_totals(j);
    put_processes(j);
    put_files(j);
    put_subs(j);
    begin_list(j, "calls");
    for (size_t i = 0; i < j->p->call_count; i++)
        put_call(j, &j->p->calls[i]);
    end_list(j);
    put_awaited(j);
}

/* ---- Lines and paths ---- */

static void put_line(struct json *j, const nyt_line *line)
{
    const nyt_str *source = nyt_profile_source_line(j->p, line->fid, line->line);
    begin_item(j);
    nyt_json_whole(&j->w, "fid", line->fid);
    nyt_json_whole(&j->w, "line", line->line);
    nyt_json_whole(&j->w, "count", line->count);
    nyt_json_number(&j->w, "exclusive_seconds", line->time);
    if (nyt_knows_calls(j->p))
        nyt_json_number(&j->w, "inclusive_seconds", line->incl);
    if (line->shared)
        nyt_json_bool(&j->w, "shared", true);
    if (source)
        nyt_json_str(&j->w, "source", *source);
    end_item(j);
}

/* Parents come first, so that their places are known. */
static void put_path(struct json *j, uint32_t path, uint32_t index)
{
    const struct nyt_path *from = &j->paths.list[path];
    const struct nyt_frame *frame = &j->paths.frames[from->frame];
    begin_item(j);
    if (from->parent)
        nyt_json_count(&j->w, "parent", j->index_of[from->parent]);
    else
        nyt_json_null(&j->w, "parent");
    nyt_json_str(&j->w, "sub", frame->sub ? frame->sub->name : frame->name);
    if (frame->levels)
        nyt_json_count(&j->w, "recursion_levels", frame->levels);
    nyt_json_number(&j->w, "inclusive_seconds", nyt_seconds_of(j->p, from->incl));
    nyt_json_number(&j->w, "exclusive_seconds", nyt_seconds_of(j->p, from->excl));
    end_item(j);
    j->index_of[path] = index;
}

static void put_left_out(struct json *j)
{
    if (!(j->left_out > 0))
        return;
    begin_item(j);
    nyt_json_null(&j->w, "parent");
    nyt_json_str(&j->w, "sub", nyt_left_out_name);
    nyt_json_number(&j->w, "inclusive_seconds", nyt_seconds_of(j->p, j->left_out));
    nyt_json_number(&j->w, "exclusive_seconds", nyt_seconds_of(j->p, j->left_out));
    end_item(j);
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
        if (j->wanted[j->paths.count + i])
            put_line(j, &j->lines[i]);
        else
            nyt_limit_left_out_line(limit);
    }
    end_list(j);
}

/* A profile without a call tree has no paths: its subs and lines are lists of their own. */
static void put_paths(struct json *j)
{
    uint32_t index = 0;
    begin_list(j, "paths");
    for (uint32_t i = 1; i < j->paths.count; i++)
        if (j->wanted[i])
            put_path(j, i, index++);
    put_left_out(j);
    end_list(j);
}

/* ---- Limits ---- */

static double item_seconds(void *ctx, size_t item)
{
    const struct json *j = ctx;
    return item < j->paths.count ? nyt_path_seconds(&j->paths, item)
                                 : j->lines[item - j->paths.count].time;
}

/* Writes to `measure` for a while. */
static uint64_t begin_measure(struct json *j)
{
    j->w.o = j->measure;
    return j->measured + j->measure->len;
}

static uint64_t end_measure(struct json *j, uint64_t before)
{
    j->w.o = j->o;
    return j->measured + j->measure->len - before;
}

/* Around "lines" and "paths", and what takes the time of the rest; at most. */
enum { LIST_BYTES = 240, INDEX_BYTES = 12, TIME_BYTES = 20 };

static uint64_t fixed_bytes(struct json *j)
{
    uint64_t before = begin_measure(j);
    put_fixed(j);
    return end_measure(j, before) + LIST_BYTES;
}

/* A path is measured with the place 0 of its parent, and may get more time, which is longer. */
static uint64_t item_bytes(void *ctx, size_t item)
{
    struct json *j = ctx;
    uint64_t before = begin_measure(j), places = 0;
    if (item >= j->paths.count) {
        put_line(j, &j->lines[item - j->paths.count]);
        return end_measure(j, before);
    }
    for (; !j->wanted[item]; item = j->paths.list[item].parent, places += INDEX_BYTES + TIME_BYTES)
        put_path(j, (uint32_t)item, 0);
    return end_measure(j, before) + places;
}

static void want_item(void *ctx, size_t item)
{
    struct json *j = ctx;
    if (item >= j->paths.count)
        j->wanted[item] = true;
    else
        nyt_paths_want(&j->paths, j->wanted, item);
}

/* The root is no path, but it ends every way up. */
static bool choose(struct json *j, nyt_limit *limit)
{
    struct nyt_chooser chooser = {.ctx = j,
                                  .n = j->paths.count + j->line_count,
                                  .value = item_seconds,
                                  .cost = item_bytes,
                                  .take = want_item};
    uint64_t fixed = nyt_is_limited(limit) ? fixed_bytes(j) : 0;
    j->wanted[0] = true;
    bool ok = nyt_choose(&chooser, fixed, limit);
    j->left_out = nyt_paths_settle(&j->paths, j->wanted, limit);
    return ok;
}

/* false: out of memory. */
static bool begin(struct json *j)
{
    bool has_tree = nyt_shown_of(j->p) == NYT_SHOWN_ALL;
    if (!nyt_paths_find(&j->paths, j->p))
        return false;
    if (!has_tree)
        j->paths.count = 1;
    j->lines = nyt_profile_all_lines(j->p, NYT_LEVEL_LINE, &j->line_count);
    j->o = malloc(sizeof *j->o);
    j->measure = malloc(sizeof *j->measure);
    j->wanted = calloc(j->paths.count + j->line_count, sizeof *j->wanted);
    j->index_of = calloc(j->paths.count, sizeof *j->index_of);
    return j->o && j->measure && j->wanted && j->index_of;
}

int nyt_export_json(const nyt_profile *p, nyt_limit *limit, nyt_write_fn write, void *ctx,
                    nyt_error *err)
{
    struct json j = {.p = p};
    bool ok = begin(&j);
    int rc = NYT_OK;
    nyt_limit_begin(limit);
    if (ok) {
        nyt_paths_tell(&j.paths, limit);
        nyt_limit_shown(limit, nyt_shown_of_lines(p));
        nyt_out_begin(j.o, write, ctx);
        nyt_out_begin(j.measure, nyt_count_bytes, &j.measured);
        ok = choose(&j, limit);
    }
    if (ok) {
        j.w = (struct nyt_json){.o = j.o};
        put_fixed(&j);
        put_lines(&j, limit);
        put_paths(&j);
        nyt_out_text(j.o, "}\n");
        rc = nyt_out_end(j.o, err);
    }
    free(j.o);
    free(j.measure);
    free(j.wanted);
    free(j.index_of);
    nyt_paths_free(&j.paths);
    return ok ? rc : nyt_fail(err, NYT_ENOMEM, "out of memory");
}
