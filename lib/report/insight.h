/* What is found out about a profile once, for all that tells of it. */
#ifndef NYT_REPORT_INSIGHT_H
#define NYT_REPORT_INSIGHT_H

#include "model/profile.h"

struct nyt_insight {
    const nyt_profile *p;
    nyt_split split;
    double *costs;              /* of all lines: see nyt_costs_to_project() */
    /* The line that costs the project most, and what it costs; of all code if the project has
     * none, or none that costs anything to speak of; or NULL. */
    const nyt_line *hottest;
    double cost;
    bool of_project; /* it is one of the project's */
};

/* false: out of memory; free it all the same. */
bool nyt_insight_find(struct nyt_insight *i, const nyt_profile *p);
void nyt_insight_free(struct nyt_insight *i);

/* Is it a line of the import system, or one of a module's body, which an import runs? Where no line
 * of the project is told of these are left out: imports are a part of their own. */
bool nyt_is_import_line(const nyt_profile *p, const nyt_line *line);

/* The innermost sub around a line, or NULL. */
const nyt_sub *nyt_sub_around(const nyt_profile *p, uint32_t fid, uint32_t line);

#endif
