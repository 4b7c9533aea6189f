#include "format/awaited.h"

#include "base/str.h"

bool nyt_take_number(nyt_str *rest, uint64_t most, uint64_t *value)
{
    size_t at = 0;
    *value = 0;
    for (; at < rest->len && rest->data[at] >= '0' && rest->data[at] <= '9'; at++) {
        unsigned digit = (unsigned)(rest->data[at] - '0');
        if (*value > (most - digit) / 10)
            return false;
        *value = *value * 10 + digit;
    }
    if (at == 0 || (at < rest->len && rest->data[at] != ' '))
        return false;
    at += at < rest->len;
    rest->data += at;
    rest->len -= at;
    return true;
}

enum nyt_awaited_saying nyt_awaited_parse(nyt_str comment, struct nyt_awaited *a)
{
    static const char word[] = "awaited ";
    uint64_t line;
    if (!nyt_str_begins(comment, word))
        return NYT_AWAITED_NOTHING;
    nyt_str rest = {.data = comment.data + sizeof word - 1, .len = comment.len - (sizeof word - 1)};
    if (!nyt_take_number(&rest, INT64_MAX, &a->ticks) ||
        !nyt_take_number(&rest, INT64_MAX, &a->count) || !nyt_take_number(&rest, UINT32_MAX, &line))
        return NYT_AWAITED_MALFORMED;
    while (rest.len && (rest.data[rest.len - 1] == '\n' || rest.data[rest.len - 1] == '\r'))
        rest.len--;
    a->line = (uint32_t)line;
    a->file = rest;
    return rest.len > 0 ? NYT_AWAITED_LINE : NYT_AWAITED_MALFORMED;
}

bool nyt_processor_wait_parse(nyt_str comment, uint64_t *ticks)
{
    static const char words[] = NYT_PROCESSOR_WAITS;
    if (!nyt_str_begins(comment, words))
        return false;
    nyt_str rest = {.data = comment.data + sizeof words - 1,
                    .len = comment.len - (sizeof words - 1)};
    return nyt_take_number(&rest, INT64_MAX, ticks) && nyt_str_begins(rest, "ticks");
}
