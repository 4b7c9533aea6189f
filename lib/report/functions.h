/* Rows of functions: calls, self, incl, name, place. */
#ifndef NYT_REPORT_FUNCTIONS_H
#define NYT_REPORT_FUNCTIONS_H

#include "report/rank.h"
#include "report/report.h"

/* The first `n` of a list of subs, with the titles of the columns. */
void nyt_put_functions(struct nyt_report *r, const struct nyt_ranking *list, size_t n);

#endif
