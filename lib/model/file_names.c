#include "model/file_names.h"

#include "base/str.h"

#include <stdlib.h>

static int by_name(const void *left, const void *right)
{
    const nyt_file *a = *(const nyt_file *const *)left, *b = *(const nyt_file *const *)right;
    int c = nyt_str_compare(a->name, b->name);
    return c ? c : NYT_COMPARE(a->fid, b->fid);
}

const nyt_file **nyt_files_by_name(const nyt_profile *p)
{
    const nyt_file **list = calloc(p->file_count + 1, sizeof *list);
    for (size_t i = 0; list && i < p->file_count; i++)
        list[i] = &p->files[i];
    if (list)
        qsort(list, p->file_count, sizeof *list, by_name);
    return list;
}

const nyt_file *nyt_file_named(const nyt_profile *p, const nyt_file *const *files, nyt_str name)
{
    size_t low = 0, high = p->file_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (nyt_str_compare(files[middle]->name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < p->file_count && nyt_str_compare(files[low]->name, name) == 0;
    return found ? files[low] : NULL;
}
