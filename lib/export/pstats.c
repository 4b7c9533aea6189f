/*
 * Subs and who called them, as Python's pstats loads them: one marshalled dictionary
 *
 *     {(file, line, name): (primitive calls, calls, own time, time, callers)}
 *
 * in which callers is {(file, line, name): (calls, primitive calls, own time, time)}. Of the
 * marshal format only what all versions read is used: '{' ... '0', '(', 'u', 'i', 'l', 'g'.
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
#include <string.h>

/* All calls of one sub by one caller. */
struct link {
    uint32_t caller;            /* number of its name */
    uint64_t calls, primitive;
    double own, all; /* seconds */
};

struct pstats {
    const nyt_profile *p;
    struct nyt_out *o;
    struct nyt_names callers;
    double *called; /* of each caller: what its calls took; */
    size_t called_cap;
    struct link *links; /* of the current sub */
    size_t cap;
    struct nyt_buf text;
    bool failed; /* out of memory */
};

/* ---- Marshal ---- */

static void put_bytes_of(struct nyt_out *o, uint64_t value, size_t n)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
    nyt_out_bytes(o, bytes, n);
}

/* Beyond 31 bits as digits of 15 bits, the lowest first. */
static void put_int(struct nyt_out *o, uint64_t value)
{
    if (value <= INT32_MAX) {
        nyt_out_text(o, "i");
        put_bytes_of(o, value, 4);
        return;
    }
    uint32_t digits = 0;
    for (uint64_t rest = value; rest; rest >>= 15)
        digits++;
    nyt_out_text(o, "l");
    put_bytes_of(o, digits, 4);
    for (; value; value >>= 15)
        put_bytes_of(o, value & 0x7FFF, 2);
}

static void put_float(struct nyt_out *o, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    nyt_out_text(o, "g");
    put_bytes_of(o, bits, 8);
}

static void put_tuple(struct nyt_out *o, uint32_t n)
{
    nyt_out_text(o, "(");
    put_bytes_of(o, n, 4);
}

static void put_str(struct pstats *s, nyt_str text)
{
    s->text.len = 0;
    s->failed |= !nyt_buf_utf8(&s->text, text, NULL) || s->text.len > INT32_MAX;
    if (s->failed)
        return;
    nyt_out_text(s->o, "u");
    put_bytes_of(s->o, s->text.len, 4);
    nyt_out_bytes(s->o, s->text.data, s->text.len);
}

/* ---- Keys ---- */

/* What is no Python code stands in the file '~' as in cProfile; `sub` may be NULL. */
static void put_key(struct pstats *s, nyt_str name, const nyt_sub *sub)
{
    static const nyt_str nowhere = {.data = "~", .len = 1};
    const nyt_file *file = sub && sub->first ? nyt_profile_file(s->p, sub->fid) : NULL;
    put_tuple(s->o, 3);
    put_str(s, file ? file->name : nowhere);
    put_int(s->o, file ? sub->first : 0);
    put_str(s, name);
}

/* The number of the caller's name. NYT_NONE: it is no sub. */
static uint32_t take_caller(struct pstats *s, const nyt_call *call)
{
    if (!nyt_profile_sub(s->p, call->caller))
        return NYT_NONE;
    uint32_t id = nyt_names_take(&s->callers, call->caller);
    double *called = id == NYT_NONE
                         ? NULL
                         : nyt_grow(s->called, &s->called_cap, (size_t)id + 1, sizeof *called);
    s->failed |= !called;
    if (!called)
        return NYT_NONE;
    s->called = called;
    s->called[id] += isfinite(call->incl) ? call->incl : 0;
    return id;
}

/* ---- Subs ---- */

static int by_caller(const void *left, const void *right)
{
    const struct link *a = left, *b = right;
    return NYT_COMPARE(a->caller, b->caller);
}

static void add_link(struct link *to, const struct link *from)
{
    to->calls += from->calls;
    to->primitive += from->primitive;
    to->own += from->own;
    to->all += from->all;
}

/* One link for each caller, whatever the line it called from; returns their number. */
static size_t merge_links(struct link *links, size_t n)
{
    size_t to = 0;
    qsort(links, n, sizeof *links, by_caller);
    for (size_t i = 0; i < n; i++) {
        if (to && links[to - 1].caller == links[i].caller)
            add_link(&links[to - 1], &links[i]);
        else
            links[to++] = links[i];
    }
    return to;
}

/* Fills s->links and *all with the sum, also of those calls that came from no sub. */
static size_t find_links(struct pstats *s, const nyt_sub *sub, struct link *all)
{
    size_t n, found = 0;
    const nyt_call *calls = nyt_profile_callers(s->p, sub, &n);
    void *links = nyt_grow(s->links, &s->cap, n, sizeof *s->links);
    *all = (struct link){0};
    s->failed |= !links;
    if (!links)
        return 0;
    s->links = links;
    for (size_t i = 0; i < n; i++) {
        struct link link = {.caller = take_caller(s, &calls[i]),
                            .calls = calls[i].count,
                            .primitive = calls[i].outermost,
                            .own = calls[i].excl,
                            .all = calls[i].incl};
        add_link(all, &link);
        if (link.caller != NYT_NONE && link.calls)
            s->links[found++] = link;
    }
    return merge_links(s->links, found);
}

static void put_figures(struct nyt_out *o, uint64_t first, uint64_t second, const struct link *link)
{
    put_int(o, first);
    put_int(o, second);
    put_float(o, link->own);
    put_float(o, link->all);
}

/*
 * Where all began (Perl's main::RUNTIME) was called by nobody and has no figures of its own: it
 * lasted as long as what it called. Tools look for such roots.
 */
static void put_root(struct pstats *s, uint32_t caller)
{
    const struct link all = {.all = s->called[caller]};
    nyt_str name = s->callers.list[caller].name;
    put_key(s, name, nyt_profile_sub(s->p, name));
    put_tuple(s->o, 5);
    put_figures(s->o, 1, 1, &all);
    nyt_out_text(s->o, "{0");
}

static void put_sub(struct pstats *s, nyt_str name, const nyt_sub *sub)
{
    struct link all = {0};
    size_t n = find_links(s, sub, &all);
    put_key(s, name, sub);
    put_tuple(s->o, 5);
    put_figures(s->o, all.primitive, all.calls, &all);
    nyt_out_text(s->o, "{");
    for (size_t i = 0; i < n && !s->failed; i++) {
        nyt_str caller = s->callers.list[s->links[i].caller].name;
        put_key(s, caller, nyt_profile_sub(s->p, caller));
        put_tuple(s->o, 4);
        put_figures(s->o, s->links[i].calls, s->links[i].primitive, &s->links[i]);
    }
    nyt_out_text(s->o, "0");
}

/* Without calls, lines are what there is: each as often as it ran, called by nobody. */
static void put_line(struct pstats *s, const nyt_line *line)
{
    const nyt_file *file = nyt_profile_file(s->p, line->fid);
    const struct link all = {.own = line->time, .all = line->time};
    uint64_t count = line->count > 0 ? (uint64_t)line->count : 0;
    if (!file || file->merged_into)
        return;
    put_tuple(s->o, 3);
    put_str(s, file->name);
    put_int(s->o, line->line);
    put_str(s, (nyt_str){.data = "(line)", .len = 6});
    put_tuple(s->o, 5);
    put_figures(s->o, count, count, &all);
    nyt_out_text(s->o, "{0");
}

/* Every caller is an entry, even if it was not called itself: some tools rely on that. */
static void put_all(struct pstats *s)
{
    size_t n;
    const nyt_line *lines = nyt_profile_all_lines(s->p, NYT_LEVEL_LINE, &n);
    nyt_out_text(s->o, "{");
    for (size_t i = 0; i < s->p->sub_count && !s->failed; i++)
        if (s->p->subs[i].calls)
            put_sub(s, s->p->subs[i].name, &s->p->subs[i]);
    for (uint32_t i = 0; i < s->callers.count && !s->failed; i++) {
        const nyt_sub *sub = nyt_profile_sub(s->p, s->callers.list[i].name);
        if (!sub || !sub->calls)
            put_root(s, i);
    }
    for (size_t i = 0; i < n && nyt_shown_of_calls(s->p) == NYT_SHOWN_LINES; i++)
        put_line(s, &lines[i]);
    nyt_out_text(s->o, "0");
}

int nyt_export_pstats(const nyt_profile *p, nyt_limit *limit, nyt_write_fn write, void *ctx,
                      nyt_error *err)
{
    struct pstats s = {.p = p, .o = malloc(sizeof *s.o)};
    int rc = NYT_OK;
    s.failed = !s.o;
    nyt_limit_begin(limit);
    nyt_limit_shown(limit, nyt_shown_of_calls(p));
    if (!s.failed) {
        nyt_out_begin(s.o, write, ctx);
        put_all(&s);
        rc = nyt_out_end(s.o, err);
    }
    free(s.o);
    free(s.links);
    free(s.called);
    nyt_names_free(&s.callers);
    nyt_buf_free(&s.text);
    return s.failed ? nyt_fail(err, NYT_ENOMEM, "out of memory") : rc;
}
