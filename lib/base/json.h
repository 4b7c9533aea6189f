/* JSON, written in one place. */
#ifndef NYT_BASE_JSON_H
#define NYT_BASE_JSON_H

#include "base/text.h"

/* ASCII only. Bytes that are not UTF-8 all through are taken as Latin-1. */
void nyt_out_json_str(struct nyt_out *o, nyt_str s);
void nyt_out_json_text(struct nyt_out *o, const char *text);
/* JSON has no word for what is not finite: that becomes a string. */
void nyt_out_json_number(struct nyt_out *o, double value);

#endif
