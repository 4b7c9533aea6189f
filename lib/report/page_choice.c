/*
 * What a page shows of a profile that is too large for it: of each list the entries with the most
 * time. A call path that is left out gives its time to the path it goes on from, so that sums hold.
 */
#include "report/page_choice.h"

#include "base/str.h"

#include <math.h>
#include <stdlib.h>

struct weight {
    double value;
    size_t item;
};

static int heaviest_first(const void *left, const void *right)
{
    const struct weight *a = left, *b = right;
    int c = NYT_COMPARE(b->value, a->value);
    return c ? c : NYT_COMPARE(a->item, b->item);
}

static double sound(double value)
{
    return isfinite(value) ? value : 0;
}

/* Marks the `cap` heaviest of n; *left: how many more there are. NULL: out of memory. */
static bool *keep_heaviest(struct weight *weights, size_t n, size_t all, size_t cap, size_t *left)
{
    bool *kept = calloc(all + 1, sizeof *kept);
    if (!kept)
        return NULL;
    if (n > cap)
        qsort(weights, n, sizeof *weights, heaviest_first);
    for (size_t i = 0; i < n && i < cap; i++)
        kept[weights[i].item] = true;
    *left = n > cap ? n - cap : 0;
    return kept;
}

/* The time of each file's lines, by its index. NULL: out of memory. */
static struct weight *file_weights(const nyt_profile *p)
{
    struct weight *weights = calloc(p->file_count + 1, sizeof *weights);
    for (size_t i = 0; weights && i < p->file_count; i++) {
        size_t n;
        const nyt_line *lines = nyt_profile_lines(p, NYT_LEVEL_LINE, p->files[i].fid, &n);
        weights[i].item = i;
        for (size_t k = 0; k < n && !p->files[i].merged_into; k++)
            weights[i].value += sound(lines[k].time);
    }
    return weights;
}

static bool choose_files(struct nyt_page_choice *c, const nyt_profile *p, size_t cap)
{
    struct weight *weights = file_weights(p);
    if (weights)
        c->files = keep_heaviest(weights, p->file_count, p->file_count, cap, &c->files_left);
    free(weights);
    return c->files != NULL;
}

/* Only those of files that are shown. */
static bool choose_lines(struct nyt_page_choice *c, const nyt_profile *p, size_t cap)
{
    size_t all, n = 0;
    const nyt_line *lines = nyt_profile_all_lines(p, NYT_LEVEL_LINE, &all);
    struct weight *weights = calloc(all + 1, sizeof *weights);
    for (size_t i = 0; weights && i < all; i++) {
        const nyt_file *file = nyt_profile_file(p, lines[i].fid);
        if (file && !file->merged_into && c->files[file - p->files])
            weights[n++] = (struct weight){.value = sound(lines[i].time), .item = i};
    }
    c->lines = weights ? keep_heaviest(weights, n, all, cap, &c->lines_left) : NULL;
    free(weights);
    return c->lines != NULL;
}

/* A sub that calls is shown even if nobody called it: Perl's main::RUNTIME. */
static bool choose_subs(struct nyt_page_choice *c, const nyt_profile *p, size_t cap)
{
    size_t n = 0;
    struct weight *weights = calloc(p->sub_count + 1, sizeof *weights);
    bool *calls = calloc(p->sub_count + 1, sizeof *calls);
    for (size_t i = 0; calls && i < p->call_count; i++) {
        const nyt_sub *caller = nyt_profile_sub(p, p->calls[i].caller);
        if (caller)
            calls[caller - p->subs] = true;
    }
    for (size_t i = 0; weights && calls && i < p->sub_count; i++)
        if (p->subs[i].calls || calls[i])
            weights[n++] = (struct weight){.value = sound(p->subs[i].incl), .item = i};
    if (weights && calls)
        c->subs = keep_heaviest(weights, n, p->sub_count, cap, &c->subs_left);
    free(calls);
    free(weights);
    return c->subs != NULL;
}

/* Only those of subs that are shown. */
static bool choose_calls(struct nyt_page_choice *c, const nyt_profile *p, size_t cap)
{
    size_t n = 0;
    struct weight *weights = calloc(p->call_count + 1, sizeof *weights);
    for (size_t i = 0; weights && i < p->call_count; i++)
        if (p->calls[i].count && c->subs[p->calls[i].called - p->subs])
            weights[n++] = (struct weight){.value = sound(p->calls[i].incl), .item = i};
    c->calls = weights ? keep_heaviest(weights, n, p->call_count, cap, &c->calls_left) : NULL;
    free(weights);
    return c->calls != NULL;
}

/* ---- Call paths ---- */

/* With what was called from there, whatever the file says of it. */
static double *inclusive_ticks(const nyt_profile *p)
{
    double *incl = calloc(p->node_count, sizeof *incl);
    for (size_t i = p->node_count; incl && i-- > 0;) {
        incl[i] += sound(p->nodes[i].excl) > 0 ? p->nodes[i].excl : 0;
        if (i > 0)
            incl[p->nodes[i].parent] += incl[i];
    }
    return incl;
}

/* A path is only shown with the one it goes on from, which has at least its time. */
static bool choose_nodes(struct nyt_page_choice *c, const nyt_profile *p, size_t cap)
{
    double *incl = inclusive_ticks(p);
    struct weight *weights = calloc(p->node_count + 1, sizeof *weights);
    c->node_at = calloc(p->node_count + 1, sizeof *c->node_at);
    size_t n = 0;
    for (size_t i = 0; incl && weights && i < p->node_count; i++)
        if (i == 0 || incl[i] > incl[0] / 10000)
            weights[n++] = (struct weight){.value = i == 0 ? INFINITY : incl[i], .item = i};
    if (incl && weights && c->node_at)
        c->nodes = keep_heaviest(weights, n, p->node_count, cap > 0 ? cap : 1, &c->nodes_left);
    c->nodes_left += p->node_count - n;
    free(weights);
    free(incl);
    if (!c->nodes)
        return false;
    uint32_t shown = 0;
    for (size_t i = 0; i < p->node_count; i++) {
        uint32_t up = p->nodes[i].parent;
        c->nodes[i] = i == 0 || (c->nodes[i] && c->nodes[up]);
        c->node_at[i] = c->nodes[i] ? shown++ : c->node_at[up];
    }
    return true;
}

bool nyt_page_choose(struct nyt_page_choice *c, const nyt_profile *p,
                     const struct nyt_page_caps *caps)
{
    *c = (struct nyt_page_choice){0};
    c->processes = p->process_count < caps->processes ? p->process_count : caps->processes;
    c->processes_left = p->process_count - c->processes;
    return choose_files(c, p, caps->files) && choose_lines(c, p, caps->lines) &&
           choose_subs(c, p, caps->subs) && choose_calls(c, p, caps->calls) &&
           choose_nodes(c, p, caps->nodes);
}

void nyt_page_choice_free(struct nyt_page_choice *c)
{
    free(c->files);
    free(c->lines);
    free(c->subs);
    free(c->calls);
    free(c->nodes);
    free(c->node_at);
    *c = (struct nyt_page_choice){0};
}
