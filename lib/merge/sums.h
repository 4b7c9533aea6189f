/* Time and calls by place. */
#ifndef NYT_MERGE_SUMS_H
#define NYT_MERGE_SUMS_H

#include "model/calltree.h"

struct nyt_sum_line {
    uint32_t section; /* the process or thread: what its number means the caller knows */
    uint32_t fid, line, block_line, sub_line;
    uint32_t unit; /* the units of work that it ran in: a number; 0: none */
    uint64_t count;
    int64_t ticks;
};

struct nyt_sum_call {
    uint32_t fid, line, caller, called;     /* fid 0: the mark of an xsub */
    uint32_t unit;
    uint64_t count;
    double incl, excl, reci;
    uint32_t depth;
};

/* All zeros is empty. A line may be there without count and time: it stands for its place. */
struct nyt_sums {
    uint32_t unit;                          /* that of what is added next */
    struct nyt_map line_index;              /* fid and line, of section 0 and no unit */
    struct nyt_map section_index;           /* that line's index and another section */
    struct nyt_map unit_index;              /* the same with the section, and the unit */
    struct nyt_map block_numbers;           /* line of block and sub */
    struct nyt_map block_index;             /* line's index and number of the block */
    struct nyt_sum_line *lines;
    size_t line_count, line_cap;

    struct nyt_map pair_numbers;            /* caller and called */
    struct nyt_map call_index;              /* line's index and number of the pair */
    struct nyt_sum_call *calls;
    size_t call_count, call_cap;

    struct nyt_calltree tree;
};

/* Each adds zeros if there is nothing yet; the pointer lives until the next call. NULL: out of
 * memory. */
struct nyt_sum_line *nyt_sums_line(struct nyt_sums *s, uint32_t section, const nyt_time *where);
struct nyt_sum_call *nyt_sums_call(struct nyt_sums *s, uint32_t fid, uint32_t line, uint32_t caller,
                                   uint32_t called);
void nyt_sums_free(struct nyt_sums *s);

/* To the nearest. Both scales are at least 1 and below 2^31. */
int64_t nyt_rescale_ticks(int64_t ticks, uint32_t from, uint32_t to);
void nyt_sums_rescale(struct nyt_sums *s, uint32_t from, uint32_t to);

#endif
