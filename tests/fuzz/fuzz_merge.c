/* Up to three profiles -> one, which is sound and the same whatever their order. */
#include "fuzz.h"

#include "base/utf8.h"

#include <string.h>

enum { MOST = 3 };

static void look_at_note(void *ctx, const nyt_note *note)
{
    (void)ctx;
    REQUIRE(note->text[0]);
    REQUIRE(nyt_is_utf8((nyt_str){.data = note->text, .len = strlen(note->text)}));
}

static bool merge(const nyt_memory *profiles, size_t n, struct nyt_buf *out)
{
    nyt_merged *m;
    nyt_error err = {0};
    int rc = nyt_merge_memory(&m, profiles, n, look_at_note, NULL, NULL, &err);
    REQUIRE((m != NULL) == (rc == NYT_OK));
    REQUIRE(rc != NYT_ENOMEM);
    if (rc == NYT_OK)
        rc = nyt_merged_write(m, fuzz_keep, out, 1, NULL);
    nyt_merged_free(m);
    return rc == NYT_OK;
}

static int no_fatal(void *ctx, const nyt_finding *finding)
{
    (void)ctx;
    REQUIRE(finding->severity != NYT_FATAL);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nyt_memory profiles[MOST], turned[MOST];
    struct nyt_buf out = {0}, again = {0};
    size_t n = fuzz_split(data, size, profiles, MOST);
    for (size_t i = 0; i < n; i++)
        turned[i] = profiles[n - 1 - i];
    if (merge(profiles, n, &out)) {
        if (out.len < FUZZ_READ_AGAIN)
            REQUIRE(nyt_verify_memory(out.data, out.len, no_fatal, NULL, NULL, NULL) == NYT_OK);
        REQUIRE(merge(turned, n, &again));
        REQUIRE(out.len == again.len && memcmp(out.data, again.data, out.len) == 0);
    }
    nyt_buf_free(&out);
    nyt_buf_free(&again);
    fuzz_free_split(profiles, n);
    return 0;
}
