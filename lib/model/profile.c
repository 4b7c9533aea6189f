/* Looking things up in a finished profile, and giving it back. */
#include "model/profile.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

/* Where the first element with at least this key is; the key stands `at` bytes into each. */
static size_t first_with(const void *list, size_t n, size_t size, size_t at, uint64_t key)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        uint32_t found;
        memcpy(&found, (const char *)list + middle * size + at, sizeof found);
        if (found < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The part of a list, sorted by fid, that belongs to one. */
#define PART_OF_FID(list, count, key, n) \
    ((list) + part_of((list), (count), sizeof *(list), offsetof_fid(list), (key), (n)))
#define offsetof_fid(list) ((size_t)((const char *)&(list)->fid - (const char *)(list)))

static size_t part_of(const void *list, size_t count, size_t size, size_t at, uint32_t key,
                      size_t *n)
{
    size_t from = count ? first_with(list, count, size, at, key) : 0;
    *n = (count ? first_with(list, count, size, at, (uint64_t)key + 1) : 0) - from;
    return from;
}

void nyt_profile_free(nyt_profile *p)
{
    if (!p)
        return;
    nyt_names_free(&p->names);
    nyt_arena_free(&p->texts);
    nyt_map_free(&p->attributes.by_key);
    nyt_map_free(&p->options.by_key);
    free(p->attributes.list);
    free(p->options.list);
    free(p->comments);
    free(p->processes);
    free(p->files);
    free(p->scopes);
    for (int level = 0; level < 3; level++)
        free(p->lines[level].list);
    free(p->awaits);
    free(p->section_lines);
    free(p->sources);
    free(p->subs);
    free(p->calls);
    free(p->calls_by_fid);
    free(p->defined);
    free(p->defined_fid);
    free(p->merged_names);
    free(p->merged_subs);
    free(p->units);
    free(p->nodes);
    free(p);
}

const nyt_error *nyt_profile_fault(const nyt_profile *p)
{
    return p->has_fault ? &p->fault : NULL;
}

const nyt_totals *nyt_profile_totals(const nyt_profile *p)
{
    return &p->totals;
}

/* ---- Attributes, options, comments, processes ---- */

static const nyt_str *value_of(const nyt_profile *p, const struct nyt_pairs *pairs, const char *key)
{
    uint32_t id = nyt_names_find(&p->names, (nyt_str){.data = key, .len = strlen(key)});
    const uint32_t *at = id == NYT_NONE ? NULL : nyt_map_find(&pairs->by_key, id);
    return at ? &pairs->list[*at].value : NULL;
}

const nyt_pair *nyt_profile_attributes(const nyt_profile *p, size_t *n)
{
    *n = p->attributes.count;
    return p->attributes.list;
}

const nyt_pair *nyt_profile_options(const nyt_profile *p, size_t *n)
{
    *n = p->options.count;
    return p->options.list;
}

const nyt_str *nyt_profile_attribute(const nyt_profile *p, const char *key)
{
    return value_of(p, &p->attributes, key);
}

const nyt_str *nyt_profile_option(const nyt_profile *p, const char *key)
{
    return value_of(p, &p->options, key);
}

const nyt_str *nyt_profile_comments(const nyt_profile *p, size_t *n)
{
    *n = p->comment_count;
    return p->comments;
}

const nyt_process *nyt_profile_processes(const nyt_profile *p, size_t *n)
{
    *n = p->process_count;
    return p->processes;
}

/* ---- Files, lines, sources ---- */

const nyt_file *nyt_profile_files(const nyt_profile *p, size_t *n)
{
    *n = p->file_count;
    return p->files;
}

const nyt_file *nyt_profile_file(const nyt_profile *p, uint32_t fid)
{
    size_t n;
    /* Mostly they are numbered without gaps. */
    if (fid && fid <= p->file_count && p->files[fid - 1].fid == fid)
        return &p->files[fid - 1];
    const nyt_file *f = PART_OF_FID(p->files, p->file_count, fid, &n);
    return n ? f : NULL;
}

const nyt_line *nyt_profile_all_lines(const nyt_profile *p, nyt_level level, size_t *n)
{
    *n = p->lines[level].count;
    return p->lines[level].list;
}

const nyt_line *nyt_profile_lines(const nyt_profile *p, nyt_level level, uint32_t fid, size_t *n)
{
    return PART_OF_FID(p->lines[level].list, p->lines[level].count, fid, n);
}

const nyt_line *nyt_profile_line(const nyt_profile *p, nyt_level level, uint32_t fid, uint32_t line)
{
    size_t n;
    const nyt_line *lines = nyt_profile_lines(p, level, fid, &n);
    size_t at = n ? first_with(lines, n, sizeof *lines, offsetof(nyt_line, line), line) : 0;
    return at < n && lines[at].line == line ? &lines[at] : NULL;
}

const nyt_src_line *nyt_profile_source(const nyt_profile *p, uint32_t fid, size_t *n)
{
    *n = 0;
    return p->source_count ? PART_OF_FID(p->sources, p->source_count, fid, n) : NULL;
}

const nyt_str *nyt_profile_source_line(const nyt_profile *p, uint32_t fid, uint32_t line)
{
    size_t n;
    const nyt_src_line *lines = nyt_profile_source(p, fid, &n);
    size_t at = n ? first_with(lines, n, sizeof *lines, offsetof(nyt_src_line, line), line) : 0;
    return at < n && lines[at].line == line ? &lines[at].text : NULL;
}

/* ---- Subs and calls ---- */

const nyt_sub *nyt_profile_subs(const nyt_profile *p, size_t *n)
{
    *n = p->sub_count;
    return p->subs;
}

static int compare_with_name(const void *key, const void *element)
{
    return nyt_str_compare(*(const nyt_str *)key, ((const nyt_sub *)element)->name);
}

const nyt_sub *nyt_profile_sub(const nyt_profile *p, nyt_str name)
{
    return bsearch(&name, p->subs, p->sub_count, sizeof *p->subs, compare_with_name);
}

const nyt_sub *const *nyt_profile_defined(const nyt_profile *p, uint32_t fid, size_t *n)
{
    return p->defined +
           part_of(p->defined_fid, p->defined_count, sizeof *p->defined_fid, 0, fid, n);
}

const nyt_str *nyt_profile_merged_names(const nyt_profile *p, const nyt_sub *sub, size_t *n)
{
    size_t from = 0, high = p->merged_count, to;
    while (from < high) {
        size_t middle = from + (high - from) / 2;
        if (p->merged_subs[middle] < sub)
            from = middle + 1;
        else
            high = middle;
    }
    for (to = from; to < p->merged_count && p->merged_subs[to] == sub;)
        to++;
    *n = to - from;
    return p->merged_names + from;
}

/* The first call of a sub that does not come before this one. */
static size_t first_call_of(const nyt_profile *p, const nyt_sub *sub)
{
    size_t low = 0, high = p->call_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (p->calls[middle].called < sub)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const nyt_call *nyt_profile_all_calls(const nyt_profile *p, size_t *n)
{
    *n = p->call_count;
    return p->calls;
}

const nyt_call *nyt_profile_callers(const nyt_profile *p, const nyt_sub *sub, size_t *n)
{
    size_t from = first_call_of(p, sub);
    *n = first_call_of(p, sub + 1) - from;
    return p->calls + from;
}

static size_t first_call_in(const nyt_profile *p, uint64_t fid)
{
    size_t low = 0, high = p->call_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (p->calls_by_fid[middle]->fid < fid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const nyt_call *const *nyt_profile_calls(const nyt_profile *p, uint32_t fid, size_t *n)
{
    size_t from = first_call_in(p, fid);
    *n = first_call_in(p, (uint64_t)fid + 1) - from;
    return p->calls_by_fid + from;
}

const nyt_node *nyt_profile_tree(const nyt_profile *p, size_t *n)
{
    *n = p->node_count;
    return p->nodes;
}
