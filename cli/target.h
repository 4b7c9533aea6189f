/* A file that is being written: it appears under its name when it is whole. */
#ifndef TARGET_H
#define TARGET_H

#include <stdbool.h>
#include <stdio.h>

struct target {
    const char *path; /* NULL or "-": standard output */
    char *part;       /* what it is called until it is whole; NULL: it is written directly */
    FILE *out;
};

/* false: it cannot be opened, and errno says why. Ended by close_target() all the same. */
bool open_target(struct target *t, FILE *standard);
/*
 * Gives the file its name if it is `whole`; otherwise what had that name before stays. false: it
 * could not be written, and errno says why.
 */
bool close_target(struct target *t, FILE *standard, bool whole);

#endif
