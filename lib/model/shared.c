/*
 * Comments name the file, and each has many ranges of lines. Where ranges begin and end is noted
 * first, and then all lines are walked once, so that hostile files cost no more than honest ones.
 */
#include "model/shared.h"

#include "format/shared.h"
#include "model/file_names.h"

#include <stdlib.h>

bool nyt_shared_heed(struct nyt_loader *l, nyt_str comment, bool *ok)
{
    struct nyt_shared_said said;
    *ok = true;
    if (nyt_shared_parse(comment, &said) != NYT_SHARED_LINES)
        return false;
    *ok = NYT_ROOM_FOR_ONE(l->shared, l->shared_count, l->shared_cap);
    if (*ok)
        l->shared[l->shared_count++] = nyt_arena_str(&l->p->texts, comment, ok);
    return true;
}

/* The first of `n` lines whose number is `line` or more. */
static size_t first_from(const nyt_line *lines, size_t n, uint64_t line)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (lines[middle].line < line)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* `edges`, by line of all: so many more ranges begin there than have ended before it. */
static void note_ranges(const nyt_profile *p, uint32_t fid, nyt_str ranges, int64_t *edges)
{
    size_t n;
    uint32_t first, last;
    const nyt_line *lines = nyt_profile_lines(p, NYT_LEVEL_LINE, fid, &n);
    size_t before = (size_t)(lines - p->lines[NYT_LEVEL_LINE].list);
    while (n && nyt_shared_next(&ranges, &first, &last)) {
        edges[before + first_from(lines, n, first)]++;
        edges[before + first_from(lines, n, (uint64_t)last + 1)]--;
    }
}

static void note_all(const struct nyt_loader *l, const nyt_file *const *files, int64_t *edges)
{
    struct nyt_shared_said said;
    for (size_t i = 0; i < l->shared_count; i++) {
        if (nyt_shared_parse(l->shared[i], &said) != NYT_SHARED_LINES)
            continue;
        const nyt_file *file = nyt_file_named(l->p, files, said.file);
        if (file)
            note_ranges(l->p, file->fid, said.ranges, edges);
        if (file && file->merged_into)
            note_ranges(l->p, file->merged_into, said.ranges, edges);
    }
}

bool nyt_shared_finish(struct nyt_loader *l)
{
    struct nyt_lines *lines = &l->p->lines[NYT_LEVEL_LINE];
    if (!l->shared_count || !lines->count)
        return true;
    const nyt_file **files = nyt_files_by_name(l->p);
    int64_t *edges = calloc(lines->count + 1, sizeof *edges), open = 0;
    bool ok = files && edges;
    if (ok)
        note_all(l, files, edges);
    for (size_t i = 0; ok && i < lines->count; i++) {
        open += edges[i];
        lines->list[i].shared = open > 0 && lines->list[i].time > 0;
        l->p->has_shared |= lines->list[i].shared;
    }
    free(files);
    free(edges);
    return ok;
}
