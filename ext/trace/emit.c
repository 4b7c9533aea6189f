/*
 * Tables -> chunks (docs/format.md). The profile may go on afterwards: open
 * activations hand over what they have so far and run on. A table is emitted as
 * it stands, so this can be done at any event.
 *
 * Clock units become ticks here. The sum of what has been emitted so far is what is
 * rounded, never the single value, so that ticks add up exactly.
 */
#include "emit.h"

#include "blocks.h"
#include "lane.h"
#include "marks.h"
#include "names.h"
#include "tiers.h"
#include "tracer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TICKS_PER_SEC 10000000.0
enum { CHUNK_BYTES = 1 << 18 };     /* a chunk of repeated items is cut there */

typedef struct {
    tracer *t;
    const chunk_sink *sink;
    int status; /* of the sink, or -1: out of memory */
    char *data;
    size_t len, cap;
    double ticks_per_unit;
    double units_seen; /* by next_ticks: everything since begin_sum */
    double ticks_given;
    uint32_t context; /* of what comes next */
} emitter;

/* ---- Payloads ---- */

static NOINLINE bool make_room(emitter *e, size_t len)
{
    char *grown = nyt_grow(e->data, &e->cap, e->len + len, 1);
    if (grown)
        e->data = grown;
    else
        e->status = -1;
    return grown != NULL;
}

static inline bool has_room(emitter *e, size_t len)
{
    return e->status >= 0 && (LIKELY(len <= e->cap - e->len) || make_room(e, len));
}

static void add_bytes(emitter *e, const void *data, size_t len)
{
    if (!has_room(e, len))
        return;
    if (len)
        memcpy(e->data + e->len, data, len);
    e->len += len;
}

/* All machines that CPython's wheels exist for are little-endian; so are chunks. */
static void add_u32(emitter *e, uint32_t v)
{
    uint8_t b[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};
    if (!has_room(e, sizeof b))
        return;
    memcpy(e->data + e->len, b, sizeof b);
    e->len += sizeof b;
}

static void add_u64(emitter *e, uint64_t v)
{
    add_u32(e, (uint32_t)v);
    add_u32(e, (uint32_t)(v >> 32));
}

static void add_f64(emitter *e, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    add_u64(e, bits);
}

static void add_string(emitter *e, const char *text, size_t len)
{
    add_u32(e, (uint32_t)len);
    add_bytes(e, text, len);
}

static void put_chunk(emitter *e, char token)
{
    if (e->status >= 0)
        e->status = e->sink->put(e->sink->ctx, token, e->data, e->len);
    e->len = 0;
}

/* For chunks of items: sends what is there once it is large, or at the end. */
static void put_items(emitter *e, char token, bool end)
{
    if (e->len >= CHUNK_BYTES || (end && e->len))
        put_chunk(e, token);
}

/* ---- Ticks ---- */

static void begin_sum(emitter *e)
{
    e->units_seen = e->ticks_given = 0;
}

/* Whole ticks for the next value of a sum; what is left over goes to the one after. */
static double next_ticks(emitter *e, uint64_t units)
{
    e->units_seen += (double)units;
    double ticks = floor(e->units_seen * e->ticks_per_unit) - e->ticks_given;
    e->ticks_given += ticks;
    return ticks;
}

static double seconds(const emitter *e, uint64_t units)
{
    return (double)units * e->ticks_per_unit / TICKS_PER_SEC;
}

static double wall_time(const emitter *e, uint64_t units)
{
    return e->t->clock.wall0 +
           ((double)units - (double)e->t->clock.units0) * e->ticks_per_unit / TICKS_PER_SEC;
}

/* ---- P and E ---- */

static bool tree_has_time(const tracer *t, double ticks_per_unit)
{
    for (size_t i = 0; i < t->graph.n_nodes; i++)
        if ((double)graph_node(&t->graph, i)->excl * ticks_per_unit >= 1)
            return true;
    return false;
}

static uint32_t le32(const char *p)
{
    const uint8_t *b = (const uint8_t *)p;
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/* One pair at `at`; returns where the next begins, or `len` if the rest is no pair. */
static size_t pair_end(const char *header, size_t len, size_t at, size_t *key_len, size_t *value)
{
    if (len - at < 4 || len - at - 4 < (*key_len = le32(header + at)))
        return len;
    *value = at + 4 + *key_len;
    if (len - *value < 4 || len - *value - 4 < le32(header + *value))
        return len;
    return *value + 4 + le32(header + *value);
}

/*
 * The header's pairs as given, but `calls` is 1 only if the call tree holds time:
 * nytprofhtml would look for it.
 */
static void add_header(emitter *e, const char *header, size_t len)
{
    static const char calls[] = "!calls";
    bool timed = tree_has_time(e->t, e->ticks_per_unit);
    for (size_t at = 0; at < len;) {
        size_t key_len = 0, value = len;
        size_t next = pair_end(header, len, at, &key_len, &value);
        if (!timed && key_len == sizeof calls - 1 && memcmp(header + at + 4, calls, key_len) == 0) {
            add_string(e, calls, key_len);
            add_string(e, "0", 1);
        } else {
            add_bytes(e, header + at, next - at);
        }
        at = next;
    }
}

/*
 * Awaited time stands in comments, which Perl's tools pass over: ticks, how often, line and file.
 * At most MOST_AWAITS of them, those with most time.
 */
enum { MOST_AWAITS = 400 };

static int longest_first(const void *left, const void *right)
{
    const await_place *a = left, *b = right;
    return (a->units < b->units) - (a->units > b->units);
}

static void add_await(emitter *e, const await_place *a)
{
    char figures[80];
    const char *name = e->t->files.list[a->file].name;
    int len = snprintf(figures, sizeof figures, "awaited %.0f %llu %u ",
                       (double)a->units * e->ticks_per_unit, (unsigned long long)a->count,
                       (unsigned)a->line);
    if (!name || strchr(name, '\n') || strchr(name, '\r'))
        return;
    add_string(e, "#", 1);
    add_u32(e, (uint32_t)((size_t)len + strlen(name)));
    add_bytes(e, figures, (size_t)len);
    add_bytes(e, name, strlen(name));
}

static void add_awaits(emitter *e)
{
    const await_table *a = &e->t->awaits;
    await_place *sorted = a->n_places ? calloc(a->n_places, sizeof *sorted) : NULL;
    if (!sorted)
        return;
    memcpy(sorted, a->places, a->n_places * sizeof *sorted);
    qsort(sorted, a->n_places, sizeof *sorted, longest_first);
    for (size_t i = 0; i < a->n_places && i < MOST_AWAITS; i++)
        if (sorted[i].count)
            add_await(e, &sorted[i]);
    free(sorted);
}

/*
 * So do lines with a share of a time that was measured for several together: ranges of them, and the
 * file. A file with more ranges than fit has several such comments.
 */
enum { RANGES_MOST = 4000, RANGE_ROOM = 32 };

/* One comment of the lines from `at` on, all of one file; returns where the next one begins. */
static size_t add_marks_of(emitter *e, const char *name, const marked_line *lines, size_t n,
                           size_t at)
{
    char ranges[RANGES_MOST + RANGE_ROOM] = "shared ";
    size_t len = strlen(ranges), from = at;
    while (at < n && lines[at].fid == lines[from].fid && len < RANGES_MOST) {
        size_t last = marked_range(lines, n, at);
        len += (size_t)snprintf(ranges + len, sizeof ranges - len, at > from ? ",%u" : "%u",
                                (unsigned)lines[at].line);
        if (last > at)
            len += (size_t)snprintf(ranges + len, sizeof ranges - len, "-%u",
                                    (unsigned)lines[last].line);
        at = last + 1;
    }
    ranges[len++] = ' ';
    if (strchr(name, '\n') || strchr(name, '\r'))
        return at;
    add_string(e, "#", 1);
    add_u32(e, (uint32_t)(len + strlen(name)));
    add_bytes(e, ranges, len);
    add_bytes(e, name, strlen(name));
    return at;
}

/* For people: how many there are. */
static void add_number_of_marks(emitter *e, size_t n)
{
    char text[120];
    snprintf(text, sizeof text,
             "%zu line%s a learned share of a time that was measured for several together", n,
             n == 1 ? " has" : "s have");
    add_string(e, "#", 1);
    add_string(e, text, strlen(text));
}

static void add_marks(emitter *e)
{
    const tracer *t = e->t;
    size_t n, at = 0;
    marked_line *lines = marked_lines(t, &n);
    const char **names = calloc(t->files.n_fids + 1, sizeof *names);    /* by fid */
    if (!names || (n && !lines))
        e->status = -1;
    for (size_t i = 0; names && i < t->files.n; i++)
        names[t->files.list[i].fid] = t->files.list[i].name;
    if (lines && names)
        add_number_of_marks(e, n);
    while (lines && names && at < n)
        at = add_marks_of(e, names[lines[at].fid], lines, n, at);
    free(names);
    free(lines);
}

/*
 * Contexts stand in comments as well: number, that of the context around it, the unit's name; and
 * how often there was none for what ran.
 */
static void add_contexts(emitter *e, char **names)
{
    const context_table *c = &e->t->contexts;
    char head[48];
    for (size_t i = 0; i < c->n; i++) {
        const char *name = names[c->list[i].sub];
        int len = snprintf(head, sizeof head, "unit %zu %u ", i + 1, (unsigned)c->list[i].outer);
        add_string(e, "#", 1);
        add_u32(e, (uint32_t)((size_t)len + strlen(name)));
        add_bytes(e, head, (size_t)len);
        add_bytes(e, name, strlen(name));
    }
    if (!c->untold)
        return;
    int len = snprintf(head, sizeof head, "units untold %llu", (unsigned long long)c->untold);
    add_string(e, "#", 1);
    add_string(e, head, (size_t)len);
}

/* Perl's reader wants each section to last at least as long as its lines' times. */
static double lane_end(const emitter *e, const lane *l, double start)
{
    double worked = seconds(e, l->elapsed) + seconds(e, lane_overhead(l));
    const tracer *t = e->t;
    double end = wall_time(e, !t->clock.cpu                         ? l->since
                              : t->lanes.n && l == t->lanes.list[0] ? t->lanes.settled
                                                                    : l->began);
    if (end < start + worked)
        end = start + worked;
    return end + 2e-6;      /* doubles of this size have steps of a quarter of that */
}

static void emit_start(emitter *e, const lane *l, uint32_t id, uint32_t parent, const void *header,
                       size_t header_len, char **names)
{
    add_u32(e, id);
    add_u32(e, parent);
    add_f64(e, wall_time(e, l->began));
    if (header) {
        add_header(e, header, header_len);
        add_awaits(e);
        add_marks(e);
        add_contexts(e, names);
    }
    put_chunk(e, 'P');
}

static void emit_end(emitter *e, const lane *l, uint32_t id)
{
    add_u32(e, id);
    add_f64(e, lane_end(e, l, wall_time(e, l->began)));
    add_u64(e, (uint64_t)((double)lane_overhead(l) * e->ticks_per_unit));
    put_chunk(e, 'E');
}

/* ---- F and D ---- */

static void add_source(emitter *e, const source_text *text)
{
    add_u32(e, text->lines);
    const char *p = text->utf8, *end = p + text->len;
    while (p < end) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        stop = stop ? stop + 1 : end;
        add_string(e, p, (size_t)(stop - p));
        p = stop;
    }
}

/* Lines for what has no text but is linked to: a page's end would be cut off else. */
static void add_unknown_source(emitter *e, bool folded, uint32_t n_lines)
{
    const char *hint = folded ? "# of more texts than could be told apart: the rest of them\n"
                              : "# the text of this code is not known\n";
    add_u32(e, n_lines);
    for (uint32_t i = 0; i < n_lines; i++)
        add_string(e, i ? "\n" : hint, i ? 1 : strlen(hint));
}

/* Whether the file's chunk is one that an earlier run has made. */
static bool put_kept(emitter *e, const source_file *f)
{
    if (!f->text.kept_as || f->text.kept_as != f->fid || !e->sink->put_kept)
        return false;
    if (e->status >= 0)
        e->status = e->sink->put_kept(e->sink->ctx, f->fid, f->text.kept_bytes);
    return true;
}

static void emit_file(emitter *e, source_file *f, uint32_t last_line)
{
    enum { MOST_UNKNOWN_LINES = 10000, NOT_FILE = 0x100 };
    if (put_kept(e, f))
        return;
    if (!text_unpack(&f->text, &e->t->files.kept))
        e->status = -1;
    add_u32(e, f->fid);
    add_u32(e, f->parent ? e->t->files.list[f->parent - 1].fid : 0);
    add_u32(e, f->parent_line);
    add_u32(e, f->flags);
    add_u32(e, 0);
    add_u32(e, 0);
    add_string(e, f->name, strlen(f->name));
    if (f->text.utf8)
        add_source(e, &f->text);
    else if ((f->parent || f->flags & NOT_FILE) && last_line <= MOST_UNKNOWN_LINES)
        add_unknown_source(e, f->folded, last_line);
    else
        add_u32(e, 0);
    put_chunk(e, 'F');
}

/* Perl's tools want a file, even if nothing has been run. */
static void emit_no_file(emitter *e)
{
    enum { HAS_SOURCE = 0x30, NOT_FILE = 0x100 };
    static char name[] = "(nothing yet)", text[] = "\n";
    emit_file(e,
              &(source_file){.fid = 1,
                             .flags = NOT_FILE | HAS_SOURCE,
                             .name = name,
                             .text = {.utf8 = text, .len = 1, .lines = 1}},
              1);
}

static void emit_files(emitter *e)
{
    const tracer *t = e->t;
    if (t->files.n_fids == 0) {
        emit_no_file(e);
        return;
    }
    uint32_t *last_line = calloc(t->files.n_fids + 1, sizeof *last_line); /* these two by fid */
    source_file **files = calloc(t->files.n_fids + 1, sizeof *files);
    bool ok = last_line && files;
    for (size_t i = 0; ok && i < t->codes.n_subs; i++) {
        const sub_info *sub = &t->codes.subs[i];
        if (sub->last > last_line[t->files.list[sub->file].fid])
            last_line[t->files.list[sub->file].fid] = sub->last;
    }
    for (size_t i = 0; ok && i < t->files.n; i++)
        files[t->files.list[i].fid] = &t->files.list[i];
    for (uint32_t fid = 1; ok && fid <= t->files.n_fids; fid++)
        emit_file(e, files[fid], last_line[fid]);
    if (!ok)
        e->status = -1;
    free(last_line);
    free(files);
}

static void emit_subs(emitter *e, char **names)
{
    for (size_t i = 0; i < e->t->codes.n_subs; i++) {
        const sub_info *sub = &e->t->codes.subs[i];
        if (!e->t->files.list[sub->file].fid)
            continue;
        add_u32(e, (uint32_t)i + 1);
        add_u32(e, e->t->files.list[sub->file].fid);
        add_u32(e, sub->first);
        add_u32(e, sub->last);
        add_string(e, names[i], strlen(names[i]));
        put_items(e, 'D', false);
    }
    put_items(e, 'D', true);
}

/* ---- S ---- */

/* Code objects by the number of their file. */
typedef struct {
    const code_info **codes;
    size_t *first;      /* by number: where those of that file begin; one more for the end */
    uint32_t n_fids;
} codes_by_file;

static void codes_by_file_free(codes_by_file *c)
{
    free(c->codes);
    free(c->first);
}

/* False: out of memory. To be freed either way. */
static bool codes_by_file_find(codes_by_file *c, const tracer *t)
{
    *c = (codes_by_file){.codes = calloc(t->codes.n + 1, sizeof *c->codes),
                         .first = calloc((size_t)t->files.n_fids + 3, sizeof *c->first),
                         .n_fids = t->files.n_fids};
    if (!c->codes || !c->first)
        return false;
    size_t *next = c->first + 1; /* where the next one goes, which ends as what `first` says */
    for (size_t i = 0; i < t->codes.n; i++)
        next[t->files.list[t->codes.list[i]->file].fid + 1]++;
    for (uint32_t fid = 1; fid <= c->n_fids; fid++)
        next[fid] += next[fid - 1];
    for (size_t i = 0; i < t->codes.n; i++)
        c->codes[next[t->files.list[t->codes.list[i]->file].fid]++] = t->codes.list[i];
    return true;
}

/* A line of a file in one lane: several code objects may share it. */
typedef struct {
    uint32_t line;
    uint32_t block, sub; /* their first lines; 0 unless asked for */
    line_slot sum;
} line_item;

static int compare_items(const void *a, const void *b)
{
    const line_item *x = a, *y = b;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    if (x->block != y->block)
        return x->block < y->block ? -1 : 1;
    return (x->sub > y->sub) - (x->sub < y->sub);
}

/* Lines of one file, in order; used for one file after the other. */
typedef struct {
    line_item *items;
    size_t n, cap;
} line_list;

static void join_equal_lines(line_list *l)
{
    size_t kept = 0;
    qsort(l->items, l->n, sizeof *l->items, compare_items);
    for (size_t i = 0; i < l->n; i++) {
        line_item *last = kept ? &l->items[kept - 1] : NULL;
        if (last && compare_items(last, &l->items[i]) == 0) {
            last->sum.count += l->items[i].sum.count;
            last->sum.time += l->items[i].sum.time;
            last->sum.calls += l->items[i].sum.calls;
        } else {
            l->items[kept++] = l->items[i];
        }
    }
    l->n = kept;
}

static line_item line_item_of(const tracer *t, const code_info *info, uint32_t k,
                              const line_slot *sum)
{
    const source_file *f = &t->files.list[info->file];
    line_item item = {.line = (uint32_t)info->lines[k], .sum = *sum};
    if (t->options.blocks) {
        item.sub = t->codes.subs[info->sub].first;
        item.block = block_of_line(f->blocks, f->text.lines, item.line, item.sub, info->module);
    }
    return item;
}

/* The lines that one code object touched at a place; false: out of memory. */
static bool add_lines_of(line_list *l, const tracer *t, const code_info *info, uint32_t place)
{
    const line_slot *slots = place < info->slots_cap ? info->slots[place] : NULL;
    for (uint32_t k = 0; slots && k < info->n_lines; k++) {
        if (!slots[k].count && !slots[k].time)
            continue;
        line_item *grown = nyt_grow(l->items, &l->cap, l->n + 1, sizeof *grown);
        if (!grown)
            return false;
        l->items = grown;
        grown[l->n++] = line_item_of(t, info, k, &slots[k]);
    }
    return true;
}

/* The lines of a file that were touched at a place; false: out of memory. */
static bool lines_at(line_list *l, const tracer *t, const codes_by_file *c, uint32_t fid,
                     uint32_t place)
{
    l->n = 0;
    for (size_t i = c->first[fid]; i < c->first[fid + 1]; i++)
        if (!add_lines_of(l, t, c->codes[i], place))
            return false;
    if (l->n)
        join_equal_lines(l);
    return true;
}

/* What follows is of that context. */
static void emit_context(emitter *e, uint32_t context)
{
    if (context == e->context)
        return;
    e->context = context;
    add_u32(e, context);
    put_chunk(e, 'U');
}

static void emit_lines_of(emitter *e, uint32_t fid, const line_list *l)
{
    for (size_t i = 0; i < l->n && e->status >= 0; i++) {
        const line_item *item = &l->items[i];
        uint64_t ticks = (uint64_t)next_ticks(e, item->sum.time);
        add_u32(e, fid);
        add_u32(e, item->line);
        add_u32(e, item->block);
        add_u32(e, item->sub);
        add_u64(e, item->sum.count);
        add_u64(e, ticks);
        add_u64(e, ticks + (uint64_t)((double)item->sum.calls * e->ticks_per_unit));
        put_items(e, 'S', false);
    }
}

static void emit_lines_at(emitter *e, const codes_by_file *c, line_list *l, uint32_t place)
{
    for (uint32_t fid = 0; fid <= c->n_fids && e->status >= 0; fid++) {
        if (!lines_at(l, e->t, c, fid, place))
            e->status = -1;
        if (l->n)
            emit_context(e, context_at(&e->t->contexts, place));
        emit_lines_of(e, fid, l);
    }
    put_items(e, 'S', true);
}

static void emit_lines(emitter *e, const codes_by_file *codes, const lane *of)
{
    const context_table *c = &e->t->contexts;
    line_list l = {0};
    if (!e->t->options.stmts)
        return;
    begin_sum(e);
    for (uint32_t place = 0; place < c->n_places; place++)
        if (c->places[place].lane == of->place)
            emit_lines_at(e, codes, &l, place);
    emit_context(e, 0);
    free(l.items);
}

/* ---- C and T ---- */

static void emit_calls(emitter *e, const edge *c)
{
    add_u32(e, e->t->files.list[c->at.file].fid);
    add_u32(e, c->at.line);
    add_u32(e, c->at.caller);
    add_u32(e, c->at.callee + 1);
    add_u64(e, c->count);
    add_f64(e, seconds(e, c->incl));
    add_f64(e, seconds(e, c->excl));
    add_f64(e, seconds(e, c->reci));
    add_u32(e, c->depth);
    put_items(e, 'C', false);
}

/* Outermost calls and those within them stand apart, so that it is known how many there are. */
static void emit_edge(emitter *e, const edge *all)
{
    edge outer = *all, inner = outer;
    if (!outer.count && !outer.excl && !outer.incl && !outer.reci)
        return;
    if (outer.count == 0)       /* open when we began: Perl needs a call */
        outer.count = 1;
    bool both = outer.inner && outer.inner < outer.count;
    inner.count = outer.inner;
    inner.incl = 0;
    inner.excl = outer.inner_excl;
    if (both) {
        outer.count -= outer.inner;
        outer.excl -= outer.inner_excl;
        outer.reci = outer.depth = 0;
    }
    emit_calls(e, &outer);
    if (both)
        emit_calls(e, &inner);
}

/* Each where it comes first in a list by contexts; NULL: out of memory. */
static edge **edges_by_context(const call_graph *g, size_t n_contexts)
{
    edge **sorted = calloc(g->n_edges + 1, sizeof *sorted);
    size_t *next = calloc(n_contexts + 2, sizeof *next);
    for (size_t i = 0; sorted && next && i < g->n_edges; i++)
        next[graph_edge_at(g, i)->at.context + 1]++;
    for (size_t i = 1; sorted && next && i <= n_contexts; i++)
        next[i] += next[i - 1];
    for (size_t i = 0; sorted && next && i < g->n_edges; i++)
        sorted[next[graph_edge_at(g, i)->at.context]++] = graph_edge_at(g, i);
    if (!next) {
        free(sorted);
        sorted = NULL;
    }
    free(next);
    return sorted;
}

static void emit_edges(emitter *e)
{
    const call_graph *g = &e->t->graph;
    edge **edges = edges_by_context(g, e->t->contexts.n);
    if (!edges)
        e->status = -1;
    for (size_t i = 0; edges && i < g->n_edges; i++) {
        if (edges[i]->at.context != e->context)
            put_items(e, 'C', true);
        emit_context(e, edges[i]->at.context);
        emit_edge(e, edges[i]);
    }
    put_items(e, 'C', true);
    emit_context(e, 0);
    free(edges);
}

/* One step of a walk that leaves each node after those below it. */
typedef struct {
    const node *node;
    const node *child; /* to be visited next */
    double incl;       /* ticks of the children that were left */
} step;

static step first_step(const node *n)
{
    return (step){.node = n, .child = n->last_child ? n->last_child->next : NULL};
}

/* Children in the order in which they were called first. */
static const node *next_child(step *at)
{
    const node *n = at->child;
    if (n)
        at->child = n == at->node->last_child ? NULL : n->next;
    return n;
}

static void emit_return(emitter *e, const node *n, uint32_t depth, double excl, double incl)
{
    add_u32(e, depth);
    add_u32(e, n->sub + 1);
    add_f64(e, incl);
    add_f64(e, excl);
    put_items(e, 'T', false);
}

static void emit_tree(emitter *e)
{
    size_t cap = 0, depth = 0;
    step *path = nyt_grow(NULL, &cap, 1, sizeof *path);
    if (!path) {
        e->status = -1;
        return;
    }
    begin_sum(e);
    path[0] = first_step(e->t->graph.root);
    while (e->status >= 0) {
        step *at = &path[depth];
        const node *n = next_child(at);
        if (n) {
            step *grown = nyt_grow(path, &cap, depth + 2, sizeof *path);
            if (!grown) {
                e->status = -1;
                break;
            }
            path = grown;
            path[++depth] = first_step(n);
        } else if (depth == 0) {
            break;
        } else {
            double excl = next_ticks(e, at->node->excl), incl = at->incl + excl;
            emit_return(e, at->node, (uint32_t)depth, excl, incl);
            path[--depth].incl += incl;
        }
    }
    put_items(e, 'T', true);
    free(path);
}

/* ---- All ---- */

/* Before the first event: a section that lasts no time, so that the file is whole. */
static void emit_nothing_yet(emitter *e, uint32_t pid, const void *header, size_t header_len,
                             char **names)
{
    lane nobody = {.began = clock_shared(&e->t->clock)};
    nobody.since = nobody.began;
    emit_start(e, &nobody, pid, (uint32_t)getppid(), header, header_len, names);
    emit_no_file(e);
    emit_end(e, &nobody, pid);
}

static void emit_lanes(emitter *e, const codes_by_file *codes, const void *header,
                       size_t header_len, char **names)
{
    tracer *t = e->t;
    uint32_t pid = (uint32_t)getpid();
    if (t->lanes.n == 0)
        emit_nothing_yet(e, pid, header, header_len, names);
    for (size_t i = 0; i < t->lanes.n; i++) {
        const lane *l = t->lanes.list[i];
        uint32_t id = i == 0 ? pid : l->native_id;
        if (!l->key || (i > 0 && !lane_worked(l)))
            continue;
        emit_start(e, l, id, i == 0 ? (uint32_t)getppid() : pid, i == 0 ? header : NULL, header_len,
                   names);
        if (i == 0) {
            emit_files(e);
            if (t->options.subs)
                emit_subs(e, names);
        }
        emit_lines(e, codes, l);
        if (i == 0 && t->options.subs) {
            emit_edges(e);
            emit_tree(e);
        }
        emit_end(e, l, id);
    }
}

/* Of the files that are new since the last time. Without memory a sub is one block. */
static void find_blocks(tracer *t)
{
    for (size_t i = 0; i < t->files.n; i++) {
        source_file *f = &t->files.list[i];
        if (!f->blocks && text_unpack(&f->text, &t->files.kept) && f->text.utf8)
            f->blocks = blocks_of_text(f->text.utf8, f->text.len, f->text.lines);
    }
}

/* In a forked process: numbers for the files that it has come to use; others are left out. */
static void number_files(tracer *t)
{
    file_table *files = &t->files;
    if (!files->forked)
        return;
    for (size_t i = 0; i < t->codes.n; i++)
        if (code_has_run(t->codes.list[i]))
            source_file_number(files, &files->list[t->codes.list[i]->file]);
    for (size_t i = 0; i < t->graph.n_edges; i++) {
        const edge *e = graph_edge_at(&t->graph, i);
        source_file_number(files, &files->list[e->at.file]);
        source_file_number(files, &files->list[t->codes.subs[e->at.callee].file]);
        if (e->at.caller)
            source_file_number(files, &files->list[t->codes.subs[e->at.caller - 1].file]);
    }
}

static int emit_settled(tracer *t, const void *header, size_t header_len, const chunk_sink *sink)
{
    number_files(t);
    emitter e = {.t = t, .sink = sink};
    e.ticks_per_unit = clock_ns_per_unit(&t->clock) * TICKS_PER_SEC / 1e9;
    if (t->options.blocks && t->options.stmts)
        find_blocks(t);
    codes_by_file codes;
    char **names = names_settled(t->codes.subs, t->codes.n_subs, &t->files);
    if (codes_by_file_find(&codes, t) && names)
        emit_lanes(&e, &codes, header, header_len, names);
    else
        e.status = -1;
    codes_by_file_free(&codes);
    if (names)
        names_free(names, t->codes.subs, t->codes.n_subs);
    free(e.data);
    return e.status;
}

int trace_emit(tracer *t, const void *header, size_t header_len, const chunk_sink *sink)
{
    lanes_settle(t);
    tiers_settle(t);
    int rc = emit_settled(t, header, header_len, sink);
    tiers_go_on(t);
    return rc;
}

/* Whether any line at a place has time and no count, in one of the code objects that may share it. */
static bool any_uncounted(const codes_by_file *c, uint32_t fid, uint32_t place)
{
    for (size_t i = c->first[fid]; i < c->first[fid + 1]; i++) {
        const code_info *info = c->codes[i];
        const line_slot *slots = place < info->slots_cap ? info->slots[place] : NULL;
        for (uint32_t k = 0; slots && k < info->n_lines; k++)
            if (slots[k].time && !slots[k].count)
                return true;
    }
    return false;
}

/* Lines of a unit may have begun outside it. */
static uint64_t uncounted_at(const tracer *t, const codes_by_file *c, line_list *l, uint32_t place)
{
    uint64_t uncounted = 0;
    for (uint32_t fid = 0; fid <= c->n_fids; fid++)
        if (any_uncounted(c, fid, place) && lines_at(l, t, c, fid, place))
            for (size_t k = 0; k < l->n; k++)
                uncounted += l->items[k].sum.count == 0;
    return uncounted;
}

uint64_t trace_uncounted_lines(const tracer *t)
{
    uint64_t uncounted = 0;
    line_list l = {0};
    codes_by_file c;
    bool ok = codes_by_file_find(&c, t);
    for (size_t i = 0; ok && i < t->lanes.n; i++)
        uncounted += uncounted_at(t, &c, &l, t->lanes.list[i]->place);
    free(l.items);
    codes_by_file_free(&c);
    return uncounted;
}

/* ---- line_hits ---- */

static int add_hits(PyObject *hits, uint32_t fid, int line, const line_slot *s, double scale)
{
    PyObject *key = Py_BuildValue("(Ii)", fid, line);
    PyObject *old = key ? PyDict_GetItemWithError(hits, key) : NULL;
    unsigned long long count = s->count;
    double excl = floor((double)s->time * scale), incl = excl + floor((double)s->calls * scale);
    if (old) {
        count += PyLong_AsUnsignedLongLong(PyList_GET_ITEM(old, 0));
        incl += PyLong_AsDouble(PyList_GET_ITEM(old, 1));
        excl += PyLong_AsDouble(PyList_GET_ITEM(old, 2));
    }
    PyObject *value = key && !PyErr_Occurred()
                          ? Py_BuildValue("[KKK]", count, (unsigned long long)incl,
                                          (unsigned long long)excl)
                          : NULL;
    int rc = value ? PyDict_SetItem(hits, key, value) : -1;
    Py_XDECREF(key);
    Py_XDECREF(value);
    return rc;
}

static PyObject *hits_settled(tracer *t)
{
    number_files(t);
    double scale = clock_ns_per_unit(&t->clock) * TICKS_PER_SEC / 1e9;
    PyObject *hits = PyDict_New();
    for (size_t i = 0; hits && i < t->codes.n; i++) {
        const code_info *info = t->codes.list[i];
        for (uint32_t j = 0; j < info->slots_cap; j++)
            for (uint32_t k = 0; info->slots[j] && k < info->n_lines; k++) {
                const line_slot *s = &info->slots[j][k];
                if ((s->count || s->time) &&
                    add_hits(hits, t->files.list[info->file].fid, info->lines[k], s, scale) < 0) {
                    Py_DECREF(hits);
                    return NULL;
                }
            }
    }
    return hits;
}

PyObject *trace_line_hits(tracer *t)
{
    lanes_settle(t);
    tiers_settle(t);
    PyObject *hits = hits_settled(t);
    tiers_go_on(t);
    return hits;
}
