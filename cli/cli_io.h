/* What a run is given, and what it ends with. */
#ifndef CLI_IO_H
#define CLI_IO_H

#include <stdio.h>

enum exit_status {
    EXIT_FINE = 0,
    EXIT_FINDINGS = 1,      /* verify found something, or a condition of diff is met */
    EXIT_USAGE = 2,
    EXIT_UNREADABLE = 3,
    EXIT_INCOMPLETE = 4     /* something was written, but not all there should be */
};

/* Where a run reads and writes, and what its texts call the program. */
struct nyt_cli_io {
    const char *program;
    FILE *in, *out, *err;
};

#endif
