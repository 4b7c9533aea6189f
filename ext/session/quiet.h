/*
 * quiet.h - signals that a write can bring upon the one who writes. Python ignores them, but
 * the program may not: meanwhile they wait, and what has come of our writing is taken away.
 */
#ifndef PYNYTPROF_SESSION_QUIET_H
#define PYNYTPROF_SESSION_QUIET_H

#include <signal.h>

typedef struct {
    sigset_t masked, before, pending;
} quiet;

void quiet_begin(quiet *q);
void quiet_end(const quiet *q);

#endif
