/*
 * Bytes -> records, and to both kinds of dumps. However the bytes come, all at once or few at a
 * time, the records are the same.
 */
#include "fuzz.h"

#include "format/input.h"
#include "format/line_sums.h"
#include "format/reader.h"

#include <string.h>

/* Hands out a few bytes at a time, never as many as it was asked for. */
struct trickle {
    const uint8_t *p;
    size_t left;
    uint32_t pace;
};

static int read_trickle(void *ctx, void *data, size_t size, size_t *got)
{
    struct trickle *t = ctx;
    t->pace = t->pace * 1664525u + 1013904223u;
    size_t some = 1 + (t->pace >> 28);
    some = some < size ? some : size;
    *got = some < t->left ? some : t->left;
    if (*got)
        memcpy(data, t->p, *got);
    t->p += *got;
    t->left -= *got;
    return NYT_OK;
}

/* As the library itself does, which takes a quicker way with runs of statements. */
static uint64_t count_fast(const struct nyt_source *source)
{
    struct nyt_sample samples[8];
    nyt_record rec;
    nyt_reader *in;
    REQUIRE(nyt_reader_begin(&in, source, NULL) == NYT_OK);
    for (;;) {
        while (nyt_reader_samples(in, samples, 8) > 0)
            ;
        if (nyt_reader_next(in, &rec, NULL) <= 0)
            break;
    }
    uint64_t records = nyt_reader_progress(in).records;
    nyt_reader_close(in);
    return records;
}

static int dump(nyt_reader *in, bool as_json, struct nyt_buf *out)
{
    nyt_error err = {0};
    int rc = as_json ? nyt_export_jsonl(in, fuzz_keep, out, &err)
                     : nyt_export_text(in, fuzz_keep, out, &err);
    REQUIRE(rc == NYT_OK || (err.code == rc && err.message[0]));
    REQUIRE(nyt_reader_progress(in).bytes <= UINT32_MAX);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trickle slow = {.p = data, .left = size, .pace = fuzz_choice(data, size)};
    struct nyt_buf json = {0}, text = {0};
    nyt_reader *in;
    uint64_t records = 0;
    int rc = nyt_reader_open_memory(&in, data, size, NULL);
    if (rc == NYT_OK) {
        rc = dump(in, true, &json);
        records = nyt_reader_progress(in).records;
    }
    nyt_reader_close(in);
    int again = nyt_reader_open_fn(&in, read_trickle, &slow, NULL);
    if (again == NYT_OK) {
        again = dump(in, false, &text);
        if (rc != NYT_EIO && again != NYT_EIO)
            REQUIRE(nyt_reader_progress(in).records == records);
    }
    nyt_reader_close(in);
    if (rc != NYT_EIO && again != NYT_EIO) {    /* nothing was cut off */
        REQUIRE(again == rc);
        fuzz_require_json_lines(&json);
        fuzz_require_safe_text(&text, false);
        REQUIRE(count_fast(&(struct nyt_source){.data = data, .len = size}) == records);
    }
    nyt_buf_free(&json);
    nyt_buf_free(&text);
    return 0;
}
