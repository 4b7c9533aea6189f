/* Profiles made by hand, byte by byte: also such as no writer of ours would write. */
#ifndef BYTES_H
#define BYTES_H

#include <string.h>

#include "format/codec.h"

struct bytes {
    size_t len;
    uint8_t data[1 << 16];
};

static inline void add_raw(struct bytes *b, const void *data, size_t len)
{
    memcpy(b->data + b->len, data, len);
    b->len += len;
}

static inline void add_text(struct bytes *b, const char *text)
{
    add_raw(b, text, strlen(text));
}

static inline void add_u32(struct bytes *b, uint32_t value)
{
    b->len = (size_t)(nyt_put_u32(b->data + b->len, value) - b->data);
}

static inline void add_nv(struct bytes *b, double value)
{
    b->len = (size_t)(nyt_put_nv(b->data + b->len, value) - b->data);
}

static inline void add_str(struct bytes *b, const char *text)
{
    nyt_str s = {.data = text, .len = strlen(text)};
    b->len = (size_t)(nyt_put_str(b->data + b->len, s) - b->data);
}

/* 'u' and 'd' take a number, 's' a string; `format` begins with the tag. */
static inline void add_record(struct bytes *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_raw(b, format, 1);
    for (const char *p = format + 1; *p; p++) {
        if (*p == 'u')
            add_u32(b, va_arg(args, unsigned));
        else if (*p == 'd')
            add_nv(b, va_arg(args, double));
        else
            add_str(b, va_arg(args, const char *));
    }
    va_end(args);
}

static inline void add_header(struct bytes *b)
{
    add_text(b, "NYTProf 5 0\n:basetime=1700000000\n:application=x\n:ticks_per_sec=10000000\n"
                ":cumulative_overhead_ticks=0\n");
}

/* One process of one second, with fid 1 for what is to come. */
static inline void add_start(struct bytes *b)
{
    add_record(b, "Puud", 7u, 1u, 1.7e9);
    add_record(b, "@uuuuuus", 1u, 0u, 0u, 50u, 0u, 0u, "/x.py");
}

static inline void add_end(struct bytes *b)
{
    add_record(b, "pud", 7u, 1.7e9 + 1);
}

#endif
