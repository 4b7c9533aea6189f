/*
 * orders.c - orders are carried out in the main thread, where Python runs handlers of signals: so
 * they come between two instructions of the program, as its own call of disable_profile() would.
 */
#include "orders.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "../trace/exits.h"
#include "control_page.h"
#include "messages.h"
#include "nytprof.h"
#include "process.h"

static session *idle;   /* owned: the one to be begun */

void orders_for(session *s)
{
    session *old = idle;
    Py_XINCREF((PyObject *)s);
    idle = s;
    Py_XDECREF((PyObject *)old);
}

static session *ordered(void)
{
    return session_active() ? session_active() : idle;
}

/* ---- One order: 0 and what is the case now, or -1 and why not ---- */

static int failed(char *answer, size_t room)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *text = value ? PyObject_Str(value) : NULL;
    const char *why = text ? PyUnicode_AsUTF8(text) : NULL;
    snprintf(answer, room, "%s", why ? why : "it failed");
    PyErr_Clear();
    Py_XDECREF(text);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
    return -1;
}

static int not_begun(char *answer, size_t room)
{
    snprintf(answer, room, "profiling has not begun, or has ended");
    return -1;
}

static int flush(session *s, char *answer, size_t room)
{
    if (s != session_active() || !s->started)
        return not_begun(answer, room);
    int rc = session_flush(s);
    snprintf(answer, room, rc == 0 ? "written to %s" : "can't write %s", s->out.path);
    return rc == 0 ? 0 : -1;
}

static int hold(session *s, char *answer, size_t room)
{
    if (s != session_active())
        return not_begun(answer, room);
    bool was = s->paused;
    if (session_hold(s) < 0)
        return failed(answer, room);
    snprintf(answer, room, was ? "it was paused already" : "paused");
    return 0;
}

static int go_on(session *s, char *answer, size_t room)
{
    bool was = s == session_active() && !s->paused;
    if (!was && session_go_on(s) < 0)
        return failed(answer, room);
    snprintf(answer, room, was ? "it was running already" : "running");
    return 0;
}

static int finish(session *s, char *answer, size_t room)
{
    if (s != session_active())
        return not_begun(answer, room);
    if (session_finish(s) < 0)
        return failed(answer, room);
    snprintf(answer, room, s->failed ? "can't write %s" : "complete: %s", s->out.path);
    return s->failed ? -1 : 0;
}

static int refuse(session *s, char *answer, size_t room)
{
    (void)s;
    snprintf(answer, room, "it does not know this order");
    return -1;
}

typedef int order_fn(session *s, char *answer, size_t room);

static order_fn *order_named(const char *name)
{
    static const struct {
        const char *name;
        order_fn *obey;
    } known[] = {{"flush", flush}, {"pause", hold}, {"resume", go_on}, {"finish", finish}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].obey;
    return refuse;
}

/* The session may lose its last reference meanwhile. */
static int obey(order_fn *order, char *answer, size_t room)
{
    session *s = ordered();
    if (!s)
        return not_begun(answer, room);
    Py_INCREF((PyObject *)s);
    int rc = order(s, answer, room);
    Py_DECREF((PyObject *)s);
    return rc;
}

/* ---- From the page ---- */

static void look(void)
{
    control_page *page = control_page_here();
    uint32_t asked = page ? page->asked : 0;
    if (!page || asked == page->answered)
        return;
    char name[sizeof page->order], answer[sizeof page->answer - sizeof "error: "];
    snprintf(name, sizeof name, "%.*s", (int)sizeof name - 1, page->order);
    int rc = obey(order_named(name), answer, sizeof answer);
    page = control_page_here();
    if (!page)
        return;
    snprintf(page->answer, sizeof page->answer, "%s: %s", rc == 0 ? "ok" : "error", answer);
    atomic_thread_fence(memory_order_seq_cst);
    page->answered = asked;
}

void orders_begin(void)
{
    ends_on_wake(look);
}

/* ---- From signals ---- */

static PyObject *on_flush(PyObject *self, PyObject *args)
{
    char answer[512];
    (void)self, (void)args;
    obey(flush, answer, sizeof answer);
    Py_RETURN_NONE;
}

static PyObject *on_switch(PyObject *self, PyObject *args)
{
    char answer[512];
    session *s = session_active();
    (void)self, (void)args;
    if (obey(s && !s->paused ? hold : go_on, answer, sizeof answer) < 0)
        messages_say("can't switch profiling: %s", answer);
    Py_RETURN_NONE;
}

static PyMethodDef flush_method = {"flush", on_flush, METH_VARARGS,
                                   "pynytprof's: writes the profile as it is now."};
static PyMethodDef switch_method = {"switch", on_switch, METH_VARARGS,
                                    "pynytprof's: switches profiling off or on."};

static int act_on(int signum, PyMethodDef *method)
{
    struct sigaction now;
    if (signum <= 0 || sigaction(signum, NULL, &now) != 0 || now.sa_handler != SIG_DFL)
        return 0;
    PyObject *handler = PyCFunction_New(method, NULL);
    int rc = handler ? ends_set_handler(signum, handler) : -1;
    Py_XDECREF(handler);
    return rc < 0 ? -1 : 0;
}

int orders_by_signals(const session *s)
{
    if (act_on((int)settings_number(&s->settings, "sigflush", 0), &flush_method) < 0)
        return -1;
    return act_on((int)settings_number(&s->settings, "sigswitch", 0), &switch_method);
}

const char orders_end_doc[] = PyDoc_STR(
    "end_orders()\n--\n\nTake no more orders from outside; the signal for them is free again.");

PyObject *orders_end(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    orders_for(NULL);
    control_page_close();
    if (process_unwatch() < 0)
        return NULL;
    return ends_forget_wake() < 0 ? NULL : Py_NewRef(Py_None);
}
