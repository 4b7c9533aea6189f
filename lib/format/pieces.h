/* Compressed sources, to be used again: by later profiles of a tracer, and of later processes. */
#ifndef NYT_FORMAT_PIECES_H
#define NYT_FORMAT_PIECES_H

#include "format/writer.h"

/* All zeros is none. */
struct nyt_piece {
    struct nyt_cached_block block;
    size_t payload_len; /* 0: not whole */
    int level;
    bool stored;      /* it comes from another process: the sum has yet to be compared */
    uint64_t sum[2];  /* of the payload */
};

struct nyt_pieces {
    struct nyt_piece *of_fid;   /* by fid */
    size_t cap;
    size_t unsaved;     /* bytes */
};

/* Where the piece of this file is kept, or NULL: out of memory. */
struct nyt_piece *nyt_piece_for(nyt_pieces *p, uint32_t fid);
/* That of a payload, or NULL. In one process a fid and a length tell it; from another, its sum. */
const struct nyt_piece *nyt_piece_find(nyt_pieces *p, uint32_t fid, const void *payload, size_t len,
                                       int level);
/* The block has been made anew, of this payload. */
void nyt_piece_made(nyt_pieces *p, struct nyt_piece *piece, const void *payload, size_t len,
                    int level);

#endif
