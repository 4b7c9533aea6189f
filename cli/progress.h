/* A line on a terminal while something takes long. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include "cli_io.h"

/*
 * What is done from now on, "reading" and with what (may be NULL). After a second the line
 * appears, if io->err is a terminal, and tells how long it has been; nothing is said of what takes
 * less. One thing at a time; both strings must live until the end.
 */
void progress_begin(const struct nyt_cli_io *io, const char *doing, const char *what);
/* The line is gone. Without a begin it does nothing. */
void progress_end(void);
/* The line makes place for another one that is written now. */
void progress_make_place(void);

#endif
