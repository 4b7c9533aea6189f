/* Inflating on a thread of its own: it does the next steps while what came before is looked at. */
#ifndef NYT_FORMAT_INFLATE_THREAD_H
#define NYT_FORMAT_INFLATE_THREAD_H

#include "format/inflate.h"

struct nyt_inflate_thread;

/* NULL: there are no threads here, or no more of them. `f` is out of bounds then but for the time
 * after a step that gave no bytes: it may be fed, and looked at, until the next call. */
struct nyt_inflate_thread *nyt_inflate_thread_new(struct nyt_inflater *f);
/* As nyt_inflate(). */
enum nyt_inflated nyt_inflate_thread_next(struct nyt_inflate_thread *a, uint8_t *to, size_t room,
                                          size_t *got);
/* Takes NULL. */
void nyt_inflate_thread_free(struct nyt_inflate_thread *a);

#endif
