/* The table of records. */
#ifndef NYT_FORMAT_RECORD_H
#define NYT_FORMAT_RECORD_H

#include "format/codec.h"

struct nyt_field {
    char type; /* 'u' uint32_t, 'i' int32_t, 'd' double, 's' nyt_str; 0: no more */
    size_t at; /* where in nyt_record */
    const char *label;
};

struct nyt_record_kind {
    const char *name;                                    /* NULL: no such record */
    void (*decode)(struct nyt_cursor *c, nyt_record *r); /* NULL: not by a tag */
    const struct nyt_field *fields;
};

const struct nyt_record_kind *nyt_record_kind(int tag);     /* NULL: no record */

enum nyt_decoded {
    NYT_DECODED,
    NYT_DECODED_SHORT,          /* the cursor ends in mid-record */
    NYT_DECODED_BAD_TAG,        /* the cursor is on it */
    NYT_DECODED_BAD_STRING      /* c->bad_tag, and the cursor is on it */
};

/* Tag, then what belongs to it; sets r->tag and r->u. */
enum nyt_decoded nyt_record_decode(struct nyt_cursor *c, nyt_record *r);

#endif
