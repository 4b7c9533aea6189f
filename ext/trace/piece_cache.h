/* Compressed sources, kept between runs of a program. */
#ifndef PYNYTPROF_TRACE_PIECE_CACHE_H
#define PYNYTPROF_TRACE_PIECE_CACHE_H

#include <stdint.h>

struct nyt_pieces;

/* Those of the last run of that kind of the program with that name; nothing if there are none. What
 * it returns is to be freed after the pieces. */
char *pieces_recall(struct nyt_pieces *p, const char *program, uint32_t kind, int level);
/* Keeps them, if enough has been compressed to be worth it. */
void pieces_keep(struct nyt_pieces *p, const char *program, uint32_t kind, int level);

#endif
