/*
 * $XDG_CACHE_HOME/pynytprof, or ~/.cache/pynytprof: nobody else may have put anything there, or
 * it is not used. A file appears under its name once it is whole, so that readers and other
 * writers never meet half of one.
 */
#define _GNU_SOURCE
#include "cache_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { NAME_ROOM = 96 };

static bool is_ours_alone(int fd, mode_t kind)
{
    struct stat st;
    return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == kind && st.st_uid == geteuid() &&
           !(st.st_mode & (S_IWGRP | S_IWOTH));
}

/* A descriptor of our folder, -1: there is none. */
static int open_folder(bool make)
{
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    char path[4096];
    if (geteuid() != getuid() || (!(xdg && xdg[0] == '/') && !(home && home[0] == '/')))
        return -1;
    int n = xdg && xdg[0] == '/' ? snprintf(path, sizeof path, "%s", xdg)
                                 : snprintf(path, sizeof path, "%s/.cache", home);
    if (n < 0 || (size_t)n + sizeof "/pynytprof" > sizeof path)
        return -1;
    if (make)
        mkdir(path, 0700);
    strcpy(path + n, "/pynytprof");
    if (make)
        mkdir(path, 0700);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && !is_ours_alone(fd, S_IFDIR)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static bool read_all(int fd, char *data, size_t len)
{
    while (len) {
        ssize_t n = read(fd, data, len);
        if (n <= 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

static char *read_file(int fd, long max_age, size_t most, size_t *len)
{
    struct stat st;
    if (!is_ours_alone(fd, S_IFREG) || fstat(fd, &st) != 0 || st.st_size <= 0 ||
        (uint64_t)st.st_size > most || time(NULL) - st.st_mtime >= max_age)
        return NULL;
    char *data = malloc((size_t)st.st_size + 1);
    if (data && !read_all(fd, data, (size_t)st.st_size)) {
        free(data);
        return NULL;
    }
    if (data)
        data[st.st_size] = '\0';
    *len = (size_t)st.st_size;
    return data;
}

char *cache_read(const char *name, long max_age, size_t most, size_t *len)
{
    int folder = open_folder(false);
    if (folder < 0)
        return NULL;
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    close(folder);
    char *data = fd >= 0 ? read_file(fd, max_age, most, len) : NULL;
    if (fd >= 0)
        close(fd);
    return data;
}

static bool write_all(int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t n = write(fd, data, len);
        if (n <= 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

void cache_write(const char *name, const void *data, size_t len)
{
    char temporary[NAME_ROOM];
    int folder = open_folder(true);
    if (folder < 0)
        return;
    snprintf(temporary, sizeof temporary, "%.60s.%ld.tmp", name, (long)getpid());
    int fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && write_all(fd, data, len);
    if (fd >= 0)
        ok = close(fd) == 0 && ok;
    if (fd >= 0 && (!ok || renameat(folder, temporary, folder, name) != 0))
        unlinkat(folder, temporary, 0);
    close(folder);
}

void cache_used(const char *name)
{
    enum { SOON = 3600 };
    struct stat st;
    int folder = open_folder(false);
    if (folder < 0)
        return;
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
        time(NULL) - st.st_mtime > SOON)
        utimensat(folder, name, NULL, AT_SYMLINK_NOFOLLOW);
    close(folder);
}

/* ---- No more than there is room for ---- */

typedef struct {
    uint64_t bytes; /* of all */
    char oldest[NAME_ROOM];
    time_t age;
} survey;

static void look_at(int folder, const char *name, survey *found)
{
    struct stat st;
    if (strlen(name) >= NAME_ROOM || fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(st.st_mode))
        return;
    found->bytes += (uint64_t)st.st_size;
    if (!found->oldest[0] || st.st_mtime < found->age) {
        strcpy(found->oldest, name);
        found->age = st.st_mtime;
    }
}

static survey survey_of(int folder, DIR *list, const char *prefix)
{
    survey found = {0};
    const struct dirent *entry;
    rewinddir(list);
    while ((entry = readdir(list)))
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
            look_at(folder, entry->d_name, &found);
    return found;
}

void cache_limit(const char *prefix, size_t most)
{
    enum { TRIES = 64 };
    int folder = open_folder(false);
    DIR *list = folder >= 0 ? fdopendir(folder) : NULL;
    if (!list) {
        if (folder >= 0)
            close(folder);
        return;
    }
    survey found = survey_of(folder, list, prefix);
    for (int i = 0; i < TRIES && found.bytes > most && found.oldest[0]; i++) {
        if (unlinkat(folder, found.oldest, 0) != 0)
            break;
        found = survey_of(folder, list, prefix);
    }
    closedir(list);
}
