/* Times that stand in comments (docs/format.md): "awaited TICKS COUNT LINE FILE", and waits. */
#ifndef NYT_FORMAT_AWAITED_H
#define NYT_FORMAT_AWAITED_H

#include <nytprof.h>

struct nyt_awaited {
    uint64_t ticks, count;
    uint32_t line;
    nyt_str file; /* its name: numbers change when profiles are merged */
};

/* false: the comment says something else. `file` points into it. */
bool nyt_awaited_parse(nyt_str comment, struct nyt_awaited *a);

/* The same of "Processor waits: TICKS ticks". */
bool nyt_processor_wait_parse(nyt_str comment, uint64_t *ticks);

#endif
