/*
 * A broken profile -> a sound one: a merge of one, which tells what it kept. One that is damaged
 * is read once more, through salvage.c, for what lies behind the damage.
 */
#include "nytprof.h"

#include "base/error.h"
#include "format/input.h"
#include "merge/input.h"
#include "merge/merge.h"
#include "format/salvage.h"
#include "merge/sums.h"

#include <stdio.h>
#include <stdlib.h>

static size_t lines_with_time(const struct nyt_sums *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->line_count; i++)
        n += s->lines[i].count || s->lines[i].ticks;
    return n;
}

static void tell_what_is_kept(nyt_merged *m, const struct nyt_merge_input *g)
{
    size_t paths = m->sums.tree.tree.count;
    nyt_merged_note(m, false,
                    "%llu records were read; kept: %zu files, %zu lines, %zu subs, %zu kinds of"
                    " calls, %zu call paths",
                    (unsigned long long)g->progress.records, m->file_count,
                    lines_with_time(&m->sums), m->sub_count, m->sums.call_count,
                    paths ? paths - 1 : 0);
}

/* A number of records for so many bytes, as those that were kept have it. */
static uint64_t estimate(const struct nyt_losses *l)
{
    return l->kept ? (uint64_t)((double)l->bytes * (double)l->records / (double)l->kept) : 0;
}

static void tell_losses(nyt_merged *m, const nyt_error *fault, const struct nyt_losses *l)
{
    char place[60];
    nyt_merged_note(m, true, "%s (at offset %llu%s)", fault->message,
                    (unsigned long long)fault->offset,
                    fault->in_deflate ? " of the inflated data" : "");
    for (size_t i = 0; i < l->count && i < NYT_LOSSES_REPORTED; i++) {
        const struct nyt_loss *loss = &l->first[i];
        place[0] = '\0';
        if (loss->inflated != NYT_NOT_INFLATED)
            snprintf(place, sizeof place, " (from %llu of the inflated data on)",
                     (unsigned long long)loss->inflated);
        nyt_merged_note(m, true, "bytes %llu to %llu%s are lost", (unsigned long long)loss->from,
                        (unsigned long long)loss->to - 1, place);
    }
    if (l->count)
        nyt_merged_note(m, true, "%llu bytes in %llu place%s are lost, about %llu records",
                        (unsigned long long)l->bytes, (unsigned long long)l->count,
                        l->count == 1 ? "" : "s", (unsigned long long)estimate(l));
    if (l->checksum)
        nyt_merged_note(m, true,
                        "the checksum is wrong: some figure is false, and nothing tells"
                        " which one");
}

/* Reads it again, now behind the damage as well: what makes sense there. */
static int read_again(struct nyt_merge_input *g, nyt_merged *m, const char *name,
                      const struct nyt_source *source, nyt_error *err)
{
    struct nyt_salvage *s;
    nyt_error fault = g->fault;
    int rc = nyt_salvage_new(&s, source, err);
    if (rc < 0)
        return rc;
    nyt_merge_input_free(g);
    rc = nyt_merge_input_read(g, &(struct nyt_source){.read = nyt_salvage_read, .ctx = s}, true,
                              err);
    if (rc == NYT_OK && g->file_count == 0) {   /* so little that nothing is beyond doubt */
        nyt_merge_input_free(g);
        rc = nyt_merge_input_read(g, source, true, err);
    } else if (rc == NYT_OK) {
        nyt_merge_input_forget_units(g);
        m->path = name;
        tell_losses(m, &fault, nyt_salvage_losses(s));
        m->incomplete = true;
        m->path = NULL;
        g->fault = fault;       /* for those who find nothing */
    }
    nyt_salvage_free(s);
    return rc;
}

static int fill(nyt_merged *m, const char *name, const struct nyt_source *source,
                struct nyt_merge_input *g, nyt_error *err)
{
    int rc = nyt_merge_input_read(g, source, true, err);
    bool damaged = rc == NYT_OK && g->has_fault && !nyt_is_cut_off(&g->fault, &g->progress);
    if (damaged)
        rc = read_again(g, m, name, source, err);
    if (rc == NYT_OK)
        rc = nyt_merged_add(m, name, g, err);
    if (rc == NYT_OK)
        rc = nyt_merged_finish(m, err);
    if (rc == NYT_OK)
        tell_what_is_kept(m, g);
    else if (rc == NYT_EFORMAT && (g->has_fault || damaged)) {  /* that is why it is empty */
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
    struct nyt_merge_input *g = calloc(1, sizeof *g);
    int rc = g ? nyt_merged_new(&m, true, note, ctx, err)
               : nyt_fail(err, NYT_ENOMEM, "out of memory");
    if (rc == NYT_OK)
        rc = fill(m, name, source, g, err);
    if (g)
        nyt_merge_input_free(g);
    free(g);
    if (rc < 0)
        nyt_merged_free(m);
    else
        *out = m;
    return rc;
}

int nyt_recover(nyt_merged **out, const char *path, nyt_note_fn note, void *ctx, nyt_error *err)
{
    return recover(out, path, &(struct nyt_source){.path = path, .threaded = true}, note, ctx, err);
}

int nyt_recover_memory(nyt_merged **out, const nyt_memory *profile, nyt_note_fn note, void *ctx,
                       nyt_error *err)
{
    struct nyt_source source = nyt_source_of(profile);
    source.threaded = true;
    return recover(out, profile->name, &source, note, ctx, err);
}
