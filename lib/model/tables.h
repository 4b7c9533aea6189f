/* A profile while it is being read: what records are added up in. */
#ifndef NYT_MODEL_TABLES_H
#define NYT_MODEL_TABLES_H

#include "format/awaited.h"
#include "format/line_sums.h"
#include "model/calltree.h"
#include "model/owners.h"
#include "model/profile.h"

/* Time from before ticks_per_sec last changed. */
struct nyt_line_time {
    int64_t ticks;
    double seconds;
};

/* Lines while they are being added up: those of `sums` have ticks since the last change. */
struct nyt_line_table {
    struct nyt_line_sums sums;
    struct nyt_line_time *times;        /* of each, as far as it goes */
    size_t times_cap;
};

struct nyt_file_entry {
    nyt_file file;
    size_t order; /* of definition */
};

struct nyt_sub_entry_sum {
    nyt_sub sub;
    bool defined;         /* there was a SUB_INFO */
    uint32_t merged_into; /* index, or NYT_NONE */
};

struct nyt_definition_entry {
    uint32_t sub, fid;
};

/* All calls of `sub` by one caller from one line. */
struct nyt_edge {
    uint32_t sub, fid, line;
    uint32_t caller;            /* number of its name */
    uint32_t depth;
    uint64_t count, outermost;
    double incl, excl, reci;
};

/* See sections.h. */
struct nyt_sections {
    uint32_t pid;               /* the one at work */
    bool begun, several;
    struct nyt_line_sums sums;  /* its lines, if there are several */
};

/* See units.h. Of each number but 0: the unit, and whether what is within is wanted. */
struct nyt_unit_context {
    uint32_t outer, name;
    bool wanted;
};

struct nyt_unit_contexts {
    struct nyt_unit_context *list;
    size_t count, cap;
    bool skips;         /* what comes is of a unit that is not wanted, or of none */
    bool odd;           /* numbers that make no sense */
    bool within;        /* what comes is of a unit */
    bool any;           /* calls were: each unit has one, its own */
    uint64_t untold;
};

/* What the records become on the way; thrown away when the profile is finished. */
struct nyt_loader {
    nyt_profile *p;
    nyt_reader *in;
    nyt_load_options options;

    struct nyt_map live;        /* pid -> process */
    struct nyt_owners owners;
    uint32_t discounts;
    uint32_t left;              /* of these, that stand in the section before */
    uint32_t ticks_per_sec;
    uint64_t statements;
    int64_t ticks;              /* of all since ticks_per_sec last changed */

    struct nyt_map file_index;
    struct nyt_file_entry *files;
    size_t file_count, file_cap;

    struct nyt_line_table lines[3];
    uint32_t section;           /* the process or thread at work, 1 for the first; 0: none */
    bool skips;                 /* it is not the one that is wanted */
    struct nyt_line_sums skipped;       /* lines of those: not looked at */
    struct nyt_sections sections;
    struct nyt_unit_contexts units;

    struct nyt_map source_index;        /* of all lines of source, */
    bool sources_indexed;               /* once they have come out of order */
    size_t source_cap;

    struct nyt_map sub_index;   /* name -> sub */
    struct nyt_sub_entry_sum *subs;
    size_t sub_count, sub_cap;
    struct nyt_map definition_index;
    struct nyt_definition_entry *definitions;
    size_t definition_count, definition_cap;

    struct nyt_map place_index; /* fid and line -> place */
    uint32_t place_count;
    struct nyt_map site_index;  /* place and caller -> site */
    uint32_t site_count;
    struct nyt_map edge_index;  /* sub and site -> edge */
    struct nyt_edge *edges;
    size_t edge_count, edge_cap;

    struct nyt_calltree tree;

    nyt_str *shared; /* comments that tell of lines with shared times */
    size_t shared_count, shared_cap;
    struct nyt_awaited *awaits; /* as comments tell of them */
    size_t await_count, await_cap;
    double processor_wait; /* ticks */
};

static inline double nyt_loader_seconds(const struct nyt_loader *l, int64_t ticks)
{
    return ticks ? (double)ticks / l->ticks_per_sec : 0;
}

#endif
