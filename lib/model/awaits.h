/* Awaited time of a profile's lines. */
#ifndef NYT_MODEL_AWAITS_H
#define NYT_MODEL_AWAITS_H

#include "base/json.h"
#include "model/tables.h"

/* A comment that tells of it, or of waits for a processor, is kept until files and the unit of time
 * are known; false: it tells of something else. *ok: false if there is no memory. */
bool nyt_awaits_heed(struct nyt_loader *l, nyt_str comment, bool *ok);

/* Then lines have it. false: out of memory. */
bool nyt_awaits_finish(struct nyt_loader *l);

/* One as an object in a list. */
void nyt_await_json(struct nyt_json *j, const nyt_profile *p, const nyt_await *a);

#endif
