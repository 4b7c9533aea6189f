/* Bytes -> profile -> all that is reported of one: the model, summary, info, sources. */
#include "fuzz.h"

typedef int report_fn(const nyt_profile *p, const nyt_report_options *options, nyt_write_fn write,
                      void *ctx, nyt_error *err);

static void report(const nyt_profile *p, report_fn *fn, const nyt_report_options *options)
{
    struct nyt_buf out = {0};
    int rc = fn(p, options, fuzz_keep, &out, NULL);
    fuzz_require_status(rc);
    if (rc == NYT_OK && options->json)
        fuzz_require_json(&out);
    else if (rc == NYT_OK)
        fuzz_require_safe_text(&out, options->colour);
    nyt_buf_free(&out);
}

static void report_sources(const nyt_profile *p, const nyt_report_options *options)
{
    enum { MOST = 6 };
    size_t n;
    const nyt_file *files = nyt_profile_files(p, &n);
    for (size_t i = 0; i < n && i < MOST; i++) {
        struct nyt_buf out = {0};
        int rc = nyt_report_source(p, files[i].fid, options, fuzz_keep, &out, NULL);
        fuzz_require_status(rc);
        if (rc == NYT_OK)
            fuzz_require_safe_text(&out, options->colour);
        nyt_buf_free(&out);
    }
}

static void export_model(const nyt_profile *p)
{
    struct nyt_buf out = {0};
    int rc = nyt_export_model(p, fuzz_keep, &out, NULL);
    fuzz_require_status(rc);
    if (rc == NYT_OK)
        fuzz_require_json(&out);
    nyt_buf_free(&out);
}

/* Every list is sorted by what it is asked for, and every look-up finds what the list has. */
static void look_up_all(const nyt_profile *p)
{
    size_t n, k;
    const nyt_sub *subs = nyt_profile_subs(p, &n);
    for (size_t i = 0; i < n; i++) {
        REQUIRE(nyt_profile_sub(p, subs[i].name) == &subs[i]);
        const nyt_call *calls = nyt_profile_callers(p, &subs[i], &k);
        for (size_t c = 0; c < k; c++)
            REQUIRE(calls[c].called == &subs[i]);
    }
    const nyt_file *files = nyt_profile_files(p, &n);
    for (size_t i = 0; i < n; i++) {
        REQUIRE(nyt_profile_file(p, files[i].fid) == &files[i]);
        const nyt_line *lines = nyt_profile_lines(p, NYT_LEVEL_LINE, files[i].fid, &k);
        for (size_t l = 0; l < k; l++) {
            REQUIRE(l == 0 || lines[l - 1].line < lines[l].line);
            REQUIRE(nyt_profile_line(p, NYT_LEVEL_LINE, files[i].fid, lines[l].line) == &lines[l]);
        }
    }
    const nyt_node *nodes = nyt_profile_tree(p, &n);
    for (size_t i = 1; i < n; i++)
        REQUIRE(nodes[i].parent < i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t choice = fuzz_choice(data, size);
    nyt_load_options load = {.keep_evals = choice & 1, .salvage = (choice & 6) != 0};
    nyt_report_options text = {.colour = choice & 8,
                               .sort = (nyt_sort)(choice >> 4 & 3),
                               .top = choice >> 6 & 3,
                               .width = choice >> 8 & 0x7F};
    nyt_report_options json = text;
    nyt_profile *p;
    nyt_error err = {0};
    int rc = nyt_profile_load_memory(&p, data, size, &load, &err);
    REQUIRE((p != NULL) == (rc == NYT_OK));
    REQUIRE(rc == NYT_OK || (err.code == rc && err.message[0] && rc != NYT_ENOMEM));
    if (!p)
        return 0;
    json.json = true;
    look_up_all(p);
    export_model(p);
    report(p, nyt_report_summary, &text);
    report(p, nyt_report_summary, &json);
    report(p, nyt_report_info, &text);
    report(p, nyt_report_info, &json);
    report_sources(p, &text);
    nyt_profile_free(p);
    return 0;
}
