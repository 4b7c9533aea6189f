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

/* Room for one more element at the end of an array; false: out of memory. Indices stay below
 * NYT_NONE. */
#define NYT_ROOM_FOR_ONE(array, count, cap) \
    nyt_room_for_one(&(array), (count), &(cap), sizeof *(array))
bool nyt_room_for_one(void *array_at, size_t count, size_t *cap, size_t size);

/* Small things that die together. Memory is aligned for any object, not zeroed. */
struct nyt_arena {
    struct nyt_arena_block *last;
    size_t                  held;   /* bytes asked of the system, for limits */
};

void *nyt_arena_take(struct nyt_arena *a, size_t size);         /* NULL: out of memory */
nyt_str nyt_arena_str(struct nyt_arena *a, nyt_str s, bool *ok); /* a terminated copy */
/* The same instead of `old`, which stays if it is equal: repeats cost nothing. */
nyt_str nyt_arena_str_again(struct nyt_arena *a, nyt_str old, nyt_str s, bool *ok);
void  nyt_arena_free(struct nyt_arena *a);

/*
 * What is kept of each record, and not of each place, could be made of a small compressed file
 * without end. No program comes near these.
 */
enum { NYT_COMMENTS_MAX = 1000, NYT_PROCESSES_MAX = 1 << 20 };
#define NYT_TEXT_MAX ((size_t)1 << 30)      /* bytes of names and sources */

/* NYT_OK, or NYT_ELIMIT. */
int nyt_check_limits(size_t text_bytes, size_t processes, nyt_error *err);

/* ---- adler.c ---- */

/* The adler32 of X followed by Y, from those of X and Y and the length of Y. */
uint32_t nyt_adler_join(uint32_t x, uint32_t y, uint64_t y_len);
/* That of `times` copies of something with that adler32 and length. */
uint32_t nyt_adler_times(uint32_t one, uint64_t len, uint64_t times);

/* ---- writer.c, for chunks.c and output.c ---- */

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
/* Time of a line whose count is in other records, behind a DISCOUNT each. */
int  nyt_writer_time_uncounted(nyt_writer *w, const nyt_time *where, uint64_t ticks);
/* Calls whose count may exceed 32 bits; that in *r is ignored. */
int  nyt_writer_calls(nyt_writer *w, const nyt_sub_callers *r, uint64_t count);

/* ---- record.c: the table of records ---- */

struct nyt_field {
    char        type;       /* 'u' uint32_t, 'i' int32_t, 'd' double, 's' nyt_str; 0: no more */
    size_t      at;         /* where in nyt_record */
    const char *label;
};

struct nyt_record_kind {
    const char *name;       /* NULL: no such record */
    void      (*decode)(struct nyt_cursor *c, nyt_record *r);   /* NULL: not by a tag */
    const struct nyt_field *fields;
};

const struct nyt_record_kind *nyt_record_kind(int tag);     /* NULL: no record */

enum nyt_decoded {
    NYT_DECODED,
    NYT_DECODED_SHORT,          /* the cursor ends in mid-record */
    NYT_DECODED_BAD_TAG,        /* the cursor is on it */
    NYT_DECODED_BAD_STRING      /* c->bad_tag, and the cursor is on it */
};

/* Tag, then what belongs to it; sets r->tag and r->u. */
enum nyt_decoded nyt_record_decode(struct nyt_cursor *c, nyt_record *r);

/* ---- input.c: a window that moves over the bytes of a profile ---- */

/* One of: a path, a callback, memory. */
struct nyt_source {
    const char *path;
    nyt_read_fn read;
    void       *ctx;
    const void *data;
    size_t      len;
    bool        ahead, naive;   /* see struct nyt_input */
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
    bool           inflating;
    bool           ahead;           /* set by the owner: a second thread may inflate, and must */
    bool           naive;           /* not outlive the call; do not look for copies */
    uint64_t       taken;           /* bytes got from the source */
    uint64_t       inflated;        /* bytes that zlib gave */
    struct nyt_input_parts *parts;
};

int  nyt_input_begin(struct nyt_input *in, const struct nyt_source *source, nyt_error *err);
int  nyt_input_open(struct nyt_input *in, const char *path, nyt_error *err);
int  nyt_input_open_fn(struct nyt_input *in, nyt_read_fn read, void *ctx, nyt_error *err);
int  nyt_input_open_memory(struct nyt_input *in, const void *data, size_t len, nyt_error *err);
/* 1: there are more bytes behind `p` now (which has moved); 0: there will be none; or negative. */
int  nyt_input_more(struct nyt_input *in, nyt_error *err);
/* What follows `p` is a zlib stream; its end will be the end of the input. */
int  nyt_input_inflate(struct nyt_input *in, nyt_error *err);
/*
 * After `end` come copies of some bytes: true, and *copies tells which and how many. Either
 * nyt_input_skip_copies() takes them all at once, or nyt_input_more() takes them as bytes.
 */
struct nyt_copies {
    const uint8_t *data;
    size_t         len;
    uint64_t       times;
};
bool nyt_input_copies(struct nyt_input *in, struct nyt_copies *copies);
void nyt_input_skip_copies(struct nyt_input *in);
/* Where `p` is: in the file, or in the inflated data. */
uint64_t nyt_input_offset(const struct nyt_input *in);
/* After the end: what follows the zlib stream, as far as it is in memory. */
nyt_str nyt_input_tail(const struct nyt_input *in);
/* Takes NULLs and what was never opened, if it is zeroed. */
void nyt_input_close(struct nyt_input *in);

/* ---- reader.c ---- */

int nyt_reader_open_source(nyt_reader **out, const struct nyt_source *source, nyt_error *err);
/* Opens without looking at the banner: its faults come from the first nyt_reader_next(). */
int nyt_reader_begin(nyt_reader **out, const struct nyt_source *source, nyt_error *err);

/* So many equal TIME_LINE records, one after the other. */
struct nyt_hit {
    int32_t  ticks;
    uint32_t fid, line;
    uint64_t times;
    uint64_t offset;        /* of the first one */
};

/*
 * The quick way: takes TIME_LINE records that come next, up to `max` different ones and only
 * those that are in memory already. 0: go on with nyt_reader_next().
 */
size_t nyt_reader_hits(nyt_reader *r, struct nyt_hit *hits, size_t max);
/* The same for those who want sums: see line_sums.h. false: out of memory. */
struct nyt_tally;
struct nyt_stretch;
bool nyt_reader_tally(nyt_reader *r, struct nyt_tally *t, struct nyt_stretch *stretch);
/* The decimal number that a value begins with, as C's atoi() has it. */
int64_t nyt_str_to_int(nyt_str s);
bool nyt_str_is(nyt_str s, const char *word);
/* After the end: what follows the zlib stream, as far as it is in memory. */
nyt_str nyt_reader_tail(const nyt_reader *r);

/* ---- verify.c ---- */

/* Is there a "::" with something before it? Perl's tools want that of every sub's name. */
bool nyt_has_package(nyt_str name);

/* ---- text.c: text on its way out ---- */

/*
 * Large: make it on the heap. Once `status` is negative nothing more is written, so callers
 * need to look only at nyt_out_end().
 */
struct nyt_out {
    nyt_write_fn write;
    void        *ctx;
    int          status, sys_errno;
    size_t       len;
    char         data[32 * 1024];
};

void nyt_out_begin(struct nyt_out *o, nyt_write_fn write, void *ctx);
int  nyt_out_end(struct nyt_out *o, nyt_error *err);
void nyt_out_bytes(struct nyt_out *o, const void *data, size_t len);
void nyt_out_text(struct nyt_out *o, const char *text);
void nyt_out_fill(struct nyt_out *o, char c, size_t n);
/* At most 511 bytes: for numbers and words of ours. */
void nyt_out_format(struct nyt_out *o, const char *format, ...) NYT_PRINTF(2, 3);
/* As "%*.*f", but always with a point. */
void nyt_out_fixed(struct nyt_out *o, int width, int decimals, double value);
/* The same with a sign, also where it is '+'. */
void nyt_out_signed(struct nyt_out *o, int width, int decimals, double value);

/* As "%g", but always with a point. */
void nyt_out_general(struct nyt_out *o, double value);

/* The shortest text that reads back as the same number; NaN, Inf, -Inf. */
enum { NYT_NUMBER_BYTES = 40 };
const char *nyt_number(double value, char text[static NYT_NUMBER_BYTES]);

/* ASCII only. Bytes that are not UTF-8 all through are taken as Latin-1. */
void nyt_out_json_str(struct nyt_out *o, nyt_str s);
void nyt_out_json_text(struct nyt_out *o, const char *text);
/* JSON has no word for what is not finite: that becomes a string. */
void nyt_out_json_number(struct nyt_out *o, double value);

/* For terminals: no control, no direction, no invalid bytes. Returns columns, `limit` at most
 * (0: no limit). */
size_t nyt_out_safe(struct nyt_out *o, nyt_str s, size_t limit);

/* The character at `at` as nyt_out_safe() has it: terminated, its columns as the result; and how
 * many bytes it takes in the text. */
enum { NYT_SAFE_BYTES = 16 };
size_t nyt_safe_next(nyt_str s, size_t at, char shown[NYT_SAFE_BYTES], size_t *bytes);

/* So many columns nyt_out_safe() would take; the end of a text that takes `limit` at most. */
size_t  nyt_safe_columns(nyt_str s);
nyt_str nyt_safe_last(nyt_str s, size_t limit);

size_t nyt_utf8_next(const char *data, size_t len, uint32_t *code);
bool nyt_is_utf8(nyt_str s);

/* ---- hash.c: keys and names -> small numbers ---- */

/* For qsort: -1, 0 or 1. */
#define NYT_COMPARE(a, b) ((a) < (b) ? -1 : (a) > (b))

/* By bytes, then by length. */
int nyt_str_compare(nyt_str a, nyt_str b);
uint64_t nyt_str_hash(nyt_str s, uint64_t seed);

#define NYT_NONE UINT32_MAX

/* All zeros is an empty one. Pointers to values live until the next nyt_map_take(). */
struct nyt_map {
    struct nyt_map_slot *slots;
    size_t   size, count;
    uint64_t seed;
};

uint32_t *nyt_map_find(const struct nyt_map *m, uint64_t key);                  /* or NULL */
/* Adds a zero if there is nothing yet. NULL: out of memory. */
uint32_t *nyt_map_take(struct nyt_map *m, uint64_t key, bool *is_new);
/* Steps through all keys below 2^32; *at begins at 0. false: there are no more. */
bool nyt_map_next(const struct nyt_map *m, size_t *at, uint32_t *key);
/* Empty, but with all its memory. */
void nyt_map_clear(struct nyt_map *m);
void nyt_map_free(struct nyt_map *m);

static inline uint64_t nyt_pair_key(uint32_t high, uint32_t low)
{
    return (uint64_t)high << 32 | low;
}

#define NYT_NAMES_MAX 0x7FFFFFFFu

struct nyt_name {
    nyt_str  name;          /* terminated, ours */
    uint32_t next;
};

/* Names numbered from 0. Which tag a name came with makes no difference. */
enum { NYT_NAMES_RECENT = 256 };

struct nyt_names {
    struct nyt_map   by_hash;
    struct nyt_arena arena;
    struct nyt_name *list;
    size_t           count, cap;
    uint64_t         seed;
    uint32_t         recent[NYT_NAMES_RECENT];  /* by what they end with: looked at first */
};

uint32_t nyt_names_find(const struct nyt_names *n, nyt_str s);      /* NYT_NONE: unknown */
uint32_t nyt_names_take(struct nyt_names *n, nyt_str s);            /* NYT_NONE: no memory */
void nyt_names_free(struct nyt_names *n);

#endif
