/* One profile of all processes of a run, at the end of the first. */
#include "merge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "messages.h"
#include "nytprof.h"
#include "parts.h"

typedef struct {
    part *parts;
    size_t n;           /* of `parts` */
    nyt_memory *inputs; /* ours, then the parts that are merged */
    size_t n_inputs;
} collection;

/* The file in memory; false: it can't be had, errno says why. */
static bool load(int folder, const char *name, nyt_memory *in)
{
    struct stat st;
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    void *data = MAP_FAILED;
    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0)
        data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (fd >= 0)
        close(fd);
    if (data == MAP_FAILED)
        return false;
    *in = (nyt_memory){.name = name, .data = data, .len = (size_t)st.st_size};
    return true;
}

static void let_go(collection *c)
{
    for (size_t i = 0; i < c->n_inputs; i++)
        munmap((void *)c->inputs[i].data, c->inputs[i].len);
    free(c->inputs);
    parts_free(c->parts, c->n);
}

/* Takes a part, unless its process is still writing it. */
static void take(collection *c, int folder, const part *p)
{
    if (p->snapshot && process_is_running(p->pid))
        messages_say("process %ld is still running: its profile stays in %s", (long)p->pid,
                     p->name);
    else if (load(folder, p->name, &c->inputs[c->n_inputs]))
        c->n_inputs++;
    else
        messages_say("%s: %s", p->name, strerror(errno));
}

static bool collect(const session *s, int folder, collection *c)
{
    const char *slash = strrchr(s->origin.base, '/');
    *c = (collection){0};
    if (!parts_find(folder, slash ? slash + 1 : s->origin.base, s->origin.run, &c->parts, &c->n))
        return false;
    c->inputs = calloc(c->n + 1, sizeof *c->inputs);
    if (!c->inputs || !load(folder, s->out.name, &c->inputs[0]))
        return false;
    c->n_inputs = 1;
    for (size_t i = 0; i < c->n; i++)
        take(c, folder, &c->parts[i]);
    return true;
}

static bool is_input(const collection *c, const part *p)
{
    for (size_t i = 1; i < c->n_inputs; i++)
        if (c->inputs[i].name == p->name)
            return true;
    return false;
}

/* A process that did not finish its file, and is not there any more. */
static void tell_of_killed(const collection *c, nyt_merged *m)
{
    for (size_t i = 0; i < c->n; i++) {
        char text[160];
        const part *p = &c->parts[i];
        if (!p->snapshot || !is_input(c, p))
            continue;
        snprintf(text, sizeof text,
                 "process %ld was killed: what it did after its last snapshot "
                 "is missing",
                 (long)p->pid);
        messages_say("%s", text);
        nyt_merged_comment(m, text);
    }
}

static void tell_of_loss(void *ctx, const nyt_note *note)
{
    const session *s = ctx;
    if (note->lossy)
        messages_say("%s: %s", note->path ? note->path : s->out.shown, note->text);
}

typedef struct {
    nyt_merged *m;
    int level;
} filling;

static int fill(void *ctx, nyt_write_fn write, void *file)
{
    const filling *f = ctx;
    return nyt_merged_write(f->m, write, file, f->level, NULL);
}

static void remove_parts(const session *s, int folder, const collection *c)
{
    if (strcmp(settings_text(&s->settings, "merge", "0"), "keep") == 0)
        return;
    for (size_t i = 0; i < c->n; i++) {
        if (!is_input(c, &c->parts[i]))
            continue;
        temporaries_clear(folder, c->parts[i].name, 0);
        if (unlinkat(folder, c->parts[i].name, 0) != 0)
            messages_say("%s is in %s, but can't be removed: %s", c->parts[i].name, s->out.shown,
                         strerror(errno));
    }
}

static void merge(session *s, int folder, collection *c)
{
    filling f = {.level = (int)settings_number(&s->settings, "compress", 1)};
    nyt_error err = {0};
    int rc = nyt_merge_memory(&f.m, c->inputs, c->n_inputs, tell_of_loss, s, NULL, &err);
    const char *why = err.message;
    if (rc == 0) {
        tell_of_killed(c, f.m);
        rc = output_write(&s->out, fill, &f, true);
        why = rc == NYT_EIO ? strerror(errno) : nyt_strerror(rc);
    }
    if (rc < 0)
        messages_say("the profiles of %zu processes could not be made one: %s", c->n_inputs, why);
    else if (nyt_merged_complete(f.m))
        remove_parts(s, folder, c);
    nyt_merged_free(f.m);
}

void session_merge(session *s)
{
    if (strcmp(settings_text(&s->settings, "merge", "0"), "0") == 0 || s->inherited || s->failed ||
        getpid() != s->origin.pid || !s->out.can_rename)
        return;
    collection c;
    int folder = output_folder(&s->out);
    if (folder >= 0 && collect(s, folder, &c) && c.n_inputs > 1)
        merge(s, folder, &c);
    if (folder >= 0)
        let_go(&c);
    output_folder_done(&s->out, folder);
}
