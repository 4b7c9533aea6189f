/* What a profile is: header, processes, sizes, counts; no list of lines or subs. */
#include "nytprof.h"

#include "base/json.h"
#include "base/text.h"
#include "model/profile.h"
#include "report/report.h"

/* ---- Dates: UTC, without asking the system ---- */

struct date {
    long long year;
    int month, day;
};

/* From days since 1970-01-01, in years that begin in March: the leap day comes last. */
static struct date date_of(long long days)
{
    days += 719468;                             /* days from 0000-03-01 */
    long long era = (days >= 0 ? days : days - 146096) / 146097;
    unsigned in_era = (unsigned)(days - era * 146097);
    unsigned year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    unsigned in_year = in_era - (365 * year + year / 4 - year / 100);
    unsigned month = (5 * in_year + 2) / 153;   /* 0 is March */
    struct date d = {.year = era * 400 + year, .day = (int)(in_year - (153 * month + 2) / 5 + 1)};
    d.month = (int)(month < 10 ? month + 3 : month - 9);
    d.year += d.month <= 2;
    return d;
}

static void put_date(struct nyt_out *o, double seconds)
{
    if (!(seconds >= 0 && seconds < 1e11)) {
        nyt_out_text(o, "?");
        return;
    }
    long long whole = (long long)seconds;
    int rest = (int)(whole % 86400);
    struct date d = date_of(whole / 86400);
    nyt_out_format(o, "%04lld-%02d-%02dT%02d:%02d:%02dZ", d.year, d.month, d.day, rest / 3600,
                   rest / 60 % 60, rest % 60);
}

/* ---- Figures ---- */

static size_t embedded_sources(const nyt_profile *p)
{
    size_t files = 0;
    for (size_t i = 0; i < p->source_count; i++)
        files += i == 0 || p->sources[i - 1].fid != p->sources[i].fid;
    return files;
}

static size_t merged_evals(const nyt_profile *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->file_count; i++)
        n += p->files[i].merged_into != 0;
    return n;
}

static size_t subs_never_called(const nyt_profile *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->sub_count; i++)
        n += p->subs[i].calls == 0;
    return n;
}

/* ---- As text ---- */

enum { LABEL = 14 };

static void label(struct nyt_report *r, const char *name)
{
    nyt_report_style(r, NYT_BOLD);
    nyt_out_format(r->o, "%-*s", LABEL, name);
    nyt_report_style(r, NYT_PLAIN);
}

static void count_row(struct nyt_report *r, const char *name, uint64_t value)
{
    label(r, name);
    nyt_out_count(r->o, (int64_t)value, 0);
    nyt_out_text(r->o, "\n");
}

static void time_row(struct nyt_report *r, const char *name, double seconds)
{
    label(r, name);
    nyt_out_time(r->o, seconds, 0);
    nyt_out_text(r->o, "\n");
}

/* Words behind a label. Where nothing is cut they stand in one line. */
static void words_row(struct nyt_report *r, const char *name, nyt_report_put_fn *put,
                      const void *what)
{
    label(r, name);
    nyt_report_paragraph(r, put, what, LABEL, LABEL);
}

static void put_size(struct nyt_words *w, const void *what)
{
    const nyt_totals *t = what;
    nyt_out_count(w->o, (int64_t)t->bytes, 0);
    nyt_out_text(w->o, " bytes");
    if (t->inflated) {
        nyt_out_text(w->o, ", of which the compressed part inflates to ");
        nyt_out_count(w->o, (int64_t)t->inflated, 0);
    } else {
        nyt_out_text(w->o, ", not compressed");
    }
}

static void put_complete(struct nyt_words *w, const void *what)
{
    const nyt_profile *p = what;
    if (p->totals.complete)
        nyt_out_text(w->o, "yes");
    else if (p->has_fault)
        nyt_out_format(w->o, "no: %s (at offset %llu)", p->fault.message,
                       (unsigned long long)p->fault.offset);
    else if (p->totals.snapshot)
        nyt_out_text(w->o, "no: a snapshot, the program was still running");
    else
        nyt_out_text(w->o, "no: a process did not end");
}

static void text_sizes(struct nyt_report *r)
{
    words_row(r, "size", put_size, &r->p->totals);
    count_row(r, "records", r->p->totals.records);
    words_row(r, "complete", put_complete, r->p);
}

static void text_counts(struct nyt_report *r)
{
    const nyt_profile *p = r->p;
    const nyt_totals *t = &p->totals;
    count_row(r, "statements", nyt_counted_statements(t));
    count_row(r, "resumed", t->discounted);
    time_row(r, "their time", t->statement_time);
    if (t->timed) {
        time_row(r, "wall time", t->wall);
        time_row(r, "duration", t->duration);
        time_row(r, "active", t->active);
    }
    if (t->processor_wait > 0)
        time_row(r, "waits", t->processor_wait);
    count_row(r, "files", p->file_count);
    count_row(r, "with source", embedded_sources(p));
    count_row(r, "merged evals", merged_evals(p));
    count_row(r, "lines", p->lines[NYT_LEVEL_LINE].count);
    count_row(r, "subs", p->sub_count);
    count_row(r, "never called", subs_never_called(p));
    count_row(r, "calls", t->calls);
    count_row(r, "call places", p->call_count);
    count_row(r, "call paths", p->node_count - 1);
}

static void put_process(struct nyt_words *w, const void *what)
{
    const nyt_process *process = what;
    bool is_thread = process->process && process->process != process->pid;
    nyt_out_format(w->o, "%u", (unsigned)process->pid);
    if (process->started) {
        nyt_out_format(w->o, is_thread ? " (thread of %u) from " : " (of %u) from ",
                       (unsigned)process->parent);
        put_date(w->o, process->start);
    }
    if (process->started && process->ended) {
        nyt_out_text(w->o, " for ");
        nyt_out_time(w->o, process->end - process->start, 0);
    }
    nyt_out_text(w->o, process->ended ? "" : ", did not end");
}

static void text_processes(struct nyt_report *r)
{
    for (size_t i = 0; i < r->p->process_count; i++)
        words_row(r, i ? "" : "processes", put_process, &r->p->processes[i]);
}

/* What is foreign keeps its blanks where nothing is cut. */
static void put_pair(struct nyt_words *w, const void *what)
{
    const nyt_pair *pair = what;
    nyt_out_safe(w->o, pair->key, 0);
    nyt_out_text(w->o, " = ");
    nyt_out_safe(w->o, pair->value, 0);
}

static void put_comment(struct nyt_words *w, const void *what)
{
    const nyt_str *text = what;
    nyt_out_safe(w->o, (nyt_str){.data = text->data, .len = text->len - 1}, 0);
}

static void foreign_row(struct nyt_report *r, const char *name, nyt_report_put_fn *put,
                        const void *what)
{
    if (!r->uncut) {
        words_row(r, name, put, what);
        return;
    }
    label(r, name);
    put(&r->w, what);
    nyt_out_text(r->o, "\n");
}

static void text_pairs(struct nyt_report *r, const char *name, const struct nyt_pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++)
        foreign_row(r, i ? "" : name, put_pair, &pairs->list[i]);
}

static void text_comments(struct nyt_report *r)
{
    for (size_t i = 0; i < r->p->comment_count; i++)
        foreign_row(r, i ? "" : "comments", put_comment, &r->p->comments[i]);
}

static void text_info(struct nyt_report *r)
{
    nyt_report_heading(r);
    r->unbroken = r->uncut;
    nyt_out_text(r->o, "\n");
    label(r, "format");
    nyt_out_format(r->o, "NYTProf %u.%u\n", (unsigned)r->p->totals.version.major,
                   (unsigned)r->p->totals.version.minor);
    text_sizes(r);
    text_processes(r);
    text_counts(r);
    text_pairs(r, "attributes", &r->p->attributes);
    text_pairs(r, "options", &r->p->options);
    text_comments(r);
}

/* ---- As JSON ---- */

static void json_time(struct nyt_json *j, const char *key, bool known, double time)
{
    if (known)
        nyt_json_number(j, key, time);
    else
        nyt_json_null(j, key);
}

static void json_processes(struct nyt_json *j, const nyt_profile *p)
{
    nyt_json_open(j, "processes", '[');
    for (size_t i = 0; i < p->process_count; i++) {
        const nyt_process *process = &p->processes[i];
        nyt_json_open(j, NULL, '{');
        nyt_json_count(j, "pid", process->pid);
        nyt_json_count(j, "parent", process->parent);
        json_time(j, "start", process->started, process->start);
        json_time(j, "end", process->ended, process->end);
        nyt_json_close(j, '}');
    }
    nyt_json_close(j, ']');
}

static void json_pairs(struct nyt_json *j, const char *name, const struct nyt_pairs *pairs)
{
    nyt_json_open(j, name, '{');
    for (size_t i = 0; i < pairs->count; i++) {
        nyt_json_key(j, pairs->list[i].key);
        nyt_json_str(j, NULL, pairs->list[i].value);
    }
    nyt_json_close(j, '}');
}

static void json_comments(struct nyt_json *j, const nyt_profile *p)
{
    nyt_json_open(j, "comments", '[');
    for (size_t i = 0; i < p->comment_count; i++)
        nyt_json_str(j, NULL, p->comments[i]);
    nyt_json_close(j, ']');
}

static void json_counts(struct nyt_json *j, const nyt_profile *p)
{
    nyt_json_count(j, "bytes", p->totals.bytes);
    nyt_json_count(j, "inflated", p->totals.inflated);
    nyt_json_count(j, "records", p->totals.records);
    nyt_json_count(j, "resumed", p->totals.discounted);
    nyt_json_count(j, "with_source", embedded_sources(p));
    nyt_json_count(j, "merged_evals", merged_evals(p));
    nyt_json_count(j, "lines", p->lines[NYT_LEVEL_LINE].count);
    nyt_json_count(j, "never_called", subs_never_called(p));
    nyt_json_count(j, "call_places", p->call_count);
    nyt_json_count(j, "call_paths", p->node_count - 1);
}

static void json_info(struct nyt_report *r)
{
    const nyt_profile *p = r->p;
    nyt_json_open(&r->j, NULL, '{');
    nyt_report_json_totals(r);
    if (p->has_fault) {
        nyt_json_text(&r->j, "fault", p->fault.message);
        nyt_json_count(&r->j, "fault_offset", p->fault.offset);
    }
    json_counts(&r->j, p);
    json_processes(&r->j, p);
    json_pairs(&r->j, "attributes", &p->attributes);
    json_pairs(&r->j, "options", &p->options);
    json_comments(&r->j, p);
    nyt_json_close(&r->j, '}');
    nyt_out_text(r->o, "\n");
}

int nyt_report_info(const nyt_profile *p, const nyt_report_options *options, nyt_write_fn write,
                    void *ctx, nyt_error *err)
{
    struct nyt_report r;
    int rc = nyt_report_begin(&r, p, options, write, ctx, err);
    if (rc < 0)
        return rc;
    if (r.json)
        json_info(&r);
    else
        text_info(&r);
    return nyt_report_end(&r, err);
}
