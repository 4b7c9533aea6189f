/* What the parts of a diff share. */
#ifndef NYT_DIFF_DIFF_H
#define NYT_DIFF_DIFF_H

#include "diff/match.h"

enum { NYT_DIFF_KINDS = 3 };

/* The figures of whole profiles, in the order of the reports. */
enum nyt_total {
    NYT_TOTAL_TIME,
    NYT_TOTAL_DURATION,
    NYT_TOTAL_ACTIVE,
    NYT_TOTAL_LINES,
    NYT_TOTAL_CALLS,
    NYT_TOTAL_OF_KINDS          /* from here on three for each kind: new, gone, changed */
};
enum { NYT_DIFF_TOTALS = NYT_TOTAL_OF_KINDS + 3 * NYT_DIFF_KINDS };

struct nyt_deltas {
    nyt_delta *list;
    size_t count, cap;
};

struct nyt_diff {
    struct nyt_match match;
    struct nyt_deltas deltas[NYT_DIFF_KINDS];
    nyt_diff_total totals[NYT_DIFF_TOTALS];
    struct nyt_names callers; /* sets of them, for edges */
    size_t runs[2];           /* of each side, */
    nyt_diff_take take;       /* and which of their times are shown */
};

/*
 * Steps through the options that figures depend on and that differ; *at begins at 0. Its name, or
 * NULL: there are no more.
 */
const char *nyt_diff_next_option(const nyt_diff *d, size_t *at, const nyt_str *values[2]);

/* From the deltas and both profiles; again when the deltas have changed. */
void nyt_diff_count_totals(nyt_diff *d);
/* Of all lines of a profile; where one of both profiles has none, of all subs. */
double nyt_diff_whole_time(const nyt_diff *d, const nyt_profile *p);

/* 0 new, 1 gone, 2 changed: an index into lists of the three. */
static inline int nyt_delta_change(const nyt_delta *delta)
{
    return !delta->before.there ? 0 : !delta->after.there ? 1 : 2;
}

/* Counts of hostile profiles wrap. */
static inline int64_t nyt_delta_count(const nyt_delta *delta)
{
    return (int64_t)((uint64_t)delta->after.count - (uint64_t)delta->before.count);
}

#endif
