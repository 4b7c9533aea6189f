/*
 * The call tree in the format of https://www.speedscope.app: one profile in which each path
 * is opened and closed once, with its calls added up. Its size goes with the number of paths,
 * however deep they are. Without a call stream each sub is a path of its own.
 */
#include "profile.h"

#include <math.h>
#include <stdlib.h>

/* JSON readers hold numbers in doubles: whole ones beyond this are not exact. */
#define LARGEST_WHOLE 9007199254740992.0

struct speedscope {
    const nyt_profile *p;
    struct nyt_out *o;
    struct nyt_map  frames;     /* name id -> frame */
    uint32_t *frame_of_node;
    uint32_t  frame_count;
    uint64_t  now;              /* ns */
    bool      comma;
};

enum { NOT_RETURNED = NYT_NAMES_MAX };  /* stands for the frames without a name */

static void separate(struct speedscope *s)
{
    nyt_out_text(s->o, s->comma ? "," : "");
    s->comma = true;
}

/* ---- Frames ---- */

static void frame_place(struct speedscope *s, nyt_str name)
{
    const nyt_sub *sub = nyt_profile_sub(s->p, name);
    const nyt_file *file = sub ? nyt_profile_file(s->p, sub->fid) : NULL;
    if (!file)
        return;
    nyt_out_text(s->o, ",\"file\":");
    nyt_out_json_str(s->o, file->name);
    if (sub->first)
        nyt_out_format(s->o, ",\"line\":%u", (unsigned)sub->first);
}

static void put_frame(struct speedscope *s, nyt_str name)
{
    separate(s);
    nyt_out_text(s->o, "{\"name\":");
    if (name.len)
        nyt_out_json_str(s->o, name);
    else
        nyt_out_json_text(s->o, "(did not return)");
    frame_place(s, name);
    nyt_out_text(s->o, "}");
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

static bool put_frames(struct speedscope *s)
{
    bool ok = true;
    nyt_out_text(s->o, "\"shared\":{\"frames\":[");
    for (size_t i = 1; ok && i < s->p->node_count; i++)
        ok = take_frame(s, s->p->nodes[i].name, &s->frame_of_node[i]);
    for (size_t i = 0; s->p->node_count == 1 && i < s->p->sub_count; i++)
        put_frame(s, s->p->subs[i].name);
    nyt_out_text(s->o, "]}");
    s->comma = false;
    return ok;
}

/* ---- Events ---- */

static void put_event(struct speedscope *s, char type, uint32_t frame)
{
    separate(s);
    nyt_out_format(s->o, "{\"type\":\"%c\",\"frame\":%u,\"at\":%llu}", type, (unsigned)frame,
                   (unsigned long long)s->now);
}

/* Time goes forward only: what is negative or no number counts as nothing. */
static void pass(struct speedscope *s, double ns)
{
    if (ns > 0 && ns + (double)s->now < LARGEST_WHOLE)
        s->now += (uint64_t)round(ns);
}

static double ns_of_ticks(const struct speedscope *s, double ticks)
{
    return s->p->totals.ticks_per_sec ? ticks * 1e9 / s->p->totals.ticks_per_sec : 0;
}

/* Down to the first leaf, opening on the way. */
static uint32_t open_path(struct speedscope *s, uint32_t node)
{
    for (;;) {
        put_event(s, 'O', s->frame_of_node[node]);
        if (!s->p->nodes[node].first_child)
            return node;
        node = s->p->nodes[node].first_child;
    }
}

static void put_tree(struct speedscope *s)
{
    const nyt_node *nodes = s->p->nodes;
    uint32_t at = nodes[0].first_child ? open_path(s, nodes[0].first_child) : 0;
    while (at != 0) {
        pass(s, ns_of_ticks(s, nodes[at].excl));    /* after the calls it made */
        put_event(s, 'C', s->frame_of_node[at]);
        at = nodes[at].next ? open_path(s, nodes[at].next) : nodes[at].parent;
    }
}

static void put_subs(struct speedscope *s)
{
    for (size_t i = 0; i < s->p->sub_count; i++) {
        if (!(s->p->subs[i].excl > 0))
            continue;
        put_event(s, 'O', (uint32_t)i);
        pass(s, s->p->subs[i].excl * 1e9);
        put_event(s, 'C', (uint32_t)i);
    }
}

static void put_name(struct speedscope *s)
{
    const nyt_str *name = nyt_profile_attribute(s->p, "application");
    if (name)
        nyt_out_json_str(s->o, *name);
    else
        nyt_out_json_text(s->o, "profile");
}

static bool put_all(struct speedscope *s)
{
    nyt_out_text(s->o, "{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",");
    if (!put_frames(s))
        return false;
    nyt_out_text(s->o, ",\"profiles\":[{\"type\":\"evented\",\"unit\":\"nanoseconds\","
                       "\"startValue\":0,\"name\":");
    put_name(s);
    nyt_out_text(s->o, ",\"events\":[");
    if (s->p->node_count > 1)
        put_tree(s);
    else
        put_subs(s);
    nyt_out_format(s->o, "],\"endValue\":%llu}],\"name\":", (unsigned long long)s->now);
    put_name(s);
    nyt_out_text(s->o, ",\"activeProfileIndex\":0,\"exporter\":\"pynytprof " NYT_VERSION "\"}\n");
    return true;
}

int nyt_export_speedscope(const nyt_profile *p, nyt_write_fn write, void *ctx, nyt_error *err)
{
    struct speedscope s = {.p = p,
                           .o = malloc(sizeof *s.o),
                           .frame_of_node = calloc(p->node_count, sizeof *s.frame_of_node)};
    bool ok = s.o && s.frame_of_node;
    int rc = NYT_OK;
    if (ok) {
        nyt_out_begin(s.o, write, ctx);
        ok = put_all(&s);
        rc = nyt_out_end(s.o, err);
    }
    free(s.o);
    free(s.frame_of_node);
    nyt_map_free(&s.frames);
    return ok ? rc : nyt_fail(err, NYT_ENOMEM, "out of memory");
}
