/* The sources of a page: one block for each file, as far as there is room. */
#ifndef NYT_REPORT_PAGE_SOURCE_H
#define NYT_REPORT_PAGE_SOURCE_H

#include "report/page_data.h"

struct nyt_page_texts {
    struct nyt_block **blocks;
    size_t count;
    uint64_t bytes; /* of all, in base64 */
    struct nyt_page_sources of;
};

/*
 * Files of the project come first, then those with most time: the project's whole, of others the
 * lines that ran with those around them. Takes at most `room` bytes. false: out of memory.
 */
bool nyt_page_texts_make(struct nyt_page_texts *t, const nyt_profile *p, uint64_t room);
void nyt_page_texts_free(struct nyt_page_texts *t);

#endif
