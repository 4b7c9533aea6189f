/* Profiles are loaded, and errors reported. */
#include "load.h"

#include "message.h"
#include "streams.h"

int open_reader(nyt_reader **in, const struct options *o, const char *path, nyt_error *err)
{
    return is_stdin(path) ? nyt_reader_open_fn(in, read_stream, o->io->in, err)
                          : nyt_reader_open(in, path, err);
}

/* NYT_EAPI: there is no such section. */
static int check_section(nyt_profile **p, const struct options *o, nyt_error *err)
{
    size_t n, used;
    const nyt_process *all = nyt_profile_processes(*p, &n);
    for (size_t i = 0; i < n; i++)
        if (all[i].pid == o->section)
            return NYT_OK;
    *err = (nyt_error){.code = NYT_EAPI};
    used = (size_t)snprintf(err->message, sizeof err->message,
                            "no thread %zu in this profile, but ", o->section);
    for (size_t i = 0; i < n && used < sizeof err->message; i++)
        used += (size_t)snprintf(err->message + used, sizeof err->message - used, "%s%u",
                                 i ? ", " : "", (unsigned)all[i].pid);
    nyt_profile_free(*p);
    *p = NULL;
    return NYT_EAPI;
}

int load_profile(nyt_profile **p, const struct options *options, const char *path, nyt_error *err)
{
    nyt_load_options how = {.keep_evals = options->keep_evals,
                            .salvage = options->salvage,
                            .section = (uint32_t)options->section};
    int rc = is_stdin(path) ? nyt_profile_load_fn(p, read_stream, options->io->in, &how, err)
                            : nyt_profile_load(p, path, &how, err);
    return rc == NYT_OK && options->section ? check_section(p, options, err) : rc;
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
