/* A diff as one JSON object. */
#ifndef NYT_REPORT_DIFF_JSON_H
#define NYT_REPORT_DIFF_JSON_H

#include "report/diff_view.h"

void nyt_diff_json(struct nyt_diff_view *v);

#endif
