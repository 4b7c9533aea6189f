/*
 * Tables -> sorted lists. What string_evals.c merged is counted under its survivor here: places and
 * subs are renamed, lists are sorted, and neighbours that became equal are added up.
 */
#include "model/finish.h"

#include "base/str.h"
#include "model/awaits.h"
#include "model/line_incl.h"
#include "model/scope.h"
#include "model/sections.h"
#include "model/shared.h"
#include "model/string_evals.h"
#include "model/sub_name.h"

#include <stdlib.h>
#include <string.h>

/* At least one, so that NULL always means out of memory. */
#define NEW_ARRAY(n, type) calloc((n) + 1, sizeof(type))

/* What is needed only while finishing. */
struct finisher {
    struct nyt_loader *l;
    nyt_profile *p;
    uint32_t *sub_rank;         /* index of a sub in the loader -> in the profile */
};

/* ---- Files, sources ---- */

static int compare_files(const void *left, const void *right)
{
    const nyt_file *a = left, *b = right;
    return NYT_COMPARE(a->fid, b->fid);
}

static bool finish_files(struct finisher *s)
{
    nyt_profile *p = s->p;
    p->files = NEW_ARRAY(s->l->file_count, nyt_file);
    if (!p->files)
        return false;
    p->file_count = s->l->file_count;
    for (size_t i = 0; i < p->file_count; i++)
        p->files[i] = s->l->files[i].file;
    qsort(p->files, p->file_count, sizeof *p->files, compare_files);
    return true;
}

static int compare_sources(const void *left, const void *right)
{
    const nyt_src_line *a = left, *b = right;
    int c = NYT_COMPARE(a->fid, b->fid);
    return c ? c : NYT_COMPARE(a->line, b->line);
}

static bool is_in_order(const nyt_src_line *list, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (compare_sources(&list[i - 1], &list[i]) > 0)
            return false;
    return true;
}

static void finish_sources(nyt_profile *p)
{
    if (!is_in_order(p->sources, p->source_count))
        qsort(p->sources, p->source_count, sizeof *p->sources, compare_sources);
}

/* ---- Lines ---- */

static int compare_lines(const void *left, const void *right)
{
    const nyt_line *a = left, *b = right;
    int c = NYT_COMPARE(a->fid, b->fid);
    return c ? c : NYT_COMPARE(a->line, b->line);
}

static nyt_line finished_line(const struct nyt_line_table *t, size_t i, uint32_t fid)
{
    return (nyt_line){.fid = fid,
                      .line = t->sums.list[i].line,
                      .count = t->sums.list[i].count,
                      .ticks = t->times[i].ticks,
                      .time = t->times[i].seconds,
                      .incl = t->times[i].seconds};
}

static size_t add_up_lines(nyt_line *list, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (kept && compare_lines(&list[kept - 1], &list[i]) == 0) {
            list[kept - 1].count += list[i].count;
            list[kept - 1].ticks = nyt_add_ticks(list[kept - 1].ticks, list[i].ticks);
            list[kept - 1].time += list[i].time;
            list[kept - 1].incl += list[i].incl;
        } else {
            list[kept++] = list[i];
        }
    }
    return kept;
}

/* Lines of a merged eval stay under its own fid too, and only the line level moves: so Perl. */
static bool finish_lines(struct finisher *s, nyt_level level)
{
    const struct nyt_line_table *t = &s->l->lines[level];
    struct nyt_lines *to = &s->p->lines[level];
    size_t n = 0;
    nyt_line *list = NEW_ARRAY(t->sums.count * (level == NYT_LEVEL_LINE ? 2 : 1), nyt_line);
    if (!list)
        return false;
    for (size_t i = 0; i < t->sums.count; i++) {
        uint32_t fid = t->sums.list[i].fid;
        list[n++] = finished_line(t, i, fid);
        uint32_t survivor = nyt_loader_survivor(s->l, fid);
        if (level == NYT_LEVEL_LINE && survivor != fid)
            list[n++] = finished_line(t, i, survivor);
    }
    qsort(list, n, sizeof *list, compare_lines);
    to->list = list;
    to->count = add_up_lines(list, n);
    return true;
}

/* ---- Subs ---- */

static int compare_subs(const void *left, const void *right)
{
    const nyt_sub *a = left, *b = right;
    return nyt_str_compare(a->name, b->name);
}

static uint32_t package_len(nyt_str name)
{
    for (size_t n = name.len; n >= 2; n--)
        if (name.data[n - 2] == ':' && name.data[n - 1] == ':')
            return (uint32_t)(n - 2);
    return (uint32_t)name.len;
}

/* "CORE::print" and "Some::CORE:print" are built-in operators. */
static bool is_opcode(nyt_str name)
{
    size_t at = name.len;
    while (at > 0 && nyt_is_word(name.data[at - 1]))
        at--;
    if (at == name.len)
        return false;
    return (at == 6 && memcmp(name.data, "CORE::", 6) == 0) ||
           (at >= 7 && memcmp(name.data + at - 7, "::CORE:", 7) == 0);
}

static nyt_kind kind_of(const nyt_sub *sub)
{
    if (sub->first || sub->last)
        return NYT_KIND_CODE;
    if (is_opcode(sub->name))
        return NYT_KIND_OPCODE;
    return sub->has_range ? NYT_KIND_XSUB : NYT_KIND_CODE;
}

static uint32_t final_sub(const struct nyt_loader *l, uint32_t sub)
{
    while (l->subs[sub].merged_into != NYT_NONE)
        sub = l->subs[sub].merged_into;
    return sub;
}

static uint32_t rank_of(const nyt_profile *p, nyt_str name)
{
    const nyt_sub key = {.name = name};
    const nyt_sub *found = bsearch(&key, p->subs, p->sub_count, sizeof key, compare_subs);
    return (uint32_t)(found - p->subs);
}

static bool finish_subs(struct finisher *s)
{
    const struct nyt_loader *l = s->l;
    nyt_profile *p = s->p;
    p->subs = NEW_ARRAY(l->sub_count, nyt_sub);
    s->sub_rank = NEW_ARRAY(l->sub_count, uint32_t);
    if (!p->subs || !s->sub_rank)
        return false;
    for (size_t i = 0; i < l->sub_count; i++) {
        if (l->subs[i].merged_into != NYT_NONE)
            continue;
        nyt_sub *sub = &p->subs[p->sub_count++];
        *sub = l->subs[i].sub;
        sub->kind = kind_of(sub);
        sub->package_len = package_len(sub->name);
    }
    qsort(p->subs, p->sub_count, sizeof *p->subs, compare_subs);
    for (size_t i = 0; i < l->sub_count; i++)
        s->sub_rank[i] = rank_of(p, l->subs[final_sub(l, (uint32_t)i)].sub.name);
    return true;
}

struct merged_name {
    uint32_t rank;
    nyt_str name;
};

static int compare_merged(const void *left, const void *right)
{
    const struct merged_name *a = left, *b = right;
    int c = NYT_COMPARE(a->rank, b->rank);
    return c ? c : nyt_str_compare(a->name, b->name);
}

static bool finish_merged_names(struct finisher *s)
{
    nyt_profile *p = s->p;
    size_t n = 0, room = s->l->sub_count - p->sub_count;
    struct merged_name *list = NEW_ARRAY(room, struct merged_name);
    p->merged_names = NEW_ARRAY(room, nyt_str);
    p->merged_subs = NEW_ARRAY(room, const nyt_sub *);
    bool ok = list && p->merged_names && p->merged_subs;
    for (size_t i = 0; ok && i < s->l->sub_count; i++)
        if (s->l->subs[i].merged_into != NYT_NONE)
            list[n++] = (struct merged_name){s->sub_rank[i], s->l->subs[i].sub.name};
    if (n)
        qsort(list, n, sizeof *list, compare_merged);
    for (size_t i = 0; i < n; i++) {
        p->merged_names[i] = list[i].name;
        p->merged_subs[i] = &p->subs[list[i].rank];
    }
    p->merged_count = n;
    free(list);
    return ok;
}

struct definition {
    uint32_t fid, rank;
};

static int compare_definitions(const void *left, const void *right)
{
    const struct definition *a = left, *b = right;
    int c = NYT_COMPARE(a->fid, b->fid);
    return c ? c : NYT_COMPARE(a->rank, b->rank);
}

static void keep_definitions(nyt_profile *p, const struct definition *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (list[i].fid == 0 || (i && compare_definitions(&list[i - 1], &list[i]) == 0))
            continue;
        p->defined_fid[p->defined_count] = list[i].fid;
        p->defined[p->defined_count++] = &p->subs[list[i].rank];
    }
}

static bool finish_definitions(struct finisher *s)
{
    nyt_profile *p = s->p;
    size_t n = s->l->definition_count;
    struct definition *list = NEW_ARRAY(n, struct definition);
    p->defined = NEW_ARRAY(n, const nyt_sub *);
    p->defined_fid = NEW_ARRAY(n, uint32_t);
    bool ok = list && p->defined && p->defined_fid;
    if (ok) {
        for (size_t i = 0; i < n; i++)
            list[i] = (struct definition){s->l->definitions[i].fid,
                                          s->sub_rank[s->l->definitions[i].sub]};
        qsort(list, n, sizeof *list, compare_definitions);
        keep_definitions(p, list, n);
    }
    free(list);
    return ok;
}

/* ---- Calls ---- */

struct placed_edge {
    uint32_t rank, fid, line, edge;
    nyt_str caller;
};

static int compare_sites(const struct placed_edge *a, const struct placed_edge *b)
{
    int c = NYT_COMPARE(a->rank, b->rank);
    c = c ? c : NYT_COMPARE(a->fid, b->fid);
    c = c ? c : NYT_COMPARE(a->line, b->line);
    return c ? c : nyt_str_compare(a->caller, b->caller);
}

static int compare_edges(const void *left, const void *right)
{
    const struct placed_edge *a = left, *b = right;
    int c = compare_sites(a, b);
    return c ? c : NYT_COMPARE(a->edge, b->edge);
}

/* Merged calls keep the larger recursive time: there is no adding it up, says Perl's loader. */
static void add_up_calls(nyt_call *to, const struct nyt_edge *e)
{
    to->count += e->count;
    to->outermost += e->outermost;
    to->incl += e->incl;
    to->excl += e->excl;
    if (to->reci < e->reci)
        to->reci = e->reci;
    if (to->depth < e->depth)
        to->depth = e->depth;
}

static nyt_call first_call(const nyt_profile *p, const struct placed_edge *at,
                           const struct nyt_edge *e)
{
    return (nyt_call){.called = &p->subs[at->rank],
                      .caller = at->caller,
                      .fid = at->fid,
                      .line = at->line,
                      .count = e->count,
                      .outermost = e->outermost,
                      .incl = e->incl,
                      .excl = e->excl,
                      .reci = e->reci,
                      .depth = e->depth};
}

static void keep_calls(struct finisher *s, const struct placed_edge *list, size_t n)
{
    nyt_profile *p = s->p;
    for (size_t i = 0; i < n; i++) {
        const struct nyt_edge *e = &s->l->edges[list[i].edge];
        if (i && compare_sites(&list[i - 1], &list[i]) == 0)
            add_up_calls(&p->calls[p->call_count - 1], e);
        else
            p->calls[p->call_count++] = first_call(p, &list[i], e);
    }
}

static bool finish_calls(struct finisher *s)
{
    nyt_profile *p = s->p;
    size_t n = s->l->edge_count;
    struct placed_edge *list = NEW_ARRAY(n, struct placed_edge);
    p->calls = NEW_ARRAY(n, nyt_call);
    bool ok = list && p->calls;
    if (ok) {
        for (size_t i = 0; i < n; i++) {
            const struct nyt_edge *e = &s->l->edges[i];
            list[i] = (struct placed_edge){.rank = s->sub_rank[e->sub],
                                           .fid = nyt_loader_survivor(s->l, e->fid),
                                           .line = e->line,
                                           .edge = (uint32_t)i,
                                           .caller = p->names.list[e->caller].name};
        }
        qsort(list, n, sizeof *list, compare_edges);
        keep_calls(s, list, n);
    }
    free(list);
    return ok;
}

/* ---- Inclusive time of lines ---- */

static int compare_to_place(const nyt_call *c, uint32_t fid, uint32_t line)
{
    return c->fid != fid ? NYT_COMPARE(c->fid, fid) : NYT_COMPARE(c->line, line);
}

/* Whether another sub calls it from this line. */
static bool is_called_from(const nyt_profile *p, const nyt_sub *sub, uint32_t fid, uint32_t line)
{
    size_t n, from = 0;
    const nyt_call *calls = nyt_profile_callers(p, sub, &n);
    for (size_t to = n; from < to;) {
        size_t middle = from + (to - from) / 2;
        if (compare_to_place(&calls[middle], fid, line) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    for (; from < n && compare_to_place(&calls[from], fid, line) == 0; from++)
        if (nyt_str_compare(calls[from].caller, sub->name) != 0)
            return true;
    return false;
}

/*
 * Comprehensions and lambdas that a line calls may stand on it: then what they call from there is
 * called by the line as well. One that stands on it alone has its own time there, and its calls
 * count; of one that has more lines the call counts, and its calls do not.
 */
static bool is_within(const nyt_sub *sub, uint32_t fid, uint32_t line)
{
    return sub->kind == NYT_KIND_CODE && sub->fid == fid && sub->first <= line && line <= sub->last;
}

static bool is_told_otherwise(const nyt_profile *p, const nyt_call *c, const bool *handed_on)
{
    const nyt_sub *caller = nyt_profile_sub(p, c->caller);
    if (c->called->kind != NYT_KIND_CODE)
        return true; /* its time is the line's, and what it calls is called from there */
    if (is_within(c->called, c->fid, c->line) && c->called->first == c->called->last)
        return true;
    if (!caller || !is_within(caller, c->fid, c->line))
        return false;
    bool called_here = is_called_from(p, caller, c->fid, c->line);
    return caller->first < caller->last ? called_here : handed_on[caller - p->subs] && !called_here;
}

/* Does it stand on a line of a sub with more of them, which is at work above this path? */
static bool is_below_its_owner(const struct finisher *s, uint32_t node, const nyt_sub *sub,
                               const uint32_t *sub_of_name)
{
    const struct nyt_tree_node *nodes = s->l->tree.tree.nodes;
    while (node) {
        uint32_t name = nodes[node].name;
        uint32_t at = name < s->p->names.count ? sub_of_name[name] : NYT_NONE;
        const nyt_sub *above = at == NYT_NONE ? NULL : &s->p->subs[at];
        if (above && above->first < above->last && is_within(above, sub->fid, sub->first))
            return true;
        node = nodes[node].parent;
    }
    return false;
}

/*
 * Lambdas that a line hands on to what it calls: `frame.apply(lambda row: f(row))`. What these call is
 * within the call of the line, and is not to be counted once more. `handed_on` is of each sub.
 */
static void find_handed_on(const struct finisher *s, const uint32_t *sub_of_name, bool *handed_on)
{
    const struct nyt_tree_node *nodes = s->l->tree.tree.nodes;
    for (uint32_t i = 1; i < s->l->tree.tree.count; i++) {
        uint32_t at = nodes[i].name < s->p->names.count ? sub_of_name[nodes[i].name] : NYT_NONE;
        const nyt_sub *sub = at == NYT_NONE ? NULL : &s->p->subs[at];
        if (!sub || handed_on[at] || !sub->first || sub->first != sub->last)
            continue;
        handed_on[at] = is_below_its_owner(s, nodes[i].parent, sub, sub_of_name);
    }
}

static uint32_t *index_subs_by_name(const nyt_profile *p)
{
    uint32_t *sub_of_name = NEW_ARRAY(p->names.count, uint32_t);
    if (!sub_of_name)
        return NULL;
    memset(sub_of_name, 0xFF, p->names.count * sizeof *sub_of_name);
    for (size_t i = 0; i < p->sub_count; i++) {
        uint32_t id = nyt_names_find(&p->names, p->subs[i].name);
        if (id != NYT_NONE)
            sub_of_name[id] = (uint32_t)i;
    }
    return sub_of_name;
}

/* What the subs that a line called add to its time. false: out of memory. */
static bool add_called_time(const struct finisher *s)
{
    nyt_profile *p = s->p;
    struct nyt_lines *lines = &p->lines[NYT_LEVEL_LINE];
    bool *handed_on = NEW_ARRAY(p->sub_count, bool);
    double *dearest = NEW_ARRAY(lines->count, double);
    uint32_t *sub_of_name = index_subs_by_name(p);
    bool ok = handed_on && dearest && sub_of_name;
    if (ok)
        find_handed_on(s, sub_of_name, handed_on);
    for (size_t i = 0; ok && i < p->call_count; i++) {
        const nyt_call *c = &p->calls[i];
        const nyt_line *line = nyt_profile_line(p, NYT_LEVEL_LINE, c->fid, c->line);
        if (!line || !(c->incl > 0) || is_told_otherwise(p, c, handed_on))
            continue;
        size_t at = (size_t)(line - lines->list);
        lines->list[at].incl += c->incl;
        dearest[at] = c->incl > dearest[at] ? c->incl : dearest[at];
    }
    if (ok && s->l->owners.ours) /* of Perl's subs not all have their lines */
        ok = nyt_line_incl_bound(p, dearest);
    free(handed_on);
    free(dearest);
    free(sub_of_name);
    return ok;
}

static int compare_call_places(const void *left, const void *right)
{
    const nyt_call *a = *(const nyt_call *const *)left, *b = *(const nyt_call *const *)right;
    int c = NYT_COMPARE(a->fid, b->fid);
    c = c ? c : NYT_COMPARE(a->line, b->line);
    return c ? c : NYT_COMPARE(a, b); /* by called and caller */
}

bool nyt_finish_calls_by_fid(nyt_profile *p)
{
    free(p->calls_by_fid);
    p->calls_by_fid = NEW_ARRAY(p->call_count, const nyt_call *);
    if (!p->calls_by_fid)
        return false;
    for (size_t i = 0; i < p->call_count; i++)
        p->calls_by_fid[i] = &p->calls[i];
    qsort(p->calls_by_fid, p->call_count, sizeof *p->calls_by_fid, compare_call_places);
    return true;
}

/* ---- All ---- */

static bool finish_tree(struct finisher *s)
{
    s->p->nodes = nyt_calltree_nodes(&s->l->tree, &s->p->names);
    s->p->node_count = s->l->tree.tree.count ? s->l->tree.tree.count : 1;
    return s->p->nodes != NULL;
}

static bool finish_all(struct finisher *s)
{
    return finish_files(s) && finish_lines(s, NYT_LEVEL_LINE) && finish_lines(s, NYT_LEVEL_BLOCK) &&
           finish_lines(s, NYT_LEVEL_SUB) && nyt_sections_finish(s->l) && finish_subs(s) &&
           finish_merged_names(s) && finish_definitions(s) && finish_calls(s) &&
           nyt_finish_calls_by_fid(s->p) && finish_tree(s);
}

int nyt_profile_finish(struct nyt_loader *l)
{
    struct finisher s = {.l = l, .p = l->p};
    finish_sources(l->p); /* string_evals.c compares them */
    int rc = l->options.keep_evals ? NYT_OK : nyt_merge_evals(l);
    if (rc == NYT_OK)
        rc = finish_all(&s) && nyt_scopes_find(l->p) && nyt_awaits_finish(l) && nyt_shared_finish(l)
                 ? NYT_OK
                 : NYT_ENOMEM;
    if (rc == NYT_OK)
        rc = add_called_time(&s) ? NYT_OK : NYT_ENOMEM;
    free(s.sub_rank);
    return rc;
}
