/*
 * The call tree in the format of https://www.speedscope.app: one profile in which each path
 * is opened and closed once, with its calls added up. Its size goes with the number of paths,
 * however deep they are. Without a call stream each sub is a path of its own.
 *
 * A limit is kept by leaving out paths, or subs. A path that is written brings those above it.
 */
#include "nytprof.h"

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "export/export.h"
#include "model/profile.h"

#include <math.h>
#include <stdlib.h>

/* JSON readers hold numbers in doubles: whole ones beyond this are not exact. */
#define LARGEST_WHOLE 9007199254740992.0

struct speedscope {
    const nyt_profile *p;
    struct nyt_out *o;
    struct nyt_json j;
    struct nyt_map frames; /* name id -> frame */
    bool flat;             /* there is no tree: items are subs, not nodes */
    size_t items;
    bool *wanted; /* by item */
    uint32_t *frame_of;
    uint32_t frame_count;
    struct nyt_out *measure; /* takes text to know its length, */
    uint64_t measured;       /* which is this and what it still holds */
    uint64_t now;            /* ns */
    bool failed;             /* out of memory while measuring */
};

enum { NOT_RETURNED = NYT_NAMES_MAX };  /* stands for the frames without a name */

/* ---- Frames ---- */

static void frame_place(struct speedscope *s, nyt_str name)
{
    const nyt_sub *sub = nyt_profile_sub(s->p, name);
    const nyt_file *file = sub ? nyt_profile_file(s->p, sub->fid) : NULL;
    if (!file)
        return;
    nyt_json_str(&s->j, "file", file->name);
    if (sub->first)
        nyt_json_count(&s->j, "line", sub->first);
}

static void put_frame(struct speedscope *s, nyt_str name)
{
    nyt_json_open(&s->j, NULL, '{');
    nyt_json_str(&s->j, "name", name.len ? name : nyt_unreturned);
    frame_place(s, name);
    nyt_json_close(&s->j, '}');
}

/* false: out of memory. */
static bool take_frame(struct speedscope *s, nyt_str name, uint32_t *frame)
{
    bool is_new;
    uint32_t id = name.len ? nyt_names_find(&s->p->names, name) : NOT_RETURNED;
    uint32_t *at = nyt_map_take(&s->frames, id, &is_new);
    if (!at)
        return false;
    if (is_new) {
        *at = s->frame_count++;
        put_frame(s, name);
    }
    *frame = *at;
    return true;
}

static nyt_str item_name(const struct speedscope *s, size_t item)
{
    return s->flat ? s->p->subs[item].name : s->p->nodes[item].name;
}

static bool put_frames(struct speedscope *s)
{
    bool ok = true;
    nyt_json_open(&s->j, "shared", '{');
    nyt_json_open(&s->j, "frames", '[');
    for (size_t i = 0; ok && i < s->items; i++)
        if (s->wanted[i])
            ok = take_frame(s, item_name(s, i), &s->frame_of[i]);
    nyt_json_close(&s->j, ']');
    nyt_json_close(&s->j, '}');
    return ok;
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
    return nyt_seconds_of(s->p, ticks * 1e9);
}

/* The node or the first sibling after it that is written; 0: there is none. */
static uint32_t wanted_from(const struct speedscope *s, uint32_t node)
{
    while (node && !s->wanted[node])
        node = s->p->nodes[node].next;
    return node;
}

/* Down to the first leaf, opening on the way. */
static uint32_t open_path(struct speedscope *s, uint32_t node)
{
    for (;;) {
        put_event(s, "O", s->frame_of[node]);
        uint32_t child = wanted_from(s, s->p->nodes[node].first_child);
        if (!child)
            return node;
        node = child;
    }
}

static void put_tree(struct speedscope *s)
{
    const nyt_node *nodes = s->p->nodes;
    uint32_t at = wanted_from(s, nodes[0].first_child);
    for (at = at ? open_path(s, at) : 0; at != 0;) {
        pass(s, ns_of_ticks(s, nodes[at].excl));    /* after the calls it made */
        put_event(s, "C", s->frame_of[at]);
        uint32_t next = wanted_from(s, nodes[at].next);
        at = next ? open_path(s, next) : nodes[at].parent;
    }
}

static void put_subs(struct speedscope *s)
{
    for (size_t i = 0; i < s->p->sub_count; i++) {
        if (!s->wanted[i] || !(s->p->subs[i].excl > 0))
            continue;
        put_event(s, "O", s->frame_of[i]);
        pass(s, s->p->subs[i].excl * 1e9);
        put_event(s, "C", s->frame_of[i]);
    }
}

/* ---- Limits ---- */

enum {
    EVENT_BYTES = 54,       /* at most */
    FRAME_BYTES = 80,       /* a frame without its strings */
    FIXED_BYTES = 400       /* all but frames, events and the name */
};

static double item_seconds(void *ctx, size_t item)
{
    const struct speedscope *s = ctx;
    return s->flat ? s->p->subs[item].excl : nyt_seconds_of(s->p, s->p->nodes[item].excl);
}

static uint64_t json_bytes(struct speedscope *s, nyt_str text)
{
    uint64_t before = s->measured + s->measure->len;
    nyt_out_json_str(s->measure, text);
    return s->measured + s->measure->len - before;
}

/* A frame is written once, whatever the number of its nodes. */
static uint64_t frame_bytes(struct speedscope *s, nyt_str name)
{
    bool is_new = true;
    uint32_t id = name.len ? nyt_names_find(&s->p->names, name) : NOT_RETURNED;
    s->failed |= !nyt_map_take(&s->frames, id, &is_new);
    const nyt_sub *sub = nyt_profile_sub(s->p, name);
    const nyt_file *file = sub ? nyt_profile_file(s->p, sub->fid) : NULL;
    return is_new ? FRAME_BYTES + json_bytes(s, name) + (file ? json_bytes(s, file->name) : 0) : 0;
}

static uint64_t item_bytes(void *ctx, size_t item)
{
    struct speedscope *s = ctx;
    uint64_t bytes = 0;
    for (; !s->wanted[item]; item = s->p->nodes[item].parent) {
        bytes += 2 * EVENT_BYTES + frame_bytes(s, item_name(s, item));
        if (s->flat)
            break;
    }
    return bytes;
}

static void want_item(void *ctx, size_t item)
{
    struct speedscope *s = ctx;
    for (; !s->wanted[item]; item = s->p->nodes[item].parent) {
        s->wanted[item] = true;
        if (s->flat)
            break;
    }
}

/* The root is no frame and never written, but it ends every way up. */
static bool choose(struct speedscope *s, nyt_limit *limit)
{
    struct nyt_chooser chooser = {
        .ctx = s, .n = s->items, .value = item_seconds, .cost = item_bytes, .take = want_item};
    const nyt_str *name = nyt_profile_attribute(s->p, "application");
    uint64_t fixed = FIXED_BYTES + (name ? 2 * json_bytes(s, *name) : 0);
    if (!s->flat)
        s->wanted[0] = true;
    bool ok = nyt_choose(&chooser, fixed, limit) && !s->failed;
    for (size_t i = 0; ok && i < s->items; i++)
        if (!s->wanted[i])
            nyt_limit_left_out(limit, item_seconds(s, i));
    if (!s->flat)
        s->wanted[0] = false;
    nyt_map_free(&s->frames);
    s->frames = (struct nyt_map){0};
    return ok;
}

/* ---- The file ---- */

static void put_name(struct speedscope *s)
{
    const nyt_str *name = nyt_profile_attribute(s->p, "application");
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
    if (s->flat)
        put_subs(s);
    else
        put_tree(s);
    nyt_json_close(&s->j, ']');
    nyt_json_count(&s->j, "endValue", s->now);
    nyt_json_close(&s->j, '}');
}

static bool put_all(struct speedscope *s)
{
    s->j = (struct nyt_json){.o = s->o};
    nyt_json_open(&s->j, NULL, '{');
    nyt_json_text(&s->j, "$schema", "https://www.speedscope.app/file-format-schema.json");
    if (!put_frames(s))
        return false;
    nyt_json_open(&s->j, "profiles", '[');
    put_profile(s);
    nyt_json_close(&s->j, ']');
    put_name(s);
    nyt_json_count(&s->j, "activeProfileIndex", 0);
    nyt_json_text(&s->j, "exporter", "pynytprof " NYT_VERSION);
    nyt_json_close(&s->j, '}');
    nyt_out_text(s->o, "\n");
    return true;
}

int nyt_export_speedscope(const nyt_profile *p, nyt_limit *limit, nyt_write_fn write, void *ctx,
                          nyt_error *err)
{
    bool flat = p->node_count == 1;
    size_t items = flat ? p->sub_count : p->node_count;
    struct speedscope s = {.p = p,
                           .flat = flat,
                           .items = items,
                           .o = malloc(sizeof *s.o),
                           .measure = malloc(sizeof *s.measure),
                           .wanted = calloc(items + 1, sizeof *s.wanted),
                           .frame_of = calloc(items + 1, sizeof *s.frame_of)};
    bool ok = s.o && s.measure && s.wanted && s.frame_of;
    int rc = NYT_OK;
    nyt_limit_begin(limit);
    if (ok) {
        nyt_out_begin(s.o, write, ctx);
        nyt_out_begin(s.measure, nyt_count_bytes, &s.measured);
        ok = choose(&s, limit) && put_all(&s);
        rc = nyt_out_end(s.o, err);
    }
    free(s.o);
    free(s.measure);
    free(s.wanted);
    free(s.frame_of);
    nyt_map_free(&s.frames);
    return ok ? rc : nyt_fail(err, NYT_ENOMEM, "out of memory");
}
