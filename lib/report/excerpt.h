/* Lines of source with their figures. */
#ifndef NYT_REPORT_EXCERPT_H
#define NYT_REPORT_EXCERPT_H

#include "report/report.h"

/* Columns of figures, alike for all excerpts of a report. Where there is no room for all of them
 * beside some code, there are fewer. */
struct nyt_excerpt {
    struct nyt_report *r;
    int count_width;
    int digits;    /* of the greatest line number */
    size_t indent; /* so many blanks in front of each line are left out */
};

struct nyt_excerpt nyt_excerpt_begin(struct nyt_report *r);
/* Makes the columns of counts and numbers as wide as these lines need them. */
void nyt_excerpt_fit(struct nyt_excerpt *e, uint32_t fid, uint32_t first, uint32_t last);
/* Leaves out the indentation that all these lines share. */
void nyt_excerpt_outdent(struct nyt_excerpt *e, uint32_t fid, uint32_t first, uint32_t last);
/* The titles of the columns. */
void nyt_excerpt_titles(const struct nyt_excerpt *e);
void nyt_excerpt_line(const struct nyt_excerpt *e, uint32_t fid, uint32_t line, bool is_hot);
/* Where the code begins. */
size_t nyt_excerpt_column(const struct nyt_excerpt *e);

#endif
