/*
 * Comments name the file, and those of a merged profile may have the same line more than once. A
 * file that the profile does not have has no lines either.
 */
#include "model/awaits.h"

#include "base/str.h"
#include "format/awaited.h"
#include "model/file_names.h"

#include <stdlib.h>

static bool keep(struct nyt_loader *l, const struct nyt_awaited *said)
{
    bool ok = NYT_ROOM_FOR_ONE(l->awaits, l->await_count, l->await_cap);
    if (ok) {
        l->awaits[l->await_count] = *said;
        l->awaits[l->await_count++].file = nyt_arena_str(&l->p->texts, said->file, &ok);
    }
    return ok;
}

bool nyt_awaits_heed(struct nyt_loader *l, nyt_str comment, bool *ok)
{
    struct nyt_awaited said;
    uint64_t ticks;
    *ok = true;
    if (nyt_awaited_parse(comment, &said) == NYT_AWAITED_LINE) {
        *ok = keep(l, &said);
        return true;
    }
    if (!nyt_processor_wait_parse(comment, &ticks))
        return false;
    l->processor_wait += (double)ticks;
    return true;
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

static void add_all(struct nyt_loader *l, const nyt_file *const *files)
{
    nyt_profile *p = l->p;
    for (size_t i = 0; i < l->await_count; i++) {
        const struct nyt_awaited *said = &l->awaits[i];
        const nyt_file *file = nyt_file_named(p, files, said->file);
        if (file)
            p->awaits[p->await_count++] = (nyt_await){
                .fid = file->merged_into ? file->merged_into : file->fid,
                .line = said->line,
                .count = said->count,
                .time = nyt_seconds_of(p, (double)said->ticks)};
    }
}

/* Whose thread's they are is not known. */
bool nyt_awaits_finish(struct nyt_loader *l)
{
    nyt_profile *p = l->p;
    if (p->sectioned)
        return true;
    p->totals.processor_wait = nyt_seconds_of(p, l->processor_wait);
    if (!l->await_count)
        return true;
    const nyt_file **files = nyt_files_by_name(p);
    p->awaits = calloc(l->await_count, sizeof *p->awaits);
    bool ok = files && p->awaits;
    if (ok)
        add_all(l, files);
    if (p->await_count > 1)
        qsort(p->awaits, p->await_count, sizeof *p->awaits, by_place);
    add_up_equal(p);
    free(files);
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
