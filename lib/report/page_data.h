/* The tables of a page: web/src/data/raw.ts says what each column is. */
#ifndef NYT_REPORT_PAGE_DATA_H
#define NYT_REPORT_PAGE_DATA_H

#include "report/insight.h"
#include "report/page_block.h"
#include "report/page_choice.h"

/* Which files have a source block: its number by index of the file, or -1. */
struct nyt_page_sources {
    int32_t *block_of;
    size_t left_out; /* files whose source had no room */
};

/* What goes into the tables. */
struct nyt_page_input {
    const nyt_profile *p;
    const struct nyt_insight *insight;
    const struct nyt_page_sources *sources;
};

/* The whole table as JSON into `j`. false: out of memory. */
bool nyt_page_data(struct nyt_json *j, const struct nyt_page_input *input,
                   const struct nyt_page_choice *choice);
bool nyt_page_is_perl(const nyt_profile *p);
/* What the program is called: the last part of its path. */
nyt_str nyt_page_title(const nyt_profile *p);

#endif
