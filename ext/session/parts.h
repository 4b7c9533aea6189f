/*
 * parts.h - the files of a run of several processes. The first process writes FILE, every
 * other one FILE.PID: a part. It has an attribute that names the run, by which those of other
 * runs are told apart. Names are in `folder`, a descriptor.
 */
#ifndef PYNYTPROF_SESSION_PARTS_H
#define PYNYTPROF_SESSION_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define RUN_ATTRIBUTE "run"
#define SNAPSHOT_NOTE "Snapshot: the program was still running"

typedef struct {
    char *name;
    pid_t pid;
    bool snapshot; /* the process did not finish it */
} part;

/*
 * The file of process `pid`, malloc'ed; NULL: out of memory. One that has it already in this
 * run, because numbers come again and a process may become another program, keeps it.
 */
char *part_name(int folder, const char *base, pid_t pid, const char *run);

/* The run's parts, sorted by name; false: out of memory. */
bool parts_find(int folder, const char *base, const char *run, part **parts, size_t *n);
void parts_free(part *parts, size_t n);

/*
 * Removes what processes that have been killed were writing, for the file `name` or its
 * parts, and have not touched for `age` seconds.
 */
void temporaries_clear(int folder, const char *name, long age);

/* Whether the process is there and no zombie. */
bool process_is_running(pid_t pid);

#endif
