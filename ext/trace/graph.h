/* Who called whom: edges, and the tree of call paths. */
#ifndef PYNYTPROF_TRACE_GRAPH_H
#define PYNYTPROF_TRACE_GRAPH_H

#include "trace.h"
#include "util.h"

typedef struct {
    uint32_t file, line;        /* file: index in the table of files */
    uint32_t caller;            /* index of the sub plus one; 0: nobody */
    uint32_t callee;
    uint32_t context;           /* the units of work around it: contexts.h */
} edge_place;

/* Calls of one sub from one line of one sub. */
struct edge {
    edge_place at;
    uint64_t count;
    uint64_t inner;             /* those of them that found another activation of the callee */
    uint64_t incl;              /* of outermost activations */
    uint64_t excl;
    uint64_t inner_excl;        /* of the inner ones, contained in it */
    uint64_t reci;              /* inclusive time of the others */
    uint32_t depth;
};

/* A path of calls. */
struct node {
    uint32_t index;
    uint32_t sub;
    uint32_t n_children;
    node *last_child;    /* the child made last: its `next` is the one made first */
    node *next;
    node *hot_child;     /* the child entered last from here */
    line_slot *hot_slot; /* from where this was entered last, */
    edge *hot_edge;      /* and the edge for that */
    uint64_t excl;
};

/* The edge that was found last for calls from a line to a callee. */
typedef struct {
    const line_slot *slot;
    edge *edge;
} edge_memory;

/* The path that was found last from a parent with many to a sub. */
typedef struct {
    const node *parent;
    node *child;
} child_memory;

enum {
    NODES_A_BLOCK = 256,
    EDGES_A_BLOCK = 256,
    FEW_CHILDREN = 4,
    EDGES_REMEMBERED = 2048,
    CHILDREN_REMEMBERED = 2048
};

typedef struct {
    edge **edge_blocks; /* of EDGES_A_BLOCK each */
    size_t n_edges, edge_blocks_cap;
    uint32_t *edge_index; /* open addressing: index in edges plus one, 0: empty */
    size_t edge_index_cap;
    node **node_blocks; /* of NODES_A_BLOCK each */
    size_t n_nodes, node_blocks_cap, max_nodes;
    struct nyt_map node_index; /* parent and sub -> index, where there are more than FEW_CHILDREN */
    node *root; /* stands for "nobody": no sub, no time */
    edge_memory remembered[EDGES_REMEMBERED];
    child_memory children[CHILDREN_REMEMBERED];
    uint64_t folds; /* calls for which the tree had no room */
} call_graph;

/* An empty graph, with its root; false: out of memory. */
bool graph_begin(call_graph *g, size_t max_nodes);
/* The node of `sub` below `parent`; `parent` itself where the tree can't grow. */
node *graph_child(call_graph *g, node *parent, uint32_t sub);
static inline node *graph_node(const call_graph *g, size_t index)
{
    return &g->node_blocks[index / NODES_A_BLOCK][index % NODES_A_BLOCK];
}

static inline edge *graph_edge_at(const call_graph *g, size_t index)
{
    return &g->edge_blocks[index / EDGES_A_BLOCK][index % EDGES_A_BLOCK];
}

/* The edge by which that line has called `callee` last, if it is remembered; the caller may be another, the
 * line itself or a C function that it called. NULL: it is not. */
edge *graph_edge_from(call_graph *g, const line_slot *slot, uint32_t callee);
void graph_remember_edge(call_graph *g, const line_slot *slot, edge *e);
/* NULL: out of memory. */
edge *graph_edge(call_graph *g, const edge_place *at);
void graph_free(call_graph *g);

#endif
