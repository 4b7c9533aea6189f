#include "merge/shared.h"

#include "base/str.h"
#include "format/shared.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* So long may the ranges of one comment be: a file with more of them has several comments. */
enum { RANGES_MOST = 4000, RANGE_ROOM = 32 };

/* ---- Of one input ---- */

struct named {
    nyt_str name;
    uint32_t fid; /* in the result */
};

static int by_name(const void *left, const void *right)
{
    const struct named *a = left, *b = right;
    int c = nyt_str_compare(a->name, b->name);
    return c ? c : NYT_COMPARE(a->fid, b->fid);
}

static int same_name(const void *left, const void *right)
{
    return nyt_str_compare(((const struct named *)left)->name, ((const struct named *)right)->name);
}

static bool add_ranges(struct nyt_shared_ranges *to, uint32_t fid, nyt_str ranges)
{
    uint32_t first, last;
    while (nyt_shared_next(&ranges, &first, &last)) {
        if (!NYT_ROOM_FOR_ONE(to->list, to->count, to->cap))
            return false;
        to->list[to->count++] = (struct nyt_shared_range){.fid = fid, .first = first, .last = last};
    }
    return true;
}

bool nyt_shared_add(struct nyt_shared_ranges *to, const struct nyt_merge_input *g,
                    const uint32_t *fid_of_file)
{
    struct nyt_shared_said said;
    if (!g->shared_count || !g->file_count)
        return true;
    struct named *files = calloc(g->file_count, sizeof *files);
    bool ok = files != NULL;
    for (size_t i = 0; ok && i < g->file_count; i++)
        files[i] = (struct named){.name = g->files[i].name, .fid = fid_of_file[i]};
    if (ok)
        qsort(files, g->file_count, sizeof *files, by_name);
    for (size_t i = 0; ok && i < g->shared_count; i++) {
        if (nyt_shared_parse(g->shared[i], &said) != NYT_SHARED_LINES)
            continue;
        const struct named wanted = {.name = said.file};
        const struct named *file = bsearch(&wanted, files, g->file_count, sizeof *files, same_name);
        ok = !file || add_ranges(to, file->fid, said.ranges);
    }
    free(files);
    return ok;
}

/* ---- Of all ---- */

static int by_place(const void *left, const void *right)
{
    const struct nyt_shared_range *a = left, *b = right;
    int c = NYT_COMPARE(a->fid, b->fid);
    c = c ? c : NYT_COMPARE(a->first, b->first);
    return c ? c : NYT_COMPARE(a->last, b->last);
}

void nyt_shared_join(struct nyt_shared_ranges *ranges)
{
    size_t kept = 0;
    if (ranges->count)
        qsort(ranges->list, ranges->count, sizeof *ranges->list, by_place);
    for (size_t i = 0; i < ranges->count; i++) {
        const struct nyt_shared_range *r = &ranges->list[i];
        struct nyt_shared_range *last = kept ? &ranges->list[kept - 1] : NULL;
        if (last && last->fid == r->fid && r->first <= (uint64_t)last->last + 1)
            last->last = r->last > last->last ? r->last : last->last;
        else
            ranges->list[kept++] = *r;
    }
    ranges->count = kept;
}

static bool add_range(struct nyt_buf *text, const struct nyt_shared_range *r, bool first)
{
    char number[RANGE_ROOM];
    int len = snprintf(number, sizeof number, "%s%u", first ? "" : ",", (unsigned)r->first);
    if (r->last > r->first)
        len += snprintf(number + len, sizeof number - (size_t)len, "-%u", (unsigned)r->last);
    return nyt_buf_append(text, number, (size_t)len);
}

bool nyt_shared_text(const struct nyt_shared_ranges *ranges, size_t *at, nyt_str name,
                     struct nyt_buf *text)
{
    static const char word[] = "shared ";
    const size_t from = *at;
    const uint32_t fid = ranges->list[from].fid;
    bool ok = nyt_buf_append(text, word, sizeof word - 1);
    for (; ok && *at < ranges->count && ranges->list[*at].fid == fid && text->len < RANGES_MOST;
         ++*at)
        ok = add_range(text, &ranges->list[*at], *at == from);
    return ok && nyt_buf_append(text, " ", 1) && nyt_buf_append(text, name.data, name.len);
}
