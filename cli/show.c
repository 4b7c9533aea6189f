/* The commands that show a profile to people: where the time went, one function, one file, the call
 * tree. What they are to show is looked up by its name, and names that are not there are answered
 * with the nearest that are. */
#include "show.h"

#include "load.h"
#include "message.h"
#include "streams.h"

#include <stdlib.h>
#include <string.h>

enum { NEAREST = 5, FILES_LISTED = 20, SUBS_MOST = 1000 };

/* ---- Loading ---- */

typedef enum exit_status show_fn(const struct options *o, const nyt_profile *p,
                                 const nyt_report_options *report, const char *path, FILE *out);

static enum exit_status show(const struct options *o, const char *path, FILE *out, show_fn *fn)
{
    nyt_profile *p;
    nyt_error err;
    nyt_report_options report = o->report;
    report.path = path;
    if (load_profile(&p, o, path, &err) < 0)
        return unreadable(o, path, &err);
    enum exit_status status = fn(o, p, &report, path, out);
    nyt_profile_free(p);
    return status;
}

/* ---- Names ---- */

/* Names of a profile may hold anything. */
static void put_name(FILE *err, nyt_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.data[i];
        fputc(c < ' ' || c == 0x7F ? '?' : c, err);
    }
}

static void begin_list(const struct options *o, const char *path, const char *what, size_t n)
{
    const struct nyt_cli_io *io = o->io;
    fprintf(io->err, "%s: %s: no %s '%s' in %s%s", io->program, path, what, o->name,
            is_filtered(o) ? "what --only, --exclude and --scope leave" : "this profile",
            n ? "; the nearest: " : "\n");
}

static enum exit_status no_such_sub(const struct options *o, const nyt_profile *p, const char *path)
{
    const nyt_sub *near[NEAREST];
    size_t n = nyt_near_subs(p, o->name, near, NEAREST);
    tell_incomplete(o, path, p);
    begin_list(o, path, "function", n);
    for (size_t i = 0; i < n; i++) {
        fputs(i ? ", " : "", o->io->err);
        put_name(o->io->err, near[i]->name);
    }
    fputs(n ? "\n" : "", o->io->err);
    return EXIT_USAGE;
}

static enum exit_status no_such_file(const struct options *o, const nyt_profile *p,
                                     const char *path)
{
    const nyt_file *near[NEAREST];
    size_t n = nyt_near_files(p, o->name, near, NEAREST);
    tell_incomplete(o, path, p);
    begin_list(o, path, "file", n);
    for (size_t i = 0; i < n; i++) {
        fputs(i ? ", " : "", o->io->err);
        put_name(o->io->err, near[i]->name);
    }
    fputs(n ? "\n" : "", o->io->err);
    return EXIT_USAGE;
}

/* ---- source ---- */

static enum exit_status several_files(const struct options *o, const char *path,
                                      const nyt_file *const *files, size_t n)
{
    size_t shown = n < FILES_LISTED ? n : FILES_LISTED;
    say(o->io,
        "%s: '%s' may be one of %zu files; name it by more of its path, or by its number:", path,
        o->name, n);
    for (size_t i = 0; i < shown; i++) {
        fprintf(o->io->err, "%7u  ", (unsigned)files[i]->fid);
        put_name(o->io->err, files[i]->name);
        fputc('\n', o->io->err);
    }
    if (shown < n)
        fprintf(o->io->err, "         and %zu more\n", n - shown);
    return EXIT_USAGE;
}

static enum exit_status show_source(const struct options *o, const nyt_profile *p,
                                    const nyt_report_options *report, const char *path, FILE *out)
{
    const nyt_file *files[FILES_LISTED];
    nyt_error err;
    size_t n;
    nyt_find_files(p, o->name, &o->filter, files, FILES_LISTED, &n);
    if (n == 0)
        return no_such_file(o, p, path);
    if (n > 1)
        return several_files(o, path, files, n);
    tell_incomplete(o, path, p);
    int rc = nyt_report_source(p, files[0]->fid, report, write_stream, out, &err);
    return finished(o, rc, path, out, &err);
}

enum exit_status command_source(const struct options *o, const char *path, FILE *out)
{
    return show(o, path, out, show_source);
}

/* ---- summary ---- */

static enum exit_status show_summary(const struct options *o, const nyt_profile *p,
                                     const nyt_report_options *report, const char *path, FILE *out)
{
    nyt_error err;
    int rc = nyt_report_summary(p, report, write_stream, out, &err);
    return finished(o, rc, path, out, &err);
}

enum exit_status command_summary(const struct options *o, const char *path, FILE *out)
{
    return show(o, path, out, o->name ? show_source : show_summary);
}

/* ---- func ---- */

struct subs {
    const nyt_sub **list;
    size_t count; /* of those in the list */
    size_t found;
};

/* EXIT_FINE, or what is wrong was said. */
static enum exit_status find_subs(struct subs *s, const struct options *o, const nyt_profile *p,
                                  const char *path, const nyt_filter *filter)
{
    nyt_error err = {.code = NYT_ENOMEM, .message = "out of memory"};
    s->list = calloc(SUBS_MOST, sizeof *s->list);
    if (!s->list || nyt_find_subs(p, o->name, filter, s->list, SUBS_MOST, &s->found) < 0)
        return unreadable(o, path, &err);
    s->count = s->found < SUBS_MOST ? s->found : SUBS_MOST;
    return s->found ? EXIT_FINE : no_such_sub(o, p, path);
}

static enum exit_status show_subs(const struct options *o, const nyt_profile *p,
                                  const nyt_report_options *report, const char *path, FILE *out,
                                  const struct subs *s)
{
    nyt_error err;
    tell_incomplete(o, path, p);
    int rc = s->found == 1 ? nyt_report_sub(p, s->list[0], report, write_stream, out, &err)
                           : nyt_report_subs(p, s->list, s->count, report, write_stream, out, &err);
    if (s->found > s->count)
        say(o->io, "%s: %zu functions have such a name, the first %zu are shown", path, s->found,
            s->count);
    return finished(o, rc, path, out, &err);
}

static enum exit_status show_func(const struct options *o, const nyt_profile *p,
                                  const nyt_report_options *report, const char *path, FILE *out)
{
    struct subs s = {.list = NULL};
    enum exit_status status = find_subs(&s, o, p, path, &o->filter);
    if (status == EXIT_FINE)
        status = show_subs(o, p, report, path, out, &s);
    free(s.list);
    return status;
}

enum exit_status command_func(const struct options *o, const char *path, FILE *out)
{
    return show(o, path, out, show_func);
}

/* ---- tree ---- */

static enum exit_status no_tree(const struct options *o, const nyt_profile *p, const char *path)
{
    const nyt_str *calls = nyt_profile_option(p, "calls");
    bool is_off = calls && calls->len == 1 && calls->data[0] == '0';
    say(o->io, "%s: there is no call tree in this profile%s", path,
        is_off ? ": it was made with calls=0" : "");
    return EXIT_INCOMPLETE;
}

static enum exit_status show_tree(const struct options *o, const nyt_profile *p,
                                  const nyt_report_options *report, const char *path, FILE *out)
{
    struct subs s = {.list = NULL};
    nyt_error err;
    size_t nodes;
    enum exit_status status = EXIT_FINE;
    nyt_profile_tree(p, &nodes);
    tell_incomplete(o, path, p);
    if (nodes < 2)
        return no_tree(o, p, path);
    if (o->name)
        status = find_subs(&s, o, p, path, NULL);
    if (status == EXIT_FINE) {
        nyt_tree_options how = {
            .least = o->least, .focus = s.list, .focus_count = s.list ? s.count : 0};
        int rc = nyt_report_tree(p, &how, report, write_stream, out, &err);
        status = finished(o, rc, path, out, &err);
    }
    free(s.list);
    return status;
}

enum exit_status command_tree(const struct options *o, const char *path, FILE *out)
{
    return show(o, path, out, show_tree);
}

/* ---- explain ---- */

static enum exit_status show_explanation(const struct options *o, const nyt_profile *p,
                                         const nyt_report_options *report, const char *path,
                                         FILE *out)
{
    nyt_error err;
    int rc = nyt_report_explain(p, o->budget, report, write_stream, out, &err);
    return finished(o, rc, path, out, &err);
}

enum exit_status command_explain(const struct options *o, const char *path, FILE *out)
{
    return show(o, path, out, show_explanation);
}
