/*
 * A merged profile -> records, in an order that depends on nothing but what it holds: header,
 * files, subs, lines, calls and the call tree inside the first process, then the others.
 */
#include "nytprof.h"

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/str.h"
#include "format/awaited.h"
#include "format/writer.h"
#include "merge/input.h"
#include "merge/merge.h"
#include "merge/sums.h"
#include "model/calltree.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct output {
    nyt_merged *m;
    nyt_writer *w;
    size_t next; /* line that is not written yet */
    uint32_t unit; /* of what comes next */
};

static nyt_str str(const char *text)
{
    return (nyt_str){.data = text, .len = strlen(text)};
}

/* ---- The header ---- */

static int compare_applications(const void *a, const void *b)
{
    const struct nyt_application *left = a, *right = b;
    return nyt_str_compare(left->name, right->name);
}

/* "a (2 runs), b and c", as nytprofmerge has it. */
static bool application_text(nyt_merged *m, struct nyt_buf *text)
{
    bool ok = true;
    size_t n = m->application_count;
    if (n == 0)
        return nyt_buf_append(text, "(unknown)", 9);
    qsort(m->applications, n, sizeof *m->applications, compare_applications);
    for (size_t i = 0; ok && i < n; i++) {
        const struct nyt_application *a = &m->applications[i];
        const char *link = i == 0 ? "" : i + 1 == n ? " and " : ", ";
        char runs[40] = "";
        if (a->runs > 1)
            snprintf(runs, sizeof runs, " (%" PRIu64 " runs)", a->runs);
        ok = nyt_buf_append(text, link, strlen(link)) &&
             nyt_buf_append(text, a->name.data, a->name.len) &&
             nyt_buf_append(text, runs, strlen(runs));
    }
    return ok;
}

static void put_number(struct output *c, const char *key, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, value);
    nyt_writer_attribute(c->w, str(key), str(text));
}

static bool put_attributes(struct output *c)
{
    nyt_merged *m = c->m;
    struct nyt_buf application = {0};
    bool ok = application_text(m, &application);
    if (ok)
        nyt_writer_attribute(c->w, str("application"),
                             (nyt_str){.data = (char *)application.data, .len = application.len});
    nyt_buf_free(&application);
    for (size_t i = 0; i < m->attributes.count; i++)
        nyt_writer_attribute(c->w, m->attributes.list[i].key, m->attributes.list[i].value);
    if (!nyt_pair_value(&m->attributes, "basetime")) {
        double start = m->processes[0].start;
        put_number(c, "basetime", start > 0 && start < 4e9 ? (uint64_t)start : 0);
    }
    put_number(c, "ticks_per_sec", m->ticks_per_sec);
    put_number(c, "cumulative_overhead_ticks", m->overhead);
    return ok;
}

static bool has_flames(const nyt_merged *m)
{
    const struct nyt_tree *t = &m->sums.tree.tree;
    for (size_t i = 1; i < t->count; i++)
        if (round(t->nodes[i].excl) > 0)
            return true;
    return false;
}

/* Where `calls` promises a call tree, nytprofhtml complains if there is none. */
static void put_options(struct output *c)
{
    const struct nyt_pair_list *options = &c->m->options;
    bool flames = has_flames(c->m);
    for (size_t i = 0; i < options->count; i++) {
        nyt_pair pair = options->list[i];
        if (nyt_str_is(pair.key, "calls") && nyt_str_to_int(pair.value) != 0)
            pair.value = str(flames ? "1" : "0");
        nyt_writer_option(c->w, pair.key, pair.value);
    }
}

/* Can and must it be told which sections are processes? Of a single one that is plain. */
static bool needs_list(const nyt_merged *m)
{
    bool needed = m->inputs > 1;
    for (size_t i = 0; i < m->process_count; i++) {
        if (!m->processes[i].process)
            return false;
        needed |= m->processes[i].process != m->processes[0].process;
    }
    return needed && !m->together;
}

/* Each once: sections come in the order of their numbers. */
static bool put_processes(struct output *c)
{
    const nyt_merged *m = c->m;
    struct nyt_buf text = {0};
    bool ok = nyt_buf_append(&text, "Processes:", 10);
    for (size_t i = 0, next = 0; ok && i < m->process_count; i++) {
        char number[24];
        const struct nyt_merge_process *p = &m->processes[i];
        if (p->section < next)
            continue;
        next = p->section + 1;
        snprintf(number, sizeof number, " %u", (unsigned)p->pid);
        ok = p->process != p->pid || nyt_buf_append(&text, number, strlen(number));
    }
    if (ok)
        nyt_writer_comment(c->w, (nyt_str){.data = (char *)text.data, .len = text.len});
    nyt_buf_free(&text);
    return ok;
}

/* false: out of memory. */
static bool put_units(struct output *c)
{
    const nyt_merged *m = c->m;
    char head[48];
    bool ok = true;
    for (size_t i = 0; ok && i < m->unit_count; i++) {
        struct nyt_buf line = {0};
        nyt_str name = m->names.list[m->units[i].name].name;
        snprintf(head, sizeof head, "unit %zu %u ", i + 1, (unsigned)m->units[i].outer);
        ok = nyt_buf_append(&line, head, strlen(head)) &&
             nyt_buf_append(&line, name.data, name.len);
        if (ok)
            nyt_writer_comment(c->w, (nyt_str){.data = (char *)line.data, .len = line.len});
        nyt_buf_free(&line);
    }
    if (m->untold) {
        snprintf(head, sizeof head, "units untold %" PRIu64, m->untold);
        nyt_writer_comment(c->w, str(head));
    }
    return ok;
}

/* Likewise. */
static bool put_shared(struct output *c)
{
    struct nyt_shared_ranges *ranges = &c->m->shared;
    bool ok = true;
    nyt_shared_join(ranges);
    for (size_t at = 0; ok && at < ranges->count;) {
        struct nyt_buf text = {0};
        nyt_str name = c->m->files[ranges->list[at].fid - 1].file.name;
        ok = nyt_shared_text(ranges, &at, name, &text);
        if (ok)
            nyt_writer_comment(c->w, (nyt_str){.data = (char *)text.data, .len = text.len});
        nyt_buf_free(&text);
    }
    return ok;
}

static bool put_awaits(struct output *c)
{
    struct nyt_await_sums *sums = &c->m->awaits;
    bool ok = true;
    nyt_await_sums_join(sums);
    for (size_t i = 0; ok && i < sums->count; i++) {
        struct nyt_buf text = {0};
        ok = nyt_await_sum_text(&sums->list[i], c->m->files[sums->list[i].fid - 1].file.name,
                                &text);
        if (ok)
            nyt_writer_comment(c->w, (nyt_str){.data = (char *)text.data, .len = text.len});
        nyt_buf_free(&text);
    }
    return ok;
}

static bool put_header(struct output *c)
{
    char text[64];
    nyt_merged *m = c->m;
    for (size_t i = 0; i < m->comment_count; i++)
        nyt_writer_comment(c->w, m->comments[i]);
    if (m->processor_wait) {
        snprintf(text, sizeof text, NYT_PROCESSOR_WAITS "%" PRIu64 " ticks", m->processor_wait);
        nyt_writer_comment(c->w, str(text));
    }
    if (m->inputs > 1) {
        snprintf(text, sizeof text, "Merged from %u profiles", (unsigned)m->inputs);
        nyt_writer_comment(c->w, str(text));
    }
    bool ok = (!needs_list(m) || put_processes(c)) && put_attributes(c) && put_shared(c) &&
              put_awaits(c) && put_units(c);
    put_options(c);
    return ok;
}

/* ---- Files and subs ---- */

static void put_files(struct output *c)
{
    for (size_t i = 0; i < c->m->file_count; i++)
        nyt_writer_new_fid(c->w, &c->m->files[i].file);
    for (size_t i = 0; i < c->m->file_count; i++) {
        const struct nyt_merged_file *file = &c->m->files[i];
        for (size_t k = 0; k < file->source_count; k++)
            nyt_writer_src_line(c->w, &file->source[k]);
    }
}

static void put_subs(struct output *c)
{
    for (size_t i = 0; i < c->m->sub_count; i++) {
        const struct nyt_merged_sub *s = &c->m->subs[i];
        nyt_writer_sub_info(c->w, &(nyt_sub_info){.fid = s->fid,
                                                  .first = s->first,
                                                  .last = s->last,
                                                  .name = c->m->names.list[s->name].name});
    }
}

/* ---- Sums ---- */

static int compare_lines(const void *a, const void *b)
{
    const struct nyt_sum_line *x = a, *y = b;
    int c = NYT_COMPARE(x->section, y->section);
    c = c ? c : NYT_COMPARE(x->unit, y->unit);
    c = c ? c : NYT_COMPARE(x->fid, y->fid);
    c = c ? c : NYT_COMPARE(x->line, y->line);
    c = c ? c : NYT_COMPARE(x->block_line, y->block_line);
    return c ? c : NYT_COMPARE(x->sub_line, y->sub_line);
}

static void put_line(struct output *c, const struct nyt_sum_line *l)
{
    nyt_time where = {
        .fid = l->fid, .line = l->line, .block_line = l->block_line, .sub_line = l->sub_line};
    uint64_t count = l->count < NYT_COUNT_MAX ? l->count : NYT_COUNT_MAX;
    nyt_writer_time_run(c->w, &where, count, (uint64_t)l->ticks);
}

/* Where there came to be too many sections, the first had lines of their own. */
static void put_together(struct nyt_sums *s)
{
    for (size_t i = 0; i < s->line_count; i++)
        s->lines[i].section = 0;
}

static void add_same(struct nyt_sums *s)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->line_count; i++) {
        if (kept && compare_lines(&s->lines[kept - 1], &s->lines[i]) == 0) {
            s->lines[kept - 1].count += s->lines[i].count;
            s->lines[kept - 1].ticks = nyt_add_ticks(s->lines[kept - 1].ticks, s->lines[i].ticks);
        } else {
            s->lines[kept++] = s->lines[i];
        }
    }
    s->line_count = kept;
}

static void put_unit(struct output *c, uint32_t unit)
{
    char text[24];
    if (unit == c->unit)
        return;
    c->unit = unit;
    snprintf(text, sizeof text, "of unit %u", (unsigned)unit);
    nyt_writer_comment(c->w, str(text));
}

/* The tables' indices are wrong after sorting; nothing is looked up any more. */
static void sort_lines(struct output *c)
{
    struct nyt_sums *s = &c->m->sums;
    if (c->m->together)
        put_together(s);
    if (s->line_count)
        qsort(s->lines, s->line_count, sizeof *s->lines, compare_lines);
    add_same(s);
}

/* Those of one section: each stands in the first process that has it. */
static void put_lines(struct output *c, uint32_t section)
{
    const struct nyt_sums *s = &c->m->sums;
    for (; c->next < s->line_count && s->lines[c->next].section == section; c->next++) {
        const struct nyt_sum_line *line = &s->lines[c->next];
        if (line->count || line->ticks)
            put_unit(c, line->unit);
        put_line(c, line);
    }
    put_unit(c, 0);
}

static int compare_calls(const void *a, const void *b)
{
    const struct nyt_sum_call *x = a, *y = b;
    int c = NYT_COMPARE(x->unit, y->unit);
    c = c ? c : NYT_COMPARE(x->fid, y->fid);
    c = c ? c : NYT_COMPARE(x->line, y->line);
    c = c ? c : NYT_COMPARE(x->called, y->called);
    return c ? c : NYT_COMPARE(x->caller, y->caller);
}

static void put_calls(struct output *c)
{
    struct nyt_sums *s = &c->m->sums;
    const struct nyt_name *names = c->m->names.list;
    if (s->call_count)
        qsort(s->calls, s->call_count, sizeof *s->calls, compare_calls);
    for (size_t i = 0; i < s->call_count; i++) {
        const struct nyt_sum_call *from = &s->calls[i];
        nyt_sub_callers r = {.fid = from->fid,
                             .line = from->line,
                             .depth = from->depth,
                             .incl = from->incl,
                             .excl = from->excl,
                             .reci = from->reci,
                             .caller = from->fid ? names[from->caller].name : str(""),
                             .called = names[from->called].name};
        put_unit(c, from->unit);
        nyt_writer_calls(c->w, &r, from->count);
    }
    put_unit(c, 0);
}

/* Readers want whole ticks. */
static void put_tree(struct output *c)
{
    const struct nyt_tree *t = &c->m->sums.tree.tree;
    for (uint32_t at = nyt_tree_first(t); at != 0; at = nyt_tree_next(t, at)) {
        const struct nyt_tree_node *node = &t->nodes[at];
        nyt_sub_return r = {.depth = node->depth,
                            .incl = round(node->incl),
                            .excl = round(node->excl),
                            .name = c->m->names.list[node->name].name};
        nyt_writer_sub_return(c->w, &r);
    }
}

/* ---- All of it ---- */

static void put_start(struct output *c, const struct nyt_merge_process *p)
{
    nyt_writer_pid_start(c->w,
                         &(nyt_pid_start){.pid = p->pid, .parent = p->parent, .time = p->start});
}

static void put_end(struct output *c, const struct nyt_merge_process *p)
{
    nyt_writer_pid_end(c->w, &(nyt_pid_end){.pid = p->pid, .time = p->end});
}

static bool put_all(struct output *c)
{
    const nyt_merged *m = c->m;
    if (!put_header(c))
        return false;
    nyt_writer_start_deflate(c->w);
    put_start(c, &m->processes[0]);
    put_files(c);
    put_subs(c);
    sort_lines(c);
    put_lines(c, m->processes[0].section);
    put_calls(c);
    put_tree(c);
    put_end(c, &m->processes[0]);
    for (size_t i = 1; i < m->process_count; i++) {
        put_start(c, &m->processes[i]);
        put_lines(c, m->processes[i].section);
        put_end(c, &m->processes[i]);
    }
    return true;
}

int nyt_merged_write(nyt_merged *m, nyt_write_fn write, void *ctx, int level, nyt_error *err)
{
    struct output c = {.m = m};
    int rc = nyt_writer_open_fn(&c.w, write, ctx, level, err);
    if (rc < 0)
        return rc;
    if (put_all(&c))
        return nyt_writer_close(c.w, err);
    nyt_writer_abandon(c.w);
    return nyt_fail(err, NYT_ENOMEM, "out of memory");
}
