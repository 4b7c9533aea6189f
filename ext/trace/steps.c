/*
 * Which instructions start a line, by CPython's own rule (initialize_lines in its
 * instrumentation.c), for the versions whose LINE events are slow on some lines: an
 * instruction whose line is not that of the one before, a target of a jump, a handler. Of
 * these, LINE comes where the instruction that ran before was on another line, or began the
 * frame. So those are of interest, too, where a line ends and nothing with a line follows.
 */
#include "steps.h"

#include <stdlib.h>
#include <string.h>

#if PY_VERSION_HEX >= 0x030C0000 && PY_VERSION_HEX < 0x030E0000

#include <opcode.h>

/* Mended in 3.13.2 (gh-127953); 3.12 has never been. */
bool steps_may_be_better(void)
{
    const char *wanted = getenv("PYNYTPROF_STEPS"); /* for tests: all, none */
    if (wanted && strcmp(wanted, "none") == 0)
        return false;
    return Py_Version < 0x030D0200;
}

static bool all_code(void)
{
    const char *wanted = getenv("PYNYTPROF_STEPS");
    return wanted && strcmp(wanted, "all") == 0;
}

/* What an event keeps of its line is the distance from here, in one byte. */
static int line_expected(const PyCodeObject *code, int unit)
{
    enum { UNITS_A_LINE_SHIFT = 4 };
    return code->co_firstlineno + (unit >> UNITS_A_LINE_SHIFT);
}

static bool is_far(const PyCodeObject *code, int unit, int line)
{
    int distance = line - line_expected(code, unit);
    return distance > 127 || distance < -126;
}

typedef struct {
    code_info *info;
    PyCodeObject *code;
    bool far;
    int *lines; /* by unit, plus one; 0: none */
    int n_units;
    bool doubtful;
} line_search;

static bool look_at_range(void *search, line_range r)
{
    line_search *s = search;
    if (r.line > 0 && (is_far(s->code, r.start / 2, r.line) || is_far(s->code, r.end / 2, r.line)))
        s->far = true;
    return true;
}

bool steps_are_better(const code_info *info, PyCodeObject *code)
{
    line_search s = {.code = code};
    if (!steps_may_be_better() || info->folded || info->no_steps)
        return false;
    if (all_code())
        return true;
    int first = info->lines[0], last = info->lines[info->n_lines - 1];
    if (!is_far(code, 0, last) && !is_far(code, (int)Py_SIZE(code), first))
        return false;
    return code_each_range(code, look_at_range, &s) && s.far;
}

/* ---- The rule ---- */

static bool note_lines(void *search, line_range r)
{
    line_search *s = search;
    for (int unit = r.start / 2; unit < r.end / 2 && unit < s->n_units; unit++)
        s->lines[unit] = r.line >= 0 ? r.line + 1 : 0;
    return true;
}

static void mark(line_search *s, int unit, uint32_t how)
{
    int line = s->lines[unit];
    uint32_t index = line ? code_line_index(s->info, line - 1) + 1 : 0;
    s->info->steps[unit] |= index << STEP_LINE_SHIFT | STEP_SEEN | (line ? how : 0);
}

static int instruction_units(const uint8_t *code, int unit, int n_units)
{
    int next = unit + 1;
    while (next < n_units && code[2 * next] == CACHE)
        next++;
    return next - unit;
}

static bool may_start_line(int opcode)
{
    return opcode != END_ASYNC_FOR && opcode != END_FOR && opcode != END_SEND && opcode != RESUME;
}

static void mark_changes(line_search *s, const uint8_t *code)
{
    int current = -1, before = -1;
    for (int unit = s->code->_co_firsttraceable; unit < s->n_units;) {
        int line = s->lines[unit];
        if (line != before)
            mark(s, unit, 0);
        before = line;
        if (may_start_line(code[2 * unit])) {
            if (line != current)
                mark(s, unit, STEP_STARTS_LINE);
            current = line;
        }
        unit += instruction_units(code, unit, s->n_units);
    }
}

/* Where the jump that ends at unit `next` goes; -1: it is none. */
static int jump_target(int opcode, int oparg, int next)
{
    switch (opcode) {
    case POP_JUMP_IF_FALSE:
    case POP_JUMP_IF_TRUE:
    case POP_JUMP_IF_NONE:
    case POP_JUMP_IF_NOT_NONE:
    case JUMP_FORWARD:
        return next + oparg;
    case FOR_ITER:
    case SEND:
        return next + oparg + 1;    /* END_FOR, END_SEND are passed over */
    case JUMP_BACKWARD:
    case JUMP_BACKWARD_NO_INTERRUPT:
        return next - oparg;
    default:
        return -1;
    }
}

/*
 * In 3.12, LINE comes to a target of a jump also if what ran before on the same line called a
 * function in Python, however that was done: then only LINE itself can tell.
 */
static bool may_call(int opcode)
{
#if PY_VERSION_HEX < 0x030D0000
    return opcode == CALL || opcode == LOAD_ATTR || opcode == BINARY_SUBSCR || opcode == FOR_ITER ||
           opcode == SEND;
#else
    (void)opcode;
    return false;
#endif
}

static void look_for_doubts(line_search *s, const uint8_t *code)
{
    int before = -1;
    for (int unit = s->code->_co_firsttraceable; unit < s->n_units;) {
        bool starts = s->info->steps[unit] & STEP_STARTS_LINE;
        if (before >= 0 && starts && s->lines[before] == s->lines[unit] &&
            may_call(code[2 * before]))
            s->doubtful = true;
        before = unit;
        unit += instruction_units(code, unit, s->n_units);
    }
}

static void mark_targets(line_search *s, const uint8_t *code)
{
    int oparg = 0;
    for (int unit = s->code->_co_firsttraceable; unit < s->n_units;) {
        int opcode = code[2 * unit], units = instruction_units(code, unit, s->n_units);
        oparg = oparg << 8 | code[2 * unit + 1];
        unit += units;
        if (opcode == EXTENDED_ARG)
            continue;
        int target = jump_target(opcode, oparg, unit);
        if (target >= 0 && target < s->n_units)
            mark(s, target, STEP_STARTS_LINE);
        oparg = 0;
    }
}

/* A number of the exception table: six bits a byte, bit 6 tells that more follow. */
static const uint8_t *varint(const uint8_t *p, const uint8_t *end, int *value)
{
    enum { BITS = 63, MORE = 64 };
    *value = 0;
    while (p < end) {
        *value = *value << 6 | (*p & BITS);
        if (!(*p++ & MORE))
            return p;
    }
    return end;
}

static bool never_raises(int opcode)
{
    switch (opcode) {
    case CACHE:
    case COPY:
    case EXTENDED_ARG:
    case LOAD_CONST:
    case LOAD_FAST:
    case NOP:
    case POP_TOP:
    case PUSH_NULL:
    case RESUME:
    case STORE_FAST:
    case STORE_NAME:
    case SWAP:
        return true;
    default:
        return false;
    }
}

/*
 * Whether LINE comes to a handler on the line of what raised depends on how far the interpreter
 * was with that instruction. So where one can be, LINE alone can tell.
 */
static bool may_raise_on_line(const line_search *s, const uint8_t *code, int start, int size,
                              int line)
{
    for (int unit = start; unit < start + size && unit < s->n_units;
         unit += instruction_units(code, unit, s->n_units))
        if (s->lines[unit] == line && !never_raises(code[2 * unit]))
            return true;
    return false;
}

static void mark_handlers(line_search *s, const uint8_t *code)
{
    PyObject *table = s->code->co_exceptiontable;
    const uint8_t *p = (const uint8_t *)PyBytes_AS_STRING(table);
    const uint8_t *end = p + PyBytes_GET_SIZE(table);
    while (p < end) {
        int start, size, handler, depth;
        p = varint(p, end, &start);
        p = varint(p, end, &size);
        p = varint(p, end, &handler);
        p = varint(p, end, &depth);
        if (handler >= s->n_units)
            continue;
        mark(s, handler, code[2 * handler] != END_ASYNC_FOR ? STEP_STARTS_LINE | STEP_HANDLER : 0);
        int line = s->lines[handler];
        if (line && may_raise_on_line(s, code, start, size, line))
            s->doubtful = true;
    }
}

bool steps_find(code_info *info, PyCodeObject *code)
{
    if (info->steps)
        return true;
    PyObject *bytes = PyCode_GetCode(code);
    line_search s = {.info = info, .code = code, .n_units = (int)Py_SIZE(code)};
    s.lines = calloc((size_t)s.n_units, sizeof *s.lines);
    info->steps = calloc((size_t)s.n_units, sizeof *info->steps);
    bool ok = bytes && s.lines && info->steps && code_each_range(code, note_lines, &s);
    if (ok) {
        const uint8_t *text = (const uint8_t *)PyBytes_AS_STRING(bytes);
        mark_changes(&s, text);
        mark_targets(&s, text);
        mark_handlers(&s, text);
        look_for_doubts(&s, text);
        ok = !s.doubtful;
    }
    if (ok) {
        info->n_steps = (uint32_t)s.n_units;
    } else {
        free(info->steps);
        info->steps = NULL;
        info->no_steps = true;
    }
    free(s.lines);
    Py_XDECREF(bytes);
    return ok;
}

/* ---- What is left of them in hot code ---- */

typedef struct {
    const code_info *info;
    const code_flow *flow;
    uint8_t *left;
    bool *asked; /* by block: what ran last in it has to be known when it is left, */
    bool *before; /* or before it is come to */
} left_search;

/* The last step from unit `from` to before `end`; -1: there is none. */
static int64_t last_step(const left_search *s, uint32_t from, uint32_t end)
{
    for (int64_t unit = end; unit-- > from;)
        if (unit < s->info->n_steps && s->info->steps[unit])
            return unit;
    return -1;
}

/* The line at which a frame comes to `end` in the block has to be known. */
static void ask(left_search *s, uint32_t block, uint32_t end)
{
    int64_t unit = last_step(s, s->flow->blocks[block].unit, end);
    if (unit < 0)
        s->before[block] = true;
    else if (s->left[unit] == LEFT_OUT)
        s->left[unit] = LEFT_SEEN;
}

/* Until nothing changes: where a block has no step, what ran before it is asked for. */
static void ask_before(left_search *s)
{
    for (bool again = true; again;) {
        again = false;
        for (uint32_t i = 0; i < s->flow->n_edges; i++) {
            const flow_edge *e = &s->flow->edges[i];
            if (!s->before[e->to] || s->asked[e->from])
                continue;
            ask(s, e->from, s->flow->blocks[e->from].last_unit + 1);
            again = s->asked[e->from] = true;
        }
    }
}

/* What comes to a block by its edges starts its first line always, never, or now and then. */
static enum step_left left_of_leader(const code_flow *flow, uint32_t block)
{
    bool starts = false, goes_on = false;
    for (uint32_t i = 0; i < flow->n_edges; i++) {
        starts = starts || (flow->edges[i].to == block && !flow->edges[i].same_line);
        goes_on = goes_on || (flow->edges[i].to == block && flow->edges[i].same_line);
    }
    return !starts ? LEFT_OUT : goes_on ? LEFT_ASKS : LEFT_STARTS;
}

static bool is_led_to(const code_flow *flow, uint32_t block)
{
    for (uint32_t i = 0; i < flow->n_edges; i++)
        if (flow->edges[i].to == block)
            return true;
    return false;
}

static enum step_left left_of_place(const left_search *s, const flow_place *p)
{
    if (p->kind == PLACE_INNER)
        return LEFT_STARTS;
    if (p->kind == PLACE_LEADER)
        return left_of_leader(s->flow, p->block);
    bool handler = s->info->steps[p->unit] & STEP_HANDLER && !is_led_to(s->flow, p->block);
    return handler ? LEFT_STARTS : LEFT_ASKS;
}

/* False: what ran before can't be known everywhere. */
static bool find_left(left_search *s, const bool *kept)
{
    for (uint32_t i = 0; i < s->flow->n_places; i++) {
        const flow_place *p = &s->flow->places[i];
        if (kept[p->line] && s->info->steps[p->unit] & STEP_STARTS_LINE)
            s->left[p->unit] = (uint8_t)left_of_place(s, p);
    }
    for (uint32_t i = 0; i < s->flow->n_places; i++)
        if (s->left[s->flow->places[i].unit] == LEFT_ASKS)
            ask(s, s->flow->places[i].block, s->flow->places[i].unit);
    ask_before(s);
    /* A handler is come to with whatever was left of the line that raised. */
    for (uint32_t i = 0; i < s->flow->n_blocks; i++)
        if (s->before[i] && s->info->steps[s->flow->blocks[i].unit] & STEP_HANDLER)
            return false;
    return true;
}

uint8_t *steps_left(const code_info *info, const code_flow *flow, const bool *kept)
{
    left_search s = {.info = info, .flow = flow};
    s.left = calloc(info->n_steps, sizeof *s.left);
    s.asked = calloc(flow->n_blocks, sizeof *s.asked);
    s.before = calloc(flow->n_blocks, sizeof *s.before);
    bool ok = s.left && s.asked && s.before && find_left(&s, kept);
    free(s.asked);
    free(s.before);
    if (!ok)
        free(s.left);
    return ok ? s.left : NULL;
}

/* ---- Events ---- */

#ifndef Py_GIL_DISABLED

/*
 * CPython keeps what an instruction was before its event, and puts that back where a callback answers
 * DISABLE (de_instrument_per_instruction in its instrumentation.c). Of seven instructions six tell of
 * nothing, and most code of many lines runs once: that is done here before they come. Other tools'
 * events stand in other arrays; where one wants instructions, too, or LINE, all is left as it is.
 */
void steps_thin_events(const code_info *info, PyCodeObject *code, int tool)
{
    enum { INSTRUCTION = 6 };   /* among the events */
    _PyCoMonitoringData *m = code->_co_monitoring;
    uint8_t *now = (uint8_t *)code->co_code_adaptive;
    if (!m || !m->per_instruction_opcodes || m->per_instruction_tools ||
        m->active_monitors.tools[INSTRUCTION] != 1 << tool)
        return;
    for (uint32_t unit = 0; unit < info->n_steps; unit++) {
        uint8_t before = m->per_instruction_opcodes[unit];
        if (!before || info->steps[unit] || now[2 * unit] != INSTRUMENTED_INSTRUCTION)
            continue;
        now[2 * unit] = before;
        m->per_instruction_opcodes[unit] = 0;
    }
}

#else

void steps_thin_events(const code_info *info, PyCodeObject *code, int tool)
{
    (void)info, (void)code, (void)tool;
}

#endif

#else

bool steps_may_be_better(void)
{
    return false;
}

bool steps_are_better(const code_info *info, PyCodeObject *code)
{
    (void)info, (void)code;
    return false;
}

bool steps_find(code_info *info, PyCodeObject *code)
{
    (void)info, (void)code;
    return false;
}

uint8_t *steps_left(const code_info *info, const code_flow *flow, const bool *kept)
{
    (void)info, (void)flow, (void)kept;
    return NULL;
}

void steps_thin_events(const code_info *info, PyCodeObject *code, int tool)
{
    (void)info, (void)code, (void)tool;
}

#endif
