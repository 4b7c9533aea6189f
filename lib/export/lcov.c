/*
 * Lines and subs with their counts as a tracefile of lcov, for genhtml and editors that show such
 * files. A profile knows the lines that ran and no others; of subs it knows those that did not,
 * too, and their first lines, which genhtml wants to see among the lines.
 *
 * What has no file of its own is left out: string evals, the text of command lines, the place
 * where C functions are; and files that are not there, for which genhtml would stop.
 */
#include "nytprof.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/str.h"
#include "base/text.h"
#include "base/utf8.h"
#include "export/export.h"
#include "model/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lcov {
    const nyt_profile *p;
    struct nyt_out *o;
    const nyt_sub **subs; /* the current file's: from `first` to `end` by their first lines */
    size_t first, end;
    size_t found, hit; /* of its lines */
    struct nyt_buf text;
    bool failed; /* out of memory */
};

static void put_text(struct lcov *l, nyt_str text, const char *never)
{
    l->text.len = 0;
    l->failed |= !nyt_buf_utf8(&l->text, text, never);
    nyt_out_bytes(l->o, l->text.data, l->text.len);
    nyt_out_text(l->o, "\n");
}

/* ---- Subs ---- */

/* A comma would end the name, and a record cannot go on behind a line's end. */
static void put_name(struct lcov *l, nyt_str name)
{
    put_text(l, name, ",\t");
}

/* Of a sub that two files define the profile knows the lines in one. */
static bool has_place(const nyt_sub *sub, uint32_t fid)
{
    return sub->kind == NYT_KIND_CODE && sub->fid == fid && sub->first;
}

static int by_first_line(const void *left, const void *right)
{
    const nyt_sub *a = *(const nyt_sub *const *)left, *b = *(const nyt_sub *const *)right;
    return a->first != b->first ? NYT_COMPARE(a->first, b->first) : NYT_COMPARE(a, b);
}

static bool any_has_run(const struct lcov *l, uint32_t fid, uint32_t from, uint32_t to)
{
    size_t n;
    const nyt_line *lines = nyt_profile_lines(l->p, NYT_LEVEL_LINE, fid, &n);
    for (size_t i = 0; i < n && lines[i].line < to; i++)
        if (lines[i].line >= from && lines[i].count > 0)
            return true;
    return false;
}

/* lcov's own idea of what is Perl. */
static bool is_perl(const struct lcov *l, uint32_t fid)
{
    static const char *const ends[] = {".pl", ".pm"};
    nyt_str name = nyt_profile_file(l->p, fid)->name;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (name.len > 3 && memcmp(name.data + name.len - 3, ends[i], 3) == 0)
            return true;
    return false;
}

/* Calls of all subs that begin on one line, which genhtml takes for one sub. */
static uint64_t calls_from(const nyt_sub *const *subs, size_t from, size_t to)
{
    uint64_t calls = 0;
    for (size_t i = from; i < to; i++)
        calls += subs[i]->calls;
    return calls;
}

/*
 * The subs of a file that are written, by their first lines. genhtml takes one of Perl to last until
 * the next one, and is in error if it was never called but something in it ran: such ones are left
 * out. Of other languages it knows no ends.
 */
static void find_subs(struct lcov *l, uint32_t fid)
{
    size_t n, count = 0;
    l->first = l->end = 0;
    if (l->p->sectioned) /* which were called is not known */
        return;
    const nyt_sub *const *subs = nyt_profile_defined(l->p, fid, &n);
    bool perl = is_perl(l, fid);
    for (size_t i = 0; i < n; i++)
        if (has_place(subs[i], fid))
            l->subs[count++] = subs[i];
    qsort(l->subs, count, sizeof *l->subs, by_first_line);
    l->first = l->end = count;
    uint32_t next = UINT32_MAX;
    for (size_t to = count, from; to > 0; to = from) {
        uint32_t line = l->subs[to - 1]->first;
        for (from = to; from > 0 && l->subs[from - 1]->first == line;)
            from--;
        if (perl && !calls_from(l->subs, from, to) && any_has_run(l, fid, line, next))
            continue;
        next = line;
        for (size_t i = to; i-- > from;)
            l->subs[--l->first] = l->subs[i];
    }
}

static void put_subs(struct lcov *l)
{
    size_t hit = 0;
    for (size_t i = l->first; i < l->end; i++) {
        nyt_out_format(l->o, "FN:%u,", (unsigned)l->subs[i]->first);
        put_name(l, l->subs[i]->name);
    }
    for (size_t i = l->first; i < l->end; i++) {
        hit += l->subs[i]->calls > 0;
        nyt_out_format(l->o, "FNDA:%llu,", (unsigned long long)l->subs[i]->calls);
        put_name(l, l->subs[i]->name);
    }
    nyt_out_format(l->o, "FNF:%zu\nFNH:%zu\n", l->end - l->first, hit);
}

/* ---- Lines ---- */

static void put_line(struct lcov *l, uint32_t line, uint64_t count)
{
    l->found++;
    l->hit += count > 0;
    nyt_out_format(l->o, "DA:%u,%llu\n", (unsigned)line, (unsigned long long)count);
}

/* Where no line ran of a sub that was called, genhtml wants one all the same: its first. */
static uint64_t count_of_first(const struct lcov *l, size_t from, size_t to)
{
    uint32_t first = l->subs[from]->first, next = to < l->end ? l->subs[to]->first : UINT32_MAX;
    return any_has_run(l, l->subs[from]->fid, first, next) ? 0 : calls_from(l->subs, from, to);
}

/* The first lines of subs before `line` that have no figures; *at moves behind `line` itself. */
static void put_firsts(struct lcov *l, size_t *at, uint32_t line)
{
    for (size_t to = *at; to < l->end && l->subs[to]->first <= line; *at = to) {
        uint32_t first = l->subs[to]->first;
        while (to < l->end && l->subs[to]->first == first)
            to++;
        if (first != line)
            put_line(l, first, count_of_first(l, *at, to));
    }
}

static void put_lines(struct lcov *l, uint32_t fid)
{
    size_t n, at = l->first;
    const nyt_line *lines = nyt_profile_lines(l->p, NYT_LEVEL_LINE, fid, &n);
    l->found = l->hit = 0;
    for (size_t i = 0; i < n; i++) {
        if (!lines[i].line)
            continue;
        put_firsts(l, &at, lines[i].line);
        put_line(l, lines[i].line, lines[i].count > 0 ? (uint64_t)lines[i].count : 0);
    }
    put_firsts(l, &at, UINT32_MAX);
    nyt_out_format(l->o, "LF:%zu\nLH:%zu\n", l->found, l->hit);
}

/* ---- Files ---- */

static bool has_figures(const nyt_profile *p, uint32_t fid)
{
    size_t lines, n;
    nyt_profile_lines(p, NYT_LEVEL_LINE, fid, &lines);
    const nyt_sub *const *subs = nyt_profile_defined(p, fid, &n);
    for (size_t i = 0; !lines && i < n; i++)
        lines += has_place(subs[i], fid);
    return lines > 0;
}

static bool is_file(const nyt_profile *p, const nyt_file *file)
{
    return !file->is_eval && !file->merged_into && file->name.len &&
           !(file->flags & (NYT_FID_FAKE | NYT_FID_NOT_FILE)) && has_figures(p, file->fid);
}

static bool is_there(const nyt_file *file)
{
    FILE *in = fopen(file->name.data, "rb");
    bool ok = in && fgetc(in) != EOF;   /* what is empty ran no lines: it was another one */
    if (in)
        fclose(in);
    return ok;
}

/* An empty module has run, says CPython, its line 1; but there is nothing to show. */
static bool is_empty_module(const nyt_profile *p, const nyt_file *file)
{
    size_t n;
    const nyt_line *lines = nyt_profile_lines(p, NYT_LEVEL_LINE, file->fid, &n);
    FILE *in = n == 1 && lines[0].line == 1 ? fopen(file->name.data, "rb") : NULL;
    bool is = in && fgetc(in) == EOF;
    if (in)
        fclose(in);
    return is;
}

static void put_file(struct lcov *l, const nyt_file *file)
{
    nyt_out_text(l->o, "TN:\nSF:");
    put_text(l, file->name, "\t");
    find_subs(l, file->fid);
    put_subs(l);
    put_lines(l, file->fid);
    nyt_out_text(l->o, "end_of_record\n");
}

static void tell_missing(nyt_limit *limit, const nyt_file *file)
{
    if (limit && limit->missing_files++ == 0)
        limit->missing = &file->name;
}

static void put_files(struct lcov *l, nyt_limit *limit)
{
    nyt_shown shown = NYT_SHOWN_NOTHING;
    for (size_t i = 0; !l->failed && i < l->p->file_count; i++) {
        const nyt_file *file = &l->p->files[i];
        if (!is_file(l->p, file) || is_empty_module(l->p, file))
            continue;
        if (!is_there(file)) {
            tell_missing(limit, file);
            continue;
        }
        put_file(l, file);
        shown = NYT_SHOWN_ALL;
    }
    nyt_limit_shown(limit, shown);
}

int nyt_export_lcov(const nyt_profile *p, nyt_limit *limit, nyt_write_fn write, void *ctx,
                    nyt_error *err)
{
    struct lcov l = {
        .p = p, .o = malloc(sizeof *l.o), .subs = calloc(p->defined_count + 1, sizeof *l.subs)};
    int rc = NYT_OK;
    nyt_limit_begin(limit);
    l.failed = !l.o || !l.subs;
    if (!l.failed) {
        nyt_out_begin(l.o, write, ctx);
        put_files(&l, limit);
        rc = nyt_out_end(l.o, err);
    }
    free(l.o);
    free(l.subs);
    nyt_buf_free(&l.text);
    return l.failed ? nyt_fail(err, NYT_ENOMEM, "out of memory") : rc;
}
