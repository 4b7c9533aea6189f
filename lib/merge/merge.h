/* Several profiles as one: between merge.c, which fills it, and output.c, which writes it. */
#ifndef NYT_MERGE_MERGE_H
#define NYT_MERGE_MERGE_H

#include "base/error.h"
#include "merge/awaits.h"
#include "merge/input.h"
#include "merge/shared.h"

struct nyt_merged_file {
    nyt_new_fid file; /* its fid is its index + 1 */
    nyt_src_line *source;
    size_t source_count;
    uint32_t next_eval; /* of the same parent, line and source; of text from no file, another
                                   text of its name; or NYT_NONE */
    bool reported;      /* that another input has other text */
};

struct nyt_merged_sub {
    uint32_t name, fid, first, last;
    uint32_t original;          /* the name it came with */
    uint32_t next;              /* sub that came with the same name, or NYT_NONE */
    bool reported;
};

/* Evals of one parent, line and source: the nth of one input is the nth of another. */
struct nyt_eval_group {
    uint32_t first, last;       /* files */
    uint32_t input, next;       /* the file that the next one of this input is */
};

struct nyt_application {
    nyt_str name;
    uint64_t runs;
};

struct nyt_merged {
    nyt_note_fn note;
    void *ctx;
    const char *path;           /* the input that is being added */
    uint32_t inputs;
    bool repair, incomplete;

    uint32_t ticks_per_sec;
    uint64_t overhead;          /* ticks */
    struct nyt_names names;     /* of subs and files */
    struct nyt_arena texts;
    struct nyt_pair_list attributes, options;
    nyt_str *comments;
    size_t comment_count, comment_cap;
    struct nyt_application *applications;
    size_t application_count, application_cap;

    struct nyt_merge_process *processes;
    size_t process_count, process_cap;
    struct nyt_map section_index;       /* pid -> section */
    bool together;              /* there are too many: the lines of all have one */

    struct nyt_merged_file *files;
    size_t file_count, file_cap;
    struct nyt_map file_by_name;
    struct nyt_map group_index;
    struct nyt_eval_group *groups;
    size_t group_count, group_cap;
    uint32_t eval_number;       /* last one given to an eval whose name was taken */

    struct nyt_merged_sub *subs;
    size_t sub_count, sub_cap;
    struct nyt_map sub_by_name;     /* the name it has -> sub */
    struct nyt_map sub_by_original; /* the name it came with -> first of its subs */
    struct nyt_map anon_index;      /* name and fid, of those that may have many definitions */

    struct nyt_merge_unit *units;
    size_t unit_count, unit_cap;
    struct nyt_map unit_index;      /* outer and name -> number */
    uint64_t untold;

    struct nyt_shared_ranges shared;
    struct nyt_await_sums awaits;
    uint64_t processor_wait; /* ticks */

    struct nyt_sums sums;
};

/* With more processes and threads than these a profile has the lines of all in one sum. */
enum { NYT_SECTIONS_MOST = 64 };

int nyt_merged_new(nyt_merged **out, bool repair, nyt_note_fn note, void *ctx, nyt_error *err);
/* Adds what was read from `path`, which is changed on the way. NYT_OK or NYT_ENOMEM. */
int nyt_merged_add(nyt_merged *m, const char *path, struct nyt_merge_input *g, nyt_error *err);
/* When all have been added: mends what concerns the whole. NYT_EFORMAT: there is no file. */
int nyt_merged_finish(nyt_merged *m, nyt_error *err);
void nyt_merged_note(nyt_merged *m, bool lossy, const char *format, ...) NYT_PRINTF(3, 4);

#endif
