/* Units of work: their names are those of subs, their times inclusive. */
#include "report/units.h"

#include <stdio.h>

enum { UNITS = 8, COUNT_WIDTH = 11, TIME_WIDTH = 9 };

static double each(const nyt_unit *u)
{
    return u->count ? u->time / (double)u->count : 0;
}

/* Those that never began are at the end. */
static size_t begun(const nyt_profile *p)
{
    size_t n = 0;
    while (n < p->unit_count && (p->units[n].count || p->units[n].time > 0))
        n++;
    return n;
}

void nyt_report_units(struct nyt_report *r)
{
    size_t n = begun(r->p), most = r->asked ? r->asked : UNITS, shown = n < most ? n : most;
    char note[80];
    if (!n)
        return;
    snprintf(note, sizeof note, "%zu of %zu%s", shown, n,
             r->p->units[0].apart ? "; --unit NAME shows what ran in one" : "");
    nyt_report_title(r, "Units of work", note);
    nyt_report_style(r, NYT_DIM);
    nyt_out_text(r->o, "      times  incl     each     name\n");
    nyt_report_style(r, NYT_PLAIN);
    for (size_t i = 0; i < shown; i++) {
        const nyt_unit *u = &r->p->units[i];
        nyt_out_count(r->o, (int64_t)u->count, COUNT_WIDTH);
        nyt_out_time(r->o, u->time, TIME_WIDTH);
        nyt_out_time(r->o, each(u), TIME_WIDTH);
        nyt_out_text(r->o, "  ");
        nyt_report_name(r, u->name, r->width - COUNT_WIDTH - 2 * TIME_WIDTH - 2);
        nyt_out_text(r->o, "\n");
    }
}

void nyt_explain_units(struct nyt_report *r, size_t most)
{
    size_t n = begun(r->p);
    for (size_t i = 0; i < n && i < most; i++) {
        const nyt_unit *u = &r->p->units[i];
        nyt_out_text(r->o, i ? "| "
                             : "\n## Units of work\n\n"
                               "| incl | times | each | unit |\n|--:|--:|--:|---|\n| ");
        nyt_out_time(r->o, u->time, 0);
        nyt_out_text(r->o, " | ");
        nyt_out_count(r->o, (int64_t)u->count, 0);
        nyt_out_text(r->o, " | ");
        nyt_out_time(r->o, each(u), 0);
        nyt_out_text(r->o, " | ");
        nyt_put_sub(&r->w, u->name);
        nyt_out_text(r->o, " |\n");
    }
    if (n > most && most)
        nyt_out_format(r->o, "\nand %zu more units.\n", n - most);
}

void nyt_report_json_units(struct nyt_report *r)
{
    nyt_json_open(&r->j, "units", '[');
    for (size_t i = 0; i < r->p->unit_count; i++) {
        const nyt_unit *u = &r->p->units[i];
        nyt_json_open(&r->j, NULL, '{');
        nyt_json_str(&r->j, "name", u->name);
        nyt_json_count(&r->j, "count", u->count);
        nyt_json_number(&r->j, "inclusive", u->time);
        nyt_json_bool(&r->j, "apart", u->apart);
        nyt_json_close(&r->j, '}');
    }
    nyt_json_close(&r->j, ']');
}
