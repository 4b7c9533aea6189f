/* What lines took with all that they called. */
#ifndef NYT_MODEL_LINE_INCL_H
#define NYT_MODEL_LINE_INCL_H

#include "model/profile.h"

/*
 * Takes from lines what was added to them twice: `dearest` has of each line the most that calls of
 * one sub added. Where several subs that a line called call that line again, as import machinery
 * does, the time of one is within that of another. A line took no more than the sub around it, and
 * no less than its dearest call. false: out of memory.
 */
bool nyt_line_incl_bound(nyt_profile *p, const double *dearest);

#endif
