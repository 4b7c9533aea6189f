/*
 * What ran in a unit of work is told apart by comments between lines and between calls; the call tree
 * has a node for each unit. A profile of some units holds what ran in them and in the units within,
 * and their nodes stand below the root.
 */
#include "model/units.h"

#include "base/str.h"
#include "format/units.h"
#include "model/filter.h"
#include "model/scope.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CONTEXTS = 1 << 16 };

/* ---- Names ---- */

/* Characters that names do not keep are '_' in them. */
static bool is_kept(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (unsigned char)c >= 0x80 || (c && strchr("/:.*?_-", c));
}

static bool is_wanted(const struct nyt_loader *l, nyt_str name)
{
    char pattern[512];
    size_t len = l->options.unit ? strlen(l->options.unit) : 0, at = 0;
    if (!l->options.unit || len >= sizeof pattern)
        return false;
    for (size_t i = 0; i <= len; i++)
        pattern[i] = i < len && !is_kept(l->options.unit[i]) ? '_' : l->options.unit[i];
    while (at + 1 < name.len && memcmp(name.data + at, "::", 2) != 0)
        at++;
    nyt_str behind = {.data = name.data + at + 2, .len = at + 2 < name.len ? name.len - at - 2 : 0};
    return nyt_glob_matches(pattern, name) || (behind.len && nyt_glob_matches(pattern, behind));
}

/* ---- Comments ---- */

static bool add_context(struct nyt_loader *l, const struct nyt_unit_said *said)
{
    struct nyt_unit_contexts *u = &l->units;
    if (said->number != u->count + 1 || said->outer > u->count || u->count == MOST_CONTEXTS) {
        u->odd = true;
        return true;
    }
    uint32_t name = nyt_names_take(&l->p->names, said->name);
    if (name == NYT_NONE || !NYT_ROOM_FOR_ONE(u->list, u->count, u->cap))
        return false;
    bool within = said->outer && u->list[said->outer - 1].wanted;
    u->list[u->count++] = (struct nyt_unit_context){
        .outer = said->outer, .name = name, .wanted = within || is_wanted(l, said->name)};
    return true;
}

static void go_to(struct nyt_loader *l, uint32_t number)
{
    struct nyt_unit_contexts *u = &l->units;
    bool known = number && number <= u->count;
    u->within = known;
    u->odd |= number && !known;
    u->skips = l->options.unit && !(known && u->list[number - 1].wanted);
}

bool nyt_units_heed(struct nyt_loader *l, nyt_str comment, bool *ok)
{
    struct nyt_unit_said said;
    *ok = true;
    switch (nyt_unit_parse(comment, &said)) {
    case NYT_UNIT_DEFINED:
        *ok = add_context(l, &said);
        return true;
    case NYT_UNIT_FOLLOWS:
        go_to(l, said.number);
        return true;
    case NYT_UNIT_UNTOLD:
        l->units.untold += said.times;
        return true;
    default:
        return false;
    }
}

void nyt_units_outside(struct nyt_loader *l)
{
    go_to(l, 0);
}

/* ---- The list ---- */

static int dearest_first(const void *left, const void *right)
{
    const nyt_unit *a = left, *b = right;
    if (a->time != b->time)
        return a->time < b->time ? 1 : -1;
    return nyt_str_compare(a->name, b->name);
}

/* Whether what ran in each name was told apart; NULL: out of memory. */
static bool *names_apart(const struct nyt_loader *l)
{
    bool *apart = calloc(l->p->names.count + 1, sizeof *apart);
    for (size_t i = 0; apart && i < l->units.count; i++)
        apart[l->units.list[i].name] = true;
    return apart;
}

/* In the file of such functions: not what makes them, nor one that has no unit's name yet. */
static bool is_named(const struct nyt_loader *l, const nyt_sub *sub)
{
    return (sub->calls || l->options.unit) && !nyt_str_contains(sub->name, "::(module)") &&
           !(sub->calls == 0 && nyt_str_contains(sub->name, "::unit"));
}

static bool find_units(struct nyt_loader *l)
{
    nyt_profile *p = l->p;
    bool *apart = names_apart(l);
    p->units = calloc(p->sub_count + 1, sizeof *p->units);
    bool ok = apart && p->units;
    for (size_t i = 0; ok && i < p->sub_count; i++) {
        const nyt_sub *sub = &p->subs[i];
        const nyt_file *file = nyt_profile_file(p, sub->fid);
        uint32_t name = nyt_names_find(&p->names, sub->name);
        bool is_apart = name != NYT_NONE && apart[name];
        if (!is_apart && !(file && is_named(l, sub) && nyt_is_around_unit(p, file)))
            continue;
        p->units[p->unit_count++] = (nyt_unit){.name = sub->name,
                                               .count = sub->calls,
                                               .time = isfinite(sub->incl) ? sub->incl : 0,
                                               .apart = is_apart && !l->units.odd};
    }
    if (ok)
        qsort(p->units, p->unit_count, sizeof *p->units, dearest_first);
    free(apart);
    return ok;
}

static bool any_wanted(const struct nyt_loader *l)
{
    bool any = false;
    for (size_t i = 0; i < l->units.count; i++)
        any |= l->units.list[i].wanted;
    return any;
}

/* A file that broke off early may have no figures yet. */
static nyt_unit_state state_of(const struct nyt_loader *l)
{
    const struct nyt_unit_contexts *u = &l->units;
    if (u->odd || (u->count && !u->any && !l->p->has_fault))
        return NYT_UNITS_LOST;
    if (!u->count && l->p->unit_count)
        return NYT_UNITS_TOGETHER;
    if (l->options.unit && !any_wanted(l))
        return NYT_UNITS_UNKNOWN;
    return u->untold ? NYT_UNITS_PARTLY : NYT_UNITS_FINE;
}

/* ---- The call tree ---- */

struct tree {
    const struct nyt_loader *l;
    nyt_node *nodes;
    bool *begins;         /* of each name: it is that of a unit that is wanted */
    uint32_t *became;     /* of each old node, what it is a part of; NYT_NONE: of nothing */
    uint32_t *last_child; /* of each new one */
    struct nyt_map children;
    size_t count;
};

static bool new_node(struct tree *t, const nyt_node *from, uint32_t name, uint32_t parent,
                     uint32_t *node)
{
    bool is_new;
    uint32_t *at = nyt_map_take(&t->children, nyt_pair_key(parent, name), &is_new);
    if (!at)
        return false;
    if (is_new) {
        *at = (uint32_t)t->count++;
        t->nodes[*at] = (nyt_node){
            .name = from->name, .parent = parent, .depth = t->nodes[parent].depth + 1};
        if (t->last_child[parent])
            t->nodes[t->last_child[parent]].next = *at;
        else
            t->nodes[parent].first_child = *at;
        t->last_child[parent] = *at;
    }
    t->nodes[*at].calls += from->calls;
    t->nodes[*at].incl += from->incl;
    t->nodes[*at].excl += from->excl;
    *node = *at;
    return true;
}

static bool fill_tree(struct tree *t)
{
    const nyt_profile *p = t->l->p;
    for (size_t i = 0; i < p->unit_count; i++) {
        uint32_t name = nyt_names_find(&p->names, p->units[i].name);
        t->begins[name] = p->units[i].apart && is_wanted(t->l, p->units[i].name);
    }
    t->nodes[0] = (nyt_node){.name = {.data = ""}};
    t->became[0] = NYT_NONE;
    for (size_t i = 1; i < p->node_count; i++) {
        const nyt_node *from = &p->nodes[i];
        uint32_t above = t->became[from->parent];
        uint32_t name = from->name.len ? nyt_names_find(&p->names, from->name) : NYT_NONE;
        t->became[i] = NYT_NONE;
        if (above == NYT_NONE && (name == NYT_NONE || !t->begins[name]))
            continue;
        if (!new_node(t, from, name, above == NYT_NONE ? 0 : above, &t->became[i]))
            return false;
    }
    return true;
}

/* Units, and all that they called; the same unit of several callers is one. */
static bool narrow_tree(struct nyt_loader *l)
{
    nyt_profile *p = l->p;
    struct tree t = {.l = l,
                     .nodes = calloc(p->node_count + 1, sizeof *t.nodes),
                     .begins = calloc(p->names.count + 1, sizeof *t.begins),
                     .became = calloc(p->node_count + 1, sizeof *t.became),
                     .last_child = calloc(p->node_count + 1, sizeof *t.last_child),
                     .count = 1};
    bool ok = t.nodes && t.begins && t.became && t.last_child && fill_tree(&t);
    if (ok) {
        nyt_node *old = p->nodes;
        p->nodes = t.nodes;
        p->node_count = t.count;
        t.nodes = old;
    }
    free(t.nodes);
    free(t.begins);
    free(t.became);
    free(t.last_child);
    nyt_map_free(&t.children);
    return ok;
}

/* ---- All ---- */

bool nyt_units_finish(struct nyt_loader *l)
{
    nyt_profile *p = l->p;
    if (!find_units(l))
        return false;
    p->unit_state = state_of(l);
    if (!l->options.unit)
        return true;
    p->awaits_left_out = p->await_count > 0;
    p->await_count = 0;
    p->totals.processor_wait = 0;
    for (size_t i = p->unit_count; i-- > 0;) {
        if (!p->units[i].apart || !is_wanted(l, p->units[i].name))
            continue;
        p->unit_wanted = p->units[i].name;
        p->units_wanted++;
    }
    return narrow_tree(l);
}

const nyt_unit *nyt_profile_units(const nyt_profile *p, size_t *n)
{
    *n = p->unit_count;
    return p->units;
}

nyt_unit_state nyt_profile_unit_state(const nyt_profile *p)
{
    return p->unit_state;
}
