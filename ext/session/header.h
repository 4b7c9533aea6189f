/* header.h - what a profile says of itself: comments, attributes, options. */
#ifndef PYNYTPROF_SESSION_HEADER_H
#define PYNYTPROF_SESSION_HEADER_H

#include "../trace/control.h"
#include "settings.h"

typedef struct {
    const settings *settings;
    const char *application;
    const char *run;  /* of the run that this is a part of; NULL: of none */
    const char *note; /* one more comment, or NULL */
    long basetime;
} header_facts;

/* The pairs of the first P chunk (docs/format.md), malloc'ed; NULL: out of memory. */
char *header_new(const tracer *t, const header_facts *f, size_t *len);

#endif
