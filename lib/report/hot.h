/* The lines of the project that take most time, with what stands around them. */
#ifndef NYT_REPORT_HOT_H
#define NYT_REPORT_HOT_H

#include "report/insight.h"

/* Some of them that stand near one another in one sub, and the lines shown with them. */
struct nyt_hot_block {
    uint32_t fid, first, last;
    const nyt_sub *sub;         /* the innermost around them; may be NULL */
    const nyt_line *hottest;
    double cost;                /* of the hottest: see nyt_costs_to_project() */
};

struct nyt_hot {
    const nyt_line **lines;     /* the hottest first */
    size_t count;
    struct nyt_hot_block *blocks;       /* by the hottest of each */
    size_t block_count;
    size_t candidates;          /* lines that have time */
    const struct nyt_insight *insight;
    bool of_project;            /* false: the project has none, they are of all code */
};

struct nyt_hot_choice {
    const bool *shown;  /* of each file, by its place in the profile's list */
    size_t top;         /* lines at most */
    double least;       /* but for the first: those that take this share of all time */
    uint32_t around;    /* lines above and below each */
    nyt_sort sort;      /* NYT_SORT_TIME: by what they cost the project */
};

/* false: out of memory; free it all the same. */
bool nyt_hot_find(struct nyt_hot *h, const struct nyt_insight *insight,
                  const struct nyt_hot_choice *choice);
/* What one costs: see nyt_costs_to_project(). */
double nyt_hot_cost(const struct nyt_hot *h, const nyt_line *line);
/* Is it one of the lines that were chosen? */
bool nyt_hot_has(const struct nyt_hot *h, uint32_t fid, uint32_t line);
void nyt_hot_free(struct nyt_hot *h);

#endif
