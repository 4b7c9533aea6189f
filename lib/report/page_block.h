/* A block of the page: text that is deflated and written in base64. */
#ifndef NYT_REPORT_PAGE_BLOCK_H
#define NYT_REPORT_PAGE_BLOCK_H

#include "base/json.h"
#include "base/memory.h"

/* A JSON text that becomes a block; made by nyt_block_new(). */
struct nyt_block {
    struct nyt_json json;  /* until nyt_block_end() */
    struct nyt_buf packed; /* raw deflate, RFC 1951 */
    struct nyt_deflate *deflate; /* a third of a megabyte; NULL behind nyt_block_end() */
};

struct nyt_block *nyt_block_new(void);          /* NULL: out of memory */
/* Ends the text. Bytes of base64 that it takes; negative: NYT_ENOMEM. */
int64_t nyt_block_end(struct nyt_block *b);
/* Writes it: only after nyt_block_end(). */
void nyt_block_put(const struct nyt_block *b, struct nyt_out *o);
void nyt_block_free(struct nyt_block *b);

#endif
