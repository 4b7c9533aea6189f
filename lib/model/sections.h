/* The lines of each process and thread, kept apart while those of all are added up. */
#ifndef NYT_MODEL_SECTIONS_H
#define NYT_MODEL_SECTIONS_H

#include "model/tables.h"

/* The lines that come next are those of `pid`. false: out of memory. */
bool nyt_sections_start(struct nyt_loader *l, uint32_t pid);
/* Where the lines that come next are added up. */
struct nyt_line_sums *nyt_sections_lines(struct nyt_loader *l);
/* Adds the lines of the section at work to those of all. Before ticks_per_sec changes, and at the
 * end. false: out of memory. */
bool nyt_sections_flush(struct nyt_loader *l);
/* Puts the list in order, when it is known which evals are merged. false: out of memory. */
bool nyt_sections_finish(struct nyt_loader *l);

#endif
