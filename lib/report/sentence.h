/* The answer in one sentence. */
#ifndef NYT_REPORT_SENTENCE_H
#define NYT_REPORT_SENTENCE_H

#include "report/insight.h"
#include "report/words.h"

/*
 * "64 % of the time is in the project; the line that costs most is documents.py:47 in
 * documents::stem (8.8 %, 502,161 times, 73 ns each), called by documents::split_identifier
 * (documents.py:42)." Safe for terminals, without a newline.
 */
void nyt_put_sentence(struct nyt_out *o, const struct nyt_insight *insight);
/* The same among other words. */
void nyt_put_sentence_of(struct nyt_words *w, const struct nyt_insight *insight);

#endif
