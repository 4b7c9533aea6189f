/* A profile in memory: while it is being read, and for those that look at it. */
#ifndef NYT_MODEL_PROFILE_H
#define NYT_MODEL_PROFILE_H

#include "model/calltree.h"
#include "format/line_sums.h"

/* A key's value; the last one counts. */
struct nyt_pairs {
    nyt_pair *list;
    size_t    count, cap;
    struct nyt_map by_key;      /* name id -> index */
};

struct nyt_lines {
    nyt_line *list;
    size_t    count;
};

/* A sub and one file that defines it. */
struct nyt_definition {
    uint32_t fid;
    const nyt_sub *sub;
};

struct nyt_merged_name {
    const nyt_sub *sub;
    nyt_str name;
};

/* What users see. Every list is sorted by what it is asked for. */
struct nyt_profile {
    nyt_totals totals;
    bool       has_fault;
    nyt_error  fault;
    struct nyt_names names;     /* of subs, attributes and options */
    struct nyt_arena texts;     /* everything else */

    struct nyt_pairs attributes, options;
    nyt_str      *comments;
    size_t        comment_count, comment_cap;
    nyt_process  *processes;
    size_t        process_count, process_cap;

    nyt_file     *files;
    size_t        file_count;
    struct nyt_lines lines[3];  /* by nyt_level */
    nyt_src_line *sources;
    size_t        source_count;

    nyt_sub      *subs;
    size_t        sub_count;
    nyt_call     *calls;        /* by called, fid, line */
    size_t        call_count;
    const nyt_call **calls_by_fid;
    nyt_str      *callers;      /* nyt_call.by point in here */
    const nyt_sub **defined;
    uint32_t     *defined_fid;  /* of each of `defined` */
    size_t        defined_count;
    nyt_str      *merged_names;
    const nyt_sub **merged_subs;
    size_t        merged_count;

    nyt_node     *nodes;
    size_t        node_count;
};

/* Time from before ticks_per_sec last changed. */
struct nyt_settled {
    int64_t ticks;
    double  seconds;
};

/* Lines while they are being added up: those of `sums` have ticks since the last change. */
struct nyt_line_table {
    struct nyt_tally sums;
    struct nyt_settled *settled;        /* of each, as far as it goes */
    size_t settled_cap;
};

struct nyt_file_entry {
    nyt_file file;
    size_t   order;             /* of definition */
};

struct nyt_sub_entry_sum {
    nyt_sub  sub;
    bool     defined;           /* there was a SUB_INFO */
    uint32_t merged_into;       /* index, or NYT_NONE */
};

struct nyt_definition_entry {
    uint32_t sub, fid;
};

/* All calls of `sub` from one line. */
struct nyt_edge {
    uint32_t sub, fid, line;
    uint32_t depth;
    uint64_t count;
    double   incl, excl, reci;
};

struct nyt_edge_caller {
    uint32_t edge, name;
};

/* What the records become on the way; thrown away when the profile is sealed. */
struct nyt_loader {
    nyt_profile *p;
    nyt_reader  *in;
    nyt_load_options options;

    struct nyt_map live;        /* pid -> process */
    uint32_t discounts;
    uint32_t ticks_per_sec;
    uint64_t statements;
    int64_t ticks;              /* of all since ticks_per_sec last changed */

    struct nyt_map file_index;
    struct nyt_file_entry *files;
    size_t file_count, file_cap;

    struct nyt_line_table lines[3];

    struct nyt_map source_index;
    size_t source_cap;

    struct nyt_map sub_index;   /* name -> sub */
    struct nyt_sub_entry_sum *subs;
    size_t sub_count, sub_cap;
    struct nyt_map definition_index;
    struct nyt_definition_entry *definitions;
    size_t definition_count, definition_cap;

    struct nyt_map place_index; /* fid and line -> place */
    uint32_t place_count;
    struct nyt_map edge_index;  /* sub and place -> edge */
    struct nyt_edge *edges;
    size_t edge_count, edge_cap;
    struct nyt_map caller_index; /* edge and name */
    struct nyt_edge_caller *callers;
    size_t caller_count, caller_cap;

    struct nyt_calltree tree;
};

/* loader.c */
int nyt_profile_load_source(nyt_profile **out, const struct nyt_source *source,
                            const nyt_load_options *options, nyt_error *err);
/* string_evals.c: decides which evals and subs are merged, and marks them. NYT_OK or NYT_ENOMEM. */
int nyt_merge_evals(struct nyt_loader *l);
/* finish.c: makes the sorted lists out of the loader's tables. NYT_OK or NYT_ENOMEM. */
int nyt_profile_seal(struct nyt_loader *l);

/* The file that has what `fid` had; itself if it was not merged. */
uint32_t nyt_loader_survivor(const struct nyt_loader *l, uint32_t fid);
/* The part of p->sources that belongs to one file. */
const nyt_src_line *nyt_sources_of(const nyt_profile *p, uint32_t fid, size_t *n);

/* Odd files have more DISCOUNTs than statements. */
static inline uint64_t nyt_counted_statements(const nyt_totals *t)
{
    return t->statements > t->discounted ? t->statements - t->discounted : 0;
}

bool nyt_sub_is_anon(nyt_str name);

/* What \w matches in Perl, for bytes. */
static inline bool nyt_is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

#endif
