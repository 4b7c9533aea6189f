/* The lines of the project that take most time, with what stands around them. */
#include "report/hot.h"

#include "report/rank.h"

#include <math.h>
#include <stdlib.h>

/* ---- The lines ---- */

static bool is_candidate(const nyt_profile *p, const nyt_line *first_of_file, const bool *shown,
                         bool only_project)
{
    const nyt_file *file = nyt_profile_file(p, first_of_file->fid);
    if (!file || file->merged_into || !shown[file - p->files])
        return false;
    return !only_project || nyt_profile_scope(p, file->fid) == NYT_SCOPE_PROJECT;
}

double nyt_hot_cost(const struct nyt_hot *h, const nyt_line *line)
{
    return h->insight->costs[line - h->insight->p->lines[NYT_LEVEL_LINE].list];
}

static double weight_of(const nyt_line *line, double cost, nyt_sort sort)
{
    return sort == NYT_SORT_COUNT  ? (double)line->count
           : sort == NYT_SORT_INCL ? line->incl
           : sort == NYT_SORT_TIME ? cost
                                   : 0;
}

static bool is_hot(const struct nyt_hot *h, const nyt_profile *p, const nyt_line *line,
                   double least)
{
    return nyt_hot_cost(h, line) >= least * p->totals.statement_time;
}

static void rank_lines(struct nyt_ranking *r, const struct nyt_hot *h, const nyt_profile *p,
                       const struct nyt_hot_choice *choice, bool only_project)
{
    size_t n;
    const nyt_line *lines = nyt_profile_all_lines(p, NYT_LEVEL_LINE, &n);
    bool counts = false;
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || lines[i - 1].fid != lines[i].fid)
            counts = is_candidate(p, &lines[i], choice->shown, only_project);
        if (counts && lines[i].time > 0 && isfinite(lines[i].time) && isfinite(lines[i].incl))
            nyt_rank(r, weight_of(&lines[i], h->insight->costs[i], choice->sort), &lines[i]);
    }
    nyt_ranking_sort(r);
}

static bool take_lines(struct nyt_hot *h, const nyt_profile *p, const struct nyt_hot_choice *choice)
{
    struct nyt_ranking r;
    size_t n;
    nyt_profile_all_lines(p, NYT_LEVEL_LINE, &n);
    if (!nyt_ranking_begin(&r, n))
        return false;
    if (h->insight->of_project)
        rank_lines(&r, h, p, choice, true);
    h->of_project = r.count > 0;
    if (!h->of_project)
        rank_lines(&r, h, p, choice, false);
    h->candidates = r.count;
    h->lines = calloc(choice->top + 1, sizeof *h->lines);
    bool but_imports = !h->of_project && h->insight->hottest &&
                       !nyt_is_import_line(p, h->insight->hottest);
    for (size_t i = 0; h->lines && i < r.count && h->count < choice->top; i++) {
        const nyt_line *line = r.list[i].item;
        if (h->count && !is_hot(h, p, line, choice->least))
            break;
        if (!but_imports || !nyt_is_import_line(p, line))
            h->lines[h->count++] = line;
    }
    nyt_ranking_free(&r);
    return h->lines != NULL;
}

/* ---- Blocks ---- */

static uint32_t last_line(const nyt_profile *p, uint32_t fid)
{
    size_t n, m;
    const nyt_src_line *source = nyt_profile_source(p, fid, &n);
    const nyt_line *lines = nyt_profile_lines(p, NYT_LEVEL_LINE, fid, &m);
    uint32_t last = n ? source[n - 1].line : 0;
    return m && lines[m - 1].line > last ? lines[m - 1].line : last;
}

/* Never beyond the sub: what follows it has nothing to do with it. */
static struct nyt_hot_block block_around(const nyt_profile *p, const nyt_line *line, double cost,
                                         uint32_t around)
{
    struct nyt_hot_block b = {.fid = line->fid, .first = line->line, .last = line->line};
    b.sub = nyt_sub_around(p, line->fid, line->line);
    b.hottest = line;
    b.cost = cost;
    uint32_t lowest = b.sub ? b.sub->first : 1;
    uint32_t highest = b.sub ? b.sub->last : last_line(p, line->fid);
    for (uint32_t i = 0; i < around; i++) {
        b.first -= b.first > lowest;
        b.last += b.last < highest;
    }
    return b;
}

static bool belong_together(const struct nyt_hot_block *a, const struct nyt_hot_block *b)
{
    return a->fid == b->fid && a->sub == b->sub && b->first <= (uint64_t)a->last + 1 &&
           a->first <= (uint64_t)b->last + 1;
}

static void take_in(struct nyt_hot_block *to, const struct nyt_hot_block *b)
{
    if (b->first < to->first)
        to->first = b->first;
    if (b->last > to->last)
        to->last = b->last;
}

/* A block that has grown may have come to another one. */
static void join_blocks(struct nyt_hot *h, size_t grown)
{
    for (size_t i = 0; i < h->block_count; i++) {
        size_t low = i < grown ? i : grown, high = i < grown ? grown : i;
        if (i == grown || !belong_together(&h->blocks[low], &h->blocks[high]))
            continue;
        take_in(&h->blocks[low], &h->blocks[high]);
        h->block_count--;
        for (size_t j = high; j < h->block_count; j++)
            h->blocks[j] = h->blocks[j + 1];
        grown = low;
        i = (size_t)-1;
    }
}

static void add_block(struct nyt_hot *h, const struct nyt_hot_block *b)
{
    for (size_t i = 0; i < h->block_count; i++) {
        if (belong_together(&h->blocks[i], b)) {
            take_in(&h->blocks[i], b);
            join_blocks(h, i);
            return;
        }
    }
    h->blocks[h->block_count++] = *b;
}

bool nyt_hot_find(struct nyt_hot *h, const struct nyt_insight *insight,
                  const struct nyt_hot_choice *choice)
{
    const nyt_profile *p = insight->p;
    *h = (struct nyt_hot){.insight = insight};
    if (!take_lines(h, p, choice))
        return false;
    h->blocks = calloc(h->count + 1, sizeof *h->blocks);
    for (size_t i = 0; h->blocks && i < h->count; i++) {
        struct nyt_hot_block b = block_around(p, h->lines[i], nyt_hot_cost(h, h->lines[i]),
                                              choice->around);
        add_block(h, &b);
    }
    return h->blocks != NULL;
}

bool nyt_hot_has(const struct nyt_hot *h, uint32_t fid, uint32_t line)
{
    for (size_t i = 0; i < h->count; i++)
        if (h->lines[i]->fid == fid && h->lines[i]->line == line)
            return true;
    return false;
}

void nyt_hot_free(struct nyt_hot *h)
{
    free(h->lines);
    free(h->blocks);
    *h = (struct nyt_hot){0};
}
