/* A profile in memory, for those that look at it. */
#ifndef NYT_MODEL_PROFILE_H
#define NYT_MODEL_PROFILE_H

#include "base/hash.h"

/* A key's value; the last one counts. */
struct nyt_pairs {
    nyt_pair *list;
    size_t count, cap;
    struct nyt_map by_key;      /* name id -> index */
};

struct nyt_lines {
    nyt_line *list;
    size_t count;
};

/* What a process or thread has of a line. */
struct nyt_section_line {
    uint32_t pid, fid, line;
    int64_t count;
    double time; /* seconds */
};

/* What users see. Every list is sorted by what it is asked for. */
struct nyt_profile {
    nyt_totals totals;
    bool calls_by_tree; /* the file has no sums of subs: these are made from its call tree */
    bool narrowed;      /* there was more in the file: see nyt_load_options.filter, */
    bool sectioned;     /* and .section or .process: no calls are known, and no awaited time */
    uint32_t section, process;  /* which; 0: not that */
    bool of_unit;       /* and .unit */
    bool has_fault;
    nyt_error fault;
    struct nyt_names names;     /* of subs, attributes and options */
    struct nyt_arena texts;     /* everything else */

    struct nyt_pairs attributes, options;
    nyt_str *comments;
    size_t comment_count, comment_cap;
    nyt_process *processes;
    size_t process_count, process_cap;

    nyt_file *files;
    uint8_t *scopes; /* of each file, a nyt_scope: asked for again and again */
    size_t file_count;
    struct nyt_lines lines[3];  /* by nyt_level */
    nyt_await *awaits; /* by fid and line */
    size_t await_count;
    struct nyt_section_line *section_lines; /* by pid, fid and line; of several pids, or none */
    size_t section_line_count, section_line_cap;
    nyt_src_line *sources;
    size_t source_count;

    nyt_sub *subs;
    size_t sub_count;
    nyt_call *calls; /* by called, fid, line, caller */
    size_t call_count;
    const nyt_call **calls_by_fid;
    const nyt_sub **defined;
    uint32_t *defined_fid; /* of each of `defined` */
    size_t defined_count;
    nyt_str *merged_names;
    const nyt_sub **merged_subs;
    size_t merged_count;

    nyt_unit *units; /* by time */
    size_t unit_count;
    nyt_unit_state unit_state;
    size_t units_wanted; /* so many names were asked for, the first of them: */
    nyt_str unit_wanted;
    bool has_shared; /* a line has a shared time */
    bool awaits_left_out; /* since they are not known by units */

    nyt_node *nodes;
    size_t node_count;
};

/* Odd files have more DISCOUNTs than statements. */
static inline uint64_t nyt_counted_statements(const nyt_totals *t)
{
    return t->statements > t->discounted ? t->statements - t->discounted : 0;
}

/* 0 where ticks have no length. */
static inline double nyt_seconds_of(const nyt_profile *p, double ticks)
{
    return p->totals.ticks_per_sec ? ticks / p->totals.ticks_per_sec : 0;
}

/* Does it tell what lines and subs took with what they called? Not without calls, and not of one
 * thread alone. */
static inline bool nyt_knows_calls(const nyt_profile *p)
{
    return !p->sectioned && p->call_count > 0;
}

#endif
