/* The checksum of zlib streams, put together from those of parts: docs/format.md has the sums. */
#include "format/adler.h"

enum { ADLER_BASE = 65521 };

uint32_t nyt_adler_join(uint32_t x, uint32_t y, uint64_t y_len)
{
    const uint64_t m = ADLER_BASE;
    uint64_t sum = (x & 0xFFFF) + m - 1;
    uint64_t low = sum + (y & 0xFFFF);
    uint64_t high = (x >> 16) + (y >> 16) + y_len % m * (sum % m);
    return (uint32_t)(high % m << 16 | low % m);
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
