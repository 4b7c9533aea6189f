/*
 * What the instructions of a line weigh. Of a line's branches one can't tell which is taken: each
 * counts half, but loops go on.
 */
#include "instructions.h"

#include <stdlib.h>

#if PY_VERSION_HEX < 0x030C0000

#include <opcode.h>

/* Where an instruction goes on: behind it, or */
enum where {
    BEHIND,
    PERHAPS_FORWARD, /* so many units farther on; */
    PERHAPS_TO,      /* at that unit; */
    FORWARD,
    TO,
    PERHAPS_BACK, /* where a line starts anew; */
    AWAY,         /* nowhere in this line. */
};

typedef struct {
    uint8_t more;   /* than PLAIN_INSTRUCTION does it weigh */
    uint8_t caches; /* units that follow it and are its own */
    uint8_t where;
} instruction;

/*
 * 3.11: by what a general form took longer than a plain instruction (2.9 ns, which it costs that it
 * is looked at), less what such instructions save that have no special form for what they get: 5 to
 * 6 ns the look-up of a global name, 6 of an attribute, 8 its setting, 3 the item of a list, 18 the
 * items of a tuple by themselves, 3 a comparison and a jump, 6 a call.
 */
#if PY_VERSION_HEX >= 0x030B0000

#define A_GLOBAL    {.more = 10, .caches = 5}
#define ATTRIBUTE   {.more = 19, .caches = 4}
#define SETTING     {.more = 28, .caches = 4}
#define ITEM        {.more = 1, .caches = 4}
#define ITEM_SET    {.more = 8, .caches = 1}
#define ITEMS       {.more = 47, .caches = 1}
#define COMPARISON  {.more = 4, .caches = 2}
#define METHOD      {.more = 30, .caches = 10}
#define BEFORE_CALL {.more = 22, .caches = 1}
#define A_CALL      {.caches = 4}
#define OPERATION   {.more = 2, .caches = 1}

/* As code that has run has them, too. */
static const instruction instructions[256] = {
    [LOAD_GLOBAL] = A_GLOBAL,
    [LOAD_GLOBAL_ADAPTIVE] = A_GLOBAL,
    [LOAD_GLOBAL_BUILTIN] = A_GLOBAL,
    [LOAD_GLOBAL_MODULE] = A_GLOBAL,
    [LOAD_ATTR] = ATTRIBUTE,
    [LOAD_ATTR_ADAPTIVE] = ATTRIBUTE,
    [LOAD_ATTR_INSTANCE_VALUE] = ATTRIBUTE,
    [LOAD_ATTR_MODULE] = ATTRIBUTE,
    [LOAD_ATTR_SLOT] = ATTRIBUTE,
    [LOAD_ATTR_WITH_HINT] = ATTRIBUTE,
    [STORE_ATTR] = SETTING,
    [STORE_ATTR_ADAPTIVE] = SETTING,
    [STORE_ATTR_INSTANCE_VALUE] = SETTING,
    [STORE_ATTR_SLOT] = SETTING,
    [STORE_ATTR_WITH_HINT] = SETTING,
    [BINARY_SUBSCR] = ITEM,
    [BINARY_SUBSCR_ADAPTIVE] = ITEM,
    [BINARY_SUBSCR_DICT] = ITEM,
    [BINARY_SUBSCR_GETITEM] = ITEM,
    [BINARY_SUBSCR_LIST_INT] = ITEM,
    [BINARY_SUBSCR_TUPLE_INT] = ITEM,
    [STORE_SUBSCR] = ITEM_SET,
    [STORE_SUBSCR_ADAPTIVE] = ITEM_SET,
    [STORE_SUBSCR_DICT] = ITEM_SET,
    [STORE_SUBSCR_LIST_INT] = ITEM_SET,
    [UNPACK_SEQUENCE] = ITEMS,
    [UNPACK_SEQUENCE_ADAPTIVE] = ITEMS,
    [UNPACK_SEQUENCE_LIST] = ITEMS,
    [UNPACK_SEQUENCE_TUPLE] = ITEMS,
    [UNPACK_SEQUENCE_TWO_TUPLE] = ITEMS,
    [COMPARE_OP] = COMPARISON,
    [COMPARE_OP_ADAPTIVE] = COMPARISON,
    [COMPARE_OP_FLOAT_JUMP] = COMPARISON,
    [COMPARE_OP_INT_JUMP] = COMPARISON,
    [COMPARE_OP_STR_JUMP] = COMPARISON,
    [LOAD_METHOD] = METHOD,
    [LOAD_METHOD_ADAPTIVE] = METHOD,
    [LOAD_METHOD_CLASS] = METHOD,
    [LOAD_METHOD_MODULE] = METHOD,
    [LOAD_METHOD_NO_DICT] = METHOD,
    [LOAD_METHOD_WITH_DICT] = METHOD,
    [LOAD_METHOD_WITH_VALUES] = METHOD,
    [PRECALL] = BEFORE_CALL,
    [PRECALL_ADAPTIVE] = BEFORE_CALL,
    [PRECALL_BOUND_METHOD] = BEFORE_CALL,
    [PRECALL_BUILTIN_CLASS] = BEFORE_CALL,
    [PRECALL_BUILTIN_FAST_WITH_KEYWORDS] = BEFORE_CALL,
    [PRECALL_METHOD_DESCRIPTOR_FAST_WITH_KEYWORDS] = BEFORE_CALL,
    [PRECALL_NO_KW_BUILTIN_FAST] = BEFORE_CALL,
    [PRECALL_NO_KW_BUILTIN_O] = BEFORE_CALL,
    [PRECALL_NO_KW_ISINSTANCE] = BEFORE_CALL,
    [PRECALL_NO_KW_LEN] = BEFORE_CALL,
    [PRECALL_NO_KW_LIST_APPEND] = BEFORE_CALL,
    [PRECALL_NO_KW_METHOD_DESCRIPTOR_FAST] = BEFORE_CALL,
    [PRECALL_NO_KW_METHOD_DESCRIPTOR_NOARGS] = BEFORE_CALL,
    [PRECALL_NO_KW_METHOD_DESCRIPTOR_O] = BEFORE_CALL,
    [PRECALL_NO_KW_STR_1] = BEFORE_CALL,
    [PRECALL_NO_KW_TUPLE_1] = BEFORE_CALL,
    [PRECALL_NO_KW_TYPE_1] = BEFORE_CALL,
    [PRECALL_PYFUNC] = BEFORE_CALL,
    [CALL] = A_CALL,
    [CALL_ADAPTIVE] = A_CALL,
    [CALL_PY_EXACT_ARGS] = A_CALL,
    [CALL_PY_WITH_DEFAULTS] = A_CALL,
    [BINARY_OP] = OPERATION,
    [BINARY_OP_ADAPTIVE] = OPERATION,
    [BINARY_OP_ADD_FLOAT] = OPERATION,
    [BINARY_OP_ADD_INT] = OPERATION,
    [BINARY_OP_ADD_UNICODE] = OPERATION,
    [BINARY_OP_INPLACE_ADD_UNICODE] = OPERATION,
    [BINARY_OP_MULTIPLY_FLOAT] = OPERATION,
    [BINARY_OP_MULTIPLY_INT] = OPERATION,
    [BINARY_OP_SUBTRACT_FLOAT] = OPERATION,
    [BINARY_OP_SUBTRACT_INT] = OPERATION,
    [JUMP_IF_FALSE_OR_POP] = {.where = PERHAPS_FORWARD},
    [JUMP_IF_TRUE_OR_POP] = {.where = PERHAPS_FORWARD},
    [POP_JUMP_FORWARD_IF_FALSE] = {.where = PERHAPS_FORWARD},
    [POP_JUMP_FORWARD_IF_TRUE] = {.where = PERHAPS_FORWARD},
    [POP_JUMP_FORWARD_IF_NONE] = {.where = PERHAPS_FORWARD},
    [POP_JUMP_FORWARD_IF_NOT_NONE] = {.where = PERHAPS_FORWARD},
    [POP_JUMP_BACKWARD_IF_FALSE] = {.where = PERHAPS_BACK},
    [POP_JUMP_BACKWARD_IF_TRUE] = {.where = PERHAPS_BACK},
    [POP_JUMP_BACKWARD_IF_NONE] = {.where = PERHAPS_BACK},
    [POP_JUMP_BACKWARD_IF_NOT_NONE] = {.where = PERHAPS_BACK},
    [JUMP_FORWARD] = {.where = FORWARD},
    [SEND] = {.where = FORWARD},
    [JUMP_BACKWARD] = {.where = AWAY},
    [JUMP_BACKWARD_QUICK] = {.where = AWAY},
    [JUMP_BACKWARD_NO_INTERRUPT] = {.where = AWAY},
    [RETURN_VALUE] = {.where = AWAY},
    [RAISE_VARARGS] = {.where = AWAY},
    [RERAISE] = {.where = AWAY},
};

static const uint8_t *code_bytes(PyCodeObject *code)
{
    return (const uint8_t *)code->co_code_adaptive;
}

static bool is_prefix(int opcode)
{
    return opcode == EXTENDED_ARG || opcode == EXTENDED_ARG_QUICK;
}

#else

/* All are run in the same form, whether they are looked at or not. */
static const instruction instructions[256] = {
    [JUMP_IF_FALSE_OR_POP] = {.where = PERHAPS_TO},
    [JUMP_IF_TRUE_OR_POP] = {.where = PERHAPS_TO},
    [JUMP_IF_NOT_EXC_MATCH] = {.where = PERHAPS_TO},
    [POP_JUMP_IF_FALSE] = {.where = PERHAPS_TO},
    [POP_JUMP_IF_TRUE] = {.where = PERHAPS_TO},
    [JUMP_FORWARD] = {.where = FORWARD},
    [JUMP_ABSOLUTE] = {.where = TO},
    [RETURN_VALUE] = {.where = AWAY},
    [RAISE_VARARGS] = {.where = AWAY},
    [RERAISE] = {.where = AWAY},
};

static const uint8_t *code_bytes(PyCodeObject *code)
{
    return (const uint8_t *)PyBytes_AS_STRING(code->co_code);
}

static bool is_prefix(int opcode)
{
    return opcode == EXTENDED_ARG;
}

#endif

/* For a while: a unit that belongs to the instruction before it. No line has so large a number. */
#define NOTHING_AHEAD UINT32_MAX

typedef struct {
    code_info *info;
    const uint8_t *code;
} weighing;

/* The unit to which a jump leads. */
static uint32_t target_of(const weighing *w, uint32_t unit)
{
    enum { PREFIXES = 3 };
    uint32_t to = w->code[2 * unit + 1];
    for (uint32_t i = 1; i <= PREFIXES && unit >= i && is_prefix(w->code[2 * (unit - i)]); i++)
        to += (uint32_t)w->code[2 * (unit - i) + 1] << 8 * i;
    int where = instructions[w->code[2 * unit]].where;
    return where == FORWARD || where == PERHAPS_FORWARD ? unit + 1 + to : to;
}

/* What lies ahead at `unit`, which is behind `from`; nothing outside of the line, and before. */
static uint32_t ahead_at(const weighing *w, uint32_t from, uint32_t unit, uint32_t end)
{
    return unit > from && unit < end ? ahead_weight(w->info->ahead[unit]) : 0;
}

/* From the instruction at `unit` on; what comes behind it in its line is known. */
static uint32_t weight_from(const weighing *w, uint32_t unit, uint32_t end)
{
    const instruction *one = &instructions[w->code[2 * unit]];
    uint32_t own = (uint32_t)PLAIN_INSTRUCTION + one->more;
    uint32_t behind = ahead_at(w, unit, unit + 1u + one->caches, end);
    switch (one->where) {
    case PERHAPS_FORWARD:
    case PERHAPS_TO:
        return own + (behind + ahead_at(w, unit, target_of(w, unit), end)) / 2;
    case FORWARD:
    case TO:
        return own + ahead_at(w, unit, target_of(w, unit), end);
    case PERHAPS_BACK:
        return own + behind / 2;
    case AWAY:
        return own;
    default:
        return own + behind;
    }
}

/* From the end to the beginning, once it is known where instructions begin. */
static bool weigh_range(void *of, line_range r)
{
    const weighing *w = of;
    uint32_t first = (uint32_t)r.start / 2, end = (uint32_t)r.end / 2;
    uint32_t line = r.line > 0 ? code_line_index(w->info, r.line) : 0, *ahead = w->info->ahead;
    for (uint32_t unit = first; unit < end && unit < w->info->n_ahead;) {
        uint32_t caches = instructions[w->code[2 * unit]].caches;
        ahead[unit++] = line << AHEAD_BITS;
        for (; caches && unit < end; caches--)
            ahead[unit++] = NOTHING_AHEAD;
    }
    uint32_t behind = 0;
    for (uint32_t unit = end; unit-- > first;) {
        bool cache = ahead[unit] == NOTHING_AHEAD;
        uint32_t weight = cache ? behind + PLAIN_INSTRUCTION : weight_from(w, unit, end);
        behind = cache ? behind : weight;
        ahead[unit] = line << AHEAD_BITS | (weight < MOST_AHEAD ? weight : MOST_AHEAD);
    }
    return true;
}

bool instructions_weigh(code_info *info, PyCodeObject *code)
{
    weighing w = {.info = info, .code = code_bytes(code)};
    if (info->folded || info->n_lines > MOST_AHEAD)
        return true;
    info->n_ahead = (uint32_t)code_units(code);
    info->ahead = calloc(info->n_ahead, sizeof *info->ahead);
    if (!info->ahead)
        info->n_ahead = 0;
    return info->ahead && code_each_range(code, weigh_range, &w);
}

#else

bool instructions_weigh(code_info *info, PyCodeObject *code)
{
    (void)info, (void)code;
    return true;
}

#endif
