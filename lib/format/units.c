#include "format/units.h"

#include "base/str.h"
#include "format/awaited.h"

#include <string.h>

static bool take_words(nyt_str *rest, const char *words)
{
    size_t len = strlen(words);
    if (!nyt_str_begins(*rest, words))
        return false;
    rest->data += len;
    rest->len -= len;
    return true;
}

static bool take_u32(nyt_str *rest, uint32_t *value)
{
    uint64_t wide;
    bool ok = nyt_take_number(rest, UINT32_MAX, &wide);
    *value = ok ? (uint32_t)wide : 0;
    return ok;
}

enum nyt_unit_saying nyt_unit_parse(nyt_str comment, struct nyt_unit_said *said)
{
    nyt_str rest = comment;
    while (rest.len && (rest.data[rest.len - 1] == '\n' || rest.data[rest.len - 1] == '\r'))
        rest.len--;
    if (take_words(&rest, "of unit "))
        return take_u32(&rest, &said->number) && !rest.len ? NYT_UNIT_FOLLOWS : NYT_UNIT_NOTHING;
    if (take_words(&rest, "units untold "))
        return nyt_take_number(&rest, INT64_MAX, &said->times) && !rest.len ? NYT_UNIT_UNTOLD
                                                                            : NYT_UNIT_NOTHING;
    if (!take_words(&rest, "unit ") || !take_u32(&rest, &said->number) ||
        !take_u32(&rest, &said->outer) || !rest.len)
        return NYT_UNIT_NOTHING;
    said->name = rest;
    return NYT_UNIT_DEFINED;
}
