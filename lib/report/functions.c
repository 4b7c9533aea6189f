/* Rows of functions. */
#include "report/functions.h"

enum { COUNT = 11, FIGURE = 9, FIGURES = COUNT + 2 * FIGURE + 2, NARROW = 60 };

/* With fewer columns there is no inclusive time. */
static bool is_narrow(const struct nyt_report *r)
{
    return !r->uncut && r->width < NARROW;
}

static size_t columns_before(const struct nyt_report *r)
{
    return r->p->sectioned ? 2 : is_narrow(r) ? FIGURES - FIGURE : FIGURES;
}

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

/* Of one thread alone they are not known. */
static void put_figures(struct nyt_report *r, const nyt_sub *sub)
{
    if (r->p->sectioned) {
        nyt_out_fill(r->o, ' ', columns_before(r));
        return;
    }
    nyt_out_count(r->o, (int64_t)sub->calls, COUNT);
    nyt_out_time(r->o, sub->excl, FIGURE);
    if (!is_narrow(r))
        nyt_out_time(r->o, sub->incl, FIGURE);
    nyt_out_text(r->o, "  ");
}

static void put_function(struct nyt_report *r, const nyt_sub *sub, size_t name_room)
{
    uint32_t fid, line;
    place_of(r, sub, &fid, &line);
    put_figures(r, sub);
    size_t used = nyt_report_name(r, sub->name, name_room);
    const char *mark = sub->kind == NYT_KIND_CODE ? "" : "from ";
    size_t before = columns_before(r) + name_room + 7;
    size_t room = r->width > before ? r->width - before : 0;
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
    size_t widest = 8, room = r->width - columns_before(r);
    size_t most = room < NYT_NAME_AND_PLACE ? room : room * 3 / 5;
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
        nyt_out_text(r->o, r->p->sectioned ? "  name\n"
                           : is_narrow(r)  ? "      calls  self     name\n"
                                           : "      calls  self     incl     name\n");
        nyt_report_style(r, NYT_PLAIN);
    }
    size_t room = name_columns(r, list, n);
    for (size_t i = 0; i < n; i++)
        put_function(r, list->list[i].item, room);
}
