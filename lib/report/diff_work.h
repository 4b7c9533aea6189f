/* What differs in work, in sentences. */
#ifndef NYT_REPORT_DIFF_WORK_H
#define NYT_REPORT_DIFF_WORK_H

#include "base/json.h"
#include "diff/work.h"
#include "report/diff_view.h"

/* Lines of text, the cause first; each begins with `before` and ends with a newline. */
void nyt_diff_work_text(struct nyt_out *o, const struct nyt_diff_view *v, const char *before);
/* Workflow commands of GitHub: notes at the lines of the later program. */
void nyt_diff_work_annotations(struct nyt_out *o, const struct nyt_diff_view *v);
/* Members of an object. */
void nyt_diff_work_json(struct nyt_json *j, const struct nyt_diff_view *v);

#endif
