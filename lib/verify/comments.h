/* What verify looks for in comments that tell of figures (docs/format.md). */
#ifndef NYT_VERIFY_COMMENTS_H
#define NYT_VERIFY_COMMENTS_H

#include "base/hash.h"

/* An awaited time, until all files are known. */
struct nyt_awaited_place {
    uint64_t offset, record; /* of the comment */
    bool in_deflate;
    uint32_t name; /* of the file, by `names` */
};

/* All zeros is an empty one. */
struct nyt_comments {
    struct nyt_names names;
    struct nyt_map known; /* names of `awaited` */
    struct nyt_awaited_place *awaited; /* each name once */
    size_t count, cap;
    uint32_t units;
};

/* `text` is static. */
struct nyt_comment_fault {
    nyt_severity severity;
    const char *rule, *text;
};

/* 1: there is a fault, 0: there is none, or NYT_ENOMEM. `at` is the comment's record, and `number` which
 * one of the file it is. */
int nyt_comments_check(struct nyt_comments *c, const nyt_record *at, uint64_t number,
                       struct nyt_comment_fault *fault);
void nyt_comments_free(struct nyt_comments *c);

#endif
