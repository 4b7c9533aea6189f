/* Which process the sections of a profile belong to. */
#ifndef NYT_MODEL_OWNERS_H
#define NYT_MODEL_OWNERS_H

#include "base/hash.h"
#include "nytprof.h"

/* What is known of that so far; all zeros before the first record. */
struct nyt_owners {
    struct nyt_map pids;        /* of processes, */
    bool listed;                /* where a comment lists them */
    bool ours, merged;          /* as other comments tell */
    bool begun;
    uint32_t first;
};

/* Takes what a comment tells. false: out of memory. */
bool nyt_owners_heed(struct nyt_owners *o, nyt_str comment);
/* Is it the list that nyt_owners_put() makes? */
bool nyt_owners_is_list(nyt_str comment);
/* The number of the process that a section, which begins, is or is a thread of; 0: not known. */
uint32_t nyt_owner_of(struct nyt_owners *o, const nyt_pid_start *s);
void nyt_owners_free(struct nyt_owners *o);

#endif
