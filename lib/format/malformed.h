/* Comments that begin like one that tells of figures (docs/format.md), and go on otherwise. */
#ifndef NYT_FORMAT_MALFORMED_H
#define NYT_FORMAT_MALFORMED_H

#include <nytprof.h>

enum nyt_malformed {
    NYT_WELL_FORMED, /* or it tells people something */
    NYT_MALFORMED_AWAITED,
    NYT_MALFORMED_WAITS,
    NYT_MALFORMED_UNIT,
    NYT_MALFORMED_SHARED
};

enum nyt_malformed nyt_comment_malformed(nyt_str comment);

#endif
