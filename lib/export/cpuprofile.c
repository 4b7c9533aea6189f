/*
 * The call tree and the lines in the form of V8's CPU profiles (.cpuprofile), which VS Code shows in
 * the editor beside the lines, as Chrome's DevTools and the Firefox Profiler do in their views.
 *
 * There are no samples in a profile of ours: each path is one, with its exclusive time as the
 * distance to the next. A tick is a microsecond. Lines are known of subs, not of paths: the time of
 * a path is on the lines of its sub in the proportions that these have in the whole profile, so that
 * the sum over all paths is that of the line. Clocks of browsers count microseconds: those that
 * rounding leaves are carried on.
 */
#include "nytprof.h"

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "export/export.h"
#include "export/line_costs.h"
#include "export/paths.h"

#include <math.h>
#include <stdlib.h>

struct cpuprofile {
    struct nyt_paths paths;
    struct nyt_line_costs costs;
    struct nyt_out *o;
    struct nyt_json j;
    uint64_t *micros;  /* of each path */
    bool *wanted;      /* by path */
    uint64_t left_out; /* microseconds of no path that is written */
    struct nyt_out *measure;
    uint64_t measured;
    uint32_t *order; /* paths that are written, in order of time */
    size_t order_count;
};

/* ---- Nodes ---- */

/* Lines are counted from 0 here, and from 1 in ticks. */
static void put_call_frame(struct nyt_json *j, const struct nyt_frame *frame)
{
    nyt_json_open(j, "callFrame", '{');
    nyt_json_str(j, "functionName", frame->name);
    nyt_json_text(j, "scriptId", "0");
    nyt_json_str(j, "url", frame->file ? frame->file->name : (nyt_str){.data = ""});
    nyt_json_whole(j, "lineNumber", frame->line ? (int64_t)frame->line - 1 : -1);
    nyt_json_whole(j, "columnNumber", frame->line ? 0 : -1);
    nyt_json_close(j, '}');
}

static void put_tick(struct nyt_json *j, uint32_t line, uint64_t ticks)
{
    if (ticks == 0 || line == 0)
        return;
    nyt_json_open(j, NULL, '{');
    nyt_json_count(j, "line", line);
    nyt_json_count(j, "ticks", ticks);
    nyt_json_close(j, '}');
}

/* Lines of one path add up to its time; of lines in other files (evals) nothing can be told. */
static void put_ticks(struct cpuprofile *s, size_t path)
{
    const struct nyt_frame *frame = &s->paths.frames[s->paths.list[path].frame];
    uint64_t micros = s->micros[path], given = 0;
    size_t n = 0;
    const struct nyt_line_cost *costs = frame->sub ? nyt_line_costs_of(&s->costs, frame->sub, &n)
                                                   : NULL;
    double sum = nyt_line_costs_sum(costs, n), passed = 0;
    if (micros == 0 || (n == 0 && frame->line == 0))
        return;
    nyt_json_open(&s->j, "positionTicks", '[');
    for (size_t i = 0; i < n; i++) {
        passed += costs[i].seconds;
        uint64_t upto = (uint64_t)round((double)micros * fmin(passed / sum, 1));
        put_tick(&s->j, costs[i].line, upto - given);
        given = upto;
    }
    if (n == 0)
        put_tick(&s->j, frame->line, micros);
    nyt_json_close(&s->j, ']');
}

static void put_children(struct cpuprofile *s, size_t path)
{
    nyt_json_open(&s->j, "children", '[');
    for (uint32_t at = s->paths.list[path].first_child; at; at = s->paths.list[at].next)
        if (s->wanted[at])
            nyt_json_count(&s->j, NULL, (uint64_t)at + 1);
    if (path == 0 && s->left_out)
        nyt_json_count(&s->j, NULL, s->paths.count + 1);
    nyt_json_close(&s->j, ']');
}

/* A path's id is its number and one. */
static void put_node(struct cpuprofile *s, size_t path)
{
    static const struct nyt_frame root = {.name = {.data = "(root)", .len = 6}};
    nyt_json_line(&s->j);
    nyt_json_open(&s->j, NULL, '{');
    nyt_json_count(&s->j, "id", (uint64_t)path + 1);
    put_call_frame(&s->j, path ? &s->paths.frames[s->paths.list[path].frame] : &root);
    nyt_json_count(&s->j, "hitCount", path ? s->micros[path] : 0);
    put_children(s, path);
    if (path)
        put_ticks(s, path);
    nyt_json_close(&s->j, '}');
}

static void put_nodes(struct cpuprofile *s)
{
    nyt_json_open(&s->j, "nodes", '[');
    for (size_t i = 0; i < s->paths.count; i++)
        if (s->wanted[i])
            put_node(s, i);
    if (s->left_out) {
        nyt_json_line(&s->j);
        nyt_json_open(&s->j, NULL, '{');
        nyt_json_count(&s->j, "id", s->paths.count + 1);
        put_call_frame(&s->j, &(struct nyt_frame){.name = nyt_left_out_name});
        nyt_json_count(&s->j, "hitCount", s->left_out);
        nyt_json_close(&s->j, '}');
    }
    nyt_json_close(&s->j, ']');
}

/* ---- Samples ---- */

/* Each path after those that it called, as in the other formats that have a time axis. */
static void find_order(struct cpuprofile *s)
{
    const struct nyt_path *list = s->paths.list;
    for (uint32_t at = list[0].first_child, next; at; at = next) {
        while (list[at].first_child)
            at = list[at].first_child;
        for (next = 0; at && !next; at = list[at].parent) {
            if (s->wanted[at] && s->micros[at])
                s->order[s->order_count++] = at;
            next = list[at].next;
        }
    }
}

/* The first distance is that from the start; the time of the last sample ends with the profile. */
static void put_samples(struct cpuprofile *s)
{
    uint64_t last = 0;
    nyt_json_open(&s->j, "samples", '[');
    for (size_t i = 0; i < s->order_count; i++)
        nyt_json_count(&s->j, NULL, (uint64_t)s->order[i] + 1);
    if (s->left_out)
        nyt_json_count(&s->j, NULL, s->paths.count + 1);
    nyt_json_close(&s->j, ']');
    nyt_json_open(&s->j, "timeDeltas", '[');
    for (size_t i = 0; i < s->order_count; i++) {
        nyt_json_count(&s->j, NULL, last);
        last = s->micros[s->order[i]];
    }
    if (s->left_out)
        nyt_json_count(&s->j, NULL, last);
    nyt_json_close(&s->j, ']');
}

/* ---- Time ---- */

/* Whole microseconds that add up to the whole time: what is left of one path goes to the next. */
static uint64_t count_micros(struct cpuprofile *s, double left_out)
{
    double passed = 0;
    uint64_t given = 0;
    for (size_t i = 1; i <= s->paths.count; i++) {
        double ticks = i < s->paths.count ? s->paths.list[i].excl : left_out;
        double micros = nyt_seconds_of(s->paths.p, ticks * 1e6);
        if (micros > 0 && passed + micros < 0x1p53)
            passed += micros;
        uint64_t upto = (uint64_t)round(passed);
        *(i < s->paths.count ? &s->micros[i] : &s->left_out) = upto - given;
        given = upto;
    }
    return given;
}

/* ---- Limits ---- */

enum {
    FIXED_BYTES = 900,
    NODE_BYTES = 200,   /* without strings and ticks, with its samples */
    TICK_BYTES = 60
};

static double path_seconds(void *ctx, size_t path)
{
    return nyt_path_seconds(&((const struct cpuprofile *)ctx)->paths, path);
}

static uint64_t json_bytes(struct cpuprofile *s, nyt_str text)
{
    uint64_t before = s->measured + s->measure->len;
    nyt_out_json_str(s->measure, text);
    return s->measured + s->measure->len - before;
}

static uint64_t path_bytes(void *ctx, size_t path)
{
    struct cpuprofile *s = ctx;
    uint64_t bytes = 0;
    for (; !s->wanted[path]; path = s->paths.list[path].parent) {
        const struct nyt_frame *frame = &s->paths.frames[s->paths.list[path].frame];
        size_t n = 0;
        if (frame->sub)
            nyt_line_costs_of(&s->costs, frame->sub, &n);
        bytes += NODE_BYTES + TICK_BYTES * n + json_bytes(s, frame->name);
        bytes += frame->file ? json_bytes(s, frame->file->name) : 0;
    }
    return bytes;
}

static void want_path(void *ctx, size_t path)
{
    struct cpuprofile *s = ctx;
    nyt_paths_want(&s->paths, s->wanted, path);
}

/* ---- The file ---- */

static bool put_all(struct cpuprofile *s, nyt_limit *limit)
{
    struct nyt_chooser chooser = {.ctx = s,
                                  .n = s->paths.count,
                                  .value = path_seconds,
                                  .cost = path_bytes,
                                  .take = want_path};
    s->wanted[0] = true;
    if (!nyt_choose(&chooser, FIXED_BYTES, limit))
        return false;
    uint64_t whole = count_micros(s, nyt_paths_settle(&s->paths, s->wanted, limit));
    double start = s->paths.p->process_count ? s->paths.p->processes[0].start * 1e6 : 0;
    uint64_t from = start > 0 && start < 0x1p52 ? (uint64_t)start : 0;
    find_order(s);
    s->j = (struct nyt_json){.o = s->o};
    nyt_json_open(&s->j, NULL, '{');
    put_nodes(s);
    nyt_json_count(&s->j, "startTime", from);
    nyt_json_count(&s->j, "endTime", from + whole);
    put_samples(s);
    nyt_json_close(&s->j, '}');
    nyt_out_text(s->o, "\n");
    return true;
}

/* false: out of memory. */
static bool begin(struct cpuprofile *s, const nyt_profile *p)
{
    if (!nyt_paths_find(&s->paths, p) || !nyt_line_costs_find(&s->costs, p))
        return false;
    s->o = malloc(sizeof *s->o);
    s->measure = malloc(sizeof *s->measure);
    s->micros = calloc(s->paths.count, sizeof *s->micros);
    s->wanted = calloc(s->paths.count, sizeof *s->wanted);
    s->order = calloc(s->paths.count, sizeof *s->order);
    return s->o && s->measure && s->micros && s->wanted && s->order;
}

int nyt_export_cpuprofile(const nyt_profile *p, nyt_limit *limit, nyt_write_fn write, void *ctx,
                          nyt_error *err)
{
    struct cpuprofile s = {.left_out = 0};
    bool ok = begin(&s, p);
    int rc = NYT_OK;
    nyt_limit_begin(limit);
    if (ok) {
        nyt_paths_tell(&s.paths, limit);
        nyt_out_begin(s.o, write, ctx);
        nyt_out_begin(s.measure, nyt_count_bytes, &s.measured);
        ok = put_all(&s, limit);
        rc = nyt_out_end(s.o, err);
    }
    free(s.o);
    free(s.measure);
    free(s.micros);
    free(s.wanted);
    free(s.order);
    nyt_paths_free(&s.paths);
    nyt_line_costs_free(&s.costs);
    return ok ? rc : nyt_fail(err, NYT_ENOMEM, "out of memory");
}
