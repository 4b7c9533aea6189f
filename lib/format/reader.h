/* Ways to read that are for the library itself. */
#ifndef NYT_FORMAT_READER_H
#define NYT_FORMAT_READER_H

#include "format/input.h"
#include "format/line_sums.h"

int nyt_reader_open_source(nyt_reader **out, const struct nyt_source *source, nyt_error *err);
/* Opens without looking at the banner: its faults come from the first nyt_reader_next(). */
int nyt_reader_begin(nyt_reader **out, const struct nyt_source *source, nyt_error *err);

/*
 * The quick way: takes TIME_LINE records that come next, up to `max` different ones and only
 * those that are in memory already. 0: go on with nyt_reader_next().
 */
size_t nyt_reader_hits(nyt_reader *r, struct nyt_hit *hits, size_t max);
/* The same for those who want sums: see line_sums.h. false: out of memory. */
bool nyt_reader_tally(nyt_reader *r, struct nyt_tally *t, struct nyt_stretch *stretch);
/* After the end: what follows the zlib stream, as far as it is in memory. */
nyt_str nyt_reader_tail(const nyt_reader *r);

#endif
