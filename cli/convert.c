/* convert, speedscope: profiles in the formats of other tools, and what these cannot show. */
#include "commands.h"

#include "load.h"
#include "message.h"
#include "streams.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#include <direct.h>
#else
#include <sys/stat.h>
#endif

/* ---- What became of the profile ---- */

static void tell_left_out(const struct options *o, const char *path, const nyt_limit *limit)
{
    if (limit->max_bytes && (limit->left_out || limit->left_out_lines))
        say(o->io,
            "%s: to stay within %llu bytes, %llu call paths were left out, and their %.6f s given "
            "to those above them; and %llu lines",
            path, (unsigned long long)limit->max_bytes, (unsigned long long)limit->left_out,
            limit->left_out_time, (unsigned long long)limit->left_out_lines);
}

static void tell_depth(const struct options *o, const char *path, const nyt_limit *limit)
{
    if (limit->folded_levels)
        say(o->io, "%s: recursion is shown as one frame; the deepest has %llu levels", path,
            (unsigned long long)limit->folded_levels);
    if (limit->cut_paths)
        say(o->io, "%s: %llu call paths are deeper than 1000 frames, and cut there", path,
            (unsigned long long)limit->cut_paths);
}

/* The formats that show files need them where the profile has them. */
static void tell_missing(const struct options *o, const char *path, const nyt_limit *limit)
{
    if (!limit->missing_files)
        return;
    fflush(o->io->out);
    fprintf(o->io->err, "%s: %s: files that do not exist were left out: ", o->io->program, path);
    nyt_export_json_string(*limit->missing, write_stream, o->io->err);
    if (limit->missing_files > 1)
        fprintf(o->io->err, " and %llu more", (unsigned long long)limit->missing_files - 1);
    fputc('\n', o->io->err);
}

/* An export that lacks what its format is about is incomplete. */
static enum exit_status tell_shown(const struct options *o, const char *path, nyt_shown shown)
{
    static const char *const texts[] = {
        [NYT_SHOWN_ALL] = NULL,
        [NYT_SHOWN_SUBS] = "no call tree (calls=0): functions are shown without their callers",
        [NYT_SHOWN_LINES] = "no calls (subs=0): lines are shown without functions",
        [NYT_SHOWN_NOTHING] = "nothing of it can be shown in this format",
    };
    if (o->section || o->process)
        say(o->io, "%s: calls are known of all threads together only: lines are shown", path);
    else if (texts[shown])
        say(o->io, "%s: %s", path, texts[shown]);
    return texts[shown] ? EXIT_INCOMPLETE : EXIT_FINE;
}

static enum exit_status tell(const struct options *o, const char *path, const nyt_limit *limit)
{
    tell_depth(o, path, limit);
    tell_left_out(o, path, limit);
    tell_missing(o, path, limit);
    return tell_shown(o, path, limit->shown);
}

/* ---- Formats of several files ---- */

struct folder {
    const char *path;
    char *name; /* of the file that is being written */
    FILE *out;
};

static int close_file(struct folder *f)
{
    int rc = f->out && fclose(f->out) != 0 ? NYT_EIO : NYT_OK;
    f->out = NULL;
    return rc;
}

static int begin_file(void *ctx, const char *name)
{
    struct folder *f = ctx;
    size_t size = strlen(f->path) + strlen(name) + 2;
    int rc = close_file(f);
    free(f->name);
    f->name = malloc(size);
    if (!f->name)
        return NYT_ENOMEM;
    snprintf(f->name, size, "%s/%s", f->path, name);
    f->out = rc == NYT_OK ? fopen(f->name, "wb") : NULL;
    return f->out ? NYT_OK : NYT_EIO;
}

static int write_file(void *ctx, const void *data, size_t len)
{
    return write_stream(((struct folder *)ctx)->out, data, len);
}

static int make_folder(const char *path)
{
#ifdef _WIN32
    int rc = _mkdir(path);
#else
    int rc = mkdir(path, 0777);
#endif
    return rc == 0 || errno == EEXIST ? NYT_OK : NYT_EIO;
}

static enum exit_status convert_to_folder(const struct options *options, const nyt_profile *p,
                                          const char *path)
{
    struct folder f = {.path = options->folder};
    nyt_error err;
    if (make_folder(f.path) < 0)
        return cannot_write(options->io, f.path);
    errno = 0;
    enum exit_status status = EXIT_FINE;
    int rc = nyt_export_nytprofcsv(p, begin_file, write_file, &f, &err);
    if (rc != NYT_OK && rc != NYT_EIO)
        complain(options->io, path, &err);
    if (close_file(&f) < 0 || rc == NYT_EIO)
        status = cannot_write(options->io, f.name);
    free(f.name);
    if (rc != NYT_OK)
        status = EXIT_INCOMPLETE;
    return status;
}

/* ---- The commands ---- */

static enum exit_status convert(const struct options *options, const nyt_export_format *to,
                                const char *path, FILE *out)
{
    nyt_profile *p;
    nyt_error err;
    nyt_limit limit = {.max_bytes = options->max_bytes, .top = options->report.top};
    if (load_profile(&p, options, path, &err) < 0)
        return unreadable(options, path, &err);
    tell_incomplete(options, path, p);
    if (to->folder) {
        enum exit_status status = convert_to_folder(options, p, path);
        nyt_profile_free(p);
        return status;
    }
    int rc = to->write(p, &limit, write_stream, out, &err);
    enum exit_status status = rc == NYT_OK ? tell(options, path, &limit)
                                           : finished(options, rc, path, out, &err);
    nyt_profile_free(p);
    return status;
}

enum exit_status command_speedscope(const struct options *options, const char *path, FILE *out)
{
    return convert(options, nyt_export_format_named("speedscope"), path, out);
}

enum exit_status command_convert(const struct options *options, const char *path, FILE *out)
{
    return convert(options, options->to, path, out);
}
