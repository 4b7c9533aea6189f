/*
 * To compress the sources of a program takes a tenth of the time that it profiles. They seldom
 * change: so what one run has compressed, the next one takes. Which source it is that a piece
 * stands for, libnytprof compares; here is only where they lie.
 */
#include "piece_cache.h"

#include <Python.h>

#include "cache_folder.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "nytprof.h"

enum {
    MOST_OF_PROGRAM = 16 << 20,
    MOST_IN_ALL = 128 << 20,
    WORTH_KEEPING = 16 << 10,
    MAX_AGE = 90 * 24 * 3600
};

enum { NAME_ROOM = 48 };

/*
 * FNV-1a. A piece serves only where its file has the same number again: so each CPython, and each
 * kind of run in which other files are met, has a file of its own.
 */
static void file_name(const char *program, uint32_t kind, int level, char name[NAME_ROOM])
{
    uint64_t sum = 14695981039346656037u;
    for (const char *p = program; *p; p++)
        sum = (sum ^ (unsigned char)*p) * 1099511628211u;
    sum = (sum ^ PY_VERSION_HEX) * 1099511628211u;
    sum = (sum ^ kind) * 1099511628211u;
    snprintf(name, NAME_ROOM, "sources-%016" PRIx64 "-%d", sum, level);
}

char *pieces_recall(struct nyt_pieces *p, const char *program, uint32_t kind, int level)
{
    char name[NAME_ROOM];
    size_t len;
    file_name(program, kind, level, name);
    char *data = cache_read(name, MAX_AGE, MOST_OF_PROGRAM, &len);
    if (data && nyt_pieces_load(p, data, len) == NYT_EFORMAT) {
        free(data);
        return NULL;
    }
    if (data)
        cache_used(name);
    return data;
}

static int put(void *name, const void *data, size_t len)
{
    if (len <= MOST_OF_PROGRAM)
        cache_write(name, data, len);
    return 0;
}

void pieces_keep(struct nyt_pieces *p, const char *program, uint32_t kind, int level)
{
    char name[NAME_ROOM];
    if (nyt_pieces_unsaved(p) < WORTH_KEEPING)
        return;
    file_name(program, kind, level, name);
    nyt_pieces_save(p, put, name);
    cache_limit("sources-", MOST_IN_ALL);
}
