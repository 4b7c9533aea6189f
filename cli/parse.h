/* The words behind a command. */
#ifndef PARSE_H
#define PARSE_H

#include "table.h"

/* Options go into *o, everything else to the front of words; *count becomes its number. */
enum exit_status parse(const struct command *command, char **words, int *count, struct options *o);

/* Is -h or --help among the options? */
bool wants_help(int count, char **words);

#endif
