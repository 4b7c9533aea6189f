/* What is found out about a profile once: where the time went, and what each line costs. */
#include "report/insight.h"

#include "model/cost.h"
#include "model/split.h"
#include "report/words.h"

#include <math.h>
#include <stdlib.h>

/* Of the time that is no waiting: a configuration file, or a test that does next to nothing, is no answer. */
static const double LEAST_OF_PROJECT = 0.001;

bool nyt_is_import_line(const nyt_profile *p, const nyt_line *line)
{
    const nyt_sub *sub = nyt_sub_around(p, line->fid, line->line);
    return sub && nyt_is_import(p, sub);
}

enum among { OF_PROJECT, BUT_IMPORTS, ALL };

static void find_hottest(struct nyt_insight *insight, enum among among)
{
    size_t n;
    const nyt_profile *p = insight->p;
    const nyt_line *lines = nyt_profile_all_lines(p, NYT_LEVEL_LINE, &n);
    bool counts = false;
    for (size_t i = 0; i < n; i++) {
        double cost = insight->costs[i];
        if (i == 0 || lines[i - 1].fid != lines[i].fid)
            counts = among != OF_PROJECT || nyt_profile_scope(p, lines[i].fid) == NYT_SCOPE_PROJECT;
        if (counts && lines[i].time > 0 && isfinite(cost) &&
            (!insight->hottest || cost > insight->cost) &&
            (among != BUT_IMPORTS || !nyt_is_import_line(p, &lines[i]))) {
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
    find_hottest(insight, OF_PROJECT);
    double busy = insight->split.total - insight->split.seconds[NYT_PART_WAITING];
    insight->of_project = insight->hottest && insight->cost >= LEAST_OF_PROJECT * busy;
    if (!insight->of_project)
        find_hottest(insight, BUT_IMPORTS);
    if (!insight->hottest)
        find_hottest(insight, ALL);
    return true;
}

void nyt_insight_free(struct nyt_insight *insight)
{
    free(insight->costs);
    *insight = (struct nyt_insight){0};
}

static bool is_around(const nyt_sub *sub, uint32_t fid, uint32_t line)
{
    return sub->fid == fid && sub->first && sub->first <= line && line <= sub->last;
}

/* Who makes the dearest call on a line; NULL: there are no calls. */
static const nyt_sub *who_calls_most(const nyt_profile *p, uint32_t fid, uint32_t line)
{
    const nyt_call *dearest;
    const nyt_sub *caller = NULL;
    if (nyt_top_calls_on(p, fid, line, &dearest, 1))
        caller = nyt_profile_sub(p, dearest->caller);
    return caller && is_around(caller, fid, line) ? caller : NULL;
}

static const nyt_sub *innermost_around(const nyt_profile *p, uint32_t fid, uint32_t line)
{
    const nyt_sub *best = NULL;
    size_t n;
    const nyt_sub *const *subs = nyt_profile_defined(p, fid, &n);
    for (size_t i = 0; i < n; i++) {
        if (is_around(subs[i], fid, line) && (!best || subs[i]->first >= best->first))
            best = subs[i];
    }
    return best;
}

/* A sub that begins on the line may be a lambda on a line of another's, or one that is defined there. */
const nyt_sub *nyt_sub_around(const nyt_profile *p, uint32_t fid, uint32_t line)
{
    const nyt_sub *innermost = innermost_around(p, fid, line);
    const nyt_sub *caller = innermost && innermost->first == line ? who_calls_most(p, fid, line)
                                                                  : NULL;
    return caller ? caller : innermost;
}
