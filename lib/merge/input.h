/* What one input holds, added up without loss of meaning, before it is written again. */
#ifndef NYT_MERGE_INPUT_H
#define NYT_MERGE_INPUT_H

#include "format/awaited.h"
#include "format/input.h"
#include "format/line_sums.h"
#include "merge/sums.h"
#include "model/owners.h"

/* Where ticks_per_sec is not known: that of Perl on Linux and of pynytprof. */
enum { NYT_USUAL_TICKS_PER_SEC = 10000000 };

/* What had to be changed or made up; input.c has a sentence for each. */
enum nyt_repair {
    NYT_REPAIR_SCALE,          /* no ticks_per_sec */
    NYT_REPAIR_NOT_FINITE,
    NYT_REPAIR_NEGATIVE,
    NYT_REPAIR_FID,            /* a file that is not defined */
    NYT_REPAIR_SOURCE,         /* source of a file that is not defined */
    NYT_REPAIR_LINE,           /* a line that Perl's tools drop */
    NYT_REPAIR_UNENDED,        /* processes */
    NYT_REPAIR_UNSTARTED,
    NYT_REPAIR_BACKWARDS,
    NYT_REPAIR_NO_PROCESS,
    NYT_REPAIR_MARK,           /* marks of xsubs with a count */
    NYT_REPAIR_SUB_AGAIN,      /* subs defined in two files */
    NYT_REPAIR_ENTRY,          /* SUB_ENTRY records */
    NYT_REPAIR_COMMENT,        /* that should tell of figures, and does not */
    NYT_REPAIRS
};

struct nyt_merge_process {
    uint32_t pid, parent;
    uint32_t section; /* of its lines in the sums: that of all with this pid */
    uint32_t process; /* see nyt_process */
    bool started, ended;
    double start, end;
    int64_t ticks; /* of its statements */
};

struct nyt_merge_input_sub {
    uint32_t name, fid, first, last;
};

/* Each in the unit with the number `outer`, or in none. Numbers begin with 1. */
struct nyt_merge_unit {
    uint32_t outer, name;
};

struct nyt_pair_list {
    nyt_pair *list;
    size_t count, cap;
};

struct nyt_merge_input {
    bool repair; /* times and lines, too, that harm nobody but are wrong */
    nyt_reader *in;
    uint32_t ticks_per_sec;
    nyt_progress progress;
    bool has_fault; /* reading ended before the end */
    nyt_error fault;
    uint64_t repairs[NYT_REPAIRS];

    struct nyt_names names;     /* of subs */
    struct nyt_arena texts;
    struct nyt_pair_list attributes, options;
    nyt_str *comments;
    size_t comment_count, comment_cap;

    struct nyt_map live;        /* pid -> process, or NYT_NONE */
    uint32_t current;           /* the process whose statements come */
    struct nyt_owners owners;
    struct nyt_map section_index;       /* pid -> section */
    uint32_t section;           /* that process's or thread's, by the order in which they come */
    struct nyt_merge_process *processes;
    size_t process_count, process_cap;

    struct nyt_map file_index;  /* fid -> file */
    nyt_new_fid *files;
    size_t file_count, file_cap;
    struct nyt_map source_index;
    nyt_src_line *sources;      /* in the end by fid and line */
    size_t source_count, source_cap;

    struct nyt_map sub_index;   /* name and fid -> sub */
    struct nyt_merge_input_sub *subs;
    size_t sub_count, sub_cap;

    struct nyt_merge_unit *units;
    size_t unit_count, unit_cap;
    bool odd_units;                 /* their numbers make no sense: all is told together */
    uint64_t untold;

    nyt_str *shared;                /* comments that tell of lines with shared times */
    size_t shared_count, shared_cap;
    struct nyt_awaited *awaits;     /* as comments tell of them */
    size_t await_count, await_cap;
    uint64_t processor_wait;        /* ticks */

    bool discounted;                /* the next statement */
    struct nyt_line_sums line_sums; /* of TIME_LINEs, on their way into `sums` */
    struct nyt_sums sums;
};

/*
 * Takes all records that can be read. NYT_OK also if the file breaks off or is damaged: then
 * g->has_fault. Every fid that is left is defined, every process ended, and the scale known.
 */
int nyt_merge_input_read(struct nyt_merge_input *g, const struct nyt_source *source, bool repair,
                         nyt_error *err);
/* All that ran in units of work is told with the rest, as after damage, where nothing tells any more
 * in which it ran. */
void nyt_merge_input_forget_units(struct nyt_merge_input *g);
/* "times that are not finite: now 0 (3)" */
void nyt_repair_text(enum nyt_repair what, uint64_t times, char *text, size_t size);
/* The source of one file. */
const nyt_src_line *nyt_merge_input_source(const struct nyt_merge_input *g, uint32_t fid,
                                           size_t *n);
void nyt_merge_input_free(struct nyt_merge_input *g);

/* The value, or NULL. */
const nyt_str *nyt_pair_value(const struct nyt_pair_list *pairs, const char *key);

#endif
