/* Times that stand in comments (docs/format.md): "awaited TICKS COUNT LINE FILE", and waits. */
#ifndef NYT_FORMAT_AWAITED_H
#define NYT_FORMAT_AWAITED_H

#include <nytprof.h>

struct nyt_awaited {
    uint64_t ticks, count;
    uint32_t line;
    nyt_str file; /* its name: numbers change when profiles are merged */
};

/* Of two such numbers, which have 63 bits, the sum, or the largest. */
static inline uint64_t nyt_add_said(uint64_t a, uint64_t b)
{
    return a > INT64_MAX - b ? INT64_MAX : a + b;
}

/* A number, and the space behind it unless it is the last; false: there is none, or it is larger than
 * `most`. */
bool nyt_take_number(nyt_str *rest, uint64_t most, uint64_t *value);

enum nyt_awaited_saying { NYT_AWAITED_NOTHING, NYT_AWAITED_MALFORMED, NYT_AWAITED_LINE };

/* NYT_AWAITED_NOTHING: the comment does not begin so. `file` points into it. */
enum nyt_awaited_saying nyt_awaited_parse(nyt_str comment, struct nyt_awaited *a);

/* How "Processor waits: TICKS ticks" begins. */
#define NYT_PROCESSOR_WAITS "Processor waits: "

/* false: the comment is not like that. */
bool nyt_processor_wait_parse(nyt_str comment, uint64_t *ticks);

#endif
