/* Where the time went: see nyt_profile_split(). */
#ifndef NYT_MODEL_SPLIT_H
#define NYT_MODEL_SPLIT_H

#include "model/profile.h"

/* The same; false: out of memory. */
bool nyt_split_find(const nyt_profile *p, nyt_split *split);
/* Is it the body of a module that was imported, or what finds and loads modules? */
bool nyt_is_import(const nyt_profile *p, const nyt_sub *sub);
/* Does this function wait for another thread, or, in the way of event loops, for events? */
bool nyt_is_idle(const nyt_sub *sub);
/* Does this function do nothing but wait? */
bool nyt_is_wait(const nyt_sub *sub);

#endif
