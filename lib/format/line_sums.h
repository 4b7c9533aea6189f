/* Statements added up by place: the part of a profile that is read millions of times. */
#ifndef NYT_FORMAT_LINE_SUMS_H
#define NYT_FORMAT_LINE_SUMS_H

#include "base/hash.h"

struct nyt_line_sum {
    int64_t count, ticks;
    uint32_t fid, line;
};

/*
 * All zeros is an empty one. Lines stand in the order of their first appearance. `slots` finds
 * most of them, `rest` those that found no room there: neither grows with what is in a number.
 */
struct nyt_line_sums {
    struct nyt_line_sum *list;
    size_t count, cap;
    struct nyt_line_slot *slots;
    size_t slot_count;
    struct nyt_map rest;
};

/* What a run of records was, all together. */
struct nyt_run {
    uint64_t statements;        /* TIME_LINE records, */
    uint64_t discounted;        /* so many of them behind a DISCOUNT of their own */
    int64_t ticks;
};

/* So many equal TIME_LINE records, one after the other. */
struct nyt_sample {
    int32_t ticks;
    uint32_t fid, line;
    uint64_t times;
    uint64_t offset;        /* of the first one */
};

/* Adds zeros if there is nothing yet; the pointer lives until the next call. NULL: out of
 * memory. */
struct nyt_line_sum *nyt_line_sums_at(struct nyt_line_sums *t, uint32_t fid, uint32_t line);

/*
 * Adds up the TIME_LINE records from `p` on, each with no or one DISCOUNT before it, until
 * something else comes or less is left before `end` than a record may take. Moves *p behind
 * what it took. false: out of memory, and *p is at the record that has no room.
 */
bool nyt_line_sums_add_records(struct nyt_line_sums *t, const uint8_t **p, const uint8_t *end,
                               struct nyt_run *run);
/* Adds up what was counted already. false: out of memory. */
bool nyt_line_sums_add_sample(struct nyt_line_sums *t, const struct nyt_sample *sample,
                              struct nyt_run *run);
void nyt_line_sums_free(struct nyt_line_sums *t);

/* Wraps instead of overflowing: only files that lie come that far. */
static inline int64_t nyt_add_ticks(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

#endif
