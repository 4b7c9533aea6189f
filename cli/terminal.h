/* A terminal that a command has for itself: keys without Enter, a screen that is put back. */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

/* False: `in` and `out` are no terminal. */
bool terminal_begin(FILE *in, FILE *out);
/* The screen as it was. */
void terminal_end(FILE *out);

/* The next key within `ms` milliseconds; 0: none, or the size has changed; -1: it is over, by a
 * signal, Ctrl-C or a terminal that is gone. */
int terminal_key(int ms);
/* Ends the process by the signal that has come, if one has. */
void terminal_end_as_told(void);

void terminal_size(FILE *out, size_t *rows, size_t *columns);

#endif
