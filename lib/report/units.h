/* Units of work, told in reports. */
#ifndef NYT_REPORT_UNITS_H
#define NYT_REPORT_UNITS_H

#include "report/report.h"

/* A section of the first screen: the dearest, how often and how long. Nothing for a profile without
 * them. */
void nyt_report_units(struct nyt_report *r);
/* The same as a table in Markdown, of `most` at most. */
void nyt_explain_units(struct nyt_report *r, size_t most);
/* As a member of an object: all. */
void nyt_report_json_units(struct nyt_report *r);

#endif
