/*
 * The interpreter runs the instruction at which an event stands in its general form. For most
 * that begin a line this is no loss; LOAD_GLOBAL looks the name up in two dicts then, instead of
 * comparing two versions, and FOR_ITER asks the iterator's type how to go on.
 */
#include "line_costs.h"

#include "lane_time.h"

#include <stdlib.h>
#include <string.h>

#if PY_VERSION_HEX >= 0x030C0000

#include <opcode.h>

typedef struct {
    code_info *info;
    const uint8_t *code;
    Py_ssize_t size;
    uint8_t *doing; /* by line: what it is made of; NULL: not asked for */
} kind_search;

/*
 * Whether the instruction moves a local variable or a constant, or less: some tenths of a
 * nanosecond. No jump backwards: other threads may run there.
 */
static bool does_next_to_nothing(int opcode)
{
    switch (opcode) {
    case CACHE:
    case COPY:
    case EXTENDED_ARG:
    case IS_OP:
    case JUMP_FORWARD:
    case LOAD_CONST:
    case LOAD_FAST:
    case LOAD_FAST_CHECK:
    case NOP:
    case POP_JUMP_IF_NONE:
    case POP_JUMP_IF_NOT_NONE:
    case PUSH_NULL:
    case STORE_FAST:
    case SWAP:
#if PY_VERSION_HEX >= 0x030D0000
    case LOAD_FAST_LOAD_FAST:
    case STORE_FAST_LOAD_FAST:
    case STORE_FAST_STORE_FAST:
#endif
#if PY_VERSION_HEX >= 0x030E0000
    case LOAD_FAST_BORROW:
    case LOAD_FAST_BORROW_LOAD_FAST_BORROW:
    case LOAD_SMALL_INT:
    case NOT_TAKEN:
#endif
        return true;
    default:
        return false;
    }
}

enum { NOT_SEEN, NEXT_TO_NOTHING, WORK };

static int what_is_done(const kind_search *s, line_range r)
{
    for (Py_ssize_t at = r.start; at < r.end && at < s->size; at += 2)
        if (!does_next_to_nothing(s->code[at]))
            return WORK;
    return NEXT_TO_NOTHING;
}

/*
 * Where the loop goes whose FOR_ITER is at unit `at`, once there is nothing left; in units from the
 * code's beginning.
 */
static Py_ssize_t loop_end(const kind_search *s, Py_ssize_t at)
{
    enum { PREFIXES = 3 };
    Py_ssize_t oparg = s->code[2 * at + 1], next = at + 1;
    for (int i = 1; i <= PREFIXES && at >= i && s->code[2 * (at - i)] == EXTENDED_ARG; i++)
        oparg += (Py_ssize_t)s->code[2 * (at - i) + 1] << 8 * i;
    while (2 * next < s->size && s->code[2 * next] == CACHE)
        next++;
    return next + oparg;
}

/*
 * A loop's line begins once with what it runs over, and again and again with FOR_ITER, if its body
 * has other lines. Where all is on one line, as in a comprehension, that tells of no line.
 */
static bool begins_loop(const kind_search *s, line_range r)
{
    for (Py_ssize_t unit = r.start / 2; unit < r.end / 2 && 2 * unit < s->size; unit++)
        if (s->code[2 * unit] == FOR_ITER && loop_end(s, unit) > r.end / 2)
            return true;
    return false;
}

static bool note_first(void *search, line_range r)
{
    kind_search *s = search;
    if (r.line <= 0 || r.start >= s->size)
        return true;
    uint32_t line = code_line_index(s->info, r.line);
    uint8_t *kind = &s->info->line_kinds[line];
    int doing = s->doing ? what_is_done(s, r) : NOT_SEEN;
    if (doing > NOT_SEEN && doing > s->doing[line])
        s->doing[line] = (uint8_t)doing;
    if (begins_loop(s, r))
        *kind = COST_LINE_LOOP;
    else if (*kind == COST_NONE)
        *kind = s->code[r.start] == LOAD_GLOBAL ? COST_LINE_GLOBAL : COST_LINE;
    return true;
}

/* The lines from which one can tell what an event costs. */
static bool keep_witnesses(code_info *info, const uint8_t *doing)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < info->n_lines; i++)
        n += doing[i] == NEXT_TO_NOTHING;
    info->witnesses = n ? malloc(n * sizeof *info->witnesses) : NULL;
    if (n && !info->witnesses)
        return false;
    for (uint32_t i = 0; i < info->n_lines; i++)
        if (doing[i] == NEXT_TO_NOTHING)
            info->witnesses[info->n_witnesses++] = i;
    return true;
}

static bool note_all(code_info *info, PyCodeObject *code, bool witnesses)
{
    PyObject *bytes = PyCode_GetCode(code);
    kind_search s = {.info = info};
    if (witnesses)
        s.doing = calloc(info->n_lines, sizeof *s.doing);
    bool ok = bytes && (s.doing || !witnesses);
    if (ok) {
        s.code = (const uint8_t *)PyBytes_AS_STRING(bytes);
        s.size = PyBytes_GET_SIZE(bytes);
        ok = code_each_range(code, note_first, &s) && (!witnesses || keep_witnesses(info, s.doing));
    }
    free(s.doing);
    Py_XDECREF(bytes);
    return ok;
}

#else

/* There, while events are on, no instruction has a special form. */
static bool note_all(code_info *info, PyCodeObject *code, bool witnesses)
{
    (void)info, (void)code, (void)witnesses;
    return true;
}

#endif

bool line_costs_find(code_info *info, PyCodeObject *code, bool lines, bool witnesses)
{
    info->line_kinds = calloc(info->n_lines, sizeof *info->line_kinds);
    if (!info->line_kinds || (lines && !info->folded && !note_all(info, code, witnesses)))
        return false;
    for (uint32_t i = 0; i < info->n_lines; i++) {
        if (info->line_kinds[i] == COST_NONE)
            info->line_kinds[i] = COST_LINE;
        if (info->lines[i] > MOST_SMALL_INT)
            info->line_kinds[i] += COST_LINE_BIG - COST_LINE;
    }
    return true;
}
