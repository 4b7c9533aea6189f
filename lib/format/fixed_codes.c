/* The bits of literals, matches and ends. */
#include "format/fixed_codes.h"

#include "format/codec.h"

/* Eight bytes are written, of which those that are whole count. Less than 64 bits are held. */
static inline void put_whole(struct nyt_bits *b)
{
    nyt_put_le64(b->p, b->held);
    b->p += b->n / 8;
    b->held >>= b->n & ~7u;
    b->n &= 7;
}

/* At most 32. */
static inline void put_bits(struct nyt_bits *b, uint32_t bits, unsigned n)
{
    b->held |= (uint64_t)bits << b->n;
    b->n += n;
    put_whole(b);
}

/* Huffman codes come with their highest bit first. That of each literal: 8 bits, from LONG_LITERALS on 9. */
#define PAIR_OF(c)    (((c) >> 1 & 1) | ((c) & 1) << 1)
#define NIBBLE_OF(c)  (PAIR_OF((c) >> 2) | PAIR_OF(c) << 2)
#define BYTE_OF(c)    (NIBBLE_OF((c) >> 4) | NIBBLE_OF(c) << 4)
#define SHORT_OF(b)   BYTE_OF(0x30 + (b))
#define LONG_OF(b)    (1 | BYTE_OF(0x90 + (b) - 144) << 1)
#define CODE_OF(b)    ((b) < 144 ? SHORT_OF(b) : LONG_OF(b))
#define FOUR(b)       CODE_OF(b), CODE_OF((b) + 1), CODE_OF((b) + 2), CODE_OF((b) + 3)
#define SIXTEEN(b)    FOUR(b), FOUR((b) + 4), FOUR((b) + 8), FOUR((b) + 12)
#define SIXTY_FOUR(b) SIXTEEN(b), SIXTEEN((b) + 16), SIXTEEN((b) + 32), SIXTEEN((b) + 48)

enum { LONG_LITERALS = 144 };

static const uint16_t literal_codes[256] = {SIXTY_FOUR(0), SIXTY_FOUR(64), SIXTY_FOUR(128),
                                            SIXTY_FOUR(192)};

void nyt_bits_literals(struct nyt_bits *b, const uint8_t *bytes, size_t len)
{
    enum { AT_ONCE = (64 - 7) / NYT_LITERAL_BITS };
    struct nyt_bits here = *b;  /* which the bytes that are written can't alter */
    while (len) {
        size_t some = len < AT_ONCE ? len : AT_ONCE;
        for (size_t i = 0; i < some; i++) {
            here.held |= (uint64_t)literal_codes[bytes[i]] << here.n;
            here.n += 8 + (bytes[i] >= LONG_LITERALS);
        }
        put_whole(&here);
        bytes += some;
        len -= some;
    }
    *b = here;
}

/* Of a value above 0. */
static inline unsigned log2_of(uint32_t value)
{
#ifdef __GNUC__
    return 31 - (unsigned)__builtin_clz(value);
#else
    unsigned n = 0;
    while (value >>= 1)
        n++;
    return n;
#endif
}

/* Bits that are put together before they go out. */
typedef struct {
    uint32_t bits;
    unsigned n;
} some_bits;

static inline void add_bits(some_bits *s, uint32_t bits, unsigned n)
{
    s->bits |= bits << s->n;
    s->n += n;
}

/* Of the symbols 256 to 287, 7 bits, from LONG_LENGTHS on 8; and of the distances', all of 5. */
#define SEVEN_OF(c) (BYTE_OF(c) >> 1)
#define FIVE_OF(c)  (BYTE_OF(c) >> 3)
#define EIGHT(of, c) \
    of(c), of((c) + 1), of((c) + 2), of((c) + 3), of((c) + 4), of((c) + 5), of((c) + 6), of((c) + 7)

enum { FIRST_LENGTH = 256, LONG_LENGTHS = 280 };

static const uint8_t length_codes[32] = {EIGHT(SEVEN_OF, 0), EIGHT(SEVEN_OF, 8),
                                         EIGHT(SEVEN_OF, 16), EIGHT(BYTE_OF, 0xC0)};
static const uint8_t back_codes[32] = {EIGHT(FIVE_OF, 0), EIGHT(FIVE_OF, 8), EIGHT(FIVE_OF, 16),
                                       EIGHT(FIVE_OF, 24)};

static inline void add_length_symbol(some_bits *s, unsigned symbol)
{
    add_bits(s, length_codes[symbol - FIRST_LENGTH], 7 + (symbol >= LONG_LENGTHS));
}

static inline void add_length(some_bits *s, unsigned length)
{
    enum { FIRST = 257, LAST = 285, FIRST_EXTRA = 8 };
    unsigned more = length - NYT_MATCH_MIN;
    unsigned extra = more < FIRST_EXTRA ? 0 : log2_of(more) - 2;
    if (length == NYT_MATCH_MAX) {
        add_length_symbol(s, LAST);
        return;
    }
    add_length_symbol(s, FIRST + 4 * extra + (more >> extra));
    add_bits(s, more & ((1u << extra) - 1), extra);
}

static inline void add_back(some_bits *s, uint32_t back)
{
    uint32_t more = back - 1;
    unsigned extra = more < 4 ? 0 : log2_of(more) - 1;
    add_bits(s, back_codes[2 * extra + (more >> extra)], 5);
    add_bits(s, more & ((1u << extra) - 1), extra);
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
    struct nyt_bits here = *b;
    while (left) {
        unsigned length = next_match(left);
        some_bits match = {0, 0};
        add_length(&match, length);
        add_back(&match, back);
        put_bits(&here, match.bits, match.n);
        left -= length;
    }
    *b = here;
}

void nyt_bits_begin_block(struct nyt_bits *b)
{
    enum { FIXED = 2, FIXED_BITS = 3 };
    put_bits(b, FIXED, FIXED_BITS);
}

void nyt_bits_end_block(struct nyt_bits *b)
{
    enum { END = 256, MARK = 0xFFFF };
    some_bits end = {0, 0};
    add_length_symbol(&end, END);
    put_bits(b, end.bits, end.n);
    put_bits(b, 0, 3);
    put_bits(b, 0, -b->n & 7);
    put_bits(b, (uint32_t)MARK << 16, 32);
}
