/* The commands: each opens one file, calls the library and says how it went. */
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#include <direct.h>
#else
#include <sys/stat.h>
#endif

/* ---- Reading and writing ---- */

static int read_stream(void *ctx, void *data, size_t size, size_t *got)
{
    FILE *file = ctx;
    errno = 0;
    *got = fread(data, 1, size, file);
    return *got < size && ferror(file) ? NYT_EIO : 0;
}

static int write_stream(void *ctx, const void *data, size_t len)
{
    return fwrite(data, 1, len, ctx) == len ? 0 : NYT_EIO;
}

static bool is_stdin(const char *path)
{
    return strcmp(path, "-") == 0;
}

static int open_reader(nyt_reader **in, const char *path, nyt_error *err)
{
    return is_stdin(path) ? nyt_reader_open_fn(in, read_stream, stdin, err)
                          : nyt_reader_open(in, path, err);
}

static int load(nyt_profile **p, const struct options *options, const char *path, nyt_error *err)
{
    nyt_load_options how = {.keep_evals = options->keep_evals, .salvage = options->salvage};
    return is_stdin(path) ? nyt_profile_load_fn(p, read_stream, stdin, &how, err)
                          : nyt_profile_load(p, path, &how, err);
}

/* ---- Errors ---- */

void complain(const char *path, const nyt_error *err)
{
    fflush(stdout);
    fprintf(stderr, "nytprof: %s: %s", path, err->message);
    bool has_place = err->code == NYT_EFORMAT || err->code == NYT_ETRUNC ||
                     err->code == NYT_EDEFLATE || err->code == NYT_EVERSION;
    if (has_place)
        fprintf(stderr, " (at offset %llu%s)", (unsigned long long)err->offset,
                err->in_deflate ? " of the inflated data" : "");
    fputc('\n', stderr);
}

static enum exit_status unreadable(const char *path, const nyt_error *err)
{
    complain(path, err);
    return EXIT_UNREADABLE;
}

static enum exit_status written(int rc, const char *path, const nyt_error *err)
{
    if (rc == NYT_OK)
        return EXIT_FINE;
    complain(path, err);
    return EXIT_INCOMPLETE;
}

/* ---- dump, info ---- */

static enum exit_status dump_records(const struct options *options, const char *path, FILE *out)
{
    nyt_reader *in;
    nyt_error err;
    int rc = open_reader(&in, path, &err);
    if (rc < 0)
        return unreadable(path, &err);
    rc = options->format == FORMAT_JSONL ? nyt_export_jsonl(in, write_stream, out, &err)
                                         : nyt_export_text(in, write_stream, out, &err);
    nyt_reader_close(in);
    return written(rc, path, &err);
}

static enum exit_status dump_model(const struct options *options, const char *path, FILE *out)
{
    nyt_profile *p;
    nyt_error err;
    if (load(&p, options, path, &err) < 0)
        return unreadable(path, &err);
    int rc = nyt_export_model(p, write_stream, out, &err);
    nyt_profile_free(p);
    return written(rc, path, &err);
}

enum exit_status command_dump(const struct options *options, const char *path, FILE *out)
{
    return options->format == FORMAT_MODEL ? dump_model(options, path, out)
                                           : dump_records(options, path, out);
}

enum exit_status command_info(const struct options *options, const char *path, FILE *out)
{
    nyt_profile *p;
    nyt_error err;
    nyt_report_options report = options->report;
    report.path = path;
    if (load(&p, options, path, &err) < 0)
        return unreadable(path, &err);
    int rc = nyt_report_info(p, &report, write_stream, out, &err);
    nyt_profile_free(p);
    return written(rc, path, &err);
}

/* ---- convert, speedscope ---- */

static void tell_left_out(const char *path, const nyt_limit *limit)
{
    if (limit->left_out || limit->left_out_lines)
        fprintf(stderr, "nytprof: %s: to keep below %llu bytes, %llu call paths of %.6f s together "
                        "and %llu lines were left out\n", path,
                (unsigned long long)limit->max_bytes, (unsigned long long)limit->left_out,
                limit->left_out_time, (unsigned long long)limit->left_out_lines);
}

struct folder {
    const char *path;
    char       *name;       /* of the file that is being written */
    FILE       *out;
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

static enum exit_status cannot_write(const char *path)
{
    fprintf(stderr, "nytprof: %s: cannot write: %s\n", path, strerror(errno));
    return EXIT_INCOMPLETE;
}

static enum exit_status convert_to_folder(const nyt_profile *p, const char *path, const char *to)
{
    struct folder f = {.path = to};
    nyt_error err;
    if (make_folder(to) < 0)
        return cannot_write(to);
    errno = 0;
    int rc = nyt_export_csv(p, begin_file, write_file, &f, &err);
    enum exit_status status = rc == NYT_EIO ? cannot_write(f.name) : written(rc, path, &err);
    if (close_file(&f) < 0 && status == EXIT_FINE)
        status = cannot_write(f.name);
    free(f.name);
    return status;
}

static enum exit_status convert(const struct options *options, const nyt_export_format *to,
                                const char *path, FILE *out)
{
    nyt_profile *p;
    nyt_error err;
    nyt_limit limit = {.max_bytes = options->max_bytes, .top = options->report.top};
    if (load(&p, options, path, &err) < 0)
        return unreadable(path, &err);
    if (to->folder) {
        enum exit_status status = convert_to_folder(p, path, options->folder);
        nyt_profile_free(p);
        return status;
    }
    int rc = to->write(p, &limit, write_stream, out, &err);
    nyt_profile_free(p);
    if (rc == NYT_OK)
        tell_left_out(path, &limit);
    return written(rc, path, &err);
}

enum exit_status command_speedscope(const struct options *options, const char *path, FILE *out)
{
    return convert(options, nyt_export_format_named("speedscope"), path, out);
}

enum exit_status command_convert(const struct options *options, const char *path, FILE *out)
{
    return convert(options, options->to, path, out);
}

/* ---- summary ---- */

static bool ends_with(nyt_str name, const char *end)
{
    size_t len = strlen(end);
    return name.len >= len && memcmp(name.data + name.len - len, end, len) == 0;
}

static bool is_number(const char *text)
{
    return *text && strspn(text, "0123456789") == strlen(text);
}

/* By fid, or by the end of its name: the whole name wins, and the first otherwise. */
static const nyt_file *find_file(const nyt_profile *p, const char *wanted)
{
    size_t n;
    const nyt_file *files = nyt_profile_files(p, &n), *found = NULL;
    if (is_number(wanted))
        return nyt_profile_file(p, (uint32_t)strtoul(wanted, NULL, 10));
    for (size_t i = 0; i < n; i++) {
        if (!ends_with(files[i].name, wanted) || files[i].merged_into)
            continue;
        if (files[i].name.len == strlen(wanted))
            return &files[i];
        if (!found)
            found = &files[i];
    }
    return found;
}

static enum exit_status summarise(const struct options *options, const nyt_profile *p,
                                  const char *path, FILE *out)
{
    nyt_error err;
    nyt_report_options report = options->report;
    report.path = path;
    if (!options->source)
        return written(nyt_report_summary(p, &report, write_stream, out, &err), path, &err);
    const nyt_file *file = find_file(p, options->source);
    if (!file) {
        fprintf(stderr, "nytprof: %s: there is no file '%s' in it\n", path, options->source);
        return EXIT_USAGE;
    }
    return written(nyt_report_source(p, file->fid, &report, write_stream, out, &err), path, &err);
}

enum exit_status command_summary(const struct options *options, const char *path, FILE *out)
{
    nyt_profile *p;
    nyt_error err;
    if (load(&p, options, path, &err) < 0)
        return unreadable(path, &err);
    enum exit_status status = summarise(options, p, path, out);
    nyt_profile_free(p);
    return status;
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
            fprintf(stderr, "nytprof: --fail-if '%s': %s (at character %llu)\n",
                    options->conditions[i], err.message, (unsigned long long)err.offset + 1);
            return rc == NYT_EAPI ? EXIT_USAGE : EXIT_INCOMPLETE;
        }
    }
    return status;
}

static void tell_conditions(const struct options *options, const nyt_diff *d)
{
    fflush(stdout);
    for (size_t i = 0; i < options->condition_count; i++) {
        if (nyt_diff_check(d, options->conditions[i], NULL, NULL, NULL) <= 0)
            continue;
        fputs("nytprof: failed: ", stderr);
        nyt_diff_check(d, options->conditions[i], write_stream, stderr, NULL);
        fputc('\n', stderr);
    }
}

static enum exit_status report_diff(const struct options *options, char **paths, const nyt_diff *d,
                                    FILE *out)
{
    nyt_diff_options how = {.report = options->report, .path_after = paths[1],
                            .min_change = options->min_change, .markdown = options->markdown,
                            .conditions = options->conditions,
                            .condition_count = options->condition_count};
    nyt_error err;
    how.report.path = paths[0];
    enum exit_status status = judged(options, d);
    if (status > EXIT_FINDINGS)
        return status;
    int rc = nyt_report_diff(d, &how, write_stream, out, &err);
    tell_conditions(options, d);
    return rc < 0 ? written(rc, paths[1], &err) : status;
}

static enum exit_status diff(const struct options *options, char **paths, nyt_profile *loaded[2],
                             FILE *out)
{
    nyt_error err;
    nyt_diff *d;
    for (int i = 0; i < 2; i++) {
        if (load(&loaded[i], options, paths[i], &err) < 0)
            return unreadable(paths[i], &err);
        if (!nyt_profile_totals(loaded[i])->complete)
            fprintf(stderr, "nytprof: %s: the profile is incomplete\n", paths[i]);
    }
    if (nyt_diff_new(&d, loaded[0], loaded[1], &err) < 0)
        return unreadable(paths[1], &err);
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

/* ---- verify ---- */

struct findings {
    const struct options *options;
    FILE       *out;
    bool        any;        /* a fault: odd is none */
    nyt_finding first;      /* of the worst */
    char        text[256];
    size_t      told;
};

static const char *severity_name(nyt_severity severity)
{
    return severity == NYT_FATAL ? "fatal" : severity == NYT_WARNED ? "warned" : "odd";
}

/* A failure to write is seen when the output is closed. */
static void json_string(FILE *out, const char *text)
{
    nyt_export_json_string((nyt_str){.data = text, .len = strlen(text)}, write_stream, out);
}

static void json_finding(struct findings *f, const nyt_finding *finding)
{
    fprintf(f->out, "%s{\"severity\":\"%s\",\"rule\":\"%s\",\"offset\":%llu,\"inflated\":%s,"
                    "\"record\":%llu,\"text\":",
            f->told++ ? "," : "", severity_name(finding->severity), finding->rule,
            (unsigned long long)finding->offset, finding->in_deflate ? "true" : "false",
            (unsigned long long)finding->record);
    json_string(f->out, finding->text);
    fputc('}', f->out);
}

static void text_finding(struct findings *f, const nyt_finding *finding)
{
    fprintf(f->out, "  %-6s %s at offset %llu%s, record %llu [%s]\n",
            severity_name(finding->severity), finding->text, (unsigned long long)finding->offset,
            finding->in_deflate ? " of the inflated data" : "",
            (unsigned long long)finding->record, finding->rule);
}

static int take_finding(void *ctx, const nyt_finding *finding)
{
    struct findings *f = ctx;
    if (finding->severity != NYT_ODD && (!f->any || finding->severity > f->first.severity)) {
        f->any = true;
        f->first = *finding;
        snprintf(f->text, sizeof f->text, "%s", finding->text);
    }
    if (f->options->format == FORMAT_JSON)
        json_finding(f, finding);
    else if (f->options->verbose)
        text_finding(f, finding);
    return 0;
}

static void text_verdict(const struct findings *f, const char *path, const nyt_verdict *verdict)
{
    if (!f->any) {
        if (!f->options->quiet)
            fprintf(f->out, "%s \u2713 %llu records\n", path,
                    (unsigned long long)verdict->records);
        return;
    }
    fprintf(f->out, "%s \u2717 %llu records: %s at offset %llu%s\n", path,
            (unsigned long long)verdict->records, f->text, (unsigned long long)f->first.offset,
            f->first.in_deflate ? " of the inflated data" : "");
}

static void json_verdict(const struct findings *f, const char *path, const nyt_verdict *verdict)
{
    fputs("],\"path\":", f->out);
    json_string(f->out, path);
    fprintf(f->out, ",\"records\":%llu,\"odd\":%llu,\"warned\":%llu,\"fatal\":%llu,\"sound\":%s}\n",
            (unsigned long long)verdict->records, (unsigned long long)verdict->odd,
            (unsigned long long)verdict->warned, (unsigned long long)verdict->fatal,
            f->any ? "false" : "true");
}

enum exit_status command_verify(const struct options *options, const char *path, FILE *out)
{
    struct findings f = {.options = options, .out = out};
    nyt_verdict verdict;
    nyt_error err;
    bool json = options->format == FORMAT_JSON;
    if (json)
        fputs("{\"findings\":[", out);
    int rc = is_stdin(path)
                 ? nyt_verify_fn(read_stream, stdin, take_finding, &f, &verdict, &err)
                 : nyt_verify(path, take_finding, &f, &verdict, &err);
    if (json && rc == NYT_OK)
        json_verdict(&f, path, &verdict);
    else if (json)
        fputs("]}\n", out);
    else if (rc == NYT_OK)
        text_verdict(&f, path, &verdict);
    if (rc < 0)
        return unreadable(path, &err);
    return f.any ? EXIT_FINDINGS : EXIT_FINE;
}
