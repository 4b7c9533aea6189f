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

#include <stdio.h>
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
    struct nyt_json j;
    struct fid_index evals, merged;     /* by parent; by survivor */
    bool too_large;
};

/* Of what is looked up by fid or line. */
static void key_number(struct model *m, uint32_t n)
{
    char text[16];
    int len = snprintf(text, sizeof text, "%u", (unsigned)n);
    nyt_json_key(&m->j, (nyt_str){.data = text, .len = (size_t)len});
}

/* ---- Attributes ---- */

static bool is_computed(nyt_str name)
{
    static const char *const names[] = {
        "profiler_start_time",  "profiler_end_time",    "profiler_duration",
        "profiler_active",      "total_stmts_measured", "total_stmts_discounted",
        "total_stmts_duration", "total_sub_calls",      "complete"};
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
        nyt_json_key(&m->j, list[i].key);
        nyt_json_str(&m->j, NULL, list[i].value);
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
    nyt_json_open(&m->j, "attributes", '{');
    pairs(m, m->p->attributes.list, m->p->attributes.count);
    if (any_started(m->p))
        nyt_json_number(&m->j, "profiler_start_time", t->start);
    if (t->timed) {
        nyt_json_number(&m->j, "profiler_end_time", t->end);
        nyt_json_number(&m->j, "profiler_duration", t->duration);
    }
    nyt_json_number(&m->j, "profiler_active", t->active);
    nyt_json_count(&m->j, "total_stmts_measured", t->statements);
    nyt_json_count(&m->j, "total_stmts_discounted", t->discounted);
    nyt_json_number(&m->j, "total_stmts_duration", t->statement_time);
    nyt_json_count(&m->j, "total_sub_calls", m->p->calls_by_tree ? 0 : t->calls);
    nyt_json_text(&m->j, "complete", t->complete ? "1" : "");      /* Perl's false */
    nyt_json_close(&m->j, '}');
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
    nyt_json_open(&m->j, name, '[');
    for (; at < index->count && index->list[at].under == fid; at++) {
        nyt_json_count(&m->j, NULL, index->list[at].fid);
    }
    nyt_json_close(&m->j, ']');
}

static void subs_defined(struct model *m, uint32_t fid)
{
    size_t n;
    const nyt_sub *const *subs = nyt_profile_defined(m->p, fid, &n);
    nyt_json_open(&m->j, "subs_defined", '[');
    for (size_t i = 0; i < n && !m->p->calls_by_tree; i++)
        nyt_json_str(&m->j, NULL, subs[i]->name);
    nyt_json_close(&m->j, ']');
}

static void source(struct model *m, uint32_t fid)
{
    size_t n;
    const nyt_src_line *lines = nyt_profile_source(m->p, fid, &n);
    if (n && lines[n - 1].line - n > SOURCE_GAP_MAX && lines[n - 1].line > n)
        m->too_large = true;
    if (n == 0 || m->too_large) {
        nyt_json_null(&m->j, "source");
        return;
    }
    nyt_json_open(&m->j, "source", '[');
    uint32_t expected = 1;
    for (size_t i = 0; i < n; i++) {
        for (; expected < lines[i].line; expected++)
            nyt_json_null(&m->j, NULL);
        if (lines[i].line > 0) {
            nyt_json_str(&m->j, NULL, lines[i].text);
            expected++;
        }
    }
    nyt_json_close(&m->j, ']');
}

static void call_figures(struct model *m, const nyt_call *c)
{
    nyt_json_count(&m->j, NULL, c->count);
    nyt_json_number(&m->j, NULL, c->incl);
    nyt_json_number(&m->j, NULL, c->excl);
    nyt_json_number(&m->j, NULL, c->reci);
    nyt_json_count(&m->j, NULL, c->depth);
}

/*
 * All calls of one sub from one line together, as Perl's loader knows them: the sum is in *sum.
 * Returns how many callers there are, which follow one another from `first` on.
 */
static size_t add_up_callers(const struct model *m, const nyt_call *first, nyt_call *sum)
{
    const nyt_call *end = m->p->calls + m->p->call_count, *c = first + 1;
    *sum = *first;
    for (; c < end && c->called == first->called && c->fid == first->fid && c->line == first->line;
         c++) {
        sum->count += c->count;
        sum->incl += c->incl;
        sum->excl += c->excl;
        sum->reci += c->reci;
        if (sum->depth < c->depth)
            sum->depth = c->depth;
    }
    return (size_t)(c - first);
}

static void callers_by(struct model *m, const char *key, const nyt_call *first, size_t n)
{
    nyt_json_open(&m->j, key, '[');
    for (size_t i = 0; i < n; i++)
        nyt_json_str(&m->j, NULL, first[i].caller);
    nyt_json_close(&m->j, ']');
}

static void sub_call_lines(struct model *m, uint32_t fid)
{
    size_t n;
    const nyt_call *const *calls = nyt_profile_calls(m->p, fid, &n);
    n = m->p->calls_by_tree ? 0 : n;    /* Perl's loader knows none */
    nyt_json_open(&m->j, "sub_call_lines", '{');
    for (size_t i = 0, callers; i < n; i += callers) {
        nyt_call sum;
        callers = add_up_callers(m, calls[i], &sum);
        if (i == 0 || calls[i - 1]->line != calls[i]->line) {
            if (i)
                nyt_json_close(&m->j, '}');
            key_number(m, calls[i]->line);
            nyt_json_open(&m->j, NULL, '{');
        }
        nyt_json_key(&m->j, calls[i]->called->name);
        nyt_json_open(&m->j, NULL, '[');
        call_figures(m, &sum);
        callers_by(m, NULL, calls[i], callers);
        nyt_json_close(&m->j, ']');
    }
    if (n)
        nyt_json_close(&m->j, '}');
    nyt_json_close(&m->j, '}');
}

static void file(struct model *m, const nyt_file *f)
{
    bool is_fake = f->flags & NYT_FID_FAKE;
    bool is_file = !is_fake && !f->is_eval && !(f->flags & NYT_FID_NOT_FILE);
    key_number(m, f->fid);
    nyt_json_open(&m->j, NULL, '{');
    nyt_json_str(&m->j, "filename", f->name);
    nyt_json_count(&m->j, "eval_fid", f->eval_fid);
    nyt_json_count(&m->j, "eval_line", f->eval_line);
    nyt_json_count(&m->j, "flags", f->flags);
    nyt_json_count(&m->j, "size", f->size);
    nyt_json_count(&m->j, "mtime", f->mtime);
    nyt_json_count(&m->j, "is_eval", f->is_eval);
    nyt_json_count(&m->j, "is_file", is_file);
    nyt_json_count(&m->j, "is_fake", is_fake);
    fids_under(m, "has_evals", &m->evals, f->fid);
    fids_under(m, "merged_fids", &m->merged, f->fid);
    subs_defined(m, f->fid);
    source(m, f->fid);
    sub_call_lines(m, f->fid);
    nyt_json_close(&m->j, '}');
}

static void files(struct model *m)
{
    if (m->p->file_count == 0)
        return;
    nyt_json_open(&m->j, "files", '{');
    for (size_t i = 0; i < m->p->file_count; i++)
        if (!m->p->files[i].merged_into)
            file(m, &m->p->files[i]);
    nyt_json_close(&m->j, '}');
}

/* ---- Time ---- */

static const char *const level_names[] = {"line", "block", "sub"};

static void levels(struct model *m)
{
    nyt_json_open(&m->j, "levels", '{');
    for (int level = 0; level < (m->p->totals.blocks ? 3 : 1); level++) {
        char key[32];
        snprintf(key, sizeof key, "fid_%s_time", level_names[level]);
        nyt_json_text(&m->j, key, level_names[level]);
    }
    nyt_json_close(&m->j, '}');
}

static void lines(struct model *m, const struct nyt_lines *lines)
{
    for (size_t i = 0; i < lines->count; i++) {
        const nyt_line *l = &lines->list[i];
        if (i == 0 || lines->list[i - 1].fid != l->fid) {
            if (i)
                nyt_json_close(&m->j, '}');
            key_number(m, l->fid);
            nyt_json_open(&m->j, NULL, '{');
        }
        key_number(m, l->line);
        nyt_json_open(&m->j, NULL, '[');
        nyt_json_number(&m->j, NULL, l->time);
        nyt_json_whole(&m->j, NULL, l->count);
        nyt_json_close(&m->j, ']');
    }
    nyt_json_close(&m->j, '}');
}

static void times(struct model *m)
{
    if (m->p->lines[NYT_LEVEL_LINE].count == 0)
        return;
    nyt_json_open(&m->j, "time", '{');
    for (int level = 0; level < 3; level++) {
        if (m->p->lines[level].count == 0)
            continue;
        nyt_json_open(&m->j, level_names[level], '{');
        lines(m, &m->p->lines[level]);
        nyt_json_close(&m->j, '}');
    }
    nyt_json_close(&m->j, '}');
}

/* ---- Subs ---- */

static void callers(struct model *m, const nyt_sub *sub)
{
    size_t n;
    const nyt_call *calls = nyt_profile_callers(m->p, sub, &n);
    nyt_json_open(&m->j, "callers", '[');
    for (size_t i = 0, callers; i < n; i += callers) {
        nyt_call sum;
        callers = add_up_callers(m, &calls[i], &sum);
        nyt_json_open(&m->j, NULL, '{');
        nyt_json_count(&m->j, "fid", sum.fid);
        nyt_json_count(&m->j, "line", sum.line);
        nyt_json_count(&m->j, "count", sum.count);
        nyt_json_number(&m->j, "incl", sum.incl);
        nyt_json_number(&m->j, "excl", sum.excl);
        nyt_json_number(&m->j, "reci", sum.reci);
        nyt_json_count(&m->j, "depth", sum.depth);
        callers_by(m, "by", &calls[i], callers);
        nyt_json_close(&m->j, '}');
    }
    nyt_json_close(&m->j, ']');
}

static void range(struct model *m, const nyt_sub *sub)
{
    if (sub->has_range) {
        nyt_json_count(&m->j, "first_line", sub->first);
        nyt_json_count(&m->j, "last_line", sub->last);
    } else {
        nyt_json_null(&m->j, "first_line");
        nyt_json_null(&m->j, "last_line");
    }
}

static void merged_names(struct model *m, const nyt_sub *sub)
{
    size_t n;
    const nyt_str *names = nyt_profile_merged_names(m->p, sub, &n);
    nyt_json_open(&m->j, "merged_sub_names", '[');
    for (size_t i = 0; i < n; i++)
        nyt_json_str(&m->j, NULL, names[i]);
    nyt_json_close(&m->j, ']');
}

static void sub(struct model *m, const nyt_sub *s)
{
    static const char *const kinds[] = {"perl", "xsub", "opcode"};
    nyt_json_key(&m->j, s->name);
    nyt_json_open(&m->j, NULL, '{');
    nyt_json_count(&m->j, "fid", s->fid);
    range(m, s);
    nyt_json_count(&m->j, "calls", s->calls);
    nyt_json_number(&m->j, "incl_time", s->incl);
    nyt_json_number(&m->j, "excl_time", s->excl);
    nyt_json_count(&m->j, "recur_max_depth", s->depth);
    nyt_json_number(&m->j, "recur_incl_time", s->reci);
    nyt_json_text(&m->j, "kind", kinds[s->kind]);
    nyt_json_str(&m->j, "package", (nyt_str){.data = s->name.data, .len = s->package_len});
    nyt_json_count(&m->j, "is_anon", nyt_sub_is_anon(s->name));
    merged_names(m, s);
    callers(m, s);
    nyt_json_close(&m->j, '}');
}

static void subs(struct model *m)
{
    if (m->p->sub_count == 0 || m->p->calls_by_tree)
        return;
    nyt_json_open(&m->j, "subs", '{');
    for (size_t i = 0; i < m->p->sub_count; i++)
        sub(m, &m->p->subs[i]);
    nyt_json_close(&m->j, '}');
}

static void whole_model(struct model *m)
{
    nyt_json_open(&m->j, NULL, '{');
    attributes(m);
    nyt_json_open(&m->j, "options", '{');
    pairs(m, m->p->options.list, m->p->options.count);
    nyt_json_close(&m->j, '}');
    levels(m);
    files(m);
    times(m);
    subs(m);
    nyt_json_close(&m->j, '}');
    nyt_out_text(m->j.o, "\n");
}

int nyt_export_model(const nyt_profile *p, nyt_write_fn write, void *ctx, nyt_error *err)
{
    struct model m = {.p = p, .j = {.o = malloc(sizeof *m.j.o)}};
    int rc = NYT_ENOMEM;
    if (m.j.o && index_fids(&m)) {
        nyt_out_begin(m.j.o, write, ctx);
        whole_model(&m);
        rc = nyt_out_end(m.j.o, err);
    } else {
        nyt_fail(err, NYT_ENOMEM, "out of memory");
    }
    free(m.j.o);
    free(m.evals.list);
    free(m.merged.list);
    if (rc == NYT_OK && m.too_large)
        rc = nyt_fail(err, NYT_ELIMIT, "a source has line numbers too large to list");
    return rc;
}
