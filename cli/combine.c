/* merge and recover: one new profile, which appears under its name when it is whole. */
#include "combine.h"

#include "message.h"
#include "streams.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#ifndef _WIN32
#include <sys/stat.h>
#include <unistd.h>
#endif

enum { LEVEL = 1 };     /* as pynytprof */

/* ---- The new file ---- */

struct target {
    const char *path;
    char       *part;   /* what it is called until it is whole; NULL: it is written directly */
    FILE       *out;
};

/* A pipe, a device or a link must stay what it is. */
static bool can_be_replaced(const char *path)
{
#ifdef _WIN32
    (void)path;
    return false;
#else
    struct stat st;
    return lstat(path, &st) != 0 ? errno == ENOENT : S_ISREG(st.st_mode);
#endif
}

static bool open_part(struct target *t)
{
    size_t size = strlen(t->path) + 32;
    t->part = malloc(size);
    if (!t->part)
        return false;
#ifndef _WIN32
    snprintf(t->part, size, "%s.%ld.part", t->path, (long)getpid());
#endif
    t->out = fopen(t->part, "wb");
    return t->out != NULL;
}

static bool open_target(struct target *t, FILE *standard)
{
    if (strcmp(t->path, "-") == 0)
        t->out = standard;
    else if (can_be_replaced(t->path))
        return open_part(t);
    else
        t->out = fopen(t->path, "wb");
    return t->out != NULL;
}

static bool close_target(struct target *t, FILE *standard, bool whole)
{
    bool ok = whole && t->out && fflush(t->out) == 0 && !ferror(t->out);
    if (t->out && t->out != standard)
        ok = fclose(t->out) == 0 && ok;
    if (t->part && ok)
        ok = rename(t->part, t->path) == 0;
    int why = errno;
    if (t->part && !ok)
        remove(t->part);
    free(t->part);
    errno = why;
    return ok;
}

static enum exit_status write_merged(const struct options *options, nyt_merged *m)
{
    struct target t = {.path = options->output};
    FILE *standard = options->io->out;
    bool opened = open_target(&t, standard);
    bool whole = opened && nyt_merged_write(m, write_stream, t.out, LEVEL, NULL) == NYT_OK;
    bool done = close_target(&t, standard, whole);
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

enum exit_status command_merge(const struct options *options, char **paths, int count)
{
    nyt_merged *m;
    nyt_error err;
    const char *failed;
    int rc = nyt_merge(&m, (const char *const *)paths, (size_t)count, tell, (void *)options,
                       &failed, &err);
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
    if (nyt_recover(&m, paths[0], tell, (void *)options, &err) == NYT_OK)
        return write_merged(options, m);
    complain(options->io, paths[0], &err);
    return EXIT_UNREADABLE;
}
