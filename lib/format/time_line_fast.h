/* TIME_LINE records, where all bytes that one may have are known to be in memory. */
#ifndef NYT_FORMAT_TIME_LINE_FAST_H
#define NYT_FORMAT_TIME_LINE_FAST_H

#include "format/codec.h"

#include <string.h>

enum {
    NYT_TIME_LINE_SHORTEST = 4,
    NYT_TIME_LINE_LONGEST = 1 + 3 * NYT_U32_BYTES,
    NYT_FAST_ROOM = NYT_TIME_LINE_LONGEST + 1      /* behind the beginning, with a DISCOUNT */
};

/* An integer of one or two bytes at the low end of `bytes`: `more` is 1 if it has two. */
static inline uint32_t nyt_fast_short(uint64_t bytes, unsigned more)
{
    uint32_t both = ((uint32_t)bytes & 0x7F) << 8 | ((uint32_t)(bytes >> 8) & 0xFF);
    return both >> (8 - 8 * more);
}

/*
 * What follows the tag at `p`. Ticks and line of most records take one byte or two, in no order
 * that a processor could foresee: these two are taken without a branch.
 */
static inline const uint8_t *nyt_fast_time_line(const uint8_t *p, uint32_t *ticks, uint32_t *fid,
                                                uint32_t *line)
{
    enum { TWO = 0x80, MORE = 0xC0 };
    uint64_t bytes = nyt_le64(p) >> 8;
    unsigned more_ticks = (unsigned)(bytes >> 7) & 1;
    uint64_t rest = bytes >> (8 + 8 * more_ticks);
    uint64_t from_line = rest >> 8;
    bool is_short = (bytes & MORE) != MORE, line_is_short = (from_line & MORE) != MORE;
    bool fid_is_short = (rest & TWO) == 0;
    if ((int)is_short & (int)line_is_short & (int)fid_is_short) {
        unsigned more_line = (unsigned)(from_line >> 7) & 1;
        *ticks = nyt_fast_short(bytes, more_ticks);
        *fid = (uint32_t)rest & 0x7F;
        *line = nyt_fast_short(from_line, more_line);
        return p + NYT_TIME_LINE_SHORTEST + more_ticks + more_line;
    }
    p = nyt_fast_u32(p + 1, ticks);
    p = nyt_fast_u32(p, fid);
    return nyt_fast_u32(p, line);
}

/*
 * How often the `len` bytes before p come again from p on. A line that ran a million times is a
 * million equal records: comparing is far quicker than decoding.
 */
static inline size_t nyt_repeats(const uint8_t *p, const uint8_t *end, size_t len)
{
    const uint8_t *q = p;
    while (end - q >= 8 && memcmp(q, q - len, 8) == 0)
        q += 8;
    while (q < end && *q == *(q - len))
        q++;
    return (size_t)(q - p) / len;
}

#endif
