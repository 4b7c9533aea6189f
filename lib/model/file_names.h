/* Files by name: comments name them, since numbers change when profiles are merged. */
#ifndef NYT_MODEL_FILE_NAMES_H
#define NYT_MODEL_FILE_NAMES_H

#include "model/profile.h"

/* All files, to be freed by the caller; NULL: out of memory. */
const nyt_file **nyt_files_by_name(const nyt_profile *p);

/* The first one of that name in such a list; NULL: there is none. */
const nyt_file *nyt_file_named(const nyt_profile *p, const nyt_file *const *files, nyt_str name);

#endif
