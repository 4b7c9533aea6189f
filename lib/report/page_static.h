/* What a page says to readers without scripts. */
#ifndef NYT_REPORT_PAGE_STATIC_H
#define NYT_REPORT_PAGE_STATIC_H

#include "base/text.h"
#include "report/insight.h"

/* As text of HTML: everything that could mean something else is a number, controls are visible. */
void nyt_put_html(struct nyt_out *o, nyt_str text);
/* The same of a name; of a long one how it begins and ends: see page_name.h. */
void nyt_put_html_name(struct nyt_out *o, nyt_str text);
/* The sentence. false: out of memory. */
bool nyt_put_answer(struct nyt_out *o, const struct nyt_insight *insight);
/* An excerpt of the source, and two tables. */
void nyt_put_tables(struct nyt_out *o, const struct nyt_insight *insight);

#endif
