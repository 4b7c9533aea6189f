/* Awaited time of a profile's lines. */
#ifndef NYT_MODEL_AWAITS_H
#define NYT_MODEL_AWAITS_H

#include "base/json.h"
#include "model/profile.h"

/* Finds it in the comments, once files are complete. false: out of memory. */
bool nyt_awaits_find(nyt_profile *p);

/* One as an object in a list. */
void nyt_await_json(struct nyt_json *j, const nyt_profile *p, const nyt_await *a);

#endif
