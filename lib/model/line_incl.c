/* Lines, subs and calls are walked side by side, with those subs on a stack that the line is in. */
#include "model/line_incl.h"

#include "base/str.h"

#include <stdlib.h>

struct walk {
    const nyt_sub **subs; /* by file and first line, the outer one first */
    size_t count, at; /* the next that does not begin before the line */
    const nyt_sub **around;
    size_t depth;
    uint32_t fid;
    const nyt_call *const *calls; /* of that file, from the line on */
    size_t call_count;
};

static int compare(const void *left, const void *right)
{
    const nyt_sub *a = *(const nyt_sub *const *)left, *b = *(const nyt_sub *const *)right;
    int c = NYT_COMPARE(a->fid, b->fid);
    c = c ? c : NYT_COMPARE(a->first, b->first);
    c = c ? c : NYT_COMPARE(b->last, a->last);
    return c ? c : NYT_COMPARE(a, b);
}

static bool begin(struct walk *w, const nyt_profile *p)
{
    *w = (struct walk){.subs = calloc(p->sub_count + 1, sizeof *w->subs),
                       .around = calloc(p->sub_count + 1, sizeof *w->around)};
    if (!w->subs || !w->around)
        return false;
    for (size_t i = 0; i < p->sub_count; i++)
        if (p->subs[i].kind == NYT_KIND_CODE && p->subs[i].first)
            w->subs[w->count++] = &p->subs[i];
    qsort(w->subs, w->count, sizeof *w->subs, compare);
    return true;
}

static void go_to_calls(struct walk *w, const nyt_profile *p, const nyt_line *line)
{
    if (w->fid != line->fid)
        w->calls = nyt_profile_calls(p, line->fid, &w->call_count);
    w->fid = line->fid;
    for (; w->call_count && (*w->calls)->line < line->line; w->call_count--)
        w->calls++;
}

static void go_to_subs(struct walk *w, const nyt_line *line)
{
    if (w->depth && w->around[0]->fid != line->fid)
        w->depth = 0;
    for (; w->at < w->count; w->at++) {
        const nyt_sub *sub = w->subs[w->at];
        if (sub->fid > line->fid || (sub->fid == line->fid && sub->first >= line->line))
            break;
        while (w->depth && w->around[w->depth - 1]->last < sub->first)
            w->depth--;
        if (sub->fid == line->fid)
            w->around[w->depth++] = sub;
    }
    while (w->depth && w->around[w->depth - 1]->last < line->line)
        w->depth--;
}

/* Is it `sub` that runs the line? Below a decorator it is who defines the sub. */
static bool is_run_by(const struct walk *w, const nyt_profile *p, const nyt_line *line,
                      const nyt_sub *sub)
{
    for (size_t i = 0; i < w->call_count && w->calls[i]->line == line->line; i++) {
        const nyt_sub *caller = nyt_profile_sub(p, w->calls[i]->caller);
        bool is_here = caller && caller->fid == line->fid && caller->first == line->line;
        if (caller && caller->kind == NYT_KIND_CODE && caller != sub && !is_here)
            return false;
    }
    return true;
}

/* What the line can have taken at most; 0: it is not known. */
static double most_of(const struct walk *w, const nyt_profile *p, const nyt_line *line)
{
    const nyt_sub *sub = w->depth ? w->around[w->depth - 1] : NULL;
    double most = sub && sub->calls && is_run_by(w, p, line, sub) ? sub->incl : 0;
    for (size_t i = w->at; i < w->count && most > 0; i++) {
        if (w->subs[i]->fid != line->fid || w->subs[i]->first != line->line)
            break;
        most += w->subs[i]->incl;
    }
    return most;
}

bool nyt_line_incl_bound(nyt_profile *p, const double *dearest)
{
    struct walk w;
    bool ok = begin(&w, p);
    struct nyt_lines *lines = &p->lines[NYT_LEVEL_LINE];
    for (size_t i = 0; ok && i < lines->count; i++) {
        nyt_line *line = &lines->list[i];
        double least = line->time + dearest[i];
        if (!(line->incl > least))
            continue;
        go_to_subs(&w, line);
        go_to_calls(&w, p, line);
        double most = most_of(&w, p, line);
        if (most > 0 && line->incl > most)
            line->incl = most > least ? most : least;
    }
    free(w.subs);
    free(w.around);
    return ok;
}
