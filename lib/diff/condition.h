/* How large a change must be to matter. */
#ifndef NYT_DIFF_CONDITION_H
#define NYT_DIFF_CONDITION_H

#include "nytprof.h"

/* Times that changed by less than one of them are the same. */
struct nyt_min_change {
    double seconds, percent;
};

/* NULL: the usual. NYT_OK or NYT_EAPI. */
int nyt_min_change_parse(struct nyt_min_change *out, const char *text, nyt_error *err);

/* New, gone, or changed by enough to be reported. */
bool nyt_delta_differs(const nyt_delta *delta, const struct nyt_min_change *min);

/* Of what there was before; infinite if that is nothing. */
double nyt_percent(double before, double after);

#endif
