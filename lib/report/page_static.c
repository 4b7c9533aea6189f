/*
 * What a page says before its script runs and without it, and a notebook below a cell: the sentence, the source
 * around the line that costs most, and the lines and functions with most time. Text of the profile
 * is escaped; there is nothing in it that runs or is loaded.
 */
#include "report/page_static.h"

#include "nytprof.h"

#include "base/error.h"
#include "base/str.h"
#include "report/insight.h"
#include "report/page_name.h"
#include "report/sentence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 20, LINES_AROUND = 4 };

/* ---- Text in HTML ---- */

/* Everything that could mean something else is a number. */
void nyt_put_html(struct nyt_out *o, nyt_str text)
{
    for (size_t at = 0, bytes = 0; at < text.len; at += bytes) {
        char shown[NYT_SAFE_BYTES];
        nyt_safe_next(text, at, shown, &bytes);
        for (const char *p = shown; *p; p++) {
            if (strchr("&<>\"'`", *p))
                nyt_out_format(o, "&#%d;", *p);
            else
                nyt_out_bytes(o, p, 1);
        }
    }
}

void nyt_put_html_name(struct nyt_out *o, nyt_str text)
{
    struct nyt_page_name name = nyt_page_name(text);
    nyt_put_html(o, name.head);
    if (name.tail.len)
        nyt_out_text(o, NYT_ELLIPSIS);
    nyt_put_html(o, name.tail);
}

/* ---- The tables ---- */

static void put_place(struct nyt_out *o, const nyt_profile *p, uint32_t fid, uint32_t line)
{
    const nyt_file *file = nyt_profile_file(p, fid);
    if (!file)
        return;
    nyt_put_html_name(o, file->name);
    if (line)
        nyt_out_format(o, ":%u", (unsigned)line);
}

static void put_figures(struct nyt_out *o, int64_t count, double seconds, bool shared)
{
    nyt_out_text(o, "<tr><td class=number>");
    nyt_out_count(o, count, 0);
    nyt_out_text(o, "<td class=number>");
    (shared ? nyt_out_rough_time : nyt_out_time)(o, seconds, 0);
    nyt_out_text(o, "<td>");
}

/* The ROWS with most time of what is offered; of equal ones those that came first. */
struct top {
    struct {
        double time;
        const void *item;
    } rows[ROWS];
    size_t count;
};

static void offer(struct top *t, double time, const void *item)
{
    if (!isfinite(time))        /* odd files have such */
        time = 0;
    if (t->count == ROWS && !(time > t->rows[ROWS - 1].time))
        return;
    size_t at = t->count < ROWS ? t->count++ : ROWS - 1;
    for (; at > 0 && time > t->rows[at - 1].time; at--)
        t->rows[at] = t->rows[at - 1];
    t->rows[at].time = time;
    t->rows[at].item = item;
}

/* Whether any of these times is a shared one. */
static bool put_static_lines(struct nyt_out *o, const nyt_profile *p)
{
    size_t n;
    bool shared = false;
    const nyt_line *lines = nyt_profile_all_lines(p, NYT_LEVEL_LINE, &n);
    struct top top = {.count = 0};
    for (size_t i = 0; i < n; i++)
        if (lines[i].time > 0)
            offer(&top, lines[i].time, &lines[i]);
    nyt_out_text(o, "<h2>Lines</h2><table><tr><th>Count<th>Time<th>Line");
    for (size_t i = 0; i < top.count; i++) {
        const nyt_line *line = top.rows[i].item;
        put_figures(o, line->count, line->time, line->shared);
        put_place(o, p, line->fid, line->line);
        shared |= line->shared;
    }
    nyt_out_text(o, "</table>");
    return shared;
}

static void put_static_subs(struct nyt_out *o, const nyt_profile *p)
{
    struct top top = {.count = 0};
    for (size_t i = 0; i < p->sub_count; i++)
        if (p->subs[i].calls)
            offer(&top, p->subs[i].excl, &p->subs[i]);
    nyt_out_text(o, "<h2>Functions</h2><table><tr><th>Calls<th>Own time<th>Function");
    for (size_t i = 0; i < top.count; i++) {
        const nyt_sub *sub = top.rows[i].item;
        put_figures(o, (int64_t)sub->calls, sub->excl, false);
        nyt_put_html_name(o, sub->name);
    }
    nyt_out_text(o, "</table>");
}

static int append_text(void *ctx, const void *data, size_t len)
{
    return nyt_buf_append(ctx, data, len) ? NYT_OK : NYT_ENOMEM;
}

static bool put_sentence(struct nyt_out *o, const struct nyt_insight *insight)
{
    struct nyt_buf text = {0};
    struct nyt_out *to = malloc(sizeof *to);
    bool ok = to != NULL;
    if (ok) {
        nyt_out_begin(to, append_text, &text);
        nyt_put_sentence(to, insight);
        ok = nyt_out_end(to, NULL) == NYT_OK;
    }
    if (ok)
        nyt_put_html_name(o,
                          (nyt_str){.data = text.data ? (char *)text.data : "", .len = text.len});
    nyt_buf_free(&text);
    free(to);
    return ok;
}

/* ---- The source around the line that costs most ---- */

static nyt_str without_end(nyt_str text)
{
    while (text.len && strchr("\r\n", text.data[text.len - 1]))
        text.len--;
    return text;
}

static const nyt_line *line_of(const nyt_profile *p, uint32_t fid, uint32_t number)
{
    size_t n;
    const nyt_line *lines = nyt_profile_lines(p, NYT_LEVEL_LINE, fid, &n);
    for (size_t i = 0; i < n; i++)
        if (lines[i].line == number)
            return &lines[i];
    return NULL;
}

/* Whether its time is a shared one. */
static bool put_source_line(struct nyt_out *o, const nyt_profile *p, const nyt_line *hottest,
                            const nyt_src_line *source)
{
    const nyt_line *line = line_of(p, hottest->fid, source->line);
    bool hot = source->line == hottest->line;
    nyt_out_format(o, "%s%6u ", hot ? "<strong>" : "", (unsigned)source->line);
    if (line) {
        nyt_out_count(o, line->count, 11);
        (line->shared ? nyt_out_rough_time : nyt_out_time)(o, line->time, 11);
        nyt_out_time(o, line->incl, 11);
    } else {
        nyt_out_fill(o, ' ', 33);
    }
    nyt_out_text(o, "  ");
    nyt_put_html_name(o, without_end(source->text));
    nyt_out_text(o, hot ? "</strong>\n" : "\n");
    return line && line->shared;
}

/* Likewise. */
static bool put_excerpt(struct nyt_out *o, const nyt_profile *p, const nyt_line *hottest)
{
    size_t n = 0;
    bool shared = false;
    const nyt_src_line *source = hottest ? nyt_profile_source(p, hottest->fid, &n) : NULL;
    if (!n)
        return false;
    nyt_out_format(o, "<pre>%6s %11s%11s%11s\n", "Line", "Count", "Time", "Inclusive");
    for (size_t i = 0; i < n; i++)
        if (source[i].line + LINES_AROUND >= hottest->line &&
            source[i].line <= hottest->line + LINES_AROUND)
            shared |= put_source_line(o, p, hottest, &source[i]);
    nyt_out_text(o, "</pre>");
    return shared;
}

/* ---- All of it ---- */

bool nyt_put_answer(struct nyt_out *o, const struct nyt_insight *insight)
{
    nyt_out_text(o, "<p class=sentence>");
    bool ok = put_sentence(o, insight);
    nyt_out_text(o, "</p>");
    return ok;
}

void nyt_put_tables(struct nyt_out *o, const struct nyt_insight *insight)
{
    bool shared = put_excerpt(o, insight->p, insight->hottest);
    shared |= put_static_lines(o, insight->p);
    if (shared)
        nyt_out_text(o, "<p>" NYT_SHARED_WORDS "</p>");
    put_static_subs(o, insight->p);
}

int nyt_report_fragment(const nyt_profile *p, nyt_write_fn write, void *ctx, nyt_error *err)
{
    struct nyt_out *o = malloc(sizeof *o);
    if (!o)
        return nyt_fail(err, NYT_ENOMEM, "out of memory");
    struct nyt_insight insight;
    nyt_out_begin(o, write, ctx);
    nyt_out_text(o, "<div class=nytprof>");
    bool ok = nyt_insight_find(&insight, p) && nyt_put_answer(o, &insight);
    if (ok)
        nyt_put_tables(o, &insight);
    nyt_out_text(o, "</div>\n");
    int rc = nyt_out_end(o, err);
    nyt_insight_free(&insight);
    free(o);
    return rc == NYT_OK && !ok ? nyt_fail(err, NYT_ENOMEM, "out of memory") : rc;
}
