/* What a page shows of a profile that is too large for it. */
#ifndef NYT_REPORT_PAGE_CHOICE_H
#define NYT_REPORT_PAGE_CHOICE_H

#include "model/profile.h"

/* How many of each there may be. */
struct nyt_page_caps {
    size_t files, lines, subs, calls, nodes, processes;
};

/* What is shown of each list, and how many have something to show but are not among them. */
struct nyt_page_choice {
    bool *files, *lines, *subs, *calls;
    uint32_t *node_at;          /* of each node: its own index in the page, or that of the node
                                   above which has its time */
    bool *nodes;
    size_t files_left, lines_left, subs_left, calls_left, nodes_left;
    size_t processes, processes_left; /* the first ones are shown */
};

/* false: out of memory; free it all the same. */
bool nyt_page_choose(struct nyt_page_choice *c, const nyt_profile *p,
                     const struct nyt_page_caps *caps);
void nyt_page_choice_free(struct nyt_page_choice *c);

#endif
