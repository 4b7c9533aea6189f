/*
 * Where bytes come from: a file, memory or a callback, plain or inflated, seen through one
 * window that moves forward.
 */
#include "format/input.h"

#include "base/error.h"
#include "format/gunzip.h"
#include "format/inflate.h"
#include "format/inflate_thread.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef NYT_INPUT_BYTES
#define NYT_INPUT_BYTES (256 * 1024)
#endif
#ifndef NYT_PACKED_BYTES
#define NYT_PACKED_BYTES (512 * 1024)
#endif
#ifndef NYT_INFLATE_THREAD_FROM
#define NYT_INFLATE_THREAD_FROM (1024 * 1024)
#endif

#define NYT_GZIP_LOOK (16 * 1024)       /* less than gunzip.c holds */

/* No record can be longer: the window must hold it. */
#define NYT_WINDOW_MAX (256u * 1024 * 1024)

struct memory_source {
    const uint8_t *p;
    size_t left;
};

struct nyt_input_parts {
    nyt_read_fn read;
    void *ctx;
    FILE *file; /* NULL: not ours */
    struct memory_source memory;
    bool looked_at; /* for what gzip made: */
    struct nyt_gunzip *gunzip; /* `ctx` then */

    uint8_t *window;
    size_t window_size;
    uint64_t window_offset; /* of window[0] */

    struct nyt_inflater inflater;   /* takes from `packed` */
    struct nyt_inflate_thread *thread;    /* what runs it, or NULL */
    bool thread_tried;
    uint8_t *packed;
    size_t packed_size;
    struct nyt_copies copies; /* that come next, */
    size_t copied;            /* so much of the first was given */
    bool after_copies;        /* they came last */

    bool source_ended, ended;
    int source_status;
    int status; /* an error waits until all before it was taken */
    nyt_error fault;
};

static int read_file(void *ctx, void *data, size_t size, size_t *got)
{
    FILE *file = ctx;
    errno = 0;
    *got = fread(data, 1, size, file);
    return *got < size && ferror(file) ? NYT_EIO : 0;
}

static int read_memory(void *ctx, void *data, size_t size, size_t *got)
{
    struct memory_source *m = ctx;
    *got = size < m->left ? size : m->left;
    if (*got)
        memcpy(data, m->p, *got);
    m->p += *got;
    m->left -= *got;
    return 0;
}

int nyt_input_open_fn(struct nyt_input *in, nyt_read_fn read, void *ctx, nyt_error *err)
{
    *in = (struct nyt_input){0};
    struct nyt_input_parts *parts = calloc(1, sizeof *parts);
    uint8_t *window = malloc(NYT_INPUT_BYTES);
    if (!parts || !window) {
        free(parts);
        free(window);
        return nyt_fail(err, NYT_ENOMEM, "out of memory");
    }
    parts->read = read;
    parts->ctx = ctx;
    parts->window = window;
    parts->window_size = NYT_INPUT_BYTES;
    in->parts = parts;
    in->p = in->end = window;
    return NYT_OK;
}

int nyt_input_open(struct nyt_input *in, const char *path, nyt_error *err)
{
    *in = (struct nyt_input){0};
    FILE *file = fopen(path, "rb");
    if (!file)
        return nyt_fail_errno(err, "cannot open");
    setvbuf(file, NULL, _IONBF, 0);     /* the window is the buffer */
    int rc = nyt_input_open_fn(in, read_file, file, err);
    if (rc < 0)
        fclose(file);
    else
        in->parts->file = file;
    return rc;
}

int nyt_input_open_memory(struct nyt_input *in, const void *data, size_t len, nyt_error *err)
{
    int rc = nyt_input_open_fn(in, read_memory, NULL, err);
    if (rc == NYT_OK) {
        in->parts->memory = (struct memory_source){.p = data, .left = len};
        in->parts->ctx = &in->parts->memory;
    }
    return rc;
}

int nyt_input_begin(struct nyt_input *in, const struct nyt_source *source, nyt_error *err)
{
    int rc = source->path   ? nyt_input_open(in, source->path, err)
             : source->read ? nyt_input_open_fn(in, source->read, source->ctx, err)
                            : nyt_input_open_memory(in, source->data, source->len, err);
    in->threaded = source->threaded;
    in->naive = source->naive;
    return rc;
}

void nyt_input_close(struct nyt_input *in)
{
    struct nyt_input_parts *parts = in->parts;
    if (!parts)
        return;
    nyt_inflate_thread_free(parts->thread);
    nyt_inflater_end(&parts->inflater);
    nyt_gunzip_free(parts->gunzip);
    if (parts->file)
        fclose(parts->file);
    free(parts->packed);
    free(parts->window);
    free(parts);
    *in = (struct nyt_input){0};
}

uint64_t nyt_input_offset(const struct nyt_input *in)
{
    return in->parts->window_offset + (uint64_t)(in->p - in->parts->window);
}

/*
 * The first bytes of the source. If gzip made them, it is what they hold that is read, and `taken`
 * and offsets count in that.
 */
static int read_first(struct nyt_input_parts *parts, uint8_t *to, size_t room, size_t *got)
{
    enum { MAGIC = 2 };
    size_t more = 1;
    int rc = NYT_OK;
    parts->looked_at = true;
    room = room < NYT_GZIP_LOOK ? room : NYT_GZIP_LOOK;
    for (*got = 0; rc == NYT_OK && more && *got < MAGIC && *got < room; *got += more)
        rc = parts->read(parts->ctx, to + *got, room - *got, &more);
    if (!nyt_is_gzip(to, *got))
        return rc;
    parts->gunzip = nyt_gunzip_new(parts->read, parts->ctx, to, *got);
    if (!parts->gunzip)
        return NYT_ENOMEM;
    parts->read = nyt_gunzip_read;
    parts->ctx = parts->gunzip;
    return parts->read(parts->ctx, to, room, got);
}

/* Bytes as the source has them. *got = 0: it has ended. */
static int fetch_plain(struct nyt_input *in, uint8_t *to, size_t room, size_t *got)
{
    struct nyt_input_parts *parts = in->parts;
    *got = 0;
    if (parts->source_ended)
        return parts->source_status;
    errno = 0;
    int rc = parts->looked_at ? parts->read(parts->ctx, to, room, got)
                              : read_first(parts, to, room, got);
    in->taken += *got;
    if (rc == NYT_EIO && errno)
        nyt_fail_errno(&parts->fault, "cannot read");
    else if (rc < 0)
        nyt_fail(&parts->fault, rc, "cannot read%s: %s", parts->gunzip ? " what gzip made" : "",
                 nyt_strerror(rc));
    if (rc < 0)
        parts->fault.offset = in->taken;
    parts->source_status = rc < 0 ? rc : NYT_OK;
    parts->source_ended = rc < 0 || *got == 0;
    return parts->source_status;
}

/* ---- Inflated bytes ---- */

/* What the inflater has not taken goes to the front, and the rest is filled. */
static void feed(struct nyt_input *in)
{
    struct nyt_input_parts *parts = in->parts;
    struct nyt_inflater *f = &parts->inflater;
    size_t len = (size_t)(f->end - f->p);
    memmove(parts->packed, f->p, len);
    while (len < parts->packed_size && !parts->source_ended) {
        size_t got;
        fetch_plain(in, parts->packed + len, parts->packed_size - len, &got);
        len += got;
    }
    f->p = parts->packed;
    f->end = parts->packed + len;
    f->last = parts->source_ended;
}

/* Where in the file: how far zlib has come. If reading has failed, that is why it ends. */
static int inflate_fault(struct nyt_input *in)
{
    struct nyt_input_parts *parts = in->parts;
    const struct nyt_inflater *f = &parts->inflater;
    if (f->code == NYT_ETRUNC && parts->source_status < 0)
        return parts->source_status;
    nyt_fail(&parts->fault, f->code, "%s", f->message);
    parts->fault.offset = in->taken - (uint64_t)(f->end - f->p);
    return f->code;
}

/* Short streams are not worth a thread. */
static bool is_worth_a_thread(const struct nyt_input *in)
{
    return in->threaded && in->inflated >= NYT_INFLATE_THREAD_FROM && !in->parts->thread_tried;
}

static enum nyt_inflated inflate_step(struct nyt_input *in, uint8_t *to, size_t room, size_t *got)
{
    struct nyt_input_parts *parts = in->parts;
    if (is_worth_a_thread(in)) {
        parts->thread_tried = true;
        parts->thread = nyt_inflate_thread_new(&parts->inflater);
    }
    return parts->thread ? nyt_inflate_thread_next(parts->thread, to, room, got)
                         : nyt_inflate(&parts->inflater, to, room, got);
}

/* Bytes, or copies, or the end; *got = 0 for the last two. */
static int inflate_more(struct nyt_input *in, uint8_t *to, size_t room, size_t *got)
{
    for (;;) {
        enum nyt_inflated how = inflate_step(in, to, room, got);
        in->inflated += *got;
        in->parts->after_copies = how == NYT_INFLATED_COPIES;
        switch (how) {
        case NYT_INFLATED_SOME:
            return NYT_OK;
        case NYT_INFLATED_COPIES:
            if (in->parts->inflater.copies.len) {
                in->parts->copies = in->parts->inflater.copies;
                return NYT_OK;
            }
            break;
        case NYT_INFLATED_HUNGRY:
            feed(in);
            break;
        case NYT_INFLATED_END:
            in->parts->ended = true;
            return NYT_OK;
        case NYT_INFLATED_FAULT:
            return inflate_fault(in);
        }
    }
}

/*
 * Copies as bytes: if all of a copy has room, as many as have; else a part of it. What is left of
 * a copy is not to be so little that it can't be told from the next one: then halves are given.
 */
static size_t copy_out(struct nyt_input *in, uint8_t *to, size_t room)
{
    struct nyt_input_parts *parts = in->parts;
    struct nyt_copies *c = &parts->copies;
    size_t rest = c->len - parts->copied, done = 0;
    if (rest > room) {
        done = rest >= 2 * room ? room : (rest + 1) / 2;
        memcpy(to, c->data + parts->copied, done);
        parts->copied += done;
    }
    while (rest <= room - done && c->times) {
        memcpy(to + done, c->data + parts->copied, rest);
        done += rest;
        rest = c->len;
        parts->copied = 0;
        c->times--;
    }
    in->inflated += done;
    return done;
}

static int fetch_inflated(struct nyt_input *in, uint8_t *to, size_t room, size_t *got)
{
    int rc = NYT_OK;
    *got = 0;
    if (!in->parts->copies.times)
        rc = inflate_more(in, to, room, got);
    if (*got == 0 && in->parts->copies.times)
        *got = copy_out(in, to, room);
    return rc;
}

int nyt_input_inflate(struct nyt_input *in, nyt_error *err)
{
    struct nyt_input_parts *parts = in->parts;
    size_t left = (size_t)(in->end - in->p);
    int rc = nyt_inflater_begin(&parts->inflater, err);
    if (rc < 0)
        return rc;
    /* The rest of the window is the stream's beginning; the window itself starts anew. */
    parts->packed_size = left < NYT_PACKED_BYTES ? NYT_PACKED_BYTES : left;
    parts->packed = malloc(parts->packed_size);
    if (!parts->packed)
        return nyt_fail(err, NYT_ENOMEM, "out of memory");
    memcpy(parts->packed, in->p, left);
    parts->inflater.p = parts->packed;
    parts->inflater.end = parts->packed + left;
    parts->inflater.lookahead = parts->packed_size / 2;
    parts->inflater.naive = in->naive;
    in->p = in->end = parts->window;
    parts->window_offset = 0;
    parts->ended = false;
    parts->status = NYT_OK;
    in->inflating = true;
    return NYT_OK;
}

/* ---- The window ---- */

/* Moves what is left to the front and sees to it that at least as much fits behind it. */
static int make_room(struct nyt_input *in)
{
    struct nyt_input_parts *parts = in->parts;
    size_t left = (size_t)(in->end - in->p);
    parts->window_offset += (uint64_t)(in->p - parts->window);
    memmove(parts->window, in->p, left);
    in->p = parts->window;
    in->end = in->p + left;
    if (left > parts->window_size / 2) {
        if (parts->window_size >= NYT_WINDOW_MAX)
            return nyt_fail(&parts->fault, NYT_ELIMIT, "a record is longer than %u MiB",
                            NYT_WINDOW_MAX / (1024 * 1024));
        uint8_t *window = realloc(parts->window, parts->window_size * 2);
        if (!window)
            return nyt_fail(&parts->fault, NYT_ENOMEM, "out of memory");
        parts->window = window;
        parts->window_size *= 2;
        in->p = window;
        in->end = in->p + left;
    }
    return NYT_OK;
}

/*
 * Before the window is full: the bytes are worth a look when copies follow, and when another
 * thread inflates that could go on.
 */
static bool is_enough(const struct nyt_input *in, const uint8_t *end, size_t fresh)
{
    const struct nyt_input_parts *parts = in->parts;
    if (parts->copies.times)
        return parts->copied == 0;
    return parts->thread && fresh >= parts->window_size / 4 &&
           (size_t)(end - parts->window) >= parts->window_size / 2;
}

/* A record that is short is tried again only with a good deal more. */
static void fill_window(struct nyt_input *in)
{
    struct nyt_input_parts *parts = in->parts;
    uint8_t *limit = parts->window + parts->window_size;
    uint8_t *begin = parts->window + (in->end - in->p), *at = begin;
    while (at < limit && parts->status == NYT_OK && !parts->ended) {
        size_t room = (size_t)(limit - at), got;
        parts->status = in->inflating ? fetch_inflated(in, at, room, &got)
                                      : fetch_plain(in, at, room, &got);
        if (got == 0 && parts->status == NYT_OK)
            parts->ended = true;
        at += got;
        if (is_enough(in, at, (size_t)(at - begin)))
            break;
    }
    in->end = at;
}

int nyt_input_more(struct nyt_input *in, nyt_error *err)
{
    struct nyt_input_parts *parts = in->parts;
    size_t before = (size_t)(in->end - in->p);
    if (parts->status == NYT_OK && !parts->ended) {
        parts->status = make_room(in);
        if (parts->status == NYT_OK)
            fill_window(in);
    }
    if ((size_t)(in->end - in->p) > before)
        return 1;
    if (parts->status < 0 && err)
        *err = parts->fault;
    return parts->status;
}

/* After copies there may come more of the same: what comes is put into the window. */
static void look_further(struct nyt_input *in)
{
    struct nyt_input_parts *parts = in->parts;
    size_t got = 0;
    parts->status = make_room(in);
    if (parts->status == NYT_OK)
        parts->status = inflate_more(in, parts->window + (in->end - in->p),
                                     parts->window_size - (size_t)(in->end - in->p), &got);
    in->end += got;
}

bool nyt_input_copies(struct nyt_input *in, struct nyt_copies *copies)
{
    struct nyt_input_parts *parts = in->parts;
    if (!parts->copies.times && parts->after_copies && parts->status == NYT_OK && !parts->ended)
        look_further(in);
    if (parts->copied || !parts->copies.times)
        return false;
    *copies = parts->copies;
    return true;
}

void nyt_input_skip_copies(struct nyt_input *in)
{
    struct nyt_copies *c = &in->parts->copies;
    in->inflated += c->len * c->times;
    in->parts->window_offset += c->len * c->times;
    c->times = 0;
}

nyt_str nyt_input_tail(const struct nyt_input *in)
{
    if (!in->inflating)
        return (nyt_str){.data = ""};
    const struct nyt_inflater *f = &in->parts->inflater;
    return (nyt_str){.data = (const char *)f->p, .len = (size_t)(f->end - f->p)};
}
