/* The lines of single threads and processes, for a page on which they can be looked at alone. */
#ifndef NYT_REPORT_PAGE_SECTIONS_H
#define NYT_REPORT_PAGE_SECTIONS_H

#include "base/json.h"
#include "model/profile.h"

/*
 * A list with an entry for each of those with most time, if the profile keeps them apart: its
 * number, and columns of the lines that it ran: their numbers among those of `p` that are shown,
 * counts, ticks. false: out of memory.
 */
bool nyt_page_sections(struct nyt_json *j, const nyt_profile *p, const bool *shown);

/* Seconds in whole ticks of the profile; 0 for what is no number. */
int64_t nyt_page_ticks(const nyt_profile *p, double seconds);

#endif
