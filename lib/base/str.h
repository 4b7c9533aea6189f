/* Counted strings: what they say, and in which order they stand. */
#ifndef NYT_BASE_STR_H
#define NYT_BASE_STR_H

#include "nytprof.h"

/* For qsort: -1, 0 or 1. */
#define NYT_COMPARE(a, b) ((a) < (b) ? -1 : (a) > (b))

/* By bytes, then by length. */
int nyt_str_compare(nyt_str a, nyt_str b);
/* The decimal number that a value begins with, as C's atoi() has it. */
int64_t nyt_str_to_int(nyt_str s);
bool nyt_str_is(nyt_str s, const char *word);
bool nyt_str_begins(nyt_str s, const char *with);
bool nyt_str_contains(nyt_str s, const char *part);
/* Without blanks at both ends and the newline. */
nyt_str nyt_str_without_margins(nyt_str s);

#endif
