/* Bytes -> findings. What cannot be read is fatal; what has no finding can be loaded. */
#include "fuzz.h"

#include "base/utf8.h"

#include <string.h>

static int look(void *ctx, const nyt_finding *finding)
{
    uint64_t *seen = ctx;
    seen[finding->severity]++;
    REQUIRE(finding->rule && finding->rule[0] && finding->text[0]);
    REQUIRE(nyt_is_utf8((nyt_str){.data = finding->text, .len = strlen(finding->text)}));
    return 0;
}

static int read_all(const uint8_t *data, size_t size)
{
    nyt_record rec;
    nyt_reader *in;
    int rc = nyt_reader_open_memory(&in, data, size, NULL);
    while (rc == NYT_OK && (rc = nyt_reader_next(in, &rec, NULL)) == 1)
        rc = NYT_OK;
    nyt_reader_close(in);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t seen[3] = {0};
    nyt_verdict verdict;
    nyt_profile *p;
    REQUIRE(nyt_verify_memory(data, size, look, seen, &verdict, NULL) == NYT_OK);
    REQUIRE(verdict.odd == seen[NYT_ODD]);
    REQUIRE(verdict.warned == seen[NYT_WARNED]);
    REQUIRE(verdict.fatal == seen[NYT_FATAL]);
    if (read_all(data, size) < 0)
        REQUIRE(verdict.fatal > 0);
    if (verdict.fatal == 0) {
        REQUIRE(nyt_profile_load_memory(&p, data, size, NULL, NULL) == NYT_OK);
        REQUIRE(nyt_profile_totals(p)->records == verdict.records);
        nyt_profile_free(p);
    }
    return 0;
}
