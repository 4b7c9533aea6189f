/* create.c - a session and its tracer made from settings, and let go of. */
#define _GNU_SOURCE
#include "create.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "messages.h"
#include "parts.h"

enum { TREE_NODES = 1000000 };

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
                         : Py_BuildValue("{s:l,s:s,s:l,s:O,s:O,s:O,s:O}", "slowops",
                                         settings_number(s, "slowops", 1), "hide_prefix",
                                         settings_text(s, "hide_prefix", ""), "max_tree_nodes",
                                         settings_flag(s, "calls") ? (long)TREE_NODES : 0L,
                                         "sources", sources ? sources : Py_None, "cpu",
                                         strcmp(settings_text(s, "clock", ""), "cpu") == 0
                                             ? Py_True
                                             : Py_False,
                                         "exact_lines",
                                         settings_number(s, "exactlines", 0) ? Py_True : Py_False,
                                         "gc", settings_flag(s, "gc") ? Py_True : Py_False);
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

void session_become_child(session *s)
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
