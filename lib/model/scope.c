/*
 * Whose code a file is. The rule is one of paths, the same that `pynytprof --scope` follows while
 * tracing: what lies in a folder of installed packages is a package's, what lies in the language's
 * own library, or was frozen into the interpreter, is the library's, and the rest is the project's;
 * but for the few lines that start an installed program, which are its package's.
 * What exec and eval were given belongs to whoever gave it.
 */
#include "model/scope.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

enum { EVALS_IN_EVALS = 32, LAUNCHER_LINES = 12 };

static bool contains_any(nyt_str path, const char *const *parts)
{
    for (; *parts; parts++)
        if (nyt_str_contains(path, *parts))
            return true;
    return false;
}

nyt_scope nyt_scope_of_path(nyt_str path)
{
    static const char *const packages[] = {
        "/site-packages/", "/dist-packages/", "\\site-packages\\",  "/site_perl/",
        "/vendor_perl/",   "/share/perl5/",   "/local/share/perl/", NULL};
    static const char *const library[] = {
        "/lib/python2.", "/lib/python3.", "/lib64/python3.", "/share/perl/",
        "/perl-base/",   "/perl/5.",      "/lib/perl5/",     NULL};
    if (nyt_str_begins(path, "(frozen ") || nyt_str_begins(path, "<frozen "))
        return NYT_SCOPE_LIBRARY;
    if (nyt_str_begins(path, "(builtins"))
        return NYT_SCOPE_BUILTIN;
    if (contains_any(path, packages))
        return NYT_SCOPE_PACKAGES;
    return contains_any(path, library) ? NYT_SCOPE_LIBRARY : NYT_SCOPE_PROJECT;
}

static const char *end_of_name(nyt_str path)
{
    size_t at = path.len;
    while (at > 0 && path.data[at - 1] != '/')
        at--;
    return path.data + at;
}

/* What pip puts into a folder bin to start an installed package: a few lines, the last of which
 * leaves with what that returns. */
static bool is_launcher(const nyt_profile *p, const nyt_file *file)
{
    size_t n;
    const nyt_src_line *source;
    if (!nyt_str_contains(file->name, "/bin/") || strchr(end_of_name(file->name), '.'))
        return false;
    source = nyt_profile_source(p, file->fid, &n);
    return n > 0 && n <= LAUNCHER_LINES && nyt_str_contains(source[n - 1].text, "sys.exit(");
}

static nyt_scope scope_of(const nyt_profile *p, const nyt_file *file)
{
    for (int i = 0; file && file->is_eval && i < EVALS_IN_EVALS; i++)
        file = file->eval_fid == file->fid ? NULL : nyt_profile_file(p, file->eval_fid);
    if (!file)
        return NYT_SCOPE_GENERATED;
    /* "(string)" is what compile() calls text that nobody named: whose it is, it does not say. */
    bool from_user = (file->flags & NYT_FID_NOT_FILE) && !nyt_str_begins(file->name, "(string)");
    if (!from_user && nyt_str_begins(file->name, "(") &&
        nyt_scope_of_path(file->name) == NYT_SCOPE_PROJECT)
        return NYT_SCOPE_GENERATED;
    if (is_launcher(p, file))
        return NYT_SCOPE_PACKAGES;
    return nyt_scope_of_path(file->name);
}

bool nyt_scopes_find(nyt_profile *p)
{
    p->scopes = calloc(p->file_count + 1, sizeof *p->scopes);
    for (size_t i = 0; p->scopes && i < p->file_count; i++)
        p->scopes[i] = (uint8_t)scope_of(p, &p->files[i]);
    return p->scopes != NULL;
}

nyt_scope nyt_profile_scope(const nyt_profile *p, uint32_t fid)
{
    const nyt_file *file = nyt_profile_file(p, fid);
    return file ? (nyt_scope)p->scopes[file - p->files] : NYT_SCOPE_GENERATED;
}
