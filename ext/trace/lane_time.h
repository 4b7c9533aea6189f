/*
 * Lanes and their time: what an event costs, and to whom an interval belongs. This much
 * needs none of the tables.
 */
#ifndef PYNYTPROF_TRACE_LANE_TIME_H
#define PYNYTPROF_TRACE_LANE_TIME_H

#include "clock.h"
#include "trace.h"

/*
 * Kinds of events by what they cost. GLOBAL: at an instruction that looks up a global name. LOOP:
 * at one that takes the next item of what a loop runs over. BIG: at a line, or far from the code's
 * beginning, whose number the interpreter has to make an object of; CALL_BIG: of a call that is no
 * event of its own, for the function tells of itself. STEP: of a single instruction, in the same order. JUMP: back
 * to the same line. OTHER: a call of what is neither Python nor a sub. HOT: a call on a line that
 * has no event of its own (tiers.h).
 */
enum cost_kind {
    COST_NONE,
    COST_LINE,
    COST_LINE_GLOBAL,
    COST_LINE_LOOP,
    COST_LINE_BIG,
    COST_LINE_GLOBAL_BIG,
    COST_LINE_LOOP_BIG,
    COST_STEP,
    COST_STEP_GLOBAL,
    COST_STEP_LOOP,
    COST_STEP_BIG,
    COST_STEP_GLOBAL_BIG,
    COST_STEP_LOOP_BIG,
    COST_JUMP,
    COST_ENTER,
    COST_RESUME,
    COST_RESUME_BIG,
    COST_LEAVE,
    COST_LEAVE_BIG,
    COST_UNWIND,
    COST_C_ENTER,
    COST_C_ENTER_BIG,
    COST_C_LEAVE,
    COST_C_LEAVE_BIG,
    COST_OTHER,
    COST_OTHER_BIG,
    COST_CALL_BIG,
    COST_HOT_ENTER,
    COST_HOT_C_ENTER,
    COST_HOT_C_ENTER_BIG,
    COST_KINDS
};

/* Intervals by their length: column n has those of 2^n to 2^(n+1)-1 units. */
enum { LENGTHS = 64 };

/* As the calibration has them. */
typedef struct {
    uint64_t of[COST_KINDS];
    uint64_t most_debt; /* that a lane may owe which is new */
    uint64_t instruction; /* of a weight of one (instructions.h), in WEIGHT_PARTS of a unit */
} base_costs;

/* In force now. */
typedef struct {
    uint64_t of[COST_KINDS]; /* where all that an event needs is at hand */
    /* The same in the program that runs, by how long the interval is that bears it (own_time.h). */
    uint32_t within[COST_KINDS][LENGTHS];
    uint64_t most_debt;
    uint64_t long_interval; /* one that may hold a wait for a processor; INT64_MAX: none may */
    uint64_t instruction;
    double units_per_ns;
} event_costs;

enum { WEIGHT_PARTS = 256 };

enum { HAS_RAISED = 1u << 30 };

/* One frame, or one C function, that is running. */
typedef struct {
    const void *key; /* identity: code object or frame (engine's choice), C: method */
    code_info *info; /* where the lines are: a C function has its caller's */
    line_slot *slots; /* of info at this place */
    line_slot *slot; /* the current line; NULL before the first */
    node *node;
    edge *edge; /* NULL with subs=0 */
    unit_mark *unit; /* the innermost unit of work that is open in this frame, or NULL */
    uint32_t sub;
    /*
     * Steps: the line of what ran last (index + 1), 0: none, or it began. Tiers: HAS_RAISED and where
     * (offset in code units), unless a line has started since. Before 3.12: the weight of what is left
     * of its line (instructions.h).
     */
    uint32_t at;
    bool c; /* a C function */
    bool begun; /* no line has started since it began: see opening.h */
    bool quiet; /* another trace function does not want its lines */
    uint32_t place; /* the lane, and the units of work that are open: contexts.h */
    uint64_t entered; /* lane->elapsed then */
    uint64_t inner; /* time in callees since */
} activation;

/* A thread. stack[0] stands for "outside": it is no frame. */
struct lane {
    uint64_t key; /* of its present use, 0: free */
    uint32_t place; /* outside all units of work */
    uint64_t thread; /* PyThreadState's id */
    uint32_t native_id;
    uint64_t since; /* the last event */
    uint64_t deadline; /* by the lane's clock: when there is slow work to do */
    uint64_t credit; /* so much of our cost may still be put off: most_debt less what has been */
    uint64_t most_debt;
    uint64_t forgiven; /* cost that was not taken off because too much was owed */
    uint64_t elapsed; /* charged to frames: the sum of all intervals less our cost */
    uint64_t events[COST_KINDS];
    uint64_t taken; /* what these have cost by all that was in force when they came */
    uint64_t weight; /* of the instructions that have been paid for (lane_owe_weight()) */
    uint64_t waited; /* for a processor, and left out of the intervals that were charged */
    uint64_t wait_ns; /* for one, by the kernel's figures, when they were last looked at */
    uint64_t slow_work; /* time that went into snapshots and the like */
    activation *top;
    activation *stack, *stack_end;
    uint32_t *active; /* per sub: activations on the stack */
    size_t active_cap;
    uint64_t began; /* by the shared clock, unlike the others */
    uint32_t run; /* tracer->run when its stack was last made from frames */
    bool folded; /* no thread's: it holds those of many that have ended */
    bool leaving; /* tiers: its running frame is not on the stack any more, */
    bool at_line; /* or has not started the line of which the event tells */
    lane *next_made; /* in the list of all lanes */
};

#define TRACE_MAX_LANES 64 /* past this, ended threads share one lane */

typedef struct {
    lane **list;
    size_t n, cap;
    size_t fold_at; /* so many lanes: those of ended threads become one */
    uint64_t resyncs; /* stacks that had to be made anew */
    uint64_t deadline; /* by the shared clock: when each lane has slow work to do */
    uint64_t look_at; /* by the shared clock: when the machine's speed is looked at next */
    uint64_t settled; /* by the shared clock: when the tables were whole last */
} lane_table;

/* Sixteen bytes of the static block that every library may have: no call to find them. */
#if defined(__GNUC__) && defined(__ELF__)
#define TRACE_THREAD_LOCAL _Thread_local __attribute__((tls_model("initial-exec")))
#else
#define TRACE_THREAD_LOCAL _Thread_local
#endif

/*
 * The thread's lane, and the use of it that was this thread's. Lanes are never
 * given back to the system while the process lives, so that a thread whose lane
 * has gone to another can still look at `key`.
 */
extern TRACE_THREAD_LOCAL lane *trace_my_lane;
extern TRACE_THREAD_LOCAL uint64_t trace_my_key;

/* The running thread's lane, or NULL: it has none yet. */
static inline lane *lane_here(void)
{
    lane *l = trace_my_lane;
    return LIKELY(l && l->key == trace_my_key) ? l : NULL;
}

/*
 * What a lane's wait_ns is when there may have been a wait in time that was nobody's: none is taken
 * off before the figures have been looked at again.
 */
#define WAIT_UNKNOWN UINT64_MAX

/* The figures of the kernel are looked at, so that what comes counts from here. */
void lane_look_at_wait(lane *l);

/* Our cost that has not been taken off yet. */
static inline uint64_t lane_debt(const lane *l)
{
    return l->most_debt - l->credit;
}

/* Of an interval of that many units: its column. */
static inline int interval_length(uint64_t units)
{
    return 63 - __builtin_clzll(units | 1);
}

/* What an event costs that ends such an interval. */
static inline uint64_t cost_within(const event_costs *costs, enum cost_kind kind, uint64_t gross)
{
    return costs->within[kind][interval_length(gross)];
}

/* The rest of lane_charge(), for an interval that is long, or shorter than can be borne. */
uint64_t lane_charge_unusual(const event_costs *costs, lane *l, uint64_t gross,
                             enum cost_kind kind);

/*
 * The interval up to now belongs to the line at the top of the stack, and so to its
 * sub and call path, less what the event itself has cost. This is the one place
 * where our cost is taken off; a rest that the interval can't bear waits for the next. Whether it
 * can is as good as chance where lines do little, so that no jump may depend on it.
 */
static inline uint64_t lane_charge(const event_costs *costs, lane *l, uint64_t now,
                                   enum cost_kind kind)
{
    uint64_t gross = now - l->since;
    uint64_t cost = cost_within(costs, kind, gross);
    uint64_t rest = gross - cost + l->credit; /* less than nothing is very much */
    l->since = now;
    l->events[kind]++;
    l->taken += cost;
    if (UNLIKELY(rest >= costs->long_interval))
        return lane_charge_unusual(costs, l, gross, kind);
    l->credit = rest < l->most_debt ? rest : l->most_debt;
    uint64_t time = rest - l->credit;
    l->elapsed += time;
    return time;
}

/*
 * The time of an event that was read before something was learned for the first time: as
 * much later as the lane's last event is now said to have been (see lane_leave_out).
 */
static inline uint64_t lane_later(const lane *l, uint64_t now, uint64_t since)
{
    return now + (l->since - since);
}

/* The next interval bears the cost of that event, too. */
static inline void lane_owe(const event_costs *costs, lane *l, enum cost_kind kind)
{
    l->credit -= costs->of[kind]; /* may be less than nothing: see lane_charge() */
    l->events[kind]++;
    l->taken += costs->of[kind];
}

/* And that of instructions of that weight. */
static inline void lane_owe_weight(const event_costs *costs, lane *l, uint32_t weight)
{
    uint64_t cost = weight * costs->instruction / WEIGHT_PARTS;
    l->credit -= cost;
    l->taken += cost;
    l->weight += weight;
}

/* How many events have told of lines, or have been looked at for that. */
uint64_t lanes_line_events(const lane_table *lanes);

/* How long all have waited for a processor, as far as that has been left out. */
uint64_t lanes_waited(const lane_table *lanes);

/* All that has been taken off, or was never charged. */
uint64_t lane_overhead(const lane *l);
/* Whether it has events, be it that all their time was our cost. */
bool lane_worked(const lane *l);

/* The time from `began` on was ours or another tool's: nobody's. Others may have run meanwhile. */
void lane_leave_out(const trace_clock *clock, const event_costs *costs, lane *l, uint64_t began);

/* The time from `began` on was ours: nobody else ran, for we held the lock. */
void lane_forgive(const trace_clock *clock, const lane_table *lanes, lane *l, uint64_t began);

/* What the lane's clock shows when that of the running thread shows `now`. */
uint64_t lane_clock(const trace_clock *clock, const lane *l, uint64_t now);

/*
 * A deadline of the shared clock by the lane's: a thread's processor time never runs
 * faster, so that it may only come late. 0 and UINT64_MAX are at once and never.
 */
uint64_t lane_deadline(const trace_clock *clock, const lane *l, uint64_t deadline);

#endif
