/* Paths as people read them. */
#include "report/short_path.h"

#include <string.h>

/* Up to and with the last '/' of the first `len` bytes. */
static size_t folder_len(const char *path, size_t len)
{
    while (len > 0 && path[len - 1] != '/')
        len--;
    return len;
}

static size_t common_len(nyt_str a, nyt_str b)
{
    size_t n = 0;
    while (n < a.len && n < b.len && a.data[n] == b.data[n])
        n++;
    return n;
}

static bool is_path_of_project(const nyt_profile *p, const nyt_file *file)
{
    return !file->is_eval && file->name.len && file->name.data[0] == '/' &&
           nyt_profile_scope(p, file->fid) == NYT_SCOPE_PROJECT;
}

nyt_str nyt_project_folder(const nyt_profile *p)
{
    nyt_str common = {.data = ""};
    bool any = false;
    for (size_t i = 0; i < p->file_count; i++) {
        const nyt_file *file = &p->files[i];
        if (!is_path_of_project(p, file))
            continue;
        size_t len = any ? common_len(common, file->name) : file->name.len;
        common = file->name;
        common.len = folder_len(file->name.data, len);
        any = true;
    }
    return common;
}

/* Where the path goes on behind the last "/PART/", or 0. */
static size_t behind(nyt_str path, const char *part)
{
    size_t n = strlen(part);
    for (size_t i = path.len; i >= n; i--)
        if (memcmp(path.data + i - n, part, n) == 0)
            return i;
    return 0;
}

/* Behind ".../lib/python3.12/". */
static size_t behind_library(nyt_str path)
{
    size_t at = behind(path, "/lib/python3.");
    while (at && at < path.len && path.data[at] != '/')
        at++;
    return at && at < path.len ? at + 1 : 0;
}

struct nyt_short_path nyt_short_path(const nyt_profile *p, const nyt_file *file, nyt_str folder)
{
    struct nyt_short_path path = {.prefix = "", .rest = file->name};
    nyt_scope scope = nyt_profile_scope(p, file->fid);
    size_t at = 0;
    if (file->is_eval)
        return path;
    if (scope == NYT_SCOPE_PACKAGES) {
        at = behind(file->name, "/site-packages/");
        at = at ? at : behind(file->name, "/dist-packages/");
        path.prefix = at ? "<site>/" : "";
    } else if (scope == NYT_SCOPE_LIBRARY) {
        at = behind_library(file->name);
        path.prefix = at ? "<stdlib>/" : "";
    } else if (folder.len > 1 && file->name.len > folder.len &&
               memcmp(file->name.data, folder.data, folder.len) == 0) {
        at = folder.len;
    }
    path.rest.data += at;
    path.rest.len -= at;
    return path;
}
