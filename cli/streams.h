/* C's streams as those of the library; `ctx` is a FILE. */
#ifndef STREAMS_H
#define STREAMS_H

#include <stdbool.h>

#include "nytprof.h"

int read_stream(void *ctx, void *data, size_t size, size_t *got);
int write_stream(void *ctx, const void *data, size_t len);

/* Does this path stand for standard input? */
bool is_stdin(const char *path);

#endif
