/* Finding records again behind damage: which of some bytes can be trusted. */
#ifndef NYT_FORMAT_RESYNC_H
#define NYT_FORMAT_RESYNC_H

#include "base/hash.h"

enum { NYT_RESYNC_LOOKAHEAD = 32 };       /* records that must follow before one is believed */

/* All zeros is an empty one, behind the banner. */
struct nyt_resync {
    struct nyt_buf in;                    /* bytes that are not judged yet, */
    uint64_t offset;                      /* from here on */
    size_t look;                          /* so far they have been taken for records, */
    size_t lengths[NYT_RESYNC_LOOKAHEAD]; /* the last of them, in a ring, not believed yet */
    size_t first, pending;
    struct nyt_buf out;         /* what is believed */
    uint64_t records;           /* how many that were */

    bool lenient; /* files that are not defined may be what damage before cost us */
    bool odd;     /* there was one; and so much was believed then: */
    size_t odd_out;
    uint64_t odd_records;

    bool in_deflate;    /* a break ends it: nothing is looked for behind it */
    bool broken;        /* what is at in.data[0] is no record */
    bool doubtful;      /* a DISCOUNT may have been lost: the next statement is, too */
    uint64_t broken_at; /* where what is not believed begins */
    void (*lost)(void *ctx, uint64_t from, uint64_t to); /* of each gap that was bridged */
    void *ctx;
    bool at_deflate;     /* a compressed part begins at `offset` */
    struct nyt_map fids; /* that were defined */
    uint32_t highest_fid;
};

/* Adds bytes and judges what can be judged. false: out of memory. */
bool nyt_resync_add(struct nyt_resync *s, const uint8_t *data, size_t len);
/*
 * The bytes end here, at their natural end: what is pending is believed. Bytes that are no whole
 * record are left in `in` and stay first if there is more to come.
 */
bool nyt_resync_end(struct nyt_resync *s);
/* Nothing that is pending, or not judged, is believed. */
void nyt_resync_drop(struct nyt_resync *s);
void nyt_resync_free(struct nyt_resync *s);

#endif
