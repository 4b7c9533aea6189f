/*
 * The flow graph of a code object, as far as lines are concerned.
 *
 * CPython marks the instructions at which a line can start (initialize_lines in its
 * instrumentation.c): where the line is not that of the instruction before, targets of jumps,
 * handlers. At a marked instruction LINE comes if what ran before in the frame stands on another
 * line. So within a basic block LINE comes always or never by the code alone; at a block's first
 * instruction it depends on the edge by which the frame comes. Where that can't be told (handlers,
 * right behind the start of a frame on the same line, and in 3.12 behind what may have called a
 * function of Python's, when CPython no longer knows the line), the place is called wild.
 *
 * A block ends at a jump, a return, a yield (the frame may never go on) and where an exception is
 * raised on purpose. Whatever else raises leaves it in the middle, which tiers.c makes up for.
 */
#include "flow.h"

#include <stdlib.h>
#include <string.h>

#if PY_VERSION_HEX >= 0x030C0000 && PY_VERSION_HEX < 0x03100000

#include <opcode.h>

/* Opcodes that only some versions have; -1 stands for none. */
#if PY_VERSION_HEX < 0x030E0000
enum { POP_ITER = -1 };
#else
enum { RETURN_CONST = -1 };
#endif

enum {
    /* A loop at its end, or a delegation, goes on behind END_FOR, or END_SEND, or at it. From 3.14
     * on POP_ITER follows, where nothing can start. */
    MOST_LANDINGS = PY_VERSION_HEX < 0x030E0000 ? 3 : 2,
};

bool flow_is_known(void)
{
    return true;
}

/* Of an instruction: */
enum {
    LEADER = 1,   /* a block begins */
    STARTS = 2,   /* a line can start */
    ANYHOW = 4,   /* it may come from where no edge leads */
    LANDING = 8, /* a jump may go here or to one of the next, which are passed over or not */
    WILD = 16,    /* whether LINE comes can't be told */
};

typedef struct {
    PyObject *bytes;        /* owned: what these point into */
    const uint8_t *code;
    const uint8_t *handlers, *handlers_end;
    int n_units, first_unit;
    int *lines; /* by unit, plus one; 0: none */
    uint8_t *marks;
    uint32_t *block_of; /* by unit */
} flow_search;

static bool note_lines(void *search, line_range r)
{
    flow_search *s = search;
    for (int unit = r.start / 2; unit < r.end / 2 && unit < s->n_units; unit++)
        s->lines[unit] = r.line >= 0 ? r.line + 1 : 0;
    return true;
}

static int opcode_at(const flow_search *s, int unit)
{
    return s->code[2 * unit];
}

/* The instruction after the one at `unit`. */
static int next_unit(const flow_search *s, int unit)
{
    do
        unit++;
    while (unit < s->n_units && opcode_at(s, unit) == CACHE);
    return unit;
}

static bool may_start_line(int opcode)
{
    return opcode != END_ASYNC_FOR && opcode != END_FOR && opcode != END_SEND &&
           opcode != POP_ITER && opcode != RESUME;
}

/* Whether what comes behind it never, or not only, follows it. */
static bool ends_block(int opcode)
{
    switch (opcode) {
    case CLEANUP_THROW:
    case END_ASYNC_FOR:
    case FOR_ITER:
    case INTERPRETER_EXIT:
    case JUMP_BACKWARD:
    case JUMP_BACKWARD_NO_INTERRUPT:
    case JUMP_FORWARD:
    case POP_JUMP_IF_FALSE:
    case POP_JUMP_IF_NONE:
    case POP_JUMP_IF_NOT_NONE:
    case POP_JUMP_IF_TRUE:
    case RAISE_VARARGS:
    case RERAISE:
    case RETURN_CONST:
    case RETURN_GENERATOR:
    case RETURN_VALUE:
    case SEND:
    case YIELD_VALUE:
        return true;
    default:
        return false;
    }
}

/* How many instructions from the jump's target on it may go to: some are passed over. */
static int count_targets(int opcode)
{
    return opcode == FOR_ITER || opcode == SEND ? MOST_LANDINGS : 1;
}

/* Where the jump that ends at unit `next` goes; -1: it is none. */
static int jump_target(int opcode, int oparg, int next)
{
    switch (opcode) {
    case FOR_ITER:
    case JUMP_FORWARD:
    case POP_JUMP_IF_FALSE:
    case POP_JUMP_IF_NONE:
    case POP_JUMP_IF_NOT_NONE:
    case POP_JUMP_IF_TRUE:
    case SEND:
        return next + oparg;
    case JUMP_BACKWARD:
    case JUMP_BACKWARD_NO_INTERRUPT:
        return next - oparg;
    default:
        return -1;
    }
}

static void mark_lines(flow_search *s)
{
    int current = -1;
    for (int unit = s->first_unit; unit < s->n_units; unit = next_unit(s, unit)) {
        if (may_start_line(opcode_at(s, unit))) {
            if (s->lines[unit] != current && s->lines[unit])
                s->marks[unit] |= STARTS;
            current = s->lines[unit];
        }
    }
}

/* The `skipped`th instruction behind a jump's target, to which it may go as well. */
static void mark_target(flow_search *s, int unit, int from, int skipped)
{
    if (unit < s->first_unit || unit >= s->n_units)
        return;
    s->marks[unit] |= skipped ? LANDING : LEADER;
    if (s->lines[unit] && may_start_line(opcode_at(s, unit)))
        s->marks[unit] |= STARTS;
    if (skipped && (s->lines[from] == s->lines[unit]) != (s->lines[unit - 1] == s->lines[unit]))
        s->marks[unit] |= WILD;
}

/* What the frame comes to behind it does not follow from how often it has run. */
static bool goes_anywhere(int opcode)
{
    switch (opcode) {
    case CLEANUP_THROW:
    case END_ASYNC_FOR:
    case RETURN_GENERATOR:
    case YIELD_VALUE:
        return true;
    default:
        return false;
    }
}

static void mark_next(flow_search *s, int opcode, int next)
{
    if (next >= s->n_units)
        return;
    if (ends_block(opcode))
        s->marks[next] |= LEADER;
    if (goes_anywhere(opcode))
        s->marks[next] |= ANYHOW;
}

static void mark_jumps(flow_search *s)
{
    int oparg = 0;
    for (int unit = s->first_unit; unit < s->n_units;) {
        int from = unit, opcode = opcode_at(s, unit);
        oparg = oparg << 8 | s->code[2 * unit + 1];
        unit = next_unit(s, unit);
        if (opcode == EXTENDED_ARG)
            continue;
        int target = jump_target(opcode, oparg, unit);
        for (int i = 0; target >= 0 && i < count_targets(opcode); i++)
            mark_target(s, target + i, from, i);
        /* A jump back to its own line starts that again, by an event of its own. */
        if (target >= s->first_unit && target <= from && s->lines[target] == s->lines[from])
            s->marks[target] |= WILD;
        mark_next(s, opcode, unit);
        oparg = 0;
    }
}

/* A number of the exception table: six bits a byte, bit 6 tells that more follow. */
static int take_varint(flow_search *s)
{
    enum { BITS = 63, MORE = 64 };
    int value = 0;
    while (s->handlers < s->handlers_end) {
        uint8_t byte = *s->handlers++;
        value = value << 6 | (byte & BITS);
        if (!(byte & MORE))
            break;
    }
    return value;
}

/* Start, size, handler, depth: what may raise may be on the handler's line. */
static void mark_handlers(flow_search *s)
{
    while (s->handlers < s->handlers_end) {
        take_varint(s);
        take_varint(s);
        int handler = take_varint(s);
        take_varint(s);
        if (handler < s->first_unit || handler >= s->n_units)
            continue;
        s->marks[handler] |= LEADER | ANYHOW;
        if (s->lines[handler] && may_start_line(opcode_at(s, handler)))
            s->marks[handler] |= STARTS;
    }
}

/* ---- Blocks and places ---- */

/* At another than a block's first instruction, behind that one. */
static enum place_kind kind_within(const flow_search *s, int unit, int before)
{
    if (s->lines[before] != s->lines[unit])
        return PLACE_INNER;
    return opcode_at(s, before) == RESUME ? PLACE_WILD : PLACE_NEVER;
}

static enum place_kind kind_of_place(const flow_search *s, int unit, int before)
{
    if (s->marks[unit] & WILD)
        return PLACE_WILD;
    if (!(s->marks[unit] & LEADER))
        return before < 0 ? PLACE_WILD : kind_within(s, unit, before);
    return s->marks[unit] & ANYHOW ? PLACE_WILD : PLACE_LEADER;
}

/* A line that the table does not have would be taken for another one. */
static bool add_place(code_flow *flow, const flow_search *s, const code_info *info, int unit,
                      int before)
{
    enum place_kind kind = kind_of_place(s, unit, before);
    uint32_t index = code_line_index(info, s->lines[unit] - 1);
    if (info->lines[index] != s->lines[unit] - 1)
        return false;
    if (kind != PLACE_NEVER)
        flow->places[flow->n_places++] = (flow_place){
            .unit = (uint32_t)unit, .line = index, .block = flow->n_blocks - 1, .kind = kind};
    return true;
}

static void begin_block(code_flow *flow, const flow_search *s, int unit)
{
    bool entry = flow->n_blocks == 0;
    flow->blocks[flow->n_blocks++] = (flow_block){
        .unit = (uint32_t)unit,
        .first = flow->n_places,
        .in_known = !entry && !(s->marks[unit] & ANYHOW),
    };
}

static bool make_blocks(code_flow *flow, flow_search *s, const code_info *info)
{
    int before = -1;
    for (int unit = s->first_unit; unit < s->n_units; unit = next_unit(s, unit)) {
        if (flow->n_blocks == 0 || s->marks[unit] & LEADER)
            begin_block(flow, s, unit);
        s->block_of[unit] = flow->n_blocks - 1;
        if (s->marks[unit] & STARTS && !add_place(flow, s, info, unit, before))
            return false;
        flow->blocks[flow->n_blocks - 1].end = flow->n_places;
        flow->blocks[flow->n_blocks - 1].last_line = s->lines[unit];
        flow->blocks[flow->n_blocks - 1].last_unit = (uint32_t)unit;
        before = unit;
    }
    return true;
}

/* ---- Edges ---- */

/* `same_line`: LINE does not come where the edge leads to. False: it leads nowhere known. */
static bool add_edge(code_flow *flow, const flow_search *s, uint32_t from, int to)
{
    if (to < s->first_unit || to >= s->n_units || !(s->marks[to] & LEADER))
        return false;
    flow->edges[flow->n_edges++] = (flow_edge){
        .from = from,
        .to = s->block_of[to],
        .same_line = flow->blocks[from].last_line == s->lines[to],
    };
    return true;
}

/*
 * In 3.12 a call of a function of Python's, also of a property or __getitem__, comes back to the last
 * of the instruction's caches.
 */
static bool loses_line(const flow_search *s, int unit)
{
    int opcode = opcode_at(s, unit);
    return PY_VERSION_HEX < 0x030D0000 &&
           (next_unit(s, unit) > unit + 1 || opcode == CALL_FUNCTION_EX);
}

/* The instruction at the end of the block goes on, on the same line, perhaps with LINE. */
static void doubt_next(code_flow *flow, const flow_search *s, int unit, int next)
{
    if (next >= s->n_units || !loses_line(s, unit) || s->lines[unit] != s->lines[next])
        return;
    const flow_block *b = &flow->blocks[s->block_of[next]];
    if (b->first < b->end && flow->places[b->first].unit == (uint32_t)next)
        flow->places[b->first].kind = PLACE_WILD;
}

static bool falls_through(int opcode)
{
    switch (opcode) {
    case FOR_ITER:
    case POP_JUMP_IF_FALSE:
    case POP_JUMP_IF_NONE:
    case POP_JUMP_IF_NOT_NONE:
    case POP_JUMP_IF_TRUE:
    case SEND:
        return true;
    default:
        return !ends_block(opcode);
    }
}

/* The ways out of the block that ends with that instruction; false: it leads nowhere known. */
static bool add_edges(code_flow *flow, const flow_search *s, uint32_t block, int unit, int oparg)
{
    int opcode = opcode_at(s, unit), next = next_unit(s, unit);
    int target = jump_target(opcode, oparg, next);
    bool falls = falls_through(opcode);
    flow_block *b = &flow->blocks[block];
    b->out_known = target >= 0 || falls;
    b->may_stop = opcode == FOR_ITER || opcode == SEND;
    if (falls && target < 0)
        doubt_next(flow, s, unit, next);
    return (target < 0 || add_edge(flow, s, block, target)) &&
           (!falls || add_edge(flow, s, block, next));
}

static bool make_edges(code_flow *flow, const flow_search *s)
{
    int oparg = 0;
    for (int unit = s->first_unit; unit < s->n_units; unit = next_unit(s, unit)) {
        uint32_t block = s->block_of[unit];
        oparg = oparg << 8 | s->code[2 * unit + 1];
        if (flow->blocks[block].last_unit == (uint32_t)unit &&
            !add_edges(flow, s, block, unit, oparg))
            return false;
        if (opcode_at(s, unit) != EXTENDED_ARG)
            oparg = 0;
    }
    return true;
}

static size_t count_marked(const flow_search *s, uint8_t mark)
{
    size_t n = 0;
    for (int unit = s->first_unit; unit < s->n_units; unit = next_unit(s, unit))
        n += (s->marks[unit] & mark) != 0;
    return n;
}

static bool find_flow(code_flow *flow, flow_search *s, const code_info *info)
{
    size_t n = count_marked(s, LEADER) + 1;
    s->block_of = calloc((size_t)s->n_units, sizeof *s->block_of);
    flow->places = malloc((count_marked(s, STARTS) + 1) * sizeof *flow->places);
    flow->blocks = malloc(n * sizeof *flow->blocks);
    flow->edges = malloc(2 * n * sizeof *flow->edges);
    return s->block_of && flow->places && flow->blocks && flow->edges &&
           make_blocks(flow, s, info) && make_edges(flow, s);
}

/* What is marked is to be freed by search_end(), whatever comes. */
static bool search_begin(flow_search *s, const code_info *info, PyCodeObject *code)
{
    *s = (flow_search){.n_units = (int)Py_SIZE(code), .first_unit = code->_co_firsttraceable};
    s->bytes = PyCode_GetCode(code);
    s->lines = calloc((size_t)s->n_units, sizeof *s->lines);
    s->marks = calloc((size_t)s->n_units, sizeof *s->marks);
    if (!s->bytes || !s->lines || !s->marks || info->folded ||
        !code_each_range(code, note_lines, s))
        return false;
    s->code = (const uint8_t *)PyBytes_AS_STRING(s->bytes);
    s->handlers = (const uint8_t *)PyBytes_AS_STRING(code->co_exceptiontable);
    s->handlers_end = s->handlers + PyBytes_GET_SIZE(code->co_exceptiontable);
    mark_lines(s);
    mark_jumps(s);
    mark_handlers(s);
    return true;
}

static void search_end(flow_search *s)
{
    free(s->block_of);
    free(s->marks);
    free(s->lines);
    Py_XDECREF(s->bytes);
}

bool flow_find(code_flow *flow, const code_info *info, PyCodeObject *code)
{
    flow_search s;
    bool ok = search_begin(&s, info, code) && find_flow(flow, &s, info);
    search_end(&s);
    return ok;
}

/* ---- The opening ---- */

bool flow_opening(code_info *info, PyCodeObject *code)
{
    flow_search s;
    bool found = search_begin(&s, info, code) && s.first_unit < s.n_units &&
                 opcode_at(&s, s.first_unit) == RESUME;
    int unit = found ? next_unit(&s, s.first_unit) : 0;
    found = found && unit < s.n_units && s.marks[unit] & STARTS &&
            !(s.marks[unit] & (LEADER | LANDING));
    if (found) {
        info->opening_line = code_line_index(info, s.lines[unit] - 1);
        info->opening_unit = (uint32_t)unit;
        found = info->lines[info->opening_line] == s.lines[unit] - 1;
    }
    search_end(&s);
    return found;
}

#else

bool flow_is_known(void)
{
    return false;
}

bool flow_find(code_flow *flow, const code_info *info, PyCodeObject *code)
{
    (void)flow, (void)info, (void)code;
    return false;
}

bool flow_opening(code_info *info, PyCodeObject *code)
{
    (void)info, (void)code;
    return false;
}

#endif
