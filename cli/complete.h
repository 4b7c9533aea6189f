/* Completion of command lines by shells. */
#ifndef COMPLETE_H
#define COMPLETE_H

#include "cli_io.h"

/* The script for a shell; NULL: none was named. */
enum exit_status completions(const struct nyt_cli_io *io, const char *shell);
/* What the last of these words may become, for that script. */
void complete(const struct nyt_cli_io *io, int count, char **words);

#endif
