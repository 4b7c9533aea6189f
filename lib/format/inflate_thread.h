/* Inflating ahead: a second thread does the next steps while what came before is looked at. */
#ifndef NYT_FORMAT_INFLATE_THREAD_H
#define NYT_FORMAT_INFLATE_THREAD_H

#include "format/inflate.h"

struct nyt_ahead;

/* NULL: there are no threads here, or no more of them. `f` is out of bounds then but for the time
 * after a step that gave no bytes: it may be fed, and looked at, until the next call. */
struct nyt_ahead *nyt_ahead_new(struct nyt_inflater *f);
/* As nyt_inflate(). */
enum nyt_inflated nyt_ahead_next(struct nyt_ahead *a, uint8_t *to, size_t room, size_t *got);
/* Takes NULL. */
void nyt_ahead_free(struct nyt_ahead *a);

#endif
