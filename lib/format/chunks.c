/*
 * Chunks to records. Each chunk is walked twice: a first time to check it against
 * docs/format.md and what came before, so that a refused one leaves no trace, and a
 * second time, trusting it, to write its records.
 */
#include "nytprof.h"

#include "base/error.h"
#include "base/memory.h"
#include "format/name_block.h"
#include "format/pieces.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    SUB_ID_MAX = (1 << 24) - 1,
    SUB_PAGE = 256,                 /* ids may be anywhere, but tracers have them side by side */
    SUB_HEAD = 16,
    TIMES_ITEM = 40,
    CALLS_ITEM = 52,
    TREE_ITEM = 24,
    END_ITEM = 20,
    CONTEXT_ITEM = 4
};

static const struct nyt_block_name NO_CALLER = {.text = {.data = "python::(start)", .len = 15}};

struct nyt_chunks {
    nyt_writer *w;
    nyt_pieces *pieces; /* may be NULL */
    int level;
    bool begun; /* the first P came */
    bool in_section;
    uint32_t section; /* its id */
    uint32_t fids;    /* so far; they are dense */
    struct nyt_block_name **subs; /* by id, in pages of SUB_PAGE; .text.data NULL: not defined */
    struct nyt_block_name no_caller;
    struct nyt_name_block block;  /* where records of subs and calls are compressed */
    size_t pages;
    struct nyt_arena names;
    uint32_t open_calls; /* of the tree: how deep returns are still due */
    uint64_t overhead;
};

/* ---- Payloads, little-endian ---- */

struct payload {
    const uint8_t *start, *p, *end;
    char token;
    nyt_error *err;
};

static uint32_t le32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t le64(const uint8_t *p)
{
    return le32(p) | (uint64_t)le32(p + 4) << 32;
}

static double le_double(const uint8_t *p)
{
    uint64_t bits = le64(p);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Fails the chunk for its item at `at`. */
static int refuse(const struct payload *in, const uint8_t *at, const char *reason)
{
    nyt_fail(in->err, NYT_ECHUNK, "chunk %c: %s", in->token, reason);
    if (in->err)
        in->err->offset = (uint64_t)(at - in->start);
    return NYT_ECHUNK;
}

static int refuse_number(const struct payload *in, const uint8_t *at, const char *reason,
                         uint32_t number)
{
    char text[80];
    snprintf(text, sizeof text, "%s %" PRIu32, reason, number);
    return refuse(in, at, text);
}

/* The next `len` bytes, or NULL where there are fewer. */
static const uint8_t *take(struct payload *in, size_t len)
{
    if ((size_t)(in->end - in->p) < len)
        return NULL;
    in->p += len;
    return in->p - len;
}

static bool take_str(struct payload *in, nyt_str *s)
{
    const uint8_t *len = take(in, 4);
    const uint8_t *data = len ? take(in, le32(len)) : NULL;
    if (!data)
        return false;
    *s = (nyt_str){.data = (const char *)data, .len = le32(len)};
    return true;
}

/* ---- Checks that several chunks share ---- */

typedef int item_check(nyt_chunks *c, const struct payload *in, const uint8_t *item);

/* All items of a chunk that is nothing but items of one size. */
static int check_items(nyt_chunks *c, const struct payload *in, size_t size, item_check *check)
{
    const uint8_t *at = in->p;
    for (; (size_t)(in->end - at) >= size; at += size) {
        int rc = check(c, in, at);
        if (rc < 0)
            return rc;
    }
    return at == in->end ? NYT_OK : refuse(in, at, "ends in the middle of an item");
}

static bool fid_known(const nyt_chunks *c, uint32_t fid)
{
    return fid != 0 && fid <= c->fids;
}

/* Where the name of an id is or will be; NULL: there is no page for it yet. */
static struct nyt_block_name *sub_at(const nyt_chunks *c, uint32_t id)
{
    uint32_t page = id / SUB_PAGE;
    return page < c->pages && c->subs[page] ? &c->subs[page][id % SUB_PAGE] : NULL;
}

static bool sub_known(const nyt_chunks *c, uint32_t id)
{
    const struct nyt_block_name *name = sub_at(c, id);
    return name && name->text.data;
}

static bool all_finite(const uint8_t *doubles, int n)
{
    for (; n > 0; n--, doubles += 8)
        if (!isfinite(le_double(doubles)))
            return false;
    return true;
}

/* ---- P: a section starts ---- */

/* One text record of the header, by the first character of its key. */
static int header_pair(struct payload *in, nyt_writer *w)
{
    nyt_str key, value;
    const uint8_t *at = in->p;
    if (!take_str(in, &key) || !take_str(in, &value))
        return refuse(in, at, "ends in the middle of an item");
    if (key.len == 0 || !strchr(":!#", key.data[0]) || key.data[0] == '\0')
        return refuse(in, at, "a key must begin with one of : ! #");
    if (memchr(key.data, '\n', key.len) || memchr(key.data, '=', key.len))
        return refuse(in, at, "newline or = in a key");
    if (memchr(value.data, '\n', value.len))
        return refuse(in, at, "newline in a value");
    if (!w)
        return NYT_OK;
    nyt_str name = {.data = key.data + 1, .len = key.len - 1};
    switch (key.data[0]) {
    case ':':
        return nyt_writer_attribute(w, name, value);
    case '!':
        return nyt_writer_option(w, name, value);
    default:
        return nyt_writer_comment(w, value);
    }
}

/* With a writer the pairs are written, without one only checked. */
static int header_pairs(struct payload in, nyt_writer *w)
{
    while (in.p != in.end) {
        int rc = header_pair(&in, w);
        if (rc < 0)
            return rc;
    }
    return NYT_OK;
}

static int write_start(nyt_chunks *c, struct payload in)
{
    if (c->in_section)
        return refuse(&in, in.p, "the section before has not ended");
    const uint8_t *head = take(&in, 16);
    if (!head)
        return refuse(&in, in.p, "ends in the middle of an item");
    if (!all_finite(head + 8, 1))
        return refuse(&in, head, "a time is not finite");
    if (c->begun && in.p != in.end)
        return refuse(&in, in.p, "only the first section has a header");
    int rc = header_pairs(in, NULL);
    if (rc < 0)
        return rc;
    if (!c->begun) {
        header_pairs(in, c->w);
        nyt_writer_start_deflate(c->w);
    }
    c->begun = true;
    c->in_section = true;
    c->section = le32(head);
    nyt_pid_start r = {.pid = c->section, .parent = le32(head + 4), .time = le_double(head + 8)};
    return nyt_writer_pid_start(c->w, &r);
}

/* ---- F: a file ---- */

static int take_file(nyt_chunks *c, struct payload *in, nyt_new_fid *r, uint32_t *lines)
{
    const uint8_t *head = take(in, 24);
    nyt_str name;
    if (!head || !take_str(in, &name))
        return refuse(in, in->start, "ends in the middle of an item");
    const uint8_t *count = take(in, 4);
    if (!count)
        return refuse(in, in->start, "ends in the middle of an item");
    *r = (nyt_new_fid){.fid = le32(head),
                       .eval_fid = le32(head + 4),
                       .eval_line = le32(head + 8),
                       .flags = le32(head + 12),
                       .size = le32(head + 16),
                       .mtime = le32(head + 20),
                       .name = name};
    *lines = le32(count);
    if (r->fid != c->fids + 1)
        return refuse_number(in, in->start, "fids must be dense and in order, not", r->fid);
    if (r->eval_fid && !fid_known(c, r->eval_fid))
        return refuse_number(in, in->start, "unknown parent fid", r->eval_fid);
    return NYT_OK;
}

static int check_lines(struct payload in, uint32_t lines)
{
    nyt_str text;
    for (; lines; lines--) {
        const uint8_t *at = in.p;
        if (!take_str(&in, &text))
            return refuse(&in, at, "ends in the middle of an item");
    }
    return in.p == in.end ? NYT_OK : refuse(&in, in.p, "bytes behind the last item");
}

static void put_file(nyt_chunks *c, struct payload in, const nyt_new_fid *file, uint32_t lines)
{
    nyt_src_line r = {.fid = file->fid};
    nyt_writer_new_fid(c->w, file);
    while (r.line < lines) {
        take_str(&in, &r.text);
        r.line++;
        nyt_writer_src_line(c->w, &r);
    }
}

/*
 * Where the block of this file is to be kept, or NULL: there is nowhere, or no need; it works as
 * well, only slower. What is tiny, as what stands for a file before there is any, must not push
 * out what an earlier process has stored.
 */
static struct nyt_piece *place_for(nyt_chunks *c, uint32_t fid, size_t payload_len)
{
    enum { TINY = 96 };
    struct nyt_piece *piece = c->pieces && c->level ? nyt_piece_for(c->pieces, fid) : NULL;
    return piece && piece->stored && payload_len < TINY ? NULL : piece;
}

/* A file with source is a segment of its own, or several. */
static int put_source(nyt_chunks *c, struct payload in, const nyt_new_fid *file, uint32_t lines)
{
    struct nyt_piece *kept = place_for(c, file->fid, (size_t)(in.end - in.start));
    nyt_writer_cut(c->w);
    if (kept) {
        nyt_piece_begin(kept);
        nyt_writer_block_begin(c->w, &kept->block);
    }
    put_file(c, in, file, lines);
    int rc = nyt_writer_cut(c->w);
    if (kept) {
        rc = nyt_writer_block_end(c->w);
        if (rc == NYT_OK)
            nyt_piece_made(c->pieces, kept, in.start, (size_t)(in.end - in.start), lines, c->level);
    }
    return rc;
}

static const struct nyt_piece *piece_of(nyt_chunks *c, uint32_t fid, const struct payload *in)
{
    return c->pieces
               ? nyt_piece_find(c->pieces, fid, in->start, (size_t)(in->end - in->start), c->level)
               : NULL;
}

static int write_file(nyt_chunks *c, struct payload in)
{
    nyt_new_fid file;
    uint32_t lines;
    int rc = take_file(c, &in, &file, &lines);
    if (rc < 0)
        return rc;
    const struct nyt_piece *piece = piece_of(c, file.fid, &in);
    if (piece) {
        c->fids++;
        nyt_writer_cut(c->w);
        return nyt_writer_block_again(c->w, &piece->block);
    }
    rc = check_lines(in, lines);
    if (rc < 0)
        return rc;
    c->fids++;
    if (lines)
        return put_source(c, in, &file, lines);
    put_file(c, in, &file, 0);
    return nyt_writer_status(c->w, NULL);
}

/* The first that nobody has told the chunks of: fids are dense. */
static int write_kept(nyt_chunks *c, uint32_t fid)
{
    const struct nyt_piece *piece = c->pieces ? nyt_piece_known(c->pieces, fid) : NULL;
    if (!piece || !c->in_section || fid != c->fids + 1 || c->level != piece->level)
        return NYT_EAPI;
    c->fids++;
    nyt_writer_cut(c->w);
    return nyt_writer_block_again(c->w, &piece->block);
}

/* ---- Blocks with names ---- */

/*
 * Where it shall be quick, records of subs and calls are blocks of their own; a damaged file loses no
 * more than one. Else they go the usual way.
 */
enum { NAMES_BLOCK = 256 * 1024 };

static void end_names(nyt_chunks *c)
{
    if (c->block.plain.len == 0)
        return;
    nyt_name_block_end(&c->block);
    nyt_writer_packed(c->w, &c->block.plain, &c->block.packed);
    nyt_name_block_next(&c->block);
}

static void names_added(nyt_chunks *c, bool ok)
{
    if (!ok)
        nyt_writer_packed(c->w, NULL, NULL);
    else if (c->block.plain.len >= NAMES_BLOCK)
        end_names(c);
}

/* ---- D: subs ---- */

static bool take_sub(struct payload *in, uint32_t *id, nyt_sub_info *r)
{
    const uint8_t *head = take(in, SUB_HEAD);
    if (!head || !take_str(in, &r->name))
        return false;
    *id = le32(head);
    r->fid = le32(head + 4);
    r->first = le32(head + 8);
    r->last = le32(head + 12);
    return true;
}

static bool has_sub_page(nyt_chunks *c, uint32_t page)
{
    struct nyt_block_name **grown = nyt_grow(c->subs, &c->pages, (size_t)page + 1, sizeof *grown);
    if (!grown)
        return false;
    c->subs = grown;
    if (!grown[page])
        grown[page] = calloc(SUB_PAGE, sizeof *grown[page]);
    return grown[page] != NULL;
}

static int add_sub(nyt_chunks *c, uint32_t id, nyt_str name, nyt_error *err)
{
    bool ok = has_sub_page(c, id / SUB_PAGE);
    if (ok)
        name = nyt_arena_str(&c->names, name, &ok);
    if (!ok)
        return nyt_fail(err, NYT_ENOMEM, "out of memory");
    *sub_at(c, id) = (struct nyt_block_name){.text = name};
    return NYT_OK;
}

/* Enters the names on the way, so that two of one id are found. */
static int check_subs(nyt_chunks *c, struct payload in, const uint8_t **checked)
{
    uint32_t id;
    nyt_sub_info r;
    for (*checked = in.p; in.p != in.end; *checked = in.p) {
        const uint8_t *at = in.p;
        if (!take_sub(&in, &id, &r))
            return refuse(&in, at, "ends in the middle of an item");
        if (id == 0 || id > SUB_ID_MAX)
            return refuse_number(&in, at, "impossible sub id", id);
        if (sub_known(c, id))
            return refuse_number(&in, at, "a second definition of sub id", id);
        if (!fid_known(c, r.fid))
            return refuse_number(&in, at, "unknown fid", r.fid);
        int rc = add_sub(c, id, r.name, in.err);
        if (rc < 0)
            return rc;
    }
    return NYT_OK;
}

static void forget_subs(nyt_chunks *c, struct payload in, const uint8_t *checked)
{
    uint32_t id;
    nyt_sub_info r;
    while (in.p != checked && take_sub(&in, &id, &r))
        sub_at(c, id)->text.data = NULL;
}

/* Perl's readers tell a sub of another language by a call from nowhere. */
static void put_sub(nyt_chunks *c, const nyt_sub_info *r, struct nyt_block_name *name)
{
    struct nyt_block_name nobody = {.text = {.data = ""}};
    nyt_sub_callers marker = {.caller = nobody.text, .called = r->name};
    bool foreign = r->first == 0 && r->last == 0;
    if (nyt_writer_is_quick(c->w)) {
        names_added(c, nyt_name_block_info(&c->block, r, name));
        if (foreign)
            names_added(c, nyt_name_block_callers(&c->block, &marker, &nobody, name));
    } else {
        nyt_writer_sub_info(c->w, r);
        if (foreign)
            nyt_writer_sub_callers(c->w, &marker);
    }
}

static int write_subs(nyt_chunks *c, struct payload in)
{
    const uint8_t *checked;
    int rc = check_subs(c, in, &checked);
    if (rc < 0) {
        forget_subs(c, in, checked);
        return rc;
    }
    uint32_t id = 0;
    nyt_sub_info r;
    while (in.p != in.end) {
        bool taken = take_sub(&in, &id, &r);
        assert(taken);          /* check_subs() has seen it */
        (void)taken;
        put_sub(c, &r, sub_at(c, id));
    }
    end_names(c);
    return nyt_writer_status(c->w, NULL);
}

/* ---- S: lines ---- */

static int check_time(nyt_chunks *c, const struct payload *in, const uint8_t *item)
{
    if (!fid_known(c, le32(item)))
        return refuse_number(in, item, "unknown fid", le32(item));
    if (le64(item + 16) > NYT_COUNT_MAX)
        return refuse(in, item, "impossible count");
    return NYT_OK;
}

static void write_runs(nyt_chunks *c, struct payload in, enum nyt_runs which)
{
    for (const uint8_t *p = in.p; p != in.end; p += TIMES_ITEM) {
        nyt_time where = {.fid = le32(p),
                          .line = le32(p + 4),
                          .block_line = le32(p + 8),
                          .sub_line = le32(p + 12)};
        nyt_writer_runs(c->w, &where, le64(p + 16), le64(p + 24), which);
    }
}

static int write_times(nyt_chunks *c, struct payload in)
{
    int rc = check_items(c, &in, TIMES_ITEM, check_time);
    if (rc < 0)
        return rc;
    if (nyt_writer_is_quick(c->w)) {
        write_runs(c, in, NYT_RUNS_IN_BLOCKS);
        return nyt_writer_cut(c->w);
    }
    write_runs(c, in, NYT_RUNS_SHORT);
    write_runs(c, in, NYT_RUNS_LONG);
    return nyt_writer_status(c->w, NULL);
}

/* ---- C: calls ---- */

static int check_call(nyt_chunks *c, const struct payload *in, const uint8_t *item)
{
    uint32_t fid = le32(item), caller = le32(item + 8), callee = le32(item + 12);
    if (!fid_known(c, fid))
        return refuse_number(in, item, "unknown fid", fid);
    if (caller && !sub_known(c, caller))
        return refuse_number(in, item, "unknown sub id", caller);
    if (!sub_known(c, callee))
        return refuse_number(in, item, "unknown sub id", callee);
    if (le64(item + 16) > NYT_COUNT_MAX)
        return refuse(in, item, "impossible count");
    if (!all_finite(item + 24, 3))
        return refuse(in, item, "a time is not finite");
    return NYT_OK;
}

/* A count that 32 bits don't hold takes several records; all time is in the first. */
static void put_calls(nyt_chunks *c, nyt_sub_callers *r, uint64_t count,
                      struct nyt_block_name *caller, struct nyt_block_name *called)
{
    do {
        r->count = count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
        names_added(c, nyt_name_block_callers(&c->block, r, caller, called));
        count -= r->count;
        r->incl = r->excl = r->reci = 0;
    } while (count);
}

static int write_calls(nyt_chunks *c, struct payload in)
{
    int rc = check_items(c, &in, CALLS_ITEM, check_call);
    if (rc < 0)
        return rc;
    bool quick = nyt_writer_is_quick(c->w);
    for (const uint8_t *p = in.p; p != in.end; p += CALLS_ITEM) {
        uint32_t id = le32(p + 8);
        struct nyt_block_name *caller = id ? sub_at(c, id) : &c->no_caller;
        struct nyt_block_name *called = sub_at(c, le32(p + 12));
        nyt_sub_callers r = {.fid = le32(p),
                             .line = le32(p + 4),
                             .caller = caller->text,
                             .called = called->text,
                             .incl = le_double(p + 24),
                             .excl = le_double(p + 32),
                             .reci = le_double(p + 40),
                             .depth = le32(p + 48)};
        if (quick)
            put_calls(c, &r, le64(p + 16), caller, called);
        else
            nyt_writer_calls(c->w, &r, le64(p + 16));
    }
    end_names(c);
    return nyt_writer_status(c->w, NULL);
}

/* ---- T: the call tree ---- */

/*
 * Readers rebuild the tree from the depths alone: a return at depth d opens what lies
 * between the innermost open call and d, and closes d. So none may be above an open one.
 */
static int check_return(nyt_chunks *c, const struct payload *in, const uint8_t *item)
{
    uint32_t depth = le32(item), sub = le32(item + 4);
    if (depth == 0 || depth < c->open_calls)
        return refuse_number(in, item, "not in post-order: depth", depth);
    if (!sub_known(c, sub))
        return refuse_number(in, item, "unknown sub id", sub);
    if (!all_finite(item + 8, 2))
        return refuse(in, item, "a time is not finite");
    c->open_calls = depth - 1;
    return NYT_OK;
}

static int write_tree(nyt_chunks *c, struct payload in)
{
    uint32_t before = c->open_calls;
    int rc = check_items(c, &in, TREE_ITEM, check_return);
    if (rc < 0) {
        c->open_calls = before;
        return rc;
    }
    bool quick = nyt_writer_is_quick(c->w);
    for (const uint8_t *p = in.p; p != in.end; p += TREE_ITEM) {
        struct nyt_block_name *name = sub_at(c, le32(p + 4));
        nyt_sub_return r = {.depth = le32(p),
                            .incl = le_double(p + 8),
                            .excl = le_double(p + 16),
                            .name = name->text};
        if (quick)
            names_added(c, nyt_name_block_return(&c->block, &r, name));
        else
            nyt_writer_sub_return(c->w, &r);
    }
    end_names(c);
    return nyt_writer_status(c->w, NULL);
}

/* ---- E: a section ends ---- */

static int write_end(nyt_chunks *c, struct payload in)
{
    const uint8_t *p = in.p;
    size_t len = (size_t)(in.end - p);
    if (len != END_ITEM)
        return refuse(&in, p,
                      len < END_ITEM ? "ends in the middle of an item"
                                     : "bytes behind the last item");
    if (le32(p) != c->section)
        return refuse_number(&in, p, "the open section has another id than", le32(p));
    if (!all_finite(p + 4, 1))
        return refuse(&in, p, "a time is not finite");
    if (c->open_calls)
        return refuse_number(&in, p, "the call tree still lacks the return at depth",
                             c->open_calls);
    uint64_t ticks = le64(p + 12);
    c->overhead = ticks < UINT64_MAX - c->overhead ? c->overhead + ticks : UINT64_MAX;
    c->in_section = false;
    nyt_pid_end r = {.pid = le32(p), .time = le_double(p + 4)};
    return nyt_writer_pid_end(c->w, &r);
}

/* ---- U: of which units of work what follows is ---- */

static int write_context(nyt_chunks *c, struct payload in)
{
    char text[24];
    size_t len = (size_t)(in.end - in.p);
    if (len != CONTEXT_ITEM)
        return refuse(&in, in.p,
                      len < CONTEXT_ITEM ? "ends in the middle of an item"
                                         : "bytes behind the last item");
    int n = snprintf(text, sizeof text, "of unit %" PRIu32, le32(in.p));
    return nyt_writer_comment(c->w, (nyt_str){.data = text, .len = (size_t)n});
}

/* ---- All of them ---- */

static int (*const write_token[128])(nyt_chunks *, struct payload) = {
    ['P'] = write_start, ['F'] = write_file, ['D'] = write_subs, ['S'] = write_times,
    ['C'] = write_calls, ['T'] = write_tree, ['E'] = write_end,  ['U'] = write_context,
};

int nyt_chunks_write(nyt_chunks *c, char token, const void *payload, size_t len, nyt_error *err)
{
    static const uint8_t nothing[1];
    const uint8_t *start = len ? payload : nothing;
    struct payload in = {
        .start = start, .p = start, .end = start + len, .token = token, .err = err};
    int rc = nyt_writer_status(c->w, err);
    if (rc != NYT_OK)
        return rc;
    unsigned index = (unsigned char)token;
    if (index >= 128 || !write_token[index]) {
        in.token = '?';
        return refuse_number(&in, start, "unknown token, byte", index);
    }
    if (!c->in_section && token != 'P')
        return refuse(&in, start, "no section is open");
    rc = write_token[index](c, in);
    if (rc != NYT_ECHUNK && rc != NYT_OK)
        nyt_writer_status(c->w, err);
    return rc;
}

int nyt_chunks_kept(nyt_chunks *c, uint32_t fid, nyt_error *err)
{
    int rc = nyt_writer_status(c->w, err);
    return rc != NYT_OK ? rc : write_kept(c, fid);
}

static int chunks_new(nyt_chunks **out, int level, nyt_pieces *pieces, nyt_error *err)
{
    *out = calloc(1, sizeof **out);
    if (!*out)
        return nyt_fail(err, NYT_ENOMEM, "out of memory");
    (*out)->level = level;
    (*out)->pieces = pieces;
    (*out)->no_caller = NO_CALLER;
    return NYT_OK;
}

static int chunks_opened(nyt_chunks **out, int rc)
{
    if (rc != NYT_OK) {
        free(*out);
        *out = NULL;
    }
    return rc;
}

int nyt_chunks_open(nyt_chunks **out, const char *path, int level, nyt_pieces *pieces,
                    nyt_error *err)
{
    int rc = chunks_new(out, level, pieces, err);
    return rc ? rc : chunks_opened(out, nyt_writer_open(&(*out)->w, path, level, err));
}

int nyt_chunks_open_fn(nyt_chunks **out, nyt_write_fn fn, void *ctx, int level, nyt_pieces *pieces,
                       nyt_error *err)
{
    int rc = chunks_new(out, level, pieces, err);
    return rc ? rc : chunks_opened(out, nyt_writer_open_fn(&(*out)->w, fn, ctx, level, err));
}

static void put_overhead(nyt_chunks *c)
{
    static const char key[] = "cumulative_overhead_ticks";
    char text[24];
    int len = snprintf(text, sizeof text, "%" PRIu64, c->overhead);
    nyt_writer_attribute(c->w, (nyt_str){.data = key, .len = sizeof key - 1},
                         (nyt_str){.data = text, .len = (size_t)len});
}

static void chunks_free(nyt_chunks *c)
{
    for (size_t page = 0; page < c->pages; page++)
        free(c->subs[page]);
    free(c->subs);
    nyt_name_block_free(&c->block);
    nyt_arena_free(&c->names);
    free(c);
}

int nyt_chunks_close(nyt_chunks *c, nyt_error *err)
{
    if (!c)
        return NYT_OK;
    if (c->begun)
        put_overhead(c);
    int rc = nyt_writer_close(c->w, err);
    chunks_free(c);
    return rc;
}

void nyt_chunks_abandon(nyt_chunks *c)
{
    if (!c)
        return;
    nyt_writer_abandon(c->w);
    chunks_free(c);
}
