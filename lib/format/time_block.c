/* docs/format.md tells which bytes are matches. */
#include "format/time_block.h"

#include "format/run_block.h"

#include <string.h>

/* With how many bytes both begin, and then, of what is left of them, end; 0 if that is no match. */
static size_t equal_head(const struct nyt_time_block *b, const uint8_t *record, size_t most)
{
    size_t n = 0;
    while (n < most && record[n] == b->last[n])
        n++;
    return n < NYT_MATCH_MIN ? 0 : n;
}

static size_t equal_tail(const struct nyt_time_block *b, const uint8_t *record, size_t len,
                         size_t most)
{
    size_t n = 0;
    while (n < most && record[len - 1 - n] == b->last[b->last_len - 1 - n])
        n++;
    return n < NYT_MATCH_MIN ? 0 : n;
}

static void put_record(struct nyt_time_block *b, const uint8_t *record, size_t len)
{
    size_t both = len < b->last_len ? len : b->last_len;
    size_t head = equal_head(b, record, both);
    size_t tail = equal_tail(b, record, len, both - head);
    nyt_bits_matches(&b->bits, head, (uint32_t)b->last_len);
    nyt_bits_literals(&b->bits, record + head, len - head - tail);
    nyt_bits_matches(&b->bits, tail, (uint32_t)len);
    memcpy(b->last, record, len);
    b->last_len = len;
}

bool nyt_time_block_add(struct nyt_time_block *b, const uint8_t *record, size_t len, uint64_t times)
{
    if (!nyt_buf_reserve(&b->packed, nyt_run_block_room(len, times)))
        return false;
    b->bits.p = b->packed.data + b->packed.len;
    if (b->inflated == 0)
        nyt_bits_begin_block(&b->bits);
    put_record(b, record, len);
    nyt_bits_matches(&b->bits, len * (times - 1), (uint32_t)len);
    b->inflated += len * times;
    b->packed.len = (size_t)(b->bits.p - b->packed.data);
    return true;
}

void nyt_time_block_end(struct nyt_time_block *b)
{
    nyt_bits_end_block(&b->bits);
    b->packed.len = (size_t)(b->bits.p - b->packed.data);
}

void nyt_time_block_next(struct nyt_time_block *b)
{
    b->packed.len = b->last_len = 0;
    b->inflated = 0;
    b->bits = (struct nyt_bits){0};
}

void nyt_time_block_free(struct nyt_time_block *b)
{
    nyt_buf_free(&b->packed);
}
