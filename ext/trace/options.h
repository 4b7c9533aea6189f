/* What the tracer was asked for: the arguments of Tracer(). */
#ifndef PYNYTPROF_TRACE_OPTIONS_H
#define PYNYTPROF_TRACE_OPTIONS_H

#include "trace.h"

typedef struct {
    bool stmts, blocks, subs, slowops, savesrc;
    bool raw;                                       /* our own cost stays in the times */
    bool cpu;                                       /* each thread's processor time */
    bool exact_lines;                               /* each line is measured by itself */
    bool gc;                                        /* collections are a sub */
    PyObject *include, *exclude, *exclude_prefixes; /* tuples of str, owned */
    PyObject *hide_prefix;                          /* str, owned */
    PyObject *sources;                              /* dict or None, owned */
    size_t max_nodes;                               /* of the tree of call paths */
} trace_options;

/* Fills *options, which is all zeros; -1 with an exception, and it is to be freed all the same. */
int options_parse(trace_options *options, PyObject *args, PyObject *kwargs);
void options_free(trace_options *options);

/* Runs of a program for which this is the same meet the same files in the same order, as a rule. */
uint32_t options_kind_of_run(const trace_options *o);

#endif
