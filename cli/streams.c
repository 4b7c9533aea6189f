/* C's streams as those of the library. */
#include "streams.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int read_stream(void *ctx, void *data, size_t size, size_t *got)
{
    FILE *file = ctx;
    errno = 0;
    *got = fread(data, 1, size, file);
    return *got < size && ferror(file) ? NYT_EIO : 0;
}

int write_stream(void *ctx, const void *data, size_t len)
{
    return fwrite(data, 1, len, ctx) == len ? 0 : NYT_EIO;
}

bool is_stdin(const char *path)
{
    return strcmp(path, "-") == 0;
}
