/* Text on its way out: buffer, numbers, and foreign bytes made harmless. */
#ifndef NYT_BASE_TEXT_H
#define NYT_BASE_TEXT_H

#include "base/error.h"

/*
 * Large: make it on the heap. Once `status` is negative nothing more is written, so callers
 * need to look only at nyt_out_end().
 */
struct nyt_out {
    nyt_write_fn write;
    void *ctx;
    int status, sys_errno;
    size_t len;
    char data[32 * 1024];
};

void nyt_out_begin(struct nyt_out *o, nyt_write_fn write, void *ctx);
int nyt_out_end(struct nyt_out *o, nyt_error *err);
void nyt_out_bytes(struct nyt_out *o, const void *data, size_t len);
static inline void nyt_out_char(struct nyt_out *o, char c)
{
    if (o->len < sizeof o->data)
        o->data[o->len++] = c;
    else
        nyt_out_bytes(o, &c, 1);
}
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

/* 1,234,567 and 12.3 ms, right-aligned in `width` columns (0: as long as they are). */
void nyt_out_count(struct nyt_out *o, int64_t count, int width);
void nyt_out_time(struct nyt_out *o, double seconds, int width);
/* The same with a '~' before it. */
void nyt_out_rough_time(struct nyt_out *o, double seconds, int width);
/* The same with a sign, also where it is '+'. */
void nyt_out_count_change(struct nyt_out *o, int64_t count, int width);
void nyt_out_time_change(struct nyt_out *o, double seconds, int width);
/* The same with a '~' before the sign. */
void nyt_out_rough_time_change(struct nyt_out *o, double seconds, int width);

/* For terminals: no control, no direction, no invalid bytes. Returns columns, `limit` at most
 * (0: no limit). */
size_t nyt_out_safe(struct nyt_out *o, nyt_str s, size_t limit);

/* The character at `at` as nyt_out_safe() has it: terminated, its columns as the result; and how
 * many bytes it takes in the text. */
enum { NYT_SAFE_BYTES = 16 };
size_t nyt_safe_next(nyt_str s, size_t at, char shown[NYT_SAFE_BYTES], size_t *bytes);

/* So many columns nyt_out_safe() would take; the end of a text that takes `limit` at most. */
size_t nyt_safe_columns(nyt_str s);
nyt_str nyt_safe_last(nyt_str s, size_t limit);

#endif
