/* Lines of source with their figures. */
#include "report/excerpt.h"

enum { FIGURE = 9, NUMBER = 7, MARK = 2, COUNT_MIN = 8, CODE_MIN = 10 };

struct nyt_excerpt nyt_excerpt_begin(struct nyt_report *r)
{
    return (struct nyt_excerpt){.r = r, .count_width = COUNT_MIN};
}

static int columns_of(int64_t count)
{
    int digits = count < 0 ? 2 : 1;
    for (; count >= 10 || count <= -10; count /= 10)
        digits++;
    return digits + (digits - 1) / 3 + 1;
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
    nyt_report_style(e->r, NYT_DIM);
    nyt_out_format(e->r->o, "  %*s%*s%*s   line\n", FIGURE - 3, "self", FIGURE, "incl",
                   e->count_width + 3, "count");
    nyt_report_style(e->r, NYT_PLAIN);
}

size_t nyt_excerpt_column(const struct nyt_excerpt *e)
{
    return MARK + 2 * FIGURE + (size_t)e->count_width + NUMBER + 2;
}

static void put_figures(const struct nyt_excerpt *e, const nyt_line *line)
{
    struct nyt_out *o = e->r->o;
    if (!line) {
        nyt_out_fill(o, ' ', 2 * FIGURE + (size_t)e->count_width);
        return;
    }
    nyt_out_time(o, line->time, FIGURE);
    nyt_out_time(o, line->incl, FIGURE);
    nyt_out_count(o, line->count, e->count_width);
}

static void put_code(const struct nyt_excerpt *e, nyt_str code)
{
    const size_t used = nyt_excerpt_column(e), width = e->r->width;
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
    const nyt_line *line = nyt_profile_line(e->r->p, NYT_LEVEL_LINE, fid, number);
    const nyt_str *text = nyt_profile_source_line(e->r->p, fid, number);
    nyt_out_text(e->r->o, is_hot ? " >" : "  ");
    nyt_report_style(e->r, is_hot ? NYT_HOT : NYT_PLAIN);
    put_figures(e, line);
    nyt_out_format(e->r->o, "%*u", NUMBER, (unsigned)number);
    if (text)
        put_code(e, *text);
    nyt_report_style(e->r, NYT_PLAIN);
    nyt_out_text(e->r->o, "\n");
}
