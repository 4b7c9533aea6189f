/*
 * Who called whom: edges (calling line, calling sub, called sub) with exact
 * figures, and the tree of call paths. Both only grow, with what is distinct in
 * the program; the tree has a cap, past which a path's time stays with the
 * longest part of it that the tree holds.
 */
#include "trace.h"
#include "util.h"

#include <stdlib.h>

static inline uint64_t mix(uint64_t x)
{
    x ^= x >> 32;
    x *= UINT64_C(0x9E3779B97F4A7C15);
    return x ^ x >> 29;
}

static node *node_new(tracer *t, node *parent, uint32_t sub)
{
    node **nodes = nyt_grow(t->nodes, &t->nodes_cap, t->n_nodes + 1, sizeof *nodes);
    if (!nodes)
        return NULL;
    t->nodes = nodes;
    node *n = calloc(1, sizeof *n);
    if (!n)
        return NULL;
    n->index = (uint32_t)t->n_nodes;
    n->sub = sub;
    n->parent = parent;
    bool is_new;
    uint32_t *place = parent ? nyt_map_take(&t->node_index, nyt_pair_key(parent->index, sub),
                                            &is_new) : NULL;
    if (parent && !place) {
        free(n);
        return NULL;
    }
    if (parent) {
        *place = n->index;
        n->next = parent->first_child;
        parent->first_child = n;
    }
    nodes[t->n_nodes++] = n;
    return n;
}

/* The node of `sub` below `parent`; `parent` itself where the tree can't grow. */
node *graph_child(tracer *t, node *parent, uint32_t sub)
{
    if (t->max_nodes == 0)      /* no tree is wanted */
        return parent;
    const uint32_t *found = nyt_map_find(&t->node_index, nyt_pair_key(parent->index, sub));
    if (found)
        return t->nodes[*found];
    node *n = t->n_nodes < t->max_nodes ? node_new(t, parent, sub) : NULL;
    if (!n) {
        t->folds++;
        return parent;
    }
    return n;
}

static uint64_t edge_hash(uint32_t file, uint32_t line, uint32_t caller, uint32_t callee)
{
    return mix(mix((uint64_t)file << 32 | line) ^ ((uint64_t)caller << 32 | callee));
}

static bool edge_index_double(tracer *t)
{
    size_t cap = t->edge_index_cap ? t->edge_index_cap * 2 : 256;
    uint32_t *index = calloc(cap, sizeof *index);
    if (!index)
        return false;
    for (size_t i = 0; i < t->n_edges; i++) {
        const edge *e = t->edges[i];
        size_t at = edge_hash(e->file, e->line, e->caller, e->callee) & (cap - 1);
        while (index[at])
            at = (at + 1) & (cap - 1);
        index[at] = (uint32_t)i + 1;
    }
    free(t->edge_index);
    t->edge_index = index;
    t->edge_index_cap = cap;
    return true;
}

/* NULL: out of memory. */
edge *graph_edge(tracer *t, uint32_t file, uint32_t line, uint32_t caller, uint32_t callee)
{
    if (t->n_edges >= t->edge_index_cap / 2 && !edge_index_double(t))
        return NULL;
    size_t at = edge_hash(file, line, caller, callee) & (t->edge_index_cap - 1);
    for (; t->edge_index[at]; at = (at + 1) & (t->edge_index_cap - 1)) {
        edge *e = t->edges[t->edge_index[at] - 1];
        if (e->file == file && e->line == line && e->caller == caller && e->callee == callee)
            return e;
    }
    edge **edges = nyt_grow(t->edges, &t->edges_cap, t->n_edges + 1, sizeof *edges);
    if (!edges)
        return NULL;
    t->edges = edges;
    edge *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    *e = (edge){.file = file, .line = line, .caller = caller, .callee = callee};
    edges[t->n_edges++] = e;
    t->edge_index[at] = (uint32_t)t->n_edges;
    return e;
}

/* The root stands for "nobody": no sub, no time. */
bool graph_begin(tracer *t)
{
    t->root = node_new(t, NULL, UINT32_MAX);
    return t->root != NULL;
}

void graph_free(tracer *t)
{
    for (size_t i = 0; i < t->n_nodes; i++)
        free(t->nodes[i]);
    for (size_t i = 0; i < t->n_edges; i++)
        free(t->edges[i]);
    free(t->nodes);
    free(t->edges);
    free(t->edge_index);
    nyt_map_free(&t->node_index);
    t->nodes = NULL;
    t->edges = NULL;
    t->edge_index = NULL;
    t->n_nodes = t->n_edges = t->nodes_cap = t->edges_cap = t->edge_index_cap = 0;
    t->root = NULL;
}
