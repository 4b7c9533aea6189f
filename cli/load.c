/* Profiles are loaded, and errors reported. */
#include "load.h"

#include "message.h"
#include "streams.h"

int open_reader(nyt_reader **in, const struct options *o, const char *path, nyt_error *err)
{
    return is_stdin(path) ? nyt_reader_open_fn(in, read_stream, o->io->in, err)
                          : nyt_reader_open(in, path, err);
}

int load_profile(nyt_profile **p, const struct options *o, const char *path, nyt_error *err)
{
    nyt_load_options how = {.keep_evals = o->keep_evals, .salvage = o->salvage};
    return is_stdin(path) ? nyt_profile_load_fn(p, read_stream, o->io->in, &how, err)
                          : nyt_profile_load(p, path, &how, err);
}

enum exit_status unreadable(const struct options *o, const char *path, const nyt_error *err)
{
    complain(o->io, path, err);
    return EXIT_UNREADABLE;
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
