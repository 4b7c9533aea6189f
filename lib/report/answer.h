/* The first screen: where the time went. */
#ifndef NYT_REPORT_ANSWER_H
#define NYT_REPORT_ANSWER_H

#include "report/report.h"

/* What is put into words, and what is left to plain lists: false: out of memory. */
bool nyt_report_answer(struct nyt_report *r);
/* The same as members of a JSON object. */
bool nyt_report_json_answer(struct nyt_report *r);

/* "project", "installed packages", ... as in the split. */
const char *nyt_part_words(nyt_part part);

#endif
