/*
 * The profile on disk while the program runs: a whole file under a temporary name
 * beside the last one, then renamed over it. Taken at an event, in C alone, so that
 * no signal handler of the program can run within it. And the signals that end a
 * program: the handler only asks for the next event to do the work.
 */
#include "trace.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nytprof.h"

/* ---- One file ---- */

static int put_in_file(void *ctx, char token, const void *payload, size_t len)
{
    return nyt_chunks_write(ctx, token, payload, len, NULL);
}

static char *temporary_name(const char *path)
{
    size_t room = strlen(path) + 32;
    char *name = malloc(room);
    if (name)
        snprintf(name, room, "%s.%ld.tmp", path, (long)getpid());
    return name;
}

static int write_chunks(tracer *t, const char *path, int level, const void *header, size_t len)
{
    nyt_chunks *out = NULL;
    nyt_error err = {0};
    if (!t->pieces)
        t->pieces = nyt_pieces_new();       /* NULL: sources are compressed anew */
    int rc = nyt_chunks_open(&out, path, level, t->pieces, &err);
    if (rc == 0) {
        int emitted = trace_emit(t, header, len, put_in_file, out);
        rc = nyt_chunks_close(out, &err);
        if (rc == 0 && emitted < 0)
            rc = emitted == -1 ? NYT_ENOMEM : emitted;
    }
    if (rc == NYT_EIO)
        errno = err.sys_errno ? err.sys_errno : EIO;
    return rc;
}

/*
 * Writes the profile as it is now to `path`, whole or not at all. 0; or NYT_EIO with
 * errno set, or another of NYT_E..., and what was there before is still there.
 */
int snapshot_write(tracer *t, const char *path, int level, const void *header, size_t len)
{
    char *temporary = temporary_name(path);
    if (!temporary)
        return NYT_ENOMEM;
    int rc = write_chunks(t, temporary, level, header, len);
    if (rc == 0 && rename(temporary, path) != 0)
        rc = NYT_EIO;
    if (rc != 0) {
        int saved = errno;
        unlink(temporary);
        errno = saved;
    }
    free(temporary);
    return rc;
}

/* ---- Again and again ---- */

enum { SHARE = 100 };       /* of the time, at most one part goes into snapshots */

/* The first one is taken at the next event: a file should be there at once. */
void snapshot_arm(tracer *t)
{
    t->snapshot_interval =
        (uint64_t)(t->snapshot_seconds * 1e9 / clock_ns_per_unit(&t->clock));
    t->next_snapshot = t->snapshot_path ? 0 : UINT64_MAX;
    lanes_hurry(t, t->next_snapshot);
}

/* A snapshot, if it is time. A failure ends them: the last file will tell of it. */
void snapshot_if_due(tracer *t, uint64_t now)
{
    if (now < t->next_snapshot || !t->running)
        return;
    uint64_t next = UINT64_MAX;
    if (t->snapshot_path && t->snapshot_owner == getpid() &&
        snapshot_write(t, t->snapshot_path, t->snapshot_level,
                       PyBytes_AS_STRING(t->snapshot_header),
                       (size_t)PyBytes_GET_SIZE(t->snapshot_header)) == 0) {
        uint64_t ended = clock_shared(&t->clock), cost = (ended - now) * SHARE;
        next = ended + (cost > t->snapshot_interval ? cost : t->snapshot_interval);
    }
    t->next_snapshot = next;
    lanes_hurry(t, next);
}

/* ---- Signals that end the program ---- */

enum { GRACE_SECONDS = 2 };

static volatile sig_atomic_t caught;    /* the signal, 0: none */
static tracer *volatile catcher;
static sigset_t ours;

static void die_of(int signum)
{
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigset_t only;
    sigemptyset(&standard.sa_mask);
    sigaction(signum, &standard, NULL);
    sigemptyset(&only);
    sigaddset(&only, signum);
    pthread_sigmask(SIG_UNBLOCK, &only, NULL);
    raise(signum);
}

/*
 * Async-signal-safe: sets the flag and every lane's deadline. A program that shows
 * no event any more, in a long call, dies after the grace, by the alarm that was armed
 * with the flag; one that gets the signal a second time dies at once. The last snapshot
 * stays then.
 */
static void on_signal(int signum)
{
    if (caught || !catcher) {
        die_of(signum);
        return;
    }
    caught = signum;
    lanes_hurry(catcher, 0);
    struct sigaction end = {.sa_handler = on_signal};
    sigemptyset(&end.sa_mask);
    sigaction(SIGALRM, &end, NULL);
    alarm(GRACE_SECONDS);
}

/*
 * Takes over those signals of the sequence that have their default action. 0, or -1
 * with an exception.
 */
int snapshot_catch_signals(tracer *t, PyObject *signums)
{
    catcher = t;
    sigemptyset(&ours);
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(signums); i++) {
        int signum = (int)PyLong_AsLong(PySequence_Fast_GET_ITEM(signums, i));
        struct sigaction now, handler = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
        if (PyErr_Occurred())
            return -1;
        sigemptyset(&handler.sa_mask);
        if (sigaction(signum, NULL, &now) != 0 ||
            (now.sa_handler == SIG_DFL && sigaction(signum, &handler, NULL) != 0)) {
            PyErr_SetFromErrno(PyExc_OSError);
            return -1;
        }
        if (now.sa_handler == SIG_DFL)
            sigaddset(&ours, signum);
    }
    return 0;
}

/* Gives them back, unless the program has put its own handler there meanwhile. */
void snapshot_release_signals(void)
{
    if (!catcher)
        return;
    for (int signum = 1; signum < NSIG; signum++) {
        struct sigaction now;
        if (sigismember(&ours, signum) == 1 && sigaction(signum, NULL, &now) == 0 &&
            now.sa_handler == on_signal)
            signal(signum, SIG_DFL);
    }
    sigemptyset(&ours);
    catcher = NULL;
}

bool snapshot_signal_pending(void)
{
    return caught != 0;
}

/* At the first event after the signal: the profile is finished, then the signal acts. */
void snapshot_finish_and_die(tracer *t)
{
    PyObject *finish = t->finish;
    t->finish = NULL;
    if (finish) {
        PyObject *result = PyObject_CallNoArgs(finish);
        if (!result)
            PyErr_WriteUnraisable(finish);
        Py_XDECREF(result);
        Py_DECREF(finish);
    }
    die_of(caught);
}
