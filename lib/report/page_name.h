/* Names on a page, of which a profile may hold some of a megabyte. */
#ifndef NYT_REPORT_PAGE_NAME_H
#define NYT_REPORT_PAGE_NAME_H

#include <nytprof.h>

#define NYT_ELLIPSIS "\xe2\x80\xa6"

/* What is shown of a name: all of it, and no tail; or how it begins and ends, an ellipsis between. */
struct nyt_page_name {
    nyt_str head, tail;
};

/* At most 2,000 bytes, which point into `text`; whole characters where this is UTF-8. */
struct nyt_page_name nyt_page_name(nyt_str text);

#endif
