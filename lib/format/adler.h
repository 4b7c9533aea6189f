/* The checksum of zlib streams, put together from those of parts. */
#ifndef NYT_FORMAT_ADLER_H
#define NYT_FORMAT_ADLER_H

#include <stdint.h>

/* The adler32 of X followed by Y, from those of X and Y and the length of Y. */
uint32_t nyt_adler_join(uint32_t x, uint32_t y, uint64_t y_len);
/* That of `times` copies of something with that adler32 and length. */
uint32_t nyt_adler_times(uint32_t one, uint64_t len, uint64_t times);

#endif
