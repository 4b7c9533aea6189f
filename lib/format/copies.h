/* Bytes that come again and again: announced once instead of put out each time. */
#ifndef NYT_FORMAT_COPIES_H
#define NYT_FORMAT_COPIES_H

#include <stddef.h>
#include <stdint.h>

struct nyt_copies {
    const uint8_t *data;
    size_t len;
    uint64_t times;
};

#endif
