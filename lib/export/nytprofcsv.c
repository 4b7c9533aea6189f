/*
 * The lines of each file with their figures, as Perl's nytprofcsv writes them: a text for each
 * file, "seconds,count,seconds each,source" for each line.
 *
 * What string evals took is added to the line that ran them, and to the one that ran that.
 * As in Perl a run of blank lines without figures is one line, line 0 stands in front if it has
 * figures, and lines from 65536 on are left out.
 */
#include "nytprof.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/str.h"
#include "base/text.h"
#include "base/utf8.h"
#include "model/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINES_MAX = 65536, NAME_MAX_BYTES = 50 };

/* What one eval took, nested ones included; `fid` and `line` ran it. */
struct eval_time {
    uint32_t fid, line;
    double seconds;
};

struct csv {
    const nyt_profile *p;
    struct nyt_out *o;
    nyt_begin_fn *begin;
    void *ctx;
    struct eval_time *evals; /* by fid and line */
    size_t eval_count;
    bool *marked;        /* lines of the current file that have figures or subs */
    uint32_t marked_end; /* behind the last one, */
    uint32_t end;        /* and behind the last line that is written */
    struct nyt_buf text;
};

/* ---- Evals ---- */

static const nyt_file *file_of(const nyt_profile *p, uint32_t fid)
{
    const nyt_file *file = nyt_profile_file(p, fid);
    return file && file->merged_into ? nyt_profile_file(p, file->merged_into) : file;
}

/* Who ran a file; NULL: it is no eval, or one that others stand for. */
static const nyt_file *parent_of(const nyt_profile *p, const nyt_file *file)
{
    const nyt_file *parent = file->is_eval && !file->merged_into ? file_of(p, file->eval_fid)
                                                                 : NULL;
    return parent == file ? NULL : parent;
}

static double time_of_lines(const nyt_profile *p, uint32_t fid)
{
    size_t n;
    const nyt_line *lines = nyt_profile_lines(p, NYT_LEVEL_LINE, fid, &n);
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += lines[i].time;
    return sum;
}

/* From the innermost outwards; evals that ran each other, as no program could, keep what they
 * have. `children` counts those that are still to be added. */
static void add_nested(const nyt_profile *p, double *total, uint32_t *children)
{
    for (size_t i = 0; i < p->file_count; i++) {
        const nyt_file *parent = parent_of(p, &p->files[i]);
        if (parent)
            children[parent - p->files]++;
    }
    for (size_t i = 0; i < p->file_count; i++) {
        const nyt_file *file = &p->files[i], *parent;
        while ((parent = parent_of(p, file)) && children[file - p->files] == 0) {
            children[file - p->files] = NYT_NONE;       /* added */
            total[parent - p->files] += total[file - p->files];
            children[parent - p->files]--;
            file = parent;
        }
    }
}

static int by_place(const void *left, const void *right)
{
    const struct eval_time *a = left, *b = right;
    int by_fid = NYT_COMPARE(a->fid, b->fid);
    return by_fid ? by_fid : NYT_COMPARE(a->line, b->line);
}

static void list_evals(struct csv *c, const double *total)
{
    for (size_t i = 0; i < c->p->file_count; i++) {
        const nyt_file *parent = parent_of(c->p, &c->p->files[i]);
        if (parent)
            c->evals[c->eval_count++] = (struct eval_time){
                .fid = parent->fid, .line = c->p->files[i].eval_line, .seconds = total[i]};
    }
    qsort(c->evals, c->eval_count, sizeof *c->evals, by_place);
}

static bool find_evals(struct csv *c)
{
    size_t n = c->p->file_count + 1;
    double *total = calloc(n, sizeof *total);
    uint32_t *children = calloc(n, sizeof *children);
    c->evals = calloc(n, sizeof *c->evals);
    bool ok = total && children && c->evals;
    if (ok) {
        for (size_t i = 0; i < c->p->file_count; i++)
            total[i] = time_of_lines(c->p, c->p->files[i].fid);
        add_nested(c->p, total, children);
        list_evals(c, total);
    }
    free(total);
    free(children);
    return ok;
}

static const struct eval_time *first_eval(const struct csv *c, uint32_t fid, uint32_t line)
{
    struct eval_time key = {.fid = fid, .line = line};
    size_t from = 0, to = c->eval_count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (by_place(&c->evals[middle], &key) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return c->evals + from;
}

static double time_of_evals(const struct csv *c, uint32_t fid, uint32_t line)
{
    double sum = 0;
    const struct eval_time *end = c->evals + c->eval_count;
    for (const struct eval_time *e = first_eval(c, fid, line);
         e < end && e->fid == fid && e->line == line; e++)
        sum += e->seconds;
    return sum;
}

/* ---- Which lines are written ---- */

static void mark(struct csv *c, uint32_t line, uint32_t end)
{
    if (line >= LINES_MAX)
        return;
    c->marked[line] = true;
    if (c->marked_end <= line)
        c->marked_end = line + 1;
    if (c->end < end)
        c->end = end;
}

/* Perl makes room for the line before a call, an eval or a sub only. */
static void mark_lines(struct csv *c, uint32_t fid)
{
    size_t n;
    const nyt_line *lines = nyt_profile_lines(c->p, NYT_LEVEL_LINE, fid, &n);
    for (size_t i = 0; i < n; i++)
        mark(c, lines[i].line, lines[i].line + 1);
    const nyt_call *const *calls = nyt_profile_calls(c->p, fid, &n);
    for (size_t i = 0; i < n; i++)
        mark(c, calls[i]->line, calls[i]->line);
    const nyt_sub *const *subs = nyt_profile_defined(c->p, fid, &n);
    for (size_t i = 0; i < n; i++)
        if (subs[i]->has_range && subs[i]->first)
            mark(c, subs[i]->first, subs[i]->first);
    for (const struct eval_time *e = first_eval(c, fid, 0);
         e < c->evals + c->eval_count && e->fid == fid; e++)
        mark(c, e->line, e->line);
}

/* ---- Lines ---- */

/* The source of a line without its newline and the blanks before it. */
struct row {
    nyt_str text;
    bool empty; /* not even blanks */
    bool blank;
};

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct row row_at(const struct csv *c, uint32_t fid, uint32_t line)
{
    const nyt_str *source = nyt_profile_source_line(c->p, fid, line);
    nyt_str text = source ? *source : (nyt_str){.data = ""};
    if (text.len && text.data[text.len - 1] == '\n')
        text.len--;
    struct row row = {.empty = text.len == 0};
    while (text.len && is_blank(text.data[0])) {
        text.data++;
        text.len--;
    }
    row.text = text;
    row.blank = text.len == 0;
    return row;
}

static bool put_row(struct csv *c, uint32_t fid, uint32_t line, nyt_str text)
{
    const nyt_line *figures = nyt_profile_line(c->p, NYT_LEVEL_LINE, fid, line);
    double count = figures ? (double)figures->count : 0;
    double time = (figures ? figures->time : 0) + time_of_evals(c, fid, line);
    nyt_out_fixed(c->o, 0, 6, time);
    nyt_out_text(c->o, ",");
    nyt_out_general(c->o, count);
    nyt_out_text(c->o, ",");
    nyt_out_fixed(c->o, 0, 6, count != 0 ? time / count : 0);
    nyt_out_text(c->o, ",");
    if (text.len && text.data[text.len - 1] == '\r')
        text.len--;
    c->text.len = 0;
    if (!nyt_buf_utf8(&c->text, text, ""))
        return false;
    nyt_out_bytes(c->o, c->text.data, c->text.len);
    nyt_out_text(c->o, "\n");
    return true;
}

/* The line behind those that one row stands for: blank ones without figures. */
static uint32_t behind_blanks(const struct csv *c, uint32_t fid, uint32_t line)
{
    while (line < c->end && !c->marked[line] && row_at(c, fid, line).blank)
        line++;
    return line;
}

static bool put_rows(struct csv *c, uint32_t fid)
{
    static const nyt_str nowhere = {.data = "(no line)", .len = 9};
    bool after_empty = false, ok = !c->marked[0] || put_row(c, fid, 0, nowhere);
    for (uint32_t line = 1; ok && line < c->end;) {
        struct row row = row_at(c, fid, line);
        ok = put_row(c, fid, line, row.text);
        if (after_empty && row.empty && !c->marked[line] && line + 1 < c->end &&
            row_at(c, fid, line + 1).blank)
            line = behind_blanks(c, fid, line + 1);
        else
            line++;
        after_empty = row.empty;
    }
    return ok;
}

/* ---- Files ---- */

static bool breaks_name(char c)
{
    return strchr("-/\\:*?\"'<>|.", c) != NULL;
}

/* A long path loses its folders, and what is long still all of it: the fid tells them apart. */
static void shorten(struct nyt_buf *name)
{
    uint8_t *first = memchr(name->data, '/', name->len);
    if (name->len <= NAME_MAX_BYTES)
        return;
    size_t last = name->len;
    while (last > 0 && name->data[last - 1] != '/')
        last--;
    if (first && name->data + last - 1 > first) {
        memmove(first + 1, name->data + last, name->len - last);
        name->len -= last - (size_t)(first + 1 - name->data);
        if (name->len + 4 <= NAME_MAX_BYTES)    /* Perl has ".../" there, which counts */
            return;
    }
    memcpy(name->data, "TOOLONG", 7);
    name->len = 7;
}

/* Runs of what could be no part of a name everywhere become one '-', none at the ends. */
static void make_safe(struct nyt_buf *name)
{
    size_t to = 0;
    for (size_t i = 0; i < name->len; i++) {
        bool breaks = breaks_name((char)name->data[i]);
        if (!breaks)
            name->data[to++] = name->data[i];
        else if (to && name->data[to - 1] != '-')
            name->data[to++] = '-';
    }
    name->len = to && name->data[to - 1] == '-' ? to - 1 : to;
}

static bool begin_file(struct csv *c, const nyt_file *file, int *status)
{
    char name[NAME_MAX_BYTES + 40];
    c->text.len = 0;
    if (!nyt_buf_utf8(&c->text, file->name, "") || !nyt_buf_reserve(&c->text, 8))
        return false;
    shorten(&c->text);
    make_safe(&c->text);
    snprintf(name, sizeof name, "%.*s-%u-line.csv", (int)c->text.len, (char *)c->text.data,
             (unsigned)file->fid);
    *status = c->begin(c->ctx, name);
    return true;
}

static bool put_header(struct csv *c, const nyt_file *file)
{
    c->text.len = 0;
    if (!nyt_buf_utf8(&c->text, file->name, ""))
        return false;
    nyt_out_text(c->o, "# Profile data written by pynytprof " NYT_VERSION "\n# File: ");
    nyt_out_bytes(c->o, c->text.data, c->text.len);
    nyt_out_text(c->o, "\n# Times are seconds; the time of evals is in the line that ran them\n"
                       "# Format: time,calls,time/call,code\n");
    return true;
}

static bool put_file(struct csv *c, const nyt_file *file)
{
    size_t n;
    const nyt_src_line *source = nyt_profile_source(c->p, file->fid, &n);
    c->end = 1;
    c->marked_end = 0;
    if (n && source[n - 1].line < LINES_MAX)
        c->end = source[n - 1].line + 1;
    mark_lines(c, file->fid);
    bool ok = put_header(c, file) && put_rows(c, file->fid);
    memset(c->marked, 0, c->marked_end * sizeof *c->marked);
    return ok;
}

/* NYT_OK or what `begin` or `write` gave; false: out of memory. */
static bool put_files(struct csv *c, nyt_write_fn write, int *rc, nyt_error *err)
{
    bool ok = true;
    for (size_t i = 0; ok && *rc == NYT_OK && i < c->p->file_count; i++) {
        if (c->p->files[i].merged_into)
            continue;
        ok = begin_file(c, &c->p->files[i], rc);
        if (!ok || *rc < 0)
            break;
        nyt_out_begin(c->o, write, c->ctx);
        ok = put_file(c, &c->p->files[i]);
        *rc = nyt_out_end(c->o, err);
    }
    return ok;
}

int nyt_export_nytprofcsv(const nyt_profile *p, nyt_begin_fn begin, nyt_write_fn write, void *ctx,
                          nyt_error *err)
{
    struct csv c = {.p = p,
                    .begin = begin,
                    .ctx = ctx,
                    .o = malloc(sizeof *c.o),
                    .marked = calloc(LINES_MAX, sizeof *c.marked)};
    int rc = NYT_OK;
    if (err)
        *err = (nyt_error){0};
    bool ok = c.o && c.marked && find_evals(&c) && put_files(&c, write, &rc, err);
    free(c.o);
    free(c.marked);
    free(c.evals);
    nyt_buf_free(&c.text);
    if (!ok)
        return nyt_fail(err, NYT_ENOMEM, "out of memory");
    if (rc < 0 && err && err->code == NYT_OK)
        return nyt_fail(err, rc, "cannot begin a file: %s", nyt_strerror(rc));
    return rc;
}
