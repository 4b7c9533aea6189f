#include "merge/names.h"

#include "base/str.h"

#include <stdlib.h>

static int by_name(const void *left, const void *right)
{
    const struct nyt_merge_name *a = left, *b = right;
    int c = nyt_str_compare(a->name, b->name);
    return c ? c : NYT_COMPARE(a->fid, b->fid);
}

static int same_name(const void *left, const void *right)
{
    return nyt_str_compare(((const struct nyt_merge_name *)left)->name,
                           ((const struct nyt_merge_name *)right)->name);
}

struct nyt_merge_name *nyt_merge_names(const struct nyt_merge_input *g, const uint32_t *fid_of_file)
{
    struct nyt_merge_name *names = calloc(g->file_count, sizeof *names);
    for (size_t i = 0; names && i < g->file_count; i++)
        names[i] = (struct nyt_merge_name){.name = g->files[i].name, .fid = fid_of_file[i]};
    if (names)
        qsort(names, g->file_count, sizeof *names, by_name);
    return names;
}

uint32_t nyt_merge_named(const struct nyt_merge_name *names, size_t n, nyt_str name)
{
    const struct nyt_merge_name wanted = {.name = name};
    const struct nyt_merge_name *found = bsearch(&wanted, names, n, sizeof *names, same_name);
    return found ? found->fid : 0;
}
