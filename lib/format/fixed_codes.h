/*
 * Blocks of deflate made by hand, in the codes that the format has fixed (RFC 1951, 3.2.5 and 3.2.6),
 * where it is known what comes again. Memory only: whoever writes has made room.
 */
#ifndef NYT_FORMAT_FIXED_CODES_H
#define NYT_FORMAT_FIXED_CODES_H

#include <stddef.h>
#include <stdint.h>

enum {
    NYT_MATCH_MIN = 3,          /* bytes */
    NYT_MATCH_MAX = 258,
    NYT_MATCH_BACK = 32768,     /* so far back, at most */
    NYT_LITERAL_BITS = 9,       /* at most; of a code with its extra bits: */
    NYT_MATCH_BITS = 8 + 5 + 5 + 13,
    NYT_BLOCK_ENDS = 24 /* bytes: what stands before and after, and what is written too far */
};

/* All zeros but for `p` where a block begins. */
struct nyt_bits {
    uint8_t *p;
    uint64_t held; /* bits that are not out yet, the first of them lowest */
    unsigned n;
};

void nyt_bits_begin_block(struct nyt_bits *b);
void nyt_bits_literals(struct nyt_bits *b, const uint8_t *bytes, size_t len);
/* `left` bytes, not 1 or 2, that stand so far back, as matches as long as can be. */
void nyt_bits_matches(struct nyt_bits *b, uint64_t left, uint32_t back);
/* The block ends, and an empty stored one follows, as a flush writes it: the bytes are whole then. */
void nyt_bits_end_block(struct nyt_bits *b);

#endif
