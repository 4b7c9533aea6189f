/* merge and recover: one new profile, which appears under its name when it is whole. */
#include "combine.h"

#include "message.h"
#include "progress.h"
#include "streams.h"
#include "target.h"

#include <stdlib.h>
#include <sys/stat.h>

enum { LEVEL = 1 };     /* as pynytprof */

static enum exit_status write_merged(const struct options *options, nyt_merged *m)
{
    struct target t = {.path = options->output};
    FILE *standard = options->io->out;
    bool opened = open_target(&t, standard);
    bool whole = opened && nyt_merged_write(m, write_stream, t.out, LEVEL, NULL) == NYT_OK;
    bool done = close_target(&t, standard, whole) && whole;
    enum exit_status status = done ? EXIT_FINE : cannot_write(options->io, options->output);
    nyt_merged_free(m);
    return status;
}

/* ---- The commands ---- */

static void tell(void *ctx, const nyt_note *note)
{
    const struct options *options = ctx;
    if (options->quiet && !note->lossy)
        return;
    say(options->io, "%s: %s", note->path ? note->path : options->output, note->text);
}

/* It may be meant, so it is done; but mostly a pattern matched more than was thought. */
static void tell_of_repeated(const struct options *options, char **paths, int count)
{
    struct stat *files = calloc((size_t)count, sizeof *files);
    for (int i = 0; files && i < count; i++) {
        if (stat(paths[i], &files[i]) != 0 || !S_ISREG(files[i].st_mode))
            continue;
        for (int k = 0; k < i; k++) {
            if (files[k].st_ino != files[i].st_ino || files[k].st_dev != files[i].st_dev)
                continue;
            say(options->io, "%s: given more than once, so it counts more than once", paths[i]);
            break;
        }
    }
    free(files);
}

enum exit_status command_merge(const struct options *options, char **paths, int count)
{
    if (!options->quiet)
        tell_of_repeated(options, paths, count);
    nyt_merged *m;
    nyt_error err;
    const char *failed;
    progress_begin(options->io, "merging into", options->output);
    int rc = nyt_merge(&m, (const char *const *)paths, (size_t)count, tell, (void *)options,
                       &failed, &err);
    progress_end();
    if (rc == NYT_OK) {
        bool complete = nyt_merged_complete(m);
        enum exit_status status = write_merged(options, m);
        return complete ? status : EXIT_INCOMPLETE;
    }
    complain(options->io, failed ? failed : options->output, &err);
    return EXIT_UNREADABLE;
}

enum exit_status command_recover(const struct options *options, char **paths, int count)
{
    nyt_merged *m;
    nyt_error err;
    (void)count;
    progress_begin(options->io, "reading", paths[0]);
    int rc = nyt_recover(&m, paths[0], tell, (void *)options, &err);
    progress_end();
    if (rc == NYT_OK)
        return write_merged(options, m);
    complain(options->io, paths[0], &err);
    return EXIT_UNREADABLE;
}
