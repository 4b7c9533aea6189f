/* The page's script and style, put in by the build: see scripts/bundle_page.py. */
#ifndef NYT_REPORT_PAGE_BUNDLE_H
#define NYT_REPORT_PAGE_BUNDLE_H

#include <stddef.h>

/* Empty where the library was built without npm. */
extern const char nyt_page_script[], nyt_page_style[];
extern const size_t nyt_page_script_len, nyt_page_style_len;
/* SHA-256 of each in base64, for the page's Content-Security-Policy. */
extern const char nyt_page_script_hash[], nyt_page_style_hash[];

#endif
