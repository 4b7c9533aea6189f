/* A broken profile -> a sound one: a merge of one, which tells what it kept. */
#include "merged.h"

#include <stdlib.h>

static size_t lines_with_time(const struct nyt_sums *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->line_count; i++)
        n += s->lines[i].count || s->lines[i].ticks;
    return n;
}

static void tell_what_is_kept(nyt_merged *m, const struct nyt_gathered *g)
{
    size_t paths = m->sums.tree.tree.count;
    nyt_merged_note(m, false,
                    "%llu records were read; kept: %zu files, %zu lines, %zu subs, %zu kinds of"
                    " calls, %zu call paths",
                    (unsigned long long)g->progress.records, m->file_count,
                    lines_with_time(&m->sums), m->sub_count, m->sums.call_count,
                    paths ? paths - 1 : 0);
}

static int fill(nyt_merged *m, const char *name, const struct nyt_source *source,
                struct nyt_gathered *g, nyt_error *err)
{
    int rc = nyt_gather(g, source, true, err);
    if (rc == NYT_OK)
        rc = nyt_merged_add(m, name, g, err);
    if (rc == NYT_OK)
        rc = nyt_merged_settle(m, err);
    if (rc == NYT_OK)
        tell_what_is_kept(m, g);
    else if (rc == NYT_EFORMAT && g->has_fault) {   /* that is why there is nothing in it */
        rc = g->fault.code;
        if (err)
            *err = g->fault;
    }
    return rc;
}

static int recover(nyt_merged **out, const char *name, const struct nyt_source *source,
                   nyt_note_fn note, void *ctx, nyt_error *err)
{
    nyt_merged *m = NULL;
    *out = NULL;
    struct nyt_gathered *g = calloc(1, sizeof *g);
    int rc = g ? nyt_merged_new(&m, true, note, ctx, err)
               : nyt_fail(err, NYT_ENOMEM, "out of memory");
    if (rc == NYT_OK)
        rc = fill(m, name, source, g, err);
    if (g)
        nyt_gathered_free(g);
    free(g);
    if (rc < 0)
        nyt_merged_free(m);
    else
        *out = m;
    return rc;
}

int nyt_recover(nyt_merged **out, const char *path, nyt_note_fn note, void *ctx, nyt_error *err)
{
    return recover(out, path, &(struct nyt_source){.path = path, .ahead = true}, note, ctx, err);
}

int nyt_recover_memory(nyt_merged **out, const nyt_memory *profile, nyt_note_fn note, void *ctx,
                       nyt_error *err)
{
    struct nyt_source source = nyt_source_of(profile);
    source.ahead = true;
    return recover(out, profile->name, &source, note, ctx, err);
}
