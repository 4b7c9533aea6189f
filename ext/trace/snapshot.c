/*
 * The profile on disk while the program runs: a whole file under a temporary name
 * beside the last one, then renamed over it. Taken at an event, in C alone, so that
 * no signal handler of the program can run within it.
 */
#include "snapshot.h"

#include <errno.h>
#include <limits.h>
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

/* Beside `path`; where its name leaves no room for an ending, another one. */
static char *temporary_name(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    char ending[32];
    int len = snprintf(ending, sizeof ending, ".%ld.tmp", (long)getpid());
    bool fits = strlen(name) + (size_t)len <= NAME_MAX;
    size_t room = strlen(path) + sizeof ending + sizeof ".nytprof";
    char *temporary = malloc(room);
    if (temporary && fits)
        snprintf(temporary, room, "%s%s", path, ending);
    else if (temporary)
        snprintf(temporary, room, "%.*s.nytprof%s", (int)(name - path), path, ending);
    return temporary;
}

/*
 * Signals that a write can bring upon the one who writes. Python ignores them, but the
 * program may not: meanwhile they wait, and what has come of our writing is taken away.
 */
typedef struct {
    sigset_t masked, before, pending;
} quiet;

static void quiet_begin(quiet *q)
{
    sigemptyset(&q->masked);
    sigaddset(&q->masked, SIGXFSZ);
    sigaddset(&q->masked, SIGPIPE);
    sigpending(&q->pending);
    pthread_sigmask(SIG_BLOCK, &q->masked, &q->before);
}

static void quiet_end(const quiet *q)
{
    static const int signums[] = {SIGXFSZ, SIGPIPE};
    for (size_t i = 0; i < sizeof signums / sizeof *signums; i++) {
        const struct timespec at_once = {0};
        sigset_t now, one;
        sigemptyset(&one);
        sigaddset(&one, signums[i]);
        if (sigpending(&now) == 0 && sigismember(&now, signums[i]) == 1 &&
            sigismember(&q->pending, signums[i]) != 1)
            sigtimedwait(&one, NULL, &at_once);
    }
    pthread_sigmask(SIG_SETMASK, &q->before, NULL);
}

static int write_chunks(snapshots *s, const char *path, int level, const void *header, size_t len)
{
    nyt_chunks *out = NULL;
    nyt_error err = {0};
    if (!s->pieces)
        s->pieces = nyt_pieces_new();       /* NULL: sources are compressed anew */
    int rc = nyt_chunks_open(&out, path, level, s->pieces, &err);
    if (rc == 0) {
        int emitted = s->emit(s->whose, header, len, put_in_file, out);
        rc = nyt_chunks_close(out, &err);
        if (rc == 0 && emitted < 0)
            rc = emitted == -1 ? NYT_ENOMEM : emitted;
    }
    if (rc == NYT_EIO)
        errno = err.sys_errno ? err.sys_errno : EIO;
    return rc;
}

int snapshot_write(snapshots *s, const char *path, int level, const void *header, size_t len)
{
    char *temporary = temporary_name(path);
    if (!temporary)
        return NYT_ENOMEM;
    quiet q;
    quiet_begin(&q);
    int rc = write_chunks(s, temporary, level, header, len);
    if (rc == 0 && rename(temporary, path) != 0)
        rc = NYT_EIO;
    if (rc != 0) {
        int saved = errno;
        unlink(temporary);
        errno = saved;
    }
    quiet_end(&q);
    free(temporary);
    return rc;
}

/* ---- Again and again ---- */

enum { SHARE = 100 };       /* of the time, at most one part goes into snapshots */

void snapshot_set(snapshots *s, const char *path, int level, PyObject *header, double seconds)
{
    free(s->path);
    s->path = seconds > 0 ? strdup(path) : NULL;
    s->level = level;
    s->owner = (long)getpid();
    Py_XSETREF(s->header, Py_NewRef(header));
    s->seconds = seconds;
}

/* The first one is taken at the next event: a file should be there at once. */
uint64_t snapshot_arm(snapshots *s, const trace_clock *clock)
{
    s->interval = (uint64_t)(s->seconds * 1e9 / clock_ns_per_unit(clock));
    return s->path ? 0 : UINT64_MAX;
}

/* After a failure the next one is given more time. */
uint64_t snapshot_take(snapshots *s, const trace_clock *clock, uint64_t now)
{
    enum { PATIENCE = 10 };
    if (!s->path || s->owner != getpid())
        return UINT64_MAX;
    int rc = snapshot_write(s, s->path, s->level, PyBytes_AS_STRING(s->header),
                            (size_t)PyBytes_GET_SIZE(s->header));
    uint64_t ended = clock_shared(clock), cost = (ended - now) * SHARE;
    uint64_t wait = s->interval * (rc == 0 ? 1 : PATIENCE);
    return ended + (cost > wait ? cost : wait);
}

void snapshot_forget(snapshots *s)
{
    nyt_pieces_free(s->pieces);
    s->pieces = NULL;
    free(s->path);
    s->path = NULL;
}

void snapshot_free(snapshots *s)
{
    snapshot_forget(s);
    Py_CLEAR(s->header);
}
