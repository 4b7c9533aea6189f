/*
 * Which files, subs and lines of two profiles are the same. Programs move between the two: to
 * another checkout, within a file, from file to file. So
 *
 *   subs    are the same if their names are, except for names that hold a line number; of several
 *           definitions of one name (typing's @overload) the one that was called counts;
 *   files   if their paths are, else the ends of their paths, else if they share subs or text;
 *   lines   if they stand in one sub (else in one file) and have the same text in the same order
 *           (see text_diff.c), where there is no text the same number; then what is left if its
 *           text stands once; then, as edited, what stands alone between the same neighbours;
 *   subs    whose names hold line numbers, or that are new and gone, if their first lines are;
 *   evals   if the lines that ran them are, those of equal text first; else if their names are.
 *
 * All steps are sorts and joins, so that the time goes with n log n whatever the profiles hold,
 * and each treats both halves alike.
 */
#include "diff/match.h"

#include "base/str.h"
#include "diff/text_diff.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    PATH_PARTS = 8,         /* so many last parts of a path tell files apart */
    TELLING_BYTES = 8,      /* a shorter line's text is no proof that it moved */
    EVAL_DEPTH = 8,         /* of evals within evals */
    TEXT_DIFF_CELLS = 1 << 28
};

/* ---- Joins: what has one key in both halves ---- */

struct item {
    uint64_t key, minor;    /* sorted by both, then by index */
    uint32_t index;
};

struct items {
    struct item *list;
    size_t count, cap;
};

static bool add_item(struct items *items, uint64_t key, uint64_t minor, size_t index)
{
    if (!NYT_ROOM_FOR_ONE(items->list, items->count, items->cap))
        return false;
    items->list[items->count++] = (struct item){
        .key = key, .minor = minor, .index = (uint32_t)index};
    return true;
}

static int compare_items(const void *left, const void *right)
{
    const struct item *a = left, *b = right;
    if (a->key != b->key)
        return NYT_COMPARE(a->key, b->key);
    if (a->minor != b->minor)
        return NYT_COMPARE(a->minor, b->minor);
    return NYT_COMPARE(a->index, b->index);
}

static void sort_items(struct items *items)
{
    if (items->count)
        qsort(items->list, items->count, sizeof *items->list, compare_items);
}

/* A run of one key in each half. */
struct run {
    const struct item *list[2];
    size_t count[2];
};

/* false: the work failed. */
typedef bool run_fn(void *ctx, const struct run *run);

static size_t length_of_run(const struct items *items, size_t from)
{
    size_t to = from;
    while (to < items->count && items->list[to].key == items->list[from].key)
        to++;
    return to - from;
}

/* Shows each key that both halves have, then empties them. */
static bool join(struct items items[2], run_fn *fn, void *ctx)
{
    size_t at[2] = {0, 0};
    bool ok = true;
    sort_items(&items[0]);
    sort_items(&items[1]);
    while (ok && at[0] < items[0].count && at[1] < items[1].count) {
        const struct item *a = &items[0].list[at[0]], *b = &items[1].list[at[1]];
        if (a->key != b->key) {
            at[a->key > b->key]++;
            continue;
        }
        struct run run = {{a, b},
                          {length_of_run(&items[0], at[0]), length_of_run(&items[1], at[1])}};
        ok = fn(ctx, &run);
        at[0] += run.count[0];
        at[1] += run.count[1];
    }
    items[0].count = items[1].count = 0;
    return ok;
}

static void free_items(struct items items[2])
{
    free(items[0].list);
    free(items[1].list);
}

/* ---- Text ---- */

static uint64_t hash_of(nyt_str s)
{
    return nyt_str_hash(s, 0x6E7974);   /* the same in both halves, and in each run */
}

static nyt_str trimmed(nyt_str s)
{
    while (s.len && strchr(" \t\r\n\f", s.data[0]) && s.data[0])
        s.data++, s.len--;
    while (s.len && strchr(" \t\r\n\f", s.data[s.len - 1]) && s.data[s.len - 1])
        s.len--;
    return s;
}

/* Names with a number or a path in them: NAME@12, __ANON__[/path/x.pl:12]. */
static bool has_place(nyt_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] == '[')
            return true;
        if (name.data[i] == '@' && i + 1 < name.len && name.data[i + 1] >= '0' &&
            name.data[i + 1] <= '9')
            return true;
    }
    return false;
}

/* A hash of the name without numbers after '@' and without what is in brackets. */
static uint64_t hash_without_place(nyt_str name)
{
    uint64_t hash = 0xCBF29CE484222325u;
    size_t depth = 0;
    bool number = false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        number = c == '@' || (number && ((c >= '0' && c <= '9') || c == '.'));
        depth += c == '[';
        if (!depth && !number)
            hash = (hash ^ (uint8_t)c) * 0x100000001B3u;
        depth -= c == ']' && depth;
    }
    return hash;
}

/* From the last "::" on that is not within brackets. */
static nyt_str last_part(nyt_str name)
{
    size_t from = 0;
    for (size_t i = 0; i + 1 < name.len && name.data[i] != '['; i++)
        if (name.data[i] == ':' && name.data[i + 1] == ':')
            from = i + 2;
    return (nyt_str){.data = name.data + from, .len = name.len - from};
}

/* ---- Pairs ---- */

static void pair_files(struct nyt_match *m, uint32_t a, uint32_t b)
{
    m->half[0].file_mates[a] = b;
    m->half[1].file_mates[b] = a;
}

static void pair_subs(struct nyt_match *m, uint32_t a, uint32_t b)
{
    m->half[0].sub_mates[a] = b;
    m->half[1].sub_mates[b] = a;
}

static void pair_places(struct nyt_match *m, uint32_t a, uint32_t b)
{
    m->half[0].places[a].mate = b;
    m->half[1].places[b].mate = a;
}

static uint32_t file_index(const struct nyt_half *h, uint32_t fid)
{
    const nyt_file *f = nyt_profile_file(h->p, fid);
    return f ? (uint32_t)(f - h->p->files) : NYT_NONE;
}

/* ---- Subs by name ---- */

static void join_sub_names(struct nyt_match *m, bool with_place)
{
    const nyt_profile *a = m->half[0].p, *b = m->half[1].p;
    for (uint32_t i = 0, j = 0; i < a->sub_count && j < b->sub_count;) {
        int c = nyt_str_compare(a->subs[i].name, b->subs[j].name);
        bool both_free = c == 0 && m->half[0].sub_mates[i] == NYT_NONE &&
                         m->half[1].sub_mates[j] == NYT_NONE;
        if (both_free && has_place(a->subs[i].name) == with_place)
            pair_subs(m, i, j);
        i += c <= 0;
        j += c >= 0;
    }
}

/*
 * A name may be defined several times, and the profile tells the later ones by their lines: of
 * stubs as typing's @overload has them, one alone is called. It has one mate, whatever its number.
 */
static bool add_called_subs(const struct nyt_match *m, struct items items[2])
{
    bool ok = true;
    for (int s = 0; s < 2; s++) {
        const nyt_profile *p = m->half[s].p;
        for (size_t i = 0; ok && i < p->sub_count; i++)
            if (p->subs[i].calls && p->subs[i].first)
                ok = add_item(&items[s], hash_without_place(p->subs[i].name), 0, i);
    }
    return ok;
}

static bool pair_only_called(void *ctx, const struct run *run)
{
    struct nyt_match *m = ctx;
    uint32_t a = run->list[0][0].index, b = run->list[1][0].index;
    if (run->count[0] == 1 && run->count[1] == 1 &&
        has_place(m->half[0].p->subs[a].name) != has_place(m->half[1].p->subs[b].name))
        pair_subs(m, a, b);
    return true;
}

/* ---- Files ---- */

static bool is_free_file(const struct nyt_half *h, size_t i)
{
    const nyt_file *f = &h->p->files[i];
    return h->file_mates[i] == NYT_NONE && !f->merged_into && !f->is_eval;
}

static bool pair_files_in_order(void *ctx, const struct run *run)
{
    for (size_t i = 0; i < run->count[0] && i < run->count[1]; i++)
        pair_files(ctx, run->list[0][i].index, run->list[1][i].index);
    return true;
}

static bool pair_only_files(void *ctx, const struct run *run)
{
    if (run->count[0] == 1 && run->count[1] == 1)
        pair_files(ctx, run->list[0][0].index, run->list[1][0].index);
    return true;
}

static bool is_separator(char c)
{
    return c == '/' || c == '\\';
}

/* The last `parts` parts of a path; empty if it has fewer. */
static nyt_str last_parts(nyt_str path, size_t parts)
{
    size_t at = path.len;
    while (at > 0) {
        if (is_separator(path.data[at - 1]) && --parts == 0)
            return (nyt_str){.data = path.data + at, .len = path.len - at};
        at--;
    }
    return parts == 1 ? path : (nyt_str){.data = path.data, .len = 0};
}

/* `parts` 0: whole paths. `which` (may be NULL): those files only. */
static bool join_paths(struct nyt_match *m, struct items items[2], size_t parts,
                       bool (*which)(const struct nyt_half *, size_t))
{
    for (int s = 0; s < 2; s++) {
        const struct nyt_half *h = &m->half[s];
        for (size_t i = 0; i < h->p->file_count; i++) {
            nyt_str name = h->p->files[i].name;
            nyt_str end = parts ? last_parts(name, parts) : name;
            if (!is_free_file(h, i) || (which && !which(h, i)) || (parts && !end.len))
                continue;
            if (!add_item(&items[s], hash_of(end), 0, i))
                return false;
        }
    }
    return join(items, parts ? pair_only_files : pair_files_in_order, m);
}

/* Votes: each says that a file of the first half is one of the second. */

struct votes {
    struct nyt_match *m;
    struct items pairs; /* key: both indices */
    uint32_t *most[2];  /* of each file: the votes that its best mate has */
    uint32_t *best[2];  /* and that mate */
    uint32_t *least[2]; /* of each file, four times the votes that it needs at least; or
                                   NULL: one */
};

static bool vote(struct votes *v, uint32_t a, uint32_t b)
{
    return add_item(&v->pairs, nyt_pair_key(a, b), 0, 0);
}

static void consider(struct votes *v, int s, uint32_t file, uint32_t mate, uint32_t count)
{
    if (count > v->most[s][file]) {
        v->most[s][file] = count;
        v->best[s][file] = mate;
    }
}

static bool is_elected(const struct votes *v, uint32_t a)
{
    uint32_t b = v->best[0][a];
    uint64_t votes = v->most[0][a];
    if (votes == 0 || v->best[1][b] != a)
        return false;
    return !v->least[0] || votes * 4 >= v->least[0][a] || votes * 4 >= v->least[1][b];
}

/* Files that are each other's best become pairs, if all is `ok` so far. */
static bool count_votes(struct votes *v, bool ok)
{
    sort_items(&v->pairs);
    for (int s = 0; s < 2; s++) {
        size_t n = v->m->half[s].p->file_count;
        v->most[s] = calloc(n + 1, sizeof *v->most[s]);
        v->best[s] = calloc(n + 1, sizeof *v->best[s]);
        ok = ok && v->most[s] && v->best[s];
    }
    for (size_t i = 0, n; ok && i < v->pairs.count; i += n) {
        uint32_t a = (uint32_t)(v->pairs.list[i].key >> 32), b = (uint32_t)v->pairs.list[i].key;
        n = length_of_run(&v->pairs, i);
        consider(v, 0, a, b, (uint32_t)n);
        consider(v, 1, b, a, (uint32_t)n);
    }
    for (uint32_t a = 0; ok && a < v->m->half[0].p->file_count; a++)
        if (is_elected(v, a))
            pair_files(v->m, a, v->best[0][a]);
    for (int s = 0; s < 2; s++) {
        free(v->most[s]);
        free(v->best[s]);
    }
    free(v->pairs.list);
    return ok;
}

static bool vote_by_subs(struct nyt_match *m)
{
    struct votes v = {.m = m};
    const struct nyt_half *h = m->half;
    bool ok = true;
    for (size_t i = 0; ok && i < h[0].p->sub_count; i++) {
        uint32_t mate = h[0].sub_mates[i];
        const nyt_sub *sub = &h[0].p->subs[i];
        if (mate == NYT_NONE || !sub->first)
            continue;
        uint32_t a = file_index(&h[0], sub->fid);
        uint32_t b = file_index(&h[1], h[1].p->subs[mate].fid);
        if (a != NYT_NONE && b != NYT_NONE && is_free_file(&h[0], a) && is_free_file(&h[1], b))
            ok = vote(&v, a, b);
    }
    return count_votes(&v, ok);
}

static bool vote_by_text(void *ctx, const struct run *run)
{
    return run->count[0] > 1 || run->count[1] > 1 ||
           vote(ctx, run->list[0][0].index, run->list[1][0].index);
}

static bool collect_telling_lines(const struct nyt_half *h, struct items *items, uint32_t *of_file)
{
    bool ok = of_file != NULL;
    for (size_t i = 0; ok && i < h->p->source_count; i++) {
        nyt_str text = trimmed(h->p->sources[i].text);
        uint32_t file = file_index(h, h->p->sources[i].fid);
        if (text.len < TELLING_BYTES || file == NYT_NONE || !is_free_file(h, file))
            continue;
        of_file[file]++;
        ok = add_item(items, hash_of(text), 0, file);
    }
    return ok;
}

/* One vote for each line whose text stands once among all files that have no mate. A quarter of
 * the lines of one file must be in the other. */
static bool vote_by_lines(struct nyt_match *m, struct items items[2])
{
    struct votes v = {.m = m};
    bool ok = true;
    for (int s = 0; s < 2; s++) {
        v.least[s] = calloc(m->half[s].p->file_count + 1, sizeof *v.least[s]);
        ok = ok && collect_telling_lines(&m->half[s], &items[s], v.least[s]);
    }
    ok = ok && join(items, vote_by_text, &v);
    ok = count_votes(&v, ok);
    free(v.least[0]);
    free(v.least[1]);
    return ok;
}

/* What has text or subs and shares none of them with a file of its name is not that file. */
static bool tells_nothing(const struct nyt_half *h, size_t i)
{
    size_t subs;
    nyt_profile_defined(h->p, h->p->files[i].fid, &subs);
    return !h->has_text[i] || !subs;
}

static bool match_files(struct nyt_match *m, struct items items[2])
{
    bool ok = join_paths(m, items, 0, NULL);
    for (size_t parts = PATH_PARTS; ok && parts > 1; parts--)
        ok = join_paths(m, items, parts, NULL);
    return ok && vote_by_subs(m) && vote_by_lines(m, items) &&
           join_paths(m, items, 1, tells_nothing);
}

/* ---- Places ---- */

static int compare_keys(uint32_t fid, uint32_t line, uint32_t other_fid, uint32_t other_line)
{
    return fid != other_fid ? NYT_COMPARE(fid, other_fid) : NYT_COMPARE(line, other_line);
}

static struct nyt_place new_place(struct nyt_half *h, uint32_t source, uint32_t figures)
{
    const nyt_src_line *text = source == NYT_NONE ? NULL : &h->p->sources[source];
    const nyt_line *line = figures == NYT_NONE ? NULL : &h->p->lines[NYT_LEVEL_LINE].list[figures];
    assert(text || line);
    struct nyt_place place = {.fid = text ? text->fid : line->fid,
                              .line = text ? text->line : line->line,
                              .source = source,
                              .figures = figures,
                              .mate = NYT_NONE,
                              .owner = NYT_NONE};
    place.file = file_index(h, place.fid);
    place.hash = text ? hash_of(trimmed(text->text)) : ~(uint64_t)place.line;
    return place;
}

static bool is_wanted(const struct nyt_half *h, const struct nyt_place *place)
{
    if (place->file != NYT_NONE && h->p->files[place->file].merged_into)
        return false;
    return place->figures != NYT_NONE || trimmed(h->p->sources[place->source].text).len > 0;
}

static int make_places(struct nyt_half *h)
{
    const nyt_profile *p = h->p;
    size_t lines = p->lines[NYT_LEVEL_LINE].count, sources = p->source_count;
    const nyt_line *line = p->lines[NYT_LEVEL_LINE].list;
    if (lines >= NYT_NONE / 2 || sources >= NYT_NONE / 2)
        return NYT_ELIMIT;
    h->places = malloc((lines + sources + 1) * sizeof *h->places);
    if (!h->places)
        return NYT_ENOMEM;
    for (uint32_t i = 0, j = 0; i < sources || j < lines;) {
        int c = i == sources ? 1
                : j == lines ? -1
                             : compare_keys(p->sources[i].fid, p->sources[i].line, line[j].fid,
                                            line[j].line);
        struct nyt_place place = new_place(h, c <= 0 ? i : NYT_NONE, c >= 0 ? j : NYT_NONE);
        i += c <= 0;
        j += c >= 0;
        if (is_wanted(h, &place))
            h->places[h->place_count++] = place;
    }
    return NYT_OK;
}

uint32_t nyt_place_find(const struct nyt_half *h, uint32_t fid, uint32_t line)
{
    size_t low = 0, high = h->place_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_keys(h->places[middle].fid, h->places[middle].line, fid, line) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < h->place_count && h->places[low].fid == fid && h->places[low].line == line;
    return found ? (uint32_t)low : NYT_NONE;
}

/* ---- Owners ---- */

struct range {
    uint32_t fid, first, last;
    uint32_t owner;
};

static int compare_ranges(const void *left, const void *right)
{
    const struct range *a = left, *b = right;
    int c = compare_keys(a->fid, a->first, b->fid, b->first);
    if (c == 0)
        c = NYT_COMPARE(b->last, a->last);
    return c ? c : NYT_COMPARE(a->owner, b->owner);
}

static size_t ranges_of(const struct nyt_match *m, int s, struct range *ranges)
{
    const struct nyt_half *h = &m->half[s];
    size_t n = 0;
    for (uint32_t i = 0; i < h->p->sub_count; i++) {
        const nyt_sub *sub = &h->p->subs[i];
        if (h->sub_mates[i] != NYT_NONE && sub->first && sub->first <= sub->last)
            ranges[n++] = (struct range){sub->fid, sub->first, sub->last,
                                         s == 0 ? i : h->sub_mates[i]};
    }
    qsort(ranges, n, sizeof *ranges, compare_ranges);
    return n;
}

/* Places and ranges are both by fid and line: those around a place are on a stack. */
static bool find_owners(struct nyt_match *m, int s)
{
    struct nyt_half *h = &m->half[s];
    struct range *ranges = malloc((h->p->sub_count + 1) * sizeof *ranges);
    uint32_t *open = malloc((h->p->sub_count + 1) * sizeof *open);
    bool ok = ranges && open;
    size_t n = ok ? ranges_of(m, s, ranges) : 0, next = 0, depth = 0;
    for (size_t i = 0; ok && i < h->place_count; i++) {
        struct nyt_place *place = &h->places[i];
        for (; next < n &&
               compare_keys(ranges[next].fid, ranges[next].first, place->fid, place->line) <= 0;
             next++)
            open[depth++] = (uint32_t)next;
        while (depth && (ranges[open[depth - 1]].fid != place->fid ||
                         ranges[open[depth - 1]].last < place->line))
            depth--;
        place->owner = depth ? ranges[open[depth - 1]].owner : NYT_NONE;
    }
    free(ranges);
    free(open);
    return ok;
}

/* ---- Lines of one sub, or of one file ---- */

struct unit {
    struct nyt_match *m;
    struct nyt_text_diff_budget budget;
    uint64_t *hashes[2];    /* room for all places */
    uint32_t *mates;
};

static bool open_unit(struct unit *u, struct nyt_match *m)
{
    *u = (struct unit){.m = m, .budget.cells = TEXT_DIFF_CELLS};
    for (int s = 0; s < 2; s++)
        u->hashes[s] = malloc((m->half[s].place_count + 1) * sizeof *u->hashes[s]);
    u->mates = malloc((m->half[0].place_count + 1) * sizeof *u->mates);
    return u->hashes[0] && u->hashes[1] && u->mates;
}

static void close_unit(struct unit *u)
{
    free(u->hashes[0]);
    free(u->hashes[1]);
    free(u->mates);
}

static bool has_text(const struct nyt_half *h, const struct item *first)
{
    uint32_t file = h->places[first->index].file;
    return file != NYT_NONE && h->has_text[file];
}

/* Where lines are counted from: within a sub from its first one. */
static uint32_t origin_of(const struct nyt_match *m, int s, uint32_t owner)
{
    if (owner == NYT_NONE)
        return 0;
    return m->half[s].p->subs[s == 0 ? owner : m->half[0].sub_mates[owner]].first;
}

static bool match_run(void *ctx, const struct run *run)
{
    struct unit *u = ctx;
    struct nyt_half *h = u->m->half;
    bool by_text = has_text(&h[0], run->list[0]) && has_text(&h[1], run->list[1]);
    for (int s = 0; s < 2; s++) {
        for (size_t i = 0; i < run->count[s]; i++) {
            const struct nyt_place *place = &h[s].places[run->list[s][i].index];
            u->hashes[s][i] = by_text ? place->hash
                                      : place->line - origin_of(u->m, s, place->owner);
        }
    }
    if (!nyt_text_diff(u->hashes[0], run->count[0], u->hashes[1], run->count[1], u->mates,
                       &u->budget))
        return false;
    for (size_t i = 0; i < run->count[0]; i++)
        if (u->mates[i] != NYT_NONE)
            pair_places(u->m, run->list[0][i].index, run->list[1][u->mates[i]].index);
    return true;
}

static bool match_texts_of_subs(struct unit *u, struct items items[2])
{
    bool ok = find_owners(u->m, 0) && find_owners(u->m, 1);
    for (int s = 0; s < 2; s++) {
        const struct nyt_half *h = &u->m->half[s];
        for (size_t i = 0; ok && i < h->place_count; i++)
            if (h->places[i].mate == NYT_NONE && h->places[i].owner != NYT_NONE)
                ok = add_item(&items[s], h->places[i].owner, 0, i);
    }
    return ok && join(items, match_run, u);
}

/* One key for a file and its mate: the first half's index. A file that is not defined, such as
 * that of time without a file, has no more than its number. */
static bool file_key(const struct nyt_match *m, int s, const struct nyt_place *place, uint64_t *key)
{
    const struct nyt_half *h = &m->half[s];
    *key = UINT64_C(1) << 32 | place->fid;
    if (place->file == NYT_NONE)
        return true;
    if (h->file_mates[place->file] == NYT_NONE)
        return false;
    *key = s == 0 ? place->file : h->file_mates[place->file];
    return true;
}

/* The lines that no sub owns. */
static bool match_texts_of_files(struct unit *u, struct items items[2])
{
    bool ok = true;
    uint64_t key;
    for (int s = 0; s < 2; s++) {
        const struct nyt_half *h = &u->m->half[s];
        for (size_t i = 0; ok && i < h->place_count; i++)
            if (h->places[i].mate == NYT_NONE && h->places[i].owner == NYT_NONE &&
                file_key(u->m, s, &h->places[i], &key))
                ok = add_item(&items[s], key, 0, i);
    }
    return ok && join(items, match_run, u);
}

/* ---- Lines that moved ---- */

static bool pair_only_places(void *ctx, const struct run *run)
{
    if (run->count[0] == 1 && run->count[1] == 1)
        pair_places(ctx, run->list[0][0].index, run->list[1][0].index);
    return true;
}

/* Evals have a step of their own: texts of different ones are often equal. */
static bool may_have_moved(const struct nyt_half *h, const struct nyt_place *place)
{
    bool in_eval = place->file != NYT_NONE && h->p->files[place->file].is_eval;
    return place->mate == NYT_NONE && place->source != NYT_NONE && !in_eval &&
           trimmed(h->p->sources[place->source].text).len >= TELLING_BYTES;
}

static bool match_moved_lines(struct nyt_match *m, struct items items[2])
{
    bool ok = true;
    for (int s = 0; s < 2; s++)
        for (size_t i = 0; ok && i < m->half[s].place_count; i++)
            if (may_have_moved(&m->half[s], &m->half[s].places[i]))
                ok = add_item(&items[s], m->half[s].places[i].hash, 0, i);
    return ok && join(items, pair_only_places, m);
}

/* ---- Lines that were edited ---- */

/* A gap between lines that have mates: `count` lines from `from` on that have none. */
struct gap {
    uint32_t from, count;
};

static bool in_one_file(const struct nyt_half *h, uint32_t a, uint32_t b)
{
    return h->places[a].fid == h->places[b].fid;
}

static struct gap gap_from(const struct nyt_half *h, uint32_t from)
{
    struct gap gap = {.from = from};
    while (from + gap.count < h->place_count && in_one_file(h, from, from + gap.count) &&
           h->places[from + gap.count].mate == NYT_NONE)
        gap.count++;
    return gap;
}

static bool are_one_file(const struct nyt_match *m, const struct nyt_place *a,
                         const struct nyt_place *b)
{
    return a->file != NYT_NONE && m->half[0].file_mates[a->file] == b->file;
}

/* The gap of the other half that lies between the same neighbours; empty: there is none. */
static struct gap same_gap(const struct nyt_match *m, const struct gap *gap)
{
    const struct nyt_half *a = &m->half[0], *b = &m->half[1];
    uint32_t end = gap->from + gap->count;
    bool has_next = end < a->place_count && in_one_file(a, gap->from, end);
    if (gap->from == 0 || !in_one_file(a, gap->from - 1, gap->from))
        return (struct gap){.count = 0};
    uint32_t from = a->places[gap->from - 1].mate + 1;
    if (from >= b->place_count || !in_one_file(b, from - 1, from) ||
        !are_one_file(m, &a->places[gap->from], &b->places[from]))
        return (struct gap){.count = 0};
    struct gap other = gap_from(b, from);
    uint32_t to = from + other.count;
    bool ends_alike = has_next ? a->places[end].mate == to
                               : to == b->place_count || !in_one_file(b, from, to);
    return ends_alike ? other : (struct gap){.count = 0};
}

enum { PAIR_KINDS = 512 };

static void count_pairs(nyt_str s, uint32_t counts[static PAIR_KINDS])
{
    for (size_t i = 0; i + 1 < s.len; i++)
        counts[((uint8_t)s.data[i] * 31u + (uint8_t)s.data[i + 1]) % PAIR_KINDS]++;
}

/* At least half of the pairs of neighbouring bytes are in both. */
static bool are_alike(nyt_str a, nyt_str b)
{
    uint32_t in_a[PAIR_KINDS] = {0}, in_b[PAIR_KINDS] = {0};
    size_t common = 0;
    count_pairs(a, in_a);
    count_pairs(b, in_b);
    for (int i = 0; i < PAIR_KINDS; i++)
        common += in_a[i] < in_b[i] ? in_a[i] : in_b[i];
    return a.len && b.len && 4 * common >= a.len + b.len - 2;
}

static bool is_edited(const struct nyt_match *m, uint32_t a, uint32_t b)
{
    const struct nyt_place *x = &m->half[0].places[a], *y = &m->half[1].places[b];
    if (x->source == NYT_NONE || y->source == NYT_NONE || x->owner != y->owner)
        return false;
    return are_alike(trimmed(m->half[0].p->sources[x->source].text),
                     trimmed(m->half[1].p->sources[y->source].text));
}

/*
 * From both ends of the gap: lines that are alike, up to the first one that is not. The same with the
 * halves exchanged.
 */
static void pair_gap(struct nyt_match *m, const struct gap *a, const struct gap *b)
{
    uint32_t least = a->count < b->count ? a->count : b->count, front = 0, back = 0;
    while (front < least && is_edited(m, a->from + front, b->from + front)) {
        pair_places(m, a->from + front, b->from + front);
        front++;
    }
    uint32_t end_a = a->from + a->count - 1, end_b = b->from + b->count - 1;
    while (back < least - front && is_edited(m, end_a - back, end_b - back)) {
        pair_places(m, end_a - back, end_b - back);
        back++;
    }
}

static void match_edited_lines(struct nyt_match *m)
{
    const struct nyt_half *a = &m->half[0];
    for (uint32_t i = 0; i < a->place_count; i++) {
        if (a->places[i].mate != NYT_NONE)
            continue;
        struct gap gap = gap_from(a, i), other = same_gap(m, &gap);
        pair_gap(m, &gap, &other);
        i = gap.from + gap.count - 1;
    }
}

/* ---- Evals ---- */

static bool pair_evals(void *ctx, const struct run *run)
{
    size_t at[2] = {0, 0};
    while (at[0] < run->count[0] && at[1] < run->count[1]) {      /* of equal text first */
        const struct item *a = &run->list[0][at[0]], *b = &run->list[1][at[1]];
        if (a->minor == b->minor)
            pair_files(ctx, a->index, b->index);
        at[0] += a->minor <= b->minor;
        at[1] += a->minor >= b->minor;
    }
    return true;
}

static uint64_t hash_of_text(const struct nyt_half *h, uint32_t fid)
{
    size_t n;
    uint64_t hash = 0;
    const nyt_src_line *lines = nyt_profile_source(h->p, fid, &n);
    for (size_t i = 0; i < n; i++)
        hash = hash * 0x9FB21C651E98DF25u + hash_of(trimmed(lines[i].text));
    return hash;
}

/* The line that ran an eval, as the second half has it. */
static bool line_of_eval(const struct nyt_match *m, int s, const nyt_file *eval, uint64_t *key)
{
    uint32_t at = nyt_place_find(&m->half[s], eval->eval_fid, eval->eval_line);
    if (at == NYT_NONE || m->half[s].places[at].mate == NYT_NONE)
        return false;
    *key = s == 0 ? m->half[s].places[at].mate : at;
    return true;
}

/* Where no line ran it: an eval of itself, or of a line without figures and text. */
static bool name_of_eval(const struct nyt_match *m, int s, const nyt_file *eval, uint64_t *key)
{
    (void)m, (void)s;
    *key = hash_of(eval->name);
    return true;
}

typedef bool eval_key_fn(const struct nyt_match *m, int s, const nyt_file *eval, uint64_t *key);

static bool join_evals(struct nyt_match *m, struct items items[2], eval_key_fn *key_of, run_fn *fn)
{
    bool ok = true;
    uint64_t key;
    for (int s = 0; s < 2; s++) {
        const struct nyt_half *h = &m->half[s];
        for (size_t i = 0; ok && i < h->p->file_count; i++) {
            const nyt_file *f = &h->p->files[i];
            if (f->is_eval && !f->merged_into && h->file_mates[i] == NYT_NONE &&
                key_of(m, s, f, &key))
                ok = add_item(&items[s], key, fn == pair_evals ? hash_of_text(h, f->fid) : 0, i);
        }
    }
    return ok && join(items, fn, m);
}

static size_t evals_without_mate(const struct nyt_half *h)
{
    size_t n = 0;
    for (size_t i = 0; i < h->p->file_count; i++)
        n += h->p->files[i].is_eval && !h->p->files[i].merged_into && h->file_mates[i] == NYT_NONE;
    return n;
}

static bool match_evals(struct unit *u, struct items items[2])
{
    size_t left = evals_without_mate(&u->m->half[0]), before = left + 1;
    for (int depth = 0; depth < EVAL_DEPTH && left && left < before; depth++) {
        before = left;
        if (!join_evals(u->m, items, line_of_eval, pair_evals) ||
            !join_evals(u->m, items, line_of_eval, pair_files_in_order) ||
            !match_texts_of_files(u, items))
            return false;
        left = evals_without_mate(&u->m->half[0]);
    }
    return !left || (join_evals(u->m, items, name_of_eval, pair_evals) &&
                     join_evals(u->m, items, name_of_eval, pair_files_in_order) &&
                     match_texts_of_files(u, items));
}

/* ---- Subs that moved ---- */

static bool pair_subs_in_order(void *ctx, const struct run *run)
{
    for (size_t i = 0; i < run->count[0] && i < run->count[1]; i++)
        pair_subs(ctx, run->list[0][i].index, run->list[1][i].index);
    return true;
}

static bool pair_only_subs(void *ctx, const struct run *run)
{
    if (run->count[0] == 1 && run->count[1] == 1)
        pair_subs(ctx, run->list[0][0].index, run->list[1][0].index);
    return true;
}

/* Those whose first lines are the same, and the last parts of their names. */
static bool match_moved_subs(struct nyt_match *m, struct items items[2])
{
    bool ok = true;
    for (int s = 0; s < 2; s++) {
        const struct nyt_half *h = &m->half[s];
        for (size_t i = 0; ok && i < h->p->sub_count; i++) {
            const nyt_sub *sub = &h->p->subs[i];
            if (h->sub_mates[i] != NYT_NONE || !sub->first)
                continue;
            uint32_t at = nyt_place_find(h, sub->fid, sub->first);
            uint32_t mate = at == NYT_NONE ? NYT_NONE : h->places[at].mate;
            if (mate != NYT_NONE)
                ok = add_item(&items[s],
                              hash_without_place(last_part(sub->name)) +
                                  (s == 0 ? mate : at) * 0x9FB21C651E98DF25u,
                              0, i);
        }
    }
    return ok && join(items, pair_subs_in_order, m);
}

static bool match_renumbered_subs(struct nyt_match *m, struct items items[2])
{
    bool ok = true;
    for (int s = 0; s < 2; s++)
        for (size_t i = 0; ok && i < m->half[s].p->sub_count; i++)
            if (m->half[s].sub_mates[i] == NYT_NONE && has_place(m->half[s].p->subs[i].name))
                ok = add_item(&items[s], hash_without_place(m->half[s].p->subs[i].name), 0, i);
    return ok && join(items, pair_only_subs, m);
}

/* ---- The whole ---- */

static int open_half(struct nyt_half *h, const nyt_profile *p)
{
    *h = (struct nyt_half){.p = p,
                           .file_mates = malloc((p->file_count + 1) * sizeof *h->file_mates),
                           .sub_mates = malloc((p->sub_count + 1) * sizeof *h->sub_mates),
                           .has_text = calloc(p->file_count + 1, sizeof *h->has_text)};
    if (!h->file_mates || !h->sub_mates || !h->has_text)
        return NYT_ENOMEM;
    memset(h->file_mates, 0xFF, p->file_count * sizeof *h->file_mates);     /* NYT_NONE */
    memset(h->sub_mates, 0xFF, p->sub_count * sizeof *h->sub_mates);
    for (size_t i = 0, n; i < p->file_count; i++) {
        nyt_profile_source(p, p->files[i].fid, &n);
        h->has_text[i] = n > 0;
    }
    return make_places(h);
}

static bool match_all(struct nyt_match *m, struct unit *u, struct items items[2])
{
    bool ok = add_called_subs(m, items) && join(items, pair_only_called, m);
    join_sub_names(m, false);
    ok = ok && match_files(m, items) && match_texts_of_subs(u, items) &&
         match_texts_of_files(u, items) && match_moved_lines(m, items) && match_evals(u, items) &&
         match_moved_subs(m, items);
    join_sub_names(m, true);
    ok = ok && match_renumbered_subs(m, items) && match_texts_of_subs(u, items);
    if (ok)
        match_edited_lines(m);
    return ok;
}

int nyt_match_profiles(struct nyt_match *m, const nyt_profile *before, const nyt_profile *after)
{
    struct items items[2] = {{0}, {0}};
    struct unit u;
    *m = (struct nyt_match){0};
    int rc = open_half(&m->half[0], before);
    if (rc == NYT_OK)
        rc = open_half(&m->half[1], after);
    if (rc < 0)
        return rc;
    bool ok = open_unit(&u, m) && match_all(m, &u, items);
    close_unit(&u);
    free_items(items);
    return ok ? NYT_OK : NYT_ENOMEM;
}

void nyt_match_free(struct nyt_match *m)
{
    for (int s = 0; s < 2; s++) {
        free(m->half[s].file_mates);
        free(m->half[s].sub_mates);
        free(m->half[s].has_text);
        free(m->half[s].places);
    }
}
