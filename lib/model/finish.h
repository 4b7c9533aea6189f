/* The last step of loading. */
#ifndef NYT_MODEL_FINISH_H
#define NYT_MODEL_FINISH_H

#include "model/tables.h"

/* Makes the sorted lists out of the loader's tables. NYT_OK or NYT_ENOMEM. */
int nyt_profile_finish(struct nyt_loader *l);
/* Makes the list of calls by their places of that by the called, anew. false: out of memory. */
bool nyt_finish_calls_by_fid(nyt_profile *p);

#endif
