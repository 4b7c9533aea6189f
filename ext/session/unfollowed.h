/* unfollowed.h - Pythons that the program starts, and that are not in the profile. */
#ifndef PYNYTPROF_SESSION_UNFOLLOWED_H
#define PYNYTPROF_SESSION_UNFOLLOWED_H

#include <Python.h>

/* Once a process: where the functions are that start programs. Their modules are imported for a
 * moment. */
void unfollowed_find(void);

/* Counts from now on; and no more. */
void unfollowed_watch(void);
void unfollowed_unwatch(void);

unsigned unfollowed_count(void);

#endif
