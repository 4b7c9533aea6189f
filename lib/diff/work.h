/* Where the work of two profiles differs, and where only their times do. */
#ifndef NYT_DIFF_WORK_H
#define NYT_DIFF_WORK_H

#include "diff/diff.h"

/* Calls or a line that there are more or fewer of than the calls of the sub around explain. */
struct nyt_work_item {
    nyt_diff_kind kind; /* edges or lines */
    const nyt_delta *delta;
    int64_t change;
    int half;           /* that the place is in */
    uint32_t fid, line;
    double weight; /* seconds that it may have cost */
};

struct nyt_work {
    struct nyt_work_item *list; /* calls first, then lines; each by weight */
    size_t count;
    bool differs;  /* any count does */
    double factor; /* by which nearly all times differ that belong to equal counts; or 1 */
};

/* false: out of memory. */
bool nyt_work_find(struct nyt_work *w, const nyt_diff *d);
void nyt_work_free(struct nyt_work *w);

#endif
