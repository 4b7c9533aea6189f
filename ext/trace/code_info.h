/* What is true of a code object: its lines, and which instruction stands on which. */
#ifndef PYNYTPROF_TRACE_CODE_INFO_H
#define PYNYTPROF_TRACE_CODE_INFO_H

#include "line_table.h"
#include "tier.h"
#include "trace.h"
#include "util.h"

/* What is known of the line that each call begins with (opening.h). */
enum opening_state { OPENING_UNSOUGHT, OPENING_NONE, OPENING_EXPECTED, OPENING_KNOWN };

/* Equal code objects share one. */
struct code_info {
    /* Its identity (code_identity.h); these two are owned, and may be NULL. */
    PyObject *qualname, *module_name;
    Py_hash_t line_table;
    int defined_at;
    uint32_t next_of_key; /* index + 1 of another one with that key; 0: none */
    uint32_t file;      /* index in the table of files */
    uint32_t sub;       /* index in the table of subs */
    int first_line;
    bool skip;
    bool module;        /* of a module, or of a text given to exec or eval */
    bool awaits;        /* of a coroutine or an asynchronous generator */
    bool unit;          /* it calls what is a unit of work, under that unit's name */
    bool folded;        /* it stands for code objects that are not equal */
    uint32_t n_lines;   /* distinct lines; they are found when it runs */
    int *lines;         /* ascending */
    uint32_t lines_cap; /* while they are collected */
    uint8_t *line_kinds; /* see code_line_kind(); NULL before it runs */
    uint32_t *ahead; /* by offset in code units, instructions.h; NULL: not known */
    uint32_t n_ahead;
    uint32_t *witnesses; /* indexes of lines that take next to nothing (witness.h) */
    uint32_t n_witnesses;
    line_slot *heard; /* what each of these had when asked last; NULL: none has been */
    uint32_t heard_at; /* the place at which that was */
    int low;            /* lines[0] */
    int most;           /* no line is past that */
    uint32_t span;      /* direct holds that many, or 0: search */
    uint32_t *direct;   /* line - low -> index; 0: it has none, too */
    line_slot **slots;  /* by place (contexts.h), NULL where it never ran there */
    uint32_t slots_cap;
    uint32_t *places; /* by offset in code units: index + 1 of its line, 0: not known */
    uint32_t places_cap;
    bool all_placed; /* 0: it has no line */
    uint32_t *steps; /* by offset in code units, steps.h; NULL: LINE events tell */
    uint32_t n_steps;
    bool no_steps; /* they have been looked for in vain */
    const void *code; /* the code object that has run; borrowed, to be compared only */
    bool no_tier; /* its lines have all their events: another has run, too, or nothing follows */
    uint64_t due; /* with tiers: once a line has started so often there is something to do */
    code_tier *tier; /* of hot code; NULL: LINE tells of all its lines */
    enum opening_state opening;
    uint32_t begun;        /* how often, until it is sought */
    uint32_t opening_line; /* index in lines, */
    uint32_t opening_unit; /* and the offset in code units of the instruction that it starts with */
};

enum { RECENT_METHODS = 128 };

typedef struct {
    code_info **list;
    size_t n, cap;
    struct nyt_map by_identity; /* hash -> index + 1 of the last that has it */
    uint64_t serial; /* of the tracer in this process: part of code objects' marks */
    uint32_t epoch; /* counts starts: code marked in another one is looked at again */
    sub_info *subs;
    size_t n_subs, subs_cap;
    struct nyt_map c_methods; /* PyMethodDef -> sub */
    PyObject *c_names; /* dict: name -> sub */
    struct {
        const PyMethodDef *method;
        uint32_t sub;
    } recent[RECENT_METHODS]; /* by address: found without hashing */
} code_table;

/* The largest line of the code, but not past `most`. */
int code_last_line(PyCodeObject *code, int most);
/*
 * Finds the lines of the code, of which those past `most` are taken for that one; or numbers as
 * many as a folded file has. False: out of memory.
 */
bool code_collect_lines(code_info *info, PyCodeObject *code, int most);
bool code_number_lines(code_info *info, int n);
/* As if they had not been looked for. */
void code_forget_lines(code_info *info);

/* How many units of two bytes the code has. */
Py_ssize_t code_units(PyCodeObject *code);
/* Whether a lane has ever run it. */
bool code_has_run(const code_info *info);
/* Whether a jump stays on its line. One whose place alone is known has been found to. */
bool code_stays_on_line(code_info *info, PyCodeObject *code, int from, int to);
/* The slow part of code_place(). */
uint32_t code_place_found(code_info *info, PyCodeObject *code, int offset);
void code_info_free(code_info *info);

/* -1 with an exception. */
int codes_begin(code_table *codes);
/* Forgets how often all lines have run. */
void codes_forget(code_table *codes);
void codes_free(code_table *codes);

/*
 * Index in info->lines; a line that the table lacks (co_positions lie) gets the first, and one
 * past its end the last.
 */
static inline uint32_t code_line_index(const code_info *info, int line)
{
    if (LIKELY(info->span)) {
        uint32_t at = (uint32_t)(line - info->low);
        if (LIKELY(at < info->span))
            return info->direct[at];
        return line > info->low ? info->n_lines - 1 : 0;
    }
    uint32_t low = 0, high = info->n_lines;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (info->lines[mid] < line)
            low = mid + 1;
        else
            high = mid;
    }
    return low == info->n_lines ? low - 1 : info->lines[low] == line ? low : 0;
}

/* In line_kinds: the line is one whose count follows from others', and has no events (tiers.c). */
#define LINE_IS_OFF 0x80

/* What an event at a line costs, given its index: a cost_kind. */
static inline uint8_t code_line_kind(const code_info *info, uint32_t line)
{
    return info->line_kinds[line] & (LINE_IS_OFF - 1);
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

#endif
