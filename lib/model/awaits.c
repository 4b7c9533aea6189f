/*
 * Comments name the file, and those of a merged profile may have the same line more than once. A
 * file that the profile does not have has no lines either.
 */
#include "model/awaits.h"

#include "base/str.h"
#include "format/awaited.h"

#include <stdlib.h>

static const nyt_file *file_named(const nyt_profile *p, nyt_str name)
{
    for (size_t i = 0; i < p->file_count; i++)
        if (p->files[i].name.len == name.len && nyt_str_compare(p->files[i].name, name) == 0)
            return &p->files[i];
    return NULL;
}

static int by_place(const void *left, const void *right)
{
    const nyt_await *a = left, *b = right;
    int c = NYT_COMPARE(a->fid, b->fid);
    return c ? c : NYT_COMPARE(a->line, b->line);
}

static void add_up_equal(nyt_profile *p)
{
    size_t kept = 0;
    for (size_t i = 0; i < p->await_count; i++) {
        nyt_await *last = kept ? &p->awaits[kept - 1] : NULL;
        if (last && by_place(last, &p->awaits[i]) == 0) {
            last->count += p->awaits[i].count;
            last->time += p->awaits[i].time;
        } else {
            p->awaits[kept++] = p->awaits[i];
        }
    }
    p->await_count = kept;
}

/* false: out of memory. */
static bool add(nyt_profile *p, const struct nyt_awaited *said)
{
    const nyt_file *file = file_named(p, said->file);
    if (!file)
        return true;
    if (!p->awaits && !(p->awaits = calloc(p->comment_count, sizeof *p->awaits)))
        return false;
    p->awaits[p->await_count++] = (nyt_await){.fid = file->merged_into ? file->merged_into
                                                                       : file->fid,
                                              .line = said->line,
                                              .count = said->count,
                                              .time = nyt_seconds_of(p, (double)said->ticks)};
    return true;
}

/* They are no comments for people any more. Whose thread's they are is not known. */
bool nyt_awaits_find(nyt_profile *p)
{
    struct nyt_awaited said;
    size_t kept = 0;
    uint64_t ticks;
    bool ok = true;
    for (size_t i = 0; ok && i < p->comment_count; i++) {
        if (nyt_awaited_parse(p->comments[i], &said))
            ok = p->sectioned || add(p, &said);
        else if (nyt_processor_wait_parse(p->comments[i], &ticks))
            p->totals.processor_wait += p->sectioned ? 0 : nyt_seconds_of(p, (double)ticks);
        else
            p->comments[kept++] = p->comments[i];
    }
    p->comment_count = kept;
    if (p->await_count > 1)
        qsort(p->awaits, p->await_count, sizeof *p->awaits, by_place);
    add_up_equal(p);
    return ok;
}

const nyt_await *nyt_profile_awaits(const nyt_profile *p, size_t *n)
{
    *n = p->await_count;
    return p->awaits;
}

const nyt_await *nyt_profile_await(const nyt_profile *p, uint32_t fid, uint32_t line)
{
    const nyt_await wanted = {.fid = fid, .line = line};
    return p->await_count ? bsearch(&wanted, p->awaits, p->await_count, sizeof wanted, by_place)
                          : NULL;
}

void nyt_await_json(struct nyt_json *j, const nyt_profile *p, const nyt_await *a)
{
    const nyt_file *file = nyt_profile_file(p, a->fid);
    nyt_json_open(j, NULL, '{');
    nyt_json_count(j, "fid", a->fid);
    nyt_json_optional(j, "file", file ? &file->name : NULL);
    nyt_json_count(j, "line", a->line);
    nyt_json_count(j, "count", a->count);
    nyt_json_number(j, "seconds", a->time);
    nyt_json_close(j, '}');
}
