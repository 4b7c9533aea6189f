/*
 * Two profiles -> what changed, as text, table and JSON. A profile has not changed against
 * itself.
 */
#include "fuzz.h"

static nyt_profile *load(const nyt_memory *from)
{
    nyt_load_options salvage = {.salvage = true};
    nyt_profile *p;
    int rc = nyt_profile_load_memory(&p, from->data, from->len, &salvage, NULL);
    REQUIRE(rc != NYT_ENOMEM);
    return p;
}

static void report(const nyt_diff *d, const nyt_diff_options *options)
{
    struct nyt_buf out = {0};
    int rc = nyt_report_diff(d, options, fuzz_keep, &out, NULL);
    fuzz_require_status(rc);
    if (rc == NYT_OK && options->report.json)
        fuzz_require_json(&out);
    else if (rc == NYT_OK)
        fuzz_require_safe_text(&out, options->report.colour);
    nyt_buf_free(&out);
}

static void look_at(const nyt_diff *d, bool is_same)
{
    size_t n;
    for (int kind = NYT_DIFF_LINES; kind <= NYT_DIFF_EDGES; kind++) {
        const nyt_delta *list = nyt_diff_list(d, (nyt_diff_kind)kind, &n);
        for (size_t i = 0; i < n; i++) {
            const nyt_diff_side *before = &list[i].before, *after = &list[i].after;
            REQUIRE(before->there || after->there);
            if (is_same)
                REQUIRE(before->there && after->there && before->count == after->count);
        }
    }
}

static void check(const nyt_diff *d)
{
    static const char *const conditions[] = {"total>+5%", "sub:*.incl>+1%&+1ms", "calls<0"};
    struct nyt_buf out = {0};
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++)
        (void)nyt_diff_check(d, conditions[i], fuzz_keep, &out, NULL);
    fuzz_require_safe_text(&out, false);
    nyt_buf_free(&out);
}

static void compare(const nyt_profile *before, const nyt_profile *after, uint32_t choice)
{
    nyt_diff_options options = {.report = {.colour = choice & 1,
                                           .top = choice >> 1 & 7,
                                           .sort = (nyt_sort)(choice >> 4 & 3)},
                                .min_change = choice & 64 ? "0" : NULL};
    nyt_diff *d;
    int rc = nyt_diff_new(&d, before, after, NULL);
    REQUIRE((d != NULL) == (rc == NYT_OK));
    REQUIRE(rc == NYT_OK || rc == NYT_ELIMIT);
    if (!d)
        return;
    look_at(d, before == after);
    check(d);
    report(d, &options);
    options.report.colour = false;
    options.markdown = true;
    report(d, &options);
    options.report.json = true;
    report(d, &options);
    nyt_diff_free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nyt_memory parts[2];
    nyt_profile *profiles[2] = {NULL, NULL};
    uint32_t choice = fuzz_choice(data, size);
    size_t n = fuzz_split(data, size, parts, 2);
    for (size_t i = 0; i < n; i++)
        profiles[i] = load(&parts[i]);
    if (profiles[0])
        compare(profiles[0], profiles[0], choice);
    if (profiles[0] && profiles[1])
        compare(profiles[0], profiles[1], choice);
    for (size_t i = 0; i < n; i++)
        nyt_profile_free(profiles[i]);
    fuzz_free_split(parts, n);
    return 0;
}
