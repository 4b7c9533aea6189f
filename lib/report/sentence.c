/* The answer in one sentence: where the time went, the line that costs most, and who calls it. */
#include "report/sentence.h"

#include "report/short_path.h"

#include <math.h>

enum { NAME_COLUMNS = 60 };

/* ---- What is told ---- */

const nyt_line *nyt_hottest_line(const nyt_profile *p)
{
    const nyt_line *of_project = NULL, *of_all = NULL;
    size_t n;
    const nyt_line *lines = nyt_profile_all_lines(p, NYT_LEVEL_LINE, &n);
    nyt_scope scope = NYT_SCOPE_GENERATED;
    for (size_t i = 0; i < n; i++) {
        const nyt_line *line = &lines[i];
        if (i == 0 || lines[i - 1].fid != line->fid)
            scope = nyt_profile_scope(p, line->fid);
        if (!(line->time > 0) || !isfinite(line->time))
            continue;
        if (!of_all || line->time > of_all->time)
            of_all = line;
        if (scope == NYT_SCOPE_PROJECT && (!of_project || line->time > of_project->time))
            of_project = line;
    }
    return of_project ? of_project : of_all;
}

const nyt_sub *nyt_sub_around(const nyt_profile *p, uint32_t fid, uint32_t line)
{
    const nyt_sub *best = NULL;
    size_t n;
    const nyt_sub *const *subs = nyt_profile_defined(p, fid, &n);
    for (size_t i = 0; i < n; i++) {
        bool around = subs[i]->fid == fid && subs[i]->first && subs[i]->first <= line &&
                      line <= subs[i]->last;
        if (around && (!best || subs[i]->first >= best->first))
            best = subs[i];
    }
    return best;
}

static const nyt_call *dearest_caller(const nyt_profile *p, const nyt_sub *sub)
{
    size_t n;
    const nyt_call *calls = nyt_profile_callers(p, sub, &n), *best = NULL;
    for (size_t i = 0; i < n; i++)
        if (calls[i].count && calls[i].line && (!best || calls[i].incl > best->incl))
            best = &calls[i];
    return best;
}

/* ---- Words ---- */

static void put_percent(struct nyt_out *o, double part, double whole)
{
    double percent = whole > 0 ? 100 * part / whole : 0;
    nyt_out_fixed(o, 0, percent < 9.95 ? 1 : 0, percent);
    nyt_out_text(o, " %");
}

static void put_place(struct nyt_out *o, const nyt_profile *p, uint32_t fid, uint32_t line)
{
    const nyt_file *file = nyt_profile_file(p, fid);
    if (!file) {
        nyt_out_text(o, "(no file)");
        return;
    }
    struct nyt_short_path path = nyt_short_path(p, file, nyt_project_folder(p));
    nyt_out_text(o, path.prefix);
    nyt_out_safe(o, path.rest, NAME_COLUMNS);
    nyt_out_format(o, ":%u", (unsigned)line);
}

static void put_part(struct nyt_out *o, const nyt_split *split)
{
    static const char *const phrases[NYT_PARTS] = {
        [NYT_PART_PROJECT] = "is in the project",
        [NYT_PART_PACKAGES] = "is in installed packages",
        [NYT_PART_LIBRARY] = "is in the standard library",
        [NYT_PART_IMPORTS] = "went into imports",
        [NYT_PART_WAITING] = "was spent waiting"};
    int largest = 0;
    for (int part = 1; part < NYT_PARTS; part++)
        if (split->seconds[part] > split->seconds[largest])
            largest = part;
    put_percent(o, split->seconds[largest], split->total);
    nyt_out_format(o, " of the time %s", phrases[largest]);
}

static void put_figures(struct nyt_out *o, const nyt_profile *p, const nyt_line *line)
{
    nyt_out_text(o, " (");
    put_percent(o, line->time, p->totals.statement_time);
    nyt_out_text(o, ", ");
    nyt_out_count(o, line->count, 0);
    nyt_out_text(o, line->count == 1 ? " time" : " times");
    if (line->count > 1) {
        nyt_out_text(o, ", ");
        nyt_out_time(o, line->time / (double)line->count, 0);
        nyt_out_text(o, " each");
    }
    nyt_out_text(o, ")");
}

static void put_caller(struct nyt_out *o, const nyt_profile *p, const nyt_sub *sub)
{
    const nyt_call *caller = dearest_caller(p, sub);
    if (!caller || !caller->caller.len)
        return;
    nyt_out_text(o, ", called by ");
    nyt_out_safe(o, caller->caller, NAME_COLUMNS);
    nyt_out_text(o, " (");
    put_place(o, p, caller->fid, caller->line);
    nyt_out_text(o, ")");
}

void nyt_put_sentence(struct nyt_out *o, const nyt_profile *p)
{
    nyt_split split = nyt_profile_split(p);
    const nyt_line *line = nyt_hottest_line(p);
    if (!line || !(split.total > 0)) {
        nyt_out_text(o, "The profile holds no time.");
        return;
    }
    const nyt_sub *sub = nyt_sub_around(p, line->fid, line->line);
    put_part(o, &split);
    nyt_out_text(o, "; the line that costs most is ");
    put_place(o, p, line->fid, line->line);
    if (sub) {
        nyt_out_text(o, " in ");
        nyt_out_safe(o, sub->name, NAME_COLUMNS);
    }
    put_figures(o, p, line);
    if (sub)
        put_caller(o, p, sub);
    nyt_out_text(o, ".");
}
