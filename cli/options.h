/* What the options of a command line said: parse.c fills it, the commands read it. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "cli_io.h"
#include "nytprof.h"

enum { MAX_CONDITIONS = 100, MAX_PATTERNS = 100 };

enum colour { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER };

struct options {
    const struct nyt_cli_io *io;    /* stands first: no option's field has the offset 0 */
    bool quiet, verbose, salvage, keep_evals, jsonl, model, markdown, annotations, open, perl,
        functions;
    bool silent;            /* nothing is said of what takes long */
    const char *output;     /* NULL: standard output */
    const char *name;       /* of the function or file to show, or to focus on */
    size_t section;         /* the number of a process or thread; 0: all */
    size_t process;         /* the same for all threads of one process */
    const char *unit;       /* the pattern of units of work; NULL: all */
    size_t budget;          /* bytes of an explanation; 0: as usual */
    size_t delay;           /* seconds between two looks; 0: as usual */
    double least;           /* share of all time; 0: as usual */
    const char *against;    /* the profile that a page compares with */
    const nyt_export_format *to;
    const char *folder; /* where an export of several files goes */
    uint64_t max_bytes; /* of an export; 0: no limit */
    nyt_report_options report;
    size_t sort;   /* an nyt_sort */
    size_t colour; /* an enum colour */
    const char *min_change;
    const char *conditions[MAX_CONDITIONS];     /* of --fail-if */
    size_t condition_count;
    const char *only[MAX_PATTERNS], *exclude[MAX_PATTERNS];
    size_t reach;       /* an nyt_reach */
    nyt_filter filter;  /* of the three above */
    bool narrows;       /* profiles are loaded with no more than that; else reports heed it */
    int files_before;       /* so many stand before a "--" */
    int runs[2];            /* that diff compares, */
    size_t take;            /* and an nyt_diff_take */
};

/* ---- Commands ---- */

/* Does its work for one file. */
typedef enum exit_status command_fn(const struct options *options, const char *path, FILE *out);
/* Makes one profile of all that are given, and writes it where options->output says. */
typedef enum exit_status combine_fn(const struct options *options, char **paths, int count);
/* Tells what changed from the first of two profiles to the second. */
typedef enum exit_status compare_fn(const struct options *options, char **paths, FILE *out);

#endif
