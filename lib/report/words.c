/* Names, places and figures as words. */
#include "report/words.h"

#include "base/str.h"
#include "model/scope.h"

#include <math.h>
#include <string.h>

struct nyt_words nyt_words_begin(struct nyt_out *o, const nyt_profile *p)
{
    return (struct nyt_words){.o = o, .p = p, .folder = nyt_project_folder(p)};
}

/* ---- Names ---- */

/* Where "::(module)" and nothing but "@1" behind it begins; name.len: nowhere. */
static size_t module_mark(nyt_str name)
{
    static const char mark[] = "::(module)";
    const size_t len = sizeof mark - 1;
    for (size_t at = 0; at + len <= name.len; at++)
        if (memcmp(name.data + at, mark, len) == 0 &&
            (at + len == name.len || name.data[at + len] == '@'))
            return at;
    return name.len;
}

struct nyt_sub_words nyt_sub_words(nyt_str name)
{
    static const char program[] = "__main__", class_mark[] = "::(class)";
    const size_t class_len = sizeof class_mark - 1;
    struct nyt_sub_words words = {.name = name, .rest = ""};
    words.name.len = module_mark(name);
    if (words.name.len < name.len) {
        words.rest = nyt_str_is(words.name, program) ? "" : " (module)";
    } else if (name.len > class_len &&
               memcmp(name.data + name.len - class_len, class_mark, class_len) == 0) {
        words.name.len -= class_len;
        words.rest = " (class)";
    }
    return words;
}

void nyt_put_sub(struct nyt_words *w, nyt_str name)
{
    struct nyt_sub_words words = nyt_sub_words(name);
    nyt_out_text(w->o, w->markdown ? "`" : "");
    nyt_out_safe(w->o, words.name, 0);
    nyt_out_text(w->o, words.rest);
    nyt_out_text(w->o, w->markdown ? "`" : "");
}

void nyt_put_place(struct nyt_words *w, uint32_t fid, uint32_t line)
{
    const nyt_file *file = nyt_profile_file(w->p, fid);
    if (!file) {
        nyt_out_text(w->o, "(no file)");
        return;
    }
    struct nyt_short_path path = nyt_short_path(w->p, file, w->folder);
    nyt_out_text(w->o, w->markdown ? "`" : "");
    nyt_out_text(w->o, path.prefix);
    nyt_out_safe(w->o, path.rest, 0);
    if (line)
        nyt_out_format(w->o, ":%u", (unsigned)line);
    nyt_out_text(w->o, w->markdown ? "`" : "");
}

bool nyt_is_nobody(nyt_str caller)
{
    return caller.len == 0 || nyt_str_is(caller, "python::(start)");
}

/* ---- Figures ---- */

void nyt_put_percent(struct nyt_words *w, double part, double whole)
{
    double percent = whole > 0 && isfinite(part) ? 100 * part / whole : 0;
    nyt_out_fixed(w->o, 0, percent < 9.95 ? 1 : 0, percent);
    nyt_out_text(w->o, " %");
}

void nyt_put_times(struct nyt_words *w, uint64_t count)
{
    nyt_out_count(w->o, (int64_t)count, 0);
    nyt_out_text(w->o, count == 1 ? " time" : " times");
}

bool nyt_is_recursive(const nyt_call *c)
{
    return !(c->incl > 0) && c->reci > 0;
}

void nyt_put_call_time(struct nyt_words *w, const nyt_call *c)
{
    if (nyt_is_recursive(c))
        nyt_out_text(w->o, "recursively");
    else
        nyt_out_time(w->o, c->incl, 0);
}

/* ---- The dearest calls ---- */

struct best {
    const nyt_call **list;
    size_t count, max;
};

/* Time of inner activations is within that of the outer ones. */
static bool is_dearer(const nyt_call *a, const nyt_call *b)
{
    if (a->incl != b->incl)
        return a->incl > b->incl;
    return a->count > b->count;
}

static void consider(struct best *b, const nyt_call *c)
{
    size_t at = b->count;
    if (!c->count || !isfinite(c->incl))
        return;
    while (at > 0 && is_dearer(c, b->list[at - 1]))
        at--;
    if (at == b->max)
        return;
    size_t last = b->count < b->max ? b->count++ : b->max - 1;
    for (; last > at; last--)
        b->list[last] = b->list[last - 1];
    b->list[at] = c;
}

size_t nyt_top_callers(const nyt_profile *p, const nyt_sub *sub, const nyt_call **best, size_t max)
{
    struct best b = {.list = best, .max = max};
    size_t n;
    const nyt_call *calls = nyt_profile_callers(p, sub, &n);
    for (size_t i = 0; i < n; i++)
        if (!nyt_is_nobody(calls[i].caller) && !nyt_is_by_way_of_start(p, &calls[i]))
            consider(&b, &calls[i]);
    return b.count;
}

size_t nyt_top_calls_on(const nyt_profile *p, uint32_t fid, uint32_t line, const nyt_call **best,
                        size_t max)
{
    struct best b = {.list = best, .max = max};
    size_t n;
    const nyt_call *const *calls = nyt_profile_calls(p, fid, &n);
    for (size_t i = 0; i < n && calls[i]->line <= line; i++)
        if (calls[i]->line == line && !nyt_is_nobody(calls[i]->caller))
            consider(&b, calls[i]);
    return b.count;
}

size_t nyt_top_callees(const nyt_profile *p, const nyt_sub *sub, const nyt_call **best, size_t max)
{
    struct best b = {.list = best, .max = max};
    size_t n;
    const nyt_call *const *calls = nyt_profile_calls(p, sub->fid, &n);
    for (size_t i = 0; i < n; i++)
        if (nyt_str_compare(calls[i]->caller, sub->name) == 0)
            consider(&b, calls[i]);
    return b.count;
}
