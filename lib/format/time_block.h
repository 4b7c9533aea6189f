/*
 * Runs of equal records as blocks of deflate made by hand: a record is mostly like the one before it, and
 * those that follow in its run are the same.
 */
#ifndef NYT_FORMAT_TIME_BLOCK_H
#define NYT_FORMAT_TIME_BLOCK_H

#include "base/memory.h"
#include "format/fixed_codes.h"

enum { NYT_TIME_MOST = 64 /* bytes of a record */ };

/* All zeros is an empty one, that is not begun. */
struct nyt_time_block {
    struct nyt_buf packed;          /* the block; whole once it has been ended */
    struct nyt_bits bits;
    uint64_t inflated;              /* how many bytes it holds; 0: it is not begun */
    uint8_t last[NYT_TIME_MOST];    /* the record before, in this block */
    size_t last_len;
};

/*
 * Adds `times` (1 or more) copies of the `len` (3 to NYT_TIME_MOST) bytes at `record`. False: out of
 * memory, and nothing can be done with it but to free it.
 */
bool nyt_time_block_add(struct nyt_time_block *b, const uint8_t *record, size_t len,
                        uint64_t times);
void nyt_time_block_end(struct nyt_time_block *b);
/* The next record begins the next block. */
void nyt_time_block_next(struct nyt_time_block *b);
void nyt_time_block_free(struct nyt_time_block *b);

#endif
