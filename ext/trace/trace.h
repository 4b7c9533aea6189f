/*
 * trace.h - the C tracer's tables, shared by its files and by nothing else.
 *
 *     engine_monitoring.c   CPython 3.12+: sys.monitoring    \  CPython's events ->
 *     engine_settrace.c     3.10, 3.11: PyEval_SetTrace      /  enter, leave, line
 *     lane.c          lanes: what runs now; enter, leave, line, settle
 *     graph.c         subs' edges and the tree of call paths
 *     code.c          what is true of a code object, found once
 *     source.c        files: which are traced, their text
 *     blocks.c        which block each line of a text stands in
 *     evals.c         the text of what exec, eval and compile were given
 *     greenlet.c      stacks that greenlet exchanges
 *     names.c         Python's names -> NYTProf's
 *     emit.c          tables -> chunks
 *     snapshot.c      chunks -> a file, in C, while the program runs
 *     exits.c          signals, os._exit and the like: the profile before the end
 *     calibrate.c     what an event costs
 *     module.c              the type pynytprof._ctrace.Tracer
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

#include "clock.h"
#include "private.h"

#define TRACE_MAX_LANES 64      /* past this, ended threads share one lane */

#if defined(__GNUC__)
#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#else
#define LIKELY(x)   (x)
#define UNLIKELY(x) (x)
#endif

typedef struct tracer tracer;
typedef struct lane lane;
typedef struct node node;

/* What one lane knows of one line. */
typedef struct {
    uint64_t count;
    uint64_t time;      /* exclusive */
    uint64_t calls;     /* inclusive time of the Python calls made on it */
} line_slot;

/* A source file, a string eval, or the place where C functions live. */
typedef struct {
    PyObject *filename;     /* owned: co_filename, the key; with parent and line for evals */
    uint32_t  fid;          /* 0: not announced, because nothing of it is traced */
    uint32_t  parent;       /* of an eval: index in tracer.files plus one */
    uint32_t  parent_line;
    uint32_t  flags;
    bool      skip;
    bool      hidden;       /* of our own package */
    bool      folded;       /* it stands for many texts: see source.c */
    uint32_t  names;        /* of subs in a folded one */
    uint32_t  versions;     /* other texts that have had this name, */
    bool      version;      /* of which this is one */
    char     *name;         /* as the profile calls it, UTF-8 */
    char     *source;       /* UTF-8, or NULL */
    size_t    source_len;
    uint32_t  source_lines;
    uint32_t *blocks;       /* by line, blocks_of_text(); NULL: not found yet, or not known */
} source_file;

enum { SUB_PYTHON, SUB_C };

/* A sub's identity is its index in tracer.subs; its id in chunks is that plus one. */
typedef struct {
    uint8_t     kind;
    uint32_t    file;           /* index in tracer.files */
    uint32_t    first, last;    /* lines; 0 and 0 for C */
    char       *base;           /* name before duplicates are told apart, UTF-8 */
} sub_info;

/* What is true of a code object; equal code objects share one. */
typedef struct {
    PyObject   *qualname;       /* owned */
    uint32_t    file;           /* index in tracer.files */
    uint32_t    sub;            /* index in tracer.subs */
    int         first_line;
    bool        skip;
    bool        module;         /* of a module, or of a text given to exec or eval */
    bool        folded;         /* it stands for code objects that are not equal */
    uint32_t    n_lines;        /* distinct lines */
    int        *lines;          /* ascending */
    uint32_t    lines_cap;      /* while they are collected */
    int         low;            /* lines[0] */
    uint32_t    span;           /* direct holds that many, or 0: search */
    uint32_t   *direct;         /* line - low -> index + 1 */
    line_slot **slots;          /* by lane, NULL where the lane never ran it */
    uint32_t    slots_cap;
    uint32_t   *places;         /* by offset in code units: index + 1 of its line, 0: not known */
    uint32_t    places_cap;
    bool        all_placed;     /* 0: it has no line */
} code_info;

/* Calls of one sub from one line of one sub. */
typedef struct {
    uint32_t file, line;        /* file: index in tracer.files */
    uint32_t caller;            /* index in subs plus one; 0: nobody */
    uint32_t callee;
    uint64_t count;
    uint64_t incl;              /* of outermost activations */
    uint64_t excl;
    uint64_t reci;              /* inclusive time of the others */
    uint32_t depth;
} edge;

/* A path of calls. */
struct node {
    uint32_t  index;
    uint32_t  sub;
    node     *parent, *first_child, *next;
    node     *hot_child;        /* the child entered last from here */
    line_slot *hot_slot;        /* from where this was entered last, */
    edge     *hot_edge;         /* and the edge for that */
    uint64_t  excl;
};

/* One frame, or one C function, that is running. */
typedef struct {
    const void *key;        /* identity: code object or frame (engine's choice), C: method */
    code_info  *info;       /* where the lines are: a C function has its caller's */
    line_slot  *slots;      /* of info in this lane */
    line_slot  *slot;       /* the current line; NULL before the first */
    node       *node;
    edge       *edge;       /* NULL with subs=0 */
    uint32_t    sub;
    bool        c;          /* a C function */
    bool        quiet;      /* another trace function does not want its lines */
    uint64_t    entered;    /* lane->elapsed then */
    uint64_t    inner;      /* time in callees since */
} activation;

/* Kinds of events by what they cost. OTHER: a call of what is neither Python nor a sub. */
enum cost_kind {
    COST_NONE, COST_LINE, COST_ENTER, COST_RESUME, COST_LEAVE, COST_UNWIND, COST_C_ENTER,
    COST_C_LEAVE, COST_OTHER, COST_KINDS
};

/* A thread. stack[0] stands for "outside": it is no frame. */
struct lane {
    uint64_t    key;        /* of its present use, 0: free */
    uint32_t    index;
    uint64_t    thread;     /* PyThreadState's id */
    uint32_t    native_id;
    uint64_t    since;      /* the last event */
    uint64_t    deadline;   /* by the lane's clock: when there is slow work to do */
    uint64_t    elapsed;    /* charged to frames: the sum of all intervals less our cost */
    uint64_t    debt;       /* our cost that has not been taken off yet */
    uint64_t    forgiven;   /* cost that was not taken off because too much was owed */
    uint64_t    events[COST_KINDS];
    uint64_t    slow_work;  /* time that went into snapshots and the like */
    activation *top;
    activation *stack, *stack_end;
    uint32_t   *active;     /* per sub: activations on the stack */
    size_t      active_cap;
    uint64_t    began;      /* by the shared clock, unlike the others */
    uint32_t    run;        /* tracer->run when its stack was last made from frames */
    bool        folded;     /* no thread's: it holds those of many that have ended */
    lane       *next_made;  /* in the list of all lanes */
};

struct tracer {
    PyObject_HEAD
    /* options */
    bool      stmts, blocks, subs_on, slowops, savesrc, raw, cpu;
    PyObject *include, *exclude, *exclude_prefixes;     /* tuples of str, owned */
    PyObject *hide_prefix;                              /* str, owned */
    PyObject *sources;                                  /* dict or None, owned */
    size_t    max_nodes;

    bool      running, failed;
    bool      forked;           /* the tables are of the process that forked this one */
    uint32_t  run;              /* counts start() */
    uint64_t  serial;           /* of this tracer in this process */
    trace_clock clock;
    uint64_t  cost[COST_KINDS];
    uint64_t  most_debt;        /* that a lane may owe */
    double    wall_start;
    uint64_t  settled;          /* by the shared clock: when the tables were whole last */

    source_file *files;    size_t n_files, files_cap;
    PyObject    *file_index;        /* dict: (filename, parent, line) or filename -> index */
    PyObject    *eval_places;       /* dict: (file, line) -> number of texts run there */
    uint32_t     n_fids, n_evals;
    size_t       eval_bytes;        /* of their texts */
    uint64_t     folded_evals;      /* that had no room for a file of their own */
    int64_t      c_file;            /* index in files of "(builtins)", -1: none yet */
    code_info  **codes;    size_t n_codes, codes_cap;
    PyObject    *code_index;        /* dict: (file, qualname, line, hash, module) -> index */
    sub_info    *subs;     size_t n_subs, subs_cap;
    struct nyt_map    c_methods;         /* PyMethodDef -> sub + 1 */
    PyObject    *c_names;           /* dict: name -> sub */
    edge       **edges;    size_t n_edges, edges_cap;
    uint32_t    *edge_index;         size_t edge_index_cap;
    struct nyt_map    node_index;
    node       **nodes;    size_t n_nodes, nodes_cap;
    node        *root;
    lane       **lanes;    size_t n_lanes, lanes_cap, fold_at;
    uint64_t     resyncs, folds;

    /* engine_monitoring.c */
    int       tool_id;              /* -1: none held */
    PyObject *disable, *missing;    /* sys.monitoring's, owned */

    /* snapshot.c */
    char     *snapshot_path;
    int       snapshot_level;
    PyObject *snapshot_header;      /* bytes */
    double    snapshot_seconds;
    uint64_t  snapshot_interval, next_snapshot;     /* clock units */
    long      snapshot_owner;       /* the process whose file it is */
    struct nyt_pieces *pieces;      /* sources, compressed once */
};

/* ---- lane.c ---- */

/* Sixteen bytes of the static block that every library may have: no call to find them. */
#if defined(__GNUC__) && defined(__ELF__)
#define TRACE_THREAD_LOCAL _Thread_local __attribute__((tls_model("initial-exec")))
#else
#define TRACE_THREAD_LOCAL _Thread_local
#endif

extern TRACE_THREAD_LOCAL lane *trace_my_lane;
extern TRACE_THREAD_LOCAL uint64_t trace_my_key;

lane *lane_new_for_this_thread(tracer *t);
void  lanes_let_go(tracer *t);
void  lanes_close(tracer *t);
bool  lane_enter(tracer *t, lane *l, const void *key, code_info *info, uint32_t sub,
                 uint64_t now, enum cost_kind kind);
void  lane_leave(tracer *t, lane *l, uint64_t now, enum cost_kind kind);
void  lane_place(lane *l, int line);
void  lane_find_frames(tracer *t, lane *l, bool with_current);
bool  lane_resync(tracer *t, lane *l, const void *key);
bool  lane_unwind_to(tracer *t, lane *l, const void *key, uint64_t now);
void  lane_drop_stack(tracer *t, lane *l, uint64_t now);
void  lanes_settle(tracer *t);
uint64_t lane_clock(const tracer *t, const lane *l, uint64_t now);
void  lanes_hurry(tracer *t, uint64_t deadline);
void  lanes_hurry_now(void);
void  lane_slow_work(tracer *t, lane *l);
void  lane_leave_out(tracer *t, lane *l, uint64_t began);
void  lane_forgive(tracer *t, lane *l, uint64_t began);
line_slot *lane_slots_new(const lane *l, code_info *info);
void  trace_fail(tracer *t);
uint32_t code_place_found(code_info *info, PyCodeObject *code, int offset);
bool  code_stays_on_line(code_info *info, PyCodeObject *code, int from, int to);

/* The lane of the running thread. */
static inline lane *lane_of_this_thread(tracer *t)
{
    lane *l = trace_my_lane;
    if (LIKELY(l && l->key == trace_my_key))
        return l;
    return lane_new_for_this_thread(t);
}

/*
 * The interval up to now belongs to the line at the top of the stack, and so to its
 * sub and call path, less what the event itself has cost. This is the one place
 * where our cost is taken off; a rest that the interval can't bear waits for the next.
 */
static inline uint64_t lane_charge(const tracer *t, lane *l, uint64_t now, enum cost_kind kind)
{
    uint64_t gross = now - l->since;
    uint64_t due = t->cost[kind] + l->debt;
    l->since = now;
    l->events[kind]++;
    if (UNLIKELY((int64_t)gross < 0))       /* a counter that differs between cores */
        gross = 0;
    if (LIKELY(gross >= due)) {
        l->debt = 0;
        l->elapsed += gross - due;
        return gross - due;
    }
    l->debt = due - gross;
    if (UNLIKELY(l->debt > t->most_debt)) {     /* the cost is overrated: it must not eat up */
        l->forgiven += l->debt - t->most_debt;  /* what comes later */
        l->debt = t->most_debt;
    }
    return 0;
}

/* All that has been taken off, or was never charged. */
static inline uint64_t lane_overhead(const tracer *t, const lane *l)
{
    uint64_t sum = l->slow_work;
    for (int kind = 0; kind < COST_KINDS; kind++)
        sum += l->events[kind] * t->cost[kind];
    return sum - l->debt - l->forgiven;
}

/* Index in info->lines; a line that the table lacks (co_positions lie) gets the first. */
static inline uint32_t code_line_index(const code_info *info, int line)
{
    if (LIKELY(info->span)) {
        uint32_t at = (uint32_t)(line - info->low);
        if (LIKELY(at < info->span && info->direct[at]))
            return info->direct[at] - 1;
        return 0;
    }
    uint32_t low = 0, high = info->n_lines;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (info->lines[mid] < line)
            low = mid + 1;
        else
            high = mid;
    }
    return low < info->n_lines && info->lines[low] == line ? low : 0;
}

/*
 * Index of the line of the instruction at `offset`. Finding it means to decode the
 * line table from its beginning, so each is found once.
 */
static inline uint32_t code_place(code_info *info, PyCodeObject *code, int offset)
{
    uint32_t unit = (uint32_t)offset / 2;
    if (LIKELY(unit < info->places_cap && info->places[unit]))
        return info->places[unit] - 1;
    return code_place_found(info, code, offset);
}

/* A line starts in the frame at the top. */
static inline void lane_line_at(tracer *t, lane *l, uint32_t index, uint64_t now)
{
    activation *top = l->top;
    line_slot *next = &top->slots[index];
    uint64_t time = lane_charge(t, l, now, COST_LINE);
    line_slot *left = top->slot ? top->slot : next;     /* entering belongs to the first line */
    left->time += time;
    next->count++;
    top->slot = next;
    if (UNLIKELY(now >= l->deadline))
        lane_slow_work(t, l);
}

static inline void lane_line(tracer *t, lane *l, int line, uint64_t now)
{
    lane_line_at(t, l, code_line_index(l->top->info, line), now);
}

/*
 * The time of an event that was read before something was learned for the first time: as
 * much later as the lane's last event is now said to have been (see lane_leave_out).
 */
static inline uint64_t lane_later(const lane *l, uint64_t now, uint64_t since)
{
    return now + (l->since - since);
}

/* ---- graph.c ---- */

node *graph_child(tracer *t, node *parent, uint32_t sub);
edge *graph_edge(tracer *t, uint32_t file, uint32_t line, uint32_t caller, uint32_t callee);
bool  graph_begin(tracer *t);
void  graph_free(tracer *t);

/* ---- code.c ---- */

code_info *code_info_of(tracer *t, PyCodeObject *code, PyObject *globals);
bool       code_c_function(PyObject *callable, bool bound, PyMethodDef **method);
int64_t    code_c_sub(tracer *t, PyObject *callable, PyMethodDef *method);
bool       code_has_run(const code_info *info);
void       codes_forget(tracer *t);
void       codes_free(tracer *t);

/* ---- evals.c ---- */

PyObject *evals_text_of(PyCodeObject *code);
void      evals_watch(void);
void      evals_unwatch(void);

/* ---- greenlet.c ---- */

void greenlets_look(tracer *t);
void greenlets_forget(void);

/* ---- source.c ---- */

/* A folded file has so many lines, and subs of so many names. */
enum { FOLDED_LINES = 64, FOLDED_NAMES = 64 };

int64_t source_file_of(tracer *t, PyCodeObject *code, PyObject *globals);
int64_t source_file_for_c(tracer *t);
void    source_files_number(tracer *t);
void    source_files_forget(tracer *t);
void    source_files_free(tracer *t);

/* ---- blocks.c ---- */

uint32_t *blocks_of_text(const char *text, size_t len, uint32_t n_lines);
uint32_t  block_of_line(const source_file *f, uint32_t line, uint32_t first, bool module);

/* ---- names.c ---- */

char *name_of_python(PyObject *module, PyObject *qualname, int line, bool class_body);
PyObject *name_of_c(PyObject *callable, PyMethodDef *method);
char **names_settled(tracer *t);
void  names_free(tracer *t, char **names);

/* ---- emit.c ---- */

/* Takes a chunk; 0 or negative, which ends the emission and is handed back. */
typedef int (*chunk_fn)(void *ctx, char token, const void *payload, size_t len);

int trace_emit(tracer *t, const void *header, size_t header_len, chunk_fn put, void *ctx);
PyObject *trace_line_hits(tracer *t);
uint64_t  trace_uncounted_lines(const tracer *t);

/* ---- snapshot.c ---- */

int  snapshot_write(tracer *t, const char *path, int level, const void *header, size_t len);
void snapshot_arm(tracer *t);
void snapshot_if_due(tracer *t, uint64_t now);

/* ---- exits.c ---- */

bool ends_signal_pending(void);
void ends_finish_and_die(void);
PyObject *ends_watch(PyObject *module, PyObject *args);
PyObject *ends_unwatch(PyObject *module, PyObject *unused);
extern const char ends_watch_doc[], ends_unwatch_doc[];

/* ---- calibrate.c ---- */

void trace_calibrate(tracer *t);

/* ---- the engine: engine_monitoring.c or engine_settrace.c ---- */

int  engine_start(tracer *t);       /* -1 with an exception set */
void engine_stop(tracer *t);
const void *engine_key(PyFrameObject *frame, PyCodeObject *code);
extern const char engine_name[];

#endif
