/*
 * The interpreter runs the instruction at which an event stands in its general form. For most
 * that begin a line this is no loss; LOAD_GLOBAL looks the name up in two dicts then, instead of
 * comparing two versions: that costs as much as all the rest of the event.
 */
#include "line_costs.h"

#include "lane_time.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#if PY_VERSION_HEX >= 0x030C0000

#include <opcode.h>

/* The ints that CPython has ready; 3.15 has more. */
enum { MOST_SMALL_INT = PY_VERSION_HEX < 0x030F0000 ? 256 : 1024 };

typedef struct {
    code_info *info;
    const uint8_t *code;
    Py_ssize_t size;
} kind_search;

/* A loop's line begins once with what it runs over, and again and again with FOR_ITER. */
static bool note_first(void *search, line_range r)
{
    enum { LOOPS = COST_KINDS };    /* while they are looked for */
    kind_search *s = search;
    if (r.line <= 0 || r.start >= s->size)
        return true;
    uint8_t *kind = &s->info->line_kinds[code_line_index(s->info, r.line)];
    int opcode = s->code[r.start];
    if (opcode == FOR_ITER)
        *kind = LOOPS;
    else if (*kind == COST_NONE)
        *kind = opcode == LOAD_GLOBAL ? COST_LINE_GLOBAL : COST_LINE;
    return true;
}

static bool note_all(code_info *info, PyCodeObject *code)
{
    PyObject *bytes = PyCode_GetCode(code);
    if (!bytes)
        return false;
    kind_search s = {info, (const uint8_t *)PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes)};
    bool ok = code_each_range(code, note_first, &s);
    Py_DECREF(bytes);
    return ok;
}

#else

/* There, while events are on, no instruction has a special form; and no event brings an int. */
enum { MOST_SMALL_INT = INT_MAX };

static bool note_all(code_info *info, PyCodeObject *code)
{
    (void)info, (void)code;
    return true;
}

#endif

bool line_costs_find(code_info *info, PyCodeObject *code)
{
    info->line_kinds = calloc(info->n_lines, sizeof *info->line_kinds);
    if (!info->line_kinds || (!info->folded && !note_all(info, code)))
        return false;
    for (uint32_t i = 0; i < info->n_lines; i++) {
        if (info->line_kinds[i] != COST_LINE_GLOBAL)
            info->line_kinds[i] = COST_LINE;
        if (info->lines[i] > MOST_SMALL_INT)
            info->line_kinds[i] += COST_LINE_BIG - COST_LINE;
    }
    return true;
}
