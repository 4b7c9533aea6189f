/*
 * What an event of each kind costs: small programs of an ordinary mix are timed with
 * and without events, and the difference is shared among the events that came.
 *
 * The mix matters. An event costs more than its callback: the interpreter can't
 * specialise the instruction that a line begins with, nor a call that fires CALL, and its
 * branches are mispredicted. So lines of many sorts run, as random numbers tell them; but calls,
 * and what else few lines tell of, in plain loops, in which nothing else is taken for theirs.
 */
#include "calibrate.h"

#include "clock.h"
#include "engine.h"
#include "lane.h"
#include "speed.h"
#include "steps.h"
#include "tiers.h"
#include "tracer.h"

#include <pythread.h>
#include <string.h>
#include <time.h>

#if PY_VERSION_HEX >= 0x030C0000
/*
 * Lines of which each runs now and then, beside some that do next to nothing: in these nothing
 * of an event is hidden by what waits for memory or for a result. And what few events else.
 */
#define LINES_BODY                          \
    "    total = 0\n"                       \
    "    row = [0] * 8\n"                   \
    "    for n in noise(60):\n"             \
    "        for i in FEW:\n"               \
    "            a = i\n"                   \
    "            b = a\n"                   \
    "            c = row\n"                 \
    "            a = b < total\n"           \
    "        b = c[2]\n"                    \
    "        if n & 1:\n"                   \
    "            total = n & 63\n"          \
    "        elif n & 2:\n"                 \
    "            total -= WEIGHTS[n & 3]\n" \
    "        else:\n"                       \
    "            row[n & 7] = total\n"      \
    "        c = a\n"                       \
    "        a = n * 0.5\n"                 \
    "        b = a + 1.5\n"                 \
    "        c = n & 31\n"                  \
    "        if n & 8:\n"                   \
    "            pair = n, total\n"         \
    "        while c > LIMIT:\n"            \
    "            c -= 30\n"
#else
/*
 * Short lines. Where a trace function is set it is told of lines more by how many instructions run
 * than by what has to be guessed; and what is guessed wrong here would be taken off every line.
 */
#define LINES_BODY                 \
    "    total = 0\n"              \
    "    row = [0] * 8\n"          \
    "    for n in noise(200):\n"   \
    "        a = n\n"              \
    "        b = a\n"              \
    "        if n & 1:\n"          \
    "            a = b\n"          \
    "        total = n & 63\n"     \
    "        c = b\n"              \
    "        a = n * 0.5\n"        \
    "        b = a + 1.5\n"        \
    "        if b is None:\n"      \
    "            total = b\n"      \
    "        c = total\n"          \
    "        row[n & 7] = total\n" \
    "        b = c\n"              \
    "        if b < total:\n"      \
    "            b = total\n"      \
    "        pair = n, total\n"
#endif

/* Calls: before 3.12 in longer loops, of few calls each. */
#if PY_VERSION_HEX >= 0x030C0000
#define CALLS_BODY                            \
    "    for n in noise(12):\n"               \
    "        for i in FEW:\n"                 \
    "            best = same(i)\n"            \
    "            task.add(i)\n"               \
    "            task.state = larger(i, n)\n" \
    "            task.finish()\n"
#define C_CALLS_BODY            \
    "    for n in noise(20):\n" \
    "        out.append(n)\n"   \
    "        length(text)\n"    \
    "        text.upper()\n"    \
    "        number('a')\n"     \
    "        weight(n)\n"       \
    "        out.pop()\n"
#else
#define CALLS_BODY                 \
    "    for n in noise(8):\n"     \
    "        for i in MANY:\n"     \
    "            best = same(i)\n" \
    "            task.finish()\n"  \
    "        for i in MANY:\n"     \
    "            best = more(i)\n" \
    "            task.add(i)\n"
#define C_CALLS_BODY              \
    "    for n in noise(4):\n"    \
    "        for i in MANY:\n"    \
    "            out.append(i)\n" \
    "            length(text)\n"  \
    "            number('a')\n"   \
    "        for i in MANY:\n"    \
    "            text.upper()\n"  \
    "            weight(i)\n"     \
    "            out.pop()\n"
#endif

/* Many names: where one stands in its table, and what stands in its way there, is chance. */
#define GLOBALS_BODY             \
    "    found = 0\n"            \
    "    for n in noise(40):\n"  \
    "        if LIMIT:\n"        \
    "            found = n\n"    \
    "        found = TASKS\n"    \
    "        if len is found:\n" \
    "            found = n\n"    \
    "        WEIGHTS[n & 3]\n"   \
    "        found = ROWS\n"     \
    "        found = Node\n"     \
    "        NOISE[n & 15]\n"    \
    "        if FEW is found:\n" \
    "            found = n\n"    \
    "        found = fib\n"      \
    "        found = abs\n"      \
    "        if chain:\n"        \
    "            found = larger\n"

/* Over a tuple, a range, and what is no type that the interpreter knows. */
#define LOOPS_BODY                               \
    "    total = 0\n"                            \
    "    for n in noise(6):\n"                   \
    "        for i in MANY:\n"                   \
    "            total = i\n"                    \
    "        if n & 4:\n"                        \
    "            for i in range(n & 31):\n"      \
    "                total = i\n"                \
    "        else:\n"                            \
    "            for i, j in enumerate(MANY):\n" \
    "                total = j\n"

/* Of many instructions each. */
#define LONG_LINES_BODY                                                                  \
    "    row, task, total, x = [0] * 8, TASKS[0], 0, 0.5\n"                              \
    "    for n in noise(40):\n"                                                          \
    "        a = n; b = a; c = b; total = a + c; a = total & 63; b = a * 3; c = b - n\n" \
    "        x = n * 0.5 + 1.5 - x * 0.25; y = x * 0.5; x = y - x; c = a, b; d = c\n"    \
    "        row[n & 7] = a; b = row[a & 7]; c = b > n; a = b if c else n; d = a is c\n" \
    "        task.n = a; b = task.n; c = task.state; a = LIMIT; d = WEIGHTS[n & 3]; c = b\n"

/* Far below the first line of its code, where it is followed by the instruction. */
/* clang-format off */
#define FAR(name, body) \
    "exec('def " name "():\\n    for n in ():\\n' + '        total = n\\n' * 300 + '''" body "''')\n"

static const char programs[] =
    "NOISE = [1]\n"
    "while len(NOISE) < 2000:\n"
    "    NOISE.append((NOISE[-1] * 1103515245 + 12345) & 0x7fffffff)\n"
    "NOISE = [n >> 12 for n in NOISE]\n"
    "at = [0]\n"
    "def rewind():\n"
    "    at[0] = 0\n"
    "def noise(n):\n"
    "    at[0] += n\n"
    "    return NOISE[at[0] - n:at[0]]\n"
    "LIMIT = 40\n"
    "ROWS = [tuple(range(n)) for n in (5, 0, 9, 7)]\n"
    "WEIGHTS = {0: 3, 1: 5, 2: 7, 3: 11}\n"
    "class Node:\n"
    "    def __init__(self, value, below):\n"
    "        self.value = value\n"
    "        self.below = below\n"
    "    def total(self):\n"
    "        if self.below is None:\n"
    "            return self.value\n"
    "        return self.value + self.below.total()\n"
    "def fib(n):\n"
    "    if n < 2:\n"
    "        return n\n"
    "    return fib(n - 1) + fib(n - 2)\n"
    "FEW = tuple(range(6))\n"
    "MANY = tuple(range(30))\n"
    "def same(n):\n"
    "    return n\n"
    "def more(n):\n"
    "    return n + 1\n"
    "def larger(a, b=0):\n"
    "    return a if a > b else b\n"
    "def chain(n):\n"
    "    return Node(n, Node(n, None)).total()\n"
    "class Task:\n"
    "    def __init__(self, n):\n"
    "        self.n = n\n"
    "        self.state = 0\n"
    "    def add(self, n):\n"
    "        self.n = n\n"
    "        return n\n"
    "    def finish(self):\n"
    "        self.n += 1\n"
    "        return self.n\n"
    "TASKS = [Task(i) for i in range(8)]\n"
    "def lines():\n" LINES_BODY
    "exec('\\n' * 300 + 'def big_lines():\\n' + '''" LINES_BODY "''')\n"
    "def global_lines():\n" GLOBALS_BODY
    "def long_lines():\n" LONG_LINES_BODY
    "def loops():\n" LOOPS_BODY
    FAR("steps", LINES_BODY)
    FAR("global_steps", GLOBALS_BODY)
    FAR("loop_steps", LOOPS_BODY)
    "def jumps():\n"
    "    for n in noise(30):\n"
    "        for i in ROWS[n & 3]: n += i & 7\n"
    "def calls():\n"
    "    task = TASKS[0]\n"
    CALLS_BODY
    /* by local names, that the look-up of others is not taken for a part of the call */
    "def c_calls():\n"
    "    out = []\n"
    "    length, number, weight, text = len, ord, WEIGHTS.get, 'a line of text'\n"
    C_CALLS_BODY
    "def class_calls():\n"
    "    text = 'some'\n"
    "    for n in noise(40):\n"
    "        if n & 1:\n"
    "            text = str(n)\n"
    "        elif n & 2:\n"
    "            text = list(text)\n"
    "        elif type(n) is int:\n"
    "            text = tuple((n, n))\n"
    "def count_up(n):\n"
    "    for i in range(n):\n"
    "        yield i\n"
    "def resumptions():\n"
    "    total = 0\n"
    "    for n in noise(4):\n"
    "        for i in count_up(30):\n"
    "            total = i\n"
    "        for i in count_up(20):\n"
    "            total = i\n"
    "def check(n):\n"
    "    if n & 1:\n"
    "        raise ValueError(n)\n"
    "    return n\n"
    "def unwindings():\n"
    "    total = 0\n"
    "    for n in noise(25):\n"
    "        try:\n"
    "            total += check(n)\n"
    "        except ValueError as error:\n"
    "            total -= 1\n";
/* clang-format on */

/*
 * What is to be found: what an event of each of these costs, by a program for each, which has some
 * of the others as well. BIG: more than another line. Those that end what they begin come in pairs.
 */
enum {
    LINE,
    LINE_GLOBAL,
    LINE_LOOP,
    BIG,
    INSTRUCTION,
    STEP,
    STEP_GLOBAL,
    STEP_LOOP,
    JUMP,
    CALL,
    C_CALL,
    CLASS_CALL,
    RESUMPTION,
    UNWINDING,
    KINDS
};
static const char *const program_names[KINDS] = {
    "lines",   "global_lines", "loops",       "big_lines", "long_lines",
    "steps",   "global_steps", "loop_steps",  "jumps",     "calls",
    "c_calls", "class_calls",  "resumptions", "unwindings"};

/* Of what the cost of an event consists. A pair's stands half at its beginning and half at its end. */
static const double parts[COST_KINDS][KINDS] = {
    [COST_LINE] = {[LINE] = 1},
    [COST_LINE_GLOBAL] = {[LINE_GLOBAL] = 1},
    [COST_LINE_LOOP] = {[LINE_LOOP] = 1},
    [COST_LINE_BIG] = {[LINE] = 1, [BIG] = 1},
    [COST_LINE_GLOBAL_BIG] = {[LINE_GLOBAL] = 1, [BIG] = 1},
    [COST_LINE_LOOP_BIG] = {[LINE_LOOP] = 1, [BIG] = 1},
    [COST_STEP] = {[STEP] = 1},
    [COST_STEP_GLOBAL] = {[STEP_GLOBAL] = 1},
    [COST_STEP_LOOP] = {[STEP_LOOP] = 1},
    [COST_STEP_BIG] = {[STEP] = 1},
    [COST_STEP_GLOBAL_BIG] = {[STEP_GLOBAL] = 1},
    [COST_STEP_LOOP_BIG] = {[STEP_LOOP] = 1},
    [COST_JUMP] = {[JUMP] = 1},
    [COST_ENTER] = {[CALL] = 0.5},
    [COST_RESUME] = {[RESUMPTION] = 1, [CALL] = -0.5},
    [COST_RESUME_BIG] = {[RESUMPTION] = 1, [CALL] = -0.5, [BIG] = 1},
    [COST_LEAVE] = {[CALL] = 0.5},
    [COST_LEAVE_BIG] = {[CALL] = 0.5, [BIG] = 1},
    [COST_UNWIND] = {[UNWINDING] = 1, [CALL] = 0.5},
    [COST_C_ENTER] = {[C_CALL] = 0.5},
    [COST_C_ENTER_BIG] = {[C_CALL] = 0.5, [BIG] = 1},
    [COST_C_LEAVE] = {[C_CALL] = 0.5},
    [COST_C_LEAVE_BIG] = {[C_CALL] = 0.5, [BIG] = 1},
    [COST_OTHER] = {[CLASS_CALL] = 1},
    [COST_OTHER_BIG] = {[CLASS_CALL] = 1, [BIG] = 1},
    [COST_CALL_BIG] = {[BIG] = 1},
};
enum { SETS = 3, TURNS = 5, MOST_TURNS = 10, ROUNDS = 6 };

/* Of each round of each program, in clock units: the shortest of all turns. */
typedef double timings[KINDS][ROUNDS];

/* Not all come with all options and versions of CPython. */
static bool occurs(const tracer *t, int kind)
{
    if (kind == STEP || kind == STEP_GLOBAL || kind == STEP_LOOP)
        return t->options.stmts && steps_may_be_better();
    if (kind == INSTRUCTION)
        return t->options.stmts && PY_VERSION_HEX < 0x030C0000;
    if (kind == LINE_GLOBAL || kind == LINE_LOOP || kind == BIG || kind == JUMP)
        return t->options.stmts && PY_VERSION_HEX >= 0x030C0000;
    return true;
}

/* Calls it; the time in clock units, 0: failed. */
static uint64_t run_once(const tracer *t, PyObject *names, const char *name)
{
    PyObject *program = dict_get(names, name);
    uint64_t began = clock_read(&t->clock);
    PyObject *result = program ? PyObject_CallNoArgs(program) : NULL;
    uint64_t took = clock_read(&t->clock) - began;
    Py_XDECREF(result);
    return result ? took : 0;
}

/* One turn: each program's rounds, which do the same in each turn. */
static bool time_programs(const tracer *t, PyObject *names, timings best)
{
    for (int kind = 0; kind < KINDS; kind++) {
        if (!occurs(t, kind))
            continue;
        /* the first run meets new code */
        if (run_once(t, names, program_names[kind]) == 0 || run_once(t, names, "rewind") == 0)
            return false;
        for (int i = 0; i < ROUNDS; i++) {
            uint64_t took = run_once(t, names, program_names[kind]);
            if (took == 0)
                return false;
            if ((double)took < best[kind][i])
                best[kind][i] = (double)took;
        }
    }
    return true;
}

/* What the events of a lane cost: so many times each kind; and instructions, of that weight. */
static void count_parts(const uint64_t before[COST_KINDS], const uint64_t after[COST_KINDS],
                        uint64_t weight, double found[KINDS])
{
    for (int k = 0; k < KINDS; k++) {
        found[k] = 0;
        for (int event = 0; event < COST_KINDS; event++)
            found[k] += parts[event][k] * (double)(after[event] - before[event]);
    }
    found[INSTRUCTION] = (double)weight;
}

/* All events from here on are timed to their callbacks' ends; until */
static void watch_begin(tracer *probe, lane *l)
{
    own_time_begin(&probe->speed.watch, &probe->clock, l, UINT32_MAX, 0);
}

/* here. */
static void watch_end(tracer *probe, lane *l)
{
    probe->speed.watch.of = NULL;
    l->deadline = UINT64_MAX;
}

/* Whether that program has loops of such events; 3.12 and later have no such choice. */
static bool has_loops_of(int kind, int event)
{
    const double half = 0.5;
    bool at_ends = event == COST_ENTER || event == COST_LEAVE || event == COST_C_ENTER ||
                   event == COST_C_LEAVE;
    return PY_VERSION_HEX >= 0x030C0000 || parts[event][kind] > half ||
           (at_ends && parts[event][kind] > 0);
}

/*
 * How long callbacks took in a program in which they are rare, and so what they need is forgotten,
 * does not count.
 */
static void keep_usual(own_times *now, const own_times *before, int kind)
{
    for (int event = 0; event < COST_KINDS; event++)
        if (!has_loops_of(kind, event)) {
            now->n[event] = before->n[event];
            now->sum[event] = before->sum[event];
        }
}

/* The same of each program, in all its rounds. */
static bool count_programs(tracer *t, PyObject *names, double events[KINDS][KINDS])
{
    lane *l = t->lanes.list[0];
    uint64_t before[COST_KINDS];
    for (int kind = 0; kind < KINDS; kind++) {
        bool ok = run_once(t, names, "rewind") > 0;
        memcpy(before, l->events, sizeof before);
        const uint64_t weight = l->weight;
        const own_times timed = t->speed.watch.found;
        watch_begin(t, l);
        for (int i = 0; ok && occurs(t, kind) && i < ROUNDS; i++)
            ok = run_once(t, names, program_names[kind]) > 0;
        watch_end(t, l);
        if (!ok)
            return false;
        keep_usual(&t->speed.watch.found, &timed, kind);
        count_parts(before, l->events, l->weight - weight, events[kind]);
    }
    return true;
}

/*
 * Solves events * cost = extra by Gauss-Seidel: each program has most events of its own
 * kind. A kind that does not occur costs nothing.
 */
static void share(double events[KINDS][KINDS], const double *extra, double *cost)
{
    memset(cost, 0, KINDS * sizeof *cost);
    for (int round = 0; round < 50; round++)
        for (int kind = 0; kind < KINDS; kind++) {
            double rest = extra[kind];
            for (int k = 0; k < KINDS; k++)
                if (k != kind)
                    rest -= events[kind][k] * cost[k];
            cost[kind] = events[kind][kind] > 0 && rest > 0 ? rest / events[kind][kind] : 0;
        }
}

/* A tracer with t's options that leaves the cost in. */
static tracer *probe_new(const tracer *t, bool exact_lines)
{
    PyObject *nothing = PyTuple_New(0);
    const trace_options *o = &t->options;
    PyObject *options = Py_BuildValue(
        "{s:O,s:O,s:O,s:O,s:O}", "stmts", o->stmts ? Py_True : Py_False, "subs",
        o->subs ? Py_True : Py_False, "slowops", o->slowops ? Py_True : Py_False, "raw", Py_True,
        "exact_lines", exact_lines ? Py_True : Py_False);
    tracer *probe = nothing && options
                        ? (tracer *)PyObject_Call((PyObject *)Py_TYPE(t), nothing, options)
                        : NULL;
    Py_XDECREF(nothing);
    Py_XDECREF(options);
    if (probe) {
        probe->clock = t->clock;
        probe->run = 1;
    }
    return probe;
}

/*
 * Between two of our instructions anything may run: a handler of a signal, other threads. They
 * may start a tracer, which ends the probe; and may calibrate, one after the other.
 */
static tracer *probing;         /* the one that gets events now; borrowed */
static bool measuring;          /* a calibration is under way, */
static unsigned long measurer;  /* in this thread */
static uint64_t abandoned;      /* counts those that were ended before their end */

static bool probe_start(tracer *probe)
{
    lane *l = lane_of_this_thread(probe);
    if (!l || probing)
        return false;
    l->run = probe->run;        /* who calls us is of no interest */
    probe->running = true;
    probing = probe;
    if (engine_start(probe) == 0)
        return true;
    probe->running = false;
    probing = NULL;
    return false;
}

/* False if it is not the one that runs: somebody has ended it. */
static bool probe_stop(tracer *probe)
{
    if (probing != probe)
        return false;
    probing = NULL;
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    engine_stop(probe);
    PyErr_Restore(type, value, traceback);
    probe->running = false;
    lanes_let_go(probe);
    return !probe->failures;
}

void calibration_abandon(void)
{
    if (probing)
        probe_stop(probing);
    if (measuring)
        abandoned++;
    measuring = false;
}

static PyObject *programs_ready(void)
{
    PyObject *names = PyDict_New(), *ran = NULL;
    PyObject *code = Py_CompileString(programs, "<pynytprof calibration>", Py_file_input);
    PyObject *name = PyUnicode_FromString("calibration");
    if (names && code && name && PyDict_SetItemString(names, "__name__", name) == 0 &&
        PyDict_SetItemString(names, "__builtins__", PyEval_GetBuiltins()) == 0)
        ran = PyEval_EvalCode(code, names, names);
    Py_XDECREF(code);
    Py_XDECREF(name);
    if (!ran)
        Py_CLEAR(names);
    Py_XDECREF(ran);
    return names;
}

static uint64_t rounded(double units)
{
    return units > 0 ? (uint64_t)(units + 0.5) : 0;
}

enum { MOST_EVENTS_OWED = 64 };

static double cost_of_event(const double *cost, int event)
{
    double sum = 0;
    for (int k = 0; k < KINDS; k++)
        sum += parts[event][k] * cost[k];
    return sum;
}

static void set_costs(tracer *t, const double *cost)
{
    base_costs *c = &t->speed.measured;
    for (int event = 0; event < COST_KINDS; event++)
        c->of[event] = rounded(cost_of_event(cost, event));
    c->instruction = rounded(cost[INSTRUCTION] * WEIGHT_PARTS);
    c->most_debt = rounded(cost[CALL]) * MOST_EVENTS_OWED;
}

/* The shortest of all turns so far, all at one speed of the machine. */
typedef struct {
    timings with, without;
    uint64_t speed; /* what speed_probe() took at its fastest, */
    uint64_t speeds; /* and the sum over all turns */
    uint64_t counted_at; /* and what it took when the events were counted */
    int turns;
} measurement;

static void nothing_measured(measurement *m)
{
    for (int kind = 0; kind < KINDS; kind++)
        for (int i = 0; i < ROUNDS; i++)
            m->with[kind][i] = m->without[kind][i] = (double)UINT64_MAX;
    m->speed = UINT64_MAX;
    m->turns = 0;
    m->speeds = 0;
}

static void take_shorter(timings best, timings found)
{
    for (int kind = 0; kind < KINDS; kind++)
        for (int i = 0; i < ROUNDS; i++)
            if (found[kind][i] < best[kind][i])
                best[kind][i] = found[kind][i];
}

/*
 * A turn counts if the machine kept its speed throughout, and was not slower than in those that
 * count so far; was it faster, they are forgotten. The last must do, whatever it was.
 */
static void add_turn(measurement *m, measurement *turn, const uint64_t speeds[3], bool last)
{
    uint64_t least = speeds[0], largest = speeds[0];
    for (int i = 1; i < 3; i++) {
        least = speeds[i] < least ? speeds[i] : least;
        largest = speeds[i] > largest ? speeds[i] : largest;
    }
    bool steady = speed_is_same(least, largest);
    if (!(last && m->turns == 0) &&
        (!steady || (least > m->speed && !speed_is_same(least, m->speed))))
        return;
    if (m->turns && least < m->speed && !speed_is_same(least, m->speed))
        nothing_measured(m);
    take_shorter(m->with, turn->with);
    take_shorter(m->without, turn->without);
    if (least < m->speed)
        m->speed = least;
    m->speeds += least;
    m->turns++;
}

/*
 * In turns, so that a slow moment of the machine does not count for one side only. `before`:
 * how many calibrations had been abandoned when this one began. Code that has had events is
 * slower for a while after: so there are `untouched` programs of the same kind.
 */
static bool measure(tracer *probe, PyObject *untouched, PyObject *names, uint64_t before,
                    measurement *m, double events[KINDS][KINDS])
{
    bool ok = true;
    nothing_measured(m);
    for (int tried = 0; ok && m->turns < TURNS && tried < MOST_TURNS; tried++) {
        measurement turn;
        uint64_t speeds[3] = {speed_probe(&probe->clock)};
        nothing_measured(&turn);
        ok = time_programs(probe, untouched, turn.without) && abandoned == before &&
             probe_start(probe);
        speeds[1] = speed_probe(&probe->clock);
        ok = ok && time_programs(probe, names, turn.with) && probing == probe &&
             (tried > 0 || count_programs(probe, names, events));
        ok = probe_stop(probe) && ok;
        speeds[2] = speed_probe(&probe->clock);
        if (tried == 0)
            m->counted_at = speeds[2];
        add_turn(m, &turn, speeds, tried + 1 == MOST_TURNS);
    }
    return ok;
}

static void extra_of(const measurement *m, double extra[KINDS])
{
    for (int kind = 0; kind < KINDS; kind++) {
        extra[kind] = 0;
        for (int i = 0; i < ROUNDS; i++)
            extra[kind] += m->with[kind][i] - m->without[kind][i];
    }
}

void calibration_wait(void)
{
    enum { MOST_MS = 2000 };
    const struct timespec ms = {.tv_nsec = 1000000};
    for (int i = 0; i < MOST_MS && measuring && measurer != PyThread_get_thread_ident(); i++) {
        Py_BEGIN_ALLOW_THREADS
        nanosleep(&ms, NULL);
        Py_END_ALLOW_THREADS
    }
    calibration_abandon();
}

/* The exception of a handler of the program is the program's; our own are nobody's. */
static int calibration_ends(bool ok, uint64_t before)
{
    bool raised = PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_MemoryError);
    if (abandoned == before)
        measuring = false;
    if (ok || !raised)
        PyErr_Clear();
    return ok ? 1 : raised ? -1 : 0;
}

/*
 * What one set of programs tells: costs in units, and what speed_probe() took meanwhile. As
 * trace_calibrate() else.
 */
static bool calibrate_once(const tracer *t, uint64_t before, double cost[KINDS], double *speed,
                           own_times *own)
{
    double extra[KINDS], events[KINDS][KINDS];
    measurement m;
    PyObject *untouched = programs_ready();
    PyObject *names = untouched ? programs_ready() : NULL;
    tracer *probe = names ? probe_new(t, true) : NULL;
    bool ok = probe && measure(probe, untouched, names, before, &m, events);
    if (ok) {
        extra_of(&m, extra);
        share(events, extra, cost);
        *speed = (double)m.speeds / m.turns;
        own_times_add(own, &probe->speed.watch.found, 1 / (double)m.counted_at);
    }
    Py_XDECREF((PyObject *)probe);
    Py_XDECREF(names);
    Py_XDECREF(untouched);
    return ok;
}

static double middle(const double v[SETS])
{
    double low = v[0] < v[1] ? v[0] : v[1], high = v[0] < v[1] ? v[1] : v[0];
    return v[2] < low ? low : v[2] > high ? high : v[2];
}

/* Of several sets, since where code lies can make one kind of event twice as dear. */
static bool calibrate_all(const tracer *t, uint64_t before, double cost[KINDS], double *speed,
                          own_times *own)
{
    double costs[KINDS][SETS], speeds[SETS];
    for (int i = 0; i < SETS; i++) {
        double found[KINDS];
        if (!calibrate_once(t, before, found, &speeds[i], own))
            return false;
        for (int kind = 0; kind < KINDS; kind++)
            costs[kind][i] = found[kind] / speeds[i];
    }
    *speed = middle(speeds);
    for (int kind = 0; kind < KINDS; kind++)
        cost[kind] = middle(costs[kind]) * *speed;
    return true;
}

/* ---- Calls from hot code ---- */

/*
 * Where the line of a call has no event of its own (tiers.c), the call costs more: the events of the
 * line and of the call hide a part of each other.
 */
typedef struct {
    const char *program;
    enum cost_kind event, usual; /* what it costs, and would, were the caller not hot */
} hot_call;

enum { HOT_PLAIN_CALLS, HOT_C_CALLS, HOT_CALLS };
static const hot_call hot_calls[HOT_CALLS] = {
    {"calls", COST_HOT_ENTER, COST_ENTER},
    {"c_calls", COST_HOT_C_ENTER, COST_C_ENTER},
};
enum { HOT_TURNS = 6, WARM_UP = 4 };

/* The rounds of the program, once it is hot; the shortest of all turns so far. */
static bool time_hot(const tracer *t, PyObject *names, const char *program, double best[ROUNDS])
{
    bool ok = true;
    for (int i = 0; ok && i < WARM_UP; i++)
        ok = run_once(t, names, program) > 0;
    ok = ok && run_once(t, names, "rewind") > 0;
    for (int i = 0; ok && i < ROUNDS; i++) {
        uint64_t took = run_once(t, names, program);
        ok = took > 0;
        best[i] = (double)took < best[i] ? (double)took : best[i];
    }
    return ok;
}

/* What its events cost besides those of which that is to be found; and how many these are. */
static double known_cost(const uint64_t events[COST_KINDS], const double *cost, const hot_call *c,
                         double *n)
{
    double known = 0;
    for (int event = 0; event < COST_KINDS; event++)
        known += cost_of_event(cost, event) * (double)events[event];
    *n = (double)events[c->event];
    return known;
}

/* The cost of the event: at least the usual one, and less than with a line's on top. */
static double hot_cost(const hot_call *c, const double *cost, double extra, double known, double n)
{
    double usual = cost_of_event(cost, c->usual), found = n > 0 ? (extra - known) / n : usual;
    double most = usual + cost_of_event(cost, COST_LINE);
    return found < usual ? usual : found > most ? most : found;
}

static bool calibrate_hot_call(tracer *probe, PyObject *untouched, PyObject *names, uint64_t before,
                               const hot_call *c, const double *cost, double *of)
{
    double with[ROUNDS], without[ROUNDS], extra = 0, n = 0, known = 0;
    bool ok = true;
    for (int i = 0; i < ROUNDS; i++)
        with[i] = without[i] = (double)UINT64_MAX;
    for (int turn = 0; ok && turn < HOT_TURNS; turn++) {
        uint64_t events[COST_KINDS];
        ok = time_hot(probe, untouched, c->program, without) && abandoned == before &&
             probe_start(probe) && time_hot(probe, names, c->program, with) && probing == probe;
        lane *l = probe->lanes.n ? probe->lanes.list[0] : NULL;
        ok = ok && l && run_once(probe, names, "rewind") > 0;
        if (ok) {
            memcpy(events, l->events, sizeof events);
            watch_begin(probe, l);
        }
        for (int i = 0; ok && i < ROUNDS; i++)
            ok = run_once(probe, names, c->program) > 0;
        if (l)
            watch_end(probe, l);
        for (int event = 0; ok && event < COST_KINDS; event++)
            events[event] = l->events[event] - events[event];
        if (ok)
            known = known_cost(events, cost, c, &n);
        ok = probe_stop(probe) && ok;
    }
    for (int i = 0; i < ROUNDS; i++)
        extra += with[i] - without[i];
    *of = hot_cost(c, cost, extra, known, n);
    return ok;
}

/* One set of programs. */
static bool calibrate_hot_once(const tracer *t, uint64_t before, const double *cost,
                               double of[HOT_CALLS], own_times *own)
{
    PyObject *untouched = programs_ready();
    PyObject *names = untouched ? programs_ready() : NULL;
    tracer *probe = names ? probe_new(t, false) : NULL;
    bool ok = probe != NULL;
    for (int i = 0; ok && i < HOT_CALLS; i++)
        if (hot_calls[i].usual != COST_C_ENTER || t->options.slowops)
            ok = calibrate_hot_call(probe, untouched, names, before, &hot_calls[i], cost, &of[i]);
    if (ok)
        own_times_add(own, &probe->speed.watch.found, 1 / (double)speed_probe(&t->clock));
    Py_XDECREF((PyObject *)probe);
    Py_XDECREF(names);
    Py_XDECREF(untouched);
    return ok;
}

/* In units; without hot code as the usual ones. */
static bool calibrate_hot(const tracer *t, uint64_t before, const double *cost,
                          double of[HOT_CALLS], own_times *own)
{
    double found[SETS][HOT_CALLS];
    for (int set = 0; set < SETS; set++) {
        for (int i = 0; i < HOT_CALLS; i++)
            found[set][i] = cost_of_event(cost, hot_calls[i].usual);
        if (tiers_wanted(t) && !calibrate_hot_once(t, before, cost, found[set], own))
            return false;
    }
    for (int i = 0; i < HOT_CALLS; i++)
        of[i] = middle((double[SETS]){found[0][i], found[1][i], found[2][i]});
    return true;
}

/* One whose callback does the same; those that are big are rare in the programs. */
static int alike(int event)
{
    switch (event) {
    case COST_LINE_BIG:
    case COST_LINE_GLOBAL_BIG:
    case COST_LINE_LOOP_BIG:
        return event - (COST_LINE_BIG - COST_LINE);
    case COST_STEP_BIG:
    case COST_STEP_GLOBAL_BIG:
    case COST_STEP_LOOP_BIG:
        return event - (COST_STEP_BIG - COST_STEP);
    case COST_RESUME_BIG:
    case COST_LEAVE_BIG:
    case COST_C_ENTER_BIG:
    case COST_C_LEAVE_BIG:
    case COST_OTHER_BIG:
    case COST_HOT_C_ENTER_BIG:
        return event - 1;
    default:
        return event;
    }
}

/* 0: none has been timed. */
static double usual_time(const own_times *own, int event)
{
    const double few = 30;
    int of = own->n[event] < few ? alike(event) : event;
    return own->n[of] > 0 ? own->sum[of] / own->n[of] : 0;
}

int trace_calibrate(tracer *t)
{
    double cost[KINDS], speed, hot[HOT_CALLS];
    own_times own = {0};
    const uint64_t before = abandoned;
    measuring = true;
    measurer = PyThread_get_thread_ident();
    bool ok = calibrate_all(t, before, cost, &speed, &own) &&
              calibrate_hot(t, before, cost, hot, &own);
    if (ok) {
        set_costs(t, cost);
        for (int i = 0; i < HOT_CALLS; i++)
            t->speed.measured.of[hot_calls[i].event] = rounded(hot[i]);
        t->speed.then = (uint64_t)speed;
        t->speed.measured.of[COST_HOT_C_ENTER_BIG] = rounded(hot[HOT_C_CALLS] + cost[BIG]);
        for (int event = 0; event < COST_KINDS; event++)
            t->speed.usual[event] = usual_time(&own, event) * speed;
    }
    return calibration_ends(ok, before);
}
