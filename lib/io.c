/*
 * Where bytes come from: a file, memory or a callback, plain or inflated, seen through one
 * window that moves forward.
 */
#include "private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#ifndef NYT_INPUT_BYTES
#define NYT_INPUT_BYTES (256 * 1024)
#endif

/* No record can be longer: the window must hold it. */
#define NYT_WINDOW_MAX (256u * 1024 * 1024)

struct memory_source {
    const uint8_t *p;
    size_t         left;
};

struct nyt_input_parts {
    nyt_read_fn read;
    void       *ctx;
    FILE       *file;               /* NULL: not ours */
    struct memory_source memory;

    uint8_t  *window;
    size_t    window_size;
    uint64_t  window_offset;        /* of window[0] */

    z_stream  z;
    bool      z_live;
    uint8_t  *packed;               /* what is still to be inflated: z.next_in points there */
    size_t    packed_size;

    bool      source_ended, ended;
    int       source_status;
    int       status;               /* an error waits until all before it was taken */
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
    if (source->path)
        return nyt_input_open(in, source->path, err);
    if (source->read)
        return nyt_input_open_fn(in, source->read, source->ctx, err);
    return nyt_input_open_memory(in, source->data, source->len, err);
}

void nyt_input_close(struct nyt_input *in)
{
    struct nyt_input_parts *parts = in->parts;
    if (!parts)
        return;
    if (parts->z_live)
        inflateEnd(&parts->z);
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

/* Bytes as the source has them. *got = 0: it has ended. */
static int fetch_plain(struct nyt_input *in, uint8_t *to, size_t room, size_t *got)
{
    struct nyt_input_parts *parts = in->parts;
    *got = 0;
    if (parts->source_ended)
        return parts->source_status;
    errno = 0;
    int rc = parts->read(parts->ctx, to, room, got);
    in->taken += *got;
    if (rc == NYT_EIO && errno)
        nyt_fail_errno(&parts->fault, "cannot read");
    else if (rc < 0)
        nyt_fail(&parts->fault, rc, "cannot read: %s", nyt_strerror(rc));
    if (rc < 0)
        parts->fault.offset = in->taken;
    parts->source_status = rc < 0 ? rc : NYT_OK;
    parts->source_ended = rc < 0 || *got == 0;
    return parts->source_status;
}

/* In the file: how far zlib has come. */
static int inflate_fault(struct nyt_input *in, int code, const char *what)
{
    struct nyt_input_parts *parts = in->parts;
    nyt_fail(&parts->fault, code, "%s", what);
    parts->fault.offset = in->taken - parts->z.avail_in;
    return code;
}

/* What one call of inflate() said. `stuck`: it had no input left, and there is none. */
static int inflate_result(struct nyt_input *in, int z_code, bool stuck)
{
    struct nyt_input_parts *parts = in->parts;
    char text[120];
    switch (z_code) {
    case Z_STREAM_END:
        parts->ended = true;
        return NYT_OK;
    case Z_OK:
    case Z_BUF_ERROR:
        return stuck ? inflate_fault(in, NYT_ETRUNC, "the file ends inside its compressed data")
                     : NYT_OK;
    case Z_MEM_ERROR:
        return inflate_fault(in, NYT_ENOMEM, "out of memory");
    default:
        snprintf(text, sizeof text, "the compressed data is damaged: %s",
                 z_code == Z_NEED_DICT ? "a dictionary is wanted"
                 : parts->z.msg       ? parts->z.msg
                                      : zError(z_code));
        return inflate_fault(in, NYT_EDEFLATE, text);
    }
}

static int fetch_inflated(struct nyt_input *in, uint8_t *to, size_t room, size_t *got)
{
    struct nyt_input_parts *parts = in->parts;
    z_stream *z = &parts->z;
    z->next_out = to;
    z->avail_out = (uInt)room;
    int rc = NYT_OK;
    while (rc == NYT_OK && z->avail_out == room && !parts->ended) {
        if (z->avail_in == 0) {
            size_t more;
            rc = fetch_plain(in, parts->packed, parts->packed_size, &more);
            if (rc < 0)
                break;
            z->next_in = parts->packed;
            z->avail_in = (uInt)more;
        }
        int z_code = inflate(z, Z_NO_FLUSH);
        bool stuck = z->avail_out == room && z->avail_in == 0 && parts->source_ended;
        rc = inflate_result(in, z_code, stuck);
    }
    *got = room - z->avail_out;
    in->inflated += *got;
    return rc;
}

int nyt_input_inflate(struct nyt_input *in, nyt_error *err)
{
    struct nyt_input_parts *parts = in->parts;
    size_t left = (size_t)(in->end - in->p);
    if (inflateInit(&parts->z) != Z_OK)
        return nyt_fail(err, NYT_ENOMEM, "out of memory");
    parts->z_live = true;
    /* The rest of the window is the stream's beginning; the window itself starts anew. */
    parts->packed_size = parts->window_size;
    parts->packed = malloc(parts->packed_size);
    if (!parts->packed)
        return nyt_fail(err, NYT_ENOMEM, "out of memory");
    memcpy(parts->packed, in->p, left);
    parts->z.next_in = parts->packed;
    parts->z.avail_in = (uInt)left;
    in->p = in->end = parts->window;
    parts->window_offset = 0;
    parts->ended = false;
    parts->status = NYT_OK;
    in->inflating = true;
    return NYT_OK;
}

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

/* Fills all of the window: a record is tried again only with twice the bytes. */
static void fill_window(struct nyt_input *in)
{
    struct nyt_input_parts *parts = in->parts;
    uint8_t *limit = parts->window + parts->window_size;
    uint8_t *at = parts->window + (in->end - in->p);
    while (at < limit && parts->status == NYT_OK && !parts->ended) {
        size_t room = (size_t)(limit - at), got;
        parts->status = in->inflating ? fetch_inflated(in, at, room, &got)
                                      : fetch_plain(in, at, room, &got);
        if (got == 0 && parts->status == NYT_OK)
            parts->ended = true;
        at += got;
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

nyt_str nyt_input_tail(const struct nyt_input *in)
{
    if (!in->inflating)
        return (nyt_str){.data = ""};
    return (nyt_str){.data = (const char *)in->parts->z.next_in, .len = in->parts->z.avail_in};
}
