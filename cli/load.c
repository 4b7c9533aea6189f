/* Profiles are loaded, and errors reported. */
#include "load.h"

#include "message.h"
#include "progress.h"
#include "streams.h"

#include <string.h>

int open_reader(nyt_reader **in, const struct options *o, const char *path, nyt_error *err)
{
    return is_stdin(path) ? nyt_reader_open_fn(in, read_stream, o->io->in, err)
                          : nyt_reader_open(in, path, err);
}

/* "12, 15 and so on": what --thread, or --process, can be. */
static void list_sections(const nyt_process *all, size_t n, bool processes, nyt_error *err)
{
    size_t used = strlen(err->message);
    bool first = true;
    for (size_t i = 0; i < n && used < sizeof err->message; i++) {
        if (processes && all[i].process != all[i].pid)
            continue;
        used += (size_t)snprintf(err->message + used, sizeof err->message - used, "%s%u",
                                 first ? "" : ", ", (unsigned)all[i].pid);
        first = false;
    }
}

/* NYT_EAPI: there is no such section, or it is not known which are those of the process. */
static int check_section(nyt_profile **p, const struct options *o, nyt_error *err)
{
    size_t n;
    bool known = true, found = false;
    const nyt_process *all = nyt_profile_processes(*p, &n);
    for (size_t i = 0; i < n; i++) {
        known &= all[i].process != 0;
        found |= o->section ? all[i].pid == o->section : all[i].process == o->process;
    }
    if (found && (known || o->section))
        return NYT_OK;
    *err = (nyt_error){.code = NYT_EAPI};
    if (known || o->section) {
        snprintf(err->message, sizeof err->message, "no %s %zu in this profile, but ",
                 o->section ? "thread" : "process", o->section ? o->section : o->process);
        list_sections(all, n, !o->section, err);
    } else {
        snprintf(err->message, sizeof err->message,
                 "it does not tell which threads are whose: merge the parts anew, or use --thread");
    }
    nyt_profile_free(*p);
    *p = NULL;
    return NYT_EAPI;
}

bool is_filtered(const struct options *o)
{
    const nyt_filter *f = &o->filter;
    return f->only_count || f->exclude_count || o->reach != NYT_REACH_ALL;
}

/* NYT_EAPI: no file of it is to be shown. */
static int check_filter(nyt_profile **p, const struct options *o, nyt_error *err)
{
    size_t n;
    int rc = nyt_profile_shows(*p, &o->filter, &n);
    *err = (nyt_error){.code = rc};
    if (rc == NYT_OK && n == 0) {
        rc = err->code = NYT_EAPI;
        snprintf(err->message, sizeof err->message,
                 "no file of this profile is left by --only, --exclude and --scope");
    }
    if (rc < 0) {
        nyt_profile_free(*p);
        *p = NULL;
    }
    return rc;
}

/* "; the nearest: a, b", or those that cost most; a profile may have many. */
static void list_units(const nyt_profile *p, const char *wanted, nyt_error *err)
{
    enum { LISTED = 5 };
    const nyt_unit *near[LISTED], *all;
    size_t n, count = nyt_near_units(p, wanted, near, LISTED), used = strlen(err->message);
    const char *begin = count ? "; the nearest: " : "; there are ";
    all = nyt_profile_units(p, &n);
    for (size_t i = 0; !count && i < n && i < LISTED; i++)
        near[i] = &all[i];
    count = count ? count : n < LISTED ? n : LISTED;
    for (size_t i = 0; i < count && used < sizeof err->message; i++)
        used += (size_t)snprintf(err->message + used, sizeof err->message - used, "%s%.*s",
                                 i ? ", " : begin, (int)near[i]->name.len, near[i]->name.data);
}

/* NYT_EAPI: there is no such unit, or it can't be looked at alone. */
static int check_unit(nyt_profile **p, const struct options *o, nyt_error *err)
{
    static const char *const words[] = {
        [NYT_UNITS_TOGETHER] =
            "only sums over all units are in this profile, whose tracer was that in "
            "Python, or an older one; 'tree --focus NAME' shows what each called",
        [NYT_UNITS_LOST] = "the figures of units are lost: nytprofmerge does not know of them "
                           "('nytprof merge' does)"};
    size_t n;
    nyt_unit_state state = nyt_profile_unit_state(*p);
    if (state == NYT_UNITS_FINE || state == NYT_UNITS_PARTLY)
        return NYT_OK;
    *err = (nyt_error){.code = NYT_EAPI};
    nyt_profile_units(*p, &n);
    if (state != NYT_UNITS_UNKNOWN)
        snprintf(err->message, sizeof err->message, "%s", words[state]);
    else if (n == 0)
        snprintf(err->message, sizeof err->message, "there are no units of work in this profile");
    else
        snprintf(err->message, sizeof err->message, "no unit '%.60s' in this profile", o->unit);
    if (state == NYT_UNITS_UNKNOWN && n)
        list_units(*p, o->unit, err);
    nyt_profile_free(*p);
    *p = NULL;
    return NYT_EAPI;
}

static int load(nyt_profile **p, const struct options *options, const char *path, bool sections,
                nyt_error *err)
{
    nyt_load_options how = {.keep_evals = options->keep_evals,
                            .salvage = options->salvage,
                            .section = (uint32_t)options->section,
                            .process = (uint32_t)options->process,
                            .filter = options->narrows ? &options->filter : NULL,
                            .sections = sections,
                            .unit = options->unit};
    if (!options->silent)
        progress_begin(options->io, "reading", path);
    int rc = is_stdin(path) ? nyt_profile_load_fn(p, read_stream, options->io->in, &how, err)
                            : nyt_profile_load(p, path, &how, err);
    progress_end();
    if (rc == NYT_OK && (options->section || options->process))
        rc = check_section(p, options, err);
    if (rc == NYT_OK && options->unit)
        rc = check_unit(p, options, err);
    if (rc == NYT_OK && is_filtered(options))
        rc = check_filter(p, options, err);
    return rc;
}

int load_profile(nyt_profile **p, const struct options *options, const char *path, nyt_error *err)
{
    return load(p, options, path, false, err);
}

int load_sections(nyt_profile **p, const struct options *options, const char *path, nyt_error *err)
{
    return load(p, options, path, true, err);
}

void tell_incomplete(const struct options *o, const char *path, const nyt_profile *p)
{
    const nyt_totals *totals = nyt_profile_totals(p);
    const nyt_error *fault = nyt_profile_fault(p);
    if (fault)
        say(o->io, "%s: the profile is incomplete: %s", path, fault->message);
    else if (totals->snapshot)
        say(o->io, "%s: the profile is a snapshot: the program was still running", path);
    else if (!totals->complete)
        say(o->io, "%s: the profile is incomplete: a process did not end", path);
}

enum exit_status unreadable(const struct options *o, const char *path, const nyt_error *err)
{
    complain(o->io, path, err);
    if (!o->salvage && (err->code == NYT_EFORMAT || err->code == NYT_EDEFLATE) && err->record)
        say(o->io,
            "--salvage shows what can be read of it; '%s recover -o NEW %s' makes a sound profile",
            o->io->program, path);
    return err->code == NYT_EAPI ? EXIT_USAGE : EXIT_UNREADABLE;
}

enum exit_status finished(const struct options *o, int rc, const char *path, FILE *out,
                          const nyt_error *err)
{
    if (rc == NYT_OK)
        return EXIT_FINE;
    if (!ferror(out))
        complain(o->io, path, err);
    return EXIT_INCOMPLETE;
}
