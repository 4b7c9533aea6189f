/* Bytes -> a sound profile, of which recovering again changes nothing. */
#include "fuzz.h"

#include <string.h>

static bool recover(const void *data, size_t len, struct nyt_buf *out)
{
    const nyt_memory profile = {.name = "x", .data = data, .len = len};
    nyt_merged *m;
    int rc = nyt_recover_memory(&m, &profile, NULL, NULL, NULL);
    REQUIRE((m != NULL) == (rc == NYT_OK));
    REQUIRE(rc != NYT_ENOMEM);
    if (rc == NYT_OK)
        rc = nyt_merged_write(m, fuzz_keep, out, 1, NULL);
    nyt_merged_free(m);
    return rc == NYT_OK;
}

static int only_odd(void *ctx, const nyt_finding *finding)
{
    (void)ctx;
    REQUIRE(finding->severity == NYT_ODD);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct nyt_buf out = {0}, again = {0};
    if (recover(data, size, &out) && out.len < FUZZ_READ_AGAIN) {
        REQUIRE(nyt_verify_memory(out.data, out.len, only_odd, NULL, NULL, NULL) == NYT_OK);
        REQUIRE(recover(out.data, out.len, &again));
        REQUIRE(nyt_verify_memory(again.data, again.len, only_odd, NULL, NULL, NULL) == NYT_OK);
    }
    nyt_buf_free(&out);
    nyt_buf_free(&again);
    return 0;
}
