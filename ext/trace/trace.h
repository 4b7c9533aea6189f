/*
 * trace.h - the words that all files of the C tracer use. Who uses whom, from the top:
 *
 *     module.c              the type pynytprof._ctrace.Tracer
 *     ../session/           a profile run of a process (session.h tells of its files)
 *     control.c             begin, pause, forget
 *     cost_cache.c          what events cost, kept between runs
 *     calibrate.c           what an event costs
 *     deadline.c            what is due at an event: signals, snapshots
 *     engine_monitoring.c   CPython 3.12+: sys.monitoring    \  CPython's events ->
 *     engine_settrace.c     3.10, 3.11: PyEval_SetTrace      /  enter, leave, line
 *     emit.c                tables -> chunks
 *     exits.c               signals, os._exit and the like: the profile before the end
 *     lane.c                lanes: what runs now; enter, leave, line, settle
 *     code.c                from a code object or C function to what is known of it
 *     tiers.c               hot code: fewer LINE events, the same counts
 *     shares.c              the time of lines that have no events of their own
 *     derivation.c          how the counts of lines follow from those of others
 *     tracer.h              the tracer: a member for each of the following
 *
 *     flow.c                the flow graph of a code object, and where in it lines start
 *     code_info.c           what is true of a code object, found once
 *     engine.h              which of the two engines it is
 *     graph.c               subs' edges and the tree of call paths
 *     lane_time.c           a lane's time, and what of it is our cost
 *     options.c             the arguments of Tracer()
 *     line_costs.c          what a line's events cost, by the instruction it begins with
 *     instructions.c        what its instructions cost, where each is looked at (3.10, 3.11)
 *     speed.c               how fast the machine is, and costs accordingly
 *     witness.c             what events cost in the program that runs
 *     local_events.c        sys.monitoring's events for single code objects
 *     other_tools.c         whether others take CPython's events
 *     snapshot.c            chunks -> a profile, again and again while the program runs
 *     source.c              files: which are traced
 *     source_text.c         the text of a file
 *     piece_cache.c         compressed sources, kept between runs
 *     steps.c               where LINE events come, by the instruction
 *
 *     tier.c                what is kept of hot code
 *     frames.h              the interpreter's own frames
 *     contexts.c            which units of work are open around what runs
 *     blocks.c              which block each line of a text stands in
 *     cache_folder.c        files that outlive a process
 *     clock.c               the clock
 *     evals.c               the text of what exec, eval and compile were given
 *     greenlet.c            stacks that greenlet exchanges
 *     names.c               Python's names -> NYTProf's
 *     wait.c                how long threads have waited for a processor
 *     util.c                memory, tables of numbers, errors
 *
 * All tables are touched with the GIL held only. Times are in clock units
 * (clock.h) until emit.c turns them into ticks.
 */
#ifndef PYNYTPROF_TRACE_H
#define PYNYTPROF_TRACE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <frameobject.h>
#include <stdbool.h>
#include <stdint.h>

#if defined(__GNUC__)
#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define NOINLINE    __attribute__((noinline))   /* off the hot path, and not to be in its way */
#else
#define LIKELY(x)   (x)
#define UNLIKELY(x) (x)
#define NOINLINE
#endif

typedef struct tracer tracer;
typedef struct lane lane;
typedef struct code_info code_info;
typedef struct node node;
typedef struct edge edge;
typedef struct unit_mark unit_mark;

/* What one lane knows of one line. */
typedef struct {
    uint64_t count;
    uint64_t time;      /* exclusive */
    uint64_t calls;     /* inclusive time of the Python calls made on it */
} line_slot;

enum { SUB_PYTHON, SUB_C };

/* A sub's identity is its index in its table; its id in chunks is that plus one. */
typedef struct {
    uint8_t kind;
    uint32_t file;        /* index in the table of files */
    uint32_t first, last; /* lines; 0 and 0 for C */
    char *base;           /* name before duplicates are told apart, UTF-8 */
} sub_info;

/* Takes a chunk; 0 or negative, which ends the emission and is handed back. */
typedef int chunk_fn(void *ctx, char token, const void *payload, size_t len);

/* Where chunks go. */
typedef struct {
    chunk_fn *put;
    /* Instead of a file's F chunk of `len` bytes, whose source is among the pieces; NULL: nothing is
     * made of pieces. */
    int (*put_kept)(void *ctx, uint32_t fid, size_t len);
    void *ctx;
} chunk_sink;

/* Gives each chunk of the profile to a sink; see trace_emit(). */
typedef int emit_fn(tracer *t, const void *header, size_t header_len, const chunk_sink *sink);

#endif
