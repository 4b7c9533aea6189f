/* Small files of ours that outlive a process, in the user's cache folder. */
#ifndef PYNYTPROF_TRACE_CACHE_FOLDER_H
#define PYNYTPROF_TRACE_CACHE_FOLDER_H

#include <stddef.h>

/*
 * What a file holds, terminated, to be freed; NULL: there is none, it is older than `max_age`
 * seconds, larger than `most`, or somebody else may have written it.
 */
char *cache_read(const char *name, long max_age, size_t most, size_t *len);

/* Puts a file there as a whole, or not at all. */
void cache_write(const char *name, const void *data, size_t len);

/* The file is in use, and counts as new again. */
void cache_used(const char *name);

/* Removes the oldest files whose names begin so until they hold no more than `most` bytes. */
void cache_limit(const char *prefix, size_t most);

#endif
