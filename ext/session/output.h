/*
 * output.h - the file that a profile goes to. It is written under a temporary name in the same
 * folder and renamed, so that there is a whole one at any moment; what is no regular file (a
 * pipe, a device) gets one pass, at the end.
 *
 * A profile holds the program's sources, and may be made in a folder where others can write:
 * files are new (O_EXCL), never reached through links that were put there (but the user's own
 * name for the profile may be one), and readable for the user alone; a file that was there keeps
 * its mode and owner.
 *
 * The folder and the file written last stay open from the start, out of the way of the
 * program's own descriptors: it may change its root, its user or its name, or use up all
 * descriptors, and the profile is still finished.
 */
#ifndef PYNYTPROF_SESSION_OUTPUT_H
#define PYNYTPROF_SESSION_OUTPUT_H

#include <stdbool.h>
#include <sys/types.h>

#include "nytprof.h"

/* An open descriptor, and what tells that it is still the same file: programs close others'. */
typedef struct {
    int fd; /* -1: none */
    dev_t dev;
    ino_t ino;
} held;

typedef struct {
    char *shown;     /* the path as the user gave it */
    char *path;      /* of the file itself, absolute where that can be had */
    char *name;      /* its last part; points into `path` */
    bool can_rename; /* false: there can be no other file in its place */
    int mode;        /* for a new file */
    held folder, last;
} output;

/* Fills `write`'s file; 0, or a negative number that `write` returned or of NYT_E.... */
typedef int (*output_fill)(void *ctx, nyt_write_fn write, void *file);

/* Nothing is created yet. False: out of memory. */
bool output_open(output *o, const char *shown, int mode);

/* `name` in the folder of `of`; links are not followed. False: out of memory. */
bool output_open_beside(output *o, const output *of, const char *name);
void output_close(output *o);

/*
 * Writes the file, whole or not at all. 0; or NYT_EIO with errno set, or another of NYT_E...,
 * and what was there before still is. With `final`, where there can be no new file, the last
 * one of ours is written over.
 */
int output_write(output *o, output_fill fill, void *ctx, bool final);

/* `fd` under a number that the program would not get; -1: there is none, and `fd` is closed. */
int output_out_of_the_way(int fd);

/* A descriptor of the folder, -1: there is none. To be given back with output_folder_done(). */
int output_folder(const output *o);
void output_folder_done(const output *o, int fd);

/* What the names of temporary files begin with: the file's name, or a short one; malloc'ed. */
char *output_temporary_stem(const char *name);

#endif
