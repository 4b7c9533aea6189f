/*
 * Subs and files by what people call them. The first of these that finds any: the whole name, the
 * end of it, a regular expression somewhere in it.
 */
#include "nytprof.h"

#include "base/str.h"
#include "model/filter.h"
#include "model/profile.h"
#include "report/short_path.h"
#include "report/words.h"

#include <stdlib.h>
#include <string.h>

#ifndef _WIN32
#include <regex.h>
#endif

/* ---- Names ---- */

static bool equals(nyt_str name, nyt_str wanted)
{
    return nyt_str_compare(name, wanted) == 0;
}

/* At the end, behind `mark`. */
static bool ends_with(nyt_str name, nyt_str wanted, char mark)
{
    return name.len > wanted.len && name.data[name.len - wanted.len - 1] == mark &&
           memcmp(name.data + name.len - wanted.len, wanted.data, wanted.len) == 0;
}

/* "shop.cart.Cart" as "shop::cart::Cart"; to be freed. */
static char *with_colons(const char *wanted)
{
    char *text = malloc(2 * strlen(wanted) + 1), *to = text;
    for (; text && *wanted; wanted++) {
        if (*wanted == '.') {
            *to++ = ':';
            *to++ = ':';
        } else {
            *to++ = *wanted;
        }
    }
    if (text)
        *to = '\0';
    return text;
}

/* ---- Subs ---- */

struct wanted {
    nyt_str as_typed, with_colons;
    const bool *shown; /* files, by their place in the profile's list */
#ifndef _WIN32
    regex_t pattern;
    bool has_pattern;
#endif
};

typedef bool fits_fn(const struct wanted *w, nyt_str name);

/* A module's body goes by the module's name. */
static bool is_it(const struct wanted *w, nyt_str name)
{
    nyt_str shown = nyt_sub_words(name).name;
    return equals(name, w->as_typed) || equals(name, w->with_colons) ||
           (shown.len < name.len && (equals(shown, w->as_typed) || equals(shown, w->with_colons)));
}

static bool ends_so(const struct wanted *w, nyt_str name)
{
    nyt_str shown = nyt_sub_words(name).name;
    return ends_with(shown, w->as_typed, ':') || ends_with(shown, w->with_colons, ':');
}

static bool has_it(const struct wanted *w, nyt_str name)
{
#ifndef _WIN32
    return w->has_pattern && regexec(&w->pattern, name.data, 0, NULL, 0) == 0;
#else
    return strstr(name.data, w->as_typed.data) != NULL;
#endif
}

/* The dearest first. */
static int compare_found(const void *left, const void *right)
{
    const nyt_sub *a = *(const nyt_sub *const *)left, *b = *(const nyt_sub *const *)right;
    if (a->incl != b->incl)
        return a->incl < b->incl ? 1 : -1;
    return NYT_COMPARE(a, b);
}

/* Functions in C belong to no file. */
static bool is_shown(const nyt_profile *p, const bool *shown, const nyt_sub *sub)
{
    const nyt_file *file = nyt_profile_file(p, sub->fid);
    return file && sub->kind == NYT_KIND_CODE ? shown[file - p->files] : true;
}

/* Of one thread alone no calls are known, but lines are. The first is that of the `def` itself. */
static bool was_called(const nyt_profile *p, const nyt_sub *sub)
{
    size_t n;
    if (!p->sectioned)
        return sub->calls > 0;
    const nyt_line *lines = nyt_profile_lines(p, NYT_LEVEL_LINE, sub->fid, &n);
    for (size_t i = 0; i < n; i++)
        if (lines[i].line > sub->first && lines[i].line <= sub->last)
            return true;
    return false;
}

static size_t find_subs(const nyt_profile *p, const struct wanted *w, fits_fn *fits, bool called,
                        const nyt_sub **found, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < p->sub_count; i++) {
        if (!fits(w, p->subs[i].name) || was_called(p, &p->subs[i]) != called ||
            !is_shown(p, w->shown, &p->subs[i]))
            continue;
        if (n < max)
            found[n] = &p->subs[i];
        n++;
    }
    qsort(found, n < max ? n : max, sizeof *found, compare_found);
    return n;
}

static size_t find_in_some_way(const nyt_profile *p, struct wanted *w, const nyt_sub **found,
                               size_t max)
{
    static fits_fn *const ways[] = {is_it, ends_so, has_it};
    size_t n = 0;
#ifndef _WIN32
    w->has_pattern = regcomp(&w->pattern, w->as_typed.data, REG_EXTENDED | REG_NOSUB) == 0;
#endif
    for (size_t i = 0; w->as_typed.len && n == 0 && i < 2 * sizeof ways / sizeof *ways; i++)
        n = find_subs(p, w, ways[i / 2], i % 2 == 0, found, max);
#ifndef _WIN32
    if (w->has_pattern)
        regfree(&w->pattern);
#endif
    return n;
}

int nyt_find_subs(const nyt_profile *p, const char *wanted, const nyt_filter *filter,
                  const nyt_sub **found, size_t max, size_t *n)
{
    char *colons = with_colons(wanted);
    bool *shown = nyt_filter_files(p, filter);
    bool ok = colons && shown;
    *n = 0;
    if (ok) {
        struct wanted w = {.as_typed = {.data = wanted, .len = strlen(wanted)},
                           .with_colons = {.data = colons, .len = strlen(colons)},
                           .shown = shown};
        *n = find_in_some_way(p, &w, found, max);
    }
    free(colons);
    free(shown);
    return ok ? NYT_OK : NYT_ENOMEM;
}

/* ---- Files ---- */

static bool is_number(const char *text)
{
    return *text && strspn(text, "0123456789") == strlen(text);
}

/* As reports show it. */
static bool is_short_name(const nyt_profile *p, const nyt_file *file, nyt_str folder,
                          const char *wanted)
{
    struct nyt_short_path path = nyt_short_path(p, file, folder);
    size_t len = strlen(path.prefix);
    return strncmp(wanted, path.prefix, len) == 0 && nyt_str_is(path.rest, wanted + len);
}

/* Whole names win over ends of paths, and these over ends of any kind. */
static int fit(const nyt_profile *p, const nyt_file *file, nyt_str folder, const char *wanted)
{
    nyt_str name = {.data = wanted, .len = strlen(wanted)};
    if (file->merged_into || !name.len)
        return 0;
    if (equals(file->name, name) || is_short_name(p, file, folder, wanted))
        return 3;
    if (ends_with(file->name, name, '/'))
        return 2;
    return file->name.len >= name.len &&
           memcmp(file->name.data + file->name.len - name.len, wanted, name.len) == 0;
}

static size_t find_files(const nyt_profile *p, const char *wanted, const bool *shown,
                         const nyt_file **found, size_t max)
{
    nyt_str folder = nyt_project_folder(p);
    int best = 1;
    size_t n = 0;
    for (size_t i = 0; i < p->file_count; i++) {
        int fits = shown[i] ? fit(p, &p->files[i], folder, wanted) : 0;
        if (fits < best)
            continue;
        if (fits > best)
            n = 0;
        best = fits;
        if (n < max)
            found[n] = &p->files[i];
        n++;
    }
    return n;
}

int nyt_find_files(const nyt_profile *p, const char *wanted, const nyt_filter *filter,
                   const nyt_file **found, size_t max, size_t *n)
{
    const nyt_file *numbered = is_number(wanted)
                                   ? nyt_profile_file(p, (uint32_t)strtoul(wanted, NULL, 10))
                                   : NULL;
    bool *shown = nyt_filter_files(p, filter);
    *n = 0;
    if (!shown)
        return NYT_ENOMEM;
    if (!numbered)
        *n = find_files(p, wanted, shown, found, max);
    else if (shown[numbered - p->files])
        *n = 1;
    if (numbered && *n && max)
        found[0] = numbered;
    free(shown);
    return NYT_OK;
}

/* ---- The nearest ---- */

enum { LONGEST = 64 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many characters must be put in, taken out or replaced to get from one to the other. */
static size_t edit_distance(nyt_str a, nyt_str b)
{
    size_t row[LONGEST + 1];
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t replaced = diagonal + (a.data[i - 1] != b.data[j - 1]);
            diagonal = row[j];
            row[j] = least(replaced, least(row[j], row[j - 1]) + 1);
        }
    }
    return row[b.len];
}

/* Behind the last of these characters. */
static nyt_str last_part(nyt_str name, const char *marks)
{
    size_t at = name.len;
    while (at > 0 && !strchr(marks, name.data[at - 1]))
        at--;
    return (nyt_str){.data = name.data + at, .len = name.len - at};
}

struct near {
    size_t distance;
    const void *item;
};

struct nearest {
    struct near list[NYT_NEAREST_MOST];
    size_t count, max;
};

static void consider(struct nearest *n, nyt_str typed, nyt_str name, const void *item)
{
    if (typed.len == 0 || typed.len > LONGEST || name.len > LONGEST)
        return;
    size_t distance = edit_distance(typed, name);
    if (distance > typed.len / 2)
        return;
    size_t at = n->count;
    while (at > 0 && n->list[at - 1].distance > distance)
        at--;
    if (at >= n->max)
        return;
    size_t last = n->count < n->max ? n->count++ : n->max - 1;
    for (; last > at; last--)
        n->list[last] = n->list[last - 1];
    n->list[at] = (struct near){distance, item};
}

size_t nyt_near_subs(const nyt_profile *p, const char *wanted, const nyt_sub **near, size_t max)
{
    struct nearest n = {.max = least(max, NYT_NEAREST_MOST)};
    nyt_str typed = last_part((nyt_str){.data = wanted, .len = strlen(wanted)}, ".:");
    for (size_t i = 0; i < p->sub_count; i++)
        consider(&n, typed, last_part(p->subs[i].name, ":"), &p->subs[i]);
    for (size_t i = 0; i < n.count; i++)
        near[i] = n.list[i].item;
    return n.count;
}

size_t nyt_near_units(const nyt_profile *p, const char *wanted, const nyt_unit **near, size_t max)
{
    struct nearest n = {.max = least(max, NYT_NEAREST_MOST)};
    nyt_str typed = last_part((nyt_str){.data = wanted, .len = strlen(wanted)}, ":");
    for (size_t i = 0; i < p->unit_count; i++)
        consider(&n, typed, last_part(p->units[i].name, ":"), &p->units[i]);
    for (size_t i = 0; i < n.count; i++)
        near[i] = n.list[i].item;
    return n.count;
}

size_t nyt_near_files(const nyt_profile *p, const char *wanted, const nyt_file **near, size_t max)
{
    struct nearest n = {.max = least(max, NYT_NEAREST_MOST)};
    nyt_str typed = last_part((nyt_str){.data = wanted, .len = strlen(wanted)}, "/");
    for (size_t i = 0; i < p->file_count; i++)
        if (!p->files[i].merged_into)
            consider(&n, typed, last_part(p->files[i].name, "/"), &p->files[i]);
    for (size_t i = 0; i < n.count; i++)
        near[i] = n.list[i].item;
    return n.count;
}
