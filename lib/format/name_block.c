/*
 * docs/format.md tells which bytes are matches. A record is put together as it stands in the file; its
 * parts are then told to the block one after the other.
 */
#include "format/name_block.h"

#include "format/codec.h"

enum {
    FIGURES_MAX = 1 + 5 * NYT_U32_BYTES + 3 * NYT_NV_BYTES,
    NAME_HEAD = 1 + NYT_U32_BYTES,
    PREFIX_MIN = 4, /* bytes worth a match: of what two names begin with, */
    ZEROS_MIN = 4   /* and of the zeros that a figure begins with */
};

/* Room for a record with names of so many bytes; where it begins, or NULL. */
static uint8_t *begin_record(struct nyt_name_block *b, size_t names)
{
    size_t most = FIGURES_MAX + 2 * NAME_HEAD + names;
    /* Where short matches stand, a byte takes more than one. */
    if (!nyt_buf_reserve(&b->plain, most) ||
        !nyt_buf_reserve(&b->packed, 2 * most + NYT_BLOCK_ENDS))
        return NULL;
    b->bits.p = b->packed.data + b->packed.len;
    if (b->plain.len == 0)
        nyt_bits_begin_block(&b->bits);
    return b->plain.data + b->plain.len;
}

/* So many bytes have been added to `plain`. */
static void put_plain(struct nyt_name_block *b, const uint8_t *end)
{
    const uint8_t *from = b->plain.data + b->plain.len;
    nyt_bits_literals(&b->bits, from, (size_t)(end - from));
    b->plain.len = (size_t)(end - b->plain.data);
}

/* With how many bytes of zero the figure begins. */
static size_t zeros_of(uint64_t figure)
{
    size_t n = 0;
    if ((uint32_t)figure == 0) {
        n = 4;
        figure >>= 32;
    }
    for (; n < NYT_NV_BYTES && !(figure & 0xFF); n++)
        figure >>= 8;
    return n;
}

/* Whole numbers of ticks begin with zeros; and what calls nothing has the same time twice. */
static uint8_t *put_figure(struct nyt_name_block *b, double value)
{
    uint8_t *p = b->plain.data + b->plain.len, *end = nyt_put_nv(p, value);
    size_t zeros = zeros_of(nyt_le64(p));
    if (b->plain.len >= NYT_NV_BYTES && nyt_le64(p - NYT_NV_BYTES) == nyt_le64(p)) {
        nyt_bits_matches(&b->bits, NYT_NV_BYTES, NYT_NV_BYTES);
        b->plain.len += NYT_NV_BYTES;
        return end;
    }
    if (zeros >= ZEROS_MIN) {
        nyt_bits_literals(&b->bits, p, 1);
        nyt_bits_matches(&b->bits, zeros - 1, 1);
        b->plain.len += zeros;
    }
    put_plain(b, end);
    return end;
}

/* The name stood there last; or it begins as the name before it does; or neither. */
static uint8_t *put_name(struct nyt_name_block *b, struct nyt_block_name *name)
{
    uint8_t *p = b->plain.data + b->plain.len, *end = nyt_put_str(p, name->text);
    uint8_t *text = end - name->text.len;
    uint64_t at = b->before + b->plain.len + 1;
    const uint8_t *last = b->plain.data + b->name;
    bool same = name->last > b->before && at - name->last <= NYT_MATCH_BACK;
    size_t both = b->name_len < name->text.len ? b->name_len : name->text.len, equal = 0;
    if (same && end - p >= NYT_MATCH_MIN) {
        nyt_bits_matches(&b->bits, (uint64_t)(end - p), (uint32_t)(at - name->last));
        b->plain.len = (size_t)(end - b->plain.data);
    } else {
        while (equal < both && last[equal] == text[equal])
            equal++;
        put_plain(b, text);
        if (equal >= PREFIX_MIN && text - last <= NYT_MATCH_BACK) {
            nyt_bits_matches(&b->bits, equal, (uint32_t)(text - last));
            b->plain.len += equal;
        }
        put_plain(b, end);
    }
    name->last = at;
    b->name = (size_t)(text - b->plain.data);
    b->name_len = name->text.len;
    return end;
}

static bool end_record(struct nyt_name_block *b)
{
    b->packed.len = (size_t)(b->bits.p - b->packed.data);
    return true;
}

bool nyt_name_block_info(struct nyt_name_block *b, const nyt_sub_info *r,
                         struct nyt_block_name *name)
{
    uint8_t *p = begin_record(b, name->text.len);
    if (!p)
        return false;
    *p++ = NYT_TAG_SUB_INFO;
    put_plain(b, nyt_put_u32(p, r->fid));
    p = put_name(b, name);
    p = nyt_put_u32(p, r->first);
    put_plain(b, nyt_put_u32(p, r->last));
    return end_record(b);
}

bool nyt_name_block_return(struct nyt_name_block *b, const nyt_sub_return *r,
                           struct nyt_block_name *name)
{
    uint8_t *p = begin_record(b, name->text.len);
    if (!p)
        return false;
    *p++ = NYT_TAG_SUB_RETURN;
    put_plain(b, nyt_put_u32(p, r->depth));
    put_figure(b, r->incl);
    put_figure(b, r->excl);
    put_name(b, name);
    return end_record(b);
}

bool nyt_name_block_callers(struct nyt_name_block *b, const nyt_sub_callers *r,
                            struct nyt_block_name *caller, struct nyt_block_name *called)
{
    uint8_t *p = begin_record(b, caller->text.len + called->text.len);
    if (!p)
        return false;
    *p++ = NYT_TAG_SUB_CALLERS;
    p = nyt_put_u32(p, r->fid);
    put_plain(b, nyt_put_u32(p, r->line));
    p = put_name(b, caller);
    put_plain(b, nyt_put_u32(p, r->count));
    put_figure(b, r->incl);
    put_figure(b, r->excl);
    p = put_figure(b, r->reci);
    put_plain(b, nyt_put_u32(p, r->depth));
    put_name(b, called);
    return end_record(b);
}

void nyt_name_block_end(struct nyt_name_block *b)
{
    nyt_bits_end_block(&b->bits);
    b->packed.len = (size_t)(b->bits.p - b->packed.data);
}

void nyt_name_block_next(struct nyt_name_block *b)
{
    b->before += b->plain.len;
    b->plain.len = b->packed.len = b->name = b->name_len = 0;
    b->bits = (struct nyt_bits){0};
}

void nyt_name_block_free(struct nyt_name_block *b)
{
    nyt_buf_free(&b->plain);
    nyt_buf_free(&b->packed);
}
