/*
 * The call tree in the format of https://www.speedscope.app: one profile in which each path
 * is opened and closed once, in the order of first calls, with its calls added up. Its size goes with
 * the number of paths, however deep they are.
 *
 * A limit is kept by leaving out paths. A path that is written brings those above it.
 */
#include "nytprof.h"

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "export/export.h"
#include "export/paths.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* JSON readers hold numbers in doubles: whole ones beyond this are not exact. */
#define LARGEST_WHOLE 9007199254740992.0

struct speedscope {
    struct nyt_paths paths;
    struct nyt_out *o;
    struct nyt_json j;
    bool *wanted;          /* by path */
    uint32_t *number_of;   /* by frame: its place in the list + 1; 0: it is not there */
    uint32_t frame_count;
    double left_out;         /* ticks of no path that is written */
    struct nyt_out *measure; /* takes text to know its length, */
    uint64_t measured;       /* which is this and what it still holds */
    uint64_t now;            /* ns */
};

/* ---- Frames ---- */

static void put_frame(struct speedscope *s, const struct nyt_frame *frame)
{
    nyt_json_open(&s->j, NULL, '{');
    nyt_json_str(&s->j, "name", frame->name);
    if (frame->file)
        nyt_json_str(&s->j, "file", frame->file->name);
    if (frame->file && frame->line)
        nyt_json_count(&s->j, "line", frame->line);
    nyt_json_close(&s->j, '}');
}

static void put_frames(struct speedscope *s)
{
    nyt_json_open(&s->j, "shared", '{');
    nyt_json_open(&s->j, "frames", '[');
    for (size_t i = 1; i < s->paths.count; i++) {
        uint32_t frame = s->paths.list[i].frame;
        if (!s->wanted[i] || s->number_of[frame])
            continue;
        s->number_of[frame] = ++s->frame_count;
        put_frame(s, &s->paths.frames[frame]);
    }
    if (s->left_out > 0)
        put_frame(s, &(struct nyt_frame){.name = nyt_left_out_name});
    nyt_json_close(&s->j, ']');
    nyt_json_close(&s->j, '}');
}

/* ---- Events ---- */

/* `type` is "O" or "C". */
static void put_event(struct speedscope *s, const char *type, uint32_t frame)
{
    nyt_json_open(&s->j, NULL, '{');
    nyt_json_text(&s->j, "type", type);
    nyt_json_count(&s->j, "frame", frame);
    nyt_json_count(&s->j, "at", s->now);
    nyt_json_close(&s->j, '}');
}

/* Time goes forward only: what is negative or no number counts as nothing. */
static void pass(struct speedscope *s, double ns)
{
    if (ns > 0 && ns + (double)s->now < LARGEST_WHOLE)
        s->now += (uint64_t)round(ns);
}

static double ns_of_ticks(const struct speedscope *s, double ticks)
{
    return nyt_seconds_of(s->paths.p, ticks * 1e9);
}

static uint32_t number_of(const struct speedscope *s, uint32_t path)
{
    return s->number_of[s->paths.list[path].frame] - 1;
}

/* The path or the first sibling after it that is written; 0: there is none. */
static uint32_t wanted_from(const struct speedscope *s, uint32_t path)
{
    while (path && !s->wanted[path])
        path = s->paths.list[path].next;
    return path;
}

/* Down to the first leaf, opening on the way. */
static uint32_t open_path(struct speedscope *s, uint32_t path)
{
    for (;;) {
        put_event(s, "O", number_of(s, path));
        uint32_t child = wanted_from(s, s->paths.list[path].first_child);
        if (!child)
            return path;
        path = child;
    }
}

static void put_tree(struct speedscope *s)
{
    const struct nyt_path *list = s->paths.list;
    uint32_t at = wanted_from(s, list[0].first_child);
    for (at = at ? open_path(s, at) : 0; at != 0;) {
        pass(s, ns_of_ticks(s, list[at].excl));     /* after the calls it made */
        put_event(s, "C", number_of(s, at));
        uint32_t next = wanted_from(s, list[at].next);
        at = next ? open_path(s, next) : list[at].parent;
    }
}

static void put_left_out(struct speedscope *s)
{
    if (!(s->left_out > 0))
        return;
    put_event(s, "O", s->frame_count);
    pass(s, ns_of_ticks(s, s->left_out));
    put_event(s, "C", s->frame_count);
}

/* ---- Limits ---- */

enum {
    EVENT_BYTES = 54,       /* at most */
    FRAME_BYTES = 80,       /* a frame without its strings */
    FIXED_BYTES = 600       /* all but frames, events and the name */
};

static double path_seconds(void *ctx, size_t path)
{
    return nyt_path_seconds(&((const struct speedscope *)ctx)->paths, path);
}

static uint64_t json_bytes(struct speedscope *s, nyt_str text)
{
    uint64_t before = s->measured + s->measure->len;
    nyt_out_json_str(s->measure, text);
    return s->measured + s->measure->len - before;
}

/* A frame is written once, whatever the number of its paths. */
static uint64_t frame_bytes(struct speedscope *s, uint32_t number)
{
    const struct nyt_frame *frame = &s->paths.frames[number];
    if (s->number_of[number])
        return 0;
    s->number_of[number] = 1;
    return FRAME_BYTES + json_bytes(s, frame->name) +
           (frame->file ? json_bytes(s, frame->file->name) : 0);
}

static uint64_t path_bytes(void *ctx, size_t path)
{
    struct speedscope *s = ctx;
    uint64_t bytes = 0;
    for (; !s->wanted[path]; path = s->paths.list[path].parent)
        bytes += 2 * EVENT_BYTES + frame_bytes(s, s->paths.list[path].frame);
    return bytes;
}

static void want_path(void *ctx, size_t path)
{
    struct speedscope *s = ctx;
    nyt_paths_want(&s->paths, s->wanted, path);
}

/* The root is no frame and never written, but it ends every way up. */
static bool choose(struct speedscope *s, nyt_limit *limit)
{
    struct nyt_chooser chooser = {.ctx = s,
                                  .n = s->paths.count,
                                  .value = path_seconds,
                                  .cost = path_bytes,
                                  .take = want_path};
    const nyt_str *name = nyt_profile_attribute(s->paths.p, "application");
    uint64_t fixed = FIXED_BYTES + (name ? 2 * json_bytes(s, *name) : 0);
    s->wanted[0] = true;
    bool ok = nyt_choose(&chooser, fixed, limit);
    s->left_out = nyt_paths_settle(&s->paths, s->wanted, limit);
    memset(s->number_of, 0, s->paths.frame_count * sizeof *s->number_of);
    return ok;
}

/* ---- The file ---- */

static void put_name(struct speedscope *s)
{
    const nyt_str *name = nyt_profile_attribute(s->paths.p, "application");
    nyt_json_str(&s->j, "name", name ? *name : (nyt_str){.data = "profile", .len = 7});
}

static void put_profile(struct speedscope *s)
{
    nyt_json_open(&s->j, NULL, '{');
    nyt_json_text(&s->j, "type", "evented");
    nyt_json_text(&s->j, "unit", "nanoseconds");
    nyt_json_count(&s->j, "startValue", 0);
    put_name(s);
    nyt_json_open(&s->j, "events", '[');
    put_tree(s);
    put_left_out(s);
    nyt_json_close(&s->j, ']');
    nyt_json_count(&s->j, "endValue", s->now);
    nyt_json_close(&s->j, '}');
}

static void put_all(struct speedscope *s)
{
    s->j = (struct nyt_json){.o = s->o};
    nyt_json_open(&s->j, NULL, '{');
    nyt_json_text(&s->j, "$schema", "https://www.speedscope.app/file-format-schema.json");
    put_frames(s);
    nyt_json_open(&s->j, "profiles", '[');
    put_profile(s);
    nyt_json_close(&s->j, ']');
    put_name(s);
    nyt_json_count(&s->j, "activeProfileIndex", 0);
    nyt_json_text(&s->j, "exporter", "pynytprof " NYT_VERSION);
    nyt_json_close(&s->j, '}');
    nyt_out_text(s->o, "\n");
}

/* false: out of memory. */
static bool begin(struct speedscope *s, const nyt_profile *p)
{
    if (!nyt_paths_find(&s->paths, p))
        return false;
    s->o = malloc(sizeof *s->o);
    s->measure = malloc(sizeof *s->measure);
    s->wanted = calloc(s->paths.count, sizeof *s->wanted);
    s->number_of = calloc(s->paths.frame_count + 1, sizeof *s->number_of);
    return s->o && s->measure && s->wanted && s->number_of;
}

int nyt_export_speedscope(const nyt_profile *p, nyt_limit *limit, nyt_write_fn write, void *ctx,
                          nyt_error *err)
{
    struct speedscope s = {.now = 0};
    bool ok = begin(&s, p);
    int rc = NYT_OK;
    nyt_limit_begin(limit);
    if (ok) {
        nyt_paths_tell(&s.paths, limit);
        nyt_out_begin(s.o, write, ctx);
        nyt_out_begin(s.measure, nyt_count_bytes, &s.measured);
        ok = choose(&s, limit);
        if (ok)
            put_all(&s);
        rc = nyt_out_end(s.o, err);
    }
    free(s.o);
    free(s.measure);
    free(s.wanted);
    free(s.number_of);
    nyt_paths_free(&s.paths);
    return ok ? rc : nyt_fail(err, NYT_ENOMEM, "out of memory");
}
