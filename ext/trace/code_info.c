/*
 * What is true of a code object is found once: its lines, in order, and the line of each
 * instruction, as far as somebody has asked.
 */
#include "code_info.h"

#include <stdlib.h>
#include <string.h>

/* ---- Lines ---- */

static int compare_ints(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

static uint32_t sort_far_lines(int *lines, uint32_t n_lines)
{
    uint32_t n = 0;
    qsort(lines, n_lines, sizeof *lines, compare_ints);
    for (uint32_t i = 0; i < n_lines; i++)
        if (n == 0 || lines[n - 1] != lines[i])
            lines[n++] = lines[i];
    return n;
}

enum { NEAR_LINES = 4096, WORD_BITS = 64 };

/* Lines from `low` on, all within so many: a bit each. */
static uint32_t sort_near_lines(int *lines, uint32_t n_lines, int low)
{
    uint64_t seen[NEAR_LINES / WORD_BITS] = {0};
    uint32_t n = 0, last = 0;
    for (uint32_t i = 0; i < n_lines; i++) {
        uint32_t at = (uint32_t)(lines[i] - low);
        seen[at / WORD_BITS] |= (uint64_t)1 << at % WORD_BITS;
        last = at > last ? at : last;
    }
    for (uint32_t at = 0; at <= last; at++) {
        lines[n] = low + (int)at;
        n += seen[at / WORD_BITS] >> at % WORD_BITS & 1;
    }
    return n;
}

static void keep_distinct(code_info *info)
{
    int low = info->lines[0], high = low;
    for (uint32_t i = 1; i < info->n_lines; i++) {
        low = info->lines[i] < low ? info->lines[i] : low;
        high = info->lines[i] > high ? info->lines[i] : high;
    }
    uint32_t n = (int64_t)high - low < NEAR_LINES ? sort_near_lines(info->lines, info->n_lines, low)
                                                  : sort_far_lines(info->lines, info->n_lines);
    info->n_lines = n;
    int *exact = realloc(info->lines, n * sizeof *exact);
    if (exact)
        info->lines = exact;
}

/* A table from line to index where the lines lie close together. */
static bool index_lines(code_info *info)
{
    info->low = info->lines[0];
    uint64_t span = (uint64_t)((int64_t)info->lines[info->n_lines - 1] - info->low) + 1;
    if (span > 4 * (uint64_t)info->n_lines + 64)
        return true;
    info->direct = calloc(span, sizeof *info->direct);
    if (!info->direct)
        return false;
    info->span = (uint32_t)span;
    for (uint32_t i = 0; i < info->n_lines; i++)
        info->direct[info->lines[i] - info->low] = i;
    return true;
}

static bool add_line(code_info *info, int line)
{
    size_t cap = info->lines_cap;
    int *lines = nyt_grow(info->lines, &cap, info->n_lines + 1, sizeof *lines);
    if (!lines)
        return false;
    info->lines = lines;
    info->lines_cap = (uint32_t)cap;
    lines[info->n_lines++] = line;
    return true;
}

/* A module begins with an instruction on line 0. */
static bool add_range(void *ctx, line_range r)
{
    code_info *info = ctx;
    return r.line <= 0 || add_line(info, r.line < info->most ? r.line : info->most);
}

int code_last_line(PyCodeObject *code, int most)
{
    int last = code_largest_line(code);
    if (last <= 0)
        last = code->co_firstlineno > 0 ? code->co_firstlineno : 1;
    return last < most ? last : most;
}

bool code_collect_lines(code_info *info, PyCodeObject *code, int most)
{
    info->most = most;
    if (!code_each_range(code, add_range, info))
        return false;
    if (info->n_lines == 0 && !add_line(info, info->first_line > 0 ? info->first_line : 1))
        return false;
    keep_distinct(info);
    return index_lines(info);
}

/* In a folded file: code with other lines is still to come. */
bool code_number_lines(code_info *info, int n)
{
    info->lines = malloc((size_t)n * sizeof *info->lines);
    if (!info->lines)
        return false;
    for (int i = 0; i < n; i++)
        info->lines[i] = i + 1;
    info->n_lines = (uint32_t)n;
    return index_lines(info);
}

void code_forget_lines(code_info *info)
{
    free(info->lines);
    free(info->direct);
    free(info->line_kinds);
    free(info->witnesses);
    free(info->heard);
    free(info->ahead);
    info->ahead = NULL;
    info->n_ahead = 0;
    info->witnesses = NULL;
    info->heard = NULL;
    info->n_witnesses = 0;
    info->lines = NULL;
    info->direct = NULL;
    info->line_kinds = NULL;
    info->n_lines = info->lines_cap = info->span = 0;
}

/* ---- Places: from an offset to its line ---- */

static bool grow_places(code_info *info, uint32_t units)
{
    size_t cap = info->places_cap;
    uint32_t *places = nyt_grow(info->places, &cap, units, sizeof *places);
    if (!places)
        return false;
    info->places = places;
    info->places_cap = (uint32_t)cap;
    return true;
}

static bool place_range(void *of, line_range r)
{
    code_info *info = of;
    uint32_t first = (uint32_t)r.start / 2, end = (uint32_t)r.end / 2;
    if (r.line <= 0)
        return true;
    if (!grow_places(info, end))
        return false;
    for (uint32_t unit = first; unit < end; unit++)
        info->places[unit] = code_line_index(info, r.line) + 1;
    return true;
}

/*
 * CPython decodes a line table from its beginning for each question. For code of many
 * lines all its places are found at once.
 */
static bool place_all(code_info *info, PyCodeObject *code)
{
    enum { MANY_LINES = 10 };
    if (!info->all_placed && info->n_lines >= MANY_LINES)
        info->all_placed = code_each_range(code, place_range, info);
    return info->all_placed;
}

Py_ssize_t code_units(PyCodeObject *code)
{
#if PY_VERSION_HEX >= 0x030B0000
    return Py_SIZE(code);
#else
    return PyBytes_GET_SIZE(code->co_code) / 2;
#endif
}

/*
 * Without memory it is found anew each time; and so is an offset that lies beyond the
 * code, for extensions may tell of such.
 */
uint32_t code_place_found(code_info *info, PyCodeObject *code, int offset)
{
    uint32_t unit = (uint32_t)offset / 2;
    if (place_all(info, code))
        return unit < info->places_cap && info->places[unit] ? info->places[unit] - 1 : 0;
    uint32_t index = code_line_index(info, PyCode_Addr2Line(code, offset));
    if (offset >= 0 && !info->folded && (Py_ssize_t)unit < code_units(code) &&
        grow_places(info, unit + 1))
        info->places[unit] = index + 1;
    return index;
}

bool code_stays_on_line(code_info *info, PyCodeObject *code, int from, int to)
{
    uint32_t a = (uint32_t)from / 2, b = (uint32_t)to / 2;
    if (!place_all(info, code))
        return (a < info->places_cap && info->places[a]) ||
               PyCode_Addr2Line(code, from) == PyCode_Addr2Line(code, to);
    return a < info->places_cap && b < info->places_cap && info->places[a] &&
           info->places[a] == info->places[b];
}

/* ---- The table ---- */

static void slots_free(code_info *info)
{
    tier_forget(info->tier);
    for (uint32_t i = 0; i < info->slots_cap; i++)
        free(info->slots[i]);
    free(info->slots);
    info->slots = NULL;
    info->slots_cap = 0;
}

int codes_begin(code_table *codes)
{
    static uint64_t last_serial;
    static const size_t serials = (size_t)1 << (sizeof(uintptr_t) >= 8 ? 16 : 6);
    codes->c_names = PyDict_New();
    codes->serial = ++last_serial % serials;
    codes->epoch = 1;
    return codes->c_names ? 0 : -1;
}

void codes_forget(code_table *codes)
{
    for (size_t i = 0; i < codes->n; i++)
        slots_free(codes->list[i]);
}

bool code_has_run(const code_info *info)
{
    for (uint32_t i = 0; i < info->slots_cap; i++)
        if (info->slots[i])
            return true;
    return false;
}

void code_info_free(code_info *info)
{
    if (!info)
        return;
    slots_free(info);
    code_forget_lines(info);
    free(info->places);
    free(info->steps);
    tier_free(info->tier);
    Py_XDECREF(info->qualname);
    Py_XDECREF(info->module_name);
    free(info);
}

void codes_free(code_table *codes)
{
    line_ranges_forget();
    for (size_t i = 0; i < codes->n; i++)
        code_info_free(codes->list[i]);
    for (size_t i = 0; i < codes->n_subs; i++)
        free(codes->subs[i].base);
    free(codes->list);
    free(codes->subs);
    codes->list = NULL;
    codes->subs = NULL;
    codes->n = codes->n_subs = codes->cap = codes->subs_cap = 0;
    nyt_map_free(&codes->c_methods);
    nyt_map_free(&codes->by_identity);
    Py_CLEAR(codes->c_names);
    memset(codes->recent, 0, sizeof codes->recent);
}
