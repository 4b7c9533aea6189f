/*
 * Chunks -> writer -> a profile that can be read and has what was written. The input is a
 * list of token, length (two bytes, little-endian) and payload; its last byte gives the level.
 */
#include "fuzz.h"

#include <string.h>

struct outcome {
    struct nyt_buf file;
    unsigned accepted;
    bool closed;
};

static void write_all(const uint8_t *data, size_t size, int level, nyt_pieces *pieces,
                      struct outcome *o)
{
    nyt_chunks *c;
    REQUIRE(nyt_chunks_open_fn(&c, fuzz_keep, &o->file, level, pieces, NULL) == NYT_OK);
    while (size >= 3) {
        nyt_error err = {0};
        size_t len = data[1] | (size_t)data[2] << 8;
        if (len > size - 3)
            len = size - 3;
        int rc = nyt_chunks_write(c, (char)data[0], data + 3, len, &err);
        REQUIRE(rc == NYT_OK || rc == NYT_ECHUNK || rc == NYT_EIO);
        REQUIRE(rc != NYT_ECHUNK || (err.message[0] && err.offset <= len));
        o->accepted += rc == NYT_OK;
        data += 3 + len;
        size -= 3 + len;
    }
    o->closed = nyt_chunks_close(c, NULL) == NYT_OK;
}

/* A header may say what it likes; all else is the writer's to keep sound. */
static int only_the_header(void *ctx, const nyt_finding *finding)
{
    static const char *const of_header[] = {"ticks-per-sec-missing", "ticks-per-sec-range"};
    (void)ctx;
    bool known = finding->severity != NYT_FATAL || strstr(finding->text, "floating point");
    for (size_t i = 0; i < sizeof of_header / sizeof *of_header; i++)
        known |= strcmp(finding->rule, of_header[i]) == 0;
    REQUIRE(known);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome first = {0}, second = {0};
    if (size == 0)
        return 0;
    int level = data[size - 1] % 10;
    nyt_pieces *pieces = nyt_pieces_new();
    REQUIRE(pieces);
    write_all(data, size - 1, level, pieces, &first);
    if (first.closed && first.file.len < FUZZ_READ_AGAIN)
        REQUIRE(nyt_verify_memory(first.file.data, first.file.len, only_the_header, NULL, NULL,
                                  NULL) == NYT_OK);
    write_all(data, size - 1, level, pieces, &second);
    REQUIRE(first.closed == second.closed);
    if (first.closed && first.accepted == second.accepted)
        REQUIRE(first.file.len == second.file.len &&
                memcmp(first.file.data, second.file.data, first.file.len) == 0);
    nyt_buf_free(&first.file);
    nyt_buf_free(&second.file);
    nyt_pieces_free(pieces);
    return 0;
}
