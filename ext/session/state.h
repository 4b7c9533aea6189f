/* state.h - what a session is: shared by all that serve one. */
#ifndef PYNYTPROF_SESSION_STATE_H
#define PYNYTPROF_SESSION_STATE_H

#include "../trace/control.h"
#include "output.h"
#include "settings.h"

/* The attributes of children's settings that tell of the run begin so. */
#define ORIGIN_PREFIX "origin."

/* How the run began: in process `pid`, which writes `file`; others write BASE.PID. */
typedef struct {
    char *base, *file, *run;    /* paths; the run's name. Owned */
    pid_t pid;
} session_origin;

typedef struct {
    PyObject_HEAD
    settings settings;
    tracer *t; /* owned */
    output out;
    session_origin origin;
    char *application; /* owned */
    pid_t pid;
    long basetime;
    long forks_left; /* generations, -1: no limit */
    int uses;        /* how often it has been switched on */
    bool inherited;  /* another process began the run */
    bool only_forks; /* its own profile is not written, its children's are */
    uint64_t told_failures;
    bool started, paused, failed, writing, dropped;
    PyObject *weak; /* references to it */
} session;

#endif
