/* Lines of source with their figures. */
#include "report/excerpt.h"

enum { FIGURE = 9, NUMBER = 7, MARK = 2, GAP = 2, COUNT_MIN = 8, CODE_ROOM = 24, CODE_MIN = 10 };

struct nyt_excerpt nyt_excerpt_begin(struct nyt_report *r)
{
    return (struct nyt_excerpt){.r = r, .count_width = COUNT_MIN, .digits = 1};
}

/* ---- Columns ---- */

/* What there is room for. */
struct layout {
    bool incl, count;
    int number;
};

static size_t columns_before_code(const struct nyt_excerpt *e, const struct layout *l)
{
    int figures = FIGURE + (l->incl ? FIGURE : 0) + (l->count ? e->count_width : 0);
    return MARK + (size_t)figures + (size_t)l->number + GAP;
}

static bool is_tight(const struct nyt_excerpt *e, const struct layout *l)
{
    return !e->r->uncut && e->r->width < columns_before_code(e, l) + CODE_ROOM;
}

/* The code needs some columns: blanks are taken for it first, then what can be had elsewhere, and
 * the counts last. */
static struct layout layout_of(const struct nyt_excerpt *e)
{
    const bool known = nyt_knows_calls(e->r->p); /* else a line's time is all there is */
    struct layout l = {.incl = known, .count = true, .number = NUMBER};
    if (is_tight(e, &l) && e->digits + GAP < NUMBER)
        l.number = e->digits + GAP;
    l.incl = known && !is_tight(e, &l);
    l.count = l.incl || !is_tight(e, &l);
    return l;
}

size_t nyt_excerpt_column(const struct nyt_excerpt *e)
{
    const struct layout l = layout_of(e);
    return columns_before_code(e, &l);
}

static int columns_of(int64_t count)
{
    int digits = count < 0 ? 2 : 1;
    for (; count >= 10 || count <= -10; count /= 10)
        digits++;
    return digits + (digits - 1) / 3 + 1;
}

static void fit_number(struct nyt_excerpt *e, uint32_t line)
{
    int digits = 1;
    for (; line >= 10; line /= 10)
        digits++;
    e->digits = digits > e->digits ? digits : e->digits;
}

/* The last line of these that has figures or source. */
static uint32_t last_line(const nyt_profile *p, uint32_t fid, uint32_t most)
{
    size_t n, m;
    const nyt_line *lines = nyt_profile_lines(p, NYT_LEVEL_LINE, fid, &n);
    const nyt_src_line *source = nyt_profile_source(p, fid, &m);
    uint32_t last = n ? lines[n - 1].line : 0;
    if (m && source[m - 1].line > last)
        last = source[m - 1].line;
    return last < most ? last : most;
}

void nyt_excerpt_fit(struct nyt_excerpt *e, uint32_t fid, uint32_t first, uint32_t last)
{
    size_t n;
    const nyt_line *lines = nyt_profile_lines(e->r->p, NYT_LEVEL_LINE, fid, &n);
    for (size_t i = 0; i < n; i++) {
        int columns = columns_of(lines[i].count);
        if (lines[i].line >= first && lines[i].line <= last && columns > e->count_width)
            e->count_width = columns;
    }
    fit_number(e, last_line(e->r->p, fid, last));
}

static size_t blanks_before(const nyt_str *text)
{
    size_t n = 0;
    while (n < text->len && text->data[n] == ' ')
        n++;
    return n;
}

static bool is_blank(const nyt_str *text)
{
    size_t n = blanks_before(text);
    return n == text->len || text->data[n] == '\n' || text->data[n] == '\r';
}

void nyt_excerpt_outdent(struct nyt_excerpt *e, uint32_t fid, uint32_t first, uint32_t last)
{
    size_t n, common = SIZE_MAX;
    const nyt_src_line *source = nyt_profile_source(e->r->p, fid, &n);
    for (size_t i = 0; i < n; i++) {
        if (source[i].line < first || source[i].line > last || is_blank(&source[i].text))
            continue;
        size_t blanks = blanks_before(&source[i].text);
        common = blanks < common ? blanks : common;
    }
    e->indent = common == SIZE_MAX ? 0 : common;
}

void nyt_excerpt_titles(const struct nyt_excerpt *e)
{
    const struct layout l = layout_of(e);
    nyt_report_style(e->r, NYT_DIM);
    nyt_out_format(e->r->o, "  %*s", FIGURE - 3, "self");
    if (l.incl)
        nyt_out_format(e->r->o, "%*s", FIGURE, "incl");
    if (l.count)
        nyt_out_format(e->r->o, "%*s", e->count_width + 3, "count");
    nyt_out_format(e->r->o, "%*s\n", (l.number > 5 ? l.number : 5) + (l.count ? 0 : 3), "line");
    nyt_report_style(e->r, NYT_PLAIN);
}

/* ---- Lines ---- */

static void put_figures(const struct nyt_excerpt *e, const struct layout *l, const nyt_line *line)
{
    struct nyt_out *o = e->r->o;
    if (!line) {
        nyt_out_fill(o, ' ', columns_before_code(e, l) - MARK - (size_t)l->number - GAP);
        return;
    }
    nyt_report_line_time(e->r, line, FIGURE);
    if (l->incl)
        nyt_out_time(o, line->incl, FIGURE);
    if (l->count)
        nyt_out_count(o, line->count, e->count_width);
}

static void put_code(const struct nyt_excerpt *e, size_t used, nyt_str code)
{
    const size_t width = e->r->width;
    size_t blanks = blanks_before(&code);
    blanks = blanks < e->indent ? blanks : e->indent;
    code.data += blanks;
    code.len -= blanks;
    while (code.len && (code.data[code.len - 1] == '\n' || code.data[code.len - 1] == '\r'))
        code.len--;
    if (code.len)
        nyt_out_text(e->r->o, "  ");
    nyt_out_safe(e->r->o, code,
                 e->r->uncut               ? 0
                 : width > used + CODE_MIN ? width - used
                                           : CODE_MIN);
}

void nyt_excerpt_line(const struct nyt_excerpt *e, uint32_t fid, uint32_t number, bool is_hot)
{
    const struct layout l = layout_of(e);
    const nyt_line *line = nyt_profile_line(e->r->p, NYT_LEVEL_LINE, fid, number);
    const nyt_str *text = nyt_profile_source_line(e->r->p, fid, number);
    nyt_out_text(e->r->o, is_hot ? " >" : "  ");
    nyt_report_style(e->r, is_hot ? NYT_HOT : NYT_PLAIN);
    put_figures(e, &l, line);
    nyt_out_format(e->r->o, "%*u", l.number, (unsigned)number);
    if (text)
        put_code(e, columns_before_code(e, &l), *text);
    nyt_report_style(e->r, NYT_PLAIN);
    nyt_out_text(e->r->o, "\n");
}
