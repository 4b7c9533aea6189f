/*
 * What each line costs the project. The call tree says how long libraries were at work below each
 * sub of the project; the calls say which of its lines called them. Time of functions in C that a
 * line calls is its own already.
 */
#include "model/cost.h"

#include "base/str.h"
#include "model/scope.h"
#include "model/split.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum kind { LIBRARY, OWN, IN_C, IMPORT, IDLE };

struct costs {
    const nyt_profile *p;
    const bool *shown;      /* the files that are the project here; NULL: as their scope has it */
    uint8_t *kinds;         /* of each sub */
    uint32_t *sub_of_name;  /* index of a sub, or NYT_NONE */
    double *below;          /* libraries below each sub, by the tree */
    double *called;         /* the same as its calls have it */
    double *lines;
};

static enum kind kind_of(const struct costs *c, const nyt_sub *sub)
{
    const nyt_file *file = nyt_profile_file(c->p, sub->fid);
    if (!c->shown && nyt_is_import(c->p, sub))
        return IMPORT;
    if (sub->kind != NYT_KIND_CODE)
        return !c->shown && nyt_is_idle(sub) ? IDLE : IN_C;
    if (c->shown)
        return file && c->shown[file - c->p->files] ? OWN : LIBRARY;
    if (nyt_is_unit_body(c->p, sub))    /* the lines that call from there are the project's */
        return OWN;
    return nyt_profile_scope(c->p, sub->fid) == NYT_SCOPE_PROJECT ? OWN : LIBRARY;
}

/* ---- By the tree ---- */

/* What is known of a path. */
struct place {
    uint32_t owner; /* the innermost sub of the project on it, or NYT_NONE */
    bool on_line;   /* its time is the line's that called it */
};

static struct place place_of(const struct costs *c, const nyt_node *node, struct place above)
{
    uint32_t id = node->name.len ? nyt_names_find(&c->p->names, node->name) : NYT_NONE;
    uint32_t sub = id == NYT_NONE ? NYT_NONE : c->sub_of_name[id];
    if (sub == NYT_NONE)
        return (struct place){.owner = above.owner};
    switch ((enum kind)c->kinds[sub]) {
    case OWN:
        return (struct place){.owner = sub, .on_line = true};
    case IN_C:
        return above;
    case IMPORT:
    case IDLE:
        return (struct place){.owner = NYT_NONE};
    default:
        return (struct place){.owner = above.owner};
    }
}

/* false: out of memory. */
static bool add_tree(struct costs *c)
{
    const nyt_profile *p = c->p;
    struct place *places = calloc(p->node_count + 1, sizeof *places);
    if (!places)
        return false;
    places[0].owner = NYT_NONE;
    for (size_t i = 1; i < p->node_count; i++) {
        double seconds = nyt_seconds_of(p, p->nodes[i].excl);
        places[i] = place_of(c, &p->nodes[i], places[p->nodes[i].parent]);
        if (places[i].owner != NYT_NONE && !places[i].on_line && seconds > 0 && isfinite(seconds))
            c->below[places[i].owner] += seconds;
    }
    free(places);
    return true;
}

/* ---- By the calls ---- */

/* Of what a call adds to its line, that which may be the work of libraries. That libraries are at
 * work already, further up, makes no difference: an import in a module that is imported. */
static double of_libraries(const struct costs *c, const nyt_call *call)
{
    enum kind kind = (enum kind)c->kinds[call->called - c->p->subs];
    double all = call->incl + call->reci;
    double seconds = kind == LIBRARY ? all : kind == IN_C ? all - call->excl : 0;
    return seconds > 0 && isfinite(seconds) ? seconds : 0;
}

static uint32_t caller_of(const struct costs *c, const nyt_call *call)
{
    uint32_t id = nyt_names_find(&c->p->names, call->caller);
    uint32_t sub = id == NYT_NONE ? NYT_NONE : c->sub_of_name[id];
    return sub != NYT_NONE && c->kinds[sub] == OWN ? sub : NYT_NONE;
}

static void add_calls(struct costs *c)
{
    const nyt_profile *p = c->p;
    for (size_t i = 0; i < p->call_count; i++) {
        uint32_t caller = caller_of(c, &p->calls[i]);
        if (caller != NYT_NONE)
            c->called[caller] += of_libraries(c, &p->calls[i]);
    }
}

static void share_out(struct costs *c)
{
    const nyt_profile *p = c->p;
    for (size_t i = 0; i < p->call_count; i++) {
        const nyt_call *call = &p->calls[i];
        uint32_t caller = caller_of(c, call);
        const nyt_line *line = nyt_profile_line(p, NYT_LEVEL_LINE, call->fid, call->line);
        if (caller == NYT_NONE || !line || !(c->called[caller] > 0))
            continue;
        double share = c->below[caller] / c->called[caller];
        c->lines[line - p->lines[NYT_LEVEL_LINE].list] += of_libraries(c, call) *
                                                          (share < 1 ? share : 1);
    }
}

/* ---- All ---- */

static bool begin(struct costs *c, const nyt_profile *p, const bool *shown)
{
    size_t n = p->lines[NYT_LEVEL_LINE].count;
    *c = (struct costs){.p = p,
                        .shown = shown,
                        .kinds = malloc(p->sub_count + 1),
                        .sub_of_name = calloc(p->names.count + 1, sizeof *c->sub_of_name),
                        .below = calloc(p->sub_count + 1, sizeof *c->below),
                        .called = calloc(p->sub_count + 1, sizeof *c->called),
                        .lines = calloc(n + 1, sizeof *c->lines)};
    if (!c->kinds || !c->sub_of_name || !c->below || !c->called || !c->lines)
        return false;
    memset(c->sub_of_name, 0xFF, (p->names.count + 1) * sizeof *c->sub_of_name);
    for (size_t i = 0; i < p->sub_count; i++) {
        uint32_t id = nyt_names_find(&p->names, p->subs[i].name);
        c->kinds[i] = (uint8_t)kind_of(c, &p->subs[i]);
        if (id != NYT_NONE)
            c->sub_of_name[id] = (uint32_t)i;
    }
    for (size_t i = 0; i < n; i++)
        c->lines[i] = p->lines[NYT_LEVEL_LINE].list[i].time;
    return true;
}

static bool find(struct costs *c, const nyt_profile *p, const bool *shown)
{
    bool ok = begin(c, p, shown) && add_tree(c);
    if (ok) {
        add_calls(c);
        share_out(c);
    }
    free(c->kinds);
    free(c->sub_of_name);
    free(c->called);
    return ok;
}

double *nyt_costs_to_project(const nyt_profile *p)
{
    struct costs c;
    bool ok = find(&c, p, NULL);
    free(c.below);
    if (ok)
        return c.lines;
    free(c.lines);
    return NULL;
}

bool nyt_costs_to_files(const nyt_profile *p, const bool *shown, double **lines, double **below)
{
    struct costs c;
    bool ok = find(&c, p, shown);
    *lines = c.lines;
    *below = c.below;
    return ok;
}
