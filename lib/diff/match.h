/* Two profiles: which file, sub and line of one is which of the other. */
#ifndef NYT_DIFF_MATCH_H
#define NYT_DIFF_MATCH_H

#include "model/profile.h"

/* A line that has figures or text. Blank lines without figures are left out. */
struct nyt_place {
    uint32_t fid, line;
    uint32_t file;          /* index, or NYT_NONE: a file that is not defined */
    uint32_t source;        /* index into the profile's sources, or NYT_NONE */
    uint32_t figures;       /* index into the profile's lines, or NYT_NONE */
    uint32_t mate;          /* index of the other half's place, or NYT_NONE */
    uint32_t owner;         /* the innermost sub around it that has a mate: the index that it has
                               in the first half; or NYT_NONE */
    uint64_t hash;          /* of the text without its margins */
};

struct nyt_half {
    const nyt_profile *p;
    uint32_t *file_mates, *sub_mates; /* by index: index in the other half, or NYT_NONE */
    bool *has_text;                   /* of each file */
    struct nyt_place *places;         /* by fid and line; none of files that are merged */
    size_t place_count;
};

struct nyt_match {
    struct nyt_half half[2];
};

/*
 * NYT_OK, NYT_ENOMEM or NYT_ELIMIT; to be freed in any case. The same pairs are found with
 * the profiles exchanged.
 */
int nyt_match_profiles(struct nyt_match *m, const nyt_profile *before, const nyt_profile *after);
void nyt_match_free(struct nyt_match *m);

/* The place of a line, or NYT_NONE. */
uint32_t nyt_place_find(const struct nyt_half *h, uint32_t fid, uint32_t line);

#endif
