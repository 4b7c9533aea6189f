/*
 * A session from its first moment to its last. Once its tracer runs, nothing here calls Python
 * code: that would be in the profile, and a signal handler of the program could run in it.
 */
#include "session.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../trace/calibrate.h"
#include "../trace/exits.h"
#include "../trace/lane.h"
#include "children.h"
#include "control_page.h"
#include "create.h"
#include "merge.h"
#include "messages.h"
#include "os_sets.h"
#include "parts.h"
#include "process.h"
#include "told.h"
#include "unfollowed.h"
#include "write.h"

enum { STALE_SECONDS = 60 };

static session *active;         /* owned */

session *session_active(void)
{
    return active;
}

/*
 * Switching is done in one go. All that may run code of the program (handlers of its signals,
 * other threads) comes before it, in prepare(): so the interpreter's lock is all the lock that is
 * needed, and nobody meets a session that is half on. The collector waits, whose finalizers may
 * be the program's; an audit hook in Python can come in between, and is refused.
 */
static bool switching, collects;

static session *let_loose;      /* owned: was active when the switching began */

/* False with an exception: it is under way. */
static bool switch_begin(void)
{
    if (switching) {
        PyErr_SetString(PyExc_RuntimeError,
                        "profiling is being switched on or off at this very moment");
        return false;
    }
    switching = true;
    collects = PyGC_Disable();
    let_loose = active;
    Py_XINCREF((PyObject *)let_loose);
    return true;
}

static int switch_end(int rc)
{
    session *old = let_loose;
    switching = false;
    let_loose = NULL;
    if (collects)
        PyGC_Enable();
    Py_XDECREF((PyObject *)old);        /* perhaps its last reference, and then callbacks */
    return rc;
}

static void set_active(session *s)
{
    session *old = active;
    Py_XINCREF((PyObject *)s);
    active = s;
    Py_XDECREF((PyObject *)old);
}

/* ---- The process ends, or may ---- */

static bool minds(const session *s, const char *how)
{
    if (strcmp(how, "signal") == 0)
        return true;
    return settings_flag(&s->settings, strcmp(how, "exit") == 0 ? "libcexit" : "posix_exit");
}

/* Completes the profile, with which it may go on. */
static void on_end(const char *how)
{
    session *s = active;
    if (!s || switching || getpid() != s->pid || !minds(s, how))
        return;
    if (!s->out.can_rename) {
        session_finish(s);
        return;
    }
    if (s->started)
        session_write(s, NULL, true);
    if (strcmp(how, "_exit") == 0 || strcmp(how, "exit") == 0)
        session_merge(s);
    if (strcmp(how, "exec") != 0)
        told_tell();
}

/* It has not ended: the file is no whole profile any more. */
static void on_going_on(void)
{
    if (active && active->started)
        lanes_hurry(active->t, 0);
}

static const ends_listener listener = {on_end, on_going_on};

static void stop_listening(void)
{
    os_sets_discard();
    ends_unlisten();
}

static void listen_to_ends(const session *s)
{
    int signums[NSIG];
    size_t n = 0;
    const char *p = settings_text(&s->settings, "sigexit", "");
    while (*p && n < NSIG) {
        char *end;
        long signum = strtol(p, &end, 10);
        if (end == p)
            break;
        signums[n++] = (int)signum;
        p = *end ? end + 1 : end;
    }
    stop_listening();
    os_sets_note();
    ends_listen(&listener, signums, n);
    os_sets_add();
}

static PyObject *to_merge;      /* list of sessions that have ended, but whose run has not */

static PyObject *at_exit(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    if (active && session_finish(active) < 0)
        return NULL;
    for (Py_ssize_t i = 0; to_merge && i < PyList_GET_SIZE(to_merge); i++)
        session_merge((session *)PyList_GET_ITEM(to_merge, i));
    Py_CLEAR(to_merge);
    told_tell();
    Py_RETURN_NONE;
}

static PyMethodDef at_exit_method = {"finish", at_exit, METH_NOARGS,
                                     "pynytprof's: completes the profile."};

/* ---- Forks ---- */

static void drop(session *s);

/* A fork of subprocess's own: its child runs preexec_fn and then another program. */
static bool only_execs(void)
{
    PyFrameObject *frame = PyEval_GetFrame();
    PyCodeObject *code = frame ? PyFrame_GetCode(frame) : NULL;
    bool is = code && PyUnicode_CompareWithASCIIString(code->co_name, "_execute_child") == 0;
    PyObject *globals = is ? PyEval_GetGlobals() : NULL;
    PyObject *name = globals ? dict_get(globals, "__name__") : NULL;
    Py_XDECREF((PyObject *)code);
    return name && PyUnicode_Check(name) &&
           PyUnicode_CompareWithASCIIString(name, "subprocess") == 0;
}

/* In a forked child: starts anew with what is open now. */
static void go_on_in_child(session *s)
{
    if (only_execs() || s->forks_left == 0) {
        drop(s);
        return;
    }
    session_become_child(s);
    if (tracer_forget_figures(s->t) < 0) {
        PyErr_Clear();
        drop(s);
        return;
    }
    listen_to_ends(s);
    control_page_open(s->out.path, ends_wake_signal());
    s->started = !s->paused;
    if (s->paused)
        return;
    session_arrange_snapshots(s);
    if (s->out.can_rename)
        session_write(s, SNAPSHOT_NOTE, false);
}

static PyObject *after_fork(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    Py_CLEAR(to_merge);
    switching = false;
    control_page_become_child(ends_wake_signal());
    calibration_abandon();      /* who was at it is not in this process */
    if (active)
        go_on_in_child(active);
    Py_RETURN_NONE;
}

static PyMethodDef after_fork_method = {"after_fork", after_fork, METH_NOARGS,
                                        "pynytprof's: a child has a profile of its own."};

/* ---- Start, pause, stop ---- */

static bool merges(const session *s)
{
    return strcmp(settings_text(&s->settings, "merge", "0"), "0") != 0;
}

/* What is missing at the end is only known at the end of the process. */
static int will_merge(session *s)
{
    if (!merges(s) || s->inherited)
        return 0;
    if (!to_merge)
        to_merge = PyList_New(0);
    if (!to_merge)
        return -1;
    int known = PySequence_Contains(to_merge, (PyObject *)s);
    return known ? (known < 0 ? -1 : 0) : PyList_Append(to_merge, (PyObject *)s);
}

int session_watch_process(void)
{
    return process_watch(&at_exit_method, &after_fork_method);
}

int session_arrange_end(session *s)
{
    return session_watch_process() < 0 ? -1 : will_merge(s);
}

/* Once a process and name: a folder may be large. */
static void clear_temporaries(const session *s)
{
    static char *cleared;
    if (s->inherited || !s->out.can_rename || (cleared && strcmp(cleared, s->out.path) == 0))
        return;
    free(cleared);
    cleared = strdup(s->out.path);
    int folder = output_folder(&s->out);
    if (folder >= 0)
        temporaries_clear(folder, s->out.name, STALE_SECONDS);
    output_folder_done(&s->out, folder);
}

static char *occupied_by;       /* the file of a session in Python. Owned */

int session_occupy(const char *path)
{
    free(occupied_by);
    occupied_by = path ? strdup(path) : NULL;
    if (path && !occupied_by)
        PyErr_NoMemory();
    return path && !occupied_by ? -1 : 0;
}

/* Whether another one may not begin now; then with an exception. One that is paused, or that
 * nobody in this process has asked for, makes place. */
static bool is_taken(const session *s)
{
    bool other = active && active != s && !active->paused && !active->inherited;
    if (other || occupied_by)
        PyErr_Format(PyExc_RuntimeError,
                     "a profile is being written to %s already; "
                     "one session can run in a process at a time",
                     occupied_by ? occupied_by : active->out.shown);
    return other || occupied_by;
}

/* It will be said how many children are not followed. */
static bool counts_children(const session *s)
{
    return told_is_of(s) && !settings_flag(&s->settings, "children");
}

static void let_go(const session *s)
{
    stop_listening();
    unfollowed_unwatch();
    if (settings_flag(&s->settings, "children"))
        children_leave();
}

/* This process leaves the file to another one. The program may have no reference left. */
static void drop(session *s)
{
    Py_INCREF((PyObject *)s);
    s->dropped = true;
    if (active == s) {
        tracer_pause(s->t);
        let_go(s);
        set_active(NULL);
    }
    if (tracer_forget_figures(s->t) < 0)
        PyErr_Clear();
    Py_DECREF((PyObject *)s);
}

static void stop(session *s);

/* What is there, and may make place, is completed. -1 with an exception. */
static int make_place(session *s)
{
    if (!active || active == s)
        return 0;
    if (!switch_begin())
        return -1;
    stop(active);
    return switch_end(0);
}

int session_prepare(session *s)
{
    if (active == s)
        return 0;
    if (is_taken(s) || session_arrange_end(s) < 0 || ends_prepare() < 0 || is_taken(s))
        return -1;
    if (counts_children(s))
        unfollowed_find();
    control_page_open(s->out.path, ends_wake_signal());
    return make_place(s) < 0 ? -1 : tracer_calibrate(s->t);
}

/* Begins the first time, with a valid file on disk before the program goes on. */
static int begin(session *s, bool open_frames)
{
    if (is_taken(s))
        return -1;
    if (active)
        stop(active);
    clear_temporaries(s);
    set_active(s);
    s->paused = false;
    listen_to_ends(s);
    if (counts_children(s))
        unfollowed_watch();
    if (settings_flag(&s->settings, "children") && s->out.can_rename)
        children_take_along(s);
    session_recall_sources(s);
    if (tracer_begin(s->t, open_frames) < 0) {
        let_go(s);
        set_active(NULL);
        return -1;
    }
    s->started = true;
    session_arrange_snapshots(s);
    if (s->out.can_rename)
        session_write(s, SNAPSHOT_NOTE, false);
    return 0;
}

static int start(session *s, bool open_frames)
{
    if (getpid() != s->pid) {
        session_become_child(s);
        if (tracer_forget_figures(s->t) < 0)
            return -1;
    }
    if (s->dropped || (active == s && !s->paused))
        return 0;
    if (active != s)
        return begin(s, open_frames);
    if (tracer_begin(s->t, open_frames) < 0)
        return -1;
    if (!s->started)            /* in a child that was forked during the pause */
        session_arrange_snapshots(s);
    s->paused = false;
    s->started = true;
    return 0;
}

int session_use(session *s, bool open_frames)
{
    if (session_prepare(s) < 0 || !switch_begin())
        return -1;
    int rc = s->uses && active == s && !s->paused ? 0 : start(s, open_frames);
    s->uses += rc == 0;
    return switch_end(rc);
}

static void rest(session *s)
{
    if (active != s || s->paused)
        return;
    tracer_pause(s->t);
    s->paused = true;
}

int session_hold(session *s)
{
    if (!switch_begin())
        return -1;
    rest(s);
    return switch_end(0);
}

int session_go_on(session *s)
{
    int uses = s->uses, rc = session_use(s, true);
    if (rc == 0 && uses)
        s->uses = uses;
    return rc;
}

int session_flush(session *s)
{
    return active == s && s->started ? session_write(s, SNAPSHOT_NOTE, false) : 0;
}

/* Once: what the profile lacks is in it as a comment, too. */
static void tell_of_losses(session *s)
{
    trace_facts facts;
    trace_facts_of(s->t, &facts);
    if (facts.failures > s->told_failures)
        messages_say("out of memory: %llu events are missing in %s",
                     (unsigned long long)facts.failures, s->out.shown);
    s->told_failures = facts.failures;
}

static void stop(session *s)
{
    if (active != s)
        return;
    if (getpid() != s->pid) {       /* forked behind Python's back */
        drop(s);
        return;
    }
    tracer_pause(s->t);
    if (s->started)
        session_write(s, NULL, true);
    tell_of_losses(s);
    let_go(s);
    s->paused = false;
    set_active(NULL);
}

int session_release(session *s, bool only_pause)
{
    if (!switch_begin())
        return -1;
    s->uses -= s->uses > 0;
    if (s->uses == 0 && only_pause)
        rest(s);
    else if (s->uses == 0)
        stop(s);
    return switch_end(0);
}

int session_finish(session *s)
{
    if (!switch_begin())
        return -1;
    s->uses = 0;
    stop(s);
    return switch_end(0);
}
