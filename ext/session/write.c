/* write.c - the profile of a session goes to its file: at the end, and as snapshots before. */
#define _GNU_SOURCE
#include "write.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../trace/lane.h"
#include "header.h"
#include "messages.h"
#include "nytprof.h"
#include "parts.h"

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
            messages_tell("chunk %c%s: %u, %zu bytes", i == CHUNK_KEPT ? 'F' : i,
                          i == CHUNK_KEPT ? " of an earlier run" : "", seen->chunks[i],
                          seen->bytes[i]);
}

static int level_of(const session *s)
{
    return (int)settings_number(&s->settings, "compress", 1);
}

static int fill(void *ctx, nyt_write_fn write, void *file)
{
    filling *f = ctx;
    return profile_write(&f->s->t->snapshot, write, file, level_of(f->s), f->header, f->len,
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

/* One session after another may fail alike, on a full disk: that is said once. */
static bool said_before(const char *why, const char *path)
{
    static char *last;
    char *now = NULL;
    if (asprintf(&now, "%s %s", path, why) < 0)
        return false;
    bool same = last && strcmp(last, now) == 0;
    free(last);
    last = now;
    return same;
}

static void report(session *s, int rc)
{
    const char *why = rc == NYT_EIO ? strerror(errno) : nyt_strerror(rc);
    if (!s->failed && !said_before(why, s->out.shown))
        messages_say("can't write the profile to %s: %s", s->out.shown, why);
    s->failed = true;
}

/*
 * The profile as it is now. Failures are told once; the profiled program must not notice them.
 * What the writing takes is nobody's time. 0, or a negative NYT_E....
 */
int session_write(session *s, const char *note, bool final)
{
    if (s->only_forks || s->writing)
        return 0;
    uint64_t began = clock_read(&s->t->clock);
    s->writing = true;
    int rc = write_now(s, note, final);
    s->writing = false;
    if (rc < 0)
        report(s, rc);
    lane *here = s->t->running ? lane_of_this_thread(s->t) : NULL;
    if (here)
        lane_forgive(&s->t->clock, &s->t->lanes, here, began);
    return rc;
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

/* For the next run of a program, not of what it has started. */
void session_recall_sources(session *s)
{
    if (settings_number(&s->settings, "sourcecache", 1) && !s->inherited)
        snapshot_recall_sources(&s->t->snapshot, &s->t->files.kept, s->application,
                                options_kind_of_run(&s->t->options), level_of(s));
}

void session_arrange_snapshots(session *s)
{
    if (s->out.can_rename && !s->only_forks)
        lanes_hurry(s->t, snapshot_set(&s->t->snapshot, &s->t->clock, snapshot, s,
                                       settings_real(&s->settings, "snapshot", 3)));
}
