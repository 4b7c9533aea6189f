/*
 * The table of records: what each is called, how its bytes read, and which fields it shows
 * in which order. Memory only, as codec.c.
 */
#include "format/record.h"

#include <string.h>

/* Everything up to the newline, which is taken as well and counted if `keep` is set. */
static nyt_str get_line(struct nyt_cursor *c, bool keep)
{
    size_t left = (size_t)(c->end - c->p);
    const uint8_t *newline = left ? memchr(c->p, '\n', left) : NULL;
    if (!newline) {
        c->short_of = true;
        return (nyt_str){.data = ""};
    }
    nyt_str line = {.data = (const char *)c->p, .len = (size_t)(newline - c->p) + keep};
    c->p = newline + 1;
    return line;
}

static void decode_comment(struct nyt_cursor *c, nyt_record *r)
{
    r->u.comment.text = get_line(c, true);
}

/* key=value, split at the first '='. */
static void decode_pair(struct nyt_cursor *c, nyt_record *r)
{
    nyt_str line = get_line(c, false);
    const char *equals = line.len ? memchr(line.data, '=', line.len) : NULL;
    r->u.pair = (nyt_pair){.key = line};
    if (equals) {
        size_t len = (size_t)(equals - line.data);
        r->u.pair.key.len = len;
        r->u.pair.value = (nyt_str){.data = equals + 1, .len = line.len - len - 1};
    }
}

static void decode_nothing(struct nyt_cursor *c, nyt_record *r)
{
    (void)c, (void)r;
}

static void decode_pid_start(struct nyt_cursor *c, nyt_record *r)
{
    r->u.pid_start.pid = nyt_get_u32(c);
    r->u.pid_start.parent = nyt_get_u32(c);
    r->u.pid_start.time = nyt_get_nv(c);
}

static void decode_pid_end(struct nyt_cursor *c, nyt_record *r)
{
    r->u.pid_end.pid = nyt_get_u32(c);
    r->u.pid_end.time = nyt_get_nv(c);
}

static void decode_new_fid(struct nyt_cursor *c, nyt_record *r)
{
    nyt_new_fid *f = &r->u.new_fid;
    f->fid = nyt_get_u32(c);
    f->eval_fid = nyt_get_u32(c);
    f->eval_line = nyt_get_u32(c);
    f->flags = nyt_get_u32(c);
    f->size = nyt_get_u32(c);
    f->mtime = nyt_get_u32(c);
    f->name = nyt_get_str(c);
}

static void decode_time_line(struct nyt_cursor *c, nyt_record *r)
{
    r->u.time.ticks = (int32_t)nyt_get_u32(c);
    r->u.time.fid = nyt_get_u32(c);
    r->u.time.line = nyt_get_u32(c);
    r->u.time.block_line = 0;
    r->u.time.sub_line = 0;
}

static void decode_time_block(struct nyt_cursor *c, nyt_record *r)
{
    decode_time_line(c, r);
    r->u.time.block_line = nyt_get_u32(c);
    r->u.time.sub_line = nyt_get_u32(c);
}

static void decode_sub_entry(struct nyt_cursor *c, nyt_record *r)
{
    r->u.sub_entry.fid = nyt_get_u32(c);
    r->u.sub_entry.line = nyt_get_u32(c);
}

static void decode_sub_return(struct nyt_cursor *c, nyt_record *r)
{
    r->u.sub_return.depth = nyt_get_u32(c);
    r->u.sub_return.incl = nyt_get_nv(c);
    r->u.sub_return.excl = nyt_get_nv(c);
    r->u.sub_return.name = nyt_get_str(c);
}

static void decode_src_line(struct nyt_cursor *c, nyt_record *r)
{
    r->u.src_line.fid = nyt_get_u32(c);
    r->u.src_line.line = nyt_get_u32(c);
    r->u.src_line.text = nyt_get_str(c);
}

static void decode_sub_info(struct nyt_cursor *c, nyt_record *r)
{
    r->u.sub_info.fid = nyt_get_u32(c);
    r->u.sub_info.name = nyt_get_str(c);
    r->u.sub_info.first = nyt_get_u32(c);
    r->u.sub_info.last = nyt_get_u32(c);
}

static void decode_sub_callers(struct nyt_cursor *c, nyt_record *r)
{
    nyt_sub_callers *s = &r->u.sub_callers;
    s->fid = nyt_get_u32(c);
    s->line = nyt_get_u32(c);
    s->caller = nyt_get_str(c);
    s->count = nyt_get_u32(c);
    s->incl = nyt_get_nv(c);
    s->excl = nyt_get_nv(c);
    s->reci = nyt_get_nv(c);
    s->depth = nyt_get_u32(c);
    s->called = nyt_get_str(c);
}

/* Fields in the order in which Perl's for_chunks hands them out: not always the file's. */
#define FIELD(letter, of, label) {letter, offsetof(nyt_record, u.of), label}
#define FIELDS(...)            \
    (const struct nyt_field[]) \
    {                          \
        __VA_ARGS__, {0}       \
    }

static const struct nyt_record_kind kinds[128] = {
    [NYT_TAG_VERSION] = {
        "VERSION", NULL, FIELDS(FIELD('u', version.major, "major"), FIELD('u', version.minor, "minor"))},
        [NYT_TAG_COMMENT] = {
            "COMMENT", decode_comment, FIELDS(FIELD('s', comment.text, "text"))},
            [NYT_TAG_ATTRIBUTE] = {
                "ATTRIBUTE", decode_pair,
                FIELDS(FIELD('s', pair.key, "key"), FIELD('s', pair.value, "value"))},
                [NYT_TAG_OPTION] = {
                    "OPTION", decode_pair,
                    FIELDS(FIELD('s', pair.key, "key"), FIELD('s', pair.value, "value"))},
                    [NYT_TAG_START_DEFLATE] = {
                        "START_DEFLATE", decode_nothing, FIELDS({0})},
                        [NYT_TAG_PID_START] = {
                            "PID_START", decode_pid_start,
                            FIELDS(FIELD('u', pid_start.pid, "pid"), FIELD('u', pid_start.parent, "parent"),
               FIELD('d', pid_start.time, "time"))},
                                [NYT_TAG_PID_END] = {
                                    "PID_END", decode_pid_end,
                                    FIELDS(FIELD('u', pid_end.pid, "pid"), FIELD('d', pid_end.time, "time"))},
                                    [NYT_TAG_NEW_FID] = {
                                        "NEW_FID", decode_new_fid,
                                        FIELDS(FIELD('u', new_fid.fid, "fid"), FIELD('u', new_fid.eval_fid, "eval_fid"),
               FIELD('u', new_fid.eval_line, "eval_line"), FIELD('u', new_fid.flags, "flags"),
               FIELD('u', new_fid.size, "size"), FIELD('u', new_fid.mtime, "mtime"),
               FIELD('s', new_fid.name, "name"))},
                                                        [NYT_TAG_TIME_LINE] = {
                                                            "TIME_LINE",
                                                            decode_time_line,
                                                            FIELDS(FIELD('i', time.ticks, "ticks"), FIELD('u', time.fid, "fid"),
               FIELD('u', time.line, "line"))},
                                                                   [NYT_TAG_TIME_BLOCK] = {
                                                                       "TIME_BLOCK",
                                                                       decode_time_block,
                                                                       FIELDS(FIELD('i', time.ticks, "ticks"), FIELD('u', time.fid, "fid"),
               FIELD('u', time.line, "line"), FIELD('u', time.block_line, "block"),
               FIELD('u', time.sub_line, "sub"))},
                                                                               [NYT_TAG_DISCOUNT] = {
                                                                                   "DISCOUNT", decode_nothing, FIELDS({0})}, [NYT_TAG_SUB_ENTRY] =
                                                                                                                                 {"SUB_ENTRY", decode_sub_entry,
                                                                                                                                  FIELDS(FIELD('u', sub_entry.fid, "fid"), FIELD('u', sub_entry.line, "line"))},
                                                                                                                                  [NYT_TAG_SUB_RETURN] = {
                                                                                                                                      "SUB_RETURN",
                                                                                                                                      decode_sub_return,
                                                                                                                                      FIELDS(FIELD('u', sub_return.depth, "depth"), FIELD('d', sub_return.incl, "incl"),
               FIELD('d', sub_return.excl, "excl"), FIELD('s', sub_return.name, "name"))},
                                                                                                                                          [NYT_TAG_SRC_LINE] =
                                                                                                                                              {"SRC_LINE", decode_src_line,
                                                                                                                                               FIELDS(FIELD('u', src_line.fid, "fid"), FIELD('u', src_line.line, "line"),
               FIELD('s', src_line.text, "text"))},
                                                                                                                                                   [NYT_TAG_SUB_INFO] =
                                                                                                                                                       {"SUB_INFO",
                                                                                                                                                        decode_sub_info,
                                                                                                                                                        FIELDS(FIELD('u', sub_info.fid, "fid"), FIELD('u', sub_info.first, "first"),
               FIELD('u', sub_info.last, "last"), FIELD('s', sub_info.name, "name"))},
                                                                                                                                                                [NYT_TAG_SUB_CALLERS] = {
                                                                                                                                                                    "SUB_CALLERS",
                                                                                                                                                                    decode_sub_callers,
                                                                                                                                                                    FIELDS(FIELD('u', sub_callers.fid, "fid"), FIELD('u', sub_callers.line, "line"),
               FIELD('u', sub_callers.count, "count"), FIELD('d', sub_callers.incl, "incl"),
               FIELD('d', sub_callers.excl, "excl"), FIELD('d', sub_callers.reci, "reci"),
               FIELD('u', sub_callers.depth, "depth"), FIELD('s', sub_callers.called, "called"),
               FIELD('s', sub_callers.caller, "caller"))},
                                                                                                                                                                                              };

const struct nyt_record_kind *nyt_record_kind(int tag)
{
    return tag >= 0 && tag < 128 && kinds[tag].name ? &kinds[tag] : NULL;
}

const char *nyt_tag_name(nyt_tag tag)
{
    const struct nyt_record_kind *kind = nyt_record_kind((int)tag);
    return kind ? kind->name : NULL;
}

enum nyt_decoded nyt_record_decode(struct nyt_cursor *c, nyt_record *r)
{
    if (c->p == c->end)
        return NYT_DECODED_SHORT;
    const struct nyt_record_kind *kind = nyt_record_kind(*c->p);
    if (!kind || !kind->decode)
        return NYT_DECODED_BAD_TAG;
    r->tag = (nyt_tag)*c->p++;
    kind->decode(c, r);
    if (c->bad_tag >= 0)
        return NYT_DECODED_BAD_STRING;
    return c->short_of ? NYT_DECODED_SHORT : NYT_DECODED;
}
