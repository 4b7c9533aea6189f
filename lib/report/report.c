/* A profile as text for a terminal: what reports share. */
#include "report/report.h"

#include "base/json.h"
#include "base/memory.h"
#include "base/str.h"
#include "model/filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOP = 15, WIDTH = 100, WIDTH_MIN = 40 };

/* ---- Beginning and end ---- */

static void set_options(struct nyt_report *r, const nyt_report_options *options)
{
    r->top = options->top ? options->top : TOP;
    r->asked = options->top;
    r->width = options->width ? options->width : WIDTH;
    r->width = r->width < WIDTH_MIN ? WIDTH_MIN : r->width;
    r->uncut = options->width == 0;
    r->sort = options->sort;
    r->colour = options->colour;
    r->json = options->json;
    r->path = options->path;
    r->filtered = nyt_filter_is_set(options->filter);
}

int nyt_report_begin(struct nyt_report *r, const nyt_profile *p, const nyt_report_options *options,
                     nyt_write_fn write, void *ctx, nyt_error *err)
{
    nyt_report_options none = {0};
    if (!options)
        options = &none;
    *r = (struct nyt_report){.p = p, .o = malloc(sizeof *r->o)};
    set_options(r, options);
    r->shown = nyt_filter_files(p, options->filter);
    if (!r->o || !r->shown) {
        free(r->o);
        free(r->shown);
        return nyt_fail(err, NYT_ENOMEM, "out of memory");
    }
    nyt_out_begin(r->o, write, ctx);
    r->j.o = r->o;
    r->w = nyt_words_begin(r->o, p);
    return NYT_OK;
}

int nyt_report_end(struct nyt_report *r, nyt_error *err)
{
    int rc = nyt_out_end(r->o, err);
    free(r->o);
    free(r->shown);
    return rc;
}

bool nyt_report_shows(const struct nyt_report *r, uint32_t fid)
{
    const nyt_file *file = nyt_profile_file(r->p, fid);
    return file ? r->shown[file - r->p->files] : !r->filtered;
}

void nyt_report_widen(struct nyt_report *r, size_t least)
{
    r->width = r->width < least ? least : r->width;
}

/* ---- Names ---- */

void nyt_report_style(struct nyt_report *r, enum nyt_style style)
{
    static const char *const codes[] = {[NYT_PLAIN] = "\033[0m",
                                        [NYT_BOLD] = "\033[1m",
                                        [NYT_DIM] = "\033[2m",
                                        [NYT_HOT] = "\033[31m",
                                        [NYT_COOL] = "\033[32m"};
    if (r->colour)
        nyt_out_text(r->o, codes[style]);
}

size_t nyt_report_end_of(struct nyt_report *r, nyt_str name, size_t limit)
{
    if (r->uncut)
        return nyt_out_safe(r->o, name, 0);
    bool cut = nyt_safe_columns(name) > limit;
    if (cut) {
        nyt_out_text(r->o, "...");
        limit = limit > 3 ? limit - 3 : 0;
        name = nyt_safe_last(name, limit);
    }
    return nyt_out_safe(r->o, name, limit ? limit : 1) + (cut ? 3 : 0);
}

/* A name whose end, in ASCII, always stays. */
static size_t end_with(struct nyt_report *r, nyt_str name, const char *rest, size_t limit)
{
    size_t len = strlen(rest);
    size_t used = nyt_report_end_of(r, name, limit > len ? limit - len : 0);
    nyt_out_text(r->o, rest);
    return used + len;
}

size_t nyt_report_name(struct nyt_report *r, nyt_str name, size_t limit)
{
    struct nyt_sub_words words = nyt_sub_words(name);
    return end_with(r, words.name, words.rest, limit);
}

size_t nyt_report_name_columns(nyt_str name)
{
    struct nyt_sub_words words = nyt_sub_words(name);
    return nyt_safe_columns(words.name) + strlen(words.rest);
}

static struct nyt_short_path path_of(const struct nyt_report *r, uint32_t fid)
{
    static const struct nyt_short_path none = {.prefix = "",
                                               .rest = {.data = "(no file)", .len = 9}};
    const nyt_file *file = nyt_profile_file(r->p, fid);
    return file ? nyt_short_path(r->p, file, r->w.folder) : none;
}

enum { NUMBER_BYTES = 16 };

static const char *number_of(uint32_t line, char number[NUMBER_BYTES])
{
    *number = '\0';
    if (line)
        snprintf(number, NUMBER_BYTES, ":%u", (unsigned)line);
    return number;
}

size_t nyt_report_place_columns(const struct nyt_report *r, uint32_t fid, uint32_t line)
{
    char number[NUMBER_BYTES];
    struct nyt_short_path path = path_of(r, fid);
    return strlen(path.prefix) + nyt_safe_columns(path.rest) + strlen(number_of(line, number));
}

/* The prefix goes first where there is no room for all. */
size_t nyt_report_place(struct nyt_report *r, uint32_t fid, uint32_t line, size_t limit)
{
    char number[NUMBER_BYTES];
    struct nyt_short_path path = path_of(r, fid);
    size_t prefix = strlen(path.prefix);
    bool whole = r->uncut || nyt_report_place_columns(r, fid, line) <= limit;
    nyt_out_text(r->o, whole ? path.prefix : "");
    return (whole ? prefix : 0) +
           end_with(r, path.rest, number_of(line, number), whole ? SIZE_MAX : limit);
}

void nyt_report_code(struct nyt_report *r, uint32_t fid, uint32_t line, size_t limit)
{
    const nyt_str *text = nyt_profile_source_line(r->p, fid, line);
    if (text && limit)
        nyt_out_safe(r->o, nyt_str_without_margins(*text), r->uncut ? 0 : limit);
}

/* ---- Paragraphs ---- */

static int keep_text(void *ctx, const void *data, size_t len)
{
    return nyt_buf_append(ctx, data, len) ? NYT_OK : NYT_ENOMEM;
}

struct line {
    size_t column, indent;
    bool begun; /* a word stands before the next one */
};

/* A name that is wider than a whole line loses its beginning: what stands for that, and the rest. */
static const char *cut_to_line(const struct nyt_report *r, size_t indent, nyt_str *word)
{
    size_t room = r->width > indent + 8 ? r->width - indent : 8;
    if (r->uncut || nyt_safe_columns(*word) <= room)
        return "";
    const char *dots = word->data[0] == '(' ? "(..." : "...";
    *word = nyt_safe_last(*word, room - strlen(dots));
    return dots;
}

static void put_word(struct nyt_report *r, nyt_str word, struct line *line)
{
    const char *dots = cut_to_line(r, line->indent, &word);
    size_t columns = strlen(dots) + nyt_safe_columns(word);
    if (line->begun && !r->unbroken && line->column + 1 + columns > r->width) {
        nyt_out_text(r->o, "\n");
        nyt_out_fill(r->o, ' ', line->indent);
        line->column = line->indent;
        line->begun = false;
    }
    nyt_out_text(r->o, line->begun ? " " : "");
    nyt_out_text(r->o, dots);
    nyt_out_bytes(r->o, word.data, word.len);
    line->column += columns + line->begun;
    line->begun = true;
}

static void put_words(struct nyt_report *r, nyt_str text, size_t column, size_t indent)
{
    struct line line = {.column = column, .indent = indent, .begun = column > indent};
    size_t at = 0;
    while (at < text.len) {
        size_t end = at;
        while (end < text.len && text.data[end] != ' ')
            end++;
        if (end > at)
            put_word(r, (nyt_str){.data = text.data + at, .len = end - at}, &line);
        at = end + 1;
    }
}

void nyt_report_paragraph(struct nyt_report *r, nyt_report_put_fn *put, const void *what,
                          size_t column, size_t indent)
{
    struct nyt_buf text = {0};
    struct nyt_out *o = malloc(sizeof *o);
    struct nyt_words w = r->w;
    w.o = o;
    if (o) {
        nyt_out_begin(o, keep_text, &text);
        put(&w, what);
    }
    if (!o || nyt_out_end(o, NULL) < 0)
        r->o->status = NYT_ENOMEM;
    else
        put_words(r, (nyt_str){.data = (const char *)text.data, .len = text.len}, column, indent);
    nyt_out_text(r->o, "\n");
    nyt_buf_free(&text);
    free(o);
}

static void put_text(struct nyt_words *w, const void *what)
{
    nyt_out_text(w->o, what);
}

/* The note goes below the title where there is no room for both in one line. */
void nyt_report_title(struct nyt_report *r, const char *title, const char *note)
{
    char words[120] = "";
    bool fits = r->uncut || !note || strlen(title) + strlen(note) + 3 <= r->width;
    nyt_out_text(r->o, "\n");
    nyt_report_style(r, NYT_BOLD);
    nyt_out_text(r->o, title);
    nyt_report_style(r, NYT_PLAIN);
    if (note)
        snprintf(words, sizeof words, "(%s)", note);
    nyt_out_text(r->o, !fits ? "\n  " : note ? " " : "");
    if (fits) {
        nyt_out_text(r->o, words);
        nyt_out_text(r->o, "\n");
    } else {
        nyt_report_paragraph(r, put_text, words, 2, 2);
    }
}

/* ---- The heading ---- */

static nyt_str program_name(const nyt_profile *p, const char *path)
{
    const nyt_str *application = nyt_profile_attribute(p, "application");
    const char *fallback = path ? path : "(unknown program)";
    return application && application->len ? *application
                                           : (nyt_str){.data = fallback, .len = strlen(fallback)};
}

nyt_str nyt_program_title(const nyt_profile *p, const char *path)
{
    nyt_str name = program_name(p, path);
    size_t end = name.len;
    while (end > 0 && name.data[end - 1] == '/')
        end--;
    size_t at = end;
    while (at > 0 && name.data[at - 1] != '/')
        at--;
    if (end > at)
        name = (nyt_str){.data = name.data + at, .len = end - at};
    return name;
}

static size_t living_files(const nyt_profile *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->file_count; i++)
        n += !p->files[i].merged_into;
    return n;
}

static bool is_ours(const nyt_profile *p)
{
    static const char begin[] = "Python profile by ";
    for (size_t i = 0; i < p->comment_count; i++)
        if (p->comments[i].len > sizeof begin &&
            memcmp(p->comments[i].data, begin, sizeof begin - 1) == 0)
            return true;
    return false;
}

/* "a (3 runs)": at least so many profiles were merged, each of a process of its own; 0: none were. */
static size_t merged_runs(const nyt_profile *p)
{
    const nyt_str *name = nyt_profile_attribute(p, "application");
    size_t runs = 0;
    for (size_t at = 0; name && at + 6 < name->len; at++)
        if (name->data[at] == '(' && name->data[at + 1] >= '1' && name->data[at + 1] <= '9')
            runs += (size_t)nyt_str_to_int(
                (nyt_str){.data = name->data + at + 1, .len = name->len - at - 1});
    return runs;
}

/* Sections that stand for a process; as many as are known where it is not known of all. */
static size_t count_processes(const nyt_profile *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->process_count; i++) {
        if (!p->processes[i].process)
            return merged_runs(p);
        n += p->processes[i].process == p->processes[i].pid;
    }
    return n;
}

/* Those that are looked at. */
static size_t count_sections(const nyt_profile *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->process_count; i++)
        n += (!p->section || p->processes[i].pid == p->section) &&
             (!p->process || p->processes[i].process == p->process);
    return n;
}

/* Each section of a file is a thread in our profiles, a process in Perl's. */
static void put_sections(struct nyt_words *w)
{
    size_t n = count_sections(w->p), processes = w->p->sectioned ? 1 : count_processes(w->p);
    if (!is_ours(w->p))
        nyt_out_format(w->o, ", %zu %s", n, n == 1 ? "process" : "processes");
    else if (processes > 1)
        nyt_out_format(w->o, ", %zu processes with %zu threads", processes, n);
    else
        nyt_out_format(w->o, ", %zu %s", n, n == 1 ? "thread" : "threads");
}

static void put_which(struct nyt_words *w)
{
    const nyt_profile *p = w->p;
    bool is_thread = p->section && is_ours(p);
    nyt_out_format(w->o, "%s %u alone, ", is_thread ? "thread" : "process",
                   (unsigned)(p->section ? p->section : p->process));
}

/* What of the time on the clock is no line's: the profiler's part, and what other programs had. */
static void put_rest(struct nyt_words *w)
{
    const nyt_totals *t = &w->p->totals;
    double own = t->duration - t->active;
    bool has_own = own >= 0.001 * t->duration && own > 0;
    bool has_waits = t->processor_wait > 0.01 * t->duration;
    if (!has_own && !has_waits)
        return;
    nyt_out_text(w->o, " (");
    if (has_own) {
        nyt_out_time(w->o, own, 0);
        nyt_out_text(w->o, w->p->process_count > 1 ? " of all threads' time the profiler's"
                                                   : " of it the profiler's");
    }
    if (has_waits) {
        nyt_out_text(w->o, has_own ? ", " : "");
        nyt_out_time(w->o, t->processor_wait, 0);
        nyt_out_text(w->o, " waiting for a processor");
    }
    nyt_out_text(w->o, ")");
}

/* Wall time, and what hides in it: threads run side by side, and the profiler takes its part. */
static void put_time(struct nyt_words *w)
{
    const nyt_totals *t = &w->p->totals;
    if (w->p->sectioned)
        put_which(w);
    if (!t->timed) {
        nyt_out_text(w->o, "unknown time");
        return;
    }
    nyt_out_time(w->o, t->wall, 0);
    nyt_out_text(w->o, " on the clock");
    put_rest(w);
    if (!w->p->section)
        put_sections(w);
    if (count_sections(w->p) > 1) {
        nyt_out_text(w->o, " that took ");
        nyt_out_time(w->o, t->statement_time, 0);
        nyt_out_text(w->o, " together");
    }
}

static bool is_off(const nyt_profile *p, const char *option)
{
    const nyt_str *value = nyt_profile_option(p, option);
    return value && nyt_str_is(*value, "0");
}

/* What was not counted is not said to be none. */
static void put_counts(struct nyt_words *w)
{
    const nyt_totals *t = &w->p->totals;
    uint64_t statements = nyt_counted_statements(t);
    const char *what = is_ours(w->p) ? "lines" : "statements";
    if (statements || !is_off(w->p, "stmts")) {
        nyt_out_count(w->o, (int64_t)statements, 0);
        nyt_out_format(w->o, " %s run", what);
    } else {
        nyt_out_format(w->o, "%s not counted (stmts=0)", what);
    }
    if (w->p->sectioned)
        return;
    nyt_out_text(w->o, ", ");
    if (t->calls || !is_off(w->p, "subs")) {
        nyt_out_count(w->o, (int64_t)t->calls, 0);
        nyt_out_text(w->o, " calls");
    } else {
        nyt_out_text(w->o, "calls not counted (subs=0)");
    }
}

void nyt_put_run(struct nyt_words *w, const void *unused)
{
    (void)unused;
    put_time(w);
    nyt_out_text(w->o, "; ");
    put_counts(w);
    if (w->p->sectioned)
        return;
    nyt_out_text(w->o, ", ");
    nyt_out_count(w->o, (int64_t)living_files(w->p), 0);
    nyt_out_text(w->o, living_files(w->p) == 1 ? " file" : " files");
}

static bool has_fault(const nyt_profile *p)
{
    return p->has_fault || p->totals.snapshot || !p->totals.complete || p->narrowed;
}

static void put_fault(struct nyt_words *w)
{
    const nyt_profile *p = w->p;
    if (p->has_fault)
        nyt_out_format(w->o, "The profile is incomplete: %s.", p->fault.message);
    else if (p->totals.snapshot)
        nyt_out_text(w->o, "This is a snapshot: the program was still running.");
    else if (!p->totals.complete)
        nyt_out_text(w->o, "The profile is incomplete: a process did not end.");
    else if (p->narrowed)
        nyt_out_text(w->o, "Only some of its files are looked at: the time of the rest is with the "
                           "lines that called it.");
}

/* "Only what ran in unit::import is looked at." */
static void put_units_caveat(struct nyt_words *w)
{
    const nyt_profile *p = w->p;
    nyt_out_text(w->o, "Only what ran in ");
    if (p->units_wanted == 1)
        nyt_put_sub(w, p->unit_wanted);
    else
        nyt_out_format(w->o, "the %zu units of that name", p->units_wanted);
    nyt_out_text(w->o, " is looked at");
    nyt_out_text(w->o, p->awaits_left_out ? "; awaited time is not known by units." : ".");
    if (p->unit_state == NYT_UNITS_PARTLY)
        nyt_out_text(w->o, " There were so many that some is told with the units around it.");
}

bool nyt_put_caveat(struct nyt_words *w)
{
    const nyt_profile *p = w->p;
    if (p->of_unit)
        put_units_caveat(w);
    nyt_out_text(w->o, p->of_unit && has_fault(p) ? " " : "");
    put_fault(w);
    if (p->sectioned)
        nyt_out_format(w->o,
                       "%sCalls, imports and waits are known of all threads together only: "
                       "here are lines alone, with the time of their own.",
                       p->of_unit || has_fault(p) ? " " : "");
    return has_fault(p) || p->of_unit || p->sectioned;
}

static void put_caveat(struct nyt_words *w, const void *unused)
{
    (void)unused;
    nyt_put_caveat(w);
}

void nyt_report_caveat(struct nyt_report *r)
{
    if (!has_fault(r->p) && !r->p->of_unit && !r->p->sectioned)
        return;
    bool unbroken = r->unbroken;
    r->unbroken = r->uncut;
    nyt_report_paragraph(r, put_caveat, NULL, 0, 0);
    r->unbroken = unbroken;
}

void nyt_report_heading(struct nyt_report *r)
{
    nyt_str title = nyt_program_title(r->p, r->path);
    nyt_report_style(r, NYT_BOLD);
    size_t used = r->uncut ? nyt_out_safe(r->o, title, 200)
                           : nyt_report_end_of(r, title, r->width - 1);
    nyt_report_style(r, NYT_PLAIN);
    nyt_out_text(r->o, ":");
    nyt_report_paragraph(r, nyt_put_run, NULL, used + 1, 0);
    nyt_report_caveat(r);
}

/* ---- Shared times ---- */

void nyt_report_line_time(struct nyt_report *r, const nyt_line *line, int width)
{
    (line->shared ? nyt_out_rough_time : nyt_out_time)(r->o, line->time, width);
    r->told_shared |= line->shared;
}

static void put_shared_words(struct nyt_words *w, const void *unused)
{
    (void)unused;
    nyt_out_text(w->o, NYT_SHARED_WORDS);
}

void nyt_report_shared_note(struct nyt_report *r)
{
    bool unbroken = r->unbroken;
    if (!r->told_shared)
        return;
    r->told_shared = false;
    r->unbroken = r->uncut;
    nyt_out_text(r->o, "\n");
    nyt_report_style(r, NYT_DIM);
    nyt_report_paragraph(r, put_shared_words, NULL, 0, 2);
    nyt_report_style(r, NYT_PLAIN);
    r->unbroken = unbroken;
}

void nyt_report_json_shared(struct nyt_report *r, const nyt_line *line)
{
    if (line->shared)
        nyt_json_bool(&r->j, "shared", true);
}

void nyt_report_json_incl(struct nyt_report *r, const nyt_line *line)
{
    if (!nyt_knows_calls(r->p))
        nyt_json_null(&r->j, "inclusive");
    else
        nyt_json_number(&r->j, "inclusive", line->incl);
}

void nyt_report_json_totals(struct nyt_report *r)
{
    const nyt_totals *t = &r->p->totals;
    nyt_json_str(&r->j, "program", program_name(r->p, r->path));
    if (t->timed) {
        nyt_json_number(&r->j, "wall_time", t->wall);
        nyt_json_number(&r->j, "duration", t->duration);
        nyt_json_number(&r->j, "profiler_time", t->duration - t->active);
        nyt_json_number(&r->j, "processor_wait", t->processor_wait);
    }
    nyt_json_number(&r->j, "statements", (double)nyt_counted_statements(t));
    nyt_json_number(&r->j, "statement_time", t->statement_time);
    if (r->p->sectioned)
        nyt_json_null(&r->j, "calls");
    else
        nyt_json_number(&r->j, "calls", (double)t->calls);
    nyt_json_number(&r->j, "subs", (double)r->p->sub_count);
    nyt_json_number(&r->j, "files", (double)living_files(r->p));
    nyt_json_bool(&r->j, "complete", t->complete);
    nyt_json_bool(&r->j, "snapshot", t->snapshot);
}
