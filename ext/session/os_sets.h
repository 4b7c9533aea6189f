/*
 * os_sets.h - a built-in function's hash is that of the C function behind it. Those sets of
 * `os` (os.supports_fd, ...) that hold a function which exits.c exchanges get it once more.
 */
#ifndef PYNYTPROF_SESSION_OS_SETS_H
#define PYNYTPROF_SESSION_OS_SETS_H

void os_sets_note(void);        /* before the exchange: which sets hold which */
void os_sets_add(void);         /* behind it */
void os_sets_discard(void);     /* before it is undone */

#endif
