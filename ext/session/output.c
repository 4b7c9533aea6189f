/* One file, replaced as a whole again and again. */
#define _GNU_SOURCE
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "quiet.h"

/* ---- Descriptors that stay open ---- */

/* So high that the program's own get the numbers that they would get without us. */
static int least_number(void)
{
    enum { HIGH = 500 };
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > 2 * HIGH)
        return HIGH;
    return (int)limit.rlim_cur / 2;
}

int output_out_of_the_way(int fd)
{
    int high = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, least_number());
    if (fd >= 0)
        close(fd);
    return high;
}

/* Takes `fd` over. */
static void hold(held *h, int fd)
{
    struct stat st;
    int high = output_out_of_the_way(fd);
    if (h->fd >= 0)
        close(h->fd);
    *h = (held){.fd = -1};
    if (high >= 0 && fstat(high, &st) == 0)
        *h = (held){.fd = high, .dev = st.st_dev, .ino = st.st_ino};
    else if (high >= 0)
        close(high);
}

static bool is_held(const held *h)
{
    struct stat st;
    return h->fd >= 0 && fstat(h->fd, &st) == 0 && st.st_dev == h->dev && st.st_ino == h->ino;
}

static void let_go(held *h)
{
    if (is_held(h))
        close(h->fd);
    h->fd = -1;
}

/* ---- Where it is ---- */

/* The folder part of a path, with its slash; malloc'ed. */
static char *folder_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? strndup(path, (size_t)(slash - path) + 1) : strdup("./");
}

/* Follows the links that `path` itself is, as far as they lead; malloc'ed. */
static char *without_links(const char *path)
{
    enum { MOST = 40 };
    char *at = strdup(path), target[PATH_MAX];
    for (int i = 0; at && i < MOST; i++) {
        ssize_t len = readlink(at, target, sizeof target - 1);
        if (len <= 0)
            break;
        target[len] = '\0';
        char *folder = folder_part(at), *next = NULL;
        if (folder && asprintf(&next, "%s%s", target[0] == '/' ? "" : folder, target) < 0)
            next = NULL;
        free(folder);
        free(at);
        at = next;
    }
    return at;
}

/* Links in the folder's path are resolved, too, if that can be done. */
static char *real_path(const char *path)
{
    char *at = without_links(path), *folder = at ? folder_part(at) : NULL, *whole = NULL;
    if (folder) {
        const char *slash = strrchr(at, '/'), *name = slash ? slash + 1 : at;
        char *resolved = realpath(folder, NULL);
        const char *base = resolved ? resolved : folder;
        const char *between = base[strlen(base) - 1] == '/' ? "" : "/";
        size_t room = strlen(base) + strlen(name) + sizeof "/";
        whole = malloc(room);
        if (whole)
            snprintf(whole, room, "%s%s%s", base, between, name);
        free(resolved);
    }
    free(folder);
    free(at);
    return whole;
}

static bool is_regular_or_absent(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? S_ISREG(st.st_mode) : errno == ENOENT;
}

/* Whether there can be a file beside it: else an old one is written over, at the end. */
static bool has_room(const char *path)
{
    char *folder = folder_part(path);
    bool room = folder && (access(folder, W_OK) == 0 || access(path, W_OK) != 0);
    free(folder);
    return room;
}

static void set_name(output *o)
{
    char *slash = o->path ? strrchr(o->path, '/') : NULL;
    o->name = slash ? slash + 1 : o->path;
}

static int open_folder(const char *path)
{
    char *folder = folder_part(path);
    int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    free(folder);
    return fd;
}

bool output_open(output *o, const char *shown, int mode)
{
    *o = (output){.shown = strdup(shown), .folder = {.fd = -1}, .last = {.fd = -1}, .mode = mode};
    char *real = real_path(shown);
    o->can_rename = real && is_regular_or_absent(shown) && has_room(real);
    /* The links of /dev/stdout and /dev/fd/N lead to names that can't be opened. */
    o->path = o->can_rename ? real : strdup(shown);
    if (o->path != real)
        free(real);
    set_name(o);
    if (o->can_rename && o->path)
        hold(&o->folder, open_folder(o->path));
    return o->shown && o->path;
}

bool output_open_beside(output *o, const output *of, const char *name)
{
    char *folder = folder_part(of->path);
    *o = (output){.folder = {.fd = -1}, .last = {.fd = -1}, .mode = of->mode, .can_rename = true};
    if (!folder || asprintf(&o->path, "%s%s", folder, name) < 0)
        o->path = NULL;
    o->shown = o->path ? strdup(o->path) : NULL;
    set_name(o);
    free(folder);
    int fd = output_folder(of);
    if (fd >= 0)
        hold(&o->folder, fcntl(fd, F_DUPFD_CLOEXEC, least_number()));
    output_folder_done(of, fd);
    return o->shown && o->path;
}

void output_close(output *o)
{
    let_go(&o->folder);
    let_go(&o->last);
    free(o->shown);
    free(o->path);
    *o = (output){.folder = {.fd = -1}, .last = {.fd = -1}};
}

int output_folder(const output *o)
{
    return is_held(&o->folder) ? o->folder.fd : open_folder(o->path);
}

void output_folder_done(const output *o, int fd)
{
    if (fd >= 0 && fd != o->folder.fd)
        close(fd);
}

/* ---- Writing ---- */

static int put(void *file, const void *data, size_t len)
{
    int fd = *(int *)file;
    const char *p = data;
    while (len > 0) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = EIO;
        if (n <= 0)
            return NYT_EIO;
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

/* Closes; a failure that was kept till then counts. */
static int put_done(int fd, int rc)
{
    int saved = errno, closed = close(fd);
    if (rc != 0)
        errno = saved;
    return rc == 0 && closed != 0 && errno != EINTR ? NYT_EIO : rc;
}

char *output_temporary_stem(const char *name)
{
    enum { LONGEST_ENDING = sizeof ".4194304-999999.tmp" - 1 };
    return strdup(strlen(name) + LONGEST_ENDING <= NAME_MAX ? name : ".nytprof");
}

/* A new file in the folder, under a name that nobody has; -1 with errno. */
static int create_temporary(const output *o, int folder, char **name)
{
    enum { TRIES = 1000 };
    char *stem = output_temporary_stem(o->name);
    int fd = -1;
    *name = NULL;
    errno = ENOMEM;
    for (int n = 1; stem && fd < 0 && n <= TRIES; n++) {
        free(*name);
        if (asprintf(name, "%s.%ld-%d.tmp", stem, (long)getpid(), n) < 0) {
            *name = NULL;
            break;
        }
        fd = openat(folder, *name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, o->mode);
        if (fd < 0 && errno != EEXIST)
            break;
    }
    int saved = errno;
    free(stem);
    errno = saved;
    return fd;
}

/* A file that was there keeps its mode and its owner, as far as we may. */
static void keep_access(const output *o, int folder, int fd)
{
    struct stat old, new;
    if (fstatat(folder, o->name, &old, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(old.st_mode) ||
        fstat(fd, &new) != 0)
        return;
    mode_t mode = old.st_mode & 0777;
    if ((old.st_uid != new.st_uid || old.st_gid != new.st_gid) &&
        fchown(fd, old.st_uid, old.st_gid) != 0 && old.st_gid != new.st_gid &&
        fchown(fd, (uid_t)-1, old.st_gid) != 0)
        mode &= ~(mode_t)070;       /* another group's */
    if (fchmod(fd, mode) != 0)
        return;                     /* it is the user's alone then */
}

/* The file is closed before it is renamed, since a failure may show only then; but one
 * descriptor of it stays open. */
static int finish_temporary(output *o, int folder, const char *temporary, int fd, int rc)
{
    int kept = rc == 0 ? fcntl(fd, F_DUPFD_CLOEXEC, least_number()) : -1;
    rc = put_done(fd, rc);
    if (rc == 0 && renameat(folder, temporary, folder, o->name) != 0)
        rc = NYT_EIO;
    int saved = errno;
    if (rc == 0)
        hold(&o->last, kept);
    else
        unlinkat(folder, temporary, 0);
    if (rc != 0 && kept >= 0)
        close(kept);
    errno = saved;
    return rc;
}

static int write_and_rename(output *o, output_fill fill, void *ctx)
{
    char *temporary = NULL;
    int folder = output_folder(o), rc = NYT_EIO;
    int fd = folder < 0 ? -1 : create_temporary(o, folder, &temporary);
    if (fd >= 0) {
        keep_access(o, folder, fd);
        rc = finish_temporary(o, folder, temporary, fd, fill(ctx, put, &fd));
    }
    int saved = errno;
    output_folder_done(o, folder);
    free(temporary);
    errno = saved;
    return rc;
}

/* Over the last one of ours: for when the program may no longer create files there. */
static int write_in_place(output *o, output_fill fill, void *ctx)
{
    int fd = o->last.fd;
    struct stat st;
    if (!is_held(&o->last) || fstat(fd, &st) != 0 || st.st_nlink == 0 ||
        lseek(fd, 0, SEEK_SET) != 0 || ftruncate(fd, 0) != 0)
        return NYT_EIO;
    return fill(ctx, put, &fd);
}

static int write_once(const output *o, output_fill fill, void *ctx)
{
    int fd = open(o->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, o->mode);
    return fd < 0 ? NYT_EIO : put_done(fd, fill(ctx, put, &fd));
}

static bool no_new_file(int error)
{
    return error == EACCES || error == EPERM || error == EMFILE || error == ENFILE ||
           error == EROFS || error == ENOENT || error == ENOTDIR;
}

int output_write(output *o, output_fill fill, void *ctx, bool final)
{
    quiet q;
    quiet_begin(&q);
    int rc = o->can_rename ? write_and_rename(o, fill, ctx) : write_once(o, fill, ctx);
    int why = errno;
    if (rc == NYT_EIO && final && o->can_rename && no_new_file(why)) {
        rc = write_in_place(o, fill, ctx);
        errno = why;
    }
    quiet_end(&q);
    errno = why;
    return rc;
}
