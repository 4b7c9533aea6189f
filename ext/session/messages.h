/*
 * messages.h - what we say on standard error. Written to the descriptor itself: neither the
 * program's sys.stderr nor any Python code is asked.
 */
#ifndef PYNYTPROF_SESSION_MESSAGES_H
#define PYNYTPROF_SESSION_MESSAGES_H

#include <stdbool.h>

/* Notes which file standard error is now; the first call counts. */
void messages_begin(void);

/* Whether what the profiler does is told (messages_tell); `log` is a file for it, or "". */
void messages_configure(bool wanted, const char *log);

/* One line, unless the program has put a file of its own in standard error's place. */
void messages_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same: `what`, and why, by the exception that is set and is cleared. */
void messages_say_exception(const char *what);

/* The same, if it is wanted; to the log, if there is one. */
void messages_tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
