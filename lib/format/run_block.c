/*
 * A run of equal records as one block of deflate, made by hand: the record, then matches at the
 * distance of its length. That needs no search for what is known to come again.
 */
#include "format/run_block.h"

#include "format/fixed_codes.h"

size_t nyt_run_block_room(size_t len, uint64_t times)
{
    uint64_t matches = len * times / NYT_MATCH_MAX + 2;
    return NYT_BLOCK_ENDS + (len * NYT_LITERAL_BITS + (size_t)matches * NYT_MATCH_BITS) / 8;
}

size_t nyt_run_block(uint8_t *to, const uint8_t *record, size_t len, uint64_t times)
{
    struct nyt_bits b = {.p = to};
    nyt_bits_begin_block(&b);
    nyt_bits_literals(&b, record, len);
    nyt_bits_matches(&b, len * (times - 1), (uint32_t)len);
    nyt_bits_end_block(&b);
    return (size_t)(b.p - to);
}
