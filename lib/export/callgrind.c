/*
 * Subs, lines and calls in the format of Callgrind, for KCachegrind and callgrind_annotate; costs
 * are nanoseconds.
 *
 * The exclusive time of a sub stands on its lines (see line_costs.h). What a sub has beyond its lines
 * stands on its first line; where lines have more than their sub, because subs share them, they are
 * scaled down to it. So subs and calls have the costs that Perl's nytprofcg gives them, and lines
 * outside of all subs are not lost: they have what no sub has.
 *
 * All is written twice: readers want the sum before what it is of, so that the first time only adds.
 */
#include "nytprof.h"

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/utf8.h"
#include "export/export.h"
#include "export/line_costs.h"

#include <math.h>
#include <stdlib.h>

struct callgrind {
    const nyt_profile *p;
    struct nyt_out *o;
    struct nyt_line_costs costs;
    uint64_t total;                    /* ns, of all lines and subs */
    struct nyt_names functions, files; /* whose numbers were written */
    struct nyt_buf text;
    bool failed; /* out of memory */
};

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

static void put_cost(struct callgrind *c, uint32_t line, uint64_t ns)
{
    nyt_out_format(c->o, "%u %llu\n", (unsigned)line, (unsigned long long)ns);
}

static void put_own_cost(struct callgrind *c, uint32_t line, uint64_t ns)
{
    c->total += ns;
    put_cost(c, line, ns);
}

/* ---- Subs ---- */

/* To whole nanoseconds that add up to those of the sub: what rounding leaves is on its first line. */
static void put_sub(struct callgrind *c, const nyt_sub *sub, double excl)
{
    size_t n;
    const struct nyt_line_cost *costs = nyt_line_costs_of(&c->costs, sub, &n);
    double sum = nyt_line_costs_sum(costs, n);
    double scale = sum > excl && sum > 0 ? fmax(excl, 0) / sum : 1;
    uint64_t left = ns_of(excl);
    put_file(c, "fl", sub->fid);
    put_function(c, "fn", sub->name);
    for (size_t i = 0; i < n; i++) {
        uint64_t ns = ns_of(costs[i].seconds * scale);
        ns = ns < left ? ns : left;
        put_own_cost(c, costs[i].line, ns);
        left -= ns;
    }
    if (left || n == 0)
        put_own_cost(c, sub->first, left);
    nyt_out_text(c->o, "\n");
}

/* Of a sub that was never called, or not counted, the lines are all there is. */
static void put_subs(struct callgrind *c)
{
    size_t n;
    for (uint32_t i = 0; i < c->p->sub_count; i++) {
        const nyt_sub *sub = &c->p->subs[i];
        const struct nyt_line_cost *costs = nyt_line_costs_of(&c->costs, sub, &n);
        if (sub->calls)
            put_sub(c, sub, sub->excl);
        else if (n)
            put_sub(c, sub, nyt_line_costs_sum(costs, n));
    }
}

/* ---- What is in no sub ---- */

/* What lines took that no sub has: Perl's subs have that of files that they load, too, and of code
 * of which it does not say where it stands. */
static double time_outside(const nyt_profile *p)
{
    double time = 0;
    for (size_t i = 0; i < p->lines[NYT_LEVEL_LINE].count; i++) {
        const nyt_line *line = &p->lines[NYT_LEVEL_LINE].list[i];
        const nyt_file *file = nyt_profile_file(p, line->fid);
        if (file && !file->merged_into && isfinite(line->time))
            time += line->time;
    }
    for (size_t i = 0; i < p->sub_count; i++)
        if (p->subs[i].calls && isfinite(p->subs[i].excl))
            time -= p->subs[i].excl;
    return fmax(time, 0);
}

/* Lines outside of all subs: of a Perl program most of its main file. */
static void put_rest(struct callgrind *c)
{
    static const nyt_str outside = {.data = "(outside of subs)", .len = 17};
    size_t n;
    const struct nyt_line_cost *costs = nyt_line_costs_of(&c->costs, NULL, &n);
    double sum = nyt_line_costs_sum(costs, n), time = time_outside(c->p);
    double scale = sum > time ? time / sum : 1;
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || costs[i].fid != costs[i - 1].fid) {
            put_file(c, "fl", costs[i].fid);
            put_function(c, "fn", outside);
        }
        put_own_cost(c, costs[i].line, ns_of(costs[i].seconds * scale));
    }
    if (n)
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
    put_cost(c, call->line, ns_of(fmax(call->incl, 1e-9))); /* gprof2dot wants some */
    nyt_out_text(c->o, "\n");
}

/* ---- The file ---- */

static void put_header(struct callgrind *c, uint64_t total)
{
    const nyt_str *name = nyt_profile_attribute(c->p, "application");
    nyt_out_text(c->o, "# callgrind format\nversion: 1\ncreator: pynytprof " NYT_VERSION "\ncmd: ");
    c->text.len = 0;
    c->failed |= name && !nyt_buf_utf8(&c->text, *name, "\t");
    nyt_out_bytes(c->o, c->text.data, c->text.len);
    nyt_out_format(c->o, "\npositions: line\nevents: Nanoseconds\nsummary: %llu\n\n",
                   (unsigned long long)total);
}

static void put_all(struct callgrind *c, uint64_t total)
{
    c->total = 0;
    put_header(c, total);
    put_subs(c);
    put_rest(c);
    for (size_t i = 0; !c->failed && i < c->p->call_count; i++)
        if (c->p->calls[i].count)
            put_call(c, &c->p->calls[i]);
}

/* The sum of what will be written. */
static uint64_t total_of(struct callgrind *c)
{
    uint64_t bytes = 0;
    nyt_out_begin(c->o, nyt_count_bytes, &bytes);
    c->total = 0;
    put_subs(c);
    put_rest(c);
    nyt_names_free(&c->functions);
    nyt_names_free(&c->files);
    c->functions = c->files = (struct nyt_names){0};
    return c->total;
}

int nyt_export_callgrind(const nyt_profile *p, nyt_limit *limit, nyt_write_fn write, void *ctx,
                         nyt_error *err)
{
    struct callgrind c = {.p = p, .o = malloc(sizeof *c.o)};
    int rc = NYT_OK;
    c.failed = !nyt_line_costs_find(&c.costs, p) || !c.o;
    nyt_limit_begin(limit);
    nyt_limit_shown(limit, nyt_shown_of_calls(p));
    if (!c.failed) {
        uint64_t total = total_of(&c);
        nyt_out_begin(c.o, write, ctx);
        put_all(&c, total);
        rc = nyt_out_end(c.o, err);
    }
    free(c.o);
    nyt_line_costs_free(&c.costs);
    nyt_names_free(&c.functions);
    nyt_names_free(&c.files);
    nyt_buf_free(&c.text);
    return c.failed ? nyt_fail(err, NYT_ENOMEM, "out of memory") : rc;
}
