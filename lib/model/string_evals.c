/*
 * Sibling evals. A string eval in a loop makes a file of its own each time round; Perl's loader
 * merges those that one line ran if their source is the same, or all if there are too many
 * different ones. Here it is decided who survives; finish.c then counts everything for the
 * survivors.
 */
#include "model/string_evals.h"

#include "base/str.h"
#include "model/sub_name.h"

#include <stdlib.h>
#include <string.h>

enum { DIFFERENT_SOURCES_MAX = 200 };

/* What Perl's loader compares instead of the sources themselves. */
struct digest {
    uint64_t lines, length;
    uint32_t sum;
    bool has_evals, has_subs; /* only told apart where there is no source */
};

struct sibling {
    uint32_t parent, line;          /* index of the file that ran it, and where */
    struct digest digest;
    uint32_t file;                  /* index, which goes with the order of definition */
};

struct eval_merger {
    struct nyt_loader *l;
    bool *has_evals, *has_subs;     /* by index of the file */
    struct sibling *siblings;
    size_t count;
    bool any;                       /* something was merged */
};

/* ---- Finding siblings ---- */

static const uint32_t *file_at(const struct nyt_loader *l, uint32_t fid)
{
    return nyt_map_find(&l->file_index, fid);
}

static void add_line_to_digest(struct digest *d, nyt_str text)
{
    d->length += text.len;
    for (size_t i = 0; i < text.len; i++)
        d->sum += (uint8_t)text.data[i];
}

/* Of the lines joined by newlines, gaps counting as empty ones. */
static struct digest digest_of(const struct eval_merger *m, uint32_t file)
{
    size_t n;
    struct digest d = {0};
    const nyt_src_line *lines = nyt_profile_source(m->l->p, m->l->files[file].file.fid, &n);
    for (size_t i = 0; i < n; i++)
        if (lines[i].line > 0)
            add_line_to_digest(&d, lines[i].text);
    if (n && lines[n - 1].line > 0) {
        d.lines = lines[n - 1].line;
        d.length += d.lines - 1;
        d.sum += (uint32_t)('\n' * (d.lines - 1));
    }
    if (d.length == 0) {
        d = (struct digest){.has_evals = m->has_evals[file], .has_subs = m->has_subs[file]};
    }
    return d;
}

static bool is_child(const struct nyt_loader *l, const nyt_file *f)
{
    return f->is_eval && f->eval_fid != f->fid && file_at(l, f->eval_fid);
}

static void find_family(struct eval_merger *m)
{
    struct nyt_loader *l = m->l;
    for (size_t i = 0; i < l->file_count; i++)
        if (is_child(l, &l->files[i].file))
            m->has_evals[*file_at(l, l->files[i].file.eval_fid)] = true;
    for (size_t i = 0; i < l->definition_count; i++) {
        const uint32_t *file = file_at(l, l->definitions[i].fid);
        if (file)
            m->has_subs[*file] = true;
    }
}

static void find_siblings(struct eval_merger *m)
{
    struct nyt_loader *l = m->l;
    for (size_t i = 0; i < l->file_count; i++) {
        const nyt_file *f = &l->files[i].file;
        if (is_child(l, f))
            m->siblings[m->count++] = (struct sibling){.parent = *file_at(l, f->eval_fid),
                                                       .line = f->eval_line,
                                                       .digest = digest_of(m, (uint32_t)i),
                                                       .file = (uint32_t)i};
    }
}

static int compare_digests(const struct digest *a, const struct digest *b)
{
    int c = NYT_COMPARE(a->lines, b->lines);
    c = c ? c : NYT_COMPARE(a->length, b->length);
    c = c ? c : NYT_COMPARE(a->sum, b->sum);
    c = c ? c : NYT_COMPARE(a->has_evals, b->has_evals);
    return c ? c : NYT_COMPARE(a->has_subs, b->has_subs);
}

static int compare_places(const struct sibling *a, const struct sibling *b)
{
    int c = NYT_COMPARE(a->parent, b->parent);
    return c ? c : NYT_COMPARE(a->line, b->line);
}

static int compare_siblings(const void *left, const void *right)
{
    const struct sibling *a = left, *b = right;
    int c = compare_places(a, b);
    c = c ? c : compare_digests(&a->digest, &b->digest);
    return c ? c : NYT_COMPARE(a->file, b->file);
}

/* ---- Merging files ---- */

/* All of n siblings into the one that was defined first. */
static void merge_files(struct eval_merger *m, const struct sibling *s, size_t n)
{
    uint32_t survivor = s[0].file;
    for (size_t i = 1; i < n; i++)
        if (s[i].file < survivor)
            survivor = s[i].file;
    for (size_t i = 0; i < n; i++)
        if (s[i].file != survivor)
            m->l->files[s[i].file].file.merged_into = m->l->files[survivor].file.fid;
    m->any = true;
}

static bool any_has_evals(const struct eval_merger *m, const struct sibling *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (m->has_evals[s[i].file])
            return true;
    return false;
}

/* How many of the n from `s` on have the digest of the first. */
static size_t same_source(const struct sibling *s, size_t n)
{
    size_t same = 1;
    while (same < n && compare_digests(&s[0].digest, &s[same].digest) == 0)
        same++;
    return same;
}

static size_t count_sources(const struct sibling *s, size_t n)
{
    size_t different = 0;
    for (size_t i = 0; i < n; i += same_source(s + i, n - i))
        different++;
    return different;
}

static void merge_siblings(struct eval_merger *m, const struct sibling *s, size_t n)
{
    if (count_sources(s, n) > DIFFERENT_SOURCES_MAX) {
        merge_files(m, s, n);
        return;
    }
    for (size_t i = 0, same; i < n; i += same) {
        same = same_source(s + i, n - i);
        if (same > 1 && !any_has_evals(m, s + i, same))
            merge_files(m, s + i, same);
    }
}

static void merge_all_siblings(struct eval_merger *m)
{
    qsort(m->siblings, m->count, sizeof *m->siblings, compare_siblings);
    for (size_t i = 0, n; i < m->count; i += n) {
        n = 1;
        while (i + n < m->count && compare_places(&m->siblings[i], &m->siblings[i + n]) == 0)
            n++;
        merge_siblings(m, m->siblings + i, n);
    }
}

uint32_t nyt_loader_survivor(const struct nyt_loader *l, uint32_t fid)
{
    const uint32_t *file = file_at(l, fid);
    uint32_t into = file ? l->files[*file].file.merged_into : 0;
    return into ? into : fid;
}

/* ---- Subs move with their file; nameless ones that differ in an eval's number merge ---- */

static void move_subs(struct nyt_loader *l)
{
    for (size_t i = 0; i < l->definition_count; i++) {
        struct nyt_definition_entry *d = &l->definitions[i];
        uint32_t to = nyt_loader_survivor(l, d->fid);
        if (to != d->fid && l->subs[d->sub].sub.fid != d->fid)
            d->fid = 0;         /* a lower fid has it */
        else
            d->fid = to;
    }
    for (size_t i = 0; i < l->sub_count; i++)
        l->subs[i].sub.fid = nyt_loader_survivor(l, l->subs[i].sub.fid);
}

/* Length of "eval N)" after a '(' or "(re_", 0 if it is not there. */
static size_t eval_number(const char *p, size_t len)
{
    size_t n = 5;
    if (len < 7 || memcmp(p, "eval", 4) != 0 || (p[4] != ' ' && (p[4] < '\t' || p[4] > '\r')))
        return 0;
    while (n < len && p[n] >= '0' && p[n] <= '9')
        n++;
    return n > 5 && n < len && p[n] == ')' ? n + 1 : 0;
}

/* Writes the name with every "(eval N)" as "(eval 0)" to `to`, which has room for it. */
static size_t normalise(nyt_str name, char *to)
{
    size_t n = 0;
    for (size_t at = 0; at < name.len;) {
        char c = to[n++] = name.data[at++];
        bool opened = c == '(' || (c == '_' && n >= 4 && memcmp(to + n - 4, "(re_", 4) == 0);
        size_t skip = opened ? eval_number(name.data + at, name.len - at) : 0;
        if (skip) {
            memcpy(to + n, "eval 0)", 7);
            n += 7;
            at += skip;
        }
    }
    return n;
}

struct anon_sub {
    uint32_t fid, sub;
    nyt_str key, name;
};

static bool is_same_anon(const struct anon_sub *a, const struct anon_sub *b)
{
    return a->fid == b->fid && nyt_str_compare(a->key, b->key) == 0;
}

static int compare_anons(const void *left, const void *right)
{
    const struct anon_sub *a = left, *b = right;
    int c = NYT_COMPARE(a->fid, b->fid);
    c = c ? c : nyt_str_compare(a->key, b->key);
    return c ? c : nyt_str_compare(a->name, b->name);
}

static bool is_survivor(const struct nyt_map *survivors, uint32_t fid)
{
    return fid && nyt_map_find(survivors, fid);
}

static bool find_survivors(const struct nyt_loader *l, struct nyt_map *survivors)
{
    bool is_new;
    for (size_t i = 0; i < l->file_count; i++)
        if (l->files[i].file.merged_into &&
            !nyt_map_take(survivors, l->files[i].file.merged_into, &is_new))
            return false;
    return true;
}

/* Those defined in files that took others in. false: out of memory. */
static bool find_anons(struct nyt_loader *l, const struct nyt_map *survivors,
                       struct anon_sub *anons, size_t *n)
{
    for (size_t i = 0; i < l->definition_count; i++) {
        const struct nyt_definition_entry *d = &l->definitions[i];
        nyt_str name = l->subs[d->sub].sub.name;
        if (!is_survivor(survivors, d->fid) || !nyt_sub_is_anon(name))
            continue;
        char *key = nyt_arena_take(&l->p->texts, name.len + 1);
        if (!key)
            return false;
        anons[*n] = (struct anon_sub){.fid = d->fid, .sub = d->sub, .name = name};
        anons[*n].key = (nyt_str){.data = key, .len = normalise(name, key)};
        ++*n;
    }
    return true;
}

static void merge_ranges(nyt_sub *to, const nyt_sub *from)
{
    if (!from->has_range)
        return;
    if (!to->has_range || from->first < to->first)
        to->first = from->first;
    if (!to->has_range || from->last > to->last)
        to->last = from->last;
    to->has_range = true;
}

static void merge_subs(struct nyt_loader *l, uint32_t to_index, uint32_t from_index)
{
    struct nyt_sub_entry_sum *from = &l->subs[from_index];
    nyt_sub *to = &l->subs[to_index].sub;
    if (to_index == from_index || from->merged_into != NYT_NONE)
        return;
    from->merged_into = to_index;
    merge_ranges(to, &from->sub);
    to->calls += from->sub.calls;
    to->incl += from->sub.incl;
    to->excl += from->sub.excl;
    to->reci += from->sub.reci;
    if (to->depth < from->sub.depth)
        to->depth = from->sub.depth;
}

static void merge_anons(struct nyt_loader *l, struct anon_sub *anons, size_t n)
{
    qsort(anons, n, sizeof *anons, compare_anons);
    for (size_t i = 0, first = 0; i < n; i++) {
        if (!is_same_anon(&anons[first], &anons[i]))
            first = i;
        if (l->subs[anons[first].sub].merged_into == NYT_NONE)
            merge_subs(l, anons[first].sub, anons[i].sub);
    }
}

static bool merge_anon_subs(struct nyt_loader *l)
{
    struct nyt_map survivors = {0};
    size_t n = 0;
    struct anon_sub *anons = calloc(l->definition_count + 1, sizeof *anons);
    bool ok = anons && find_survivors(l, &survivors) && find_anons(l, &survivors, anons, &n);
    if (ok)
        merge_anons(l, anons, n);
    nyt_map_free(&survivors);
    free(anons);
    return ok;
}

int nyt_merge_evals(struct nyt_loader *l)
{
    size_t n = l->file_count + 1;
    struct eval_merger m = {.l = l,
                            .has_evals = calloc(n, sizeof(bool)),
                            .has_subs = calloc(n, sizeof(bool)),
                            .siblings = calloc(n, sizeof(struct sibling))};
    bool ok = m.has_evals && m.has_subs && m.siblings;
    if (ok) {
        find_family(&m);
        find_siblings(&m);
        merge_all_siblings(&m);
    }
    if (ok && m.any) {
        move_subs(l);
        ok = merge_anon_subs(l);
    }
    free(m.has_evals);
    free(m.has_subs);
    free(m.siblings);
    return ok ? NYT_OK : NYT_ENOMEM;
}
