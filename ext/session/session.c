/*
 * A session from its first moment to its last. Once its tracer runs, nothing here calls Python
 * code: that would be in the profile, and a signal handler of the program could run in it.
 */
#define _GNU_SOURCE
#include "session.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../trace/calibrate.h"
#include "../trace/exits.h"
#include "../trace/lane.h"
#include "children.h"
#include "header.h"
#include "merge.h"
#include "messages.h"
#include "nytprof.h"
#include "os_sets.h"
#include "parts.h"
#include "unfollowed.h"

enum { STALE_SECONDS = 60, TREE_NODES = 1000000 };

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

/* ---- Making ---- */

/* A tracer with the settings' options. */
static tracer *new_tracer(const settings *s, PyObject *sources)
{
    static const char *const flags[] = {"stmts", "blocks", "subs", "raw", "savesrc"};
    static const char *const lists[] = {"include", "exclude", "exclude_prefixes"};
    PyObject *options = PyDict_New(), *nothing = PyTuple_New(0);
    bool ok = options && nothing;
    for (size_t i = 0; ok && i < sizeof flags / sizeof *flags; i++)
        ok = PyDict_SetItemString(options, flags[i],
                                  settings_flag(s, flags[i]) ? Py_True : Py_False) == 0;
    for (size_t i = 0; ok && i < sizeof lists / sizeof *lists; i++) {
        PyObject *all = settings_all(s, lists[i]);
        ok = all && PyDict_SetItemString(options, lists[i], all) == 0;
        Py_XDECREF(all);
    }
    PyObject *more = !ok ? NULL
                         : Py_BuildValue("{s:l,s:s,s:l,s:O,s:O,s:O}", "slowops",
                                         settings_number(s, "slowops", 1), "hide_prefix",
                                         settings_text(s, "hide_prefix", ""), "max_tree_nodes",
                                         settings_flag(s, "calls") ? (long)TREE_NODES : 0L,
                                         "sources", sources ? sources : Py_None, "cpu",
                                         strcmp(settings_text(s, "clock", ""), "cpu") == 0
                                             ? Py_True
                                             : Py_False,
                                         "exact_lines",
                                         settings_number(s, "exactlines", 1) ? Py_True : Py_False);
    PyObject *made = more && PyDict_Update(options, more) == 0
                         ? PyObject_Call((PyObject *)tracer_type, nothing, options)
                         : NULL;
    Py_XDECREF(more);
    Py_XDECREF(options);
    Py_XDECREF(nothing);
    return (tracer *)made;
}

/* This process is the first of its run. */
static bool begin_run(session *s)
{
    struct timespec now;
    const char *base = settings_text(&s->settings, "base", s->out.shown);
    output named;
    clock_gettime(CLOCK_REALTIME, &now);
    bool ok = output_open(&named, base, 0600);
    s->origin.base = ok ? strdup(named.path) : NULL;
    s->origin.file = strdup(s->out.path);
    s->origin.pid = s->pid;
    if (asprintf(&s->origin.run, "%ld.%lld", (long)s->pid,
                 (long long)now.tv_sec * 1000000000 + now.tv_nsec) < 0)
        s->origin.run = NULL;
    output_close(&named);
    return s->origin.base && s->origin.file && s->origin.run;
}

/* The run was begun by another process: this one's file is a part. */
static bool join_run(session *s)
{
    const settings *t = &s->settings;
    output named;
    s->inherited = true;
    s->origin.base = strdup(settings_text(t, ORIGIN_PREFIX "base", ""));
    s->origin.file = strdup(settings_text(t, ORIGIN_PREFIX "file", ""));
    s->origin.run = strdup(settings_text(t, ORIGIN_PREFIX "run", ""));
    s->origin.pid = (pid_t)settings_number(t, ORIGIN_PREFIX "pid", 0);
    if (!s->origin.base || !s->origin.file || !s->origin.run)
        return false;
    bool ok = output_open(&named, s->origin.base, s->out.mode);
    int folder = ok ? output_folder(&named) : -1;
    char *name = ok ? part_name(folder, named.name, s->pid, s->origin.run) : NULL;
    ok = name && output_open_beside(&s->out, &named, name);
    output_folder_done(&named, folder);
    output_close(&named);
    free(name);
    return ok;
}

int session_init(session *s, const char *text, PyObject *sources)
{
    s->out.folder.fd = s->out.last.fd = -1;
    if (settings_parse(&s->settings, text) < 0)
        return -1;
    const settings *t = &s->settings;
    int mode = (int)strtol(settings_text(t, "mode", "600"), NULL, 8);
    s->pid = getpid();
    s->basetime = (long)time(NULL);
    s->forks_left = settings_number(t, "forkdepth", -1);
    s->only_forks = settings_flag(t, "only_forks");
    s->application = strdup(settings_text(t, "application", "(interactive)"));
    messages_configure(settings_flag(t, "talk"), settings_text(t, "log", ""));
    bool ok = s->application != NULL;
    if (ok && settings_text(t, ORIGIN_PREFIX "run", NULL)) {
        s->out.mode = mode;
        ok = join_run(s);
    } else if (ok) {
        ok = output_open(&s->out, settings_text(t, "file", "nytprof.out"), mode) && begin_run(s);
    }
    if (!ok) {
        PyErr_NoMemory();
        return -1;
    }
    s->t = new_tracer(t, sources);
    if (s->t)
        messages_tell("tracer: pynytprof._ctrace.Tracer, writer: in C");
    return s->t ? 0 : -1;
}

static void free_origin(session_origin *o)
{
    free(o->base);
    free(o->file);
    free(o->run);
    *o = (session_origin){0};
}

void session_clear(session *s)
{
    output_close(&s->out);
    settings_free(&s->settings);
    free_origin(&s->origin);
    free(s->application);
    s->application = NULL;
    Py_CLEAR(s->t);
}

/* ---- Writing ---- */

/* What went into the file, for who wants the profiler's own talk. */
typedef struct {
    unsigned chunks[128];
    size_t bytes[128];
} tally;

typedef struct {
    session *s;
    char *header;
    size_t len;
    tally seen;
} filling;

static void count_chunk(void *ctx, char token, size_t len)
{
    filling *f = ctx;
    f->seen.chunks[token & 127]++;
    f->seen.bytes[token & 127] += len;
}

static void tell_tally(const session *s, const tally *seen, const char *note)
{
    messages_tell("profile written to %s%s", s->out.path, note ? " (snapshot)" : "");
    for (int i = 0; i < 128 && !note; i++)
        if (seen->chunks[i])
            messages_tell("chunk %c: %u, %zu bytes", i, seen->chunks[i], seen->bytes[i]);
}

static int fill(void *ctx, nyt_write_fn write, void *file)
{
    filling *f = ctx;
    return profile_write(&f->s->t->snapshot, write, file,
                         (int)settings_number(&f->s->settings, "compress", 1), f->header, f->len,
                         count_chunk, f);
}

static int write_now(session *s, const char *note, bool final)
{
    const header_facts facts = {
        .settings = &s->settings,
        .application = s->application,
        .basetime = s->basetime,
        .run = s->inherited ? s->origin.run : NULL,
        .note = note,
    };
    filling f = {.s = s};
    f.header = header_new(s->t, &facts, &f.len);
    int rc = f.header ? output_write(&s->out, fill, &f, final) : NYT_ENOMEM;
    int saved = errno;
    if (rc == 0)
        tell_tally(s, &f.seen, note);
    free(f.header);
    errno = saved;
    return rc;
}

static void report(session *s, int rc)
{
    if (!s->failed)
        messages_say("can't write the profile to %s: %s", s->out.shown,
                     rc == NYT_EIO ? strerror(errno) : nyt_strerror(rc));
    s->failed = true;
}

/*
 * The profile as it is now. Failures are told once; the profiled program must not notice them.
 * What the writing takes is nobody's time.
 */
static void session_write(session *s, const char *note, bool final)
{
    if (s->only_forks || s->writing)
        return;
    uint64_t began = clock_read(&s->t->clock);
    s->writing = true;
    int rc = write_now(s, note, final);
    s->writing = false;
    if (rc < 0)
        report(s, rc);
    lane *here = s->t->running ? lane_of_this_thread(s->t) : NULL;
    if (here)
        lane_forgive(&s->t->clock, &s->t->lanes, here, began);
}

/* At an event, when one is due. */
static int snapshot(void *ctx)
{
    session *s = ctx;
    if (s->writing || s->only_forks || getpid() != s->pid)
        return 0;
    s->writing = true;
    int rc = write_now(s, SNAPSHOT_NOTE, false);
    s->writing = false;
    return rc;
}

/* Sources are kept for the next run of a program, not of what it has started. */
static void arrange_snapshots(session *s)
{
    if (settings_number(&s->settings, "sourcecache", 1) && !s->inherited)
        s->t->snapshot.program = s->application;
    if (s->out.can_rename && !s->only_forks)
        lanes_hurry(s->t, snapshot_set(&s->t->snapshot, &s->t->clock, snapshot, s,
                                       settings_real(&s->settings, "snapshot", 3)));
}

/* ---- The process ends, or may ---- */

static bool minds(const session *s, const char *how)
{
    if (strcmp(how, "signal") == 0)
        return true;
    return settings_flag(&s->settings, strcmp(how, "exit") == 0 ? "libcexit" : "posix_exit");
}

static void tell(void);

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
        tell();
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

static session *told_of;        /* owned */

void session_tell_at_exit(session *s)
{
    Py_XINCREF((PyObject *)s);
    told_of = s;
}

/* A shell takes it as it stands, and so does the program. */
static bool is_plain(const char *path)
{
    return *path != '-' && !path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                              "0123456789/._-+=:,@%")];
}

/* Where the profile is, once it is complete, and what to type next. */
static void tell(void)
{
    if (!told_of || told_of->pid != getpid() || told_of->inherited || told_of->failed)
        return;
    const unsigned n = unfollowed_count();
    if (n)
        messages_say("%u Python%s started that %s not in the profile: see --children", n,
                     n == 1 ? " was" : "s were", n == 1 ? "is" : "are");
    const char *to_type = is_plain(told_of->out.shown) ? "; to read it: nytprof " : "";
    if (told_of->started)
        messages_say("profile written to %s%s%s", told_of->out.shown, to_type,
                     *to_type ? told_of->out.shown : "");
    else
        messages_say("profiling was never switched on, so there is no profile");
}

static PyObject *at_exit(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    if (active && session_finish(active) < 0)
        return NULL;
    for (Py_ssize_t i = 0; to_merge && i < PyList_GET_SIZE(to_merge); i++)
        session_merge((session *)PyList_GET_ITEM(to_merge, i));
    Py_CLEAR(to_merge);
    tell();
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
    PyObject *name = globals ? PyDict_GetItemString(globals, "__name__") : NULL;
    Py_XDECREF((PyObject *)code);
    return name && PyUnicode_Check(name) &&
           PyUnicode_CompareWithASCIIString(name, "subprocess") == 0;
}

/* In a forked process: the session is now its own, with a file of its own. */
static void become_child(session *s)
{
    output own;
    pid_t pid = getpid();
    const char *slash = strrchr(s->origin.base, '/');
    int folder = output_folder(&s->out);
    char *name = part_name(folder, slash ? slash + 1 : s->origin.base, pid, s->origin.run);
    output_folder_done(&s->out, folder);
    s->pid = pid;
    s->basetime = (long)time(NULL);
    s->inherited = true;
    s->only_forks = s->failed = s->writing = false;
    s->forks_left -= s->forks_left > 0;
    if (name && output_open_beside(&own, &s->out, name)) {
        output_close(&s->out);
        s->out = own;
    } else {
        s->failed = s->dropped = true;
    }
    free(name);
}

/* In a forked child: starts anew with what is open now. */
static void go_on_in_child(session *s)
{
    if (only_execs() || s->forks_left == 0) {
        drop(s);
        return;
    }
    become_child(s);
    if (tracer_forget_figures(s->t) < 0) {
        PyErr_Clear();
        drop(s);
        return;
    }
    listen_to_ends(s);
    s->started = !s->paused;
    if (s->paused)
        return;
    arrange_snapshots(s);
    if (s->out.can_rename)
        session_write(s, SNAPSHOT_NOTE, false);
}

static PyObject *after_fork(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    Py_CLEAR(to_merge);
    switching = false;
    calibration_abandon();      /* who was at it is not in this process */
    if (active)
        go_on_in_child(active);
    Py_RETURN_NONE;
}

static PyMethodDef after_fork_method = {"after_fork", after_fork, METH_NOARGS,
                                        "pynytprof's: a child has a profile of its own."};

/* ---- What Python calls: at exit, after a fork ---- */

/* A module for a moment: the program must not find it in sys.modules before it imports it. */
static PyObject *borrow_module(const char *name)
{
    PyObject *modules = PyImport_GetModuleDict();
    bool there = PyDict_GetItemString(modules, name) != NULL;
    PyObject *module = PyImport_ImportModule(name);
    if (module && !there && PyDict_DelItemString(modules, name) < 0)
        PyErr_Clear();
    return module;
}

/* module.name(our function), or with `keyword` module.name(keyword=our function). */
static int hand_in(const char *module, const char *name, const char *keyword, PyMethodDef *ours)
{
    PyObject *from = borrow_module(module);
    PyObject *into = from ? PyObject_GetAttrString(from, name) : NULL;
    PyObject *function = into ? PyCFunction_New(ours, NULL) : NULL;
    PyObject *args = function ? (keyword ? PyTuple_New(0) : PyTuple_Pack(1, function)) : NULL;
    PyObject *named = args && keyword ? Py_BuildValue("{s:O}", keyword, function) : NULL;
    PyObject *result = args && (named || !keyword) ? PyObject_Call(into, args, named) : NULL;
    Py_XDECREF(named);
    Py_XDECREF(args);
    Py_XDECREF(function);
    Py_XDECREF(into);
    Py_XDECREF(from);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

/*
 * Once a process: exit handlers that the program has registered by then come after us, those
 * of later before, and are in the profile.
 */
int session_watch_process(void)
{
    static bool exit_watched, forks_watched;
    if (!exit_watched) {
        exit_watched = true;    /* before, since code of the program may run in it */
        exit_watched = hand_in("atexit", "register", NULL, &at_exit_method) == 0;
    }
    if (exit_watched && !forks_watched) {
        forks_watched = true;
        forks_watched = hand_in("posix", "register_at_fork", "after_in_child",
                                &after_fork_method) == 0;
    }
    return exit_watched && forks_watched ? 0 : -1;
}

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
    return s == told_of && !settings_flag(&s->settings, "children");
}

static void let_go(const session *s)
{
    stop_listening();
    unfollowed_unwatch();
    if (settings_flag(&s->settings, "children"))
        children_leave();
}

/* This process leaves the file to another one. */
static void drop(session *s)
{
    s->dropped = true;
    if (active == s) {
        tracer_pause(s->t);
        let_go(s);
        set_active(NULL);
    }
    if (tracer_forget_figures(s->t) < 0)
        PyErr_Clear();
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
        unfollowed_find(borrow_module);
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
    if (tracer_begin(s->t, open_frames) < 0) {
        let_go(s);
        set_active(NULL);
        return -1;
    }
    s->started = true;
    arrange_snapshots(s);
    if (s->out.can_rename)
        session_write(s, SNAPSHOT_NOTE, false);
    return 0;
}

static int start(session *s, bool open_frames)
{
    if (getpid() != s->pid) {
        become_child(s);
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
        arrange_snapshots(s);
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
