/* Lists of what costs most: filled, then sorted. */
#include "report/rank.h"

#include "base/str.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

bool nyt_ranking_begin(struct nyt_ranking *r, size_t most)
{
    *r = (struct nyt_ranking){.list = calloc(most + 1, sizeof *r->list), .cap = most};
    return r->list != NULL;
}

void nyt_rank(struct nyt_ranking *r, double weight, const void *item)
{
    assert(r->count < r->cap);
    r->list[r->count++] = (struct nyt_ranked){isnan(weight) ? -INFINITY : weight, item};
}

static int heaviest_first(const void *left, const void *right)
{
    const struct nyt_ranked *a = left, *b = right;
    int c = NYT_COMPARE(b->weight, a->weight);
    return c ? c : NYT_COMPARE(a->item, b->item);
}

void nyt_ranking_sort(struct nyt_ranking *r)
{
    if (r->count)
        qsort(r->list, r->count, sizeof *r->list, heaviest_first);
}

void nyt_ranking_free(struct nyt_ranking *r)
{
    free(r->list);
    *r = (struct nyt_ranking){0};
}
