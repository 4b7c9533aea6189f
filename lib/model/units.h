/* Units of work: which there are, and a profile of some of them alone. */
#ifndef NYT_MODEL_UNITS_H
#define NYT_MODEL_UNITS_H

#include "model/tables.h"

/* Takes a comment that tells of units; false: it tells of something else. *ok: false if there is no
 * memory for it. */
bool nyt_units_heed(struct nyt_loader *l, nyt_str comment, bool *ok);
/* What comes is in no unit. */
void nyt_units_outside(struct nyt_loader *l);
/* Once the profile is made: its list of units, and a call tree of those alone that are wanted. false:
 * out of memory. */
bool nyt_units_finish(struct nyt_loader *l);

#endif
