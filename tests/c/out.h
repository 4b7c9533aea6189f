/* A struct nyt_out that writes into memory. */
#ifndef OUT_H
#define OUT_H

#include <string.h>

#include "base/text.h"

static char text[1 << 17];
static size_t text_len;

static int collect(void *ctx, const void *data, size_t len)
{
    (void)ctx;
    assert_true(text_len + len < sizeof text);
    memcpy(text + text_len, data, len);
    text_len += len;
    text[text_len] = '\0';
    return 0;
}

static struct nyt_out out;

static void begin(void)
{
    text_len = 0;
    text[0] = '\0';
    nyt_out_begin(&out, collect, NULL);
}

static const char *end(void)
{
    assert_int_equal(nyt_out_end(&out, NULL), NYT_OK);
    return text;
}

static nyt_str str(const char *bytes)
{
    return (nyt_str){.data = bytes, .len = strlen(bytes)};
}

#endif
