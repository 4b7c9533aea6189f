/* create.h - a session made from settings: its tracer, its file, and the run that it belongs to. */
#ifndef PYNYTPROF_SESSION_CREATE_H
#define PYNYTPROF_SESSION_CREATE_H

#include "state.h"

/*
 * Fills `s`, which is all zeros, from settings as text (settings.h); `sources` is the function
 * that knows more texts of code than the tracer, or NULL. -1 with an exception.
 */
int session_init(session *s, const char *text, PyObject *sources);
void session_clear(session *s);

/*
 * In a forked process: the session is now its own, with a file of its own. Where that can't be
 * had it is marked as failed and dropped.
 */
void session_become_child(session *s);

#endif
