/* Lines with shared times, of many profiles: a line that has one in any of them is marked. */
#ifndef NYT_MERGE_SHARED_H
#define NYT_MERGE_SHARED_H

#include "base/memory.h"
#include "merge/input.h"

struct nyt_shared_range {
    uint32_t fid, first, last;
};

/* All zeros is an empty one; `list` is to be freed. */
struct nyt_shared_ranges {
    struct nyt_shared_range *list;
    size_t count, cap;
};

/* Adds those of an input; `fid_of_file`: what its files, by index, are in the result. false: out of
 * memory. */
bool nyt_shared_add(struct nyt_shared_ranges *to, const struct nyt_merge_input *g,
                    const uint32_t *fid_of_file);

/* Then: sorted by file and line, so that none touches another. */
void nyt_shared_join(struct nyt_shared_ranges *ranges);

/* Appends the comment that tells of those from *at on which are in one file, which has that name,
 * or of as many as fit in one; *at is then the next one. false: out of memory. */
bool nyt_shared_text(const struct nyt_shared_ranges *ranges, size_t *at, nyt_str name,
                     struct nyt_buf *text);

#endif
