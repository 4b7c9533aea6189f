/* What `top` shows: the lines or functions of a profile that cost most. */
#ifndef TOP_LIST_H
#define TOP_LIST_H

#include "base/text.h"
#include "nytprof.h"

struct top_view {
    bool functions;         /* and not lines */
    bool project;           /* only of the project's own code, if there is any */
    nyt_sort sort;
    size_t rows, width;     /* width 0: nothing is cut */
    bool told_shared;       /* times with a '~' have been among the rows */
};

/* A heading and at most `rows` rows, each a line of at most `width` columns; NYT_ENOMEM. */
int put_top_list(struct nyt_out *o, const nyt_profile *p, struct top_view *v);

#endif
