/* A damaged profile, read as if it were a sound one with less in it. */
#ifndef NYT_FORMAT_SALVAGE_H
#define NYT_FORMAT_SALVAGE_H

#include "format/input.h"

enum { NYT_LOSSES_REPORTED = 8 };

struct nyt_loss {
    uint64_t from, to; /* bytes of the file */
    uint64_t inflated; /* byte of the inflated data where it begins; or NYT_NOT_INFLATED */
};

#define NYT_NOT_INFLATED UINT64_MAX

struct nyt_losses {
    struct nyt_loss first[NYT_LOSSES_REPORTED];
    uint64_t count, bytes; /* of all */
    uint64_t kept;         /* bytes of the file that were believed, */
    uint64_t records;      /* and records in them */
    bool checksum;         /* is wrong, though nothing else is */
};

struct nyt_salvage;

/* Was the file only cut off? That is all there is to say of it; other damage may lie anywhere. */
bool nyt_is_cut_off(const nyt_error *fault, const nyt_progress *progress);

/* NYT_OK, NYT_EIO, NYT_ENOMEM. The source is a path or memory, and begins with a banner. */
int nyt_salvage_new(struct nyt_salvage **out, const struct nyt_source *source, nyt_error *err);
/* An nyt_read_fn: a plain profile of the records that are believed. */
int nyt_salvage_read(void *salvage, void *data, size_t size, size_t *got);
/* When all has been read. */
const struct nyt_losses *nyt_salvage_losses(const struct nyt_salvage *s);
void nyt_salvage_free(struct nyt_salvage *s);

#endif
