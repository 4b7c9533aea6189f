/*
 * wait.h - the moment at which the program begins: the first frame of `__main__`'s own code.
 * All that comes before it (site, other .pth files, runpy, the import of a package whose
 * __main__ it is) is Python's, and goes on at its usual speed.
 */
#ifndef PYNYTPROF_SESSION_WAIT_H
#define PYNYTPROF_SESSION_WAIT_H

#include "session.h"

enum wait_until {
    MAIN_BEGINS,        /* the frame of __main__'s own code */
    IMPORTS_END,        /* its first line that is not of the imports */
    MAIN_ENDS
};

/* Starts `s` then. -1 with an exception. */
int wait_for_main(session *s, enum wait_until until);

/* Waits no more. */
void wait_over(void);

#endif
