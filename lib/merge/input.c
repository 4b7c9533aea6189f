/*
 * Records -> sums: all of a file that is worth writing again. Unlike the loader, which shows a
 * file as Perl's does, this keeps apart what the format keeps apart (the blocks of a line, the
 * callers of a call), and mends what would make the result unsound.
 */
#include "merge/input.h"

#include "base/error.h"
#include "base/str.h"
#include "format/reader.h"
#include "format/awaited.h"
#include "format/malformed.h"
#include "format/shared.h"
#include "format/units.h"
#include "model/limits.h"
#include "model/sub_name.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINE_DROPPED = 65536    /* from here on nytprofhtml drops lines */
};

/* ---- Troubles ---- */

void nyt_repair_text(enum nyt_repair what, uint64_t times, char *text, size_t size)
{
    static const char *const texts[NYT_REPAIRS] = {
        [NYT_REPAIR_SCALE] = "no ticks_per_sec: taken as 10000000",
        [NYT_REPAIR_NOT_FINITE] = "times that are not finite: now 0",
        [NYT_REPAIR_NEGATIVE] = "negative times: now 0",
        [NYT_REPAIR_FID] = "files that are used but not defined: named '(unknown file N)'",
        [NYT_REPAIR_SOURCE] = "source lines of files that are not defined: dropped",
        [NYT_REPAIR_LINE] = "statements on lines from 65536 on: moved to line 0",
        [NYT_REPAIR_UNENDED] = "processes that did not end: they last as long as their statements",
        [NYT_REPAIR_UNSTARTED] = "processes that end without a start: dropped",
        [NYT_REPAIR_BACKWARDS] = ("processes without a sound time: they last as long as their"
                                  " statements"),
        [NYT_REPAIR_NO_PROCESS] = "no process: one was made up",
        [NYT_REPAIR_MARK] = "marks of subs without source that have a count: dropped",
        [NYT_REPAIR_SUB_AGAIN] = "subs that are defined in more than one file: the first stands",
        [NYT_REPAIR_ENTRY] = "SUB_ENTRY records: dropped, the call tree is added up",
        [NYT_REPAIR_COMMENT] = "comments that should tell of figures, and do not: dropped",
    };
    int len = snprintf(text, size, "%s", texts[what]);
    if (times > 1 && len > 0 && (size_t)len < size)
        snprintf(text + len, size - (size_t)len, " (%llu)", (unsigned long long)times);
}

static double sound_time(struct nyt_merge_input *g, double time)
{
    if (!isfinite(time)) {
        g->repairs[NYT_REPAIR_NOT_FINITE]++;
        return 0;
    }
    if (time < 0 && g->repair) {
        g->repairs[NYT_REPAIR_NEGATIVE]++;
        return 0;
    }
    return time;
}

/* ---- Text ---- */

/* The mark of UTF-8 is dropped: Perl's reader trips over it, and the bytes say the same. */
static nyt_str keep_text(struct nyt_merge_input *g, nyt_str s, bool *ok)
{
    s.utf8 = false;
    return nyt_arena_str(&g->texts, s, ok);
}

static nyt_str keep_text_again(struct nyt_merge_input *g, nyt_str old, nyt_str s, bool *ok)
{
    s.utf8 = false;
    return nyt_arena_str_again(&g->texts, old, s, ok);
}

/* Perl reads past the end of a text record that has a NUL. */
static nyt_str keep_line(struct nyt_merge_input *g, nyt_str s, bool *ok)
{
    nyt_str kept = keep_text(g, s, ok);
    for (size_t i = 0; *ok && i < kept.len; i++)
        if (kept.data[i] == '\0')
            ((char *)kept.data)[i] = ' ';
    return kept;
}

static nyt_pair *find_pair(const struct nyt_pair_list *pairs, nyt_str key)
{
    for (size_t i = 0; i < pairs->count; i++)
        if (nyt_str_compare(pairs->list[i].key, key) == 0)
            return &pairs->list[i];
    return NULL;
}

const nyt_str *nyt_pair_value(const struct nyt_pair_list *pairs, const char *key)
{
    const nyt_pair *pair = find_pair(pairs, (nyt_str){.data = key, .len = strlen(key)});
    return pair ? &pair->value : NULL;
}

/* More keys than any writer has are not looked through. */
static bool set_pair(struct nyt_merge_input *g, struct nyt_pair_list *pairs, const nyt_pair *pair)
{
    enum { MOST = 1000 };
    bool ok = true;
    if (!pair->value.data)
        return true;
    nyt_pair *old = find_pair(pairs, pair->key);
    if (old) {
        if (nyt_str_compare(old->value, pair->value) != 0)
            old->value = keep_line(g, pair->value, &ok);
        return ok;
    }
    if (pairs->count == MOST)
        return true;
    if (!NYT_ROOM_FOR_ONE(pairs->list, pairs->count, pairs->cap))
        return false;
    nyt_str key = keep_line(g, pair->key, &ok), value = keep_line(g, pair->value, &ok);
    pairs->list[pairs->count++] = (nyt_pair){.key = key, .value = value};
    return ok;
}

/* Writers say themselves what they compress. */
static bool add_comment(struct nyt_merge_input *g, nyt_str text)
{
    static const char own[] = "Compressed at level";
    bool ok = true;
    if (!nyt_owners_heed(&g->owners, text))
        return false;
    if (text.len && text.data[text.len - 1] == '\n')
        text.len--;
    if (nyt_owners_is_list(text) ||
        (text.len >= sizeof own - 1 && memcmp(text.data, own, sizeof own - 1) == 0))
        return true;
    if (g->comment_count == NYT_COMMENTS_MAX)
        return true;
    if (!NYT_ROOM_FOR_ONE(g->comments, g->comment_count, g->comment_cap))
        return false;
    g->comments[g->comment_count++] = keep_line(g, text, &ok);
    return ok;
}

/* ---- Time ---- */

static uint32_t sound_line(struct nyt_merge_input *g, uint32_t line, uint64_t times)
{
    if (line < LINE_DROPPED || !g->repair)
        return line;
    g->repairs[NYT_REPAIR_LINE] += times;
    return 0;
}

/* What has been added up so far goes to the sums, and the line_sums is empty again. */
static bool pour(struct nyt_merge_input *g)
{
    bool ok = true;
    for (size_t i = 0; ok && i < g->line_sums.count; i++) {
        const struct nyt_line_sum *from = &g->line_sums.list[i];
        nyt_time where = {.fid = from->fid,
                          .line = sound_line(g, from->line, (uint64_t)from->count)};
        struct nyt_sum_line *to = nyt_sums_line(&g->sums, g->section, &where);
        ok = to != NULL;
        if (ok) {
            to->count += (uint64_t)from->count;
            to->ticks = nyt_add_ticks(to->ticks, from->ticks);
        }
    }
    nyt_line_sums_free(&g->line_sums);
    return ok;
}

static bool heed_ticks_per_sec(struct nyt_merge_input *g)
{
    uint32_t now = nyt_reader_progress(g->in).ticks_per_sec, before = g->ticks_per_sec;
    if (now == before || now == 0 || now > INT32_MAX)
        return true;
    g->ticks_per_sec = now;
    if (before == 0)
        return true;
    if (!pour(g))
        return false;
    nyt_sums_rescale(&g->sums, before, now);
    for (size_t i = 0; i < g->process_count; i++)
        g->processes[i].ticks = nyt_rescale_ticks(g->processes[i].ticks, before, now);
    return true;
}

static void add_to_process(struct nyt_merge_input *g, int64_t ticks)
{
    if (g->current != NYT_NONE)
        g->processes[g->current].ticks = nyt_add_ticks(g->processes[g->current].ticks, ticks);
}

/* However many DISCOUNTs stand before it, a statement can only go without a count. */
static bool add_time(struct nyt_merge_input *g, const nyt_time *t)
{
    nyt_time where = *t;
    where.line = sound_line(g, t->line, 1);
    struct nyt_sum_line *sum = nyt_sums_line(&g->sums, g->section, &where);
    if (!sum)
        return false;
    sum->count += !g->discounted;
    sum->ticks = nyt_add_ticks(sum->ticks, t->ticks);
    add_to_process(g, t->ticks);
    g->discounted = false;
    return true;
}

/* The TIME_LINEs that come next. */
static bool add_run(struct nyt_merge_input *g)
{
    struct nyt_run run;
    if (g->discounted)
        return true;
    bool ok = nyt_reader_sum_lines(g->in, &g->line_sums, &run);
    add_to_process(g, run.ticks);
    return ok;
}

/* ---- Names ---- */

/* Perl's tools stumble over names without a package. What has none goes to main, as in Perl. */
static uint32_t name_of(struct nyt_merge_input *g, nyt_str name)
{
    static const char package[] = "main::", unknown[] = "(unknown)";
    name.utf8 = false;
    if (nyt_has_package(name))
        return nyt_names_take(&g->names, name);
    if (name.len == 0)
        name = (nyt_str){.data = unknown, .len = sizeof unknown - 1};
    size_t skip = name.len >= 2 && memcmp(name.data, "::", 2) == 0 ? 2 : 0;
    struct nyt_buf full = {0};
    uint32_t id = NYT_NONE;
    if (nyt_buf_append(&full, package, sizeof package - 1) &&
        nyt_buf_append(&full, name.data + skip, name.len - skip))
        id = nyt_names_take(&g->names, (nyt_str){.data = (char *)full.data, .len = full.len});
    nyt_buf_free(&full);
    return id;
}

/* ---- Units of work ---- */

/* false: out of memory. */
static bool define_unit(struct nyt_merge_input *g, const struct nyt_unit_said *said)
{
    enum { MOST = 1 << 16 };
    if (said->number != g->unit_count + 1 || said->outer > g->unit_count || g->unit_count == MOST) {
        g->odd_units = true;
        return true;
    }
    uint32_t name = name_of(g, said->name);
    if (name == NYT_NONE || !NYT_ROOM_FOR_ONE(g->units, g->unit_count, g->unit_cap))
        return false;
    g->units[g->unit_count++] = (struct nyt_merge_unit){.outer = said->outer, .name = name};
    return true;
}

static bool go_to_unit(struct nyt_merge_input *g, uint32_t number)
{
    g->odd_units |= number > g->unit_count;
    if (number == g->sums.unit)
        return true;
    bool ok = pour(g);
    g->sums.unit = number <= g->unit_count ? number : 0;
    return ok;
}

/* Comments that tell of units; false: it tells of something else. */
static bool heed_unit(struct nyt_merge_input *g, nyt_str comment, bool *ok)
{
    struct nyt_unit_said said;
    *ok = true;
    switch (nyt_unit_parse(comment, &said)) {
    case NYT_UNIT_DEFINED:
        *ok = define_unit(g, &said);
        return true;
    case NYT_UNIT_FOLLOWS:
        *ok = go_to_unit(g, said.number);
        return true;
    case NYT_UNIT_UNTOLD:
        g->untold += said.times;
        return true;
    default:
        return false;
    }
}

void nyt_merge_input_forget_units(struct nyt_merge_input *g)
{
    g->unit_count = 0;
    g->untold = 0;
    for (size_t i = 0; i < g->sums.line_count; i++)
        g->sums.lines[i].unit = 0;
    for (size_t i = 0; i < g->sums.call_count; i++)
        g->sums.calls[i].unit = 0;
}

/* The same of those that tell of lines with shared times. */
static bool heed_shared(struct nyt_merge_input *g, nyt_str comment, bool *ok)
{
    struct nyt_shared_said said;
    if (nyt_shared_parse(comment, &said) != NYT_SHARED_LINES)
        return false;
    *ok = NYT_ROOM_FOR_ONE(g->shared, g->shared_count, g->shared_cap);
    if (*ok)
        g->shared[g->shared_count++] = keep_line(g, comment, ok);
    return true;
}

/* And of those that tell of awaited time, or of waits for a processor. */
static bool heed_await(struct nyt_merge_input *g, nyt_str comment, bool *ok)
{
    struct nyt_awaited said;
    uint64_t ticks;
    if (nyt_processor_wait_parse(comment, &ticks)) {
        g->processor_wait = nyt_add_said(g->processor_wait, ticks);
        return true;
    }
    if (nyt_awaited_parse(comment, &said) != NYT_AWAITED_LINE)
        return false;
    *ok = NYT_ROOM_FOR_ONE(g->awaits, g->await_count, g->await_cap);
    if (*ok) {
        said.file = keep_line(g, said.file, ok);
        g->awaits[g->await_count++] = said;
    }
    return true;
}

/* ---- Processes ---- */

/* The lines that come next are those of `pid`. */
static bool start_section(struct nyt_merge_input *g, uint32_t pid)
{
    bool is_new, ok = pour(g);
    uint32_t *at = ok ? nyt_map_take(&g->section_index, pid, &is_new) : NULL;
    if (!at)
        return false;
    if (is_new)
        *at = (uint32_t)g->section_index.count - 1;
    g->section = *at;
    return true;
}

static bool start_process(struct nyt_merge_input *g, const nyt_pid_start *s)
{
    bool is_new;
    if (!go_to_unit(g, 0) || !NYT_ROOM_FOR_ONE(g->processes, g->process_count, g->process_cap))
        return false;
    uint32_t *at = nyt_map_take(&g->live, s->pid, &is_new);
    if (!at || !nyt_calltree_section(&g->sums.tree) || !start_section(g, s->pid))
        return false;
    if (!is_new && *at != NYT_NONE) {       /* starts twice: that was its first part */
        g->processes[*at].end = s->time;
        g->processes[*at].ended = true;
    }
    *at = g->current = (uint32_t)g->process_count;
    g->processes[g->process_count++] = (struct nyt_merge_process){
        .pid = s->pid,
        .parent = s->parent,
        .section = g->section,
        .process = nyt_owner_of(&g->owners, s),
        .started = true,
        .start = s->time};
    return true;
}

static bool end_process(struct nyt_merge_input *g, const nyt_pid_end *e)
{
    uint32_t *at = nyt_map_find(&g->live, e->pid);
    if (!at || *at == NYT_NONE) {
        g->repairs[NYT_REPAIR_UNSTARTED]++;
        return nyt_calltree_section(&g->sums.tree);
    }
    g->processes[*at].ended = true;
    g->processes[*at].end = e->time;
    *at = NYT_NONE;
    return nyt_calltree_section(&g->sums.tree);
}

/* ---- Files, subs, calls ---- */

static bool define_file(struct nyt_merge_input *g, const nyt_new_fid *f)
{
    bool is_new, ok = true;
    if (f->fid == 0)
        return true;
    if (!NYT_ROOM_FOR_ONE(g->files, g->file_count, g->file_cap))
        return false;
    uint32_t *at = nyt_map_take(&g->file_index, f->fid, &is_new);
    if (!at)
        return false;
    if (is_new)
        *at = (uint32_t)g->file_count++;
    nyt_str name = keep_text_again(g, g->files[*at].name, f->name, &ok);
    g->files[*at] = *f;
    g->files[*at].name = name;
    return ok;
}

static bool add_source(struct nyt_merge_input *g, const nyt_src_line *s)
{
    bool is_new, ok = true;
    if (!NYT_ROOM_FOR_ONE(g->sources, g->source_count, g->source_cap))
        return false;
    uint32_t *at = nyt_map_take(&g->source_index, nyt_pair_key(s->fid, s->line), &is_new);
    if (!at)
        return false;
    if (is_new)
        *at = (uint32_t)g->source_count++;
    nyt_src_line *kept = &g->sources[*at];
    *kept = (nyt_src_line){
        .fid = s->fid, .line = s->line, .text = keep_text_again(g, kept->text, s->text, &ok)};
    return ok;
}

static bool define_sub(struct nyt_merge_input *g, const nyt_sub_info *s)
{
    bool is_new;
    uint32_t name = name_of(g, s->name);
    if (name == NYT_NONE || !NYT_ROOM_FOR_ONE(g->subs, g->sub_count, g->sub_cap))
        return false;
    uint32_t *at = nyt_map_take(&g->sub_index, nyt_pair_key(name, s->fid), &is_new);
    if (!at)
        return false;
    if (is_new)
        *at = (uint32_t)g->sub_count++;
    g->subs[*at] = (struct nyt_merge_input_sub){
        .name = name, .fid = s->fid, .first = s->first, .last = s->last};
    return true;
}

static bool add_calls(struct nyt_merge_input *g, const nyt_sub_callers *c)
{
    bool is_mark = c->fid == 0;
    uint32_t called = name_of(g, c->called);
    uint32_t caller = is_mark ? called : name_of(g, c->caller);
    if (called == NYT_NONE || caller == NYT_NONE)
        return false;
    struct nyt_sum_call *sum = nyt_sums_call(&g->sums, c->fid, is_mark ? 0 : c->line, caller,
                                             called);
    if (!sum)
        return false;
    if (is_mark) {
        g->repairs[NYT_REPAIR_MARK] += c->count > 0;
        return true;
    }
    sum->count += c->count;
    sum->incl += sound_time(g, c->incl);
    sum->excl += sound_time(g, c->excl);
    sum->reci += sound_time(g, c->reci);
    if (sum->depth < c->depth)
        sum->depth = c->depth;
    return true;
}

static bool add_return(struct nyt_merge_input *g, const nyt_sub_return *r)
{
    uint32_t name = name_of(g, r->name);
    return name != NYT_NONE && nyt_calltree_add(&g->sums.tree, r->depth ? r->depth : 1, name,
                                                sound_time(g, r->incl), sound_time(g, r->excl));
}

/* ---- The walk ---- */

static bool take_record(struct nyt_merge_input *g, const nyt_record *r)
{
    bool ok;
    switch (r->tag) {
    case NYT_TAG_COMMENT:
        if (heed_unit(g, r->u.comment.text, &ok) || heed_shared(g, r->u.comment.text, &ok) ||
            heed_await(g, r->u.comment.text, &ok))
            return ok;
        if (nyt_comment_malformed(r->u.comment.text) != NYT_WELL_FORMED) {
            g->repairs[NYT_REPAIR_COMMENT]++;
            return true;
        }
        return add_comment(g, r->u.comment.text);
    case NYT_TAG_ATTRIBUTE:
        return heed_ticks_per_sec(g) && set_pair(g, &g->attributes, &r->u.pair);
    case NYT_TAG_OPTION:
        return set_pair(g, &g->options, &r->u.pair);
    case NYT_TAG_PID_START:
        return start_process(g, &r->u.pid_start);
    case NYT_TAG_PID_END:
        return end_process(g, &r->u.pid_end);
    case NYT_TAG_NEW_FID:
        return define_file(g, &r->u.new_fid);
    case NYT_TAG_TIME_LINE:
    case NYT_TAG_TIME_BLOCK:
        return add_time(g, &r->u.time);
    case NYT_TAG_DISCOUNT:
        g->discounted = true;
        return true;
    case NYT_TAG_SUB_ENTRY:
        g->repairs[NYT_REPAIR_ENTRY]++;
        return true;
    case NYT_TAG_SUB_RETURN:
        return add_return(g, &r->u.sub_return);
    case NYT_TAG_SRC_LINE:
        return add_source(g, &r->u.src_line);
    case NYT_TAG_SUB_INFO:
        return define_sub(g, &r->u.sub_info);
    case NYT_TAG_SUB_CALLERS:
        return add_calls(g, &r->u.sub_callers);
    default:
        return true;
    }
}

static int take_all(struct nyt_merge_input *g, nyt_error *err)
{
    nyt_record rec;
    for (;;) {
        if (!add_run(g))
            return nyt_fail(err, NYT_ENOMEM, "out of memory");
        int rc = nyt_reader_next(g->in, &rec, err);
        if (rc <= 0)
            return rc;
        if (!take_record(g, &rec))
            return nyt_fail(err, NYT_ENOMEM, "out of memory");
        rc = nyt_check_limits(g->texts.held + g->names.arena.held, g->process_count, err);
        if (rc < 0)
            return rc;
    }
}

/* ---- The end ---- */

static double seconds(const struct nyt_merge_input *g, int64_t ticks)
{
    return ticks > 0 ? (double)ticks / g->ticks_per_sec : 0;
}

/* Beyond, seconds have too few binary places for a duration. */
static bool is_a_time(double time)
{
    return fabs(time) < 1e11;
}

static double time_of_start(const struct nyt_merge_input *g)
{
    const nyt_str *basetime = nyt_pair_value(&g->attributes, "basetime");
    double time = basetime ? (double)nyt_str_to_int(*basetime) : 0;
    return is_a_time(time) ? time : 0;
}

static void end_processes(struct nyt_merge_input *g)
{
    for (size_t i = 0; i < g->process_count; i++) {
        struct nyt_merge_process *p = &g->processes[i];
        bool is_sound = is_a_time(p->start) &&
                        (!p->ended || (is_a_time(p->end) && p->end >= p->start));
        g->repairs[NYT_REPAIR_UNENDED] += !p->ended;
        g->repairs[NYT_REPAIR_BACKWARDS] += !is_sound;
        if (!is_a_time(p->start))
            p->start = time_of_start(g);
        if (!p->ended || !is_sound)
            p->end = p->start + seconds(g, p->ticks);
    }
}

static bool have_a_process(struct nyt_merge_input *g)
{
    if (g->process_count)
        return true;
    if (!NYT_ROOM_FOR_ONE(g->processes, g->process_count, g->process_cap))
        return false;
    g->repairs[NYT_REPAIR_NO_PROCESS]++;
    double start = time_of_start(g);
    g->processes[g->process_count++] = (struct nyt_merge_process){
        .pid = 1, .process = 1, .started = true, .ended = true, .start = start, .end = start};
    return true;
}

/* fid 0 is "no file": for time and subs that is as unknown as any other. */
static bool define_if_unknown(struct nyt_merge_input *g, uint32_t fid)
{
    bool is_new, ok = true;
    char name[40];
    if (nyt_map_find(&g->file_index, fid))
        return true;
    if (!NYT_ROOM_FOR_ONE(g->files, g->file_count, g->file_cap))
        return false;
    uint32_t *at = nyt_map_take(&g->file_index, fid, &is_new);
    if (!at)
        return false;
    g->repairs[NYT_REPAIR_FID]++;
    int len = snprintf(name, sizeof name, "(unknown file %u)", (unsigned)fid);
    *at = (uint32_t)g->file_count;
    g->files[g->file_count++] = (nyt_new_fid){
        .fid = fid,
        .flags = NYT_FID_FAKE | NYT_FID_VIA_STMT,
        .name = keep_text(g, (nyt_str){.data = name, .len = (size_t)len}, &ok)};
    return ok;
}

static bool define_unknown_files(struct nyt_merge_input *g)
{
    bool ok = true;
    for (size_t i = 0; ok && i < g->sums.line_count; i++) {
        const struct nyt_sum_line *l = &g->sums.lines[i];
        if (l->count || l->ticks)
            ok = define_if_unknown(g, l->fid);
    }
    for (size_t i = 0; ok && i < g->sums.call_count; i++)
        if (g->sums.calls[i].fid)
            ok = define_if_unknown(g, g->sums.calls[i].fid);
    for (size_t i = 0; ok && i < g->sub_count; i++)
        ok = define_if_unknown(g, g->subs[i].fid);
    return ok;
}

static int compare_sources(const void *a, const void *b)
{
    const nyt_src_line *left = a, *right = b;
    int by_fid = NYT_COMPARE(left->fid, right->fid);
    return by_fid ? by_fid : NYT_COMPARE(left->line, right->line);
}

static void finish_sources(struct nyt_merge_input *g)
{
    size_t kept = 0;
    for (size_t i = 0; i < g->source_count; i++)
        if (nyt_map_find(&g->file_index, g->sources[i].fid))
            g->sources[kept++] = g->sources[i];
    g->repairs[NYT_REPAIR_SOURCE] += g->source_count - kept;
    g->source_count = kept;
    if (kept)
        qsort(g->sources, kept, sizeof *g->sources, compare_sources);
}

/* The first that is not before `fid`. */
static size_t source_from(const struct nyt_merge_input *g, uint64_t fid)
{
    size_t low = 0, high = g->source_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (g->sources[middle].fid < fid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const nyt_src_line *nyt_merge_input_source(const struct nyt_merge_input *g, uint32_t fid, size_t *n)
{
    size_t first = source_from(g, fid);
    *n = source_from(g, (uint64_t)fid + 1) - first;
    return *n ? &g->sources[first] : NULL;
}

static bool finish(struct nyt_merge_input *g)
{
    if (!g->ticks_per_sec) {
        g->ticks_per_sec = NYT_USUAL_TICKS_PER_SEC;
        g->repairs[NYT_REPAIR_SCALE]++;
    }
    end_processes(g);
    bool ok = pour(g) && nyt_calltree_finish(&g->sums.tree) && have_a_process(g) &&
              define_unknown_files(g);
    finish_sources(g);
    if (g->odd_units)
        nyt_merge_input_forget_units(g);
    return ok;
}

static bool is_of_bytes(int code)
{
    return code == NYT_ETRUNC || code == NYT_EFORMAT || code == NYT_EDEFLATE;
}

static int take_as_much_as_there_is(struct nyt_merge_input *g, nyt_error *err)
{
    nyt_error fault = {0};
    int rc = take_all(g, &fault);
    g->progress = nyt_reader_progress(g->in);
    if (rc < 0 && is_of_bytes(rc) && g->progress.records > 0) {
        g->has_fault = true;
        g->fault = fault;
        rc = NYT_OK;
    }
    if (rc < 0 && err)
        *err = fault;
    return rc;
}

int nyt_merge_input_read(struct nyt_merge_input *g, const struct nyt_source *source, bool repair,
                         nyt_error *err)
{
    *g = (struct nyt_merge_input){.repair = repair, .current = NYT_NONE};
    int rc = nyt_reader_begin(&g->in, source, err);
    if (rc < 0)
        return rc;
    rc = take_as_much_as_there_is(g, err);
    nyt_reader_close(g->in);
    g->in = NULL;
    if (rc == NYT_OK && !finish(g))
        rc = nyt_fail(err, NYT_ENOMEM, "out of memory");
    return rc;
}

void nyt_merge_input_free(struct nyt_merge_input *g)
{
    nyt_names_free(&g->names);
    nyt_arena_free(&g->texts);
    free(g->attributes.list);
    free(g->options.list);
    free(g->comments);
    nyt_map_free(&g->live);
    nyt_owners_free(&g->owners);
    nyt_map_free(&g->section_index);
    free(g->processes);
    nyt_map_free(&g->file_index);
    free(g->files);
    nyt_map_free(&g->source_index);
    free(g->sources);
    nyt_map_free(&g->sub_index);
    free(g->subs);
    free(g->units);
    free(g->shared);
    free(g->awaits);
    nyt_line_sums_free(&g->line_sums);
    nyt_sums_free(&g->sums);
    *g = (struct nyt_merge_input){0};
}
