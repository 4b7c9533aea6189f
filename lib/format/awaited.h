/* Awaited time as comments have it (docs/format.md): "awaited TICKS COUNT LINE FILE". */
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

#endif
