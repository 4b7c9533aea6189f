/*
 * Which files a reader wants to see: patterns as those of `pynytprof --include`, and the scopes of
 * `pynytprof --scope`. Figures do not change by it: what is left out is not shown, no more.
 */
#include "model/filter.h"

#include "model/scope.h"

#include <stdlib.h>
#include <string.h>

enum { EVALS_IN_EVALS = 32 };

/* ---- Patterns ---- */

/* Goes back to the last `*` where the text does not go on as the pattern does. */
static bool matches(const char *pattern, const char *text, const char *end)
{
    const char *star = NULL, *behind = NULL;
    while (text < end) {
        if (*pattern == '*') {
            star = pattern++;
            behind = text;
        } else if (*pattern == '?' || (*pattern && *pattern == *text)) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++behind;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

bool nyt_glob_matches(const char *pattern, nyt_str text)
{
    return matches(pattern, text.data, text.data + text.len);
}

/* The same from any folder on; "lib/" is all that lies in a folder of that name. */
static bool matches_somewhere(const char *pattern, nyt_str path)
{
    char with_star[1024];
    const char *end = path.data + path.len;
    size_t len = strlen(pattern);
    if (len && pattern[len - 1] == '/' && len + 2 <= sizeof with_star) {
        memcpy(with_star, pattern, len);
        memcpy(with_star + len, "*", 2);
        pattern = with_star;
    }
    if (matches(pattern, path.data, end))
        return true;
    for (const char *at = path.data; *pattern != '/' && at < end; at++)
        if (*at == '/' && matches(pattern, at + 1, end))
            return true;
    return false;
}

/* "<stdlib>/" and "<site>/", as reports have them. */
static bool begins_with_scope(const char **pattern, nyt_scope *scope)
{
    static const struct {
        const char *mark;
        nyt_scope scope;
    } marks[] = {{"<stdlib>/", NYT_SCOPE_LIBRARY}, {"<site>/", NYT_SCOPE_PACKAGES}};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        size_t len = strlen(marks[i].mark);
        if (strncmp(*pattern, marks[i].mark, len) == 0) {
            *pattern += len;
            *scope = marks[i].scope;
            return true;
        }
    }
    return false;
}

bool nyt_path_matches(const nyt_profile *p, const nyt_file *file, const char *pattern)
{
    nyt_scope scope;
    if (begins_with_scope(&pattern, &scope) && nyt_profile_scope(p, file->fid) != scope)
        return false;
    return matches_somewhere(pattern, file->name);
}

/* ---- Files ---- */

static const nyt_file *who_gave_it(const nyt_profile *p, const nyt_file *file)
{
    for (int i = 0; file->is_eval && i < EVALS_IN_EVALS; i++) {
        const nyt_file *parent = nyt_profile_file(p, file->eval_fid);
        if (!parent || parent == file)
            break;
        file = parent;
    }
    return file;
}

static bool is_in_reach(const nyt_profile *p, const nyt_file *file, nyt_reach reach)
{
    nyt_scope scope = nyt_profile_scope(p, file->fid);
    if (reach == NYT_REACH_PROJECT)
        return scope == NYT_SCOPE_PROJECT;
    return reach == NYT_REACH_ALL || scope == NYT_SCOPE_PROJECT || scope == NYT_SCOPE_PACKAGES;
}

static bool matches_any(const nyt_profile *p, const nyt_file *file, const char *const *patterns,
                        size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (nyt_path_matches(p, file, patterns[i]))
            return true;
    return false;
}

static bool is_wanted(const nyt_profile *p, const nyt_file *file, const nyt_filter *f)
{
    return is_in_reach(p, file, f->reach) &&
           (!f->only_count || matches_any(p, file, f->only, f->only_count)) &&
           !matches_any(p, file, f->exclude, f->exclude_count);
}

bool nyt_filter_is_set(const nyt_filter *f)
{
    return f && (f->only_count || f->exclude_count || f->reach != NYT_REACH_ALL);
}

bool *nyt_filter_files(const nyt_profile *p, const nyt_filter *f)
{
    bool *shown = malloc(p->file_count + 1);
    for (size_t i = 0; shown && i < p->file_count; i++)
        shown[i] = !nyt_filter_is_set(f) || is_wanted(p, who_gave_it(p, &p->files[i]), f);
    return shown;
}

int nyt_profile_shows(const nyt_profile *p, const nyt_filter *filter, size_t *n)
{
    bool *shown = nyt_filter_files(p, filter);
    *n = 0;
    if (!shown)
        return NYT_ENOMEM;
    for (size_t i = 0; i < p->file_count; i++)
        *n += shown[i];
    free(shown);
    return NYT_OK;
}
