/* A window that moves over the bytes of a profile. */
#ifndef NYT_FORMAT_INPUT_H
#define NYT_FORMAT_INPUT_H

#include "format/copies.h"
#include "nytprof.h"

/* One of: a path, a callback, memory. */
struct nyt_source {
    const char *path;
    nyt_read_fn read;
    void *ctx;
    const void *data;
    size_t len;
    bool threaded, naive; /* see struct nyt_input */
};

static inline struct nyt_source nyt_source_of(const nyt_memory *profile)
{
    return (struct nyt_source){.data = profile->data, .len = profile->len};
}

/*
 * `p` to `end` are the bytes not yet taken; the owner of the window moves `p`. They come from
 * the source as they are, or inflated from nyt_input_inflate() on.
 */
struct nyt_input {
    const uint8_t *p, *end;
    bool inflating;
    bool threaded;     /* set by the owner: a second thread may inflate, and must */
    bool naive;        /* not outlive the call; do not look for copies */
    uint64_t taken;    /* bytes got from the source */
    uint64_t inflated; /* bytes that zlib gave */
    struct nyt_input_parts *parts;
};

int nyt_input_begin(struct nyt_input *in, const struct nyt_source *source, nyt_error *err);
int nyt_input_open(struct nyt_input *in, const char *path, nyt_error *err);
int nyt_input_open_fn(struct nyt_input *in, nyt_read_fn read, void *ctx, nyt_error *err);
int nyt_input_open_memory(struct nyt_input *in, const void *data, size_t len, nyt_error *err);
/* 1: there are more bytes behind `p` now (which has moved); 0: there will be none; or negative. */
int nyt_input_more(struct nyt_input *in, nyt_error *err);
/* What follows `p` is a zlib stream; its end will be the end of the input. */
int nyt_input_inflate(struct nyt_input *in, nyt_error *err);
/*
 * After `end` come copies of some bytes: true, and *copies tells which and how many. Either
 * nyt_input_skip_copies() takes them all at once, or nyt_input_more() takes them as bytes.
 */
bool nyt_input_copies(struct nyt_input *in, struct nyt_copies *copies);
void nyt_input_skip_copies(struct nyt_input *in);
/* Where `p` is: in the file, or in the inflated data. */
uint64_t nyt_input_offset(const struct nyt_input *in);
/* After the end: what follows the zlib stream, as far as it is in memory. */
nyt_str nyt_input_tail(const struct nyt_input *in);
/* Takes NULLs and what was never opened, if it is zeroed. */
void nyt_input_close(struct nyt_input *in);

#endif
