#include "merge/awaits.h"

#include "base/str.h"
#include "format/awaited.h"
#include "merge/names.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool nyt_await_sums_add(struct nyt_await_sums *to, const struct nyt_merge_input *g,
                        const uint32_t *fid_of_file, uint32_t ticks_per_sec)
{
    if (!g->await_count || !g->file_count)
        return true;
    struct nyt_merge_name *names = nyt_merge_names(g, fid_of_file);
    bool ok = names != NULL;
    for (size_t i = 0; ok && i < g->await_count; i++) {
        const struct nyt_awaited *said = &g->awaits[i];
        uint32_t fid = nyt_merge_named(names, g->file_count, said->file);
        if (!fid)
            continue;
        ok = NYT_ROOM_FOR_ONE(to->list, to->count, to->cap);
        if (ok)
            to->list[to->count++] = (struct nyt_await_sum){
                .fid = fid,
                .line = said->line,
                .ticks = (uint64_t)nyt_rescale_ticks((int64_t)said->ticks, g->ticks_per_sec,
                                                     ticks_per_sec),
                .count = said->count};
    }
    free(names);
    return ok;
}

static int by_place(const void *left, const void *right)
{
    const struct nyt_await_sum *a = left, *b = right;
    int c = NYT_COMPARE(a->fid, b->fid);
    return c ? c : NYT_COMPARE(a->line, b->line);
}

void nyt_await_sums_join(struct nyt_await_sums *sums)
{
    size_t kept = 0;
    if (sums->count)
        qsort(sums->list, sums->count, sizeof *sums->list, by_place);
    for (size_t i = 0; i < sums->count; i++) {
        struct nyt_await_sum *last = kept ? &sums->list[kept - 1] : NULL;
        if (last && by_place(last, &sums->list[i]) == 0) {
            last->ticks = nyt_add_said(last->ticks, sums->list[i].ticks);
            last->count = nyt_add_said(last->count, sums->list[i].count);
        } else {
            sums->list[kept++] = sums->list[i];
        }
    }
    sums->count = kept;
}

bool nyt_await_sum_text(const struct nyt_await_sum *sum, nyt_str name, struct nyt_buf *text)
{
    char said[80];
    int len = snprintf(said, sizeof said, "awaited %" PRIu64 " %" PRIu64 " %" PRIu32 " ",
                       sum->ticks, sum->count, sum->line);
    return nyt_buf_append(text, said, (size_t)len) && nyt_buf_append(text, name.data, name.len);
}
