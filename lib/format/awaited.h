/* Times that stand in comments (docs/format.md): "awaited TICKS COUNT LINE FILE", and waits. */
#ifndef NYT_FORMAT_AWAITED_H
#define NYT_FORMAT_AWAITED_H

#include <nytprof.h>

struct nyt_awaited {
    uint64_t ticks, count;
    uint32_t line;
    nyt_str file; /* its name: numbers change when profiles are merged */
};

/* A number, and the space behind it unless it is the last; false: there is none, or it is larger than
 * `most`. */
bool nyt_take_number(nyt_str *rest, uint64_t most, uint64_t *value);

/* false: the comment says something else. `file` points into it. */
bool nyt_awaited_parse(nyt_str comment, struct nyt_awaited *a);

/* The same of "Processor waits: TICKS ticks". */
bool nyt_processor_wait_parse(nyt_str comment, uint64_t *ticks);

#endif
