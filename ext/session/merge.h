/* merge.h - the profiles of all processes of a run, made one. */
#ifndef PYNYTPROF_SESSION_MERGE_H
#define PYNYTPROF_SESSION_MERGE_H

#include "state.h"

/* Merges the files of all processes of the run into that of the first. Tells of failures. */
void session_merge(session *s);

#endif
