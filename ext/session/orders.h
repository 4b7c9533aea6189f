/* orders.h - orders from outside: what `pynytprof ctl` asks for, and signals of choice. */
#ifndef PYNYTPROF_SESSION_ORDERS_H
#define PYNYTPROF_SESSION_ORDERS_H

#include "session.h"

/* Once, when the module is loaded: the signal that wakes the main thread may bring an order. */
void orders_begin(void);

/* What takes orders while nothing is active; NULL: nothing does. A reference is kept. */
void orders_for(session *s);

/*
 * From now on the signals that the settings sigflush and sigswitch name act, where they have their
 * default action. Handlers of the program may run in it: -1 with their exception.
 */
int orders_by_signals(const session *s);

/* No more orders, and the signals have their default action. */
extern const char orders_end_doc[];
PyObject *orders_end(PyObject *module, PyObject *unused);

#endif
