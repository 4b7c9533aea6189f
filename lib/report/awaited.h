/* What coroutines waited for, told in reports. */
#ifndef NYT_REPORT_AWAITED_H
#define NYT_REPORT_AWAITED_H

#include "report/report.h"

/* " awaited 150 times (1.65 s, 11.0 ms each)", in a sentence or a note. */
void nyt_put_awaited(struct nyt_out *o, const nyt_await *a);

/*
 * A section of the first screen: the lines that waited longest, of the project if it has any.
 * Nothing for a profile without them. false: out of memory.
 */
bool nyt_report_awaited(struct nyt_report *r);

/* The same as a member of an object: all that are shown. */
void nyt_report_json_awaited(struct nyt_report *r);

#endif
