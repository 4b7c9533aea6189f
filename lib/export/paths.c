/*
 * The call tree as exports show it. Its paths come in the order of first calls. A sub that is active
 * more than FOLD times at once is one frame with all its activations, and what they called stands
 * below that: formats that write every path in full would grow with the square of the depth, and
 * viewers that recurse would fail. What is deeper than DEPTH_MAX in spite of that is added to the
 * path above.
 */
#include "export/paths.h"

#include "base/memory.h"
#include "base/str.h"
#include "export/export.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FOLD = 100, DEPTH_MAX = 1000 };

const nyt_str nyt_left_out_name = {.data = "(left out)", .len = 10};

/* ---- Paths and frames ---- */

/* NYT_NONE: out of memory. */
static uint32_t new_path(struct nyt_paths *s, uint32_t parent, uint32_t frame)
{
    if (!NYT_ROOM_FOR_ONE(s->list, s->count, s->cap))
        return NYT_NONE;
    s->list[s->count] = (struct nyt_path){
        .parent = parent, .frame = frame, .depth = s->count ? s->list[parent].depth + 1 : 0};
    return (uint32_t)s->count++;
}

static uint32_t path_for(struct nyt_paths *s, uint32_t parent, uint32_t frame)
{
    bool is_new;
    uint32_t *at = nyt_map_take(&s->by_step, nyt_pair_key(parent, frame), &is_new);
    if (!at)
        return NYT_NONE;
    if (is_new)
        *at = new_path(s, parent, frame);
    return *at;
}

static uint32_t new_frame(struct nyt_paths *s, nyt_str name)
{
    if (!NYT_ROOM_FOR_ONE(s->frames, s->frame_count, s->frame_cap))
        return NYT_NONE;
    s->frames[s->frame_count] = (struct nyt_frame){.name = name};
    return (uint32_t)s->frame_count++;
}

static uint32_t frame_of_sub(struct nyt_paths *s, nyt_str name, uint32_t levels)
{
    const nyt_sub *sub = name.len ? nyt_profile_sub(s->p, name) : NULL;
    bool ok = true;
    if (levels) {
        char count[24];
        int digits = snprintf(count, sizeof count, " x %u", (unsigned)levels);
        char *text = nyt_arena_take(&s->texts, name.len + (size_t)digits + 1);
        ok = text != NULL;
        if (ok) {
            memcpy(text, name.data, name.len);
            memcpy(text + name.len, count, (size_t)digits + 1);
            name = (nyt_str){.data = text, .len = name.len + (size_t)digits};
        }
    }
    uint32_t frame = ok ? new_frame(s, name.len ? name : nyt_unreturned) : NYT_NONE;
    if (frame != NYT_NONE) {
        s->frames[frame].sub = sub;
        s->frames[frame].file = sub ? nyt_profile_file(s->p, sub->fid) : NULL;
        s->frames[frame].line = sub ? sub->first : 0;
        s->frames[frame].levels = levels;
    }
    return frame;
}

/* ---- The tree ---- */

/* What is known of one name on the way through the tree. */
struct active {
    uint32_t levels; /* activations of it that are open now */
    uint32_t most;   /* and that were at once */
    uint32_t frames[2]; /* + 1; of those that are not folded, and are */
};

struct walk {
    struct nyt_paths *s;
    const nyt_node *nodes;
    struct active *names; /* the last one is that of no name */
    uint32_t *name_of;    /* of each node */
    uint32_t *path_of;
};

static uint32_t number_of_name(const nyt_profile *p, nyt_str name)
{
    uint32_t id = name.len ? nyt_names_find(&p->names, name) : NYT_NONE;
    return id == NYT_NONE ? (uint32_t)p->names.count : id;
}

/* The node after `at` in pre-order; those that end are told to `leave`. */
static uint32_t next_node(struct walk *w, uint32_t at, void leave(struct walk *, uint32_t))
{
    if (w->nodes[at].first_child)
        return w->nodes[at].first_child;
    for (; at; at = w->nodes[at].parent) {
        leave(w, at);
        if (w->nodes[at].next)
            return w->nodes[at].next;
    }
    return 0;
}

static void close_name(struct walk *w, uint32_t node)
{
    w->names[w->name_of[node]].levels--;
}

/* How deep the recursion of each sub gets. */
static void count_levels(struct walk *w)
{
    for (uint32_t at = w->nodes[0].first_child; at; at = next_node(w, at, close_name)) {
        struct active *name = &w->names[w->name_of[at]];
        if (++name->levels > name->most)
            name->most = name->levels;
    }
}

static void leave_nothing(struct walk *w, uint32_t node)
{
    (void)w;
    (void)node;
}

static bool is_folded(const struct walk *w, uint32_t name)
{
    return w->names[name].most > FOLD && name < w->s->p->names.count;
}

static uint32_t frame_for(struct walk *w, uint32_t node, bool folded)
{
    struct active *name = &w->names[w->name_of[node]];
    uint32_t *frame = &name->frames[folded];
    if (!*frame)
        *frame = frame_of_sub(w->s, w->nodes[node].name, folded ? name->most : 0) + 1;
    return *frame - 1;
}

/* The path from `path` upwards that ends in `frame`; 0: there is none. */
static uint32_t path_above(const struct nyt_paths *s, uint32_t path, uint32_t frame)
{
    while (path && s->list[path].frame != frame)
        path = s->list[path].parent;
    return path;
}

static uint32_t path_of_node(struct walk *w, uint32_t node)
{
    struct nyt_paths *s = w->s;
    uint32_t parent = w->path_of[w->nodes[node].parent];
    bool folded = is_folded(w, w->name_of[node]);
    uint32_t frame = frame_for(w, node, folded);
    if (frame == NYT_NONE)
        return NYT_NONE;
    uint32_t above = folded ? path_above(s, parent, frame) : 0;
    if (folded && s->levels < s->frames[frame].levels)
        s->levels = s->frames[frame].levels;
    if (above)
        return above;
    if (s->list[parent].depth == DEPTH_MAX) {
        s->cut++;
        return parent;
    }
    return path_for(s, parent, frame);
}

static bool add_node(struct walk *w, uint32_t node)
{
    const nyt_node *n = &w->nodes[node];
    uint32_t path = w->path_of[node] = path_of_node(w, node);
    if (path == NYT_NONE)
        return false;
    if (n->name.len) {
        w->s->list[path].returned = true;
        w->s->list[path].excl += isfinite(n->excl) ? n->excl : 0;
    }
    return true;
}

static void add_up(struct nyt_paths *s)
{
    for (size_t i = s->count; i-- > 1;) {
        s->list[i].incl += s->list[i].excl;
        s->list[s->list[i].parent].incl += s->list[i].incl;
    }
}

/* Siblings were made in their order. */
static void link_children(struct nyt_paths *s)
{
    for (size_t i = s->count; i-- > 1;) {
        struct nyt_path *parent = &s->list[s->list[i].parent];
        s->list[i].next = parent->first_child;
        parent->first_child = (uint32_t)i;
    }
}

static bool find_tree(struct nyt_paths *s)
{
    const nyt_profile *p = s->p;
    struct walk w = {.s = s,
                     .nodes = p->nodes,
                     .names = calloc(p->names.count + 1, sizeof *w.names),
                     .name_of = calloc(p->node_count, sizeof *w.name_of),
                     .path_of = calloc(p->node_count, sizeof *w.path_of)};
    bool ok = w.names && w.name_of && w.path_of, deep = false;
    for (size_t i = 1; ok && i < p->node_count; i++) {
        w.name_of[i] = number_of_name(p, p->nodes[i].name);
        deep |= p->nodes[i].depth > FOLD;
    }
    if (ok && deep)
        count_levels(&w);
    for (uint32_t at = ok ? p->nodes[0].first_child : 0; ok && at;
         at = next_node(&w, at, leave_nothing))
        ok = add_node(&w, at);
    free(w.names);
    free(w.name_of);
    free(w.path_of);
    return ok;
}

/* ---- What there is without a tree ---- */

static double ticks_of(const nyt_profile *p, double seconds)
{
    return isfinite(seconds) && seconds > 0 ? seconds * p->totals.ticks_per_sec : 0;
}

static bool add_flat(struct nyt_paths *s, uint32_t parent, uint32_t frame, double seconds)
{
    uint32_t path = frame == NYT_NONE ? NYT_NONE : path_for(s, parent, frame);
    if (path == NYT_NONE)
        return false;
    s->list[path].returned = true;
    s->list[path].excl += ticks_of(s->p, seconds);
    return true;
}

static bool find_subs(struct nyt_paths *s)
{
    bool ok = true;
    for (size_t i = 0; ok && i < s->p->sub_count; i++) {
        const nyt_sub *sub = &s->p->subs[i];
        if (sub->calls)
            ok = add_flat(s, 0, frame_of_sub(s, sub->name, 0), sub->excl);
    }
    return ok;
}

static uint32_t frame_of_line(struct nyt_paths *s, const nyt_file *file, uint32_t line)
{
    char number[16];
    int digits = snprintf(number, sizeof number, ":%u", (unsigned)line);
    char *text = nyt_arena_take(&s->texts, file->name.len + (size_t)digits + 1);
    if (!text)
        return NYT_NONE;
    memcpy(text, file->name.data, file->name.len);
    memcpy(text + file->name.len, number, (size_t)digits + 1);
    uint32_t frame = new_frame(s, (nyt_str){.data = text, .len = file->name.len + (size_t)digits});
    if (frame != NYT_NONE) {
        s->frames[frame].file = file;
        s->frames[frame].line = line;
    }
    return frame;
}

static bool find_lines_of(struct nyt_paths *s, const nyt_file *file)
{
    size_t n;
    const nyt_line *lines = nyt_profile_lines(s->p, NYT_LEVEL_LINE, file->fid, &n);
    uint32_t frame = n ? new_frame(s, file->name) : NYT_NONE;
    uint32_t path = frame == NYT_NONE ? NYT_NONE : path_for(s, 0, frame);
    if (n == 0)
        return true;
    bool ok = path != NYT_NONE;
    if (ok)
        s->frames[frame].file = file;
    for (size_t i = 0; ok && i < n; i++)
        ok = add_flat(s, path, frame_of_line(s, file, lines[i].line), lines[i].time);
    return ok;
}

static bool find_lines(struct nyt_paths *s)
{
    bool ok = true;
    for (size_t i = 0; ok && i < s->p->file_count; i++)
        if (!s->p->files[i].merged_into)
            ok = find_lines_of(s, &s->p->files[i]);
    return ok;
}

/* ---- All ---- */

bool nyt_paths_find(struct nyt_paths *s, const nyt_profile *p)
{
    *s = (struct nyt_paths){.p = p, .shown = nyt_shown_of(p)};
    bool ok = new_path(s, 0, NYT_NONE) != NYT_NONE;
    switch (s->shown) {
    case NYT_SHOWN_ALL:
        ok = ok && find_tree(s);
        break;
    case NYT_SHOWN_SUBS:
        ok = ok && find_subs(s);
        break;
    case NYT_SHOWN_LINES:
        ok = ok && find_lines(s);
        break;
    case NYT_SHOWN_NOTHING:
        break;
    }
    if (ok) {
        add_up(s);
        link_children(s);
    }
    return ok;
}

double nyt_path_seconds(const struct nyt_paths *s, size_t path)
{
    return nyt_seconds_of(s->p, s->list[path].excl);
}

void nyt_paths_want(const struct nyt_paths *s, bool *wanted, size_t path)
{
    for (; !wanted[path]; path = s->list[path].parent)
        wanted[path] = true;
}

double nyt_paths_settle(struct nyt_paths *s, const bool *wanted, nyt_limit *limit)
{
    for (size_t i = 1; i < s->count; i++)
        if (!wanted[i] && s->list[i].excl > 0)
            nyt_limit_left_out(limit, nyt_path_seconds(s, i));
    for (size_t i = s->count; i-- > 1;) {
        if (wanted[i] || s->list[i].excl == 0)
            continue;
        struct nyt_path *parent = &s->list[s->list[i].parent];
        parent->excl += s->list[i].excl;
        parent->returned = true;
        s->list[i].excl = 0;
    }
    return s->list[0].excl;
}

void nyt_paths_tell(const struct nyt_paths *s, nyt_limit *limit)
{
    if (!limit)
        return;
    limit->shown = s->shown;
    limit->folded_levels = s->levels;
    limit->cut_paths = s->cut;
}

void nyt_paths_free(struct nyt_paths *s)
{
    free(s->list);
    free(s->frames);
    nyt_map_free(&s->by_step);
    nyt_arena_free(&s->texts);
    *s = (struct nyt_paths){0};
}
