/*
 * The basic blocks of a code object, as far as lines are concerned.
 *
 * CPython marks the instructions at which a line can start (initialize_lines in its
 * instrumentation.c): where the line is not that of the instruction before, targets of jumps,
 * handlers. At a marked instruction LINE comes if what ran before in the frame stands on another
 * line. So within a basic block, where what ran before is known, LINE comes for sure or is in
 * doubt by the code alone; at the block's first instruction it depends on where the frame
 * comes from: all jumps and the code before are known, but not what raises.
 *
 * A block ends at a jump, a return, a yield (the frame may never go on) and where an exception is
 * raised on purpose. Whatever else raises leaves it in the middle, which tiers.c makes up for.
 */
#include "flow.h"

#include <stdlib.h>
#include <string.h>

#if PY_VERSION_HEX >= 0x030C0000 && PY_VERSION_HEX < 0x030E0000

#include <opcode.h>

bool flow_is_known(void)
{
    return true;
}

/* Of an instruction: */
enum {
    LEADER = 1, /* a block begins */
    STARTS = 2, /* a line can start */
    DOUBTFUL = 4, /* or perhaps not: what ran before may be on the same line */
};

typedef struct {
    PyObject *bytes;        /* owned: what these point into */
    const uint8_t *code;
    const uint8_t *handlers, *handlers_end;
    int n_units, first_unit;
    int *lines; /* by unit, plus one; 0: none */
    uint8_t *marks;
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
    return opcode != END_ASYNC_FOR && opcode != END_FOR && opcode != END_SEND && opcode != RESUME;
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
    return opcode == FOR_ITER || opcode == SEND ? 3 : 1;
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

/* The instruction may run right after one on that line. */
static void mark_comes_from(flow_search *s, int unit, int line)
{
    if (s->lines[unit] == line)
        s->marks[unit] |= DOUBTFUL;
}

static void mark_lines(flow_search *s)
{
    int current = -1, before = -1;
    for (int unit = s->first_unit; unit < s->n_units; unit = next_unit(s, unit)) {
        if (may_start_line(opcode_at(s, unit))) {
            if (s->lines[unit] != current && s->lines[unit])
                s->marks[unit] |= STARTS;
            current = s->lines[unit];
        }
        mark_comes_from(s, unit, before);
        before = s->lines[unit];
    }
}

static void mark_target(flow_search *s, int unit, int from)
{
    if (unit < s->first_unit || unit >= s->n_units)
        return;
    s->marks[unit] |= LEADER;
    if (s->lines[unit] && may_start_line(opcode_at(s, unit)))
        s->marks[unit] |= STARTS;
    mark_comes_from(s, unit, s->lines[from]);
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
            mark_target(s, target + i, from);
        if (ends_block(opcode) && unit < s->n_units)
            s->marks[unit] |= LEADER;
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
        s->marks[handler] |= LEADER | DOUBTFUL;
        if (s->lines[handler] && may_start_line(opcode_at(s, handler)))
            s->marks[handler] |= STARTS;
    }
}

/* ---- Blocks ---- */

/* A line that the table does not have would be taken for another one. */
static bool add_place(code_flow *flow, const code_info *info, int unit, int line)
{
    uint32_t index = code_line_index(info, line);
    if (info->lines[index] != line)
        return false;
    flow->places[flow->n_places++] = (flow_place){.unit = (uint32_t)unit, .line = index};
    return true;
}

/* From the place `first` on, all that have been added are one block; a single one is none. */
static void end_block(code_flow *flow, uint32_t first, int end_unit)
{
    if (flow->n_places - first < 2)
        return;
    flow->blocks[flow->n_blocks++] = (flow_block){
        .first = first, .end = flow->n_places, .end_unit = (uint32_t)end_unit};
    for (uint32_t i = first; i < flow->n_places; i++)
        flow->places[i].block = flow->n_blocks;
}

static bool make_blocks(code_flow *flow, const flow_search *s, const code_info *info)
{
    const uint32_t none = UINT32_MAX;
    uint32_t first = none;
    for (int unit = s->first_unit; unit < s->n_units; unit = next_unit(s, unit)) {
        bool starts = s->marks[unit] & STARTS, doubtful = s->marks[unit] & DOUBTFUL;
        if (first != none && (s->marks[unit] & LEADER || (starts && doubtful))) {
            end_block(flow, first, unit);
            first = none;
        }
        if (starts && !add_place(flow, info, unit, s->lines[unit] - 1))
            return false;
        if (starts && !doubtful && first == none)
            first = flow->n_places - 1;
    }
    if (first != none)
        end_block(flow, first, s->n_units);
    return true;
}

static size_t count_places(const flow_search *s)
{
    size_t n = 0;
    for (int unit = s->first_unit; unit < s->n_units; unit = next_unit(s, unit))
        n += (s->marks[unit] & STARTS) != 0;
    return n;
}

static bool find_blocks(code_flow *flow, const flow_search *s, const code_info *info)
{
    size_t n = count_places(s);
    flow->places = malloc((n + 1) * sizeof *flow->places);
    flow->blocks = malloc((n / 2 + 1) * sizeof *flow->blocks);
    return flow->places && flow->blocks && make_blocks(flow, s, info);
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
    free(s->marks);
    free(s->lines);
    Py_XDECREF(s->bytes);
}

bool flow_find(code_flow *flow, const code_info *info, PyCodeObject *code)
{
    flow_search s;
    bool ok = search_begin(&s, info, code) && find_blocks(flow, &s, info);
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
    found = found && unit < s.n_units && s.marks[unit] & STARTS && !(s.marks[unit] & LEADER);
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

void flow_free(code_flow *flow)
{
    free(flow->places);
    free(flow->blocks);
    *flow = (code_flow){0};
}
