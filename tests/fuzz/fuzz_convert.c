/* Bytes -> profile -> every format, as large as it gets and within a limit. */
#include "fuzz.h"

#include <string.h>

static int begin_file(void *ctx, const char *name)
{
    (void)ctx;
    REQUIRE(name[0] && strlen(name) < 256 && strcspn(name, "/\\\n") == strlen(name));
    REQUIRE(strcmp(name, ".") != 0 && strcmp(name, "..") != 0);
    return 0;
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), n = strlen(end);
    return len >= n && strcmp(text + len - n, end) == 0;
}

static size_t export(const nyt_profile *p, const nyt_export_format *format, nyt_limit *limit)
{
    struct nyt_buf out = {0};
    int rc = format->folder ? nyt_export_nytprofcsv(p, begin_file, fuzz_keep, &out, NULL)
                            : format->write(p, limit, fuzz_keep, &out, NULL);
    fuzz_require_status(rc);
    if (rc == NYT_OK && ends_with(format->suffix, ".json"))
        fuzz_require_json(&out);
    size_t len = out.len;
    nyt_buf_free(&out);
    return len;
}

/* The name that stands for what a limit leaves out may be longer than what it stands for. */
enum { LEFT_OUT = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t choice = fuzz_choice(data, size);
    nyt_load_options load = {.keep_evals = choice & 1, .salvage = true};
    size_t n;
    const nyt_export_format *formats = nyt_export_formats(&n);
    nyt_profile *p;
    if (nyt_profile_load_memory(&p, data, size, &load, NULL) < 0)
        return 0;
    for (size_t i = 0; i < n; i++) {
        nyt_limit limit = {.max_bytes = 1 + (choice >> 1 & 0xFFF)};
        size_t whole = export(p, &formats[i], NULL);
        if (formats[i].limited)
            REQUIRE(export(p, &formats[i], &limit) <= whole + LEFT_OUT || limit.max_bytes >= whole);
    }
    nyt_profile_free(p);
    return 0;
}
