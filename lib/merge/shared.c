#include "merge/shared.h"

#include "base/str.h"
#include "format/shared.h"
#include "merge/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* So long may the ranges of one comment be: a file with more of them has several comments. */
enum { RANGES_MOST = 4000, RANGE_ROOM = 32 };

/* ---- Of one input ---- */

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
    struct nyt_merge_name *names = nyt_merge_names(g, fid_of_file);
    bool ok = names != NULL;
    for (size_t i = 0; ok && i < g->shared_count; i++) {
        if (nyt_shared_parse(g->shared[i], &said) != NYT_SHARED_LINES)
            continue;
        uint32_t fid = nyt_merge_named(names, g->file_count, said.file);
        ok = !fid || add_ranges(to, fid, said.ranges);
    }
    free(names);
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
