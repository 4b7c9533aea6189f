/* How long threads have waited for a processor. */
#include "wait.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* For tests: a file in place of the kernel's. The environment is the program's to change, also
 * from C while we read it: so it is asked once, before the program runs. */
static const char *wanted_file(void)
{
    static const char *wanted; /* owned, to the end */
    static bool asked;
    if (!asked) {
        const char *now = getenv("PYNYTPROF_SCHEDSTAT");
        wanted = now && *now ? strdup(now) : NULL;
        asked = true;
    }
    return wanted;
}

static void file_of(uint32_t native_id, char *path, size_t room)
{
    const char *wanted = wanted_file();
    if (wanted)
        snprintf(path, room, "%s", wanted);
    else
        snprintf(path, room, "/proc/self/task/%" PRIu32 "/schedstat", native_id);
}

/* The second of three numbers. Opened anew each time: the program's descriptors stay as they are. */
bool processor_wait(uint32_t native_id, uint64_t *ns)
{
    char path[256], text[96], *end;
    file_of(native_id, path, sizeof path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t len = read(fd, text, sizeof text - 1);
    close(fd);
    if (len <= 0)
        return false;
    text[len] = '\0';
    strtoull(text, &end, 10);
    char *second = end;
    *ns = strtoull(second, &end, 10);
    return end != second;
}
