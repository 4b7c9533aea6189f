/* Words that were mistyped. */
#ifndef SUGGEST_H
#define SUGGEST_H

#include "table.h"

enum { HINT_SIZE = 80 };

/* " (did you mean 'WORD'?)", or nothing if no word is near. Returns `hint`. */
const char *suggest_command(const char *typed, char hint[HINT_SIZE]);
const char *suggest_option(const struct command *command, const char *typed, char hint[HINT_SIZE]);

#endif
