/*
 * Who called whom: edges (calling line, calling sub, called sub) with exact
 * figures, and the tree of call paths. Both only grow, with what is distinct in
 * the program; the tree has a cap, past which a path's time stays with the
 * longest part of it that the tree holds.
 */
#include "graph.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static inline uint64_t mix(uint64_t x)
{
    x ^= x >> 32;
    x *= UINT64_C(0x9E3779B97F4A7C15);
    return x ^ x >> 29;
}

/* ---- Paths ---- */

enum { LINE_OF_CACHE = 64 };
static_assert(sizeof(node) <= LINE_OF_CACHE, "a node is one line of the cache");

/* Nodes lie side by side, since a path's are used together. NULL: no memory. */
static node *node_room(call_graph *g)
{
    size_t block = g->n_nodes / NODES_A_BLOCK, at = g->n_nodes % NODES_A_BLOCK;
    node **blocks = nyt_grow(g->node_blocks, &g->node_blocks_cap, block + 1, sizeof *blocks);
    if (!blocks)
        return NULL;
    g->node_blocks = blocks;
    if (!blocks[block])
        blocks[block] = aligned_alloc(LINE_OF_CACHE, NODES_A_BLOCK * sizeof **blocks);
    return blocks[block] ? &blocks[block][at] : NULL;
}

static bool index_child(call_graph *g, const node *parent, const node *n)
{
    bool is_new;
    uint32_t *place = nyt_map_take(&g->node_index, nyt_pair_key(parent->index, n->sub), &is_new);
    if (place)
        *place = n->index;
    return place != NULL;
}

static node *first_child(const node *n)
{
    return n->last_child ? n->last_child->next : NULL;
}

/* Most paths have few below them, which are looked through; of others all are in the index. */
static bool index_children(call_graph *g, const node *parent, const node *one_more)
{
    const node *child = first_child(parent);
    if (parent->n_children < FEW_CHILDREN)
        return true;
    if (parent->n_children == FEW_CHILDREN)
        for (uint32_t i = 0; i < parent->n_children; i++, child = child->next)
            if (!index_child(g, parent, child))
                return false;
    return index_child(g, parent, one_more);
}

static node *node_new(call_graph *g, node *parent, uint32_t sub)
{
    node *n = node_room(g);
    if (!n)
        return NULL;
    *n = (node){.index = (uint32_t)g->n_nodes, .sub = sub};
    if (parent) {
        if (!index_children(g, parent, n))
            return NULL;
        node *last = parent->last_child;
        n->next = last ? last->next : n;
        if (last)
            last->next = n;
        parent->last_child = n;
        parent->n_children++;
    }
    g->n_nodes++;
    return n;
}

/* The index is large, and its parts are seldom in the processor's caches. */
static node *find_among_many(call_graph *g, const node *parent, uint32_t sub)
{
    uint64_t key = nyt_pair_key(parent->index, sub);
    child_memory *m = &g->children[mix(key) % CHILDREN_REMEMBERED];
    if (m->parent == parent && m->child->sub == sub)
        return m->child;
    const uint32_t *found = nyt_map_find(&g->node_index, key);
    if (!found)
        return NULL;
    *m = (child_memory){.parent = parent, .child = graph_node(g, *found)};
    return m->child;
}

static node *find_among(call_graph *g, const node *parent, uint32_t sub)
{
    node *child = first_child(parent);
    if (parent->n_children > FEW_CHILDREN)
        return find_among_many(g, parent, sub);
    for (uint32_t i = 0; i < parent->n_children; i++, child = child->next)
        if (child->sub == sub)
            return child;
    return NULL;
}

node *graph_child(call_graph *g, node *parent, uint32_t sub)
{
    if (g->max_nodes == 0)      /* no tree is wanted */
        return parent;
    node *n = find_among(g, parent, sub);
    if (!n && g->n_nodes < g->max_nodes)
        n = node_new(g, parent, sub);
    if (!n) {
        g->folds++;
        return parent;
    }
    return n;
}

/* ---- Edges ---- */

static inline uint64_t edge_hash(const edge_place *e)
{
    uint64_t place = mix((uint64_t)e->file << 32 | e->line);
    return mix(place ^ ((uint64_t)e->caller << 32 | e->callee) ^ (uint64_t)e->context << 24);
}

static inline bool is_same_place(const edge_place *e, const edge_place *other)
{
    return e->file == other->file && e->line == other->line && e->caller == other->caller &&
           e->callee == other->callee && e->context == other->context;
}

static bool edge_index_double(call_graph *g)
{
    size_t cap = g->edge_index_cap ? g->edge_index_cap * 2 : 256;
    uint32_t *index = calloc(cap, sizeof *index);
    if (!index)
        return false;
    for (size_t i = 0; i < g->n_edges; i++) {
        size_t at = edge_hash(&graph_edge_at(g, i)->at) & (cap - 1);
        while (index[at])
            at = (at + 1) & (cap - 1);
        index[at] = (uint32_t)i + 1;
    }
    free(g->edge_index);
    g->edge_index = index;
    g->edge_index_cap = cap;
    return true;
}

static edge_memory *edge_memory_of(call_graph *g, const line_slot *slot, uint32_t callee)
{
    return &g->remembered[mix((uint64_t)(uintptr_t)slot ^ (uint64_t)callee << 40) %
                          EDGES_REMEMBERED];
}

/* NULL: no memory. */
static edge *edge_room(call_graph *g)
{
    size_t block = g->n_edges / EDGES_A_BLOCK;
    edge **blocks = nyt_grow(g->edge_blocks, &g->edge_blocks_cap, block + 1, sizeof *blocks);
    if (!blocks)
        return NULL;
    g->edge_blocks = blocks;
    if (!blocks[block])
        blocks[block] = malloc(EDGES_A_BLOCK * sizeof **blocks);
    return blocks[block] ? graph_edge_at(g, g->n_edges) : NULL;
}

edge *graph_edge(call_graph *g, const edge_place *wanted)
{
    if (g->n_edges >= g->edge_index_cap / 2 && !edge_index_double(g))
        return NULL;
    size_t at = edge_hash(wanted) & (g->edge_index_cap - 1);
    for (; g->edge_index[at]; at = (at + 1) & (g->edge_index_cap - 1)) {
        edge *e = graph_edge_at(g, g->edge_index[at] - 1);
        if (is_same_place(&e->at, wanted))
            return e;
    }
    edge *e = edge_room(g);
    if (!e)
        return NULL;
    *e = (edge){.at = *wanted};
    g->edge_index[at] = (uint32_t)++g->n_edges;
    return e;
}

edge *graph_edge_from(call_graph *g, const line_slot *slot, uint32_t callee)
{
    const edge_memory *m = edge_memory_of(g, slot, callee);
    return m->slot == slot && m->edge->at.callee == callee ? m->edge : NULL;
}

void graph_remember_edge(call_graph *g, const line_slot *slot, edge *e)
{
    *edge_memory_of(g, slot, e->at.callee) = (edge_memory){.slot = slot, .edge = e};
}

/* ---- All ---- */

bool graph_begin(call_graph *g, size_t max_nodes)
{
    g->max_nodes = max_nodes;
    g->root = node_new(g, NULL, UINT32_MAX);
    return g->root != NULL;
}

void graph_free(call_graph *g)
{
    for (size_t i = 0; i < g->node_blocks_cap; i++)
        free(g->node_blocks[i]);
    for (size_t i = 0; i < g->edge_blocks_cap; i++)
        free(g->edge_blocks[i]);
    free(g->node_blocks);
    free(g->edge_blocks);
    free(g->edge_index);
    nyt_map_free(&g->node_index);
    g->node_blocks = NULL;
    g->edge_blocks = NULL;
    g->edge_index = NULL;
    g->n_nodes = g->n_edges = g->node_blocks_cap = g->edge_blocks_cap = g->edge_index_cap = 0;
    g->root = NULL;
    g->folds = 0;
    memset(g->remembered, 0, sizeof g->remembered);
    memset(g->children, 0, sizeof g->children);
}
