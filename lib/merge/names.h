/* Files of an input by name, as comments have them. */
#ifndef NYT_MERGE_NAMES_H
#define NYT_MERGE_NAMES_H

#include "merge/input.h"

struct nyt_merge_name {
    nyt_str name;
    uint32_t fid; /* in the result */
};

/* All of an input that has a file, to be freed by the caller; `fid_of_file`: what its files, by
 * index, are in the result. NULL: out of memory. */
struct nyt_merge_name *nyt_merge_names(const struct nyt_merge_input *g,
                                       const uint32_t *fid_of_file);

/* What the file of that name is in the result; 0: there is none. */
uint32_t nyt_merge_named(const struct nyt_merge_name *names, size_t n, nyt_str name);

#endif
