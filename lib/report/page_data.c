/*
 * The tables of a page: columns, one list for each. Files, functions and strings are numbered anew,
 * without those that are not shown. Times are in whole ticks.
 */
#include "report/page_data.h"

#include "base/hash.h"
#include "base/str.h"
#include "model/split.h"
#include "report/insight.h"
#include "report/page_name.h"
#include "report/page_sections.h"
#include "report/sentence.h"
#include "report/short_path.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct page {
    struct nyt_json *j;
    const nyt_profile *p;
    const struct nyt_page_choice *choice;
    const struct nyt_page_sources *sources;
    struct nyt_names strings;
    struct nyt_map file_index; /* fid -> number in the page; not of files that are not shown */
    uint32_t *sub_at;          /* of each sub: its number in the page, or NYT_NONE */
    nyt_str folder;            /* of the project */
    nyt_level level;           /* whose lines are put */
    bool failed;               /* out of memory */
};

/* ---- Values ---- */

static int64_t whole(double ticks)
{
    return ticks > -0x1p53 && ticks < 0x1p53 ? (int64_t)ticks : 0;
}

static int64_t ticks_of(const struct page *g, double seconds)
{
    return nyt_page_ticks(g->p, seconds);
}

/* Long names show how they begin and end. */
static int64_t string_of(struct page *g, nyt_str text)
{
    struct nyt_page_name name = nyt_page_name(text);
    struct nyt_buf joined = {0};
    if (name.tail.len) {
        g->failed |= !nyt_buf_append(&joined, name.head.data, name.head.len) ||
                     !nyt_buf_append(&joined, NYT_ELLIPSIS, strlen(NYT_ELLIPSIS)) ||
                     !nyt_buf_append(&joined, name.tail.data, name.tail.len);
        text = (nyt_str){.data = joined.data ? (char *)joined.data : "", .len = joined.len};
    }
    uint32_t id = nyt_names_take(&g->strings, text);
    nyt_buf_free(&joined);
    g->failed |= id == NYT_NONE;
    return id;
}

static int64_t file_of(const struct page *g, uint32_t fid)
{
    const uint32_t *at = nyt_map_find(&g->file_index, fid);
    return at ? (int64_t)*at : -1;
}

static int64_t sub_of(const struct page *g, const nyt_sub *sub)
{
    uint32_t at = sub ? g->sub_at[sub - g->p->subs] : NYT_NONE;
    return at == NYT_NONE ? -1 : (int64_t)at;
}

/* ---- Columns: each list is walked once for each of its columns ---- */

typedef int64_t column_fn(struct page *g, size_t i);

/* Small numbers take less room: a column may hold what its values add to those of another column,
 * or to the row before; web/src/data/decode.ts adds them up. */
struct column {
    const char *name;
    column_fn *value, *over;
    bool steps;
};

static void put_column(struct page *g, const struct column *column, size_t n, const bool *shown)
{
    int64_t last = 0;
    nyt_json_open(g->j, column->name, '[');
    for (size_t i = 0; i < n; i++) {
        if (shown && !shown[i])
            continue;
        int64_t value = column->value(g, i);
        nyt_json_whole(g->j, NULL, value - (column->over ? column->over(g, i) : last));
        last = column->steps ? value : 0;
    }
    nyt_json_close(g->j, ']');
}

static void put_columns(struct page *g, const char *table, const struct column *columns, size_t n,
                        const bool *shown)
{
    nyt_json_open(g->j, table, '{');
    for (; columns->name; columns++)
        put_column(g, columns, n, shown);
    nyt_json_close(g->j, '}');
}

/* ---- Files ---- */

static int64_t file_name(struct page *g, size_t i)
{
    return string_of(g, g->p->files[i].name);
}

static int64_t file_short(struct page *g, size_t i)
{
    struct nyt_short_path path = nyt_short_path(g->p, &g->p->files[i], g->folder);
    struct nyt_buf text = {0};
    g->failed |= !nyt_buf_append(&text, path.prefix, strlen(path.prefix)) ||
                 !nyt_buf_append(&text, path.rest.data, path.rest.len);
    int64_t id = string_of(g,
                           (nyt_str){.data = text.data ? (char *)text.data : "", .len = text.len});
    nyt_buf_free(&text);
    return id;
}

static int64_t file_kind(struct page *g, size_t i)
{
    return nyt_profile_scope(g->p, g->p->files[i].fid);
}

static int64_t file_parent(struct page *g, size_t i)
{
    return file_of(g, g->p->files[i].is_eval ? g->p->files[i].eval_fid : 0);
}

static int64_t file_line(struct page *g, size_t i)
{
    return g->p->files[i].eval_line;
}

static int64_t file_source(struct page *g, size_t i)
{
    return g->sources->block_of[i];
}

/* Of all lines, whether they are shown or not; a merged file's are its sibling's. */
static const nyt_line *lines_of(const struct page *g, size_t i, size_t *n)
{
    const nyt_file *file = &g->p->files[i];
    const nyt_line *lines = nyt_profile_lines(g->p, NYT_LEVEL_LINE, file->fid, n);
    if (file->merged_into)
        *n = 0;
    return lines;
}

static int64_t file_count(struct page *g, size_t i)
{
    size_t n;
    const nyt_line *lines = lines_of(g, i, &n);
    int64_t sum = 0;
    for (size_t k = 0; k < n; k++)
        sum += lines[k].count;
    return sum;
}

static int64_t file_time(struct page *g, size_t i)
{
    size_t n;
    const nyt_line *lines = lines_of(g, i, &n);
    double sum = 0;
    for (size_t k = 0; k < n; k++)
        sum += isfinite(lines[k].time) ? lines[k].time : 0;
    return ticks_of(g, sum);
}

static void put_files(struct page *g)
{
    static const struct column columns[] = {
        {"name", file_name},     {"short", file_short}, {"kind", file_kind},
        {"parent", file_parent}, {"line", file_line},   {"src", file_source},
        {"n", file_count},       {"t", file_time},      {NULL, NULL}};
    put_columns(g, "file", columns, g->p->file_count, g->choice->files);
}

/* ---- Lines ---- */

static const nyt_line *line_at(const struct page *g, size_t i)
{
    return &g->p->lines[g->level].list[i];
}

static int64_t line_file(struct page *g, size_t i)
{
    return file_of(g, line_at(g, i)->fid);
}

static int64_t line_number(struct page *g, size_t i)
{
    return line_at(g, i)->line;
}

static int64_t line_count(struct page *g, size_t i)
{
    return line_at(g, i)->count;
}

static int64_t line_time(struct page *g, size_t i)
{
    return ticks_of(g, line_at(g, i)->time);
}

static int64_t line_incl(struct page *g, size_t i)
{
    return ticks_of(g, line_at(g, i)->incl);
}

static int64_t line_shared(struct page *g, size_t i)
{
    return line_at(g, i)->shared;
}

/* The last column is there only if a line has such a time. */
static void put_lines(struct page *g)
{
    const struct column columns[] = {{"file", line_file, .steps = true},
                                     {"line", line_number, .steps = true},
                                     {"n", line_count},
                                     {"t", line_time},
                                     {"i", line_incl, line_time},
                                     {g->p->has_shared ? "s" : NULL, line_shared},
                                     {NULL, NULL}};
    put_columns(g, "line", columns, g->p->lines[NYT_LEVEL_LINE].count, g->choice->lines);
}

/* Lines with the time of their blocks or subs; null where the profile has none, or no room. */
static void put_level(struct page *g, const char *table, nyt_level level)
{
    static const struct column columns[] = {{"file", line_file, .steps = true},
                                            {"line", line_number, .steps = true},
                                            {"n", line_count},
                                            {"t", line_time},
                                            {NULL, NULL}};
    if (!g->p->totals.blocks || g->choice->lines_left) {
        nyt_json_null(g->j, table);
        return;
    }
    g->level = level;
    put_columns(g, table, columns, g->p->lines[level].count, NULL);
    g->level = NYT_LEVEL_LINE;
}

/* ---- What lines waited for ---- */

static int64_t await_file(struct page *g, size_t i)
{
    return file_of(g, g->p->awaits[i].fid);
}

static int64_t await_line(struct page *g, size_t i)
{
    return g->p->awaits[i].line;
}

static int64_t await_count(struct page *g, size_t i)
{
    return (int64_t)g->p->awaits[i].count;
}

static int64_t await_time(struct page *g, size_t i)
{
    return ticks_of(g, g->p->awaits[i].time);
}

/* There are few of them. */
static void put_awaits(struct page *g)
{
    static const struct column columns[] = {{"file", await_file},
                                            {"line", await_line},
                                            {"n", await_count},
                                            {"t", await_time},
                                            {NULL, NULL}};
    put_columns(g, "await", columns, g->p->await_count, NULL);
}

/* ---- Subs ---- */

static int64_t sub_name(struct page *g, size_t i)
{
    return string_of(g, g->p->subs[i].name);
}

static int64_t sub_file(struct page *g, size_t i)
{
    return file_of(g, g->p->subs[i].fid);
}

static int64_t sub_first(struct page *g, size_t i)
{
    return g->p->subs[i].first;
}

static int64_t sub_last(struct page *g, size_t i)
{
    return g->p->subs[i].last;
}

static int64_t sub_calls(struct page *g, size_t i)
{
    return (int64_t)g->p->subs[i].calls;
}

static int64_t sub_excl(struct page *g, size_t i)
{
    return ticks_of(g, g->p->subs[i].excl);
}

static int64_t sub_incl(struct page *g, size_t i)
{
    return ticks_of(g, g->p->subs[i].incl);
}

static int64_t sub_reci(struct page *g, size_t i)
{
    return ticks_of(g, g->p->subs[i].reci);
}

static int64_t sub_depth(struct page *g, size_t i)
{
    return g->p->subs[i].depth;
}

static int64_t sub_kind(struct page *g, size_t i)
{
    return g->p->subs[i].kind;
}

/* 1: it runs an import; 2: it does nothing but wait; as nyt_profile_split() sees it. */
static int64_t sub_part(struct page *g, size_t i)
{
    const nyt_sub *sub = &g->p->subs[i];
    return nyt_is_wait(sub) ? 2 : nyt_is_import(g->p, sub) ? 1 : 0;
}

static void put_subs(struct page *g)
{
    static const struct column columns[] = {{"name", sub_name, .steps = true},
                                            {"file", sub_file, .steps = true},
                                            {"first", sub_first, .steps = true},
                                            {"last", sub_last, sub_first},
                                            {"n", sub_calls},
                                            {"t", sub_excl},
                                            {"i", sub_incl, sub_excl},
                                            {"r", sub_reci},
                                            {"depth", sub_depth},
                                            {"kind", sub_kind},
                                            {"part", sub_part},
                                            {NULL, NULL}};
    put_columns(g, "fn", columns, g->p->sub_count, g->choice->subs);
}

/* ---- Calls ---- */

static int64_t call_from(struct page *g, size_t i)
{
    return sub_of(g, nyt_profile_sub(g->p, g->p->calls[i].caller));
}

static int64_t call_to(struct page *g, size_t i)
{
    return sub_of(g, g->p->calls[i].called);
}

static int64_t call_file(struct page *g, size_t i)
{
    return file_of(g, g->p->calls[i].fid);
}

static int64_t call_line(struct page *g, size_t i)
{
    return g->p->calls[i].line;
}

static int64_t call_count(struct page *g, size_t i)
{
    return (int64_t)g->p->calls[i].count;
}

static int64_t call_excl(struct page *g, size_t i)
{
    return ticks_of(g, g->p->calls[i].excl);
}

static int64_t call_incl(struct page *g, size_t i)
{
    return ticks_of(g, g->p->calls[i].incl);
}

static int64_t call_reci(struct page *g, size_t i)
{
    return ticks_of(g, g->p->calls[i].reci);
}

static int64_t call_depth(struct page *g, size_t i)
{
    return g->p->calls[i].depth;
}

static void put_calls(struct page *g)
{
    static const struct column columns[] = {{"from", call_from},
                                            {"to", call_to, .steps = true},
                                            {"file", call_file, .steps = true},
                                            {"line", call_line, .steps = true},
                                            {"n", call_count},
                                            {"t", call_excl},
                                            {"i", call_incl, call_excl},
                                            {"r", call_reci},
                                            {"depth", call_depth},
                                            {NULL, NULL}};
    put_columns(g, "call", columns, g->p->call_count, g->choice->calls);
}

/* ---- Call paths ---- */

static int64_t node_fn(struct page *g, size_t i)
{
    nyt_str name = g->p->nodes[i].name;
    return sub_of(g, name.len ? nyt_profile_sub(g->p, name) : NULL);
}

static int64_t node_up(struct page *g, size_t i)
{
    return g->choice->node_at[g->p->nodes[i].parent];
}

static void put_node_times(struct page *g, size_t shown)
{
    double *ticks = calloc(shown + 1, sizeof *ticks);
    g->failed |= !ticks;
    nyt_json_open(g->j, "t", '[');
    for (size_t i = 0; ticks && i < g->p->node_count; i++)
        if (g->p->nodes[i].excl > 0 && isfinite(g->p->nodes[i].excl))
            ticks[g->choice->node_at[i]] += g->p->nodes[i].excl;
    for (size_t i = 0; ticks && i < shown; i++)
        nyt_json_whole(g->j, NULL, whole(ticks[i]));
    nyt_json_close(g->j, ']');
    free(ticks);
}

static void put_nodes(struct page *g)
{
    static const struct column fn = {"fn", node_fn}, up = {"up", node_up, .steps = true};
    size_t shown = 0;
    for (size_t i = 0; i < g->p->node_count; i++)
        shown += g->choice->nodes[i];
    nyt_json_open(g->j, "node", '{');
    put_column(g, &fn, g->p->node_count, g->choice->nodes);
    put_column(g, &up, g->p->node_count, g->choice->nodes);
    put_node_times(g, shown);
    nyt_json_close(g->j, '}');
}

/* ---- What is said of the whole ---- */

bool nyt_page_is_perl(const nyt_profile *p)
{
    static const char ours[] = "Python profile by ";
    for (size_t i = 0; i < p->comment_count; i++)
        if (p->comments[i].len > sizeof ours &&
            memcmp(p->comments[i].data, ours, sizeof ours - 1) == 0)
            return false;
    return true;
}

nyt_str nyt_page_title(const nyt_profile *p)
{
    const nyt_str *name = nyt_profile_attribute(p, "application");
    nyt_str title = name ? *name : (nyt_str){.data = "profile", .len = 7};
    for (size_t i = title.len; i > 0; i--)
        if (title.data[i - 1] == '/' && i < title.len)
            return (nyt_str){.data = title.data + i, .len = title.len - i};
    return title;
}

static void put_language(struct page *g)
{
    const nyt_str *version = nyt_profile_attribute(g->p, "perl_version");
    struct nyt_buf text = {0};
    const char *name = nyt_page_is_perl(g->p) ? "Perl " : "Python ";
    g->failed |= !nyt_buf_append(&text, name, strlen(name)) ||
                 (version && !nyt_buf_append(&text, version->data, version->len));
    nyt_json_str(g->j, "language", (nyt_str){.data = (char *)text.data, .len = text.len});
    nyt_buf_free(&text);
}

static int append_text(void *ctx, const void *data, size_t len)
{
    return nyt_buf_append(ctx, data, len) ? NYT_OK : NYT_ENOMEM;
}

/* The line that the sentence is about: its excerpt stands below it. */
static void put_hottest(struct page *g, const nyt_line *line)
{
    nyt_json_open(g->j, "hottest", '[');
    if (line) {
        nyt_json_whole(g->j, NULL, file_of(g, line->fid));
        nyt_json_whole(g->j, NULL, line->line);
    }
    nyt_json_close(g->j, ']');
}

static void put_sentence(struct page *g, const struct nyt_insight *insight)
{
    struct nyt_buf text = {0};
    struct nyt_out *o = malloc(sizeof *o);
    g->failed |= !o;
    if (o) {
        nyt_out_begin(o, append_text, &text);
        nyt_put_sentence(o, insight);
        g->failed |= nyt_out_end(o, NULL) < 0;
    }
    const nyt_str whole = {.data = text.data ? (char *)text.data : "", .len = text.len};
    nyt_json_str(g->j, "sentence", nyt_page_name(whole).head);
    nyt_buf_free(&text);
    free(o);
}

static void put_split(struct page *g, const nyt_split *split)
{
    bool done[NYT_PARTS] = {false};
    nyt_json_open(g->j, "split", '[');
    for (int n = 0; n < NYT_PARTS; n++) {
        int next = -1;
        for (int part = 0; part < NYT_PARTS; part++)
            if (!done[part] && (next < 0 || split->seconds[part] > split->seconds[next]))
                next = part;
        done[next] = true;
        nyt_json_open(g->j, NULL, '[');
        nyt_json_text(g->j, NULL, nyt_part_name((nyt_part)next));
        nyt_json_whole(g->j, NULL, ticks_of(g, split->seconds[next]));
        nyt_json_close(g->j, ']');
    }
    nyt_json_close(g->j, ']');
}

static void put_insight(struct page *g, const struct nyt_insight *insight)
{
    put_sentence(g, insight);
    put_hottest(g, insight->hottest);
    put_split(g, &insight->split);
}

static void put_note(struct page *g, size_t left, const char *what)
{
    char text[160];
    int n = snprintf(text, sizeof text, "%zu %s", left, what);
    if (left && n > 0)
        nyt_json_str(g->j, NULL, (nyt_str){.data = text, .len = (size_t)n});
}

static void put_notes(struct page *g)
{
    const struct nyt_page_choice *c = g->choice;
    nyt_json_open(g->j, "notes", '[');
    put_note(g, c->files_left, "files with little time are left out of this page.");
    put_note(g, c->lines_left, "lines with little time are left out of this page.");
    put_note(g, c->subs_left, "functions with little time are left out of this page.");
    put_note(g, c->calls_left, "calling lines with little time are left out of this page.");
    put_note(g, c->processes_left, "threads and processes are left out of this page.");
    put_note(g, g->sources->left_out, "files are shown without their source, which had no room.");
    nyt_json_close(g->j, ']');
}

static void put_totals(struct page *g)
{
    const nyt_totals *t = &g->p->totals;
    const nyt_error *fault = nyt_profile_fault(g->p);
    nyt_json_whole(g->j, "v", 1);
    nyt_json_str(g->j, "title", nyt_page_name(nyt_page_title(g->p)).head);
    nyt_json_text(g->j, "made", "nytprof " NYT_VERSION);
    nyt_json_number(g->j, "started", g->p->process_count ? g->p->processes[0].start : 0);
    put_language(g);
    nyt_json_count(g->j, "tps", t->ticks_per_sec);
    nyt_json_number(g->j, "wall", t->wall);
    nyt_json_count(g->j, "statements", nyt_counted_statements(t));
    nyt_json_count(g->j, "calls", t->calls);
    nyt_json_whole(g->j, "time", ticks_of(g, t->statement_time));
    nyt_json_whole(g->j, "overhead", ticks_of(g, t->duration - t->active));
    nyt_json_bool(g->j, "snapshot", t->snapshot);
    if (fault)
        nyt_json_text(g->j, "fault", fault->message);
    else if (!t->complete && !t->snapshot)
        nyt_json_text(g->j, "fault", "the program ended before it was whole");
    else
        nyt_json_null(g->j, "fault");
}

static void put_groups(struct page *g)
{
    nyt_json_open(g->j, "group", '[');
    for (size_t i = 0; i < g->choice->processes; i++) {
        const nyt_process *process = &g->p->processes[i];
        nyt_json_open(g->j, NULL, '{');
        nyt_json_count(g->j, "id", process->pid);
        nyt_json_count(g->j, "parent", process->parent);
        nyt_json_number(g->j, "start", process->start);
        nyt_json_number(g->j, "end", process->end);
        nyt_json_close(g->j, '}');
    }
    nyt_json_close(g->j, ']');
}

static bool number_all(struct page *g)
{
    uint32_t shown = 0;
    bool is_new;
    g->sub_at = calloc(g->p->sub_count + 1, sizeof *g->sub_at);
    for (size_t i = 0; g->sub_at && i < g->p->sub_count; i++)
        g->sub_at[i] = g->choice->subs[i] ? shown++ : NYT_NONE;
    shown = 0;
    for (size_t i = 0; i < g->p->file_count; i++) {
        if (!g->choice->files[i])
            continue;
        uint32_t *at = nyt_map_take(&g->file_index, g->p->files[i].fid, &is_new);
        if (!at)
            return false;
        *at = shown++;
    }
    return g->sub_at != NULL;
}

/* Last, when all strings are known. */
static void put_strings(struct page *g)
{
    nyt_json_open(g->j, "str", '[');
    for (size_t i = 0; i < g->strings.count; i++)
        nyt_json_str(g->j, NULL, g->strings.list[i].name);
    nyt_json_close(g->j, ']');
}

bool nyt_page_data(struct nyt_json *j, const struct nyt_page_input *input,
                   const struct nyt_page_choice *choice)
{
    struct page g = {.j = j, .p = input->p, .choice = choice, .sources = input->sources};
    g.folder = nyt_project_folder(g.p);
    g.failed = !number_all(&g);
    if (!g.failed) {
        nyt_json_open(j, NULL, '{');
        put_totals(&g);
        put_insight(&g, input->insight);
        put_notes(&g);
        put_files(&g);
        put_lines(&g);
        put_level(&g, "block", NYT_LEVEL_BLOCK);
        put_level(&g, "sub", NYT_LEVEL_SUB);
        put_awaits(&g);
        put_subs(&g);
        put_calls(&g);
        put_nodes(&g);
        put_groups(&g);
        g.failed |= !nyt_page_sections(j, g.p, choice->lines);
        put_strings(&g);
        nyt_json_close(j, '}');
    }
    free(g.sub_at);
    nyt_map_free(&g.file_index);
    nyt_names_free(&g.strings);
    return !g.failed;
}
