/*
 * session.h - one profile run of a process: a tracer, the file that comes of it, and all ends
 * that a process can take. At most one is active at a time.
 *
 *     state.h         what a session is
 *     settings.c      what it is told to do, as text
 *     output.c        the file; quiet.c: signals that writing may bring
 *     header.c        what the profile says of itself
 *     parts.c         files of other processes of the run; merge.c makes them one
 *     environment.c   variables, for children
 *     unfollowed.c    how many of these are not followed
 *     messages.c      lines on standard error
 *     create.c        it and its tracer made from the settings; write.c: the file filled
 *     process.c       at exit and after a fork we are called
 *     told.c          the last lines: where the profile is, what to type next
 *     session.c       begin, pause, end; at exit, signals, exec, fork
 *     type.c          the same for Python: pynytprof._ctrace.Session
 *     switch.c        pynytprof._ctrace.Switch, the base of pynytprof.Tracer
 *     control_page.c  memory by which others give orders; orders.c: these carried out
 *     begin.c         the session of a program that Python itself runs
 *     wait.c          until __main__ begins, or its first line after the imports
 */
#ifndef PYNYTPROF_SESSION_H
#define PYNYTPROF_SESSION_H

#include "state.h"

extern PyTypeObject *session_type;      /* owned: the last one made */

/* All that return int return -1 with an exception set. */

/*
 * Switched on, and off: as often as it was switched on. With the last release it ends, with the
 * whole profile written, or only pauses. Each is done as a whole or, with an exception, not at
 * all. What goes wrong with the file is told on standard error, once.
 */
int session_use(session *s, bool open_frames);
int session_release(session *s, bool only_pause);

/*
 * Whatever the program has switched: pauses, and goes on. With the program's next switching on it
 * goes on, too.
 */
int session_hold(session *s);
int session_go_on(session *s);

/* The profile as it is now goes to its file: 0, or why not (told once). */
int session_flush(session *s);

/* Ends it, however often it was switched on. */
int session_finish(session *s);

/*
 * What session_use() does first: code of the program may run in it, its signals' handlers and
 * other threads. RuntimeError: another session runs.
 */
int session_prepare(session *s);

/* A session in Python begins, which writes `path`; NULL: it has ended. */
int session_occupy(const char *path);

/* From now on exits and forks are noticed; what is registered can't be taken back. */
int session_watch_process(void);

/* The same, and that the run's profiles are merged then. */
int session_arrange_end(session *s);

/* The one that is running or paused, borrowed; NULL: none. */
session *session_active(void);

#endif
