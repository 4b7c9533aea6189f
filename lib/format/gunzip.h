/* A gzipped source, read as what it holds. */
#ifndef NYT_FORMAT_GUNZIP_H
#define NYT_FORMAT_GUNZIP_H

#include "nytprof.h"

struct nyt_gunzip;

/* Do some bytes begin a gzip member? No profile begins so. */
bool nyt_is_gzip(const uint8_t *data, size_t len);
/* `first` are bytes that were read from the source already. NULL: out of memory. */
struct nyt_gunzip *nyt_gunzip_new(nyt_read_fn read, void *ctx, const uint8_t *first, size_t len);
/* An nyt_read_fn. NYT_EDEFLATE: it is damaged; one that breaks off just ends. */
int nyt_gunzip_read(void *gunzip, void *data, size_t size, size_t *got);
void nyt_gunzip_free(struct nyt_gunzip *g);

#endif
