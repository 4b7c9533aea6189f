/*
 * The call tree, added up by path from returns.
 *
 * Returns come in post-order: whose child a call was is known only when its caller returns.
 * Read backwards they are in pre-order, and a tree can simply be walked into. So returns
 * are collected and walked backwards when the section of a process is over. When too many
 * have come, those of one path are added up and put back as fewer returns, still in post-order:
 * memory goes with the number of paths and not of calls.
 *
 * A program that calls f, g and f again has f first: what counts is the first return of each path.
 */
#include "model/calltree.h"

#include <stdlib.h>

enum {
    RETURNS_AT_FIRST = 1024,
    RETURNS_KEPT = 32768        /* so many are not worth adding up */
};

/* Stands for the callers, up to `depth`, that have not returned: above all names. */
static uint32_t placeholder(uint32_t depth)
{
    return ~NYT_NAMES_MAX | (depth < NYT_NAMES_MAX ? depth : NYT_NAMES_MAX - 1);
}

static bool is_placeholder(uint32_t name)
{
    return name > NYT_NAMES_MAX;
}

/* ---- A tree into which paths are walked ---- */

static bool tree_has_root(struct nyt_tree *t)
{
    if (t->count)
        return true;
    void *nodes = nyt_grow(t->nodes, &t->cap, 1, sizeof *t->nodes);
    if (!nodes)
        return false;
    t->nodes = nodes;
    t->nodes[0] = (struct nyt_tree_node){.name = NYT_NONE};
    t->count = 1;
    return true;
}

static uint32_t find_child(struct nyt_tree *t, uint32_t parent, uint32_t name, uint32_t depth)
{
    bool is_new;
    uint32_t *at = nyt_map_take(&t->children, nyt_pair_key(parent, name), &is_new);
    if (!at)
        return NYT_NONE;
    if (!is_new)
        return *at;
    void *nodes = t->count < NYT_NONE - 1
                      ? nyt_grow(t->nodes, &t->cap, t->count + 1, sizeof *t->nodes)
                      : NULL;
    if (!nodes)
        return NYT_NONE;
    t->nodes = nodes;
    uint32_t id = *at = (uint32_t)t->count++;
    t->nodes[id] = (struct nyt_tree_node){
        .parent = parent, .name = name, .depth = depth, .stamp = NYT_NONE};
    return id;
}

/* Programs do again what they did before: mostly it is the child that came next last time. */
static uint32_t child_of(struct nyt_tree *t, uint32_t parent, uint32_t name, uint32_t depth,
                         uint32_t stamp)
{
    uint32_t last = t->nodes[parent].last, child = t->nodes[last].after;
    if (!child || t->nodes[child].parent != parent || t->nodes[child].name != name)
        child = find_child(t, parent, name, depth);
    if (child != NYT_NONE) {
        t->nodes[last].after = child;
        t->nodes[parent].last = child;
        if (t->nodes[child].stamp > stamp)
            t->nodes[child].stamp = stamp;
    }
    return child;
}

/* Below `at`, which is the node reached last. */
static uint32_t walk_back(struct nyt_tree *t, uint32_t at, const struct nyt_return *r,
                          uint32_t stamp)
{
    while (t->nodes[at].depth >= r->depth && at != 0)
        at = t->nodes[at].parent;
    if (r->depth > 1 && t->nodes[at].depth < r->depth - 1)
        at = child_of(t, at, placeholder(r->depth - 1), r->depth - 1, stamp);
    if (at != NYT_NONE)
        at = child_of(t, at, r->name, r->depth, stamp);
    if (at != NYT_NONE) {
        t->nodes[at].calls += r->calls;
        t->nodes[at].incl += r->incl;
        t->nodes[at].excl += r->excl;
    }
    return at;
}

static bool walk_all_back(struct nyt_tree *t, const struct nyt_return *returns, size_t n)
{
    if (!tree_has_root(t))
        return false;
    uint32_t before = t->stamps;
    t->stamps = n < NYT_NONE - 1 - before ? before + (uint32_t)n : NYT_NONE - 1;
    for (uint32_t at = 0; n-- > 0;) {
        uint32_t stamp = n < t->stamps - before ? before + (uint32_t)n : t->stamps;
        if ((at = walk_back(t, at, &returns[n], stamp)) == NYT_NONE)
            return false;
    }
    return true;
}

/* Empty, but with all its memory. */
static void tree_clear(struct nyt_tree *t)
{
    t->count = 0;
    t->stamps = 0;
    nyt_map_clear(&t->children);
}

static void tree_free(struct nyt_tree *t)
{
    free(t->nodes);
    nyt_map_free(&t->children);
    *t = (struct nyt_tree){0};
}

/* ---- The order of children ---- */

enum { DIGIT = 11, DIGITS = 3, VALUES = 1 << DIGIT };       /* of a stamp: 33 bits, enough */

static unsigned digit_of(const struct nyt_tree_node *node, int digit)
{
    return node->stamp >> digit * DIGIT & (VALUES - 1);
}

/* One pass of a radix sort: equal ones stay as they were. */
static void sort_by_digit(const struct nyt_tree *t, const uint32_t *from, uint32_t *to, int digit)
{
    size_t places[VALUES] = {0};
    for (size_t i = 0; i < t->count; i++)
        places[digit_of(&t->nodes[i], digit)]++;
    for (size_t i = 0, sum = 0; i < VALUES; i++) {
        size_t n = places[i];
        places[i] = sum;
        sum += n;
    }
    for (size_t i = 0; i < t->count; i++)
        to[places[digit_of(&t->nodes[from[i]], digit)]++] = from[i];
}

/* Links all children by their stamps. 
 * so that the root, which has none, is last. */
static bool order_children(struct nyt_tree *t)
{
    uint32_t *order = malloc((t->count + 1) * sizeof *order);
    uint32_t *other = malloc((t->count + 1) * sizeof *other);
    bool ok = order && other;
    for (size_t i = 0; ok && i < t->count; i++) {
        order[i] = (uint32_t)i;
        t->nodes[i].first_child = 0;
    }
    for (int digit = 0; ok && digit < DIGITS; digit++) {
        sort_by_digit(t, order, other, digit);
        uint32_t *sorted = other;
        other = order;
        order = sorted;
    }
    for (size_t i = ok ? t->count : 0; i-- > 0;) {
        struct nyt_tree_node *node = &t->nodes[order[i]];
        if (order[i] == 0)
            continue;
        node->next = t->nodes[node->parent].first_child;
        t->nodes[node->parent].first_child = order[i];
    }
    free(order);
    free(other);
    return ok;
}

/* ---- Returns ---- */

static uint32_t deepest_first(const struct nyt_tree *t, uint32_t at)
{
    while (t->nodes[at].first_child)
        at = t->nodes[at].first_child;
    return at;
}

uint32_t nyt_tree_first(const struct nyt_tree *t)
{
    return t->count ? deepest_first(t, 0) : 0;
}

uint32_t nyt_tree_next(const struct nyt_tree *t, uint32_t at)
{
    uint32_t next = t->nodes[at].next;
    return next ? deepest_first(t, next) : t->nodes[at].parent;
}

/* There are at least as many returns as nodes with a name. */
static size_t tree_to_returns(const struct nyt_tree *t, struct nyt_return *returns)
{
    size_t n = 0;
    for (uint32_t at = nyt_tree_first(t); at != 0; at = nyt_tree_next(t, at)) {
        const struct nyt_tree_node *node = &t->nodes[at];
        if (!is_placeholder(node->name))
            returns[n++] = (struct nyt_return){.name = node->name,
                                               .depth = node->depth,
                                               .calls = node->calls,
                                               .incl = node->incl,
                                               .excl = node->excl};
    }
    return n;
}

static bool add_up_returns(struct nyt_calltree *c)
{
    tree_clear(&c->some);
    bool ok = walk_all_back(&c->some, c->returns, c->count) && order_children(&c->some);
    if (ok)
        c->count = tree_to_returns(&c->some, c->returns);
    return ok;
}

/* Adding up comes first; the array grows when that does not free half of it. */
static bool make_room(struct nyt_calltree *c)
{
    if (c->count < c->cap)
        return true;
    if (c->count >= RETURNS_KEPT && !add_up_returns(c))
        return false;
    if (c->count && c->count <= c->cap / 2)
        return true;
    size_t want = c->cap ? c->cap + 1 : RETURNS_AT_FIRST;
    void *returns = nyt_grow(c->returns, &c->cap, want, sizeof *c->returns);
    if (returns)
        c->returns = returns;
    return returns != NULL;
}

bool nyt_calltree_add(struct nyt_calltree *c, uint32_t depth, uint32_t name, double incl,
                      double excl)
{
    if (!make_room(c))
        return false;
    c->returns[c->count++] = (struct nyt_return){
        .name = name, .depth = depth, .calls = 1, .incl = incl, .excl = excl};
    return true;
}

bool nyt_calltree_section(struct nyt_calltree *c)
{
    bool ok = walk_all_back(&c->tree, c->returns, c->count);
    c->count = 0;
    return ok;
}

bool nyt_calltree_finish(struct nyt_calltree *c)
{
    return nyt_calltree_section(c) && order_children(&c->tree);
}

nyt_node *nyt_calltree_nodes(const struct nyt_calltree *c, const struct nyt_names *names)
{
    const struct nyt_tree *t = &c->tree;
    nyt_node *nodes = calloc(t->count ? t->count : 1, sizeof *nodes);
    if (!nodes)
        return NULL;
    nodes[0].name.data = "";
    for (size_t i = 0; i < t->count; i++) {
        const struct nyt_tree_node *from = &t->nodes[i];
        nodes[i] = (nyt_node){.name = {.data = ""},
                              .parent = from->parent,
                              .first_child = from->first_child,
                              .next = from->next,
                              .calls = from->calls,
                              .incl = from->incl,
                              .excl = from->excl};
        if (i > 0)
            nodes[i].depth = nodes[from->parent].depth + 1;
        if (!is_placeholder(from->name))
            nodes[i].name = names->list[from->name].name;
    }
    return nodes;
}

void nyt_calltree_free(struct nyt_calltree *c)
{
    tree_free(&c->tree);
    tree_free(&c->some);
    free(c->returns);
    *c = (struct nyt_calltree){0};
}
