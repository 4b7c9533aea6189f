/*
 * Profiles -> one profile. Each input is read and summed by itself, in an order that depends on
 * what
 * the inputs hold and not on how they are called; then its fids and names are translated and
 * its sums added to those of the others.
 */
#include "merge/merge.h"

#include "base/str.h"
#include "base/workers.h"
#include "format/awaited.h"
#include "format/reader.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* ---- Notes ---- */

void nyt_merged_note(nyt_merged *m, bool lossy, const char *format, ...)
{
    char text[512];
    va_list args;
    if (!m->note)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    m->note(m->ctx, &(nyt_note){.lossy = lossy, .path = m->path, .text = text});
}

/* Names go into sentences for terminals: what is not plain text shows as '?'. */
enum { SHOWN = 120 };

static const char *shown(nyt_str s, char text[static SHOWN])
{
    size_t len = s.len < SHOWN - 1 ? s.len : SHOWN - 1;
    for (size_t i = 0; i < len; i++)
        text[i] = s.data[i] >= ' ' && s.data[i] <= '~' ? s.data[i] : '?';
    text[len] = '\0';
    return text;
}

static nyt_str keep(nyt_merged *m, nyt_str s, bool *ok)
{
    return nyt_arena_str(&m->texts, s, ok);
}

/* ---- Attributes, options, comments ---- */

static bool add_application(nyt_merged *m, nyt_str name)
{
    bool ok = true;
    for (size_t i = 0; i < m->application_count; i++) {
        if (nyt_str_compare(m->applications[i].name, name) == 0) {
            m->applications[i].runs++;
            return true;
        }
    }
    if (!NYT_ROOM_FOR_ONE(m->applications, m->application_count, m->application_cap))
        return false;
    m->applications[m->application_count++] = (struct nyt_application){.name = keep(m, name, &ok),
                                                                       .runs = 1};
    return ok;
}

static bool merge_pair(nyt_merged *m, struct nyt_pair_list *pairs, const char *what,
                       const nyt_pair *pair)
{
    char key[SHOWN], mine[SHOWN], theirs[SHOWN];
    bool ok = true;
    for (size_t i = 0; i < pairs->count; i++) {
        nyt_pair *old = &pairs->list[i];
        if (nyt_str_compare(old->key, pair->key) != 0)
            continue;
        if (nyt_str_compare(old->value, pair->value) != 0)
            nyt_merged_note(m, false, "%s '%s' is '%s' here and stays '%s'", what,
                            shown(pair->key, key), shown(pair->value, mine),
                            shown(old->value, theirs));
        return true;
    }
    if (!NYT_ROOM_FOR_ONE(pairs->list, pairs->count, pairs->cap))
        return false;
    pairs->list[pairs->count++] = (nyt_pair){.key = keep(m, pair->key, &ok),
                                             .value = keep(m, pair->value, &ok)};
    return ok;
}

/* The value of the first, and of the others if it is smaller. */
static bool merge_basetime(nyt_merged *m, const nyt_pair *pair)
{
    bool ok = true;
    for (size_t i = 0; i < m->attributes.count; i++) {
        nyt_pair *old = &m->attributes.list[i];
        if (nyt_str_compare(old->key, pair->key) != 0)
            continue;
        if (nyt_str_to_int(pair->value) < nyt_str_to_int(old->value))
            old->value = keep(m, pair->value, &ok);
        return ok;
    }
    return merge_pair(m, &m->attributes, "attribute", pair);
}

static bool merge_attribute(nyt_merged *m, const struct nyt_merge_input *g, const nyt_pair *pair)
{
    if (nyt_str_is(pair->key, "ticks_per_sec"))
        return true;            /* written from m->ticks_per_sec */
    if (nyt_str_is(pair->key, "application"))
        return add_application(m, pair->value);
    if (nyt_str_is(pair->key, "basetime"))
        return merge_basetime(m, pair);
    if (nyt_str_is(pair->key, "cumulative_overhead_ticks")) {
        int64_t ticks = nyt_str_to_int(pair->value);
        if (ticks > 0)
            m->overhead += (uint64_t)nyt_rescale_ticks(ticks, g->ticks_per_sec, m->ticks_per_sec);
        return true;
    }
    return merge_pair(m, &m->attributes, "attribute", pair);
}

/* Those of several profiles are each about one of them alone. */
static bool merge_comment(nyt_merged *m, nyt_str text)
{
    if (m->inputs > 1)
        return true;
    bool ok = NYT_ROOM_FOR_ONE(m->comments, m->comment_count, m->comment_cap);
    if (ok)
        m->comments[m->comment_count++] = keep(m, text, &ok);
    return ok;
}

static bool merge_header(nyt_merged *m, const struct nyt_merge_input *g)
{
    bool ok = true;
    for (size_t i = 0; ok && i < g->attributes.count; i++)
        ok = merge_attribute(m, g, &g->attributes.list[i]);
    for (size_t i = 0; ok && i < g->options.count; i++)
        ok = merge_pair(m, &m->options, "option", &g->options.list[i]);
    for (size_t i = 0; ok && i < g->comment_count; i++)
        ok = merge_comment(m, g->comments[i]);
    int64_t wait = nyt_rescale_ticks((int64_t)g->processor_wait, g->ticks_per_sec,
                                     m->ticks_per_sec);
    m->processor_wait = nyt_add_said(m->processor_wait, (uint64_t)wait);
    return ok;
}

/* What is in one input -> what it is in the result. */
struct translation {
    uint32_t *section_of_section;
    uint32_t *fid_of_file;      /* 0: not yet */
    uint32_t *name_of_name;     /* NYT_NONE: not yet */
    uint32_t *unit_of_unit;     /* by number */
};

static bool merge_scale(nyt_merged *m, struct nyt_merge_input *g)
{
    if (!m->ticks_per_sec)
        m->ticks_per_sec = g->ticks_per_sec;
    if (g->ticks_per_sec == m->ticks_per_sec)
        return true;
    nyt_merged_note(m, false, "times in 1/%u s are made times in 1/%u s",
                    (unsigned)g->ticks_per_sec, (unsigned)m->ticks_per_sec);
    nyt_sums_rescale(&g->sums, g->ticks_per_sec, m->ticks_per_sec);
    return true;
}

/* NYT_NONE: out of memory. */
static uint32_t section_of(nyt_merged *m, uint32_t pid)
{
    bool is_new;
    uint32_t *at = nyt_map_take(&m->section_index, pid, &is_new);
    if (at && is_new)
        *at = (uint32_t)m->section_index.count - 1;
    m->together |= m->section_index.count > NYT_SECTIONS_MOST;
    return at ? *at : NYT_NONE;
}

static bool merge_processes(nyt_merged *m, const struct nyt_merge_input *g, struct translation *t)
{
    for (size_t i = 0; i < g->process_count; i++) {
        uint32_t section = section_of(m, g->processes[i].pid);
        if (section == NYT_NONE ||
            !NYT_ROOM_FOR_ONE(m->processes, m->process_count, m->process_cap))
            return false;
        t->section_of_section[g->processes[i].section] = section;
        m->processes[m->process_count] = g->processes[i];
        m->processes[m->process_count++].section = section;
    }
    return true;
}

/* ---- Files ---- */

enum { ON_THE_WAY = UINT32_MAX };   /* a file whose parents are looked at */

static uint32_t fid_of(const struct nyt_merge_input *g, const struct translation *t, uint32_t fid)
{
    const uint32_t *at = nyt_map_find(&g->file_index, fid);
    return at ? t->fid_of_file[*at] : 0;
}

static uint64_t hash_more(uint64_t hash, nyt_str s)
{
    for (size_t i = 0; i < s.len; i++)
        hash = (hash ^ (unsigned char)s.data[i]) * UINT64_C(0x100000001B3);
    return (hash ^ s.len) * UINT64_C(0x100000001B3);
}

/* An eval without source is known by its name alone. */
static uint64_t eval_key(const struct nyt_merge_input *g, const nyt_new_fid *f, uint32_t parent)
{
    size_t n;
    const nyt_src_line *source = nyt_merge_input_source(g, f->fid, &n);
    uint64_t hash = UINT64_C(0xCBF29CE484222325) ^ nyt_pair_key(parent, f->eval_line);
    if (n == 0)
        return hash_more(hash, f->name);
    for (size_t i = 0; i < n; i++)
        hash = hash_more(hash ^ source[i].line, source[i].text);
    return hash;
}

/* A name that no file has yet. Evals get another number, as if they had run later. */
static uint32_t free_file_name(nyt_merged *m, nyt_str wanted)
{
    static const char begin[] = "(eval ";
    size_t at = sizeof begin - 1;
    bool is_eval = wanted.len > at && memcmp(wanted.data, begin, at) == 0;
    while (is_eval && at < wanted.len && wanted.data[at] >= '0' && wanted.data[at] <= '9')
        at++;
    uint32_t id = nyt_names_take(&m->names, wanted);
    while (id != NYT_NONE && nyt_map_find(&m->file_by_name, id)) {
        struct nyt_buf text = {0};
        char number[24];
        snprintf(number, sizeof number, is_eval ? "%u" : "-%u", (unsigned)++m->eval_number);
        bool ok = nyt_buf_append(&text, wanted.data, is_eval ? sizeof begin - 1 : wanted.len) &&
                  nyt_buf_append(&text, number, strlen(number)) &&
                  (!is_eval || nyt_buf_append(&text, wanted.data + at, wanted.len - at));
        nyt_str name = {.data = (char *)text.data, .len = text.len};
        id = ok ? nyt_names_take(&m->names, name) : NYT_NONE;
        nyt_buf_free(&text);
    }
    return id;
}

/* The new file's index, or NYT_NONE: out of memory. */
static uint32_t add_file(nyt_merged *m, const nyt_new_fid *f, uint32_t parent)
{
    bool is_new;
    uint32_t name = free_file_name(m, f->name);
    uint32_t *at = name == NYT_NONE ? NULL : nyt_map_take(&m->file_by_name, name, &is_new);
    if (!at || !NYT_ROOM_FOR_ONE(m->files, m->file_count, m->file_cap))
        return NYT_NONE;
    uint32_t index = *at = (uint32_t)m->file_count++;
    struct nyt_merged_file *file = &m->files[index];
    *file = (struct nyt_merged_file){.file = *f, .next_eval = NYT_NONE};
    file->file.fid = index + 1;
    file->file.name = m->names.list[name].name;
    file->file.eval_fid = parent;
    if (!parent) {
        file->file.eval_line = 0;
        if (f->eval_fid)        /* an eval of nobody: there is no file to look for */
            file->file.flags |= NYT_FID_FAKE;
    }
    return index;
}

static uint32_t take_eval(nyt_merged *m, const struct nyt_merge_input *g, const nyt_new_fid *f,
                          uint32_t parent)
{
    bool is_new;
    uint32_t *at = nyt_map_take(&m->group_index, eval_key(g, f, parent), &is_new);
    if (!at || !NYT_ROOM_FOR_ONE(m->groups, m->group_count, m->group_cap))
        return NYT_NONE;
    if (is_new) {
        *at = (uint32_t)m->group_count++;
        m->groups[*at] = (struct nyt_eval_group){.first = NYT_NONE, .last = NYT_NONE};
    }
    struct nyt_eval_group *group = &m->groups[*at];
    if (group->input != m->inputs) {
        group->input = m->inputs;
        group->next = group->first;
    }
    uint32_t index = group->next;
    if (index != NYT_NONE) {
        group->next = m->files[index].next_eval;
        return index;
    }
    index = add_file(m, f, parent);
    if (index == NYT_NONE)
        return NYT_NONE;
    if (group->last == NYT_NONE)
        group->first = index;
    else
        m->files[group->last].next_eval = index;
    group->last = index;
    return index;
}

/* One of them may go on where the other ends: more of it was known, or it has grown. */
static bool same_source(const struct nyt_merged_file *file, const nyt_src_line *source, size_t n)
{
    bool same = true;
    for (size_t i = 0; same && i < n && i < file->source_count; i++)
        same = file->source[i].line == source[i].line &&
               nyt_str_compare(file->source[i].text, source[i].text) == 0;
    return same;
}

static uint32_t file_named(const nyt_merged *m, nyt_str wanted)
{
    uint32_t name = nyt_names_find(&m->names, wanted);
    const uint32_t *at = name == NYT_NONE ? NULL : nyt_map_find(&m->file_by_name, name);
    return at && !m->files[*at].file.eval_fid ? *at : NYT_NONE;
}

/*
 * What came from a command line or a pipe is the same only if its text is: `next_eval` leads
 * through the texts of one name.
 */
static uint32_t take_plain_file(nyt_merged *m, const struct nyt_merge_input *g,
                                const nyt_new_fid *f)
{
    size_t n = 0;
    const nyt_src_line *source = nyt_merge_input_source(g, f->fid, &n);
    uint32_t index = file_named(m, f->name), last = NYT_NONE;
    if (f->flags & NYT_FID_NOT_FILE)
        for (; index != NYT_NONE && !same_source(&m->files[index], source, n);
             index = m->files[index].next_eval)
            last = index;
    if (index == NYT_NONE) {
        index = add_file(m, f, 0);
        if (index != NYT_NONE && last != NYT_NONE)
            m->files[last].next_eval = index;
    }
    return index;
}

/* Walks up to a file that is known, then back: a parent comes before its evals. */
static bool take_file(nyt_merged *m, const struct nyt_merge_input *g, struct translation *t,
                      uint32_t *stack, uint32_t file)
{
    size_t depth = 0;
    while (t->fid_of_file[file] == 0) {
        const uint32_t *parent = nyt_map_find(&g->file_index, g->files[file].eval_fid);
        t->fid_of_file[file] = ON_THE_WAY;
        stack[depth++] = file;
        if (!g->files[file].eval_fid || !parent)
            break;
        file = *parent;
    }
    while (depth > 0) {
        file = stack[--depth];
        const nyt_new_fid *f = &g->files[file];
        uint32_t parent = f->eval_fid ? fid_of(g, t, f->eval_fid) : 0;
        bool is_eval = parent != 0 && parent != ON_THE_WAY;
        uint32_t index = is_eval ? take_eval(m, g, f, parent) : take_plain_file(m, g, f);
        if (index == NYT_NONE)
            return false;
        t->fid_of_file[file] = index + 1;
    }
    return true;
}

static bool keep_source(nyt_merged *m, struct nyt_merged_file *file, const nyt_src_line *source,
                        size_t n)
{
    bool ok = n <= SIZE_MAX / sizeof *source;
    file->source = ok ? nyt_arena_take(&m->texts, n * sizeof *source) : NULL;
    ok = file->source != NULL;
    for (size_t i = 0; ok && i < n; i++)
        file->source[i] = (nyt_src_line){
            .fid = file->file.fid, .line = source[i].line, .text = keep(m, source[i].text, &ok)};
    file->source_count = ok ? n : 0;
    return ok;
}

static bool merge_source(nyt_merged *m, struct nyt_merged_file *file, const nyt_src_line *source,
                         size_t n)
{
    char name[SHOWN];
    if (n == 0)
        return true;
    if (file->source_count == 0)
        return keep_source(m, file, source, n);
    bool same = same_source(file, source, n);
    if (same && n > file->source_count)
        return keep_source(m, file, source, n);
    if (!file->reported && !same) {
        nyt_merged_note(m, true, "the file %s has another text here: the first one stays",
                        shown(file->file.name, name));
        file->reported = true;
    }
    return true;
}

static bool merge_files(nyt_merged *m, const struct nyt_merge_input *g, struct translation *t)
{
    uint32_t *stack = calloc(g->file_count + 1, sizeof *stack);
    bool ok = stack != NULL;
    for (uint32_t i = 0; ok && i < g->file_count; i++) {
        size_t n;
        ok = take_file(m, g, t, stack, i);
        const nyt_src_line *source = nyt_merge_input_source(g, g->files[i].fid, &n);
        ok = ok && merge_source(m, &m->files[t->fid_of_file[i] - 1], source, n);
    }
    free(stack);
    return ok;
}

/* ---- Subs ---- */

static bool is_xsub(uint32_t first, uint32_t last)
{
    return first == 0 && last == 0;
}

/* "f" of the file "/a/b.py" becomes "f@b.py", then "f@b.py.2" and so on. */
static uint32_t free_sub_name(nyt_merged *m, uint32_t original, uint32_t fid)
{
    nyt_str file = m->files[fid - 1].file.name;
    size_t base = file.len;
    while (base > 0 && file.data[base - 1] != '/')
        base--;
    for (uint32_t n = 1;; n++) {
        struct nyt_buf text = {0};
        char number[16] = "";
        nyt_str name = m->names.list[original].name;
        if (n > 1)
            snprintf(number, sizeof number, ".%u", (unsigned)n);
        bool ok = nyt_buf_append(&text, name.data, name.len) && nyt_buf_append(&text, "@", 1) &&
                  nyt_buf_append(&text, file.data + base, file.len - base) &&
                  nyt_buf_append(&text, number, strlen(number));
        for (size_t i = name.len; ok && i < text.len; i++)
            if (strchr(" ;<>&\"\t\n", text.data[i]))    /* NUL among them */
                text.data[i] = '_';
        uint32_t id = ok ? nyt_names_take(&m->names,
                                          (nyt_str){.data = (char *)text.data, .len = text.len})
                         : NYT_NONE;
        nyt_buf_free(&text);
        if (id == NYT_NONE || !nyt_map_find(&m->sub_by_name, id))
            return id;
    }
}

static struct nyt_merged_sub *add_sub(nyt_merged *m, const struct nyt_merge_input_sub *s,
                                      uint32_t name, uint32_t fid)
{
    if (!NYT_ROOM_FOR_ONE(m->subs, m->sub_count, m->sub_cap))
        return NULL;
    struct nyt_merged_sub *sub = &m->subs[m->sub_count++];
    *sub = (struct nyt_merged_sub){
        .name = name, .fid = fid, .first = s->first, .last = s->last, .next = NYT_NONE};
    return sub;
}

static void compare_ranges(nyt_merged *m, struct nyt_merged_sub *sub,
                           const struct nyt_merge_input_sub *s)
{
    char name[SHOWN];
    if (sub->reported || (sub->first == s->first && sub->last == s->last))
        return;
    nyt_merged_note(m, true, "the sub %s is on lines %u to %u here: it stays on %u to %u",
                    shown(m->names.list[sub->name].name, name), (unsigned)s->first,
                    (unsigned)s->last, (unsigned)sub->first, (unsigned)sub->last);
    sub->reported = true;
}

/* One without source has no file of its own: which one it was put into says nothing. */
static bool is_same_sub(const struct nyt_merged_sub *sub, const struct nyt_merge_input_sub *s,
                        uint32_t fid)
{
    return sub->fid == fid || (is_xsub(sub->first, sub->last) && is_xsub(s->first, s->last));
}

/* The name that the sub has in the result. */
static uint32_t take_sub(nyt_merged *m, const struct nyt_merge_input_sub *s, uint32_t original,
                         uint32_t fid)
{
    bool is_new;
    uint32_t *first = nyt_map_take(&m->sub_by_original, original, &is_new);
    if (!first)
        return NYT_NONE;
    if (is_new)
        *first = NYT_NONE;
    for (uint32_t i = *first; i != NYT_NONE; i = m->subs[i].next) {
        if (is_same_sub(&m->subs[i], s, fid)) {
            compare_ranges(m, &m->subs[i], s);
            return m->subs[i].name;
        }
    }
    uint32_t name = nyt_map_find(&m->sub_by_name, original) ? free_sub_name(m, original, fid)
                                                            : original;
    struct nyt_merged_sub *sub = name == NYT_NONE ? NULL : add_sub(m, s, name, fid);
    uint32_t *at = sub ? nyt_map_take(&m->sub_by_name, name, &is_new) : NULL;
    if (!at)
        return NYT_NONE;
    *at = (uint32_t)m->sub_count - 1;
    sub->next = *first;
    *first = *at;
    return name;
}

/* Perl numbers evals and names subs after them: such names may be defined in many files. */
static bool is_of_eval(nyt_str name)
{
    static const char mark[] = "__ANON__[(eval";
    for (size_t at = 0; at + sizeof mark - 1 <= name.len; at++)
        if (memcmp(name.data + at, mark, sizeof mark - 1) == 0)
            return true;
    return false;
}

static uint32_t take_anon(nyt_merged *m, const struct nyt_merge_input_sub *s, uint32_t original,
                          uint32_t fid)
{
    bool is_new;
    uint32_t *at = nyt_map_take(&m->anon_index, nyt_pair_key(original, fid), &is_new);
    if (!at)
        return NYT_NONE;
    if (!is_new) {
        compare_ranges(m, &m->subs[*at], s);
        return original;
    }
    *at = (uint32_t)m->sub_count;
    return add_sub(m, s, original, fid) ? original : NYT_NONE;
}

static int compare_subs(const void *a, const void *b)
{
    const struct nyt_merge_input_sub *left = a, *right = b;
    int by_name = NYT_COMPARE(left->name, right->name);
    return by_name ? by_name : NYT_COMPARE(left->fid, right->fid);
}

/* Names go by name id and fid, so that of several definitions the lowest fid comes first. */
static bool merge_subs(nyt_merged *m, struct nyt_merge_input *g, struct translation *t)
{
    if (g->sub_count)
        qsort(g->subs, g->sub_count, sizeof *g->subs, compare_subs);
    for (size_t i = 0; i < g->sub_count; i++) {
        const struct nyt_merge_input_sub *s = &g->subs[i];
        nyt_str text = g->names.list[s->name].name;
        bool of_eval = is_of_eval(text);
        if (!of_eval && i > 0 && g->subs[i - 1].name == s->name) {
            g->repairs[NYT_REPAIR_SUB_AGAIN]++;
            continue;
        }
        uint32_t original = nyt_names_take(&m->names, text), fid = fid_of(g, t, s->fid);
        if (original == NYT_NONE)
            return false;
        uint32_t name = of_eval ? take_anon(m, s, original, fid) : take_sub(m, s, original, fid);
        if (name == NYT_NONE)
            return false;
        t->name_of_name[s->name] = name;
    }
    return true;
}

/* What is defined nowhere keeps its name. */
static bool merge_names(nyt_merged *m, const struct nyt_merge_input *g, struct translation *t)
{
    for (size_t i = 0; i < g->names.count; i++) {
        if (t->name_of_name[i] == NYT_NONE)
            t->name_of_name[i] = nyt_names_take(&m->names, g->names.list[i].name);
        if (t->name_of_name[i] == NYT_NONE)
            return false;
    }
    return true;
}

/* ---- Units of work ---- */

static bool merge_units(nyt_merged *m, const struct nyt_merge_input *g, struct translation *t)
{
    bool is_new;
    m->untold += g->untold;
    for (size_t i = 0; i < g->unit_count; i++) {
        struct nyt_merge_unit unit = {.outer = t->unit_of_unit[g->units[i].outer],
                                      .name = t->name_of_name[g->units[i].name]};
        uint32_t *at = nyt_map_take(&m->unit_index, nyt_pair_key(unit.outer, unit.name), &is_new);
        if (!at || !NYT_ROOM_FOR_ONE(m->units, m->unit_count, m->unit_cap))
            return false;
        if (is_new) {
            m->units[m->unit_count++] = unit;
            *at = (uint32_t)m->unit_count;
        }
        t->unit_of_unit[i + 1] = *at;
    }
    return true;
}

/* ---- Sums ---- */

static bool merge_lines(nyt_merged *m, const struct nyt_merge_input *g, const struct translation *t)
{
    for (size_t i = 0; i < g->sums.line_count; i++) {
        const struct nyt_sum_line *from = &g->sums.lines[i];
        if (!from->count && !from->ticks)
            continue;
        uint32_t section = m->together ? 0 : t->section_of_section[from->section];
        m->sums.unit = t->unit_of_unit[from->unit];
        struct nyt_sum_line *to = nyt_sums_line(&m->sums, section,
                                                &(nyt_time){.fid = fid_of(g, t, from->fid),
                                                            .line = from->line,
                                                            .block_line = from->block_line,
                                                            .sub_line = from->sub_line});
        if (!to)
            return false;
        to->count += from->count;
        to->ticks = nyt_add_ticks(to->ticks, from->ticks);
    }
    return true;
}

static bool merge_calls(nyt_merged *m, const struct nyt_merge_input *g, const struct translation *t)
{
    for (size_t i = 0; i < g->sums.call_count; i++) {
        const struct nyt_sum_call *from = &g->sums.calls[i];
        m->sums.unit = t->unit_of_unit[from->unit];
        struct nyt_sum_call *to = nyt_sums_call(&m->sums, from->fid ? fid_of(g, t, from->fid) : 0,
                                                from->line, t->name_of_name[from->caller],
                                                t->name_of_name[from->called]);
        if (!to)
            return false;
        to->count += from->count;
        to->incl += from->incl;
        to->excl += from->excl;
        to->reci += from->reci;
        if (to->depth < from->depth)
            to->depth = from->depth;
    }
    return true;
}

/* The depth of a node counts nodes: callers that never returned stand as one. */
static bool merge_tree(nyt_merged *m, const struct nyt_merge_input *g, const struct translation *t)
{
    static const char unfinished[] = "main::(unfinished)";
    const struct nyt_tree *from = &g->sums.tree.tree;
    uint32_t *depths = calloc(from->count + 1, sizeof *depths), nobody = NYT_NONE;
    bool ok = depths != NULL;
    for (size_t i = 1; ok && i < from->count; i++) {
        depths[i] = depths[from->nodes[i].parent] + 1;
        if (from->nodes[i].name > NYT_NAMES_MAX && nobody == NYT_NONE)
            nobody = nyt_names_take(&m->names,
                                    (nyt_str){.data = unfinished, .len = sizeof unfinished - 1});
    }
    for (uint32_t at = nyt_tree_first(from); ok && at != 0; at = nyt_tree_next(from, at)) {
        const struct nyt_tree_node *node = &from->nodes[at];
        uint32_t name = node->name > NYT_NAMES_MAX ? nobody : t->name_of_name[node->name];
        ok = name != NYT_NONE &&
             nyt_calltree_add(&m->sums.tree, depths[at], name, node->incl, node->excl);
    }
    free(depths);
    return ok && nyt_calltree_section(&m->sums.tree);
}

/* ---- One input ---- */

static void report_repairs(nyt_merged *m, const struct nyt_merge_input *g)
{
    char text[200];
    if (g->has_fault)
        nyt_merged_note(m, true, "%s (at offset %llu%s): what comes before it is kept",
                        g->fault.message, (unsigned long long)g->fault.offset,
                        g->fault.in_deflate ? " of the inflated data" : "");
    for (int what = 0; what < NYT_REPAIRS; what++) {
        if (!g->repairs[what])
            continue;
        nyt_repair_text((enum nyt_repair)what, g->repairs[what], text, sizeof text);
        nyt_merged_note(m, what != NYT_REPAIR_ENTRY, "%s", text);
    }
    m->incomplete |= g->has_fault || g->repairs[NYT_REPAIR_UNENDED] ||
                     g->repairs[NYT_REPAIR_NO_PROCESS] || g->repairs[NYT_REPAIR_SCALE];
}

int nyt_merged_add(nyt_merged *m, const char *path, struct nyt_merge_input *g, nyt_error *err)
{
    struct translation t = {
        .section_of_section = calloc(g->process_count + 1, sizeof *t.section_of_section),
        .fid_of_file = calloc(g->file_count + 1, sizeof *t.fid_of_file),
        .name_of_name = malloc((g->names.count + 1) * sizeof *t.name_of_name),
        .unit_of_unit = calloc(g->unit_count + 1, sizeof *t.unit_of_unit),
    };
    m->path = path;
    m->inputs++;
    if (t.name_of_name)
        memset(t.name_of_name, 0xFF, (g->names.count + 1) * sizeof *t.name_of_name);
    bool ok = t.section_of_section && t.fid_of_file && t.name_of_name && t.unit_of_unit &&
              merge_scale(m, g) && merge_header(m, g) && merge_processes(m, g, &t) &&
              merge_files(m, g, &t) && merge_subs(m, g, &t) && merge_names(m, g, &t) &&
              merge_units(m, g, &t) && merge_lines(m, g, &t) && merge_calls(m, g, &t) &&
              merge_tree(m, g, &t) && nyt_shared_add(&m->shared, g, t.fid_of_file) &&
              nyt_await_sums_add(&m->awaits, g, t.fid_of_file, m->ticks_per_sec);
    if (ok)
        report_repairs(m, g);
    free(t.section_of_section);
    free(t.fid_of_file);
    free(t.name_of_name);
    free(t.unit_of_unit);
    m->path = NULL;
    return ok ? NYT_OK : nyt_fail(err, NYT_ENOMEM, "out of memory");
}

/* ---- The whole ---- */

static double statement_time(nyt_merged *m)
{
    size_t negative = 0;
    double ticks = 0;
    for (size_t i = 0; i < m->sums.line_count; i++) {
        struct nyt_sum_line *line = &m->sums.lines[i];
        negative += line->ticks < 0;
        if (line->ticks < 0)
            line->ticks = 0;    /* a run of records cannot take less than nothing */
        ticks += (double)line->ticks;
    }
    if (negative)
        nyt_merged_note(m, true, "%zu lines took less than no time: now 0", negative);
    return ticks / m->ticks_per_sec;
}

/* Perl's tools complain if the statements took longer than the processes. */
static void finish_durations(nyt_merged *m)
{
    const double least = 0.001;
    double needed = statement_time(m), lasted = 0;
    for (size_t i = 0; i < m->process_count; i++)
        lasted += m->processes[i].end - m->processes[i].start;
    if (needed <= 1.1 * lasted && lasted > 0)
        return;
    if (needed > least)
        nyt_merged_note(m, true,
                        "the processes lasted %.6f s, their statements took %.6f s: the"
                        " last process lasts longer now",
                        lasted, needed);
    m->processes[m->process_count - 1].end += (needed > least ? needed : least) - lasted;
}

int nyt_merged_finish(nyt_merged *m, nyt_error *err)
{
    if (m->file_count == 0)
        return nyt_fail(err, NYT_EFORMAT, "there is no file in it");
    finish_durations(m);
    if (!nyt_calltree_finish(&m->sums.tree))
        return nyt_fail(err, NYT_ENOMEM, "out of memory");
    return NYT_OK;
}

int nyt_merged_new(nyt_merged **out, bool repair, nyt_note_fn note, void *ctx, nyt_error *err)
{
    *out = calloc(1, sizeof **out);
    if (!*out)
        return nyt_fail(err, NYT_ENOMEM, "out of memory");
    (*out)->repair = repair;
    (*out)->note = note;
    (*out)->ctx = ctx;
    return NYT_OK;
}

int nyt_merged_comment(nyt_merged *m, const char *text)
{
    size_t len = strlen(text);
    bool ok = memchr(text, '\n', len) == NULL;
    if (!ok)
        return NYT_EAPI;
    ok = NYT_ROOM_FOR_ONE(m->comments, m->comment_count, m->comment_cap);
    if (ok)
        m->comments[m->comment_count++] = keep(m, (nyt_str){.data = text, .len = len}, &ok);
    return ok ? NYT_OK : NYT_ENOMEM;
}

bool nyt_merged_complete(const nyt_merged *m)
{
    return !m->incomplete;
}

void nyt_merged_free(nyt_merged *m)
{
    if (!m)
        return;
    nyt_names_free(&m->names);
    nyt_arena_free(&m->texts);
    free(m->attributes.list);
    free(m->options.list);
    free(m->comments);
    free(m->applications);
    free(m->processes);
    free(m->files);
    nyt_map_free(&m->section_index);
    nyt_map_free(&m->file_by_name);
    nyt_map_free(&m->group_index);
    free(m->groups);
    free(m->subs);
    nyt_map_free(&m->sub_by_name);
    nyt_map_free(&m->sub_by_original);
    nyt_map_free(&m->anon_index);
    free(m->units);
    free(m->shared.list);
    free(m->awaits.list);
    nyt_map_free(&m->unit_index);
    nyt_sums_free(&m->sums);
    free(m);
}

/* ---- The order of inputs ---- */

/* What tells inputs apart, so that their order on the command line makes no difference. */
struct input {
    const char *name;
    struct nyt_source source;
    double start; /* of the first process; 0: none, or no time */
    uint32_t pid, parent;
    uint64_t size;
    uint32_t crc, adler; /* of all bytes */

    struct nyt_merge_input *data;
    int rc;
    nyt_error err;
};

static int compare_processes(const void *a, const void *b)
{
    const struct input *x = a, *y = b;
    int c = NYT_COMPARE(x->start, y->start);
    c = c ? c : NYT_COMPARE(x->pid, y->pid);
    return c ? c : NYT_COMPARE(x->parent, y->parent);
}

static int compare_inputs(const void *a, const void *b)
{
    const struct input *x = a, *y = b;
    int c = compare_processes(x, y);
    c = c ? c : NYT_COMPARE(x->size, y->size);
    c = c ? c : NYT_COMPARE(x->crc, y->crc);
    return c ? c : NYT_COMPARE(x->adler, y->adler);
}

/* A file that breaks off before a process starts is sorted by its bytes alone. */
static int look_for_process(struct input *input, nyt_error *err)
{
    nyt_reader *in;
    nyt_record rec;
    int rc = nyt_reader_begin(&in, &input->source, err);
    if (rc < 0)
        return rc;
    rc = nyt_reader_next(in, &rec, err);        /* the banner must be there */
    while (rc == 1 && nyt_reader_next(in, &rec, NULL) == 1) {
        if (rec.tag == NYT_TAG_PID_START) {
            input->start = isfinite(rec.u.pid_start.time) ? rec.u.pid_start.time : 0;
            input->pid = rec.u.pid_start.pid;
            input->parent = rec.u.pid_start.parent;
            break;
        }
    }
    nyt_reader_close(in);
    return rc < 0 ? rc : NYT_OK;
}

static int sum_up_bytes(struct input *input, nyt_error *err)
{
    struct nyt_input in = {0};
    int rc = nyt_input_begin(&in, &input->source, err);
    if (rc < 0)
        return rc;
    uLong crc = crc32(0, NULL, 0), adler = adler32(0, NULL, 0);
    do {
        crc = crc32(crc, in.p, (uInt)(in.end - in.p));
        adler = adler32(adler, in.p, (uInt)(in.end - in.p));
        in.p = in.end;
    } while ((rc = nyt_input_more(&in, err)) > 0);
    input->size = in.taken;
    input->crc = (uint32_t)crc;
    input->adler = (uint32_t)adler;
    nyt_input_close(&in);
    return rc;
}

/* ---- All inputs ---- */

struct merging {
    nyt_merged *m;
    struct input *inputs;
    size_t n;
    const char *failed;
    nyt_error *err;
};

static int take_fault(struct merging *all, const struct input *input)
{
    if (input->rc < 0) {
        all->failed = input->name;
        if (all->err)
            *all->err = input->err;
    }
    return input->rc;
}

static int take_look(void *ctx, size_t i)
{
    struct merging *all = ctx;
    return take_fault(all, &all->inputs[i]);
}

static void look_at_process(void *ctx, size_t i)
{
    struct input *input = &((struct merging *)ctx)->inputs[i];
    input->rc = look_for_process(input, &input->err);
}

/* Only if that is what tells it from the one before it, or behind it. */
static void look_at_bytes(void *ctx, size_t i)
{
    const struct merging *all = ctx;
    struct input *input = &all->inputs[i];
    bool same = (i > 0 && compare_processes(input, input - 1) == 0) ||
                (i + 1 < all->n && compare_processes(input, input + 1) == 0);
    input->rc = same ? sum_up_bytes(input, &input->err) : NYT_OK;
}

static void read_input(void *ctx, size_t i)
{
    struct input *input = &((struct merging *)ctx)->inputs[i];
    input->data = calloc(1, sizeof *input->data);
    input->rc = input->data ? nyt_merge_input_read(input->data, &input->source, false, &input->err)
                            : nyt_fail(&input->err, NYT_ENOMEM, "out of memory");
}

static void free_input(struct input *input)
{
    if (input->data)
        nyt_merge_input_free(input->data);
    free(input->data);
    input->data = NULL;
}

static int add_input(void *ctx, size_t i)
{
    struct merging *all = ctx;
    struct input *input = &all->inputs[i];
    if (input->rc == NYT_OK)
        input->rc = nyt_merged_add(all->m, input->name, input->data, &input->err);
    free_input(input);
    return take_fault(all, input);
}

static int merge_inputs(struct merging *all)
{
    size_t n = all->n;
    int rc = nyt_workers_run(n, look_at_process, take_look, all);
    if (rc == NYT_OK && n > 1) {
        qsort(all->inputs, n, sizeof *all->inputs, compare_processes);
        rc = nyt_workers_run(n, look_at_bytes, take_look, all);
    }
    if (rc == NYT_OK && n > 1)
        qsort(all->inputs, n, sizeof *all->inputs, compare_inputs);
    if (rc == NYT_OK)
        rc = nyt_workers_run(n, read_input, add_input, all);
    if (rc == NYT_OK) {
        all->failed = n == 1 ? all->inputs[0].name : NULL;
        rc = nyt_merged_finish(all->m, all->err);
    }
    return rc;
}

static int merge(nyt_merged **out, const char *const *paths, const nyt_memory *profiles, size_t n,
                 nyt_note_fn note, void *ctx, const char **failed, nyt_error *err)
{
    struct merging all = {.n = n, .err = err};
    *out = NULL;
    if (n == 0)
        return nyt_fail(err, NYT_EAPI, "there is nothing to merge");
    struct input *inputs = all.inputs = calloc(n, sizeof *inputs);
    int rc = inputs ? nyt_merged_new(&all.m, false, note, ctx, err)
                    : nyt_fail(err, NYT_ENOMEM, "out of memory");
    for (size_t i = 0; inputs && i < n; i++) {
        inputs[i] = paths ? (struct input){.name = paths[i], .source = {.path = paths[i]}}
                          : (struct input){.name = profiles[i].name,
                                           .source = nyt_source_of(&profiles[i])};
        inputs[i].source.threaded = n == 1; /* where there are more, threads have enough to do */
    }
    if (rc == NYT_OK)
        rc = merge_inputs(&all);
    for (size_t i = 0; inputs && i < n; i++)
        free_input(&inputs[i]);
    free(inputs);
    if (rc < 0)
        nyt_merged_free(all.m);
    else
        *out = all.m;
    if (failed)
        *failed = rc < 0 ? all.failed : NULL;
    return rc;
}

int nyt_merge(nyt_merged **out, const char *const *paths, size_t n, nyt_note_fn note, void *ctx,
              const char **failed, nyt_error *err)
{
    return merge(out, paths, NULL, n, note, ctx, failed, err);
}

int nyt_merge_memory(nyt_merged **out, const nyt_memory *profiles, size_t n, nyt_note_fn note,
                     void *ctx, const char **failed, nyt_error *err)
{
    return merge(out, NULL, profiles, n, note, ctx, failed, err);
}
