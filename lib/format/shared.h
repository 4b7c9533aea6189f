/*
 * Comments that mark lines of which only a share of a time that was measured for several lines
 * together is known (docs/format.md): "shared 3,5-9,14 FILE".
 */
#ifndef NYT_FORMAT_SHARED_H
#define NYT_FORMAT_SHARED_H

#include <nytprof.h>

struct nyt_shared_said {
    nyt_str ranges; /* see nyt_shared_next() */
    nyt_str file;   /* its name: numbers change when profiles are merged */
};

enum nyt_shared_saying { NYT_SHARED_NOTHING, NYT_SHARED_MALFORMED, NYT_SHARED_LINES };

/* NYT_SHARED_NOTHING: the comment does not begin so. What `said` has points into it. */
enum nyt_shared_saying nyt_shared_parse(nyt_str comment, struct nyt_shared_said *said);

/* Takes the next range off those of a comment that was parsed: they ascend, apart from each other.
 * false: there is none. */
bool nyt_shared_next(nyt_str *ranges, uint32_t *first, uint32_t *last);

#endif
