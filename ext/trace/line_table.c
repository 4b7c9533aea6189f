/*
 * co_lines() makes a tuple and three ints of each range. Programs bring thousands of code objects,
 * of which most never run: so the table is read here. Its form is described in CPython's
 * Objects/locations.md (from 3.11 on) and Objects/lnotab_notes.txt (3.10).
 */
#include "line_table.h"

#include "base/hash.h"

#include <stdlib.h>

typedef struct {
    const uint8_t *at, *end;
    int offset, line; /* where the next entry begins, and what its line counts from */
} line_table;

#if PY_VERSION_HEX >= 0x030B0000

/* Six bits a byte, the lowest first; bit 6 tells that more follow. */
static unsigned next_number(line_table *t)
{
    enum { BITS = 6, MASK = 63, MORE = 64, WIDTH = 32 };
    unsigned value = 0;
    for (int shift = 0; t->at < t->end; shift += BITS) {
        unsigned byte = *t->at++;
        if (shift < WIDTH)
            value |= (byte & MASK) << shift;
        if (!(byte & MORE))
            break;
    }
    return value;
}

static int next_signed_number(line_table *t)
{
    unsigned value = next_number(t);
    return value & 1 ? -(int)(value >> 1) : (int)(value >> 1);
}

/*
 * An entry's first byte has bit 7, its kind and, in the lowest three bits, its length less one,
 * in units of two bytes. Columns follow, which bear no bit 7.
 */
static inline bool next_entry(line_table *t, line_range *r)
{
    enum { FIRST = 128, KIND_SHIFT = 3, KIND = 15, UNITS = 7, UNIT_BYTES = 2 };
    enum { LINE_AND_COLUMNS = 10, NO_COLUMNS = 13, LONG_FORM = 14, NO_LINE = 15 };
    if (t->at == t->end)
        return false;
    unsigned first = *t->at++, kind = first >> KIND_SHIFT & KIND;
    r->start = t->offset;
    r->end = t->offset += (int)((first & UNITS) + 1) * UNIT_BYTES;
    if (kind == NO_COLUMNS || kind == LONG_FORM)
        t->line += next_signed_number(t);
    else if (kind >= LINE_AND_COLUMNS && kind < NO_COLUMNS)
        t->line += (int)kind - LINE_AND_COLUMNS;
    r->line = kind == NO_LINE ? -1 : t->line;
    while (t->at < t->end && !(*t->at & FIRST))
        t->at++;
    return true;
}

#else

/* Two bytes: the length in bytes, and how far the line is from the one before, or that there is none. */
static inline bool next_entry(line_table *t, line_range *r)
{
    enum { NO_LINE = -128 };
    if (t->end - t->at < 2)
        return false;
    int lines = (int8_t)t->at[1];
    r->start = t->offset;
    r->end = t->offset += t->at[0];
    if (lines != NO_LINE)
        t->line += lines;
    r->line = lines == NO_LINE ? -1 : t->line;
    t->at += 2;
    return true;
}

#endif

static line_table lines_of(PyCodeObject *code)
{
    const uint8_t *bytes = (const uint8_t *)PyBytes_AS_STRING(code->co_linetable);
    return (line_table){.at = bytes,
                        .end = bytes + PyBytes_GET_SIZE(code->co_linetable),
                        .line = code->co_firstlineno};
}

int code_largest_line(PyCodeObject *code)
{
    line_table t = lines_of(code);
    line_range r;
    int largest = 0;
    while (next_entry(&t, &r))
        if (r.line > largest && r.end > r.start)
            largest = r.line;
    return largest;
}

/* ---- Ranges ---- */

/* Of the table that was asked for last: code that is met first is looked at several times in a row. */
static struct {
    PyObject *table; /* owned: no other has its place */
    int first_line;
    line_range *list; /* owned */
    size_t n, cap;
} last;

static bool add_range(line_range r)
{
    line_range *list = nyt_grow(last.list, &last.cap, last.n + 1, sizeof *list);
    if (!list)
        return false;
    last.list = list;
    list[last.n++] = r;
    return true;
}

/* False: no memory. */
static bool find_ranges(PyCodeObject *code)
{
    line_table t = lines_of(code);
    line_range r = {0, 0, -1}, next;
    last.n = 0;
    while (next_entry(&t, &next)) {
        if (next.end == next.start)
            continue;
        if (r.end > r.start && next.line != r.line) {
            if (!add_range(r))
                return false;
            r.start = next.start;
        }
        r.end = next.end;
        r.line = next.line;
    }
    return r.end == r.start || add_range(r);
}

bool code_each_range(PyCodeObject *code, bool (*take)(void *ctx, line_range r), void *ctx)
{
    if (last.table != code->co_linetable || last.first_line != code->co_firstlineno) {
        line_ranges_forget();
        if (!find_ranges(code))
            return false;
        last.table = Py_NewRef(code->co_linetable);
        last.first_line = code->co_firstlineno;
    }
    for (size_t i = 0; i < last.n; i++)
        if (!take(ctx, last.list[i]))
            return false;
    return true;
}

void line_ranges_forget(void)
{
    enum { FEW = 4096 };
    Py_CLEAR(last.table);
    if (last.cap > FEW) {
        free(last.list);
        last.list = NULL;
        last.cap = 0;
    }
}
