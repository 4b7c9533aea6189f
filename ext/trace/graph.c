/*
 * Who called whom: edges (calling line, calling sub, called sub) with exact
 * figures, and the tree of call paths. Both only grow, with what is distinct in
 * the program; the tree has a cap, past which a path's time stays with the
 * longest part of it that the tree holds.
 */
#include "graph.h"

#include <stdlib.h>

static inline uint64_t mix(uint64_t x)
{
    x ^= x >> 32;
    x *= UINT64_C(0x9E3779B97F4A7C15);
    return x ^ x >> 29;
}

static node *node_new(call_graph *g, node *parent, uint32_t sub)
{
    node **nodes = nyt_grow(g->nodes, &g->nodes_cap, g->n_nodes + 1, sizeof *nodes);
    if (!nodes)
        return NULL;
    g->nodes = nodes;
    node *n = calloc(1, sizeof *n);
    if (!n)
        return NULL;
    n->index = (uint32_t)g->n_nodes;
    n->sub = sub;
    n->parent = parent;
    bool is_new;
    uint32_t *place = parent
                          ? nyt_map_take(&g->node_index, nyt_pair_key(parent->index, sub), &is_new)
                          : NULL;
    if (parent && !place) {
        free(n);
        return NULL;
    }
    if (parent) {
        *place = n->index;
        node *last = parent->last_child;
        n->next = last ? last->next : n;
        if (last)
            last->next = n;
        parent->last_child = n;
    }
    nodes[g->n_nodes++] = n;
    return n;
}

node *graph_child(call_graph *g, node *parent, uint32_t sub)
{
    if (g->max_nodes == 0)      /* no tree is wanted */
        return parent;
    const uint32_t *found = nyt_map_find(&g->node_index, nyt_pair_key(parent->index, sub));
    if (found)
        return g->nodes[*found];
    node *n = g->n_nodes < g->max_nodes ? node_new(g, parent, sub) : NULL;
    if (!n) {
        g->folds++;
        return parent;
    }
    return n;
}

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
        size_t at = edge_hash(&g->edges[i]->at) & (cap - 1);
        while (index[at])
            at = (at + 1) & (cap - 1);
        index[at] = (uint32_t)i + 1;
    }
    free(g->edge_index);
    g->edge_index = index;
    g->edge_index_cap = cap;
    return true;
}

edge *graph_edge(call_graph *g, const edge_place *wanted)
{
    if (g->n_edges >= g->edge_index_cap / 2 && !edge_index_double(g))
        return NULL;
    size_t at = edge_hash(wanted) & (g->edge_index_cap - 1);
    for (; g->edge_index[at]; at = (at + 1) & (g->edge_index_cap - 1)) {
        edge *e = g->edges[g->edge_index[at] - 1];
        if (is_same_place(&e->at, wanted))
            return e;
    }
    edge **edges = nyt_grow(g->edges, &g->edges_cap, g->n_edges + 1, sizeof *edges);
    if (!edges)
        return NULL;
    g->edges = edges;
    edge *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->at = *wanted;
    edges[g->n_edges++] = e;
    g->edge_index[at] = (uint32_t)g->n_edges;
    return e;
}

bool graph_begin(call_graph *g, size_t max_nodes)
{
    g->max_nodes = max_nodes;
    g->root = node_new(g, NULL, UINT32_MAX);
    return g->root != NULL;
}

void graph_free(call_graph *g)
{
    for (size_t i = 0; i < g->n_nodes; i++)
        free(g->nodes[i]);
    for (size_t i = 0; i < g->n_edges; i++)
        free(g->edges[i]);
    free(g->nodes);
    free(g->edges);
    free(g->edge_index);
    nyt_map_free(&g->node_index);
    g->nodes = NULL;
    g->edges = NULL;
    g->edge_index = NULL;
    g->n_nodes = g->n_edges = g->nodes_cap = g->edges_cap = g->edge_index_cap = 0;
    g->root = NULL;
    g->folds = 0;
}
