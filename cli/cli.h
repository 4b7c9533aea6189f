/* What main.c hands to commands.c. */
#ifndef CLI_H
#define CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "nytprof.h"

enum exit_status {
    EXIT_FINE = 0,
    EXIT_FINDINGS = 1,      /* verify found something, or a condition of diff is met */
    EXIT_USAGE = 2,
    EXIT_UNREADABLE = 3,
    EXIT_INCOMPLETE = 4     /* something was written, but not all there should be */
};

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_JSONL, FORMAT_MODEL };

enum { MAX_CONDITIONS = 100 };

struct options {
    bool        quiet, verbose, salvage, keep_evals;
    enum format format;
    const char *output;     /* NULL: standard output */
    const char *source;     /* which file's source to show */
    const nyt_export_format *to;
    const char *folder;     /* where an export of several files goes */
    uint64_t    max_bytes;  /* of an export; 0: no limit */
    nyt_report_options report;
    bool        markdown;
    const char *min_change;
    const char *conditions[MAX_CONDITIONS];     /* of --fail-if */
    size_t      condition_count;
};

/* A command does its work for one file and says how it went. */
typedef enum exit_status command_fn(const struct options *options, const char *path, FILE *out);

command_fn command_verify, command_dump, command_summary, command_info, command_speedscope,
    command_convert;

/* Makes one profile of all that are given, and writes it where options->output says. */
typedef enum exit_status combine_fn(const struct options *options, char **paths, int count);

combine_fn command_merge, command_recover;

/* Tells what changed from the first of two profiles to the second. */
typedef enum exit_status compare_fn(const struct options *options, char **paths, FILE *out);

compare_fn command_diff;

/* "nytprof: PATH: reason (at offset N)" on standard error. */
void complain(const char *path, const nyt_error *err);

#endif
