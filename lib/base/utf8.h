/* UTF-8, and what is not quite. */
#ifndef NYT_BASE_UTF8_H
#define NYT_BASE_UTF8_H

#include "base/memory.h"

/* One character as Perl takes it, surrogates included: its length, or 0 and *code as it was. */
size_t nyt_utf8_next(const char *data, size_t len, uint32_t *code);
bool nyt_is_utf8(nyt_str s);

/*
 * Appends a text as UTF-8 that every reader takes: bytes that are not are taken as Latin-1, half
 * a surrogate becomes U+FFFD. Control characters but the tab, and those in `never` (ASCII; NULL:
 * keep all) become '?'. false: out of memory.
 */
bool nyt_buf_utf8(struct nyt_buf *b, nyt_str s, const char *never);

#endif
