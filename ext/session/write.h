/* write.h - the profile of a session goes to its file. */
#ifndef PYNYTPROF_SESSION_WRITE_H
#define PYNYTPROF_SESSION_WRITE_H

#include "state.h"

/*
 * The profile as it is now, with one more comment, or NULL; `final`: it is complete. Failures are
 * told on standard error once, since the profiled program must not notice them. What the writing
 * takes is nobody's time.
 */
int session_write(session *s, const char *note, bool final);

/* What the last run of the program has compressed serves this one. Before the tracer begins. */
void session_recall_sources(session *s);

/* From now on the tracer writes it at its events, every few seconds. */
void session_arrange_snapshots(session *s);

#endif
