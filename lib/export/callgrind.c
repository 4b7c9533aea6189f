/*
 * Subs, lines and calls in the format of Callgrind, for KCachegrind and callgrind_annotate; costs
 * are nanoseconds.
 *
 * The exclusive time of a sub stands on its lines: each has its measured time less that of the C
 * functions it called, which are subs of their own. A line belongs to the innermost sub around it.
 * What a sub has beyond its lines stands on its first line; where lines have more than
 * their sub, because subs share them, they are scaled down to it. So subs and calls have
 * the costs that Perl's nytprofcg gives them, and lines outside of all subs are not lost.
 */
#include "nytprof.h"

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/str.h"
#include "base/text.h"
#include "base/utf8.h"
#include "export/export.h"
#include "model/profile.h"

#include <math.h>
#include <stdlib.h>

/* Time of one line of a sub. */
struct cost {
    uint32_t sub;           /* index; NYT_NONE: none */
    uint32_t fid, line;
    double seconds;
};

struct callgrind {
    const nyt_profile *p;
    struct nyt_out *o;
    struct cost *costs; /* by sub, fid and line */
    size_t cost_count;
    const nyt_sub **ranges; /* code by fid, first line, last line from the end */
    size_t range_count;
    const nyt_sub **open;              /* a stack */
    struct nyt_names functions, files; /* whose numbers were written */
    struct nyt_buf text;
    bool failed; /* out of memory */
};

/* ---- Lines to subs ---- */

static int by_range(const void *left, const void *right)
{
    const nyt_sub *a = *(const nyt_sub *const *)left, *b = *(const nyt_sub *const *)right;
    if (a->fid != b->fid)
        return NYT_COMPARE(a->fid, b->fid);
    if (a->first != b->first)
        return NYT_COMPARE(a->first, b->first);
    return a->last != b->last ? NYT_COMPARE(b->last, a->last) : NYT_COMPARE(a, b);
}

static void list_ranges(struct callgrind *c)
{
    for (size_t i = 0; i < c->p->sub_count; i++)
        if (c->p->subs[i].kind == NYT_KIND_CODE && c->p->subs[i].first)
            c->ranges[c->range_count++] = &c->p->subs[i];
    qsort(c->ranges, c->range_count, sizeof *c->ranges, by_range);
}

/* Of the calls that one line of a file made, in order of lines; *at moves on. */
static double time_in_c(const nyt_call *const *calls, size_t n, uint32_t line, size_t *at)
{
    double sum = 0;
    for (; *at < n && calls[*at]->line <= line; ++*at)
        if (calls[*at]->line == line && calls[*at]->called->kind != NYT_KIND_CODE)
            sum += calls[*at]->excl;
    return sum;
}

/* Lines come in order, so that ranges open and close like brackets; *next is the next to open. */
static uint32_t sub_around(struct callgrind *c, uint32_t fid, uint32_t line, size_t *next,
                           size_t *depth)
{
    while (*next < c->range_count && c->ranges[*next]->fid == fid &&
           c->ranges[*next]->first <= line)
        c->open[(*depth)++] = c->ranges[(*next)++];
    while (*depth && c->open[*depth - 1]->last < line)
        --*depth;
    return *depth ? (uint32_t)(c->open[*depth - 1] - c->p->subs) : NYT_NONE;
}

static void add_file(struct callgrind *c, const nyt_file *file, size_t *next)
{
    size_t n, call_count, at = 0, depth = 0;
    const nyt_line *lines = nyt_profile_lines(c->p, NYT_LEVEL_LINE, file->fid, &n);
    const nyt_call *const *calls = nyt_profile_calls(c->p, file->fid, &call_count);
    while (*next < c->range_count && c->ranges[*next]->fid < file->fid)
        ++*next;
    for (size_t i = 0; i < n; i++) {
        double seconds = lines[i].time - time_in_c(calls, call_count, lines[i].line, &at);
        uint32_t sub = sub_around(c, file->fid, lines[i].line, next, &depth);
        if (seconds > 0 && isfinite(seconds))
            c->costs[c->cost_count++] = (struct cost){
                .sub = sub, .fid = file->fid, .line = lines[i].line, .seconds = seconds};
    }
}

static int by_sub(const void *left, const void *right)
{
    const struct cost *a = left, *b = right;
    if (a->sub != b->sub)
        return NYT_COMPARE(a->sub, b->sub);
    return a->fid != b->fid ? NYT_COMPARE(a->fid, b->fid) : NYT_COMPARE(a->line, b->line);
}

static void find_costs(struct callgrind *c)
{
    size_t next = 0;
    list_ranges(c);
    for (size_t i = 0; i < c->p->file_count; i++)
        if (!c->p->files[i].merged_into)
            add_file(c, &c->p->files[i], &next);
    qsort(c->costs, c->cost_count, sizeof *c->costs, by_sub);
}

/* ---- Text ---- */

static uint64_t ns_of(double seconds)
{
    double ns = round(seconds * 1e9);
    return ns > 0 && ns < 0x1p63 ? (uint64_t)ns : 0;
}

/* "fn=(1) name", and from then on "fn=(1)". */
static void put_name(struct callgrind *c, const char *key, struct nyt_names *known, nyt_str name)
{
    size_t before = known->count;
    uint32_t id = nyt_names_take(known, name);
    c->text.len = 0;
    c->failed |= id == NYT_NONE || !nyt_buf_utf8(&c->text, name, "\t");
    if (c->failed)
        return;
    nyt_out_format(c->o, "%s=(%u)", key, (unsigned)id + 1);
    if (known->count > before) {
        nyt_out_text(c->o, " ");
        nyt_out_bytes(c->o, c->text.data, c->text.len);
    }
    nyt_out_text(c->o, "\n");
}

static void put_function(struct callgrind *c, const char *key, nyt_str name)
{
    put_name(c, key, &c->functions, name);
}

static void put_file(struct callgrind *c, const char *key, uint32_t fid)
{
    static const nyt_str unknown = {.data = "(unknown)", .len = 9};
    const nyt_file *file = nyt_profile_file(c->p, fid);
    put_name(c, key, &c->files, file ? file->name : unknown);
}

static void put_cost(struct callgrind *c, uint32_t line, double seconds)
{
    nyt_out_format(c->o, "%u %llu\n", (unsigned)line, (unsigned long long)ns_of(seconds));
}

/* ---- Subs ---- */

static double sum_of(const struct cost *costs, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += costs[i].seconds;
    return sum;
}

/* To whole nanoseconds that add up to those of the sub: what rounding leaves is on its first line. */
static void put_sub(struct callgrind *c, const nyt_sub *sub, const struct cost *costs, size_t n)
{
    double sum = sum_of(costs, n);
    double scale = sum > sub->excl && sum > 0 ? fmax(sub->excl, 0) / sum : 1;
    uint64_t left = ns_of(sub->excl);
    put_file(c, "fl", sub->fid);
    put_function(c, "fn", sub->name);
    for (size_t i = 0; i < n; i++) {
        double seconds = costs[i].seconds * scale;
        if (ns_of(seconds) > left)
            seconds = (double)left / 1e9;
        put_cost(c, costs[i].line, seconds);
        left -= ns_of(seconds) < left ? ns_of(seconds) : left;
    }
    if (left || n == 0)
        put_cost(c, sub->first, (double)left / 1e9);
    nyt_out_text(c->o, "\n");
}

static void put_subs(struct callgrind *c)
{
    size_t at = 0;
    for (uint32_t i = 0; i < c->p->sub_count; i++) {
        size_t from = at;
        while (at < c->cost_count && c->costs[at].sub == i)
            at++;
        if (c->p->subs[i].calls)
            put_sub(c, &c->p->subs[i], c->costs + from, at - from);
    }
}

/* Lines outside of all subs: of a Perl program most of its main file. */
static void put_rest(struct callgrind *c)
{
    static const nyt_str outside = {.data = "(outside of subs)", .len = 17};
    uint32_t fid = 0;
    for (size_t i = 0; i < c->cost_count; i++) {
        if (c->costs[i].sub != NYT_NONE)
            continue;
        if (c->costs[i].fid != fid) {
            fid = c->costs[i].fid;
            put_file(c, "fl", fid);
            put_function(c, "fn", outside);
        }
        put_cost(c, c->costs[i].line, c->costs[i].seconds);
    }
    if (fid)
        nyt_out_text(c->o, "\n");
}

/* ---- Calls ---- */

/* The calling line may be in another file than the sub, which is an eval then. */
static void put_caller(struct callgrind *c, const nyt_call *call)
{
    static const nyt_str nobody = {.data = "(unknown)", .len = 9};
    const nyt_sub *sub = nyt_profile_sub(c->p, call->caller);
    uint32_t fid = sub && sub->fid ? sub->fid : call->fid;
    put_file(c, "fl", fid);
    put_function(c, "fn", call->caller.len ? call->caller : nobody);
    if (call->fid != fid)
        put_file(c, "fi", call->fid);
}

static void put_call(struct callgrind *c, const nyt_call *call)
{
    put_caller(c, call);
    put_file(c, "cfi", call->called->fid);
    put_function(c, "cfn", call->called->name);
    nyt_out_format(c->o, "calls=%llu %u\n", (unsigned long long)call->count,
                   (unsigned)call->called->first);
    put_cost(c, call->line, call->incl);
    nyt_out_text(c->o, "\n");
}

/* ---- The file ---- */

static void put_header(struct callgrind *c)
{
    const nyt_str *name = nyt_profile_attribute(c->p, "application");
    nyt_out_text(c->o, "# callgrind format\nversion: 1\ncreator: pynytprof " NYT_VERSION "\ncmd: ");
    c->text.len = 0;
    c->failed |= name && !nyt_buf_utf8(&c->text, *name, "\t");
    nyt_out_bytes(c->o, c->text.data, c->text.len);
    nyt_out_text(c->o, "\npositions: line\nevents: Nanoseconds\n\n");
}

static void put_all(struct callgrind *c)
{
    put_header(c);
    put_subs(c);
    put_rest(c);
    for (size_t i = 0; !c->failed && i < c->p->call_count; i++)
        if (c->p->calls[i].count)
            put_call(c, &c->p->calls[i]);
}

int nyt_export_callgrind(const nyt_profile *p, nyt_limit *limit, nyt_write_fn write, void *ctx,
                         nyt_error *err)
{
    size_t lines;
    nyt_profile_all_lines(p, NYT_LEVEL_LINE, &lines);
    struct callgrind c = {.p = p,
                          .o = malloc(sizeof *c.o),
                          .costs = calloc(lines + 1, sizeof *c.costs),
                          .ranges = calloc(p->sub_count + 1, sizeof *c.ranges),
                          .open = calloc(p->sub_count + 1, sizeof *c.open)};
    int rc = NYT_OK;
    c.failed = !c.o || !c.costs || !c.ranges || !c.open;
    nyt_limit_begin(limit);
    if (!c.failed) {
        nyt_out_begin(c.o, write, ctx);
        find_costs(&c);
        put_all(&c);
        rc = nyt_out_end(c.o, err);
    }
    free(c.o);
    free(c.costs);
    free(c.ranges);
    free(c.open);
    nyt_names_free(&c.functions);
    nyt_names_free(&c.files);
    nyt_buf_free(&c.text);
    return c.failed ? nyt_fail(err, NYT_ENOMEM, "out of memory") : rc;
}
