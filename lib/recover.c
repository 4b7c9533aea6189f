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

static int recover(nyt_merged *m, const char *path, struct nyt_gathered *g, nyt_error *err)
{
    int rc = nyt_gather(g, &(struct nyt_source){.path = path}, true, err);
    if (rc == NYT_OK)
        rc = nyt_merged_add(m, path, g, err);
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

int nyt_recover(nyt_merged **out, const char *path, nyt_note_fn note, void *ctx, nyt_error *err)
{
    nyt_merged *m = NULL;
    *out = NULL;
    struct nyt_gathered *g = calloc(1, sizeof *g);
    int rc = g ? nyt_merged_new(&m, true, note, ctx, err)
               : nyt_fail(err, NYT_ENOMEM, "out of memory");
    if (rc == NYT_OK)
        rc = recover(m, path, g, err);
    if (g)
        nyt_gathered_free(g);
    free(g);
    if (rc < 0)
        nyt_merged_free(m);
    else
        *out = m;
    return rc;
}
