/* How a process ends without the interpreter's own exit, and the profile before that. */
#ifndef PYNYTPROF_TRACE_EXITS_H
#define PYNYTPROF_TRACE_EXITS_H

#include "trace.h"

/* Who is told when the process ends. `how`: see ends_watch_doc. */
typedef struct {
    void (*finish)(const char *how);
    void (*go_on)(void);        /* it has not ended after all */
} ends_listener;

/* Once a process, when the module is loaded. */
void ends_find_functions(void);

/*
 * Before ends_listen(): all of it that may run code of the program, its signal handlers. -1
 * with their exception.
 */
int ends_prepare(void);

/* From now on that one, at these signals too where they have their default action. A signal that
 * has come, and for which nothing was done yet, ends the program at once. */
void ends_listen(const ends_listener *listener, const int *signums, size_t n);
void ends_unlisten(void);

/* The signal that wakes the main thread, 0: none; and what else is called there when it comes. */
int ends_wake_signal(void);
void ends_on_wake(void (*function)(void));
/* The wake signal has its default action again. -1 with an exception of a handler that ran. */
int ends_forget_wake(void);

/*
 * Gives a signal a handler of Python's: 1. In another thread than the main one that can't be done:
 * 0. Code of the program may run in it, handlers of its signals: -1 with their exception.
 */
int ends_set_handler(int signum, PyObject *handler);

/* Whether a signal that ends the program waits for ends_finish_and_die(). */
bool ends_signal_pending(void);
/* At the first event after the signal: the profile is finished, then the signal acts. */
void ends_finish_and_die(void);

/* Functions of the module. */
PyObject *ends_watch(PyObject *module, PyObject *args);
PyObject *ends_unwatch(PyObject *module, PyObject *unused);
extern const char ends_watch_doc[], ends_unwatch_doc[];

#endif
