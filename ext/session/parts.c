/* Names of parts and of temporary files, and what the former say of themselves. */
#define _GNU_SOURCE
#include "parts.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "output.h"

/* A profile's comments and attributes are plain text, and within so many bytes. */
enum { HEAD_BYTES = 1 << 14 };

/* Whether the head of the file has that line. */
static bool has_line(int folder, const char *name, const char *line)
{
    char head[HEAD_BYTES + 1];
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd < 0 ? -1 : read(fd, head, HEAD_BYTES);
    if (fd >= 0)
        close(fd);
    return n > 0 && memmem(head, (size_t)n, line, strlen(line));
}

static bool is_part(int folder, const char *name, const char *run)
{
    char *line = NULL;
    bool is = asprintf(&line, "\n:" RUN_ATTRIBUTE "=%s\n", run) > 0 && has_line(folder, name, line);
    free(line);
    return is;
}

char *part_name(int folder, const char *base, pid_t pid, const char *run)
{
    char *name = NULL;
    if (asprintf(&name, "%s.%ld", base, (long)pid) < 0)
        return NULL;
    for (int n = 2; is_part(folder, name, run); n++) {
        free(name);
        if (asprintf(&name, "%s.%ld.%d", base, (long)pid, n) < 0)
            return NULL;
    }
    return name;
}

/* Steps over ".digits"; false: there is something else. */
static bool skip_number(const char **p, long *number)
{
    if (**p != '.' || !isdigit((unsigned char)(*p)[1]))
        return false;
    char *end;
    *number = strtol(*p + 1, &end, 10);
    *p = end;
    return true;
}

/* BASE.PID or BASE.PID.N */
static bool is_part_name(const char *name, const char *base, pid_t *pid)
{
    size_t len = strlen(base);
    long number, again;
    const char *p = name + len;
    if (strncmp(name, base, len) != 0 || !skip_number(&p, &number))
        return false;
    if (*p)
        skip_number(&p, &again);
    *pid = (pid_t)number;
    return !*p;
}

/* Names of the folder that `wants` wants; NULL at the end. `folder` stays open. */
static DIR *list_folder(int folder)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    if (!list && fd >= 0)
        close(fd);
    return list;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const part *)a)->name, ((const part *)b)->name);
}

static bool add_part(part **parts, size_t *n, const char *name, pid_t pid, bool snapshot)
{
    part *grown = realloc(*parts, (*n + 1) * sizeof *grown);
    char *copy = grown ? strdup(name) : NULL;
    if (grown)
        *parts = grown;
    if (copy)
        grown[(*n)++] = (part){.name = copy, .pid = pid, .snapshot = snapshot};
    return copy != NULL;
}

bool parts_find(int folder, const char *base, const char *run, part **parts, size_t *n)
{
    bool ok = true;
    pid_t pid;
    *parts = NULL;
    *n = 0;
    DIR *list = list_folder(folder);
    for (struct dirent *entry; ok && list && (entry = readdir(list));)
        if (is_part_name(entry->d_name, base, &pid) && is_part(folder, entry->d_name, run))
            ok = add_part(parts, n, entry->d_name, pid,
                          has_line(folder, entry->d_name, "\n#" SNAPSHOT_NOTE));
    if (list)
        closedir(list);
    if (*n)
        qsort(*parts, *n, sizeof **parts, by_name);
    return ok;
}

void parts_free(part *parts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(parts[i].name);
    free(parts);
}

/* ---- Temporary files ---- */

/* STEM, numbers, PID and perhaps -N, .tmp */
static bool is_temporary(const char *name, const char *stem, pid_t *pid)
{
    size_t len = strlen(stem);
    long number = -1;
    const char *p = name + len;
    if (strncmp(name, stem, len) != 0)
        return false;
    while (skip_number(&p, &number))
        *pid = (pid_t)number;
    if (*p == '-')
        for (p++; isdigit((unsigned char)*p); p++)
            ;
    return number >= 0 && strcmp(p, ".tmp") == 0;
}

void temporaries_clear(int folder, const char *name, long age)
{
    struct stat st;
    pid_t pid;
    char *stem = output_temporary_stem(name);
    DIR *list = stem ? list_folder(folder) : NULL;
    for (struct dirent *entry; list && (entry = readdir(list));)
        if (is_temporary(entry->d_name, stem, &pid) &&
            fstatat(folder, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            time(NULL) - st.st_mtime > age && !process_is_running(pid))
            unlinkat(folder, entry->d_name, 0);
    if (list)
        closedir(list);
    free(stem);
}

bool process_is_running(pid_t pid)
{
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    const char *paren = strrchr(text, ')');
    if (paren && paren[1] == ' ')
        return paren[2] != 'Z' && paren[2] != 'X';
    if (kill(pid, 0) != 0 && errno == ESRCH)
        return false;
    return access("/proc/self", F_OK) != 0;     /* there is no /proc to tell */
}
