/* Which lines of one text are which lines of another. */
#ifndef NYT_DIFF_TEXT_DIFF_H
#define NYT_DIFF_TEXT_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * So much work is left for what cannot be matched by lines that stand only once. It bounds the time
 * of all alignments that share it; without it they get coarser, not wrong.
 */
struct nyt_text_diff_budget {
    uint64_t cells;
};

/*
 * Stores for each line of `a` the index of the line of `b` that it goes with, or NYT_NONE. Lines
 * are equal if their numbers (hashes of text) are; pairs keep the order of both. The same pairs
 * are found with a and b exchanged. false: out of memory.
 */
bool nyt_text_diff(const uint64_t *a, size_t na, const uint64_t *b, size_t nb, uint32_t *mates,
                   struct nyt_text_diff_budget *budget);

#endif
