/*
 * A profile of some files only, made of that of all: what it would be if no other code had been
 * profiled. Code that is left out is a part of the lines and subs that called it, as functions in C
 * are, and where it calls code that stays, the caller is the one that stays. The call tree tells what
 * was called from where; without one the figures of lines and subs are their own alone.
 */
#include "model/narrow.h"

#include "base/hash.h"
#include "base/str.h"
#include "model/cost.h"
#include "model/filter.h"
#include "model/finish.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct narrowing {
    nyt_profile *p;
    bool *shown;            /* files, by their place in the list */
    uint32_t *sub_of_name;  /* index of a sub, or NYT_NONE */
    bool *stays;            /* of each sub, */
    uint32_t *place;        /* and its new index */
    const nyt_call **door;  /* of each sub, its dearest call of what is left out, or NULL */
};

static bool shows(const struct narrowing *n, uint32_t fid)
{
    const nyt_file *file = nyt_profile_file(n->p, fid);
    return file && n->shown[file - n->p->files];
}

static uint32_t sub_of(const struct narrowing *n, nyt_str name)
{
    uint32_t id = name.len ? nyt_names_find(&n->p->names, name) : NYT_NONE;
    return id == NYT_NONE ? NYT_NONE : n->sub_of_name[id];
}

static bool is_code(const nyt_sub *sub)
{
    return sub->kind == NYT_KIND_CODE;
}

/* ---- Time of what is left out ---- */

static bool add_costs(struct narrowing *n)
{
    nyt_profile *p = n->p;
    double *lines, *below;
    bool ok = nyt_costs_to_files(p, n->shown, &lines, &below);
    for (size_t i = 0; ok && i < p->lines[NYT_LEVEL_LINE].count; i++) {
        nyt_line *line = &p->lines[NYT_LEVEL_LINE].list[i];
        double more = lines[i] - line->time;
        if (!shows(n, line->fid) || !isfinite(more) || !(more > 0))
            continue;
        line->time += more;
        line->ticks += (int64_t)fmin(more * p->totals.ticks_per_sec, 9e18 - (double)line->ticks);
    }
    for (size_t i = 0; ok && i < p->sub_count; i++)
        if (isfinite(below[i]))
            p->subs[i].excl += below[i];
    free(lines);
    free(below);
    return ok;
}

/* ---- Subs and calls ---- */

static bool call_stays(const struct narrowing *n, const nyt_call *c)
{
    return shows(n, c->fid) && (!is_code(c->called) || shows(n, c->called->fid));
}

/* Functions in C stay if code calls them that does, with the figures of those calls. */
static void choose_subs(struct narrowing *n)
{
    nyt_profile *p = n->p;
    for (size_t i = 0; i < p->sub_count; i++) {
        nyt_sub *sub = &p->subs[i];
        n->stays[i] = is_code(sub) && shows(n, sub->fid);
        if (!is_code(sub)) {
            sub->calls = 0;
            sub->incl = sub->excl = sub->reci = 0;
        }
    }
    for (size_t i = 0; i < p->call_count; i++) {
        const nyt_call *c = &p->calls[i];
        nyt_sub *sub = &p->subs[c->called - p->subs];
        if (is_code(sub) || !call_stays(n, c))
            continue;
        n->stays[sub - p->subs] = true;
        sub->calls += c->count;
        sub->incl += c->incl;
        sub->excl += c->excl;
        sub->reci += c->reci;
    }
}

/* Where each sub that stays leaves for code that does not. */
static void find_doors(struct narrowing *n)
{
    const nyt_profile *p = n->p;
    for (size_t i = 0; i < p->call_count; i++) {
        const nyt_call *c = &p->calls[i];
        uint32_t caller = sub_of(n, c->caller);
        if (caller == NYT_NONE || !shows(n, c->fid) || !is_code(c->called) ||
            shows(n, c->called->fid))
            continue;
        if (!n->door[caller] || n->door[caller]->incl < c->incl)
            n->door[caller] = c;
    }
}

static int compare_calls(const void *left, const void *right)
{
    const nyt_call *a = left, *b = right;
    int c = NYT_COMPARE(a->called, b->called);
    c = c ? c : NYT_COMPARE(a->fid, b->fid);
    c = c ? c : NYT_COMPARE(a->line, b->line);
    return c ? c : nyt_str_compare(a->caller, b->caller);
}

static void add_up_calls(nyt_call *to, const nyt_call *more)
{
    to->count += more->count;
    to->outermost += more->outermost;
    to->incl += more->incl;
    to->excl += more->excl;
    to->reci += more->reci;
    to->depth = to->depth > more->depth ? to->depth : more->depth;
}

/* Returns how many are left. */
static size_t sort_calls(nyt_call *calls, size_t n)
{
    size_t kept = 0;
    if (n)
        qsort(calls, n, sizeof *calls, compare_calls);
    for (size_t i = 0; i < n; i++) {
        if (kept && compare_calls(&calls[kept - 1], &calls[i]) == 0)
            add_up_calls(&calls[kept - 1], &calls[i]);
        else
            calls[kept++] = calls[i];
    }
    return kept;
}

/* So many calls of a sub come from code that is left out. */
static uint64_t calls_from_outside(const struct narrowing *n, const nyt_sub *sub)
{
    size_t count;
    uint64_t sum = 0;
    const nyt_call *calls = nyt_profile_callers(n->p, sub, &count);
    for (size_t i = 0; i < count; i++)
        if (!call_stays(n, &calls[i]))
            sum += calls[i].count;
    return sum;
}

/*
 * The tree has times and no counts. Where one sub that stays is behind all calls from outside these
 * are its calls; where several are, all but the first have one: the sum is right, and no count
 * depends on times.
 */
static size_t count_bridges(const struct narrowing *n, nyt_call *bridges, size_t count)
{
    count = sort_calls(bridges, count);
    for (size_t from = 0, to; from < count; from = to) {
        uint64_t left = calls_from_outside(n, bridges[from].called);
        for (to = from + 1; to < count && bridges[to].called == bridges[from].called; to++) {
            bridges[to].count = bridges[to].outermost = left > 1;
            left -= bridges[to].count;
        }
        bridges[from].count = bridges[from].outermost = left;
    }
    return count;
}

/* Calls of subs by way of code that is left out stand behind the others until they are sorted. */
static void keep_calls(struct narrowing *n, nyt_call *bridges, size_t bridge_count)
{
    nyt_profile *p = n->p;
    size_t kept = 0;
    bridge_count = count_bridges(n, bridges, bridge_count);
    for (size_t i = 0; i < p->call_count; i++)
        if (call_stays(n, &p->calls[i]))
            p->calls[kept++] = p->calls[i];
    for (size_t i = 0; i < bridge_count; i++)
        p->calls[kept++] = bridges[i];
    p->call_count = sort_calls(p->calls, kept);
}

static double weight_of(const nyt_call *c)
{
    double seconds = c->incl + c->reci;
    return isfinite(seconds) && seconds > 0 ? seconds : 0;
}

/* A sub's calls are to have all of its time, now that there is more of it. */
static void share_among_calls(const nyt_sub *sub, nyt_call *calls, size_t n)
{
    double missing = sub->excl, weight = 0;
    for (size_t i = 0; i < n; i++) {
        missing -= calls[i].excl;
        weight += weight_of(&calls[i]);
    }
    for (size_t i = 0; i < n && weight > 0 && missing > 0 && isfinite(missing); i++)
        calls[i].excl += missing * weight_of(&calls[i]) / weight;
}

/* The called still stand where they did. */
static void settle_calls(struct narrowing *n)
{
    nyt_profile *p = n->p;
    for (size_t from = 0, to; from < p->call_count; from = to) {
        const nyt_sub *called = p->calls[from].called;
        for (to = from; to < p->call_count && p->calls[to].called == called; to++)
            ;
        if (is_code(called))
            share_among_calls(called, &p->calls[from], to - from);
    }
}

/* Now they move. */
static void point_to_new_places(struct narrowing *n)
{
    nyt_profile *p = n->p;
    for (size_t i = 0; i < p->call_count; i++)
        p->calls[i].called = &p->subs[n->place[p->calls[i].called - p->subs]];
}

static void keep_subs(struct narrowing *n)
{
    nyt_profile *p = n->p;
    size_t kept = 0;
    for (size_t i = 0; i < p->sub_count; i++)
        if (n->stays[i])
            p->subs[kept++] = p->subs[i];
    p->sub_count = kept;
}

static void place_subs(struct narrowing *n)
{
    uint32_t kept = 0;
    for (size_t i = 0; i < n->p->sub_count; i++)
        n->place[i] = n->stays[i] ? kept++ : NYT_NONE;
}

/* The lists that point to subs, before these move. */
static void keep_names(struct narrowing *n)
{
    nyt_profile *p = n->p;
    size_t kept = 0;
    for (size_t i = 0; i < p->defined_count; i++) {
        if (!shows(n, p->defined_fid[i]) || !n->stays[p->defined[i] - p->subs])
            continue;
        p->defined_fid[kept] = p->defined_fid[i];
        p->defined[kept++] = &p->subs[n->place[p->defined[i] - p->subs]];
    }
    p->defined_count = kept;
    kept = 0;
    for (size_t i = 0; i < p->merged_count; i++) {
        if (!n->stays[p->merged_subs[i] - p->subs])
            continue;
        p->merged_names[kept] = p->merged_names[i];
        p->merged_subs[kept++] = &p->subs[n->place[p->merged_subs[i] - p->subs]];
    }
    p->merged_count = kept;
}

/* ---- The call tree ---- */

/* What became of a path. */
struct path {
    uint32_t node;  /* that it is a part of now */
    uint32_t owner; /* the sub of that node, or NYT_NONE */
    bool stays;     /* it has a node of its own */
};

struct tree {
    struct narrowing *n;
    struct path *paths;
    nyt_node *nodes;
    size_t count;
    uint32_t *last_child;
    struct nyt_map children; /* parent and name -> node */
    nyt_call *bridges;
    size_t bridge_count, bridge_cap;
};

/* Functions in C, and calls that never returned, go with what called them. */
static bool path_stays(const struct narrowing *n, uint32_t sub, const struct path *above)
{
    bool has_code = sub != NYT_NONE && is_code(&n->p->subs[sub]);
    return has_code ? n->stays[sub] : above->stays && (sub == NYT_NONE || n->stays[sub]);
}

static bool add_bridge(struct tree *t, const nyt_node *node, uint32_t sub, uint32_t owner)
{
    const nyt_profile *p = t->n->p;
    const nyt_call *door = owner == NYT_NONE ? NULL : t->n->door[owner];
    if (!door)
        return true;
    if (!NYT_ROOM_FOR_ONE(t->bridges, t->bridge_count, t->bridge_cap))
        return false;
    t->bridges[t->bridge_count++] = (nyt_call){.called = &p->subs[sub],
                                               .caller = door->caller,
                                               .fid = door->fid,
                                               .line = door->line,
                                               .incl = nyt_seconds_of(p, node->incl),
                                               .excl = nyt_seconds_of(p, node->excl)};
    return true;
}

static uint32_t new_node(struct tree *t, const nyt_node *node, uint32_t parent)
{
    bool is_new;
    uint32_t id = node->name.len ? nyt_names_find(&t->n->p->names, node->name) : NYT_NONE;
    uint32_t *at = nyt_map_take(&t->children, nyt_pair_key(parent, id), &is_new);
    if (!at)
        return NYT_NONE;
    if (is_new) {
        uint32_t new = (uint32_t)t->count++;
        *at = new;
        t->nodes[new] = (nyt_node){
            .name = node->name, .parent = parent, .depth = t->nodes[parent].depth + 1};
        if (t->last_child[parent])
            t->nodes[t->last_child[parent]].next = new;
        else
            t->nodes[parent].first_child = new;
        t->last_child[parent] = new;
    }
    t->nodes[*at].calls += node->calls;
    t->nodes[*at].incl += node->incl;
    return *at;
}

static bool take_path(struct tree *t, size_t i)
{
    const nyt_node *node = &t->n->p->nodes[i];
    const struct path *above = &t->paths[node->parent];
    uint32_t sub = sub_of(t->n, node->name);
    struct path *path = &t->paths[i];
    *path = (struct path){.node = above->node, .owner = above->owner};
    path->stays = path_stays(t->n, sub, above);
    if (path->stays) {
        path->node = new_node(t, node, above->node);
        path->owner = sub == NYT_NONE || !is_code(&t->n->p->subs[sub]) ? above->owner : sub;
        if (path->node == NYT_NONE)
            return false;
        if (!above->stays && i && !add_bridge(t, node, sub, above->owner))
            return false;
    }
    if (path->node || path->stays)
        t->nodes[path->node].excl += node->excl;
    return true;
}

static bool begin_tree(struct tree *t, struct narrowing *n)
{
    size_t all = n->p->node_count;
    *t = (struct tree){.n = n,
                       .paths = calloc(all + 1, sizeof *t->paths),
                       .nodes = calloc(all + 1, sizeof *t->nodes),
                       .last_child = calloc(all + 1, sizeof *t->last_child),
                       .count = 1};
    if (!t->paths || !t->nodes || !t->last_child)
        return false;
    t->nodes[0] = n->p->nodes[0];
    t->nodes[0].first_child = 0;
    t->paths[0].owner = NYT_NONE;
    return true;
}

static void end_tree(struct tree *t)
{
    free(t->paths);
    free(t->nodes);
    free(t->last_child);
    free(t->bridges);
    nyt_map_free(&t->children);
}

/* The new tree takes the place of the old one. */
static bool narrow_tree(struct tree *t)
{
    nyt_profile *p = t->n->p;
    for (size_t i = 1; i < p->node_count; i++)
        if (!take_path(t, i))
            return false;
    nyt_node *old = p->nodes;
    p->nodes = t->nodes;
    p->node_count = t->count;
    t->nodes = old;
    return true;
}

/* false: out of memory. */
static bool make_room_for_bridges(struct tree *t)
{
    nyt_profile *p = t->n->p;
    size_t room = p->call_count + t->bridge_count + 1;
    nyt_call *calls = calloc(room, sizeof *calls);
    if (!calls)
        return false;
    memcpy(calls, p->calls, p->call_count * sizeof *calls);
    free(p->calls);
    p->calls = calls;
    return true;
}

/* ---- Lines and sources ---- */

static void keep_lines(struct narrowing *n)
{
    for (int level = 0; level < 3; level++) {
        struct nyt_lines *lines = &n->p->lines[level];
        size_t kept = 0;
        for (size_t i = 0; i < lines->count; i++)
            if (shows(n, lines->list[i].fid))
                lines->list[kept++] = lines->list[i];
        lines->count = kept;
    }
}

static void keep_awaits(struct narrowing *n)
{
    nyt_profile *p = n->p;
    size_t kept = 0;
    for (size_t i = 0; i < p->await_count; i++)
        if (shows(n, p->awaits[i].fid))
            p->awaits[kept++] = p->awaits[i];
    p->await_count = kept;
}

static void keep_sources(struct narrowing *n)
{
    nyt_profile *p = n->p;
    size_t kept = 0;
    for (size_t i = 0; i < p->source_count; i++)
        if (shows(n, p->sources[i].fid))
            p->sources[kept++] = p->sources[i];
    p->source_count = kept;
}

static void sum_up(nyt_profile *p)
{
    nyt_totals *t = &p->totals;
    t->statements = t->calls = t->discounted = 0;
    t->statement_time = 0;
    for (size_t i = 0; i < p->lines[NYT_LEVEL_LINE].count; i++) {
        const nyt_line *line = &p->lines[NYT_LEVEL_LINE].list[i];
        const nyt_file *file = nyt_profile_file(p, line->fid);
        if (file && file->merged_into)
            continue;
        t->statements += line->count > 0 ? (uint64_t)line->count : 0;
        t->statement_time += line->time;
    }
    for (size_t i = 0; i < p->sub_count; i++)
        t->calls += p->subs[i].calls;
}

/* ---- All ---- */

static bool begin(struct narrowing *n, nyt_profile *p, const nyt_filter *filter)
{
    *n = (struct narrowing){.p = p,
                            .shown = nyt_filter_files(p, filter),
                            .sub_of_name = calloc(p->names.count + 1, sizeof *n->sub_of_name),
                            .stays = calloc(p->sub_count + 1, sizeof *n->stays),
                            .place = calloc(p->sub_count + 1, sizeof *n->place),
                            .door = calloc(p->sub_count + 1, sizeof *n->door)};
    if (!n->shown || !n->sub_of_name || !n->stays || !n->place || !n->door)
        return false;
    memset(n->sub_of_name, 0xFF, (p->names.count + 1) * sizeof *n->sub_of_name);
    for (size_t i = 0; i < p->sub_count; i++) {
        uint32_t id = nyt_names_find(&p->names, p->subs[i].name);
        if (id != NYT_NONE)
            n->sub_of_name[id] = (uint32_t)i;
    }
    return true;
}

static bool narrow(struct narrowing *n)
{
    struct tree t = {.n = n};
    bool ok = add_costs(n);
    if (ok) {
        choose_subs(n);
        find_doors(n);
        ok = begin_tree(&t, n) && narrow_tree(&t) && make_room_for_bridges(&t);
    }
    if (ok) {
        place_subs(n);
        keep_calls(n, t.bridges, t.bridge_count);
        settle_calls(n);
        point_to_new_places(n);
        keep_names(n);
        keep_subs(n);
        keep_lines(n);
        keep_awaits(n);
        keep_sources(n);
        sum_up(n->p);
        ok = nyt_finish_calls_by_fid(n->p);
    }
    end_tree(&t);
    return ok;
}

int nyt_profile_narrow(nyt_profile *p, const nyt_filter *filter)
{
    struct narrowing n;
    if (!nyt_filter_is_set(filter))
        return NYT_OK;
    bool ok = begin(&n, p, filter) && narrow(&n);
    free(n.shown);
    free(n.sub_of_name);
    free(n.stays);
    free(n.place);
    free(n.door);
    p->narrowed = true;
    return ok ? NYT_OK : NYT_ENOMEM;
}
