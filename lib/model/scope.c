/*
 * Whose code a file is. The rule is one of paths, the same that `pynytprof --scope` follows while
 * tracing: what lies in a folder of installed packages is a package's, what lies in the language's
 * own library, or was frozen into the interpreter, is the library's, and the rest is the project's;
 * but for the few lines that start an installed program, which are its package's, for those with
 * which libraries start their workers, and for our own around a unit of work. If nothing is the
 * project's then, an installed program was run: its package is.
 * What exec and eval were given belongs to whoever gave it.
 */
#include "model/scope.h"

#include "base/str.h"

#include <stdio.h>
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

/* The text of `-c` in workers of multiprocessing (Dask's, too) and of execnet, which is xdist's. */
static bool is_worker_start(const nyt_profile *p, const nyt_file *file)
{
    static const char *const texts[] = {
        "from multiprocessing.spawn import ", "from multiprocessing.forkserver import ",
        "from multiprocessing.resource_tracker import ", "exec(eval(sys.stdin.readline()))", NULL};
    size_t n;
    const nyt_src_line *source;
    if (strcmp(end_of_name(file->name), "(-c)") != 0)
        return false;
    source = nyt_profile_source(p, file->fid, &n);
    return n == 1 && contains_any(source[0].text, texts);
}

bool nyt_is_around_unit(const nyt_profile *p, const nyt_file *file)
{
    size_t n;
    const nyt_src_line *source;
    if (*end_of_name(file->name) != '(')
        return false;
    source = nyt_profile_source(p, file->fid, &n);
    return n == 2 && nyt_str_contains(source[0].text, "def unit(function, *args, **kwargs):");
}

/* execnet runs its own text in the worker that it starts: nobody knows it but by that name, and some
 * take it for what `-c` was given. */
static bool is_nameless_start(const nyt_profile *p, const nyt_file *file, nyt_str caller)
{
    size_t n;
    const nyt_src_line *source = nyt_profile_source(p, file->fid, &n);
    return nyt_str_is(file->name, "(string)") && nyt_str_begins(caller, "__main__::(module)") &&
           (n == 0 || nyt_str_begins(source[0].text, "# the text of this code is not known") ||
            nyt_str_contains(source[0].text, "exec(eval(sys.stdin.readline()))"));
}

static bool imports(const nyt_profile *p, const nyt_file *launcher, nyt_str name)
{
    char word[128];
    size_t n, at = name.len;
    const nyt_src_line *source = nyt_profile_source(p, launcher->fid, &n);
    while (at > 0 && name.data[at - 1] != ':')
        at--;
    snprintf(word, sizeof word, " import %.*s", (int)(name.len - at), name.data + at);
    for (size_t i = 0; i < n; i++)
        if (nyt_str_contains(source[i].text, word))
            return true;
    return false;
}

bool nyt_is_by_way_of_start(const nyt_profile *p, const nyt_call *call)
{
    const nyt_file *file = nyt_profile_file(p, call->fid);
    if (!file || call->called->kind != NYT_KIND_CODE ||
        nyt_profile_scope(p, call->called->fid) != NYT_SCOPE_PROJECT)
        return false;
    if (is_launcher(p, file))
        return !imports(p, file, call->called->name);
    return is_worker_start(p, file) || is_nameless_start(p, file, call->caller);
}

bool nyt_is_unit_body(const nyt_profile *p, const nyt_sub *sub)
{
    size_t n;
    const nyt_file *file = nyt_profile_file(p, sub->fid);
    if (!file || !nyt_is_around_unit(p, file) || !nyt_str_begins(sub->name, "unit::"))
        return false;
    const nyt_call *const *calls = nyt_profile_calls(p, sub->fid, &n);
    for (size_t i = 0; i < n; i++)
        if (nyt_str_compare(calls[i]->caller, sub->name) == 0)
            return false;
    return true;
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
    if (is_launcher(p, file) || is_worker_start(p, file) || nyt_is_around_unit(p, file))
        return NYT_SCOPE_PACKAGES;
    return nyt_scope_of_path(file->name);
}

/* "/site-packages/wordtool" of "from wordtool.cli import main"; false: the line is another. */
static bool package_of(nyt_str line, char *path, size_t cap)
{
    static const char from[] = "from ", folder[] = "/site-packages/";
    size_t begin = sizeof from - 1, end = begin;
    if (!nyt_str_begins(line, from))
        return false;
    while (end < line.len && line.data[end] != '.' && line.data[end] != ' ')
        end++;
    size_t len = end - begin;
    if (len == 0 || len + sizeof folder + 1 > cap)
        return false;
    memcpy(path, folder, sizeof folder - 1);
    memcpy(path + sizeof folder - 1, line.data + begin, len);
    path[sizeof folder - 1 + len] = 0;
    return true;
}

/* Whether a file lies in that package, or is the module of that name. */
static bool is_in_package(const nyt_file *file, const char *package)
{
    const char *at = strstr(file->name.data, package);
    const char *rest = at ? at + strlen(package) : "";
    return *rest == '/' || strcmp(rest, ".py") == 0;
}

/* The package that the launcher starts is the project. */
static void take_package(nyt_profile *p, const nyt_file *launcher)
{
    size_t n;
    const nyt_src_line *source = nyt_profile_source(p, launcher->fid, &n);
    char package[256] = "";
    for (size_t i = 0; i < n && !*package; i++)
        package_of(source[i].text, package, sizeof package);
    for (size_t i = 0; *package && i < p->file_count; i++)
        if (p->scopes[i] == NYT_SCOPE_PACKAGES && is_in_package(&p->files[i], package))
            p->scopes[i] = NYT_SCOPE_PROJECT;
}

/* Where nothing is the project's, an installed program's package is. */
static void find_installed_program(nyt_profile *p)
{
    const nyt_file *launcher = NULL;
    for (size_t i = 0; i < p->file_count; i++) {
        if (p->scopes[i] == NYT_SCOPE_PROJECT)
            return;
        if (!launcher && is_launcher(p, &p->files[i]))
            launcher = &p->files[i];
    }
    if (launcher)
        take_package(p, launcher);
}

bool nyt_scopes_find(nyt_profile *p)
{
    p->scopes = calloc(p->file_count + 1, sizeof *p->scopes);
    for (size_t i = 0; p->scopes && i < p->file_count; i++)
        p->scopes[i] = (uint8_t)scope_of(p, &p->files[i]);
    if (p->scopes)
        find_installed_program(p);
    return p->scopes != NULL;
}

nyt_scope nyt_profile_scope(const nyt_profile *p, uint32_t fid)
{
    const nyt_file *file = nyt_profile_file(p, fid);
    return file ? (nyt_scope)p->scopes[file - p->files] : NYT_SCOPE_GENERATED;
}
