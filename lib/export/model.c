/*
 * All of a profile but the call tree as one JSON object, in the form in which Perl's loader
 * can be made to show its own.
 */
#include "nytprof.h"

#include "base/error.h"
#include "base/json.h"
#include "base/str.h"
#include "base/text.h"
#include "model/profile.h"
#include "model/sub_name.h"

#include <stdlib.h>

/* Lists with this many more places than lines are not written out: files can claim anything. */
enum { SOURCE_GAP_MAX = 1000000 };

struct fid_under {
    uint32_t under, fid;
};

struct fid_index {
    struct fid_under *list;
    size_t count;
};

struct model {
    const nyt_profile *p;
    struct nyt_out *o;
    struct fid_index evals, merged;     /* by parent; by survivor */
    bool   first;               /* nothing stands before the next item */
    bool   too_large;
};

static void separate(struct model *m)
{
    nyt_out_text(m->o, m->first ? "" : ",");
    m->first = false;
}

static void open_with(struct model *m, const char *bracket)
{
    nyt_out_text(m->o, bracket);
    m->first = true;
}

static void close_with(struct model *m, const char *bracket)
{
    nyt_out_text(m->o, bracket);
    m->first = false;
}

static void key(struct model *m, const char *name)
{
    separate(m);
    nyt_out_format(m->o, "\"%s\":", name);
}

static void key_str(struct model *m, nyt_str name)
{
    separate(m);
    nyt_out_json_str(m->o, name);
    nyt_out_text(m->o, ":");
}

static void number(struct model *m, const char *name, double value)
{
    key(m, name);
    nyt_out_json_number(m->o, value);
}

static void whole(struct model *m, const char *name, uint64_t value)
{
    key(m, name);
    nyt_out_format(m->o, "%llu", (unsigned long long)value);
}

static void string(struct model *m, const char *name, nyt_str value)
{
    key(m, name);
    nyt_out_json_str(m->o, value);
}

static void key_number(struct model *m, uint32_t n)
{
    separate(m);
    nyt_out_format(m->o, "\"%u\":", (unsigned)n);
}

static void item_str(struct model *m, nyt_str s)
{
    separate(m);
    nyt_out_json_str(m->o, s);
}

/* ---- Attributes ---- */

static bool is_computed(nyt_str name)
{
    static const char *const names[] = {"profiler_start_time", "profiler_end_time",
        "profiler_duration", "profiler_active", "total_stmts_measured", "total_stmts_discounted",
        "total_stmts_duration", "total_sub_calls", "complete"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (nyt_str_is(name, names[i]))
            return true;
    return false;
}

static void pairs(struct model *m, const nyt_pair *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (is_computed(list[i].key))
            continue;
        key_str(m, list[i].key);
        nyt_out_json_str(m->o, list[i].value);
    }
}

static bool any_started(const nyt_profile *p)
{
    for (size_t i = 0; i < p->process_count; i++)
        if (p->processes[i].started)
            return true;
    return false;
}

static void attributes(struct model *m)
{
    const nyt_totals *t = &m->p->totals;
    key(m, "attributes");
    open_with(m, "{");
    pairs(m, m->p->attributes.list, m->p->attributes.count);
    if (any_started(m->p))
        number(m, "profiler_start_time", t->start);
    if (t->timed) {
        number(m, "profiler_end_time", t->end);
        number(m, "profiler_duration", t->duration);
    }
    number(m, "profiler_active", t->active);
    whole(m, "total_stmts_measured", t->statements);
    whole(m, "total_stmts_discounted", t->discounted);
    number(m, "total_stmts_duration", t->statement_time);
    whole(m, "total_sub_calls", t->calls);
    key(m, "complete");
    nyt_out_text(m->o, t->complete ? "\"1\"" : "\"\"");      /* Perl's false */
    close_with(m, "}");
}

/* ---- Files ---- */

static int compare_fids(const void *left, const void *right)
{
    const struct fid_under *a = left, *b = right;
    if (a->under != b->under)
        return a->under < b->under ? -1 : 1;
    return a->fid < b->fid ? -1 : a->fid > b->fid;
}

static bool is_living_eval(const nyt_file *f)
{
    return f->is_eval && f->eval_fid != f->fid && !f->merged_into;
}

static bool index_fids(struct model *m)
{
    const nyt_profile *p = m->p;
    m->evals.list = calloc(p->file_count + 1, sizeof *m->evals.list);
    m->merged.list = calloc(p->file_count + 1, sizeof *m->merged.list);
    if (!m->evals.list || !m->merged.list)
        return false;
    for (size_t i = 0; i < p->file_count; i++) {
        const nyt_file *f = &p->files[i];
        if (is_living_eval(f))
            m->evals.list[m->evals.count++] = (struct fid_under){f->eval_fid, f->fid};
        if (f->merged_into)
            m->merged.list[m->merged.count++] = (struct fid_under){f->merged_into, f->fid};
    }
    qsort(m->evals.list, m->evals.count, sizeof *m->evals.list, compare_fids);
    qsort(m->merged.list, m->merged.count, sizeof *m->merged.list, compare_fids);
    return true;
}

/* The fids that stand under one other fid in an index, as a list. */
static void fids_under(struct model *m, const char *name, const struct fid_index *index,
                       uint32_t fid)
{
    size_t at = 0, high = index->count;
    while (at < high) {
        size_t middle = at + (high - at) / 2;
        if (index->list[middle].under < fid)
            at = middle + 1;
        else
            high = middle;
    }
    key(m, name);
    open_with(m, "[");
    for (; at < index->count && index->list[at].under == fid; at++) {
        separate(m);
        nyt_out_format(m->o, "%u", (unsigned)index->list[at].fid);
    }
    close_with(m, "]");
}

static void subs_defined(struct model *m, uint32_t fid)
{
    size_t n;
    const nyt_sub *const *subs = nyt_profile_defined(m->p, fid, &n);
    key(m, "subs_defined");
    open_with(m, "[");
    for (size_t i = 0; i < n; i++)
        item_str(m, subs[i]->name);
    close_with(m, "]");
}

static void source(struct model *m, uint32_t fid)
{
    size_t n;
    const nyt_src_line *lines = nyt_profile_source(m->p, fid, &n);
    key(m, "source");
    if (n && lines[n - 1].line - n > SOURCE_GAP_MAX && lines[n - 1].line > n)
        m->too_large = true;
    if (n == 0 || m->too_large) {
        nyt_out_text(m->o, "null");
        return;
    }
    open_with(m, "[");
    uint32_t expected = 1;
    for (size_t i = 0; i < n; i++) {
        for (; expected < lines[i].line; expected++) {
            separate(m);
            nyt_out_text(m->o, "null");
        }
        if (lines[i].line > 0) {
            item_str(m, lines[i].text);
            expected++;
        }
    }
    close_with(m, "]");
}

static void call_figures(struct model *m, const nyt_call *c)
{
    nyt_out_format(m->o, "%llu,", (unsigned long long)c->count);
    nyt_out_json_number(m->o, c->incl);
    nyt_out_text(m->o, ",");
    nyt_out_json_number(m->o, c->excl);
    nyt_out_text(m->o, ",");
    nyt_out_json_number(m->o, c->reci);
    nyt_out_format(m->o, ",%u,", (unsigned)c->depth);
}

static void callers_by(struct model *m, const nyt_call *c)
{
    open_with(m, "[");
    for (size_t i = 0; i < c->by_len; i++)
        item_str(m, c->by[i]);
    close_with(m, "]");
}

static void sub_call_lines(struct model *m, uint32_t fid)
{
    size_t n;
    const nyt_call *const *calls = nyt_profile_calls(m->p, fid, &n);
    key(m, "sub_call_lines");
    open_with(m, "{");
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || calls[i - 1]->line != calls[i]->line) {
            if (i)
                close_with(m, "}");
            key_number(m, calls[i]->line);
            open_with(m, "{");
        }
        key_str(m, calls[i]->called->name);
        nyt_out_text(m->o, "[");
        call_figures(m, calls[i]);
        callers_by(m, calls[i]);
        nyt_out_text(m->o, "]");
    }
    if (n)
        close_with(m, "}");
    close_with(m, "}");
}

static void file(struct model *m, const nyt_file *f)
{
    bool is_fake = f->flags & NYT_FID_FAKE;
    bool is_file = !is_fake && !f->is_eval && !(f->flags & NYT_FID_NOT_FILE);
    key_number(m, f->fid);
    open_with(m, "{");
    string(m, "filename", f->name);
    whole(m, "eval_fid", f->eval_fid);
    whole(m, "eval_line", f->eval_line);
    whole(m, "flags", f->flags);
    whole(m, "size", f->size);
    whole(m, "mtime", f->mtime);
    whole(m, "is_eval", f->is_eval);
    whole(m, "is_file", is_file);
    whole(m, "is_fake", is_fake);
    fids_under(m, "has_evals", &m->evals, f->fid);
    fids_under(m, "merged_fids", &m->merged, f->fid);
    subs_defined(m, f->fid);
    source(m, f->fid);
    sub_call_lines(m, f->fid);
    close_with(m, "}");
}

static void files(struct model *m)
{
    if (m->p->file_count == 0)
        return;
    key(m, "files");
    open_with(m, "{");
    for (size_t i = 0; i < m->p->file_count; i++)
        if (!m->p->files[i].merged_into)
            file(m, &m->p->files[i]);
    close_with(m, "}");
}

/* ---- Time ---- */

static const char *const level_names[] = {"line", "block", "sub"};

static void levels(struct model *m)
{
    key(m, "levels");
    open_with(m, "{");
    for (int level = 0; level < (m->p->totals.blocks ? 3 : 1); level++) {
        separate(m);
        nyt_out_format(m->o, "\"fid_%s_time\":\"%s\"", level_names[level], level_names[level]);
    }
    close_with(m, "}");
}

static void lines(struct model *m, const struct nyt_lines *lines)
{
    for (size_t i = 0; i < lines->count; i++) {
        const nyt_line *l = &lines->list[i];
        if (i == 0 || lines->list[i - 1].fid != l->fid) {
            if (i)
                close_with(m, "}");
            key_number(m, l->fid);
            open_with(m, "{");
        }
        key_number(m, l->line);
        nyt_out_text(m->o, "[");
        nyt_out_json_number(m->o, l->time);
        nyt_out_format(m->o, ",%lld]", (long long)l->count);
    }
    close_with(m, "}");
}

static void times(struct model *m)
{
    if (m->p->lines[NYT_LEVEL_LINE].count == 0)
        return;
    key(m, "time");
    open_with(m, "{");
    for (int level = 0; level < 3; level++) {
        if (m->p->lines[level].count == 0)
            continue;
        key(m, level_names[level]);
        open_with(m, "{");
        lines(m, &m->p->lines[level]);
        close_with(m, "}");
    }
    close_with(m, "}");
}

/* ---- Subs ---- */

static void callers(struct model *m, const nyt_sub *sub)
{
    size_t n;
    const nyt_call *calls = nyt_profile_callers(m->p, sub, &n);
    key(m, "callers");
    open_with(m, "[");
    for (size_t i = 0; i < n; i++) {
        const nyt_call *c = &calls[i];
        separate(m);
        open_with(m, "{");
        whole(m, "fid", c->fid);
        whole(m, "line", c->line);
        whole(m, "count", c->count);
        number(m, "incl", c->incl);
        number(m, "excl", c->excl);
        number(m, "reci", c->reci);
        whole(m, "depth", c->depth);
        key(m, "by");
        callers_by(m, c);
        close_with(m, "}");
    }
    close_with(m, "]");
}

static void range(struct model *m, const nyt_sub *sub)
{
    if (sub->has_range) {
        whole(m, "first_line", sub->first);
        whole(m, "last_line", sub->last);
    } else {
        key(m, "first_line");
        nyt_out_text(m->o, "null");
        key(m, "last_line");
        nyt_out_text(m->o, "null");
    }
}

static void merged_names(struct model *m, const nyt_sub *sub)
{
    size_t n;
    const nyt_str *names = nyt_profile_merged_names(m->p, sub, &n);
    key(m, "merged_sub_names");
    open_with(m, "[");
    for (size_t i = 0; i < n; i++)
        item_str(m, names[i]);
    close_with(m, "]");
}

static void sub(struct model *m, const nyt_sub *s)
{
    static const char *const kinds[] = {"perl", "xsub", "opcode"};
    key_str(m, s->name);
    open_with(m, "{");
    whole(m, "fid", s->fid);
    range(m, s);
    whole(m, "calls", s->calls);
    number(m, "incl_time", s->incl);
    number(m, "excl_time", s->excl);
    whole(m, "recur_max_depth", s->depth);
    number(m, "recur_incl_time", s->reci);
    key(m, "kind");
    nyt_out_json_text(m->o, kinds[s->kind]);
    string(m, "package", (nyt_str){.data = s->name.data, .len = s->package_len});
    whole(m, "is_anon", nyt_sub_is_anon(s->name));
    merged_names(m, s);
    callers(m, s);
    close_with(m, "}");
}

static void subs(struct model *m)
{
    if (m->p->sub_count == 0)
        return;
    key(m, "subs");
    open_with(m, "{");
    for (size_t i = 0; i < m->p->sub_count; i++)
        sub(m, &m->p->subs[i]);
    close_with(m, "}");
}

static void whole_model(struct model *m)
{
    open_with(m, "{");
    attributes(m);
    key(m, "options");
    open_with(m, "{");
    pairs(m, m->p->options.list, m->p->options.count);
    close_with(m, "}");
    levels(m);
    files(m);
    times(m);
    subs(m);
    close_with(m, "}\n");
}

int nyt_export_model(const nyt_profile *p, nyt_write_fn write, void *ctx, nyt_error *err)
{
    struct model m = {.p = p, .o = malloc(sizeof *m.o)};
    int rc = NYT_ENOMEM;
    if (m.o && index_fids(&m)) {
        nyt_out_begin(m.o, write, ctx);
        whole_model(&m);
        rc = nyt_out_end(m.o, err);
    } else {
        nyt_fail(err, NYT_ENOMEM, "out of memory");
    }
    free(m.o);
    free(m.evals.list);
    free(m.merged.list);
    if (rc == NYT_OK && m.too_large)
        rc = nyt_fail(err, NYT_ELIMIT, "a source has line numbers too large to list");
    return rc;
}
