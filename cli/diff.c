/* diff: what changed from one profile to another, and whether that is allowed. */
#include "commands.h"

#include "load.h"
#include "message.h"
#include "streams.h"

#include <stdlib.h>

/* A condition may name what is in neither profile. */
static enum exit_status judged(const struct options *options, const nyt_diff *d)
{
    nyt_error err;
    enum exit_status status = EXIT_FINE;
    for (size_t i = 0; i < options->condition_count; i++) {
        int rc = nyt_diff_check(d, options->conditions[i], NULL, NULL, &err);
        if (rc > 0)
            status = EXIT_FINDINGS;
        if (rc < 0) {
            status = bad_condition(options->io, options->conditions[i], &err);
            return rc == NYT_EAPI ? status : EXIT_INCOMPLETE;
        }
    }
    return status;
}

static void tell_conditions(const struct options *options, const nyt_diff *d)
{
    fflush(options->io->out);
    for (size_t i = 0; i < options->condition_count; i++) {
        if (nyt_diff_check(d, options->conditions[i], NULL, NULL, NULL) <= 0)
            continue;
        fprintf(options->io->err, "%s: failed: ", options->io->program);
        nyt_diff_check(d, options->conditions[i], write_stream, options->io->err, NULL);
        fputc('\n', options->io->err);
    }
}

static enum exit_status report_diff(const struct options *options, char **paths, const nyt_diff *d,
                                    FILE *out)
{
    nyt_diff_options how = {.report = options->report,
                            .path_after = paths[1],
                            .min_change = options->min_change,
                            .markdown = options->markdown,
                            .annotations = options->annotations,
                            .conditions = options->conditions,
                            .condition_count = options->condition_count};
    nyt_error err;
    how.report.path = paths[0];
    enum exit_status status = judged(options, d);
    if (status > EXIT_FINDINGS)
        return status;
    int rc = nyt_report_diff(d, &how, write_stream, out, &err);
    tell_conditions(options, d);
    return rc < 0 ? finished(options, rc, paths[1], out, &err) : status;
}

static enum exit_status compare(const struct options *options, char **paths,
                                nyt_profile *const *loaded, FILE *out)
{
    nyt_error err;
    nyt_diff *d;
    size_t before = (size_t)options->runs[0], after = (size_t)options->runs[1];
    const nyt_profile *const *all = (const nyt_profile *const *)loaded;
    if (nyt_diff_new_runs(&d, all, before, all + before, after, (nyt_diff_take)options->take,
                          &err) < 0)
        return unreadable(options, paths[before], &err);
    char *shown[] = {paths[0], paths[before]};
    enum exit_status status = report_diff(options, shown, d, out);
    nyt_diff_free(d);
    return status;
}

static enum exit_status load_runs(const struct options *options, char **paths, int count,
                                  nyt_profile **loaded)
{
    nyt_error err;
    for (int i = 0; i < count; i++) {
        if (load_profile(&loaded[i], options, paths[i], &err) < 0)
            return unreadable(options, paths[i], &err);
        tell_incomplete(options, paths[i], loaded[i]);
    }
    return EXIT_FINE;
}

enum exit_status command_diff(const struct options *options, char **paths, FILE *out)
{
    int count = options->runs[0] + options->runs[1];
    nyt_profile **loaded = calloc((size_t)count, sizeof *loaded);
    if (!loaded)
        return EXIT_INCOMPLETE;
    enum exit_status status = load_runs(options, paths, count, loaded);
    if (status == EXIT_FINE)
        status = compare(options, paths, loaded, out);
    for (int i = 0; i < count; i++)
        nyt_profile_free(loaded[i]);
    free(loaded);
    return status;
}
