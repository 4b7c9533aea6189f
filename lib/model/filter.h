/* Which files a reader wants to see. */
#ifndef NYT_MODEL_FILTER_H
#define NYT_MODEL_FILTER_H

#include "model/profile.h"

/*
 * For each file, by its place in the profile's list: is it shown? Code that exec or eval was given
 * goes with the file that gave it. To be freed; NULL: out of memory. `filter` may be NULL.
 */
bool *nyt_filter_files(const nyt_profile *p, const nyt_filter *filter);
/* Does it leave anything out at all? */
bool nyt_filter_is_set(const nyt_filter *filter);
/* `*` stands for any characters, `?` for one. */
bool nyt_glob_matches(const char *pattern, nyt_str text);
/* Does a path match a pattern? `*` stands for any characters, `/` included, `?` for one. */
bool nyt_path_matches(const nyt_profile *p, const nyt_file *file, const char *pattern);

#endif
