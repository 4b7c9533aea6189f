/*
 * Finding records again behind damage. A record is believed if it is plausible by itself (numbers
 * as writers spell them, files that are defined, text that is text) and if a good many such records
 * follow it, for a damaged byte lets what comes before it look like something else too. After a
 * break every offset near it is tried, and the first run of records that no other run
 * contradicts is where it goes on. What is believed may be less than what is true, not more.
 */
#include "format/resync.h"

#include "format/codec.h"
#include "format/record.h"

#include <math.h>
#include <string.h>

enum {
    LOOKAHEAD = NYT_RESYNC_LOOKAHEAD,
    NEAR = 24,              /* offsets tried at once: more than a statement's bytes */
    DISTRUSTED = 8,         /* records before a break, and where a run begins that is found */
    LEAST_AT_END = 3,       /* records that make a run if the bytes end with them */
    NAME_MAX_BYTES = 4096,
    TEXT_MAX_BYTES = 64 * 1024,
    TEXT_MAX_NEAR = 512,    /* while records are looked for: every byte may begin a text */
    LINE_MAX = 65535,
    DEPTH_MAX = 1000000,
    FIDS_SKIPPED = 1000     /* whose definitions may be lost */
};

enum judgement { GOOD, SHORT, BAD };

/* ---- One record ---- */

static size_t spelled(uint32_t value)
{
    uint8_t bytes[NYT_U32_BYTES];
    return (size_t)(nyt_put_u32(bytes, value) - bytes);
}

static bool is_line(uint32_t line)
{
    return line > 0 && line <= LINE_MAX;
}

/* A file whose definition was lost is one as well. */
static bool is_fid(const struct nyt_resync *s, uint32_t fid)
{
    return fid > 0 && fid <= s->highest_fid + (s->lenient ? FIDS_SKIPPED : 0);
}

/* A file that is not defined, as it is where there is neither damage behind us nor before. */
static void note_oddity(struct nyt_resync *s, const nyt_record *r)
{
    uint32_t fid = r->tag == NYT_TAG_TIME_LINE || r->tag == NYT_TAG_TIME_BLOCK ? r->u.time.fid
                   : r->tag == NYT_TAG_SUB_CALLERS ? r->u.sub_callers.fid
                   : r->tag == NYT_TAG_SUB_INFO    ? r->u.sub_info.fid
                                                   : 0;
    if (s->odd || fid <= s->highest_fid)
        return;
    s->odd = true;
    s->odd_out = s->out.len;
    s->odd_records = s->records;
}

static size_t text_max(const struct nyt_resync *s)
{
    return s->broken ? TEXT_MAX_NEAR : TEXT_MAX_BYTES;
}

static bool is_text(nyt_str s, size_t most, bool control)
{
    if (s.len > most)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];
        if (c == 0 || c == 0xFF ||
            (c < ' ' && !(control && (c == '\t' || (c >= '\n' && c <= '\r')))))
            return false;
    }
    return true;
}

static bool is_name(nyt_str s)
{
    return s.len > 0 && is_text(s, NAME_MAX_BYTES, false);
}

static bool is_time(double t)
{
    return isfinite(t) && t >= 0 && t < 1e15;
}

/* Ticks of five bytes are half a minute at least: more likely a byte that became 0xFF. */
static bool is_statement(const struct nyt_resync *s, const nyt_time *t, size_t len, bool block)
{
    size_t should = 1 + spelled((uint32_t)t->ticks) + spelled(t->fid) + spelled(t->line);
    if (block)
        should += spelled(t->block_line) + spelled(t->sub_line);
    return len == should && spelled((uint32_t)t->ticks) < NYT_U32_BYTES && is_fid(s, t->fid) &&
           is_line(t->line) && t->block_line <= LINE_MAX && t->sub_line <= LINE_MAX;
}

static bool is_file(const struct nyt_resync *s, const nyt_new_fid *f)
{
    return f->fid > 0 && f->fid <= s->highest_fid + FIDS_SKIPPED &&
           !nyt_map_find(&s->fids, f->fid) && f->flags <= 0x1FF &&
           (f->eval_fid == 0 || is_fid(s, f->eval_fid)) && f->eval_line <= LINE_MAX &&
           is_name(f->name);
}

static bool is_pair(const struct nyt_resync *s, const nyt_pair *p)
{
    for (size_t i = 0; i < p->key.len; i++)
        if (p->key.data[i] <= ' ' || p->key.data[i] > '~')
            return false;
    return p->value.data && is_name(p->key) && is_text(p->value, text_max(s), true);
}

static bool is_call(const struct nyt_resync *s, const nyt_sub_callers *c)
{
    return (c->fid == 0 || is_fid(s, c->fid)) && c->line <= LINE_MAX && c->depth <= DEPTH_MAX &&
           is_time(c->incl) && is_time(c->excl) && is_time(c->reci) && is_name(c->called) &&
           is_text(c->caller, NAME_MAX_BYTES, false) && (c->fid == 0 || c->caller.len);
}

static bool is_plausible(const struct nyt_resync *s, const nyt_record *r, size_t len)
{
    switch (r->tag) {
    case NYT_TAG_COMMENT:
        return is_text(r->u.comment.text, text_max(s), true);
    case NYT_TAG_ATTRIBUTE:
    case NYT_TAG_OPTION:
        return is_pair(s, &r->u.pair);
    case NYT_TAG_PID_START:
        return is_time(r->u.pid_start.time) && spelled(r->u.pid_start.pid) < NYT_U32_BYTES &&
               spelled(r->u.pid_start.parent) < NYT_U32_BYTES;
    case NYT_TAG_PID_END:
        return is_time(r->u.pid_end.time) && spelled(r->u.pid_end.pid) < NYT_U32_BYTES;
    case NYT_TAG_NEW_FID:
        return is_file(s, &r->u.new_fid);
    case NYT_TAG_TIME_LINE:
        return is_statement(s, &r->u.time, len, false);
    case NYT_TAG_TIME_BLOCK:
        return is_statement(s, &r->u.time, len, true);
    case NYT_TAG_SUB_ENTRY:
        return is_fid(s, r->u.sub_entry.fid) && r->u.sub_entry.line <= LINE_MAX;
    case NYT_TAG_SUB_RETURN:
        return r->u.sub_return.depth > 0 && r->u.sub_return.depth <= DEPTH_MAX &&
               is_time(r->u.sub_return.incl) && is_time(r->u.sub_return.excl) &&
               is_name(r->u.sub_return.name);
    case NYT_TAG_SRC_LINE:
        return is_fid(s, r->u.src_line.fid) && spelled(r->u.src_line.line) < NYT_U32_BYTES &&
               is_text(r->u.src_line.text, text_max(s), true);
    case NYT_TAG_SUB_INFO:
        return is_fid(s, r->u.sub_info.fid) && r->u.sub_info.first <= r->u.sub_info.last &&
               spelled(r->u.sub_info.last) < NYT_U32_BYTES && is_name(r->u.sub_info.name);
    case NYT_TAG_SUB_CALLERS:
        return is_call(s, &r->u.sub_callers);
    default:
        return true;
    }
}

/* What follows 'z' must be the head of a zlib stream. */
static enum judgement judge_deflate(const struct nyt_resync *s, const uint8_t *p,
                                    const uint8_t *end)
{
    enum { NEEDED = 3 };
    if (s->in_deflate)
        return BAD;
    if (end - p < NEEDED)
        return SHORT;
    return (p[1] & 0x0F) == 8 && (p[1] << 8 | p[2]) % 31 == 0 ? GOOD : BAD;
}

static enum judgement judge(const struct nyt_resync *s, size_t at, nyt_record *r, size_t *len)
{
    const size_t most = 3 * text_max(s);    /* for one record */
    const uint8_t *p = s->in.data + at;
    const uint8_t *end = s->in.len - at > most ? p + most : s->in.data + s->in.len;
    struct nyt_cursor c = nyt_cursor_over(p, (size_t)(end - p));
    switch (nyt_record_decode(&c, r)) {
    case NYT_DECODED:
        *len = (size_t)(c.p - p);
        if (r->tag == NYT_TAG_START_DEFLATE)
            return judge_deflate(s, p, end);
        return is_plausible(s, r, *len) ? GOOD : BAD;
    case NYT_DECODED_SHORT:
        return (size_t)(end - p) < most ? SHORT : BAD;
    default:
        return BAD;
    }
}

static bool learn(struct nyt_resync *s, const nyt_record *r)
{
    bool is_new;
    if (r->tag != NYT_TAG_NEW_FID)
        return true;
    if (s->highest_fid < r->u.new_fid.fid)
        s->highest_fid = r->u.new_fid.fid;
    return nyt_map_take(&s->fids, r->u.new_fid.fid, &is_new) != NULL;
}

/* ---- Runs of records ---- */

struct run {
    size_t at[LOOKAHEAD + 1];       /* where its records begin, and the last one ends */
    size_t count;
    bool at_end; /* of all bytes */
    enum judgement how;
};

/* Files that are defined on the way are not known to it: such a run breaks. */
static struct run run_from(const struct nyt_resync *s, size_t at, bool final)
{
    struct run run = {.at = {at}, .how = GOOD};
    bool after_discount = false;
    while (run.count < LOOKAHEAD && run.how == GOOD) {
        nyt_record r;
        size_t len;
        if (at == s->in.len && final)
            break;
        run.how = judge(s, at, &r, &len);
        if (run.how == GOOD && r.tag == NYT_TAG_DISCOUNT && after_discount)
            run.how = BAD;
        if (run.how != GOOD)
            break;
        after_discount = r.tag == NYT_TAG_DISCOUNT;
        at += len;
        run.at[++run.count] = at;
    }
    if (final && run.how == SHORT)
        run.how = BAD;
    run.at_end = final && at == s->in.len;
    if (run.how == GOOD && run.count < (run.at_end ? LEAST_AT_END : LOOKAHEAD))
        run.how = BAD;
    return run;
}

/* Do both come to the same records in the end? */
static bool meet(const struct run *a, const struct run *b)
{
    for (size_t i = 0, k = 0; i <= a->count && k <= b->count;) {
        if (a->at[i] == b->at[k])
            return true;
        if (a->at[i] < b->at[k])
            i++;
        else
            k++;
    }
    return false;
}

/* Looks at all offsets near `at`. GOOD: *found is the first run, and there is no other. */
static enum judgement look_near(const struct nyt_resync *s, size_t at, bool final,
                                struct run *found)
{
    bool any = false;
    for (size_t i = 0; i < NEAR && at + i < s->in.len; i++) {
        struct run run = run_from(s, at + i, final);
        if (run.how == SHORT)
            return SHORT;
        if (run.how == BAD)
            continue;
        if (any && !meet(found, &run))
            return BAD;
        if (!any)
            *found = run;
        any = true;
    }
    return any ? GOOD : BAD;
}

/* ---- The walk ---- */

static void forget(struct nyt_resync *s, size_t len)
{
    memmove(s->in.data, s->in.data + len, s->in.len - len);
    s->in.len -= len;
    s->offset += len;
    s->look = 0;
    s->pending = 0;
}

/* The first `len` bytes of `in`, one record, are believed. */
static bool believe(struct nyt_resync *s, size_t at, size_t len)
{
    const uint8_t *p = s->in.data + at;
    bool statement = *p == NYT_TAG_TIME_LINE || *p == NYT_TAG_TIME_BLOCK;
    if (s->doubtful && (statement || *p == NYT_TAG_DISCOUNT)) {
        s->doubtful = !statement;
        return true;
    }
    s->records++;
    return nyt_buf_append(&s->out, p, len);
}

/* Where the records that are not believed yet begin. */
static size_t pending_from(const struct nyt_resync *s)
{
    size_t at = s->look;
    for (size_t i = 0; i < s->pending; i++)
        at -= s->lengths[(s->first + i) % LOOKAHEAD];
    return at;
}

/* Until no more than `most` are pending. */
static bool believe_first(struct nyt_resync *s, size_t most)
{
    bool ok = true;
    for (size_t at = pending_from(s); ok && s->pending > most; s->pending--) {
        size_t len = s->lengths[s->first++ % LOOKAHEAD];
        ok = believe(s, at, len);
        at += len;
    }
    return ok;
}

static bool push(struct nyt_resync *s, size_t len)
{
    if (!believe_first(s, LOOKAHEAD - 1))
        return false;
    s->lengths[(s->first + s->pending++) % LOOKAHEAD] = len;
    s->look += len;
    return true;
}

/* What is inflated may have been wrong for longer. */
static bool break_off(struct nyt_resync *s)
{
    if (!s->in_deflate && !believe_first(s, DISTRUSTED))
        return false;
    forget(s, pending_from(s));
    s->broken = s->doubtful = true;
    s->broken_at = s->offset;
    return true;
}

/* To where records begin again. false: not before more bytes have come. */
static bool find_records(struct nyt_resync *s, bool final)
{
    size_t at = 0;
    while (at < s->in.len) {
        struct run run = {0};
        enum judgement how = look_near(s, at, final, &run);
        if (how == SHORT)
            break;
        if (how == GOOD) {
            forget(s, run.at[run.at_end ? 1 : DISTRUSTED]);
            s->broken = false;
            s->lost(s->ctx, s->broken_at, s->offset);
            return true;
        }
        at += NEAR;
    }
    forget(s, at < s->in.len ? at : s->in.len);
    return false;
}

static bool walk(struct nyt_resync *s, bool final)
{
    while (!s->at_deflate) {
        nyt_record r;
        size_t len;
        if (s->broken && (s->in_deflate || !find_records(s, final)))
            return true;
        if (s->look == s->in.len)
            return true;
        switch (judge(s, s->look, &r, &len)) {
        case SHORT:
            return true;
        case BAD:
            if (!break_off(s))
                return false;
            break;
        case GOOD:
            note_oddity(s, &r);
            s->at_deflate = r.tag == NYT_TAG_START_DEFLATE;
            if (!s->at_deflate && (!learn(s, &r) || !push(s, len)))
                return false;
        }
    }
    return true;
}

bool nyt_resync_add(struct nyt_resync *s, const uint8_t *data, size_t len)
{
    if (!nyt_buf_append(&s->in, data, len) || !walk(s, false))
        return false;
    if (!s->broken) {
        size_t done = pending_from(s), pending = s->pending, look = s->look - done;
        forget(s, done);
        s->pending = pending;
        s->look = look;
    }
    return true;
}

bool nyt_resync_end(struct nyt_resync *s)
{
    if (!walk(s, true) || !believe_first(s, 0))
        return false;
    forget(s, s->look);
    return true;
}

void nyt_resync_drop(struct nyt_resync *s)
{
    forget(s, s->in.len);
    s->doubtful = true;
    s->broken = false;
}

void nyt_resync_free(struct nyt_resync *s)
{
    nyt_buf_free(&s->in);
    nyt_buf_free(&s->out);
    nyt_map_free(&s->fids);
    *s = (struct nyt_resync){0};
}
