/* The commands that load profiles: each opens one file, calls the library and says how it went. */
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

/* ---- Reading and writing ---- */

static int open_reader(nyt_reader **in, const struct options *options, const char *path,
                       nyt_error *err)
{
    return is_stdin(path) ? nyt_reader_open_fn(in, read_stream, options->io->in, err)
                          : nyt_reader_open(in, path, err);
}

/* ---- dump, info ---- */

static enum exit_status dump_records(const struct options *options, const char *path, FILE *out)
{
    nyt_reader *in;
    nyt_error err;
    int rc = open_reader(&in, options, path, &err);
    if (rc < 0)
        return unreadable(options, path, &err);
    rc = options->jsonl ? nyt_export_jsonl(in, write_stream, out, &err)
                        : nyt_export_text(in, write_stream, out, &err);
    nyt_reader_close(in);
    return end_report(options, rc, path, out, &err);
}

static enum exit_status dump_model(const struct options *options, const char *path, FILE *out)
{
    nyt_profile *p;
    nyt_error err;
    if (load_profile(&p, options, path, &err) < 0)
        return unreadable(options, path, &err);
    int rc = nyt_export_model(p, write_stream, out, &err);
    nyt_profile_free(p);
    return end_report(options, rc, path, out, &err);
}

enum exit_status command_dump(const struct options *options, const char *path, FILE *out)
{
    return options->model ? dump_model(options, path, out) : dump_records(options, path, out);
}

enum exit_status command_info(const struct options *options, const char *path, FILE *out)
{
    nyt_profile *p;
    nyt_error err;
    nyt_report_options report = options->report;
    report.path = path;
    if (load_profile(&p, options, path, &err) < 0)
        return unreadable(options, path, &err);
    int rc = nyt_report_info(p, &report, write_stream, out, &err);
    nyt_profile_free(p);
    return end_report(options, rc, path, out, &err);
}

/* ---- convert, speedscope ---- */

static void tell_left_out(const struct options *options, const char *path, const nyt_limit *limit)
{
    if (limit->left_out || limit->left_out_lines)
        say(options->io,
            "%s: to stay within %llu bytes, %llu call paths of %.6f s together and "
            "%llu lines were left out",
            path, (unsigned long long)limit->max_bytes, (unsigned long long)limit->left_out,
            limit->left_out_time, (unsigned long long)limit->left_out_lines);
}

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
    int rc = nyt_export_csv(p, begin_file, write_file, &f, &err);
    if (rc != NYT_OK && rc != NYT_EIO)
        complain(options->io, path, &err);
    if (close_file(&f) < 0 || rc == NYT_EIO)
        status = cannot_write(options->io, f.name);
    free(f.name);
    if (rc != NYT_OK)
        status = EXIT_INCOMPLETE;
    return status;
}

static enum exit_status convert(const struct options *options, const nyt_export_format *to,
                                const char *path, FILE *out)
{
    nyt_profile *p;
    nyt_error err;
    nyt_limit limit = {.max_bytes = options->max_bytes, .top = options->report.top};
    if (load_profile(&p, options, path, &err) < 0)
        return unreadable(options, path, &err);
    if (to->folder) {
        enum exit_status status = convert_to_folder(options, p, path);
        nyt_profile_free(p);
        return status;
    }
    int rc = to->write(p, &limit, write_stream, out, &err);
    nyt_profile_free(p);
    if (rc == NYT_OK)
        tell_left_out(options, path, &limit);
    return end_report(options, rc, path, out, &err);
}

enum exit_status command_speedscope(const struct options *options, const char *path, FILE *out)
{
    return convert(options, nyt_export_format_named("speedscope"), path, out);
}

enum exit_status command_convert(const struct options *options, const char *path, FILE *out)
{
    return convert(options, options->to, path, out);
}

/* ---- diff ---- */

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
                            .conditions = options->conditions,
                            .condition_count = options->condition_count};
    nyt_error err;
    how.report.path = paths[0];
    enum exit_status status = judged(options, d);
    if (status > EXIT_FINDINGS)
        return status;
    int rc = nyt_report_diff(d, &how, write_stream, out, &err);
    tell_conditions(options, d);
    return rc < 0 ? end_report(options, rc, paths[1], out, &err) : status;
}

static enum exit_status diff(const struct options *options, char **paths, nyt_profile *loaded[2],
                             FILE *out)
{
    nyt_error err;
    nyt_diff *d;
    for (int i = 0; i < 2; i++) {
        if (load_profile(&loaded[i], options, paths[i], &err) < 0)
            return unreadable(options, paths[i], &err);
        if (!nyt_profile_totals(loaded[i])->complete)
            say(options->io, "%s: the profile is incomplete", paths[i]);
    }
    if (nyt_diff_new(&d, loaded[0], loaded[1], &err) < 0)
        return unreadable(options, paths[1], &err);
    enum exit_status status = report_diff(options, paths, d, out);
    nyt_diff_free(d);
    return status;
}

enum exit_status command_diff(const struct options *options, char **paths, FILE *out)
{
    nyt_profile *loaded[2] = {NULL, NULL};
    enum exit_status status = diff(options, paths, loaded, out);
    nyt_profile_free(loaded[0]);
    nyt_profile_free(loaded[1]);
    return status;
}
