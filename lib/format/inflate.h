/* A zlib stream, inflated step by step: what of it needs neither the source nor the window. */
#ifndef NYT_FORMAT_INFLATE_H
#define NYT_FORMAT_INFLATE_H

#include "base/memory.h"
#include "format/copies.h"

#define ZLIB_CONST      /* what is inflated is not written to */
#include <zlib.h>

enum nyt_inflated {
    NYT_INFLATED_SOME,          /* bytes */
    NYT_INFLATED_COPIES,        /* f->copies is what comes next, and nothing else was put out */
    NYT_INFLATED_HUNGRY,        /* more of the stream is wanted */
    NYT_INFLATED_END,
    NYT_INFLATED_FAULT          /* f->code and f->message */
};

/* The segment of the stream that came several times, and what it inflates to. */
struct nyt_copied_segment {
    z_stream z;
    bool z_live;
    struct nyt_buf packed, plain;
    uint32_t adler;
};

struct nyt_inflater {
    const uint8_t *p, *end; /* of the stream: the owner adds at `end` and may move both */
    size_t lookahead;       /* so much the owner can provide before the stream's end */
    bool last;              /* nothing will be added */
    bool naive;             /* does not look for copies */
    struct nyt_copies copies;

    enum { NYT_STREAM_HEAD, NYT_STREAM_BODY, NYT_STREAM_CHECK, NYT_STREAM_END } part;
    z_stream z;
    bool z_live;
    bool between;      /* blocks, at a whole byte */
    size_t until_mark; /* so many bytes behind `p` a flush ends; 0: not looked for, */
    bool at_mark;      /* or it is here */
    uint32_t adler;
    struct nyt_copied_segment segment;
    int code; /* NYT_E..., once there is a fault */
    char message[120];
};

/* What a flush ends with is an empty stored block: the byte behind it, or NULL. */
const uint8_t *nyt_find_mark(const uint8_t *p, const uint8_t *end);
/* After inflate(): at a whole byte, all of what it took is put out, and another block follows. */
bool nyt_is_between_blocks(const z_stream *z);

int nyt_inflater_begin(struct nyt_inflater *f, nyt_error *err);
/* Puts at most `room` bytes, at least one, at `to`. */
enum nyt_inflated nyt_inflate(struct nyt_inflater *f, uint8_t *to, size_t room, size_t *got);
void nyt_inflater_end(struct nyt_inflater *f);

#endif
