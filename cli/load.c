/* Opening profiles, and what comes of that. */
#include "load.h"

#include "message.h"
#include "streams.h"

int load_profile(nyt_profile **p, const struct options *options, const char *path, nyt_error *err)
{
    nyt_load_options how = {.keep_evals = options->keep_evals, .salvage = options->salvage};
    return is_stdin(path) ? nyt_profile_load_fn(p, read_stream, options->io->in, &how, err)
                          : nyt_profile_load(p, path, &how, err);
}

enum exit_status unreadable(const struct options *o, const char *path, const nyt_error *err)
{
    complain(o->io, path, err);
    return EXIT_UNREADABLE;
}

enum exit_status end_report(const struct options *options, int rc, const char *path, FILE *out,
                            const nyt_error *err)
{
    if (rc == NYT_OK)
        return EXIT_FINE;
    if (!ferror(out))
        complain(options->io, path, err);
    return EXIT_INCOMPLETE;
}
