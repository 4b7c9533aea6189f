/* The call tree while it is being added up; see calltree.c. */
#ifndef NYT_MODEL_CALLTREE_H
#define NYT_MODEL_CALLTREE_H

#include "base/hash.h"

struct nyt_return {
    uint32_t name, depth;
    uint64_t calls;
    double incl, excl;
};

struct nyt_tree_node {
    uint32_t parent, name, depth, first_child, next;
    uint32_t last, after;           /* child reached last; sibling that was reached after this */
    uint32_t stamp;                 /* number of the first return among those of all sections */
    uint64_t calls;
    double incl, excl;
};

struct nyt_tree {
    struct nyt_tree_node *nodes;    /* 0 is the root */
    size_t count, cap;
    uint32_t stamps;                /* so many were given to the sections before */
    struct nyt_map children;        /* parent and name -> node */
};

/* All zeros is an empty one. The functions are false when out of memory. */
struct nyt_calltree {
    struct nyt_return *returns;     /* of the section that is being read */
    size_t count, cap;
    struct nyt_tree tree; /* of the sections before it */
    struct nyt_tree some; /* memory for adding up */
};

bool nyt_calltree_add(struct nyt_calltree *c, uint32_t depth, uint32_t name, double incl,
                      double excl);
/* A process begins or ends: what is open now will never return. */
bool nyt_calltree_section(struct nyt_calltree *c);
/* There will be no more: children get the order in which they returned first. */
bool nyt_calltree_finish(struct nyt_calltree *c);
/* c->tree.count nodes, at least a root; the caller's. NULL: out of memory. */
nyt_node *nyt_calltree_nodes(const struct nyt_calltree *c, const struct nyt_names *names);
/* In post-order: callers after all they called. 0, the root, is the end. A node whose name is
 * above NYT_NAMES_MAX stands for callers that never returned. */
uint32_t nyt_tree_first(const struct nyt_tree *t);
uint32_t nyt_tree_next(const struct nyt_tree *t, uint32_t at);
void nyt_calltree_free(struct nyt_calltree *c);

#endif
