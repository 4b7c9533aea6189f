/* The paths that exports show: frames that have names, places and time. */
#ifndef NYT_EXPORT_PATHS_H
#define NYT_EXPORT_PATHS_H

#include "base/hash.h"
#include "model/profile.h"

/* A frame that is the same wherever it stands. */
struct nyt_frame {
    nyt_str name;
    const nyt_sub *sub;   /* NULL: none */
    const nyt_file *file; /* NULL: unknown */
    uint32_t line;        /* 0: unknown */
    uint32_t levels;      /* 0, or so many activations at once are shown as this one */
};

struct nyt_path {
    uint32_t parent, first_child, next;
    uint32_t frame, depth;
    bool returned;     /* it has time of its own, be it 0 */
    double incl, excl; /* ticks */
};

/*
 * Path 0 is the root and no frame. Every other one comes after its parent, and siblings are linked in
 * the order of their first call.
 */
struct nyt_paths {
    const nyt_profile *p;
    nyt_shown shown;
    struct nyt_path *list;
    size_t count;
    struct nyt_frame *frames;
    size_t frame_count;

    size_t cap, frame_cap;
    struct nyt_map by_step; /* parent and frame -> path */
    struct nyt_arena texts;
    uint64_t levels, cut; /* of the deepest recursion that is folded; paths that are cut */
};

/*
 * The call tree; or, where there is none, subs side by side; or files and their lines. What is in
 * recursion for more levels than anybody reads is one frame, "f x 15000", as nyt_limit tells.
 * false: out of memory.
 */
bool nyt_paths_find(struct nyt_paths *s, const nyt_profile *p);
double nyt_path_seconds(const struct nyt_paths *s, size_t path);
/* A path is wanted, and with it all above it. The root must be wanted already. */
void nyt_paths_want(const struct nyt_paths *s, bool *wanted, size_t path);
/*
 * What is not `wanted` gives its time to the nearest path that is, and is told to `limit`. Returns
 * the ticks for which there is none.
 */
double nyt_paths_settle(struct nyt_paths *s, const bool *wanted, nyt_limit *limit);
/* Writes down what is shown of how much. */
void nyt_paths_tell(const struct nyt_paths *s, nyt_limit *limit);
void nyt_paths_free(struct nyt_paths *s);

/* What takes the time of paths for which there is no other. */
extern const nyt_str nyt_left_out_name;

#endif
