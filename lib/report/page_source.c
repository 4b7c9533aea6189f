/*
 * The sources of a page. A block holds a file's text as segments, [first line, [line, ...]]: lines
 * that did not run, in files of others, are left out between them.
 */
#include "report/page_source.h"

#include "base/str.h"
#include "base/workers.h"

#include <math.h>
#include <stdlib.h>

enum { LINES_AROUND = 3, WHOLE_FILE_LINES = 20000 };

struct ranked_file {
    size_t index;               /* in p->files */
    bool project;
    double time;
};

static int most_wanted_first(const void *left, const void *right)
{
    const struct ranked_file *a = left, *b = right;
    if (a->project != b->project)
        return a->project ? -1 : 1;
    int c = NYT_COMPARE(b->time, a->time);
    return c ? c : NYT_COMPARE(a->index, b->index);
}

static double time_of(const nyt_profile *p, uint32_t fid, bool *ran)
{
    size_t n;
    const nyt_line *lines = nyt_profile_lines(p, NYT_LEVEL_LINE, fid, &n);
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += isfinite(lines[i].time) ? lines[i].time : 0;
    *ran = n > 0;
    return sum;
}

static size_t rank_files(const nyt_profile *p, struct ranked_file *list)
{
    size_t n = 0;
    for (size_t i = 0; i < p->file_count; i++) {
        size_t lines;
        bool ran;
        struct ranked_file file = {.index = i, .time = time_of(p, p->files[i].fid, &ran)};
        nyt_profile_source(p, p->files[i].fid, &lines);
        file.project = nyt_profile_scope(p, p->files[i].fid) == NYT_SCOPE_PROJECT;
        if (ran && lines && !p->files[i].merged_into)
            list[n++] = file;
    }
    if (n)
        qsort(list, n, sizeof *list, most_wanted_first);
    return n;
}

/* ---- One file ---- */

/* Lines with less than this part of the whole time, with what they call, need no source. */
enum { LEAST_PART = 20000 };

/* The lines of a file that ran and matter, walked in order. */
struct lines_walk {
    const nyt_line *lines;
    size_t n, at;
    double least;
};

/* Is one of them at most LINES_AROUND away? */
static bool is_near(struct lines_walk *w, uint32_t line)
{
    for (; w->at < w->n; w->at++) {
        const nyt_line *next = &w->lines[w->at];
        bool matters = next->time >= w->least || next->incl >= w->least;
        if (matters && next->line + LINES_AROUND >= line)
            return next->line <= line + LINES_AROUND;
    }
    return false;
}

static nyt_str without_end(nyt_str text)
{
    while (text.len && (text.data[text.len - 1] == '\n' || text.data[text.len - 1] == '\r'))
        text.len--;
    return text;
}

static void put_segments(struct nyt_json *j, const nyt_profile *p, uint32_t fid, bool whole)
{
    size_t n;
    const nyt_src_line *source = nyt_profile_source(p, fid, &n);
    struct lines_walk w = {.least = p->totals.statement_time / LEAST_PART};
    w.lines = nyt_profile_lines(p, NYT_LEVEL_LINE, fid, &w.n);
    uint32_t last = 0;
    nyt_json_open(j, NULL, '[');
    for (size_t i = 0; i < n; i++) {
        uint32_t line = source[i].line;
        if (!line || (!whole && !is_near(&w, line)))
            continue;
        if (!last || line != last + 1) {
            if (last) {
                nyt_json_close(j, ']');
                nyt_json_close(j, ']');
            }
            nyt_json_open(j, NULL, '[');
            nyt_json_count(j, NULL, line);
            nyt_json_open(j, NULL, '[');
        }
        nyt_json_str(j, NULL, without_end(source[i].text));
        last = line;
    }
    if (last) {
        nyt_json_close(j, ']');
        nyt_json_close(j, ']');
    }
    nyt_json_close(j, ']');
}

/* ---- All files ---- */

/* Blocks are packed on several threads, and taken in the order of rank. */
struct packing {
    struct nyt_page_texts *t;
    const nyt_profile *p;
    const struct ranked_file *list;
    struct nyt_block **made; /* of each in `list` */
    int64_t *bytes;          /* negative: out of memory */
    uint64_t room;
};

static void pack_file(void *ctx, size_t i)
{
    struct packing *w = ctx;
    uint32_t fid = w->p->files[w->list[i].index].fid;
    size_t lines;
    nyt_profile_source(w->p, fid, &lines);
    struct nyt_block *b = w->made[i] = nyt_block_new();
    if (b)
        put_segments(&b->json, w->p, fid, w->list[i].project && lines <= WHOLE_FILE_LINES);
    w->bytes[i] = b ? nyt_block_end(b) : NYT_ENOMEM;
}

/* What has no room is left out. */
static int take_file(void *ctx, size_t i)
{
    struct packing *w = ctx;
    struct nyt_page_texts *t = w->t;
    if (w->bytes[i] < 0)
        return NYT_ENOMEM;
    if (t->bytes + (uint64_t)w->bytes[i] > w->room) {
        nyt_block_free(w->made[i]);
        w->made[i] = NULL;
        t->of.left_out++;
        return NYT_OK;
    }
    t->bytes += (uint64_t)w->bytes[i];
    t->of.block_of[w->list[i].index] = (int32_t)t->count;
    t->blocks[t->count++] = w->made[i];
    w->made[i] = NULL;
    return NYT_OK;
}

static bool pack_files(struct packing *w, size_t n)
{
    w->made = calloc(n + 1, sizeof *w->made);
    w->bytes = calloc(n + 1, sizeof *w->bytes);
    bool ok = w->made && w->bytes && nyt_workers_run(n, pack_file, take_file, w) == NYT_OK;
    for (size_t i = 0; w->made && i < n; i++)
        nyt_block_free(w->made[i]);
    free(w->made);
    free(w->bytes);
    return ok;
}

bool nyt_page_texts_make(struct nyt_page_texts *t, const nyt_profile *p, uint64_t room)
{
    *t = (struct nyt_page_texts){.blocks = calloc(p->file_count + 1, sizeof *t->blocks)};
    t->of.block_of = calloc(p->file_count + 1, sizeof *t->of.block_of);
    struct ranked_file *list = calloc(p->file_count + 1, sizeof *list);
    bool ok = t->blocks && t->of.block_of && list;
    for (size_t i = 0; ok && i < p->file_count; i++)
        t->of.block_of[i] = -1;
    struct packing w = {.t = t, .p = p, .list = list, .room = room};
    size_t n = ok ? rank_files(p, list) : 0;
    ok = ok && (!n || pack_files(&w, n));
    free(list);
    return ok;
}

void nyt_page_texts_free(struct nyt_page_texts *t)
{
    for (size_t i = 0; i < t->count; i++)
        nyt_block_free(t->blocks[i]);
    free(t->blocks);
    free(t->of.block_of);
    *t = (struct nyt_page_texts){0};
}
