/* Lines whose time is a share of one that was measured for several of them together. */
#ifndef NYT_MODEL_SHARED_H
#define NYT_MODEL_SHARED_H

#include "model/tables.h"

/* A comment that tells of such lines is kept until files and lines are complete; false: it tells of
 * something else. *ok: false if there is no memory. */
bool nyt_shared_heed(struct nyt_loader *l, nyt_str comment, bool *ok);

/* Then they are marked. false: out of memory. */
bool nyt_shared_finish(struct nyt_loader *l);

#endif
