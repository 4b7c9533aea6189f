/* The command line for reading profiles, as a library: what `nytprof` and pynytprof._cread run. */
#ifndef CLI_H
#define CLI_H

#include "cli_io.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Runs one command line; argv[0] is not looked at. Returns the exit status. The words of argv may
 * be put into another order. What io->out could not take is reported; it is flushed, not closed.
 */
int nytprof_main(int argc, char **argv, const struct nyt_cli_io *io);

/* A word that may come first, and a line about it; false: there is no i-th one. */
bool nyt_cli_command(size_t i, const char **name, const char **help);

/* Of this version, as 2026-01-31. */
extern const char nyt_cli_date[];

#endif
