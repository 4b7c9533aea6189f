/* What the name of a sub tells. */
#include "model/sub_name.h"

#include <string.h>

bool nyt_has_package(nyt_str name)
{
    for (size_t i = 1; i + 1 < name.len; i++)
        if (name.data[i] == ':' && name.data[i + 1] == ':')
            return true;
    return false;
}

bool nyt_sub_is_anon(nyt_str name)
{
    static const char mark[] = "::__ANON__";
    const size_t len = sizeof mark - 1;
    for (size_t at = 0; at + len <= name.len; at++)
        if (memcmp(name.data + at, mark, len) == 0 &&
            (at + len == name.len || !nyt_is_word(name.data[at + len])))
            return true;
    return false;
}
