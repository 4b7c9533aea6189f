/*
 * Lines and subs with their counts as a tracefile of lcov, for genhtml and editors that show such
 * files. A profile knows the lines that ran and no others; of subs it knows those that did not,
 * too.
 *
 * What has no file of its own is left out: string evals, the text of command lines, the place
 * where C functions are.
 */
#include "nytprof.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/utf8.h"
#include "export/export.h"
#include "model/profile.h"

#include <stdlib.h>

struct lcov {
    const nyt_profile *p;
    struct nyt_out *o;
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

static void put_subs(struct lcov *l, uint32_t fid)
{
    size_t n, found = 0, sample = 0;
    const nyt_sub *const *subs = nyt_profile_defined(l->p, fid, &n);
    for (size_t i = 0; i < n; i++) {
        if (!has_place(subs[i], fid))
            continue;
        nyt_out_format(l->o, "FN:%u,", (unsigned)subs[i]->first);
        put_name(l, subs[i]->name);
    }
    for (size_t i = 0; i < n; i++) {
        if (!has_place(subs[i], fid))
            continue;
        found++;
        sample += subs[i]->calls > 0;
        nyt_out_format(l->o, "FNDA:%llu,", (unsigned long long)subs[i]->calls);
        put_name(l, subs[i]->name);
    }
    nyt_out_format(l->o, "FNF:%zu\nFNH:%zu\n", found, sample);
}

/* ---- Lines ---- */

static void put_lines(struct lcov *l, uint32_t fid)
{
    size_t n, found = 0, sample = 0;
    const nyt_line *lines = nyt_profile_lines(l->p, NYT_LEVEL_LINE, fid, &n);
    for (size_t i = 0; i < n; i++) {
        if (!lines[i].line)
            continue;
        found++;
        sample += lines[i].count > 0;
        nyt_out_format(l->o, "DA:%u,%lld\n", (unsigned)lines[i].line,
                       (long long)(lines[i].count > 0 ? lines[i].count : 0));
    }
    nyt_out_format(l->o, "LF:%zu\nLH:%zu\n", found, sample);
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

int nyt_export_lcov(const nyt_profile *p, nyt_limit *limit, nyt_write_fn write, void *ctx,
                    nyt_error *err)
{
    struct lcov l = {.p = p, .o = malloc(sizeof *l.o)};
    int rc = NYT_OK;
    nyt_limit_begin(limit);
    l.failed = !l.o;
    if (!l.failed) {
        nyt_out_begin(l.o, write, ctx);
        for (size_t i = 0; !l.failed && i < p->file_count; i++) {
            if (!is_file(p, &p->files[i]))
                continue;
            nyt_out_text(l.o, "TN:\nSF:");
            put_text(&l, p->files[i].name, "\t");
            put_subs(&l, p->files[i].fid);
            put_lines(&l, p->files[i].fid);
            nyt_out_text(l.o, "end_of_record\n");
        }
        rc = nyt_out_end(l.o, err);
    }
    free(l.o);
    nyt_buf_free(&l.text);
    return l.failed ? nyt_fail(err, NYT_ENOMEM, "out of memory") : rc;
}
