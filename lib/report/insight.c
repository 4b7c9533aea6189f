/* What is found out about a profile once: where the time went, and what each line costs. */
#include "report/insight.h"

#include "model/cost.h"
#include "model/split.h"

#include <math.h>
#include <stdlib.h>

static void find_hottest(struct nyt_insight *insight, bool only_project)
{
    size_t n;
    const nyt_profile *p = insight->p;
    const nyt_line *lines = nyt_profile_all_lines(p, NYT_LEVEL_LINE, &n);
    bool counts = false;
    for (size_t i = 0; i < n; i++) {
        double cost = insight->costs[i];
        if (i == 0 || lines[i - 1].fid != lines[i].fid)
            counts = !only_project || nyt_profile_scope(p, lines[i].fid) == NYT_SCOPE_PROJECT;
        if (counts && lines[i].time > 0 && isfinite(cost) &&
            (!insight->hottest || cost > insight->cost)) {
            insight->hottest = &lines[i];
            insight->cost = cost;
        }
    }
}

bool nyt_insight_find(struct nyt_insight *insight, const nyt_profile *p)
{
    *insight = (struct nyt_insight){.p = p, .costs = nyt_costs_to_project(p)};
    if (!insight->costs || !nyt_split_find(p, &insight->split))
        return false;
    find_hottest(insight, true);
    if (!insight->hottest)
        find_hottest(insight, false);
    return true;
}

void nyt_insight_free(struct nyt_insight *insight)
{
    free(insight->costs);
    *insight = (struct nyt_insight){0};
}

const nyt_sub *nyt_sub_around(const nyt_profile *p, uint32_t fid, uint32_t line)
{
    const nyt_sub *best = NULL;
    size_t n;
    const nyt_sub *const *subs = nyt_profile_defined(p, fid, &n);
    for (size_t i = 0; i < n; i++) {
        bool around = subs[i]->fid == fid && subs[i]->first && subs[i]->first <= line &&
                      line <= subs[i]->last;
        if (around && (!best || subs[i]->first >= best->first))
            best = subs[i];
    }
    return best;
}
