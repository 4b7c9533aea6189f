/* Profiles are opened here, and what comes of that is said. */
#ifndef LOAD_H
#define LOAD_H

#include "options.h"

int load_profile(nyt_profile **p, const struct options *options, const char *path, nyt_error *err);
enum exit_status unreadable(const struct options *o, const char *path, const nyt_error *err);
/* What `out` could not take is reported when it is closed. */
enum exit_status end_report(const struct options *options, int rc, const char *path, FILE *out,
                            const nyt_error *err);

#endif
