/* The manual page, in roff. */
#ifndef MANUAL_H
#define MANUAL_H

#include "cli_io.h"

void print_manual(const struct nyt_cli_io *io);
/* What a program with commands of its own takes over from it: the other commands, the formats and
 * the exit status. Begins within the section COMMANDS. */
void print_manual_of_commands(const struct nyt_cli_io *io);

#endif
