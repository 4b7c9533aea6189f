/* What every file of the tracer leans on: memory, tables of numbers, errors, code objects. */
#ifndef PYNYTPROF_TRACE_UTIL_H
#define PYNYTPROF_TRACE_UTIL_H

#include "trace.h"

#include "base/hash.h"        /* of libnytprof: nyt_grow(), struct nyt_map */

/* An error inside the tracer is not the program's; an interrupt is, and comes again. */
void swallow_error(void);

/*
 * What a dict has under a name: borrowed, or NULL. Silent, as PyDict_GetItemString() is no longer:
 * from 3.13 on that tells the program of a name that there was no memory for. The name's str is made
 * anew each time by dict_get(), and once by dict_item(), which keeps it in *kept for good.
 */
PyObject *dict_get(PyObject *dict, const char *name);
PyObject *dict_item(PyObject *dict, const char *name, PyObject **kept);

/* The frame's globals; a new reference. */
PyObject *frame_globals(PyFrameObject *frame);

/* Whether the code is that of a module, or of a text given to exec or eval. */
bool code_is_module_level(PyCodeObject *code);

/*
 * An array of pointers by place (contexts.h), of which `*cap` are there, grown to have that one;
 * new ones are NULL. NULL: no memory, and it is as it was.
 */
void *grow_by_place(void *pointers, uint32_t *cap, uint32_t place);

/* How often is often; for tests PYNYTPROF_HOT says it, so that short programs have hot code. */
uint32_t often_is(uint32_t usual);

#endif
