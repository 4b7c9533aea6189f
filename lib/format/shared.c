#include "format/shared.h"

#include "base/str.h"

#include <string.h>

static bool take_digits(nyt_str *rest, uint32_t *value)
{
    uint64_t wide = 0;
    size_t at = 0;
    for (; at < rest->len && rest->data[at] >= '0' && rest->data[at] <= '9'; at++) {
        wide = wide * 10 + (uint64_t)(rest->data[at] - '0');
        if (wide > UINT32_MAX)
            return false;
    }
    rest->data += at;
    rest->len -= at;
    *value = (uint32_t)wide;
    return at > 0;
}

/* "5" or "5-9" */
static bool take_range(nyt_str *rest, uint32_t *first, uint32_t *last)
{
    if (!take_digits(rest, first))
        return false;
    *last = *first;
    if (!rest->len || *rest->data != '-')
        return true;
    rest->data++;
    rest->len--;
    return take_digits(rest, last) && *last > *first;
}

bool nyt_shared_next(nyt_str *ranges, uint32_t *first, uint32_t *last)
{
    if (ranges->len && *ranges->data == ',') {
        ranges->data++;
        ranges->len--;
    }
    return ranges->len && take_range(ranges, first, last);
}

static bool are_in_order(nyt_str ranges)
{
    uint32_t first, last, before = 0;
    while (take_range(&ranges, &first, &last) && first > before) {
        before = last;
        if (!ranges.len)
            return true;
        if (*ranges.data != ',')
            return false;
        ranges.data++;
        ranges.len--;
    }
    return false;
}

enum nyt_shared_saying nyt_shared_parse(nyt_str comment, struct nyt_shared_said *said)
{
    static const char word[] = "shared ";
    if (!nyt_str_begins(comment, word))
        return NYT_SHARED_NOTHING;
    nyt_str rest = {.data = comment.data + sizeof word - 1, .len = comment.len - (sizeof word - 1)};
    while (rest.len && (rest.data[rest.len - 1] == '\n' || rest.data[rest.len - 1] == '\r'))
        rest.len--;
    const char *blank = rest.len ? memchr(rest.data, ' ', rest.len) : NULL;
    if (!blank)
        return NYT_SHARED_MALFORMED;
    size_t len = (size_t)(blank - rest.data);
    said->ranges = (nyt_str){.data = rest.data, .len = len};
    said->file = (nyt_str){.data = blank + 1, .len = rest.len - len - 1};
    return said->file.len && are_in_order(said->ranges) ? NYT_SHARED_LINES : NYT_SHARED_MALFORMED;
}
