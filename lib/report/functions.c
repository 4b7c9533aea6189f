/* Rows of functions. */
#include "report/functions.h"

enum { COUNT = 11, FIGURE = 9, FIGURES = COUNT + 2 * FIGURE + 2 };

/* Of a function in C: where it is called most. */
static void place_of(const struct nyt_report *r, const nyt_sub *sub, uint32_t *fid, uint32_t *line)
{
    const nyt_call *caller;
    *fid = sub->fid;
    *line = sub->first;
    if (sub->kind == NYT_KIND_CODE || !nyt_top_callers(r->p, sub, &caller, 1))
        return;
    *fid = caller->fid;
    *line = caller->line;
}

static void put_function(struct nyt_report *r, const nyt_sub *sub, size_t name_room)
{
    uint32_t fid, line;
    place_of(r, sub, &fid, &line);
    nyt_out_count(r->o, (int64_t)sub->calls, COUNT);
    nyt_out_time(r->o, sub->excl, FIGURE);
    nyt_out_time(r->o, sub->incl, FIGURE);
    nyt_out_text(r->o, "  ");
    size_t used = nyt_report_name(r, sub->name, name_room);
    const char *mark = sub->kind == NYT_KIND_CODE ? "" : "from ";
    size_t room = r->width > FIGURES + name_room + 7 ? r->width - FIGURES - name_room - 7 : 0;
    if (line && (r->uncut || room >= 12)) {
        nyt_out_fill(r->o, ' ', used < name_room ? name_room - used : 0);
        nyt_report_style(r, NYT_DIM);
        nyt_out_format(r->o, "  %s", mark);
        nyt_report_place(r, fid, line, room);
        nyt_report_style(r, NYT_PLAIN);
    }
    nyt_out_text(r->o, "\n");
}

/* As wide as the names are, if that leaves as much for the places. */
static size_t name_columns(const struct nyt_report *r, const struct nyt_ranking *list, size_t n)
{
    size_t widest = 8, most = (r->width - FIGURES) * 3 / 5;
    for (size_t i = 0; i < n; i++) {
        size_t columns = nyt_report_name_columns(((const nyt_sub *)list->list[i].item)->name);
        if (columns > widest)
            widest = columns;
    }
    return r->uncut || widest < most ? widest : most;
}

void nyt_put_functions(struct nyt_report *r, const struct nyt_ranking *list, size_t n)
{
    if (n) {
        nyt_report_style(r, NYT_DIM);
        nyt_out_text(r->o, "      calls  self     incl     name\n");
        nyt_report_style(r, NYT_PLAIN);
    }
    size_t room = name_columns(r, list, n);
    for (size_t i = 0; i < n; i++)
        put_function(r, list->list[i].item, room);
}
