/* What commands share that load profiles. */
#ifndef LOAD_H
#define LOAD_H

#include "options.h"

/* "-" is standard input. Returns what the library does; *p and *in are the caller's. */
int load_profile(nyt_profile **p, const struct options *o, const char *path, nyt_error *err);
/* The same, with the lines of each thread and process kept apart. */
int load_sections(nyt_profile **p, const struct options *o, const char *path, nyt_error *err);
/* Is there a filter? */
bool is_filtered(const struct options *o);
int open_reader(nyt_reader **in, const struct options *o, const char *path, nyt_error *err);

/* Says so, where what is written to standard output does not. */
void tell_incomplete(const struct options *o, const char *path, const nyt_profile *p);
/* Says why a file cannot be read. */
enum exit_status unreadable(const struct options *o, const char *path, const nyt_error *err);
/* What writing ended with; what `out` could not take is reported when it is closed. */
enum exit_status finished(const struct options *o, int rc, const char *path, FILE *out,
                          const nyt_error *err);

#endif
