/*
 * A file that is being written. It has another name beside its own until it is whole, so that an
 * input may be named as the output, and an interrupted command leaves what was there. That name is
 * never one that exists: whoever may write to the folder could have put a link there. What a
 * signal ends leaves nothing behind.
 */
#include "target.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#ifndef _WIN32
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

enum { NAMES_TRIED = 100 };

static bool is_standard(const char *path)
{
    return !path || strcmp(path, "-") == 0;
}

#ifdef _WIN32

static bool open_part(struct target *t)
{
    t->out = fopen(t->path, "wb");
    return t->out != NULL;
}

static bool can_be_replaced(const char *path)
{
    (void)path;
    return false;
}

static void leave_signals(void)
{
}

#else

/* A pipe, a device or a link must stay what it is. */
static bool can_be_replaced(const char *path)
{
    struct stat st;
    return lstat(path, &st) != 0 ? errno == ENOENT : S_ISREG(st.st_mode);
}

/* ---- Signals ---- */

/* The part that is removed if a signal ends the program. One is written at a time. */
static const char *volatile unfinished;

static const int ending[] = {SIGINT, SIGTERM, SIGHUP};
enum { ENDING = sizeof ending / sizeof *ending };
static struct sigaction before[ENDING];

static void on_end(int signum)
{
    const char *part = unfinished;
    if (part)
        unlink(part);
    signal(signum, SIG_DFL);
    raise(signum);
}

/* Those that somebody else handles, or that are ignored, stay so. */
static void heed_signals(void)
{
    struct sigaction end = {.sa_handler = on_end};
    sigemptyset(&end.sa_mask);
    for (int i = 0; i < ENDING; i++) {
        sigaction(ending[i], NULL, &before[i]);
        if (before[i].sa_handler == SIG_DFL)
            sigaction(ending[i], &end, NULL);
    }
}

static void leave_signals(void)
{
    unfinished = NULL;
    for (int i = 0; i < ENDING; i++)
        if (before[i].sa_handler == SIG_DFL)
            sigaction(ending[i], &before[i], NULL);
}

/* ---- Opening and closing ---- */

/* What is there keeps its mode, and its owner where we may give it away. */
static void copy_owner(const char *path, int fd)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return;
    if (fchown(fd, st.st_uid, st.st_gid) != 0)
        errno = 0;
    if (fchmod(fd, st.st_mode & 07777) != 0)
        errno = 0;
}

static bool open_part(struct target *t)
{
    size_t size = strlen(t->path) + 48;
    int fd = -1;
    t->part = malloc(size);
    heed_signals();
    for (int i = 0; t->part && fd < 0 && i < NAMES_TRIED; i++) {
        snprintf(t->part, size, "%s.%ld-%d.part", t->path, (long)getpid(), i);
        fd = open(t->part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (fd < 0 && errno != EEXIST)
            break;
    }
    if (fd < 0) {
        leave_signals();
        free(t->part);
        t->part = NULL;
        return false;
    }
    unfinished = t->part;
    copy_owner(t->path, fd);
    t->out = fdopen(fd, "wb");
    if (!t->out)
        close(fd);
    return t->out != NULL;
}

#endif

bool open_target(struct target *t, FILE *standard)
{
    if (is_standard(t->path))
        t->out = standard;
    else if (can_be_replaced(t->path))
        return open_part(t);
    else
        t->out = fopen(t->path, "wb");
    return t->out != NULL;
}

bool close_target(struct target *t, FILE *standard, bool whole)
{
    bool ok = t->out && fflush(t->out) == 0 && !ferror(t->out);
    if (t->out && t->out != standard)
        ok = fclose(t->out) == 0 && ok;
    bool named = t->part && ok && whole;
    if (named)
        ok = rename(t->part, t->path) == 0;
    int why = errno;
    if (t->part && !(named && ok))
        remove(t->part);
    if (t->part)
        leave_signals();
    free(t->part);
    t->part = NULL;
    t->out = NULL;
    errno = why;
    return ok;
}
