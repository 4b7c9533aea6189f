/* What the name of a sub tells. */
#ifndef NYT_MODEL_SUB_NAME_H
#define NYT_MODEL_SUB_NAME_H

#include "nytprof.h"

/* Is there a "::" with something before it? Perl's tools want that of every sub's name. */
bool nyt_has_package(nyt_str name);
bool nyt_sub_is_anon(nyt_str name);

/* What \w matches in Perl, for bytes. */
static inline bool nyt_is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

#endif
