/* What of a diff is shown, and how. */
#ifndef NYT_REPORT_DIFF_VIEW_H
#define NYT_REPORT_DIFF_VIEW_H

#include "base/text.h"
#include "diff/diff.h"
#include "diff/work.h"

struct nyt_diff_view {
    const nyt_diff *d;
    const nyt_diff_options *options;
    const nyt_delta **ranked[NYT_DIFF_KINDS];   /* those that differ, the most important first */
    size_t count[NYT_DIFF_KINDS];               /* of all that differ */
    size_t shown[NYT_DIFF_KINDS];
    size_t changes[NYT_DIFF_KINDS][3]; /* new, gone, changed */
    struct nyt_buf *said;                       /* of each condition, and whether it is met */
    bool *met;
    struct nyt_work work;
    struct nyt_out *o;
};

#endif
