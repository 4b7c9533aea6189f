/* Lists of what costs most. */
#ifndef NYT_REPORT_RANK_H
#define NYT_REPORT_RANK_H

#include <stdbool.h>
#include <stddef.h>

/* Items lie in one array, so that their addresses are their order where they weigh the same. */
struct nyt_ranked {
    double weight;
    const void *item;
};

struct nyt_ranking {
    struct nyt_ranked *list;
    size_t count, cap;
};

/* Room for so many at once; false: out of memory. */
bool nyt_ranking_begin(struct nyt_ranking *r, size_t most);
void nyt_rank(struct nyt_ranking *r, double weight, const void *item);
/* The heaviest first; what has no number for a weight comes last. */
void nyt_ranking_sort(struct nyt_ranking *r);
void nyt_ranking_free(struct nyt_ranking *r);

#endif
