/* Which string evals are counted as one. */
#ifndef NYT_MODEL_STRING_EVALS_H
#define NYT_MODEL_STRING_EVALS_H

#include "model/tables.h"

/* Decides which evals and subs are merged, and marks them. NYT_OK or NYT_ENOMEM. */
int nyt_merge_evals(struct nyt_loader *l);
/* The file that has what `fid` had; itself if it was not merged. */
uint32_t nyt_loader_survivor(const struct nyt_loader *l, uint32_t fid);

#endif
