/* Compressed sources, to be used again: by later profiles of a tracer, and of later processes. */
#ifndef NYT_FORMAT_PIECES_H
#define NYT_FORMAT_PIECES_H

#include "format/writer.h"

/* All zeros is none. */
struct nyt_piece {
    struct nyt_cached_block block;
    size_t payload_len; /* 0: not whole */
    int level;
    uint32_t lines;
    bool stored;          /* it comes from another process: the sum has yet to be compared */
    bool borrowed;        /* its bytes are in what was loaded */
    bool known;           /* by its identity: it stays */
    uint64_t sum[2];      /* of the payload */
    uint64_t identity[2]; /* of the file; zeros: not known */
    uint64_t wanted[2];   /* the identity of the fid's file in this process; zeros: not known */
};

struct nyt_pieces {
    struct nyt_piece *of_fid;   /* by fid */
    size_t cap;
    size_t unsaved;     /* bytes */
};

/* Where the piece of this file is to be made, or NULL: out of memory, or another is to stay there. */
struct nyt_piece *nyt_piece_for(nyt_pieces *p, uint32_t fid);
/* One that nyt_pieces_know() has found, or NULL. */
const struct nyt_piece *nyt_piece_known(const nyt_pieces *p, uint32_t fid);
/* That of a payload, or NULL. In one process a fid and a length tell it; from another, its sum. */
const struct nyt_piece *nyt_piece_find(nyt_pieces *p, uint32_t fid, const void *payload, size_t len,
                                       int level);
/* Its block is about to be made anew; */
void nyt_piece_begin(struct nyt_piece *piece);
/* and has been, of this payload with so many lines. */
void nyt_piece_made(nyt_pieces *p, struct nyt_piece *piece, const void *payload, size_t len,
                    uint32_t lines, int level);

#endif
