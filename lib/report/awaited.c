/* Awaited time stands beside the lines' times, so it has no shares and no sum. */
#include "report/awaited.h"

#include "base/str.h"
#include "model/awaits.h"
#include "report/rank.h"

#include <stdio.h>

enum {
    LINES = 5,
    TIME_WIDTH = 9,
    COUNT_WIDTH = 11,
    FIGURES = TIME_WIDTH + COUNT_WIDTH + 2,
    CODE_MIN = 10
};

void nyt_put_awaited(struct nyt_out *o, const nyt_await *a)
{
    nyt_out_text(o, "awaited ");
    nyt_out_count(o, (int64_t)a->count, 0);
    nyt_out_text(o, a->count == 1 ? " time (" : " times (");
    nyt_out_time(o, a->time, 0);
    if (a->count > 1) {
        nyt_out_text(o, ", ");
        nyt_out_time(o, a->time / (double)a->count, 0);
        nyt_out_text(o, " each");
    }
    nyt_out_text(o, ")");
}

static bool is_of_project(const struct nyt_report *r, const nyt_await *a)
{
    return nyt_profile_scope(r->p, a->fid) == NYT_SCOPE_PROJECT;
}

static bool project_awaits(const struct nyt_report *r)
{
    for (size_t i = 0; i < r->p->await_count; i++)
        if (nyt_report_shows(r, r->p->awaits[i].fid) && is_of_project(r, &r->p->awaits[i]))
            return true;
    return false;
}

static void put_line(struct nyt_report *r, const nyt_await *a)
{
    const size_t room = r->width - FIGURES;
    nyt_out_time(r->o, a->time, TIME_WIDTH);
    nyt_out_count(r->o, (int64_t)a->count, COUNT_WIDTH);
    nyt_out_text(r->o, "  ");
    size_t used = nyt_report_place(r, a->fid, a->line, room);
    if (r->uncut || used + 2 + CODE_MIN <= room) {
        nyt_out_text(r->o, "  ");
        nyt_report_style(r, NYT_DIM);
        nyt_report_code(r, a->fid, a->line, r->uncut ? SIZE_MAX : room - used - 2);
        nyt_report_style(r, NYT_PLAIN);
    }
    nyt_out_text(r->o, "\n");
}

bool nyt_report_awaited(struct nyt_report *r)
{
    struct nyt_ranking list;
    if (!r->p->await_count)
        return true;
    if (!nyt_ranking_begin(&list, r->p->await_count))
        return false;
    bool of_project = project_awaits(r);
    for (size_t i = 0; i < r->p->await_count; i++) {
        const nyt_await *a = &r->p->awaits[i];
        if (nyt_report_shows(r, a->fid) && (!of_project || is_of_project(r, a)))
            nyt_rank(&list, a->time, a);
    }
    nyt_ranking_sort(&list);
    size_t shown = r->asked ? r->asked : LINES;
    char note[80];
    snprintf(note, sizeof note, "%zu of %zu; on the clock, beside the times above",
             list.count < shown ? list.count : shown, list.count);
    if (list.count) {
        nyt_report_title(r, of_project ? "Awaited by the project" : "Awaited", note);
        nyt_report_style(r, NYT_DIM);
        nyt_out_text(r->o, "  awaited      times  line\n");
        nyt_report_style(r, NYT_PLAIN);
    }
    for (size_t i = 0; i < list.count && i < shown; i++)
        put_line(r, list.list[i].item);
    nyt_ranking_free(&list);
    return true;
}

void nyt_report_json_awaited(struct nyt_report *r)
{
    nyt_json_open(&r->j, "awaited", '[');
    for (size_t i = 0; i < r->p->await_count; i++)
        if (nyt_report_shows(r, r->p->awaits[i].fid))
            nyt_await_json(&r->j, r->p, &r->p->awaits[i]);
    nyt_json_close(&r->j, ']');
}
