#include "marks.h"

#include "base/memory.h"
#include "tier.h"

#include <stdlib.h>

/* Has it been run, in any lane or unit of work? */
static bool has_figures(const code_info *info, uint32_t line)
{
    bool has = false;
    for (uint32_t i = 0; !has && i < info->slots_cap; i++)
        has = info->slots[i] && (info->slots[i][line].count || info->slots[i][line].time);
    return has;
}

/* false: out of memory. */
static bool add_lines(const tracer *t, const code_info *info, marked_line **list, size_t *n,
                      size_t *cap)
{
    uint32_t fid = t->files.list[info->file].fid;
    if (!fid || !info->tier || !info->tier->has_been_off)
        return true;
    marked_line *grown = nyt_grow(*list, cap, *n + info->n_lines, sizeof **list);
    if (!grown)
        return false;
    *list = grown;
    for (uint32_t k = 0; k < info->n_lines; k++)
        if (info->tier->shared[k] && has_figures(info, k))
            grown[(*n)++] = (marked_line){.fid = fid, .line = (uint32_t)info->lines[k]};
    return true;
}

static int by_place(const void *left, const void *right)
{
    const marked_line *a = left, *b = right;
    if (a->fid != b->fid)
        return a->fid < b->fid ? -1 : 1;
    return (a->line > b->line) - (a->line < b->line);
}

static size_t without_doubles(marked_line *list, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!kept || by_place(&list[kept - 1], &list[i]) != 0)
            list[kept++] = list[i];
    return kept;
}

marked_line *marked_lines(const tracer *t, size_t *n)
{
    marked_line *list = NULL;
    size_t cap = 0;
    bool ok = true;
    *n = 0;
    for (size_t i = 0; ok && i < t->codes.n; i++)
        ok = add_lines(t, t->codes.list[i], &list, n, &cap);
    if (!ok || !*n) {
        free(list);
        *n = !ok;
        return NULL;
    }
    qsort(list, *n, sizeof *list, by_place);
    *n = without_doubles(list, *n);
    return list;
}

size_t marked_range(const marked_line *lines, size_t n, size_t at)
{
    while (at + 1 < n && lines[at + 1].fid == lines[at].fid &&
           lines[at + 1].line == lines[at].line + 1)
        at++;
    return at;
}
