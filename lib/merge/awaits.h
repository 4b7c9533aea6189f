/* Awaited time, of many profiles: a line has the sum of all. */
#ifndef NYT_MERGE_AWAITS_H
#define NYT_MERGE_AWAITS_H

#include "base/memory.h"
#include "merge/input.h"

struct nyt_await_sum {
    uint32_t fid, line;
    uint64_t ticks, count;
};

/* All zeros is an empty one; `list` is to be freed. */
struct nyt_await_sums {
    struct nyt_await_sum *list;
    size_t count, cap;
};

/* Adds those of an input; `fid_of_file`: what its files, by index, are in the result, whose second
 * has `ticks_per_sec` ticks. false: out of memory. */
bool nyt_await_sums_add(struct nyt_await_sums *to, const struct nyt_merge_input *g,
                        const uint32_t *fid_of_file, uint32_t ticks_per_sec);

/* Then: each line once, by file and line. */
void nyt_await_sums_join(struct nyt_await_sums *sums);

/* Appends the comment that tells of one; its file has that name. false: out of memory. */
bool nyt_await_sum_text(const struct nyt_await_sum *sum, nyt_str name, struct nyt_buf *text);

#endif
