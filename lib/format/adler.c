/* The checksum of zlib streams, put together from those of parts: docs/format.md has the sums. */
#include "format/adler.h"

#include <zlib.h>

enum { ADLER_BASE = 65521 };    /* lengths count modulo this */

/* zlib takes a length that has 32 bits on some systems, and ours may have more. */
uint32_t nyt_adler_join(uint32_t x, uint32_t y, uint64_t y_len)
{
    return (uint32_t)adler32_combine(x, y, (z_off_t)(y_len % ADLER_BASE));
}

/* By doubling. */
uint32_t nyt_adler_times(uint32_t one, uint64_t len, uint64_t times)
{
    uint32_t all = 1;
    for (; times; times >>= 1) {
        if (times & 1)
            all = nyt_adler_join(all, one, len);
        one = nyt_adler_join(one, one, len);
        len = len * 2 % ADLER_BASE;
    }
    return all;
}
