/* What the reports for terminals share. */
#ifndef NYT_REPORT_REPORT_H
#define NYT_REPORT_REPORT_H

#include "base/json.h"
#include "model/profile.h"
#include "report/words.h"

enum nyt_style { NYT_PLAIN, NYT_BOLD, NYT_DIM, NYT_HOT, NYT_COOL };

struct nyt_report {
    const nyt_profile *p;
    struct nyt_out *o;
    struct nyt_json j;  /* over `o` */
    struct nyt_words w; /* over `o` */
    bool *shown;        /* of each file, by its place in the profile's list */
    bool filtered;      /* some may not be */
    size_t top, width;
    size_t asked;       /* the `top` that was asked for; 0: none was */
    bool uncut;         /* names may be longer than there is room for them in `width` */
    bool unbroken;      /* and paragraphs are one line each */
    nyt_sort sort;
    bool colour, json;
    bool told_shared;   /* a time with a '~' has been shown */
    const char *path;
};

/* 0 or NYT_ENOMEM. Ended by nyt_report_end(), which gives the report's result. */
int nyt_report_begin(struct nyt_report *r, const nyt_profile *p, const nyt_report_options *options,
                     nyt_write_fn write, void *ctx, nyt_error *err);
int nyt_report_end(struct nyt_report *r, nyt_error *err);

void nyt_report_style(struct nyt_report *r, enum nyt_style style);
/* Is the file of this number shown? What has none is, unless something is left out. */
bool nyt_report_shows(const struct nyt_report *r, uint32_t fid);
/* The last `limit` columns of a name. Returns columns. */
size_t nyt_report_end_of(struct nyt_report *r, nyt_str name, size_t limit);
/* The same of a sub's name, as people say it. */
size_t nyt_report_name(struct nyt_report *r, nyt_str name, size_t limit);
/* Where a list has fewer columns than these for names and places, it has names alone. */
enum { NYT_NAME_AND_PLACE = 30 };
/* The same of a file's short name and its line (0: none). */
size_t nyt_report_place(struct nyt_report *r, uint32_t fid, uint32_t line, size_t limit);
/* So many columns nyt_report_name() and nyt_report_place() take where nothing is cut. */
size_t nyt_report_name_columns(nyt_str name);
size_t nyt_report_place_columns(const struct nyt_report *r, uint32_t fid, uint32_t line);
/* A line of source without its indentation. */
void nyt_report_code(struct nyt_report *r, uint32_t fid, uint32_t line, size_t limit);
/* For lists that need more columns than others: so many at least. */
void nyt_report_widen(struct nyt_report *r, size_t least);
/* A title of its own line in bold, with a note behind it (may be NULL). */
void nyt_report_title(struct nyt_report *r, const char *title, const char *note);

/* Words, broken into lines of the report's width: `put` writes them. Further lines begin with
 * `indent` blanks, the first at column `column`. */
typedef void nyt_report_put_fn(struct nyt_words *w, const void *what);
void nyt_report_paragraph(struct nyt_report *r, nyt_report_put_fn *put, const void *what,
                          size_t column, size_t indent);

/* "demo.py: 1.2 s on the clock, ..." in one or two lines. */
void nyt_report_heading(struct nyt_report *r);
/* The same for Markdown and other texts, without an end of line. */
void nyt_put_run(struct nyt_words *w, const void *unused);
/* Why figures are not those of the whole run; false, and nothing written, if they are. */
bool nyt_put_caveat(struct nyt_words *w);
/* The same in a line of its own, if there is a reason. */
void nyt_report_caveat(struct nyt_report *r);
/* What the program is called: the last part of its path. */
nyt_str nyt_program_title(const nyt_profile *p, const char *path);
/* The inclusive time of a line as a member of one; null where it is not known. */
void nyt_report_json_incl(struct nyt_report *r, const nyt_line *line);
/* The time of a line, with a '~' if it is a shared one; and what that means, if any has been shown. */
void nyt_report_line_time(struct nyt_report *r, const nyt_line *line, int width);
void nyt_report_shared_note(struct nyt_report *r);
/* "shared": true, of such a line alone. */
void nyt_report_json_shared(struct nyt_report *r, const nyt_line *line);
/* The same figures as members of a JSON object. */
void nyt_report_json_totals(struct nyt_report *r);

#endif
