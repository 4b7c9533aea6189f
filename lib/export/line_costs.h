/* Which sub a line belongs to, and what of its time is that sub's. */
#ifndef NYT_EXPORT_LINE_COSTS_H
#define NYT_EXPORT_LINE_COSTS_H

#include "model/profile.h"

/* Where subs stand. All zeros is an empty one. */
struct nyt_ranges {
    const nyt_profile *p;
    const nyt_sub **list; /* code by fid, first line, last line from the end */
    size_t count;
    const nyt_sub **open; /* a stack */
    uint32_t fid;
    size_t next, depth;
};

/* false: out of memory. */
bool nyt_ranges_find(struct nyt_ranges *r, const nyt_profile *p);
/* The innermost sub around a line; NULL: none. Lines are asked for by fid and line. */
const nyt_sub *nyt_ranges_at(struct nyt_ranges *r, uint32_t fid, uint32_t line);
void nyt_ranges_free(struct nyt_ranges *r);

/* The time of one line, without that of the functions in C that it called. */
struct nyt_line_cost {
    const nyt_sub *sub; /* NULL: none */
    uint32_t fid, line;
    double seconds;
};

struct nyt_line_costs {
    struct nyt_line_cost *list; /* by sub, fid and line; those of no sub are last */
    size_t count;
};

/* Of all lines that have time. false: out of memory. */
bool nyt_line_costs_find(struct nyt_line_costs *c, const nyt_profile *p);
/* Those of one sub (NULL: of none); *n is their number. */
const struct nyt_line_cost *nyt_line_costs_of(const struct nyt_line_costs *c, const nyt_sub *sub,
                                              size_t *n);
double nyt_line_costs_sum(const struct nyt_line_cost *list, size_t n);
void nyt_line_costs_free(struct nyt_line_costs *c);

#endif
