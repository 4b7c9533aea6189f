/* What is said on the error stream. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include "options.h"

#if defined(__GNUC__)
#define LIKE_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define LIKE_PRINTF(text, first)
#endif

/* "PROGRAM: TEXT" */
void say(const struct nyt_cli_io *io, const char *format, ...) LIKE_PRINTF(2, 3);

/* The same, and where help is: on this command, or on all if it is NULL. */
enum exit_status usage_error(const struct nyt_cli_io *io, const char *command, const char *format,
                             ...) LIKE_PRINTF(3, 4);

/* "PROGRAM: PATH: REASON (at offset N)" */
void complain(const struct nyt_cli_io *io, const char *path, const nyt_error *err);

/* What is wrong with an argument of --fail-if. */
enum exit_status bad_condition(const struct nyt_cli_io *io, const char *condition,
                               const nyt_error *err);

/* "PROGRAM: PATH: cannot write: REASON", of errno. */
enum exit_status cannot_write(const struct nyt_cli_io *io, const char *path);

#endif
