/*
 * All lines that have figures as one table (RFC 4180): for spreadsheets, and for whatever loads
 * tables. One row a line of the program, by file and number; times are seconds.
 */
#include "nytprof.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/utf8.h"
#include "export/export.h"
#include "export/line_costs.h"

#include <stdlib.h>
#include <string.h>

struct csv {
    const nyt_profile *p;
    struct nyt_out *o;
    struct nyt_ranges ranges;
    struct nyt_buf text;
    bool failed; /* out of memory */
};

/* Always in quotes, those in it twice. */
static void put_text(struct csv *c, nyt_str text)
{
    c->text.len = 0;
    c->failed |= !nyt_buf_utf8(&c->text, text, "");
    nyt_out_text(c->o, "\"");
    for (const char *p = (const char *)c->text.data, *end = p + c->text.len; p < end;) {
        const char *quote = memchr(p, '"', (size_t)(end - p));
        size_t len = (size_t)((quote ? quote + 1 : end) - p);
        nyt_out_bytes(c->o, p, len);
        if (quote)
            nyt_out_text(c->o, "\"");
        p += len;
    }
    nyt_out_text(c->o, "\"");
}

static nyt_str without_newline(nyt_str text)
{
    while (text.len && (text.data[text.len - 1] == '\n' || text.data[text.len - 1] == '\r'))
        text.len--;
    return text;
}

static void put_row(struct csv *c, const nyt_file *file, const nyt_line *line)
{
    char excl[NYT_NUMBER_BYTES], incl[NYT_NUMBER_BYTES];
    const nyt_str *source = nyt_profile_source_line(c->p, line->fid, line->line);
    const nyt_sub *sub = nyt_ranges_at(&c->ranges, line->fid, line->line);
    put_text(c, file->name);
    nyt_out_format(c->o, ",%u,%lld,%s,%s,", (unsigned)line->line, (long long)line->count,
                   nyt_number(line->time, excl),
                   nyt_knows_calls(c->p) ? nyt_number(line->incl, incl) : "");
    put_text(c, sub ? sub->name : (nyt_str){.data = ""});
    nyt_out_text(c->o, ",");
    put_text(c, source ? without_newline(*source) : (nyt_str){.data = ""});
    if (c->p->has_shared)
        nyt_out_text(c->o, line->shared ? ",1" : ",0");
    nyt_out_text(c->o, "\r\n");
}

static void put_file(struct csv *c, const nyt_file *file)
{
    size_t n;
    const nyt_line *lines = nyt_profile_lines(c->p, NYT_LEVEL_LINE, file->fid, &n);
    for (size_t i = 0; i < n && !c->failed; i++)
        put_row(c, file, &lines[i]);
}

int nyt_export_csv(const nyt_profile *p, nyt_limit *limit, nyt_write_fn write, void *ctx,
                   nyt_error *err)
{
    struct csv c = {.p = p, .o = malloc(sizeof *c.o)};
    int rc = NYT_OK;
    c.failed = !nyt_ranges_find(&c.ranges, p) || !c.o;
    nyt_limit_begin(limit);
    nyt_limit_shown(limit, p->lines[NYT_LEVEL_LINE].count ? NYT_SHOWN_ALL : NYT_SHOWN_NOTHING);
    if (!c.failed) {
        nyt_out_begin(c.o, write, ctx);
        nyt_out_text(c.o, "file,line,count,exclusive_seconds,inclusive_seconds,sub,source");
        nyt_out_text(c.o, p->has_shared ? ",shared\r\n" : "\r\n");
        for (size_t i = 0; i < p->file_count; i++)
            if (!p->files[i].merged_into)
                put_file(&c, &p->files[i]);
        rc = nyt_out_end(c.o, err);
    }
    free(c.o);
    nyt_ranges_free(&c.ranges);
    nyt_buf_free(&c.text);
    return c.failed ? nyt_fail(err, NYT_ENOMEM, "out of memory") : rc;
}
