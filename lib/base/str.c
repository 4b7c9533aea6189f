/* Counted strings: what they say, and in which order they stand. */
#include "base/str.h"

#include <string.h>

int nyt_str_compare(nyt_str a, nyt_str b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int c = len ? memcmp(a.data, b.data, len) : 0;
    return c ? c : NYT_COMPARE(a.len, b.len);
}

int64_t nyt_str_to_int(nyt_str s)
{
    const int64_t limit = INT64_MAX / 10 - 1;
    size_t i = 0;
    while (i < s.len && (s.data[i] == ' ' || (s.data[i] >= '\t' && s.data[i] <= '\r')))
        i++;
    bool minus = i < s.len && s.data[i] == '-';
    if (i < s.len && (s.data[i] == '-' || s.data[i] == '+'))
        i++;
    int64_t value = 0;
    for (; i < s.len && s.data[i] >= '0' && s.data[i] <= '9' && value <= limit; i++)
        value = value * 10 + (s.data[i] - '0');
    return minus ? -value : value;
}

bool nyt_str_is(nyt_str s, const char *word)
{
    size_t len = strlen(word);
    return s.len == len && memcmp(s.data, word, len) == 0;
}

bool nyt_str_begins(nyt_str s, const char *with)
{
    size_t n = strlen(with);
    return s.len >= n && memcmp(s.data, with, n) == 0;
}

bool nyt_str_contains(nyt_str s, const char *part)
{
    size_t n = strlen(part);
    const char *at = s.data, *end = s.data + s.len;
    if (n == 0)
        return true;
    for (; (size_t)(end - at) >= n; at++) {
        at = memchr(at, *part, (size_t)(end - at) - n + 1);
        if (!at)
            return false;
        if (memcmp(at, part, n) == 0)
            return true;
    }
    return false;
}

nyt_str nyt_str_without_margins(nyt_str s)
{
    while (s.len && (*s.data == ' ' || *s.data == '\t'))
        s.data++, s.len--;
    while (s.len &&
           (s.data[s.len - 1] == '\n' || s.data[s.len - 1] == '\r' || s.data[s.len - 1] == ' '))
        s.len--;
    return s;
}
