/*
 * Records -> tables: what each record means, as Perl's loader has it. Numbers from the file are
 * keys of hash tables here and never sizes of arrays.
 */
#include "model/loader.h"

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/str.h"
#include "format/line_sums.h"
#include "format/reader.h"
#include "format/salvage.h"
#include "model/awaits.h"
#include "model/calltree.h"
#include "model/finish.h"
#include "model/limits.h"
#include "model/narrow.h"
#include "model/profile.h"
#include "model/sections.h"
#include "model/shared.h"
#include "model/tables.h"
#include "model/units.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static nyt_str keep_text(struct nyt_loader *l, nyt_str s, bool *ok)
{
    return nyt_arena_str(&l->p->texts, s, ok);
}

/* ---- Attributes, options, comments ---- */

static bool set_pair(struct nyt_loader *l, struct nyt_pairs *pairs, nyt_pair pair)
{
    bool is_new, ok = true;
    if (!pair.value.data)
        return true;
    uint32_t key = nyt_names_take(&l->p->names, pair.key);
    uint32_t *at = key == NYT_NONE ? NULL : nyt_map_take(&pairs->by_key, key, &is_new);
    if (!at || !NYT_ROOM_FOR_ONE(pairs->list, pairs->count, pairs->cap))
        return false;
    if (is_new) {
        *at = (uint32_t)pairs->count;
        pairs->list[pairs->count++] = (nyt_pair){.key = l->p->names.list[key].name,
                                                 .value = {.data = ""}};
    }
    nyt_str *value = &pairs->list[*at].value;
    *value = nyt_arena_str_again(&l->p->texts, *value, pair.value, &ok);
    return ok;
}

static bool add_comment(struct nyt_loader *l, nyt_str text)
{
    nyt_profile *p = l->p;
    if (!nyt_owners_heed(&l->owners, text))
        return false;
    if (p->comment_count == NYT_COMMENTS_MAX)
        return true;
    bool ok = NYT_ROOM_FOR_ONE(p->comments, p->comment_count, p->comment_cap);
    if (ok)
        p->comments[p->comment_count++] = keep_text(l, text, &ok);
    return ok;
}

/* ---- Time ---- */

/* Turns all ticks so far into seconds. false: out of memory. */
static bool convert_lines(const struct nyt_loader *l, struct nyt_line_table *t)
{
    if (t->sums.count == 0)
        return true;
    void *times = nyt_grow(t->times, &t->times_cap, t->sums.count, sizeof *t->times);
    if (!times)
        return false;
    t->times = times;
    for (size_t i = 0; i < t->sums.count; i++) {
        int64_t ticks = t->sums.list[i].ticks;
        if (ticks)
            t->times[i].seconds += nyt_loader_seconds(l, ticks);
        t->times[i].ticks = nyt_add_ticks(t->times[i].ticks, ticks);
        t->sums.list[i].ticks = 0;
    }
    return true;
}

/* Before ticks_per_sec changes, and at the end. */
static bool convert_ticks(struct nyt_loader *l)
{
    if (l->ticks)
        l->p->totals.statement_time += nyt_loader_seconds(l, l->ticks);
    l->ticks = 0;
    return nyt_sections_flush(l) && convert_lines(l, &l->lines[NYT_LEVEL_LINE]) &&
           convert_lines(l, &l->lines[NYT_LEVEL_BLOCK]) &&
           convert_lines(l, &l->lines[NYT_LEVEL_SUB]);
}

static bool heed_ticks_per_sec(struct nyt_loader *l)
{
    uint32_t now = nyt_reader_progress(l->in).ticks_per_sec;
    bool ok = now == l->ticks_per_sec || convert_ticks(l);
    l->ticks_per_sec = now;
    return ok;
}

/*
 * Discounted once, a record adds time and no count. More than that should not happen; then
 * Perl's loader begins a line below zero, and adds to others the record's whole seconds.
 */
static int64_t count_of(const struct nyt_loader *l, uint32_t discounts, int32_t ticks, bool first)
{
    if (!discounts)
        return 1;
    if (first)
        return 1 - (int64_t)discounts;
    return discounts > 1 && l->ticks_per_sec ? ticks / (int64_t)l->ticks_per_sec : 0;
}

/* What the last section left discounted counts for all of them, as in Perl, but not for this one:
 * its first statement is another's. */
static bool add_time(struct nyt_loader *l, nyt_level level, int32_t ticks, uint32_t fid,
                     uint32_t line)
{
    struct nyt_line_sums *all = &l->lines[level].sums;
    struct nyt_line_sums *sums = level == NYT_LEVEL_LINE ? nyt_sections_lines(l) : all;
    size_t before = all->count, mine_before = sums->count;
    struct nyt_line_sum *whole = nyt_line_sums_at(all, fid, line);
    struct nyt_line_sum *sum = sums == all ? whole : nyt_line_sums_at(sums, fid, line);
    if (!whole || !sum)
        return false;
    int64_t count = count_of(l, l->discounts, ticks, all->count > before), mine = count;
    if (sums != all)
        mine = count_of(l, l->discounts - l->left, ticks, sums->count > mine_before);
    sum->count += mine;
    whole->count += count - mine;
    sum->ticks = nyt_add_ticks(sum->ticks, ticks);
    return true;
}

static void count_statements(struct nyt_loader *l, uint64_t statements, int64_t ticks)
{
    l->statements += statements;
    l->ticks = nyt_add_ticks(l->ticks, ticks);
    if (l->section && ticks)
        l->p->processes[l->section - 1].statement_time += nyt_loader_seconds(l, ticks);
}

static void end_statement(struct nyt_loader *l, int32_t ticks)
{
    count_statements(l, 1, ticks);
    l->p->totals.discounted += l->discounts;
    l->discounts = l->left = 0;
}

static bool add_time_line(struct nyt_loader *l, const nyt_time *t)
{
    bool ok = add_time(l, NYT_LEVEL_LINE, t->ticks, t->fid, t->line);
    end_statement(l, t->ticks);
    return ok;
}

static bool add_time_block(struct nyt_loader *l, const nyt_time *t)
{
    l->p->totals.blocks = true;
    bool ok = add_time(l, NYT_LEVEL_LINE, t->ticks, t->fid, t->line) &&
              add_time(l, NYT_LEVEL_BLOCK, t->ticks, t->fid, t->block_line) &&
              add_time(l, NYT_LEVEL_SUB, t->ticks, t->fid, t->sub_line);
    end_statement(l, t->ticks);
    return ok;
}

/* Are the lines that come those of another section or unit than is wanted? */
static bool skips_lines(const struct nyt_loader *l)
{
    return l->skips || l->units.skips;
}

/* The TIME_LINEs that come next, if none of the discounts before them is odd. */
static bool add_run(struct nyt_loader *l)
{
    struct nyt_run run;
    if (l->discounts)
        return true;
    bool skips = skips_lines(l);
    struct nyt_line_sums *to = skips ? &l->skipped : nyt_sections_lines(l);
    bool ok = nyt_reader_sum_lines(l->in, to, &run);
    if (skips)
        return ok;
    count_statements(l, run.statements, run.ticks);
    l->p->totals.discounted += run.discounted;
    return ok;
}

/* ---- Processes ---- */

static nyt_process *add_process(nyt_profile *p)
{
    if (!NYT_ROOM_FOR_ONE(p->processes, p->process_count, p->process_cap))
        return NULL;
    p->processes[p->process_count] = (nyt_process){0};
    return &p->processes[p->process_count++];
}

/* A discount that no statement of its section came behind. */
static void leave_discounts(struct nyt_loader *l)
{
    l->left = l->p->process_count > 1 ? l->discounts : 0;
    if (l->p->sectioned)
        l->discounts -= l->left;
}

/* Is it one of those that are wanted, or are all? */
static bool is_wanted(const nyt_profile *p, const nyt_process *process)
{
    return p->section ? process->pid == p->section : !p->process || process->process == p->process;
}

static bool start_process(struct nyt_loader *l, const nyt_pid_start *s)
{
    bool is_new;
    nyt_process *process = add_process(l->p);
    uint32_t *at = process ? nyt_map_take(&l->live, s->pid, &is_new) : NULL;
    if (!at || !nyt_calltree_section(&l->tree) || !nyt_sections_start(l, s->pid))
        return false;
    *process = (nyt_process){.pid = s->pid,
                             .parent = s->parent,
                             .process = nyt_owner_of(&l->owners, s),
                             .started = true,
                             .start = s->time};
    *at = (uint32_t)l->p->process_count - 1;
    l->section = (uint32_t)l->p->process_count;
    l->skips = !is_wanted(l->p, process);
    leave_discounts(l);
    nyt_units_outside(l);
    l->p->totals.start = s->time;
    return true;
}

/* Perl measures from the latest start, whichever process that was. */
static bool end_process(struct nyt_loader *l, const nyt_pid_end *e)
{
    nyt_totals *totals = &l->p->totals;
    uint32_t *at = nyt_map_find(&l->live, e->pid);
    nyt_process *process = at && *at != NYT_NONE ? &l->p->processes[*at] : add_process(l->p);
    if (!process || !nyt_calltree_section(&l->tree))
        return false;
    if (at)
        *at = NYT_NONE;         /* not live any more */
    process->pid = e->pid;
    process->ended = true;
    process->end = e->time;
    l->section = 0;
    if (!is_wanted(l->p, process))
        return true;
    totals->timed = true;
    totals->end = e->time;
    totals->duration += e->time - totals->start;
    return true;
}

/* ---- Files and sources ---- */

static bool define_file(struct nyt_loader *l, const nyt_new_fid *f)
{
    bool is_new, ok = true;
    if (f->fid == 0)
        return true;            /* stands for "none" */
    uint32_t *at = nyt_map_take(&l->file_index, f->fid, &is_new);
    if (!at || !NYT_ROOM_FOR_ONE(l->files, l->file_count, l->file_cap))
        return false;
    if (is_new)
        *at = (uint32_t)l->file_count++;
    /* An eval whose parent is not known yet is taken for a plain file, as in Perl. */
    bool is_eval = f->eval_fid &&
                   (f->eval_fid == f->fid || nyt_map_find(&l->file_index, f->eval_fid));
    struct nyt_file_entry *entry = &l->files[*at];
    nyt_str name = nyt_arena_str_again(&l->p->texts, entry->file.name, f->name, &ok);
    entry->order = *at;
    entry->file = (nyt_file){.fid = f->fid,
                             .eval_fid = is_eval ? f->eval_fid : 0,
                             .eval_line = is_eval ? f->eval_line : 0,
                             .flags = f->flags,
                             .size = f->size,
                             .mtime = f->mtime,
                             .name = name,
                             .is_eval = is_eval};
    return ok;
}

static uint64_t source_key(const nyt_src_line *s)
{
    return nyt_pair_key(s->fid, s->line);
}

static bool index_sources(struct nyt_loader *l)
{
    bool is_new;
    for (size_t i = 0; i < l->p->source_count; i++) {
        uint32_t *at = nyt_map_take(&l->source_index, source_key(&l->p->sources[i]), &is_new);
        if (!at)
            return false;
        *at = (uint32_t)i;
    }
    l->sources_indexed = true;
    return true;
}

/*
 * Where a line of source stands, or is to stand. As long as each comes behind the one before, as
 * our writers have them, it is new without being looked for.
 */
static bool find_source(struct nyt_loader *l, const nyt_src_line *s, size_t *at)
{
    const nyt_profile *p = l->p;
    bool is_new;
    *at = p->source_count;
    if (!l->sources_indexed && (*at == 0 || source_key(s) > source_key(&p->sources[*at - 1])))
        return true;
    if (!l->sources_indexed && !index_sources(l))
        return false;
    uint32_t *known = nyt_map_take(&l->source_index, source_key(s), &is_new);
    if (!known)
        return false;
    if (is_new)
        *known = (uint32_t)*at;
    *at = *known;
    return true;
}

static bool add_source(struct nyt_loader *l, const nyt_src_line *s)
{
    nyt_profile *p = l->p;
    size_t at;
    bool ok = true;
    if (!NYT_ROOM_FOR_ONE(p->sources, p->source_count, l->source_cap) || !find_source(l, s, &at))
        return false;
    if (at == p->source_count)
        p->sources[p->source_count++] = (nyt_src_line){.text = {.data = ""}};
    nyt_src_line *kept = &p->sources[at];
    *kept = (nyt_src_line){.fid = s->fid,
                           .line = s->line,
                           .text = nyt_arena_str_again(&p->texts, kept->text, s->text, &ok)};
    return ok;
}

/* ---- Subs and calls ---- */

static uint32_t sub_of(struct nyt_loader *l, nyt_str name)
{
    bool is_new;
    uint32_t id = nyt_names_take(&l->p->names, name);
    uint32_t *at = id == NYT_NONE ? NULL : nyt_map_take(&l->sub_index, id, &is_new);
    if (!at || !NYT_ROOM_FOR_ONE(l->subs, l->sub_count, l->sub_cap))
        return NYT_NONE;
    if (is_new) {
        *at = (uint32_t)l->sub_count;
        l->subs[l->sub_count++] = (struct nyt_sub_entry_sum){
            .sub = {.name = l->p->names.list[id].name}, .merged_into = NYT_NONE};
    }
    return *at;
}

static bool add_definition(struct nyt_loader *l, uint32_t sub, uint32_t fid)
{
    bool is_new;
    uint32_t *at = nyt_map_take(&l->definition_index, nyt_pair_key(sub, fid), &is_new);
    if (!at || !NYT_ROOM_FOR_ONE(l->definitions, l->definition_count, l->definition_cap))
        return false;
    if (is_new)
        l->definitions[l->definition_count++] = (struct nyt_definition_entry){sub, fid};
    return true;
}

/* Several files may define a sub of one name: the lowest fid has it. */
static bool define_sub(struct nyt_loader *l, const nyt_sub_info *s)
{
    uint32_t index = sub_of(l, s->name);
    if (index == NYT_NONE)
        return false;
    struct nyt_sub_entry_sum *entry = &l->subs[index];
    if (!entry->defined || s->fid <= entry->sub.fid) {
        entry->defined = true;
        entry->sub.fid = s->fid;
        entry->sub.has_range = true;
        entry->sub.first = s->first;
        entry->sub.last = s->last;
    }
    return s->fid == 0 || add_definition(l, index, s->fid);
}

/* Numbers pairs of what is numbered; NYT_NONE: out of memory. */
static uint32_t pair_number(struct nyt_map *m, uint32_t *count, uint32_t high, uint32_t low)
{
    bool is_new;
    uint32_t *at = nyt_map_take(m, nyt_pair_key(high, low), &is_new);
    if (at && is_new)
        *at = (*count)++;
    return at ? *at : NYT_NONE;
}

static uint32_t edge_of(struct nyt_loader *l, uint32_t sub, const nyt_sub_callers *c)
{
    bool is_new;
    uint32_t caller = nyt_names_take(&l->p->names, c->caller);
    uint32_t place = pair_number(&l->place_index, &l->place_count, c->fid, c->line);
    if (caller == NYT_NONE || place == NYT_NONE)
        return NYT_NONE;
    uint32_t site = pair_number(&l->site_index, &l->site_count, place, caller);
    uint32_t *at = site == NYT_NONE
                       ? NULL
                       : nyt_map_take(&l->edge_index, nyt_pair_key(sub, site), &is_new);
    if (!at || !NYT_ROOM_FOR_ONE(l->edges, l->edge_count, l->edge_cap))
        return NYT_NONE;
    if (is_new) {
        *at = (uint32_t)l->edge_count;
        l->edges[l->edge_count++] = (struct nyt_edge){
            .sub = sub, .fid = c->fid, .line = c->line, .caller = caller};
    }
    return *at;
}

/*
 * The calls of one record that found no other activation of their sub. Our tracers write those and
 * the others as two records. Perl has them in one, with the greatest depth: where there are both,
 * this is the most that it can have been.
 */
static uint64_t outermost_calls(const nyt_sub_callers *c)
{
    if (c->depth == 0)
        return c->count;
    if (!(c->incl > 0))
        return 0;
    return c->count > c->depth ? c->count - c->depth : 1;
}

static bool add_edge(struct nyt_loader *l, uint32_t sub, const nyt_sub_callers *c)
{
    uint32_t index = edge_of(l, sub, c);
    if (index == NYT_NONE)
        return false;
    struct nyt_edge *e = &l->edges[index];
    e->count += c->count;
    e->outermost += outermost_calls(c);
    e->incl += c->incl;
    e->excl += c->excl;
    e->reci += c->reci;
    if (e->depth < c->depth)
        e->depth = c->depth;
    return true;
}

static bool add_calls(struct nyt_loader *l, const nyt_sub_callers *c)
{
    uint32_t index = sub_of(l, c->called);
    if (index == NYT_NONE)
        return false;
    nyt_sub *sub = &l->subs[index].sub;
    if (c->fid == 0) {          /* the mark of an xsub */
        sub->has_range = true;
        sub->first = sub->last = 0;
    }
    sub->calls += c->count;
    sub->incl += c->incl;
    sub->excl += c->excl;
    sub->reci += c->reci;
    if (sub->depth < c->depth)
        sub->depth = c->depth;
    l->p->totals.calls += c->count;
    return c->fid == 0 || add_edge(l, index, c);
}

static bool add_return(struct nyt_loader *l, const nyt_sub_return *r)
{
    uint32_t name = nyt_names_take(&l->p->names, r->name);
    return name != NYT_NONE && nyt_calltree_add(&l->tree, r->depth, name, r->incl, r->excl);
}

/* ---- Subs that are known by their calls only ---- */

/* All returns of one node, as the calls of its sub from no certain line. */
static bool add_calls_of_node(struct nyt_loader *l, const struct nyt_tree_node *node,
                              uint32_t depth)
{
    const struct nyt_tree_node *parent = &l->tree.tree.nodes[node->parent];
    const struct nyt_names *names = &l->p->names;
    double second = l->ticks_per_sec ? l->ticks_per_sec : INFINITY;
    nyt_sub_callers c = {.fid = l->files[0].file.fid,
                         .caller = {.data = ""},
                         .count = node->calls < UINT32_MAX ? (uint32_t)node->calls : UINT32_MAX,
                         .incl = depth ? 0 : node->incl / second,
                         .excl = node->excl / second,
                         .reci = depth ? node->incl / second : 0,
                         .depth = depth,
                         .called = names->list[node->name].name};
    if (parent->name <= NYT_NAMES_MAX)
        c.caller = names->list[parent->name].name;
    return add_calls(l, &c);
}

/*
 * A profiler that was killed had no time to write what its subs took together: their calls are all
 * there is. `open` counts the activations of each name on the way.
 */
static bool add_calls_of_tree(struct nyt_loader *l, uint32_t *open)
{
    const struct nyt_tree_node *nodes = l->tree.tree.nodes;
    uint32_t at = nodes[0].first_child;
    while (at) {
        bool named = nodes[at].name <= NYT_NAMES_MAX;
        if (named && !add_calls_of_node(l, &nodes[at], open[nodes[at].name]++))
            return false;
        if (nodes[at].first_child) {
            at = nodes[at].first_child;
            continue;
        }
        for (; at; at = nodes[at].parent) {
            if (nodes[at].name <= NYT_NAMES_MAX)
                open[nodes[at].name]--;
            if (nodes[at].next)
                break;
        }
        at = nodes[at].next;
    }
    return true;
}

static bool know_subs_by_their_calls(struct nyt_loader *l)
{
    if (l->sub_count || l->tree.tree.count < 2 || !l->file_count)
        return true;
    uint32_t *open = calloc(l->p->names.count + 1, sizeof *open);
    bool ok = open && add_calls_of_tree(l, open);
    free(open);
    l->p->calls_by_tree = true;
    return ok;
}

/* ---- The walk ---- */

/*
 * Is it a record of a section, or a unit, that is not wanted? What names files and subs is. Calls stand in the
 * file for all sections together, so that there are none of one alone.
 */
static bool is_skipped(const struct nyt_loader *l, const nyt_record *r)
{
    nyt_tag tag = r->tag;
    if (tag == NYT_TAG_SUB_CALLERS && l->units.skips && r->u.sub_callers.fid)
        return true;
    if (tag == NYT_TAG_SUB_RETURN || tag == NYT_TAG_SUB_CALLERS)
        return l->p->sectioned;
    return skips_lines(l) &&
           (tag == NYT_TAG_TIME_LINE || tag == NYT_TAG_TIME_BLOCK || tag == NYT_TAG_DISCOUNT);
}

static bool take_record(struct nyt_loader *l, const nyt_record *r)
{
    bool ok;
    if (r->tag == NYT_TAG_SUB_CALLERS)
        l->units.any |= l->units.within;
    if (is_skipped(l, r))
        return true;
    switch (r->tag) {
    case NYT_TAG_VERSION:
        l->p->totals.version = r->u.version;
        return true;
    case NYT_TAG_COMMENT:
        if (nyt_units_heed(l, r->u.comment.text, &ok) ||
            nyt_shared_heed(l, r->u.comment.text, &ok) ||
            nyt_awaits_heed(l, r->u.comment.text, &ok))
            return ok;
        return add_comment(l, r->u.comment.text);
    case NYT_TAG_ATTRIBUTE:
        return heed_ticks_per_sec(l) && set_pair(l, &l->p->attributes, r->u.pair);
    case NYT_TAG_OPTION:
        return set_pair(l, &l->p->options, r->u.pair);
    case NYT_TAG_PID_START:
        return start_process(l, &r->u.pid_start);
    case NYT_TAG_PID_END:
        return end_process(l, &r->u.pid_end);
    case NYT_TAG_NEW_FID:
        return define_file(l, &r->u.new_fid);
    case NYT_TAG_TIME_LINE:
        return add_time_line(l, &r->u.time);
    case NYT_TAG_TIME_BLOCK:
        return add_time_block(l, &r->u.time);
    case NYT_TAG_DISCOUNT:
        l->discounts++;
        return true;
    case NYT_TAG_SUB_RETURN:
        return add_return(l, &r->u.sub_return);
    case NYT_TAG_SRC_LINE:
        return add_source(l, &r->u.src_line);
    case NYT_TAG_SUB_INFO:
        return define_sub(l, &r->u.sub_info);
    case NYT_TAG_SUB_CALLERS:
        return add_calls(l, &r->u.sub_callers);
    default:                    /* SUB_ENTRY and START_DEFLATE say nothing new */
        return true;
    }
}

static int check_limits(const struct nyt_loader *l, nyt_error *err)
{
    const nyt_profile *p = l->p;
    return nyt_check_limits(p->texts.held + p->names.arena.held, p->process_count, err);
}

/* To the end of the file, or as far as it goes. */
static int take_all(struct nyt_loader *l, nyt_error *err)
{
    nyt_record rec;
    for (;;) {
        if (!add_run(l))
            return nyt_fail(err, NYT_ENOMEM, "out of memory");
        int rc = nyt_reader_next(l->in, &rec, err);
        if (rc <= 0)
            return rc;
        if (!take_record(l, &rec))
            return nyt_fail(err, NYT_ENOMEM, "out of memory");
        rc = check_limits(l, err);
        if (rc < 0)
            return rc;
    }
}

/* Is the reader's error one that leaves a profile worth having? */
static bool is_bearable(const struct nyt_loader *l, int code)
{
    return code == NYT_ETRUNC ||
           (l->options.salvage && (code == NYT_EFORMAT || code == NYT_EDEFLATE));
}

static int take_as_much_as_there_is(struct nyt_loader *l, nyt_error *err)
{
    nyt_profile *p = l->p;
    nyt_error fault = {0};
    int rc = take_all(l, &fault);
    if (rc < 0 && is_bearable(l, rc)) {
        p->has_fault = true;
        p->fault = fault;
        rc = NYT_OK;
    }
    if (rc < 0 && err)
        *err = fault;
    return rc;
}

static double number_of(const nyt_str *s)
{
    return s ? (double)nyt_str_to_int(*s) : 0;
}

static bool all_processes_ended(const nyt_profile *p)
{
    for (size_t i = 0; i < p->process_count; i++)
        if (p->processes[i].started && !p->processes[i].ended)
            return false;
    return true;
}

/* What tracers note in a file that they write while the program runs. */
static bool is_snapshot(const nyt_profile *p)
{
    static const char note[] = "Snapshot: ";
    for (size_t i = 0; i < p->comment_count; i++)
        if (p->comments[i].len >= sizeof note - 1 &&
            memcmp(p->comments[i].data, note, sizeof note - 1) == 0)
            return true;
    return false;
}

/* Of those sections that are wanted. */
static double wall_time(const nyt_profile *p)
{
    double first = INFINITY, last = -INFINITY;
    for (size_t i = 0; i < p->process_count; i++) {
        if (!is_wanted(p, &p->processes[i]))
            continue;
        if (p->processes[i].started && p->processes[i].start < first)
            first = p->processes[i].start;
        if (p->processes[i].ended && p->processes[i].end > last)
            last = p->processes[i].end;
    }
    return last > first ? last - first : 0;
}

static bool sum_up(struct nyt_loader *l)
{
    nyt_profile *p = l->p;
    nyt_totals *t = &p->totals;
    nyt_progress progress = nyt_reader_progress(l->in);
    bool ok = convert_ticks(l);
    t->records = progress.records;
    t->bytes = progress.bytes;
    t->inflated = progress.inflated;
    t->ticks_per_sec = progress.ticks_per_sec;
    t->statements = l->statements;
    t->snapshot = is_snapshot(p);
    t->complete = !p->has_fault && all_processes_ended(p) && !t->snapshot;
    p->of_unit = l->options.unit != NULL;
    t->wall = wall_time(p);
    t->active = t->duration;
    if (t->ticks_per_sec && !p->sectioned && !p->of_unit) /* it is known of all together only */
        t->active -= number_of(nyt_profile_attribute(p, "cumulative_overhead_ticks")) /
                     t->ticks_per_sec;
    return ok;
}

/* Subs that were called but defined nowhere go to the first file. */
static bool give_subs_a_file(struct nyt_loader *l)
{
    if (!nyt_map_find(&l->file_index, 1))
        return true;
    for (size_t i = 0; i < l->sub_count; i++) {
        nyt_sub *sub = &l->subs[i].sub;
        if (sub->calls && !sub->fid) {
            sub->fid = 1;
            if (!add_definition(l, (uint32_t)i, 1))
                return false;
        }
    }
    return true;
}

static void loader_free(struct nyt_loader *l)
{
    nyt_map_free(&l->live);
    nyt_owners_free(&l->owners);
    nyt_map_free(&l->file_index);
    nyt_map_free(&l->source_index);
    nyt_map_free(&l->sub_index);
    nyt_map_free(&l->definition_index);
    nyt_map_free(&l->place_index);
    nyt_map_free(&l->edge_index);
    nyt_map_free(&l->site_index);
    for (int level = 0; level < 3; level++) {
        nyt_line_sums_free(&l->lines[level].sums);
        free(l->lines[level].times);
    }
    nyt_line_sums_free(&l->skipped);
    nyt_line_sums_free(&l->sections.sums);
    free(l->files);
    free(l->subs);
    free(l->definitions);
    free(l->edges);
    free(l->units.list);
    free(l->shared);
    free(l->awaits);
    nyt_calltree_free(&l->tree);
}

static int fill(struct nyt_loader *l, nyt_error *err)
{
    int rc = take_as_much_as_there_is(l, err);
    if (rc < 0)
        return rc;
    bool ok = sum_up(l) && nyt_calltree_finish(&l->tree) && know_subs_by_their_calls(l) &&
              give_subs_a_file(l);
    rc = ok ? NYT_OK : NYT_ENOMEM;
    if (rc == NYT_OK)
        rc = nyt_profile_finish(l);
    if (rc == NYT_OK)
        rc = nyt_units_finish(l) ? NYT_OK : NYT_ENOMEM;
    if (rc == NYT_OK)
        rc = nyt_profile_narrow(l->p, l->options.filter);
    return rc < 0 ? nyt_fail(err, rc, "%s", nyt_strerror(rc)) : NYT_OK;
}

/* Takes the reader, whatever happens. */
static int load(nyt_profile **out, nyt_reader *in, const nyt_load_options *options, nyt_error *err)
{
    struct nyt_loader l = {.in = in, .p = calloc(1, sizeof *l.p)};
    if (options)
        l.options = *options;
    if (l.p) {
        l.p->section = l.options.section;
        l.p->process = l.options.section ? 0 : l.options.process;
        l.p->sectioned = l.p->section || l.p->process;
    }
    nyt_units_outside(&l);
    int rc = l.p ? fill(&l, err) : nyt_fail(err, NYT_ENOMEM, "out of memory");
    loader_free(&l);
    nyt_reader_close(in);
    if (rc < 0)
        nyt_profile_free(l.p);
    else
        *out = l.p;
    return rc;
}

/* ---- Behind damage ---- */

static bool is_damaged(const nyt_profile *p)
{
    nyt_progress progress = {.bytes = p->totals.bytes, .inflated = p->totals.inflated};
    return p->has_fault && !nyt_is_cut_off(&p->fault, &progress);
}

static int load_plainly(nyt_profile **out, const struct nyt_source *source,
                        const nyt_load_options *options, nyt_error *err)
{
    nyt_reader *in;
    *out = NULL;
    int rc = nyt_reader_open_source(&in, source, err);
    return rc < 0 ? rc : load(out, in, options, err);
}

/*
 * Loads a damaged profile once more, now with what makes sense behind the damage. That takes the
 * place of *p, if anything is beyond doubt in it; the fault stays that of the file.
 */
static int load_behind_damage(nyt_profile **p, const struct nyt_source *source,
                              const nyt_load_options *options, nyt_error *err)
{
    struct nyt_salvage *s;
    nyt_profile *more;
    int rc = nyt_salvage_new(&s, source, err);
    if (rc < 0)
        return rc;
    rc = load_plainly(&more, &(struct nyt_source){.read = nyt_salvage_read, .ctx = s}, options,
                      err);
    nyt_salvage_free(s);
    if (rc < 0 && rc != NYT_ENOMEM)     /* nothing is left of it */
        return NYT_OK;
    if (rc < 0)
        return rc;
    nyt_profile *worse = more;
    if (more->file_count) {
        more->has_fault = true;
        more->fault = (*p)->fault;
        more->totals.complete = false;
        worse = *p;
        *p = more;
    }
    nyt_profile_free(worse);
    return NYT_OK;
}

/* What can be read once only is held. */
static int hold_source(const struct nyt_source *source, struct nyt_buf *held, nyt_error *err)
{
    enum { BLOCK = 256 * 1024 };
    size_t got = 1;
    int rc = NYT_OK;
    while (rc == NYT_OK && got) {
        if (held->len > NYT_TEXT_MAX)
            return nyt_fail(err, NYT_ELIMIT, "too long to be salvaged from a stream");
        if (!nyt_buf_reserve(held, BLOCK))
            return nyt_fail(err, NYT_ENOMEM, "out of memory");
        rc = source->read(source->ctx, held->data + held->len, BLOCK, &got);
        held->len += rc == NYT_OK ? got : 0;
    }
    return rc < 0 ? nyt_fail(err, rc, "cannot read: %s", nyt_strerror(rc)) : NYT_OK;
}

static int load_salvaging(nyt_profile **out, const struct nyt_source *source,
                          const nyt_load_options *options, nyt_error *err)
{
    struct nyt_source from = *source;
    struct nyt_buf held = {0};
    int rc = NYT_OK;
    *out = NULL;
    if (source->read) {
        rc = hold_source(source, &held, err);
        from = (struct nyt_source){.data = held.data, .len = held.len, .threaded = true};
    }
    if (rc == NYT_OK)
        rc = load_plainly(out, &from, options, err);
    if (rc == NYT_OK && is_damaged(*out))
        rc = load_behind_damage(out, &from, options, err);
    if (rc < 0) {
        nyt_profile_free(*out);
        *out = NULL;
    }
    nyt_buf_free(&held);
    return rc;
}

int nyt_profile_load_source(nyt_profile **out, const struct nyt_source *source,
                            const nyt_load_options *options, nyt_error *err)
{
    *out = NULL;
    if (options && options->salvage && options->unit)
        return nyt_fail(err, NYT_EAPI,
                        "of a damaged profile it is not known what ran in which unit of work");
    return options && options->salvage ? load_salvaging(out, source, options, err)
                                       : load_plainly(out, source, options, err);
}

int nyt_profile_load(nyt_profile **out, const char *path, const nyt_load_options *options,
                     nyt_error *err)
{
    return nyt_profile_load_source(out, &(struct nyt_source){.path = path, .threaded = true},
                                   options, err);
}

int nyt_profile_load_memory(nyt_profile **out, const void *data, size_t len,
                            const nyt_load_options *options, nyt_error *err)
{
    struct nyt_source source = {.data = data, .len = len, .threaded = true};
    return nyt_profile_load_source(out, &source, options, err);
}

int nyt_profile_load_fn(nyt_profile **out, nyt_read_fn read, void *ctx,
                        const nyt_load_options *options, nyt_error *err)
{
    struct nyt_source source = {.read = read, .ctx = ctx, .threaded = true};
    return nyt_profile_load_source(out, &source, options, err);
}
