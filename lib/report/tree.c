/*
 * The call tree. It is made of the profile's by what each path is called: subs that are not shown
 * and recursive calls belong to the sub above that is. Only exclusive times are taken over, so that
 * each is in the tree once, and inclusive ones are added up anew.
 */
#include "nytprof.h"

#include "base/error.h"
#include "base/hash.h"
#include "base/str.h"
#include "model/split.h"
#include "report/rank.h"
#include "report/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double LEAST = 0.01;
enum {
    FIGURE = 10,
    PERCENT = 8,
    BEFORE = 2 * FIGURE + PERCENT + 1,
    STEP = 3,
    NAME_MIN = 24,
    NARROW = 60 /* with fewer columns there is no self time */
};

/* ---- Making it ---- */

struct branch {
    const nyt_sub *sub;         /* NULL: the root, or a sub that is not known */
    nyt_str name;
    uint32_t parent, first_child, next;
    double self, other;         /* its own time; that of what is not shown below it */
    double incl;
    bool recursive;
};

/* What becomes of the paths that end in a sub. */
enum show { SHOWN, PASSED, PASSED_WITH_C };

struct tree {
    struct nyt_report *r;
    struct branch *list;
    size_t count, cap;
    struct nyt_map by_name;     /* parent and name -> branch */
    uint32_t *branch_of; /* of each node of the profile, or NYT_NONE: outside of the focus */
    bool *hidden; /* of each node: it is not shown itself, or C below such a one */
    uint8_t *shows; /* of each sub */
    bool *in_focus; /* of each sub; NULL: there is no focus */
    double least; /* seconds */
};

static bool is_machinery(const nyt_profile *p, const nyt_sub *sub)
{
    static const char begin[] = "(frozen importlib";
    const nyt_file *file = nyt_profile_file(p, sub->fid);
    return sub->kind == NYT_KIND_CODE && file && file->name.len >= sizeof begin - 1 &&
           memcmp(file->name.data, begin, sizeof begin - 1) == 0;
}

static enum show show_of(const struct nyt_report *r, const nyt_sub *sub)
{
    if (sub->kind != NYT_KIND_CODE)
        return SHOWN;
    return nyt_report_shows(r, sub->fid) && !is_machinery(r->p, sub) ? SHOWN : PASSED;
}

static uint32_t add_branch(struct tree *t, uint32_t parent, const nyt_node *node,
                           const nyt_sub *sub, uint32_t name)
{
    bool is_new;
    uint32_t *at = nyt_map_take(&t->by_name, nyt_pair_key(parent, name), &is_new);
    if (!at || !NYT_ROOM_FOR_ONE(t->list, t->count, t->cap))
        return NYT_NONE;
    if (is_new) {
        *at = (uint32_t)t->count;
        t->list[t->count++] = (struct branch){
            .sub = sub, .name = node->name, .parent = parent, .next = t->list[parent].first_child};
        t->list[parent].first_child = *at;
    }
    return *at;
}

/* Names are kept once, so that their addresses tell them apart. */
static uint32_t above_with_name(const struct tree *t, uint32_t from, nyt_str name)
{
    for (uint32_t at = from; at != 0; at = t->list[at].parent)
        if (t->list[at].name.data == name.data)
            return at;
    return NYT_NONE;
}

static bool is_focus(const struct tree *t, const nyt_sub *sub)
{
    return sub && t->in_focus[sub - t->r->p->subs];
}

/* NYT_NONE as its branch: not in the focus. false: out of memory. */
static bool place_node(struct tree *t, size_t i)
{
    const nyt_profile *p = t->r->p;
    const nyt_node *node = &p->nodes[i];
    uint32_t name = node->name.len ? nyt_names_find(&p->names, node->name) : NYT_NONE;
    const nyt_sub *sub = name == NYT_NONE ? NULL : nyt_profile_sub(p, node->name);
    uint32_t above = t->branch_of[node->parent];
    bool in_c = sub && sub->kind != NYT_KIND_CODE;
    t->branch_of[i] = above;
    t->hidden[i] = !sub || t->shows[sub - p->subs] != SHOWN || (in_c && t->hidden[node->parent]);
    if (above == NYT_NONE && !is_focus(t, sub))
        return true;
    if (above == NYT_NONE)
        above = 0, t->hidden[i] = false;
    if (!t->hidden[i]) {
        uint32_t same = above_with_name(t, above, node->name);
        t->branch_of[i] = same != NYT_NONE ? same : add_branch(t, above, node, sub, name);
        if (t->branch_of[i] == NYT_NONE)
            return false;
        t->list[t->branch_of[i]].recursive |= same != NYT_NONE;
    } else {
        t->branch_of[i] = above;
    }
    return true;
}

static void add_time(struct tree *t, size_t i)
{
    double seconds = nyt_seconds_of(t->r->p, t->r->p->nodes[i].excl);
    if (t->branch_of[i] == NYT_NONE || !(seconds > 0) || !isfinite(seconds))
        return;
    struct branch *b = &t->list[t->branch_of[i]];
    *(t->hidden[i] ? &b->other : &b->self) += seconds;
}

/* Branches come after those that they are on. */
static void add_up(struct tree *t)
{
    for (size_t i = t->count; i-- > 0;) {
        struct branch *b = &t->list[i];
        b->incl += b->self + b->other;
        if (i > 0)
            t->list[b->parent].incl += b->incl;
    }
}

static bool grow(struct tree *t)
{
    const nyt_profile *p = t->r->p;
    if (!NYT_ROOM_FOR_ONE(t->list, t->count, t->cap))
        return false;
    t->list[t->count++] = (struct branch){.name = {.data = ""}};
    for (size_t i = 0; i < p->sub_count; i++)
        t->shows[i] = (uint8_t)show_of(t->r, &p->subs[i]);
    t->branch_of[0] = t->in_focus ? NYT_NONE : 0;
    for (size_t i = 1; i < p->node_count; i++) {
        if (!place_node(t, i))
            return false;
        add_time(t, i);
    }
    add_up(t);
    return true;
}

/* ---- Order ---- */

static bool sort_children(struct tree *t, struct nyt_ranking *list, uint32_t parent)
{
    list->count = 0;
    for (uint32_t at = t->list[parent].first_child; at; at = t->list[at].next)
        nyt_rank(list, t->list[at].incl, &t->list[at]);
    nyt_ranking_sort(list);
    uint32_t *link = &t->list[parent].first_child;
    for (size_t i = 0; i < list->count; i++) {
        uint32_t at = (uint32_t)((const struct branch *)list->list[i].item - t->list);
        *link = at;
        link = &t->list[at].next;
    }
    *link = 0;
    return true;
}

static bool sort_all(struct tree *t)
{
    struct nyt_ranking list;
    bool ok = nyt_ranking_begin(&list, t->count);
    for (size_t i = 0; ok && i < t->count; i++)
        ok = sort_children(t, &list, (uint32_t)i);
    nyt_ranking_free(&list);
    return ok;
}

/* ---- Text ---- */

static bool is_large(const struct tree *t, uint32_t at)
{
    return at && t->list[at].incl >= t->least && t->list[at].incl > 0;
}

/* Small ones come last, and are told together. */
static uint32_t small_children(const struct tree *t, uint32_t parent, double *seconds)
{
    uint32_t n = 0;
    *seconds = 0;
    for (uint32_t at = t->list[parent].first_child; at; at = t->list[at].next) {
        if (is_large(t, at) || !(t->list[at].incl > 0))
            continue;
        n++;
        *seconds += t->list[at].incl;
    }
    return n;
}

/* What is told together behind the large ones, if it is worth it. */
static double rest_of(const struct tree *t, uint32_t parent, uint32_t *small)
{
    double seconds;
    *small = small_children(t, parent, &seconds);
    seconds += t->list[parent].other;
    return seconds >= t->least && seconds > 0 ? seconds : 0;
}

static bool is_last(const struct tree *t, uint32_t at)
{
    uint32_t small;
    return !is_large(t, t->list[at].next) && !(rest_of(t, t->list[at].parent, &small) > 0);
}

static size_t levels_above(const struct tree *t, uint32_t at)
{
    size_t n = 0;
    for (; at; at = t->list[at].parent)
        n++;
    return n;
}

static bool is_narrow(const struct tree *t)
{
    return !t->r->uncut && t->r->width < NARROW;
}

static size_t columns_before(const struct tree *t)
{
    return is_narrow(t) ? BEFORE - FIGURE : BEFORE;
}

/* The lines that lead down to what is on a branch, from the top; where there is no room for so
 * many, how many are left out. Returns columns. */
static size_t put_lines(const struct tree *t, uint32_t parent, bool last)
{
    struct nyt_out *o = t->r->o;
    size_t levels = levels_above(t, parent), skipped = 0;
    size_t least = columns_before(t) + NAME_MIN + STEP;
    size_t room = t->r->width > least ? (t->r->width - least) / STEP + 1 : 1;
    if (levels > room) {
        skipped = levels - room;
        nyt_out_format(o, "+%-4zu", skipped);
    }
    for (size_t level = skipped + 1; level < levels; level++) {
        uint32_t above = parent;
        for (size_t up = levels - 1; up > level; up--)
            above = t->list[above].parent;
        nyt_out_text(o, is_last(t, above) ? "   " : "\u2502  ");
    }
    if (levels)
        nyt_out_text(o, last ? "\u2514\u2500 " : "\u251C\u2500 ");
    return (levels - skipped) * STEP + (skipped ? 5 : 0);
}

static void put_times(const struct tree *t, double incl, double self)
{
    double whole = t->list[0].incl;
    nyt_out_time(t->r->o, incl, FIGURE);
    nyt_out_fixed(t->r->o, PERCENT - 2, 1, whole > 0 ? 100 * incl / whole : 0);
    nyt_out_text(t->r->o, " %");
    if (self > 0 && !is_narrow(t))
        nyt_out_time(t->r->o, self, FIGURE);
    else if (!is_narrow(t))
        nyt_out_fill(t->r->o, ' ', FIGURE);
    nyt_out_text(t->r->o, " ");
}

static void put_branch(const struct tree *t, uint32_t at)
{
    static const nyt_str unknown = {.data = "(did not return)", .len = 16};
    struct nyt_report *r = t->r;
    const struct branch *b = &t->list[at];
    put_times(t, b->incl, b->self);
    size_t used = columns_before(t) + put_lines(t, b->parent, is_last(t, at));
    const char *mark = !b->recursive ? "" : is_narrow(t) ? " (rec.)" : " (recursive)";
    size_t room = r->width > used + strlen(mark) ? r->width - used - strlen(mark) : 0;
    used += strlen(mark) + nyt_report_name(r, b->name.len ? b->name : unknown, room);
    nyt_out_text(r->o, mark);
    if (b->sub && b->sub->first && (r->uncut || r->width >= used + 16)) {
        nyt_report_style(r, NYT_DIM);
        nyt_out_text(r->o, "  ");
        nyt_report_place(r, b->sub->fid, b->sub->first, r->width - used - 2);
        nyt_report_style(r, NYT_PLAIN);
    }
    nyt_out_text(r->o, "\n");
}

static void put_rest(const struct tree *t, uint32_t parent)
{
    uint32_t small;
    double seconds = rest_of(t, parent, &small);
    double other = t->list[parent].other / seconds;
    if (!(seconds > 0))
        return;
    put_times(t, seconds, 0);
    nyt_report_style(t->r, NYT_DIM);
    size_t used = columns_before(t) + put_lines(t, parent, true);
    bool wide = used + 40 < t->r->width || t->r->uncut;
    if (small && other < 0.9)
        nyt_out_format(t->r->o, "%u smaller%s\n", (unsigned)small,
                       other > 0.1 && wide ? ", and what is not shown" : "");
    else
        nyt_out_text(t->r->o, "(not shown)\n");
    nyt_report_style(t->r, NYT_PLAIN);
}

typedef void visit_fn(const struct tree *t, uint32_t at);

/* `enter` is called for each large branch, `leave` after all that is on it. */
static void walk(const struct tree *t, visit_fn *enter, visit_fn *leave)
{
    uint32_t at = 0;
    for (;;) {
        uint32_t child = t->list[at].first_child;
        if (is_large(t, child)) {
            at = child;
            enter(t, at);
            continue;
        }
        leave(t, at);
        while (at && !is_large(t, t->list[at].next)) {
            at = t->list[at].parent;
            leave(t, at);
        }
        if (!at)
            return;
        at = t->list[at].next;
        enter(t, at);
    }
}

static void put_text(const struct tree *t)
{
    nyt_report_style(t->r, NYT_DIM);
    nyt_out_text(t->r->o, is_narrow(t) ? "     incl\n" : "     incl            self\n");
    nyt_report_style(t->r, NYT_PLAIN);
    walk(t, put_branch, put_rest);
}

/* ---- JSON ---- */

static void enter_json(const struct tree *t, uint32_t at)
{
    struct nyt_json *j = &t->r->j;
    const struct branch *b = &t->list[at];
    const nyt_file *file = b->sub ? nyt_profile_file(t->r->p, b->sub->fid) : NULL;
    nyt_json_open(j, NULL, '{');
    nyt_json_str(j, "name", b->name);
    nyt_json_number(j, "inclusive", b->incl);
    nyt_json_number(j, "exclusive", b->self);
    nyt_json_number(j, "not_shown", b->other);
    nyt_json_bool(j, "recursive", b->recursive);
    nyt_json_optional(j, "file", file ? &file->name : NULL);
    nyt_json_count(j, "line", b->sub ? b->sub->first : 0);
    nyt_json_open(j, "children", '[');
}

static void leave_json(const struct tree *t, uint32_t at)
{
    struct nyt_json *j = &t->r->j;
    double seconds;
    uint32_t n = small_children(t, at, &seconds);
    nyt_json_close(j, ']');
    nyt_json_count(j, "smaller", n);
    nyt_json_number(j, "time_of_smaller", seconds);
    nyt_json_close(j, '}');
}

static void put_json(const struct tree *t)
{
    enter_json(t, 0);
    walk(t, enter_json, leave_json);
    nyt_out_text(t->r->o, "\n");
}

/* ---- All ---- */

static bool begin(struct tree *t, struct nyt_report *r, const nyt_tree_options *how)
{
    const nyt_profile *p = r->p;
    *t = (struct tree){.r = r};
    t->branch_of = calloc(p->node_count + 1, sizeof *t->branch_of);
    t->hidden = calloc(p->node_count + 1, sizeof *t->hidden);
    t->shows = calloc(p->sub_count + 1, sizeof *t->shows);
    if (how->focus_count)
        t->in_focus = calloc(p->sub_count + 1, sizeof *t->in_focus);
    if (!t->branch_of || !t->hidden || !t->shows || (how->focus_count && !t->in_focus))
        return false;
    for (size_t i = 0; i < how->focus_count; i++)
        t->in_focus[how->focus[i] - p->subs] = true;
    return true;
}

static void end(struct tree *t)
{
    nyt_map_free(&t->by_name);
    free(t->list);
    free(t->branch_of);
    free(t->hidden);
    free(t->shows);
    free(t->in_focus);
}

static bool put_tree(struct nyt_report *r, const nyt_tree_options *how)
{
    struct tree t;
    bool ok = begin(&t, r, how) && grow(&t) && sort_all(&t);
    if (ok) {
        t.least = (how->least > 0 ? how->least : LEAST) * t.list[0].incl;
        (r->json ? put_json : put_text)(&t);
    }
    end(&t);
    return ok;
}

int nyt_report_tree(const nyt_profile *p, const nyt_tree_options *how,
                    const nyt_report_options *options, nyt_write_fn write, void *ctx,
                    nyt_error *err)
{
    static const nyt_tree_options usual = {0};
    struct nyt_report r;
    int rc = nyt_report_begin(&r, p, options, write, ctx, err);
    if (rc < 0)
        return rc;
    bool ok = put_tree(&r, how ? how : &usual);
    rc = nyt_report_end(&r, err);
    return ok ? rc : nyt_fail(err, NYT_ENOMEM, "out of memory");
}
