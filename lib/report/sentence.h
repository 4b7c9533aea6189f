/* The answer in one sentence. */
#ifndef NYT_REPORT_SENTENCE_H
#define NYT_REPORT_SENTENCE_H

#include "base/text.h"
#include "model/profile.h"

/*
 * "64 % of the time is in the project; the line that costs most is documents.py:47 in
 * documents::stem (8.8 %, 502,161 times, 73 ns each), called by documents::split_identifier
 * (documents.py:42)." Safe for terminals, without a newline.
 */
void nyt_put_sentence(struct nyt_out *o, const nyt_profile *p);

/* The line of the project that costs most; of all code if the project has none; or NULL. */
const nyt_line *nyt_hottest_line(const nyt_profile *p);
/* The innermost sub around a line, or NULL. */
const nyt_sub *nyt_sub_around(const nyt_profile *p, uint32_t fid, uint32_t line);

#endif
