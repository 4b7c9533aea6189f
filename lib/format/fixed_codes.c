/* The bits of literals, matches and ends. */
#include "format/fixed_codes.h"

#include <string.h>

/* At most 32. Eight bytes are written, of which those that are whole count. */
static inline void put_bits(struct nyt_bits *b, uint32_t bits, unsigned n)
{
    uint8_t whole[8];
    b->held |= (uint64_t)bits << b->n;
    b->n += n;
    for (unsigned i = 0; i < sizeof whole; i++)
        whole[i] = (uint8_t)(b->held >> 8 * i);
    memcpy(b->p, whole, sizeof whole);
    b->p += b->n / 8;
    b->held >>= b->n & ~7u;
    b->n &= 7;
}

/* Huffman codes, of at most 16 bits, come with their highest bit first. */
static inline uint32_t turned(uint32_t code, unsigned n)
{
    code = (code & 0x5555) << 1 | (code >> 1 & 0x5555);
    code = (code & 0x3333) << 2 | (code >> 2 & 0x3333);
    code = (code & 0x0F0F) << 4 | (code >> 4 & 0x0F0F);
    code = (code & 0x00FF) << 8 | (code >> 8 & 0x00FF);
    return code >> (16 - n);
}

static inline void put_literal(struct nyt_bits *b, uint8_t byte)
{
    enum { SHORT = 144, SHORT_FROM = 0x30, LONG_FROM = 0x190 };
    if (byte < SHORT)
        put_bits(b, turned(SHORT_FROM + byte, 8), 8);
    else
        put_bits(b, turned(LONG_FROM + byte - SHORT, 9), 9);
}

void nyt_bits_literals(struct nyt_bits *b, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        put_literal(b, bytes[i]);
}

static unsigned log2_of(uint32_t value)
{
    unsigned n = 0;
    while (value >>= 1)
        n++;
    return n;
}

/* Of the symbols 256 to 287. */
static void put_length_symbol(struct nyt_bits *b, unsigned symbol)
{
    enum { FIRST = 256, LONG = 280, LONG_FROM = 0xC0 };
    if (symbol < LONG)
        put_bits(b, turned(symbol - FIRST, 7), 7);
    else
        put_bits(b, turned(LONG_FROM + symbol - LONG, 8), 8);
}

static void put_length(struct nyt_bits *b, unsigned length)
{
    enum { FIRST = 257, LAST = 285, FIRST_EXTRA = 8 };
    unsigned more = length - NYT_MATCH_MIN;
    unsigned extra = more < FIRST_EXTRA ? 0 : log2_of(more) - 2;
    if (length == NYT_MATCH_MAX) {
        put_length_symbol(b, LAST);
        return;
    }
    put_length_symbol(b, FIRST + 4 * extra + (more >> extra));
    put_bits(b, more & ((1u << extra) - 1), extra);
}

static void put_back(struct nyt_bits *b, uint32_t back)
{
    uint32_t more = back - 1;
    unsigned extra = more < 4 ? 0 : log2_of(more) - 1;
    put_bits(b, turned(2 * extra + (more >> extra), 5), 5);
    put_bits(b, more & ((1u << extra) - 1), extra);
}

/* As long as can be, but so that no match is left that would be too short. */
static unsigned next_match(uint64_t left)
{
    if (left <= NYT_MATCH_MAX)
        return (unsigned)left;
    return left < NYT_MATCH_MAX + NYT_MATCH_MIN ? NYT_MATCH_MAX - NYT_MATCH_MIN : NYT_MATCH_MAX;
}

void nyt_bits_matches(struct nyt_bits *b, uint64_t left, uint32_t back)
{
    while (left) {
        unsigned length = next_match(left);
        put_length(b, length);
        put_back(b, back);
        left -= length;
    }
}

void nyt_bits_begin_block(struct nyt_bits *b)
{
    enum { FIXED = 2, FIXED_BITS = 3 };
    put_bits(b, FIXED, FIXED_BITS);
}

void nyt_bits_end_block(struct nyt_bits *b)
{
    enum { END = 256, MARK = 0xFFFF };
    put_length_symbol(b, END);
    put_bits(b, 0, 3);
    put_bits(b, 0, -b->n & 7);
    put_bits(b, (uint32_t)MARK << 16, 32);
}
