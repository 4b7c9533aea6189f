/* What the reports for terminals share. */
#ifndef NYT_REPORT_REPORT_H
#define NYT_REPORT_REPORT_H

#include "base/json.h"
#include "model/profile.h"

enum nyt_style { NYT_PLAIN, NYT_BOLD, NYT_DIM, NYT_HOT, NYT_COOL };

struct nyt_report {
    const nyt_profile *p;
    struct nyt_out *o;
    struct nyt_json j; /* over `o` */
    size_t top, width;
    nyt_sort sort;
    bool colour, json;
    const char *path;
};

/* 0 or NYT_ENOMEM. Ended by nyt_report_end(), which gives the report's result. */
int nyt_report_begin(struct nyt_report *r, const nyt_profile *p, const nyt_report_options *options,
                     nyt_write_fn write, void *ctx, nyt_error *err);
int nyt_report_end(struct nyt_report *r, nyt_error *err);

void nyt_report_style(struct nyt_report *r, enum nyt_style style);
/* The last `limit` columns of a name. Returns columns. */
size_t nyt_report_end_of(struct nyt_report *r, nyt_str name, size_t limit);
/* The same of a file's name and its line (0: none). */
size_t nyt_report_place(struct nyt_report *r, uint32_t fid, uint32_t line, size_t limit);
/* A line of source without its indentation. */
void nyt_report_code(struct nyt_report *r, uint32_t fid, uint32_t line, size_t limit);
/* "demo.py: 1.2 s, 3,456 statements, ..." */
void nyt_report_heading(struct nyt_report *r);
/* The same figures as members of a JSON object. */
void nyt_report_json_totals(struct nyt_report *r);

#endif
