/* What chunks and merged profiles want of a writer beyond nytprof.h. */
#ifndef NYT_FORMAT_WRITER_H
#define NYT_FORMAT_WRITER_H

#include "base/memory.h"

/* The bytes of some records as they stand in the file, fit to be put into another. */
struct nyt_cached_block {
    struct nyt_buf bytes;
    uint64_t plain; /* how many they inflate to, */
    uint32_t adler; /* and the checksum of those */
};

/* What is held so far becomes a segment of its own; see docs/format.md. */
int nyt_writer_cut(nyt_writer *w);
/* Records between the two make a block. The writer must have been cut before each. */
void nyt_writer_block_begin(nyt_writer *w, struct nyt_cached_block *block);
int nyt_writer_block_end(nyt_writer *w);
int nyt_writer_block_again(nyt_writer *w, const struct nyt_cached_block *block);
/* Whether what follows is compressed as quickly as can be. */
bool nyt_writer_is_quick(const nyt_writer *w);
/* Records that are compressed already, as a block from and to byte boundaries. NULL: there was no memory
 * for it, which the writer fails with. */
void nyt_writer_packed(nyt_writer *w, const struct nyt_buf *plain, const struct nyt_buf *packed);
/*
 * Long runs of equal records become blocks of their own, so that they had better stand together. Or
 * all go into blocks made by hand, if the writer is quick; the last of these ends with the next cut.
 */
enum nyt_runs { NYT_RUNS_ALL, NYT_RUNS_SHORT, NYT_RUNS_LONG, NYT_RUNS_IN_BLOCKS };
/* nyt_writer_time_run(), but of its runs these alone. */
int nyt_writer_runs(nyt_writer *w, const nyt_time *where, uint64_t count, uint64_t ticks,
                    enum nyt_runs which);
/* Calls whose count may exceed 32 bits; that in *r is ignored. */
int nyt_writer_calls(nyt_writer *w, const nyt_sub_callers *r, uint64_t count);

#endif
