/*
 * One table has the lines of all, and a small one those of the section at work: it is added to the
 * other, and to the list of the profile, where the next section starts. A profile with one section
 * needs none of this, so that the first one's lines stand in the large table until a second comes.
 */
#include "model/sections.h"

#include "base/memory.h"
#include "base/str.h"
#include "model/string_evals.h"

#include <stdlib.h>

static bool keep(nyt_profile *p, struct nyt_section_line line)
{
    if (!NYT_ROOM_FOR_ONE(p->section_lines, p->section_line_count, p->section_line_cap))
        return false;
    p->section_lines[p->section_line_count++] = line;
    return true;
}

/* All lines so far are those of the first section. */
static bool keep_first(struct nyt_loader *l)
{
    const struct nyt_line_table *t = &l->lines[NYT_LEVEL_LINE];
    bool ok = true;
    for (size_t i = 0; ok && i < t->sums.count; i++) {
        const struct nyt_line_sum *sum = &t->sums.list[i];
        double before = i < t->times_cap ? t->times[i].seconds : 0;
        ok = keep(l->p,
                  (struct nyt_section_line){.pid = l->sections.pid,
                                            .fid = sum->fid,
                                            .line = sum->line,
                                            .count = sum->count,
                                            .time = before + nyt_loader_seconds(l, sum->ticks)});
    }
    return ok;
}

bool nyt_sections_flush(struct nyt_loader *l)
{
    struct nyt_line_sums *from = &l->sections.sums, *all = &l->lines[NYT_LEVEL_LINE].sums;
    bool ok = true;
    for (size_t i = 0; ok && i < from->count; i++) {
        const struct nyt_line_sum *sum = &from->list[i];
        struct nyt_line_sum *to = nyt_line_sums_at(all, sum->fid, sum->line);
        ok = to && keep(l->p, (struct nyt_section_line){.pid = l->sections.pid,
                                                        .fid = sum->fid,
                                                        .line = sum->line,
                                                        .count = sum->count,
                                                        .time = nyt_loader_seconds(l, sum->ticks)});
        if (!ok)
            break;
        to->count += sum->count;
        to->ticks = nyt_add_ticks(to->ticks, sum->ticks);
    }
    nyt_line_sums_free(from);
    return ok;
}

bool nyt_sections_start(struct nyt_loader *l, uint32_t pid)
{
    struct nyt_sections *s = &l->sections;
    if (!l->options.sections || (s->begun && s->pid == pid))
        return true;
    bool ok = !s->begun || (s->several ? nyt_sections_flush(l) : keep_first(l));
    s->several = s->begun;
    s->begun = true;
    s->pid = pid;
    return ok;
}

struct nyt_line_sums *nyt_sections_lines(struct nyt_loader *l)
{
    return l->sections.several ? &l->sections.sums : &l->lines[NYT_LEVEL_LINE].sums;
}

/* ---- In order ---- */

static int compare(const void *left, const void *right)
{
    const struct nyt_section_line *a = left, *b = right;
    int c = NYT_COMPARE(a->pid, b->pid);
    c = c ? c : NYT_COMPARE(a->fid, b->fid);
    return c ? c : NYT_COMPARE(a->line, b->line);
}

/* Lines of a merged eval are those of its survivor as well. */
static bool add_survivors(struct nyt_loader *l)
{
    bool ok = true;
    for (size_t i = 0, n = l->p->section_line_count; ok && i < n; i++) {
        struct nyt_section_line line = l->p->section_lines[i];
        uint32_t fid = line.fid;
        line.fid = nyt_loader_survivor(l, fid);
        ok = line.fid == fid || keep(l->p, line);
    }
    return ok;
}

bool nyt_sections_finish(struct nyt_loader *l)
{
    nyt_profile *p = l->p;
    size_t kept = 0;
    if (!p->section_line_count)
        return true;
    if (!add_survivors(l))
        return false;
    struct nyt_section_line *list = p->section_lines;
    qsort(list, p->section_line_count, sizeof *list, compare);
    for (size_t i = 0; i < p->section_line_count; i++) {
        if (kept && compare(&list[kept - 1], &list[i]) == 0) {
            list[kept - 1].count += list[i].count;
            list[kept - 1].time += list[i].time;
        } else {
            list[kept++] = list[i];
        }
    }
    p->section_line_count = kept;
    return true;
}
