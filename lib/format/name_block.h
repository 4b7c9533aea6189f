/*
 * Records of subs and calls as blocks of deflate made by hand: most of what they hold is names that were
 * there before, of which it is known where, or that begin as the name before does.
 */
#ifndef NYT_FORMAT_NAME_BLOCK_H
#define NYT_FORMAT_NAME_BLOCK_H

#include "base/memory.h"
#include "format/fixed_codes.h"

/* A name, and where it stood last, of all that has gone through the block so far, plus one. */
struct nyt_block_name {
    nyt_str text;
    uint64_t last;      /* 0: nowhere yet */
};

/* All zeros is an empty one. */
struct nyt_name_block {
    struct nyt_buf plain;  /* the records in the block, */
    struct nyt_buf packed; /* and the block */
    struct nyt_bits bits;
    uint64_t before;       /* how many bytes were in earlier blocks */
    size_t name;           /* where in `plain` the last name stands, and its length */
    size_t name_len;
};

/* Each adds a record; r->name, caller and called are taken from the names. False: out of memory, and
 * nothing can be done with it but to free it. */
bool nyt_name_block_info(struct nyt_name_block *b, const nyt_sub_info *r,
                         struct nyt_block_name *name);
bool nyt_name_block_return(struct nyt_name_block *b, const nyt_sub_return *r,
                           struct nyt_block_name *name);
bool nyt_name_block_callers(struct nyt_name_block *b, const nyt_sub_callers *r,
                            struct nyt_block_name *caller, struct nyt_block_name *called);
/* Ends the block: packed has it whole then. */
void nyt_name_block_end(struct nyt_name_block *b);
/* The next record begins the next block. */
void nyt_name_block_next(struct nyt_name_block *b);
void nyt_name_block_free(struct nyt_name_block *b);

#endif
