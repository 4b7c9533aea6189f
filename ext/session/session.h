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
 *     messages.c      lines on standard error
 *     session.c       begin, pause, end; at exit, signals, exec, fork
 *     type.c          the same for Python: pynytprof._ctrace.Session
 *     begin.c         the session of a program that Python itself runs
 *     wait.c          until __main__ begins, or its first line after the imports
 */
#ifndef PYNYTPROF_SESSION_H
#define PYNYTPROF_SESSION_H

#include "state.h"

extern PyTypeObject *session_type;      /* owned: the last one made */

/* All return -1 with an exception set. */
int session_init(session *s, const char *text, PyObject *sources);
void session_clear(session *s);
int session_start(session *s, bool open_frames);

/* These tell of failures on standard error, once. */
void session_pause(session *s);         /* nothing is written; start goes on */
void session_stop(session *s);          /* the whole profile */
void session_drop(session *s);          /* this process leaves the file to another one */

/* From now on exits and forks are noticed; what is registered can't be taken back. -1 with an
 * exception. */
int session_watch_process(void);

/* The same, and that the run's profiles are merged then. -1 with an exception. */
int session_arrange_end(session *s);

/* At the end it is said where the profile of this session is. NULL: of none. */
void session_tell_at_exit(session *s);

/* The one that is running or paused, borrowed; NULL: none. */
session *session_active(void);

#endif
