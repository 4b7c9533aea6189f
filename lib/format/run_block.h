/* A run of equal records as one block of deflate, made by hand. */
#ifndef NYT_FORMAT_RUN_BLOCK_H
#define NYT_FORMAT_RUN_BLOCK_H

#include <stddef.h>
#include <stdint.h>

/* How many bytes it takes at most. */
size_t nyt_run_block_room(size_t len, uint64_t times);
/*
 * Writes `times` (4 or more) copies of the `len` (1 to 1024) bytes at `record`, deflated, at `to`, from
 * and to byte boundaries; returns how many bytes. docs/format.md tells which bits; RFC 1951 what they
 * mean.
 */
size_t nyt_run_block(uint8_t *to, const uint8_t *record, size_t len, uint64_t times);

#endif
