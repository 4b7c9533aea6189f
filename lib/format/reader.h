/* Ways to read that are for the library itself. */
#ifndef NYT_FORMAT_READER_H
#define NYT_FORMAT_READER_H

#include "format/input.h"
#include "format/line_sums.h"

int nyt_reader_open_source(nyt_reader **out, const struct nyt_source *source, nyt_error *err);
/* Opens without looking at the banner: its faults come from the first nyt_reader_next(). */
int nyt_reader_begin(nyt_reader **out, const struct nyt_source *source, nyt_error *err);

/*
 * The fast way: takes TIME_LINE records that come next, up to `max` different ones and only
 * those that are in memory already. 0: go on with nyt_reader_next().
 */
size_t nyt_reader_samples(nyt_reader *r, struct nyt_sample *samples, size_t max);
/* The same for those who want sums: see line_sums.h. false: out of memory. */
bool nyt_reader_sum_lines(nyt_reader *r, struct nyt_line_sums *t, struct nyt_run *run);
/* After the end: what follows the zlib stream, as far as it is in memory. */
nyt_str nyt_reader_tail(const nyt_reader *r);

#endif
