/* What is found out about a profile once, for all that tells of it. */
#ifndef NYT_REPORT_INSIGHT_H
#define NYT_REPORT_INSIGHT_H

#include "model/profile.h"

struct nyt_insight {
    const nyt_profile *p;
    nyt_split split;
    double *costs;              /* of all lines: see nyt_costs_to_project() */
    /* The line that costs the project most, and what it costs; of all code if the project has
     * none; or NULL. */
    const nyt_line *hottest;
    double cost;
};

/* false: out of memory; free it all the same. */
bool nyt_insight_find(struct nyt_insight *i, const nyt_profile *p);
void nyt_insight_free(struct nyt_insight *i);

/* The innermost sub around a line, or NULL. */
const nyt_sub *nyt_sub_around(const nyt_profile *p, uint32_t fid, uint32_t line);

#endif
