/* What lib/ shares with itself: cursor, buffer, error filling. */
#ifndef NYT_PRIVATE_H
#define NYT_PRIVATE_H

#include "nytprof.h"

#define NYT_U32_BYTES 5     /* the longest integer */
#define NYT_NV_BYTES  8

/* ---- error.c ---- */

#if defined(__GNUC__)
#define NYT_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define NYT_PRINTF(fmt, args)
#endif

/* Fills *err (may be NULL) with code and sentence, all else zero; returns code. */
int nyt_fail(nyt_error *err, int code, const char *format, ...) NYT_PRINTF(3, 4);
/* The same for NYT_EIO: takes errno as it is, and adds its words to the sentence. */
int nyt_fail_errno(nyt_error *err, const char *format, ...) NYT_PRINTF(2, 3);

/* ---- codec.c: values <-> bytes ---- */

/*
 * Bytes taken from the front. Once a value does not fit, `short_of` is set,
 * nothing more is taken and every later get answers zero: a record is a list of
 * gets with one check at its end. A string with a wrong tag sets `bad_tag` to it
 * and `p` stays on that byte.
 */
struct nyt_cursor {
    const uint8_t *p, *end;
    bool           short_of;
    int            bad_tag;     /* -1: none */
};

struct nyt_cursor nyt_cursor_over(const void *data, size_t len);
uint32_t nyt_get_u32(struct nyt_cursor *c);
double   nyt_get_nv(struct nyt_cursor *c);
/* Points into the cursor's memory; nothing is copied. */
nyt_str  nyt_get_str(struct nyt_cursor *c);

/* Each stores at p, where there is room, and returns the end of what it stored. */
uint8_t *nyt_put_u32(uint8_t *p, uint32_t value);
uint8_t *nyt_put_nv(uint8_t *p, double value);
uint8_t *nyt_put_str(uint8_t *p, nyt_str s);        /* NYT_U32_BYTES + 1 + s.len bytes */

/* ---- memory.c: the one place where memory grows ---- */

/* A growing array of bytes. All zeros is an empty one. */
struct nyt_buf {
    uint8_t *data;
    size_t   len, cap;
};

/* Room for `more` bytes behind len; false: out of memory, and nothing has changed. */
bool nyt_buf_reserve(struct nyt_buf *b, size_t more);
bool nyt_buf_append(struct nyt_buf *b, const void *data, size_t len);
void nyt_buf_free(struct nyt_buf *b);

/*
 * For arrays: makes room for at least `want` elements of `size` bytes, at least
 * doubling, new ones zeroed. Returns the array, or NULL with everything as it was.
 */
void *nyt_grow(void *array, size_t *cap, size_t want, size_t size);

/* Small things that die together. Memory is aligned for any object, not zeroed. */
struct nyt_arena {
    struct nyt_arena_block *last;
    size_t                  held;   /* bytes asked of the system, for limits */
};

void *nyt_arena_take(struct nyt_arena *a, size_t size);         /* NULL: out of memory */
nyt_str nyt_arena_str(struct nyt_arena *a, nyt_str s, bool *ok); /* a terminated copy */
void  nyt_arena_free(struct nyt_arena *a);

/* ---- writer.c, for chunks.c ---- */

/* The bytes of some records as they stand in the file, fit to be put into another. */
struct nyt_piece {
    struct nyt_buf bytes;
    uint64_t       plain;   /* how many they inflate to, */
    uint32_t       adler;   /* and the checksum of those */
};

/* What is held so far becomes a segment of its own; see docs/format.md. */
int nyt_writer_cut(nyt_writer *w);
/* Records between the two make a piece. The writer must have been cut before each. */
void nyt_writer_piece_begin(nyt_writer *w, struct nyt_piece *piece);
int  nyt_writer_piece_end(nyt_writer *w);
int  nyt_writer_piece_again(nyt_writer *w, const struct nyt_piece *piece);

#endif
