/*
 * A run of equal records as one block of deflate, made by hand: the record, then matches at the
 * distance of its length, in the codes that deflate has fixed (RFC 1951, 3.2.5 and 3.2.6). That needs
 * no search for what is known to come again.
 */
#include "format/run_block.h"

enum {
    MATCH_MAX = 258,
    MATCH_MIN = 3,
    LITERAL_BITS = 9,    /* at most; of a code with its extra bits: */
    MATCH_BITS = 8 + 5 + 5 + 13,
    ENDS_BYTES = 16      /* what stands before and after, in bytes */
};

typedef struct {
    uint8_t *p;
    uint64_t held; /* bits that are not out yet, the first of them lowest */
    unsigned n;
} bit_writer;

/* At most 32. */
static void put_bits(bit_writer *b, uint32_t bits, unsigned n)
{
    b->held |= (uint64_t)bits << b->n;
    for (b->n += n; b->n >= 8; b->n -= 8, b->held >>= 8)
        *b->p++ = (uint8_t)b->held;
}

/* Huffman codes come with their highest bit first. */
static uint32_t turned(uint32_t code, unsigned n)
{
    uint32_t turned = 0;
    for (unsigned i = 0; i < n; i++)
        turned |= (code >> i & 1) << (n - 1 - i);
    return turned;
}

static void put_literal(bit_writer *b, uint8_t byte)
{
    enum { SHORT = 144, SHORT_FROM = 0x30, LONG_FROM = 0x190 };
    if (byte < SHORT)
        put_bits(b, turned(SHORT_FROM + byte, 8), 8);
    else
        put_bits(b, turned(LONG_FROM + byte - SHORT, 9), 9);
}

static unsigned log2_of(uint32_t value)
{
    unsigned n = 0;
    while (value >>= 1)
        n++;
    return n;
}

/* Of the symbols 256 to 287. */
static void put_length_symbol(bit_writer *b, unsigned symbol)
{
    enum { FIRST = 256, LONG = 280, LONG_FROM = 0xC0 };
    if (symbol < LONG)
        put_bits(b, turned(symbol - FIRST, 7), 7);
    else
        put_bits(b, turned(LONG_FROM + symbol - LONG, 8), 8);
}

static void put_length(bit_writer *b, unsigned length)
{
    enum { FIRST = 257, LAST = 285, FIRST_EXTRA = 8 };
    unsigned more = length - MATCH_MIN;
    unsigned extra = more < FIRST_EXTRA ? 0 : log2_of(more) - 2;
    if (length == MATCH_MAX) {
        put_length_symbol(b, LAST);
        return;
    }
    put_length_symbol(b, FIRST + 4 * extra + (more >> extra));
    put_bits(b, more & ((1u << extra) - 1), extra);
}

static void put_distance(bit_writer *b, uint32_t distance)
{
    uint32_t more = distance - 1;
    unsigned extra = more < 4 ? 0 : log2_of(more) - 1;
    put_bits(b, turned(2 * extra + (more >> extra), 5), 5);
    put_bits(b, more & ((1u << extra) - 1), extra);
}

/* As long as can be, but so that no match is left that would be too short. */
static unsigned next_match(uint64_t left)
{
    if (left <= MATCH_MAX)
        return (unsigned)left;
    return left < MATCH_MAX + MATCH_MIN ? MATCH_MAX - MATCH_MIN : MATCH_MAX;
}

static void put_matches(bit_writer *b, uint64_t left, uint32_t distance)
{
    while (left) {
        unsigned length = next_match(left);
        put_length(b, length);
        put_distance(b, distance);
        left -= length;
    }
}

/* An empty stored block, as a flush writes it. */
static void to_boundary(bit_writer *b)
{
    enum { MARK = 0xFFFF };
    put_bits(b, 0, 3);
    put_bits(b, 0, -b->n & 7);
    put_bits(b, (uint32_t)MARK << 16, 32);
}

size_t nyt_run_block_room(size_t len, uint64_t times)
{
    uint64_t matches = len * times / MATCH_MAX + 2;
    return ENDS_BYTES + (len * LITERAL_BITS + (size_t)matches * MATCH_BITS) / 8;
}

size_t nyt_run_block(uint8_t *to, const uint8_t *record, size_t len, uint64_t times)
{
    enum { FIXED = 2, FIXED_BITS = 3, END = 256 };
    bit_writer b = {.p = to};
    put_bits(&b, FIXED, FIXED_BITS);
    for (size_t i = 0; i < len; i++)
        put_literal(&b, record[i]);
    put_matches(&b, len * (times - 1), (uint32_t)len);
    put_length_symbol(&b, END);
    to_boundary(&b);
    return (size_t)(b.p - to);
}
