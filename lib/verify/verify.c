/*
 * What a sound profile obeys: one function for each record and one for the end. What Perl's
 * tools do with faults decides how bad it is; docs/tools.md has the rules one by one.
 */
#include "nytprof.h"

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/str.h"
#include "base/utf8.h"
#include "format/input.h"
#include "format/line_sums.h"
#include "format/reader.h"
#include "model/sub_name.h"
#include "verify/comments.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SAMPLES_AT_ONCE = 256,
    LINE_NOTED = 32768,     /* from here on nytprofhtml prints a note, */
    LINE_DROPPED = 65536    /* and here it begins to drop lines */
};

/* Each undefined fid is reported once for its source and once for its time. */
enum reported { REPORTED_SOURCE = 1, REPORTED_TIME = 2 };

struct verifier {
    nyt_reader *in;
    nyt_finding_fn fn;
    void *ctx;
    nyt_verdict verdict;
    int stopped; /* what `fn` returned, or NYT_ENOMEM */
    uint32_t dummy;
    nyt_record at; /* the record that is looked at */

    struct nyt_names names;     /* of files */
    struct nyt_map fids;        /* defined */
    struct nyt_map file_names;  /* name -> fid */
    struct nyt_map orphans;     /* parents that evals were waiting for */
    struct nyt_map undefined;   /* fids used before they were defined -> enum reported */
    uint32_t highest_fid;

    struct nyt_names subs;      /* and callers */
    struct nyt_map defined;     /* sub -> fid */
    struct nyt_map called;      /* subs that have a count */

    struct nyt_comments comments;

    struct nyt_map pids;        /* pid -> 1: live, 2: ended */
    size_t started, live, ended;
    double start, duration;

    bool has_basetime, has_application, has_overhead, has_ticks, wants_calls;
    bool noted_early_time, noted_blocks;
    uint32_t ticks_per_sec;
    unsigned discounts;         /* just before this record */
    uint64_t lines_seen, blocks_seen;
    double statement_time;
    struct nyt_map lines;       /* fid and line -> 1: has time */
    bool any_line;
    uint64_t last_line;         /* the one looked up last: runs of one line cost nothing */

    uint32_t open_calls; /* that a later SUB_RETURN must close */
    bool any_return;     /* with exclusive time */
};

/* ---- Findings ---- */

static void report(struct verifier *v, nyt_severity severity, const char *rule, const char *format,
                   ...) NYT_PRINTF(4, 5);

static void tell(struct verifier *v, const nyt_finding *finding)
{
    uint64_t *figure = finding->severity == NYT_FATAL    ? &v->verdict.fatal
                       : finding->severity == NYT_WARNED ? &v->verdict.warned
                                                         : &v->verdict.odd;
    ++*figure;
    if (v->fn && !v->stopped)
        v->stopped = v->fn(v->ctx, finding);
}

static void report(struct verifier *v, nyt_severity severity, const char *rule, const char *format,
                   ...)
{
    char text[200];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    tell(v, &(nyt_finding){.severity = severity,
                           .rule = rule,
                           .offset = v->at.offset,
                           .in_deflate = v->at.in_deflate,
                           .record = v->verdict.records,
                           .text = text});
}

/* The value under a key, which is 0 when it is new; a dummy when memory has run out. */
static uint32_t *note(struct verifier *v, struct nyt_map *map, uint64_t key)
{
    bool is_new;
    uint32_t *value = nyt_map_take(map, key, &is_new);
    if (value)
        return value;
    v->stopped = NYT_ENOMEM;
    v->dummy = 0;
    return &v->dummy;
}

static uint32_t name_id(struct verifier *v, struct nyt_names *names, nyt_str name, bool *is_new)
{
    size_t before = names->count;
    uint32_t id = nyt_names_take(names, name);
    if (id == NYT_NONE)
        v->stopped = NYT_ENOMEM;
    *is_new = names->count > before;
    return id;
}

/* ---- Text records ---- */

static void check_ticks_per_sec(struct verifier *v, nyt_str value)
{
    int64_t ticks = nyt_str_to_int(value);
    if (ticks > INT32_MAX)
        report(v, NYT_WARNED, "ticks-per-sec-range",
               "ticks_per_sec of %lld does not fit 31 bits: Perl reads another number",
               (long long)ticks);
    else if (ticks <= 0)
        report(v, NYT_FATAL, "ticks-per-sec-range", "ticks_per_sec is not above zero");
    else if (v->has_ticks && (uint32_t)ticks != v->ticks_per_sec)
        report(v, NYT_ODD, "ticks-per-sec-changes", "ticks_per_sec changes to %lld",
               (long long)ticks);
    v->has_ticks = true;
    v->ticks_per_sec = (uint32_t)ticks;
}

/* Perl's reader takes a NUL for the end of what it read, and then reads on. */
static void check_text(struct verifier *v, nyt_str text)
{
    if (text.len && memchr(text.data, '\0', text.len))
        report(v, NYT_WARNED, "text-nul", "a NUL in a text record: Perl reads past its end");
}

/* Tracers note it in a file that they write while the program runs: its figures are not final. */
static void check_comment(struct verifier *v, nyt_str text)
{
    struct nyt_comment_fault fault;
    check_text(v, text);
    int found = nyt_comments_check(&v->comments, &v->at, v->verdict.records, &fault);
    if (found < 0)
        v->stopped = found;
    else if (found)
        report(v, fault.severity, fault.rule, "%s", fault.text);
    if (nyt_str_begins(text, "Snapshot: "))
        report(v, NYT_ODD, "snapshot", "a snapshot: the program was still running");
}

static void check_attribute(struct verifier *v, const nyt_pair *pair)
{
    check_text(v, pair->key);
    check_text(v, pair->value);
    if (!pair->value.data) {
        report(v, NYT_WARNED, "attribute-malformed", "an attribute has no '='");
        return;
    }
    v->has_basetime |= nyt_str_is(pair->key, "basetime");
    v->has_application |= nyt_str_is(pair->key, "application");
    v->has_overhead |= nyt_str_is(pair->key, "cumulative_overhead_ticks");
    if (nyt_str_is(pair->key, "ticks_per_sec"))
        check_ticks_per_sec(v, pair->value);
}

static void check_option(struct verifier *v, const nyt_pair *pair)
{
    check_text(v, pair->key);
    check_text(v, pair->value);
    if (!pair->value.data)
        report(v, NYT_WARNED, "option-malformed", "an option has no '='");
    else if (nyt_str_is(pair->key, "calls"))
        v->wants_calls = nyt_str_to_int(pair->value) != 0;
}

static void check_version(struct verifier *v, const nyt_format_version *version)
{
    if (version->minor > 0)
        report(v, NYT_WARNED, "version-minor", "the format is version %u.%u, newer than 5.0",
               (unsigned)version->major, (unsigned)version->minor);
}

/* ---- Processes ---- */

static void check_all_returned(struct verifier *v)
{
    if (v->open_calls)
        report(v, NYT_WARNED, "return-missing",
               "%u calls that others were made from never return: nytprofcalls gives up",
               (unsigned)v->open_calls);
    v->open_calls = 0;
}

static void check_time(struct verifier *v, double time)
{
    if (!isfinite(time))
        report(v, NYT_WARNED, "time-not-finite", "a process has no finite time");
}

static void check_pid_start(struct verifier *v, const nyt_pid_start *s)
{
    check_time(v, s->time);
    check_all_returned(v);
    uint32_t *state = note(v, &v->pids, s->pid);
    if (*state == 1)
        report(v, NYT_ODD, "pid-started-twice", "process %u starts twice", (unsigned)s->pid);
    else if (v->live)
        report(v, NYT_ODD, "pids-nested",
               "process %u starts before another one ends: its time counts from here",
               (unsigned)s->pid);
    v->live += *state != 1;
    *state = 1;
    v->started++;
    v->start = s->time;
}

static void check_pid_end(struct verifier *v, const nyt_pid_end *e)
{
    check_time(v, e->time);
    check_all_returned(v);
    uint32_t *state = note(v, &v->pids, e->pid);
    if (*state != 1)
        report(v, NYT_WARNED, "pid-not-started", "process %u ends without a start",
               (unsigned)e->pid);
    else
        v->live--;
    *state = 2;
    v->ended++;
    v->duration += e->time - v->start;
}

/* ---- Files ---- */

static bool is_known_fid(const struct verifier *v, uint32_t fid)
{
    return nyt_map_find(&v->fids, fid) != NULL;
}

static void check_parent(struct verifier *v, const nyt_new_fid *f)
{
    if (!f->eval_fid)
        return;
    if (f->eval_fid == f->fid) {
        report(v, NYT_ODD, "eval-self", "fid %u is an eval of itself", (unsigned)f->fid);
    } else if (!is_known_fid(v, f->eval_fid)) {
        report(v, NYT_WARNED, "eval-parent-unknown", "fid %u was run by fid %u, not defined yet",
               (unsigned)f->fid, (unsigned)f->eval_fid);
        *note(v, &v->orphans, f->eval_fid) = f->fid;
    }
    if (f->eval_line == 0)
        report(v, NYT_ODD, "eval-line-0", "fid %u is an eval, but on no line", (unsigned)f->fid);
}

static void check_file_name(struct verifier *v, const nyt_new_fid *f)
{
    bool is_new;
    uint32_t id = name_id(v, &v->names, f->name, &is_new);
    if (id == NYT_NONE)
        return;
    uint32_t *fid = note(v, &v->file_names, id);
    if (!is_new && *fid != f->fid)
        report(v, NYT_WARNED, "fid-same-name", "fids %u and %u have one name: links meet in one",
               (unsigned)*fid, (unsigned)f->fid);
    *fid = f->fid;
    for (size_t i = 0; is_new && i < f->name.len; i++) {
        if (strchr("<>&\"", f->name.data[i]) && f->name.data[i]) {
            report(v, NYT_ODD, "fid-name-html", "the name of fid %u has characters that HTML eats",
                   (unsigned)f->fid);
            break;
        }
    }
}

static void check_new_fid(struct verifier *v, const nyt_new_fid *f)
{
    if (f->fid == 0) {
        report(v, NYT_FATAL, "fid-0", "fid 0 is defined, which stands for none");
        return;
    }
    check_parent(v, f);
    if (is_known_fid(v, f->fid))
        report(v, NYT_WARNED, "fid-redefined", "fid %u is defined again", (unsigned)f->fid);
    check_file_name(v, f);
    if (f->fid > v->highest_fid)
        v->highest_fid = f->fid;
    *note(v, &v->fids, f->fid) = 1;
}

static bool report_once(struct verifier *v, uint32_t fid, enum reported what)
{
    uint32_t *reported = note(v, &v->undefined, fid);
    bool first = !(*reported & what);
    *reported |= what;
    return first;
}

static void check_source(struct verifier *v, const nyt_src_line *s)
{
    if (!is_known_fid(v, s->fid) && report_once(v, s->fid, REPORTED_SOURCE))
        report(v, NYT_WARNED, "source-fid-unknown",
               "source for fid %u, not defined: nytprofmerge gives up", (unsigned)s->fid);
    if (s->line == 0)
        report(v, NYT_ODD, "source-line-0", "source for line 0 is not shown");
}

/* ---- Time ---- */

static void check_time_fid(struct verifier *v, uint32_t fid)
{
    if (is_known_fid(v, fid) || !report_once(v, fid, REPORTED_TIME))
        return;
    if (fid == 0)
        report(v, NYT_WARNED, "time-fid-0", "time without a file");
    else
        report(v, NYT_FATAL, "time-fid-unknown", "time for fid %u, not defined", (unsigned)fid);
}

static void check_line_number(struct verifier *v, uint32_t line)
{
    if (line == 0)
        report(v, NYT_ODD, "line-0", "time on line 0, which belongs to no line");
    else if (line >= LINE_DROPPED)
        report(v, NYT_ODD, "line-dropped", "line %u: nytprofhtml ignores lines from 65536 on",
               (unsigned)line);
    else if (line >= LINE_NOTED)
        report(v, NYT_ODD, "line-high", "line %u: nytprofhtml notes lines from 32768 on",
               (unsigned)line);
}

/* True if the line gets its first record. */
static bool is_new_line(struct verifier *v, uint32_t fid, uint32_t line)
{
    uint64_t key = nyt_pair_key(fid, line);
    if (v->any_line && key == v->last_line)
        return false;
    uint32_t *seen = note(v, &v->lines, key);
    bool is_new = *seen == 0;
    *seen = 1;
    v->any_line = true;
    v->last_line = key;
    return is_new;
}

static void add_statement_time(struct verifier *v, int32_t ticks, uint64_t times)
{
    if (v->ticks_per_sec)
        v->statement_time += (double)ticks * (double)times / v->ticks_per_sec;
}

static void check_statement(struct verifier *v, const nyt_time *t)
{
    if (is_new_line(v, t->fid, t->line)) {
        check_time_fid(v, t->fid);
        check_line_number(v, t->line);
    }
    if (!v->has_ticks && !v->noted_early_time) {
        report(v, NYT_WARNED, "time-before-ticks-per-sec",
               "time before ticks_per_sec is known becomes infinite");
        v->noted_early_time = true;
    }
    if (t->ticks < 0)
        report(v, NYT_ODD, "ticks-negative", "a time of %d ticks", (int)t->ticks);
    add_statement_time(v, t->ticks, 1);
    v->discounts = 0;
}

static void check_mixture(struct verifier *v)
{
    if (v->lines_seen && v->blocks_seen && !v->noted_blocks) {
        report(v, NYT_ODD, "blocks-mixed", "TIME_LINE and TIME_BLOCK are mixed");
        v->noted_blocks = true;
    }
}

static void check_discount(struct verifier *v)
{
    if (++v->discounts == 2)
        report(v, NYT_WARNED, "discount-twice",
               "two DISCOUNTs before one statement: Perl counts wrongly");
}

/* ---- Subs ---- */

/* Each name is looked at once. */
static uint32_t check_sub_name(struct verifier *v, nyt_str name)
{
    bool is_new;
    uint32_t id = name_id(v, &v->subs, name, &is_new);
    if (!is_new)
        return id;
    if (!nyt_has_package(name))
        report(v, NYT_WARNED, "sub-name", "a sub's name has no package before '::'");
    if (name.utf8 && !nyt_is_utf8(name))
        report(v, NYT_WARNED, "utf8-invalid", "a string marked as UTF-8 is not");
    else if (name.utf8)
        report(v, NYT_ODD, "utf8-tag",
               "a sub's name is marked as UTF-8: Perl's reader mixes up"
               " the marks of names that follow");
    return id;
}

static bool is_nameless_eval(nyt_str name)
{
    static const char mark[] = "__ANON__[(eval";
    for (size_t at = 0; at + sizeof mark - 1 <= name.len; at++)
        if (memcmp(name.data + at, mark, sizeof mark - 1) == 0)
            return true;
    return false;
}

static void check_sub_info(struct verifier *v, const nyt_sub_info *s)
{
    uint32_t id = check_sub_name(v, s->name);
    if (id == NYT_NONE)
        return;
    if (!is_known_fid(v, s->fid))
        report(v, NYT_FATAL, "sub-fid-unknown", "a sub in fid %u, which is not defined",
               (unsigned)s->fid);
    uint32_t *defined = note(v, &v->defined, id);
    if (*defined && !is_nameless_eval(s->name))
        report(v, NYT_WARNED, "sub-redefined", "a sub of fid %u is defined again in fid %u",
               (unsigned)*defined - 1, (unsigned)s->fid);
    *defined = s->fid + 1;
    if (s->last < s->first)
        report(v, NYT_ODD, "sub-range", "a sub ends on line %u, before line %u", (unsigned)s->last,
               (unsigned)s->first);
}

static void check_call_times(struct verifier *v, const nyt_sub_callers *c)
{
    if (!isfinite(c->incl) || !isfinite(c->excl) || !isfinite(c->reci))
        report(v, NYT_WARNED, "call-time-not-finite", "calls have no finite time");
    else if (c->incl < 0 || c->excl < 0 || c->reci < 0)
        report(v, NYT_ODD, "call-time-negative", "calls have a negative time");
}

static void check_real_caller(struct verifier *v, const nyt_sub_callers *c)
{
    check_sub_name(v, c->caller);
    if (!is_known_fid(v, c->fid))
        report(v, NYT_FATAL, "call-fid-unknown", "calls from fid %u, which is not defined",
               (unsigned)c->fid);
    if (c->count == 0)
        report(v, NYT_ODD, "call-count-0", "calls that were made no times");
}

static void check_sub_callers(struct verifier *v, const nyt_sub_callers *c)
{
    uint32_t id = check_sub_name(v, c->called);
    if (id == NYT_NONE)
        return;
    check_call_times(v, c);
    if (c->fid)
        check_real_caller(v, c);
    else if (c->count)
        report(v, NYT_WARNED, "xsub-mark-count", "the mark of an xsub has a count");
    if (c->count)
        *note(v, &v->called, id) = 1;
}

static bool is_whole(double value)
{
    return isfinite(value) && value == trunc(value);
}

static void check_sub_return(struct verifier *v, const nyt_sub_return *r)
{
    if (r->depth == 0 || r->depth < v->open_calls)
        report(v, NYT_WARNED, "return-depth",
               "a return to depth %u with %u calls open: nytprofcalls gives up", (unsigned)r->depth,
               (unsigned)v->open_calls);
    v->open_calls = r->depth ? r->depth - 1 : 0;
    if (!is_whole(r->incl) || !is_whole(r->excl))
        report(v, NYT_WARNED, "return-ticks", "a return has fractional ticks");
    else if (r->excl < 0)
        report(v, NYT_ODD, "return-negative", "a return has negative ticks");
    v->any_return |= r->excl > 0;
}

/* ---- The end ---- */

static void check_header(struct verifier *v)
{
    if (!v->has_ticks)
        report(v, NYT_FATAL, "ticks-per-sec-missing", "there is no ticks_per_sec");
    if (!v->has_overhead)
        report(v, NYT_WARNED, "overhead-missing", "there is no cumulative_overhead_ticks");
    if (!v->has_basetime || !v->has_application)
        report(v, NYT_WARNED, "header-incomplete", "there is no %s",
               v->has_basetime ? "application" : "basetime");
    if (v->wants_calls && !v->any_return)
        report(v, NYT_ODD, "calls-without-returns",
               "the option calls is set, but there is nothing for a flame graph");
}

static void check_processes(struct verifier *v)
{
    if (v->live)
        report(v, NYT_WARNED, "incomplete",
               "the profile is incomplete: %zu of %zu processes did"
               " not end",
               v->live, v->started);
    else if (v->started == 0 && v->ended == 0)
        report(v, NYT_WARNED, "pid-missing", "there is no process");
    check_all_returned(v);
}

static void check_durations(struct verifier *v)
{
    if (v->ended == 0 || v->statement_time == 0)
        return;
    if (!(v->duration > 0))
        report(v, NYT_WARNED, "duration-0", "the processes lasted %g s", v->duration);
    else if (v->statement_time > 1.1 * v->duration)
        report(v, NYT_WARNED, "time-over-duration",
               "the statements' times are %.1f%% of the time of the processes",
               100 * v->statement_time / v->duration);
}

static uint32_t first_gap(const struct verifier *v)
{
    uint32_t fid = 1;
    while (is_known_fid(v, fid))
        fid++;
    return fid;
}

static void check_files(struct verifier *v)
{
    if (v->fids.count == 0)
        report(v, NYT_WARNED, "no-files", "there are no files");
    else if (v->fids.count < v->highest_fid)
        report(v, NYT_FATAL, "fid-gap", "fid %u is missing, though there is fid %u",
               (unsigned)first_gap(v), (unsigned)v->highest_fid);
}

static bool orphan_left(const struct verifier *v, uint32_t *parent)
{
    for (size_t at = 0; nyt_map_next(&v->orphans, &at, parent);)
        if (!is_known_fid(v, *parent))
            return true;
    return false;
}

static size_t called_but_undefined(const struct verifier *v)
{
    size_t n = 0;
    uint32_t sub;
    for (size_t at = 0; nyt_map_next(&v->called, &at, &sub);)
        n += !nyt_map_find(&v->defined, sub);
    return n;
}

static void check_leftovers(struct verifier *v)
{
    uint32_t parent = 0;
    size_t homeless = called_but_undefined(v);
    if (orphan_left(v, &parent))
        report(v, NYT_FATAL, "eval-parent-missing", "fid %u ran an eval but is never defined",
               (unsigned)parent);
    if (homeless)
        report(v, NYT_ODD, "sub-undefined",
               "%zu subs are called but defined nowhere: they go to"
               " the first file",
               homeless);
}

/* Told where the comment is. */
static void check_awaited(struct verifier *v)
{
    const struct nyt_comments *c = &v->comments;
    const nyt_record end = v->at;
    const uint64_t records = v->verdict.records;
    for (size_t i = 0; i < c->count && !v->stopped; i++) {
        uint32_t name = nyt_names_find(&v->names, c->names.list[c->awaited[i].name].name);
        if (name != NYT_NONE && nyt_map_find(&v->file_names, name))
            continue;
        v->at.offset = c->awaited[i].offset;
        v->at.in_deflate = c->awaited[i].in_deflate;
        v->verdict.records = c->awaited[i].record;
        report(v, NYT_WARNED, "awaited-file-unknown", "awaited time of a file that is not defined");
        v->verdict.records = records;
    }
    v->at = end;
}

/* Behind the zlib stream there are comments, if anything. */
static void check_tail(struct verifier *v)
{
    nyt_str tail = nyt_reader_tail(v->in);
    if (tail.len && tail.data[0] != '#' && tail.data[0] != '\n')
        report(v, NYT_ODD, "tail", "what follows the compressed data is ignored");
}

static void check_end(struct verifier *v)
{
    nyt_progress progress = nyt_reader_progress(v->in);
    v->at.in_deflate = progress.inflated > 0;
    v->at.offset = progress.inflated ? progress.inflated : progress.bytes;
    check_processes(v);
    check_header(v);
    check_durations(v);
    check_files(v);
    check_leftovers(v);
    check_awaited(v);
    check_tail(v);
}

/* ---- The walk ---- */

static void check_record(struct verifier *v, const nyt_record *r)
{
    switch (r->tag) {
    case NYT_TAG_VERSION:
        check_version(v, &r->u.version);
        break;
    case NYT_TAG_COMMENT:
        check_comment(v, r->u.comment.text);
        break;
    case NYT_TAG_ATTRIBUTE:
        check_attribute(v, &r->u.pair);
        break;
    case NYT_TAG_OPTION:
        check_option(v, &r->u.pair);
        break;
    case NYT_TAG_PID_START:
        check_pid_start(v, &r->u.pid_start);
        break;
    case NYT_TAG_PID_END:
        check_pid_end(v, &r->u.pid_end);
        break;
    case NYT_TAG_NEW_FID:
        check_new_fid(v, &r->u.new_fid);
        break;
    case NYT_TAG_TIME_LINE:
        v->lines_seen++;
        check_statement(v, &r->u.time);
        break;
    case NYT_TAG_TIME_BLOCK:
        v->blocks_seen++;
        check_statement(v, &r->u.time);
        check_mixture(v);
        break;
    case NYT_TAG_DISCOUNT:
        check_discount(v);
        break;
    case NYT_TAG_SUB_RETURN:
        check_sub_return(v, &r->u.sub_return);
        break;
    case NYT_TAG_SRC_LINE:
        check_source(v, &r->u.src_line);
        break;
    case NYT_TAG_SUB_INFO:
        check_sub_info(v, &r->u.sub_info);
        break;
    case NYT_TAG_SUB_CALLERS:
        check_sub_callers(v, &r->u.sub_callers);
        break;
    default:
        break;
    }
}

/* Is the fault one of the bytes? Then it is a finding; else nothing can be said about them. */
static bool is_verdict(int code)
{
    return code == NYT_EFORMAT || code == NYT_EVERSION || code == NYT_ETRUNC ||
           code == NYT_EDEFLATE;
}

static const char *rule_of(int code)
{
    return code == NYT_ETRUNC     ? "truncated"
           : code == NYT_EDEFLATE ? "deflate"
           : code == NYT_EVERSION ? "version"
                                  : "format";
}

static void tell_fault(struct verifier *v, const nyt_error *fault)
{
    tell(v, &(nyt_finding){.severity = NYT_FATAL,
                           .code = fault->code,
                           .rule = rule_of(fault->code),
                           .offset = fault->offset,
                           .in_deflate = fault->in_deflate,
                           .record = fault->record,
                           .text = fault->message});
}

/* Of a run of equal records, the first may be discounted, and the others are all alike. */
static void check_sample(struct verifier *v, const struct nyt_sample *sample)
{
    nyt_time t = {.ticks = sample->ticks, .fid = sample->fid, .line = sample->line};
    v->at.offset = sample->offset;
    v->lines_seen += sample->times;
    check_statement(v, &t);
    v->verdict.records++;
    if (sample->times == 1)
        return;
    add_statement_time(v, t.ticks, sample->times - 1);
    v->verdict.records += sample->times - 1;
}

static void check_samples(struct verifier *v)
{
    struct nyt_sample samples[SAMPLES_AT_ONCE];
    size_t n;
    while (!v->stopped && (n = nyt_reader_samples(v->in, samples, SAMPLES_AT_ONCE)) > 0)
        for (size_t i = 0; i < n && !v->stopped; i++)
            check_sample(v, &samples[i]);
}

static int walk(struct verifier *v, nyt_error *err)
{
    nyt_record rec;
    nyt_error fault;
    int rc;
    while ((rc = nyt_reader_next(v->in, &rec, &fault)) == 1) {
        v->at = rec;
        check_record(v, &rec);
        v->verdict.records++;
        v->at.in_deflate |= rec.tag == NYT_TAG_START_DEFLATE;
        check_samples(v);
        if (v->stopped)
            return v->stopped;
    }
    if (rc == 0)
        check_end(v);
    else if (is_verdict(rc))
        tell_fault(v, &fault);
    else if (err)
        *err = fault;
    return v->stopped ? v->stopped : rc < 0 && !is_verdict(rc) ? rc : NYT_OK;
}

static void verifier_free(struct verifier *v)
{
    nyt_names_free(&v->names);
    nyt_names_free(&v->subs);
    nyt_comments_free(&v->comments);
    nyt_map_free(&v->fids);
    nyt_map_free(&v->file_names);
    nyt_map_free(&v->orphans);
    nyt_map_free(&v->undefined);
    nyt_map_free(&v->defined);
    nyt_map_free(&v->called);
    nyt_map_free(&v->pids);
    nyt_map_free(&v->lines);
    nyt_reader_close(v->in);
    free(v);
}

static int verify(const struct nyt_source *source, nyt_finding_fn fn, void *ctx, nyt_verdict *out,
                  nyt_error *err)
{
    struct verifier *v = calloc(1, sizeof *v);
    if (!v)
        return nyt_fail(err, NYT_ENOMEM, "out of memory");
    v->fn = fn;
    v->ctx = ctx;
    struct nyt_source threaded = *source;
    threaded.threaded = true;
    int rc = nyt_reader_begin(&v->in, &threaded, err);
    if (rc == NYT_OK)
        rc = walk(v, err);
    if (v->stopped == NYT_ENOMEM)
        nyt_fail(err, NYT_ENOMEM, "out of memory");
    if (out)
        *out = v->verdict;
    verifier_free(v);
    return rc;
}

int nyt_verify(const char *path, nyt_finding_fn fn, void *ctx, nyt_verdict *out, nyt_error *err)
{
    return verify(&(struct nyt_source){.path = path}, fn, ctx, out, err);
}

int nyt_verify_memory(const void *data, size_t len, nyt_finding_fn fn, void *ctx, nyt_verdict *out,
                      nyt_error *err)
{
    return verify(&(struct nyt_source){.data = data, .len = len}, fn, ctx, out, err);
}

int nyt_verify_fn(nyt_read_fn read, void *read_ctx, nyt_finding_fn fn, void *ctx, nyt_verdict *out,
                  nyt_error *err)
{
    return verify(&(struct nyt_source){.read = read, .ctx = read_ctx}, fn, ctx, out, err);
}
