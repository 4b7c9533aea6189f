/* --help and the command help. */
#ifndef HELP_H
#define HELP_H

#include "table.h"

/* The overview, or all about one command. */
void print_help(const struct nyt_cli_io *io, const struct command *command);

#endif
