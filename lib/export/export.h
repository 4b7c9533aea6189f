/* What exports share: how much to write of a profile. */
#ifndef NYT_EXPORT_EXPORT_H
#define NYT_EXPORT_EXPORT_H

#include "nytprof.h"

/*
 * Decides what an export writes if it may not write all. Items have numbers below `n` and are
 * taken from the largest down, as long as the next one fits; all of them without a limit.
 */
struct nyt_chooser {
    void *ctx;
    size_t n;
    /* Time of one. */
    double (*value)(void *ctx, size_t item);
    /* Bytes that it needs besides what was taken before it. */
    uint64_t (*cost)(void *ctx, size_t item);
    /* It will be written. */
    void (*take)(void *ctx, size_t item);
};

/* `fixed`: bytes that are written in any case. false: out of memory. */
bool nyt_choose(const struct nyt_chooser *c, uint64_t fixed, const nyt_limit *limit);

/* Begins the account of what was left out, and adds to it. `limit` may be NULL. */
void nyt_limit_begin(nyt_limit *limit);
void nyt_limit_left_out(nyt_limit *limit, double seconds);
void nyt_limit_left_out_line(nyt_limit *limit);
bool nyt_is_limited(const nyt_limit *limit);

/* What of a profile those show that show call paths; and those that show subs and their callers,
 * which need no call tree. */
nyt_shown nyt_shown_of(const nyt_profile *p);
nyt_shown nyt_shown_of_calls(const nyt_profile *p);
/* Those that show lines, and show subs beside them. */
nyt_shown nyt_shown_of_lines(const nyt_profile *p);
/* Writes it down. `limit` may be NULL. */
void nyt_limit_shown(nyt_limit *limit, nyt_shown shown);

/* A nyt_write_fn that adds the length to the uint64_t at `ctx`. */
int nyt_count_bytes(void *ctx, const void *data, size_t len);

/* What a frame is called that has no name. */
extern const nyt_str nyt_unreturned;

#endif
