/*
 * The profile on disk while the program runs: a whole file under a temporary name
 * beside the last one, then renamed over it. Taken at an event, in C alone, so that
 * no signal handler of the program can run within it.
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
