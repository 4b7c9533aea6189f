/*
 * Where the time went, in five parts. Paths of the call tree come after the paths that they go on
 * from, so that one walk gives each its part: that of the path above unless its own sub says
 * otherwise.
 */
#include "model/split.h"

#include "base/str.h"
#include "model/scope.h"
#include "model/sub_name.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *nyt_part_name(nyt_part part)
{
    static const char *const names[NYT_PARTS] = {[NYT_PART_PROJECT] = "project",
                                                 [NYT_PART_PACKAGES] = "packages",
                                                 [NYT_PART_LIBRARY] = "library",
                                                 [NYT_PART_IMPORTS] = "imports",
                                                 [NYT_PART_WAITING] = "waiting"};
    return part < NYT_PARTS ? names[part] : "";
}

/* ---- What subs tell ---- */

bool nyt_is_import(const nyt_profile *p, const nyt_sub *sub)
{
    const nyt_file *file = nyt_profile_file(p, sub->fid);
    if (nyt_str_contains(sub->name, "::(module)"))
        return !nyt_str_begins(sub->name, "__main__::");
    if (nyt_str_contains(sub->name, "::BEGIN@") ||
        nyt_str_begins(sub->name, "importlib::_bootstrap"))
        return true;
    return file && nyt_str_begins(file->name, "(frozen importlib");
}

static bool is_any_of(const nyt_sub *sub, const char *const *names)
{
    for (; sub->kind != NYT_KIND_CODE && *names; names++)
        if (nyt_str_is(sub->name, *names))
            return true;
    return false;
}

bool nyt_is_idle(const nyt_sub *sub)
{
    static const char *const names[] = {"select::select",
                                        "select::poll::poll",
                                        "select::epoll::poll",
                                        "select::kqueue::control",
                                        "_thread::lock::acquire",
                                        "_thread::RLock::acquire",
                                        "_thread::lock::__enter__",
                                        "_thread::RLock::__enter__",
                                        "_thread::_ThreadHandle::join",
                                        "_queue::SimpleQueue::get",
                                        "_multiprocessing::SemLock::acquire",
                                        "_multiprocessing::SemLock::__enter__",
                                        NULL};
    return is_any_of(sub, names);
}

bool nyt_is_wait(const nyt_sub *sub)
{
    static const char *const names[] = {"time::sleep",
                                        "_socket::socket::accept",
                                        "_socket::socket::_accept",
                                        "_socket::socket::recv",
                                        "_socket::socket::recv_into",
                                        "_socket::socket::connect",
                                        "posix::wait",
                                        "posix::waitpid",
                                        "posix::wait4",
                                        "os::wait",
                                        "os::waitpid",
                                        "os::wait4",
                                        "signal::pause",
                                        "signal::sigwait",
                                        "signal::sigtimedwait",
                                        "main::CORE:sleep",
                                        "main::CORE:select",
                                        "Time::HiRes::sleep",
                                        "Time::HiRes::usleep",
                                        "Time::HiRes::nanosleep",
                                        NULL};
    return nyt_is_idle(sub) || is_any_of(sub, names);
}

static nyt_part part_of_scope(nyt_scope scope, nyt_part above)
{
    switch (scope) {
    case NYT_SCOPE_PROJECT:
        return NYT_PART_PROJECT;
    case NYT_SCOPE_PACKAGES:
        return NYT_PART_PACKAGES;
    case NYT_SCOPE_LIBRARY:
        return NYT_PART_LIBRARY;
    default:
        return above;
    }
}

/* ---- With a call tree ---- */

/* What a sub makes of the part of those who called it. */
enum { AS_ABOVE = NYT_PARTS, UNKNOWN };

static uint8_t own_part(const nyt_profile *p, const nyt_sub *sub)
{
    if (nyt_is_wait(sub))
        return NYT_PART_WAITING;
    if (nyt_is_import(p, sub))
        return NYT_PART_IMPORTS;
    if (sub->kind != NYT_KIND_CODE || nyt_is_unit_body(p, sub))
        return AS_ABOVE;
    nyt_part part = part_of_scope(nyt_profile_scope(p, sub->fid), NYT_PARTS);
    return part == NYT_PARTS ? AS_ABOVE : (uint8_t)part;
}

/* Of each name that a sub has, found once: there are many more paths than subs. */
static uint8_t part_of_name(const nyt_profile *p, nyt_str name, uint8_t *known)
{
    uint32_t id = nyt_names_find(&p->names, name);
    if (id == NYT_NONE)
        return AS_ABOVE;
    if (known[id] == UNKNOWN) {
        const nyt_sub *sub = nyt_profile_sub(p, name);
        known[id] = sub ? own_part(p, sub) : AS_ABOVE;
    }
    return known[id];
}

static uint8_t part_of_node(const nyt_profile *p, const nyt_node *node, uint8_t above,
                            uint8_t *known)
{
    uint8_t own = node->name.len ? part_of_name(p, node->name, known) : AS_ABOVE;
    if (own == AS_ABOVE || (above == NYT_PART_IMPORTS && own != NYT_PART_WAITING))
        return above;
    return own;
}

static void add_nodes(const nyt_profile *p, nyt_split *s, uint8_t *parts, uint8_t *known)
{
    parts[0] = NYT_PART_PROJECT;
    for (size_t i = 1; i < p->node_count; i++) {
        const nyt_node *node = &p->nodes[i];
        double seconds = nyt_seconds_of(p, node->excl);
        parts[i] = part_of_node(p, node, parts[node->parent], known);
        if (seconds > 0 && isfinite(seconds))
            s->seconds[parts[i]] += seconds;
    }
}

/* false: out of memory. */
static bool split_tree(const nyt_profile *p, nyt_split *s)
{
    uint8_t *parts = malloc(p->node_count), *known = malloc(p->names.count + 1);
    bool ok = parts && known;
    if (ok) {
        memset(known, UNKNOWN, p->names.count + 1);
        add_nodes(p, s, parts, known);
    }
    free(parts);
    free(known);
    return ok;
}

/* ---- Without one ---- */

static void split_lines(const nyt_profile *p, nyt_split *s)
{
    size_t n;
    const nyt_line *lines = nyt_profile_all_lines(p, NYT_LEVEL_LINE, &n);
    for (size_t i = 0; i < n; i++) {
        const nyt_file *file = nyt_profile_file(p, lines[i].fid);
        nyt_scope scope = nyt_profile_scope(p, lines[i].fid);
        if ((!file || !file->merged_into) && lines[i].time > 0 && isfinite(lines[i].time))
            s->seconds[part_of_scope(scope, NYT_PART_PROJECT)] += lines[i].time;
    }
    for (size_t i = 0; i < p->call_count; i++) {
        const nyt_call *c = &p->calls[i];
        double *from = &s->seconds[part_of_scope(nyt_profile_scope(p, c->fid), NYT_PART_PROJECT)];
        if (!nyt_is_wait(c->called) || !(c->excl > 0) || !isfinite(c->excl))
            continue;
        double moved = c->excl < *from ? c->excl : *from;
        *from -= moved;
        s->seconds[NYT_PART_WAITING] += moved;
    }
}

static void sum_up(nyt_split *s)
{
    s->total = 0;
    for (int part = 0; part < NYT_PARTS; part++)
        s->total += s->seconds[part];
}

/* Perl's call tree has nothing of what runs outside of subs. */
static bool holds_the_time(const nyt_profile *p, const nyt_split *s)
{
    return s->total >= 0.5 * p->totals.statement_time || p->lines[NYT_LEVEL_LINE].count == 0;
}

bool nyt_split_find(const nyt_profile *p, nyt_split *s)
{
    *s = (nyt_split){.total = 0};
    if (p->node_count > 1 && !split_tree(p, s))
        return false;
    sum_up(s);
    if (p->node_count < 2 || !holds_the_time(p, s)) {
        *s = (nyt_split){.total = 0};
        split_lines(p, s);
        sum_up(s);
    }
    return true;
}

nyt_split nyt_profile_split(const nyt_profile *p)
{
    nyt_split s;
    if (!nyt_split_find(p, &s))
        s = (nyt_split){.total = NAN};
    return s;
}
