/*
 * Files that break off or are damaged: whatever happens is reported as an error, and nothing is read
 * or written outside of its place (run with ASan).
 * The golden profiles' folder comes from the build.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/profile.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct file {
    uint8_t data[8192];
    size_t len;
};

/* Small ones that have everything between them: evals, blocks, returns, xsubs, odd strings. */
static const char *const names[] = {
    "perl/strevals.out", "perl/blocks1.out",     "perl/calls2.out",      "perl/compress0.out",
    "perl/xsubs.out",    "perl/fork-merged.out", "perl/demo.out",        "perl/demo-ff.out",
    "odd/ok-full.out",   "odd/utf8-sticky.out",  "odd/evals-nested.out",
};

static void read_golden(const char *name, struct file *f)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", GOLDEN, name);
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    f->len = fread(f->data, 1, sizeof f->data, in);
    assert_true(f->len > 0 && f->len < sizeof f->data);
    fclose(in);
}

static int swallow(void *ctx, const void *data, size_t len)
{
    (void)ctx, (void)data, (void)len;
    return 0;
}

static int count_finding(void *ctx, const nyt_finding *finding)
{
    ++*(int *)ctx;
    assert_true(finding->text[0] != '\0');
    return 0;
}

/* File names may only have what no system minds. */
static int begin_none(void *ctx, const char *name)
{
    (void)ctx;
    assert_int_equal(strcspn(name, "/\\:*?\"'<>|\n"), strlen(name));
    assert_true(strlen(name) < 80);
    return 0;
}

/* In every format, with and without a limit. */
static int export_all(const nyt_profile *p)
{
    size_t n;
    const nyt_export_format *formats = nyt_export_formats(&n);
    int rc = NYT_OK;
    for (size_t i = 0; i < n && rc == NYT_OK; i++) {
        nyt_limit limit = {.max_bytes = 600};
        if (formats[i].folder)
            continue;
        rc = formats[i].write(p, NULL, swallow, NULL, NULL);
        if (rc == NYT_OK)
            rc = formats[i].write(p, &limit, swallow, NULL, NULL);
    }
    return rc == NYT_OK ? nyt_export_nytprofcsv(p, begin_none, swallow, NULL, NULL) : rc;
}

static int report_all(const nyt_profile *p)
{
    size_t n;
    const nyt_file *files = nyt_profile_files(p, &n);
    int rc = nyt_export_model(p, swallow, NULL, NULL);
    if (rc == NYT_OK || rc == NYT_ELIMIT)
        rc = export_all(p);
    if (rc == NYT_OK)
        rc = nyt_report_summary(p, NULL, swallow, NULL, NULL);
    if (rc == NYT_OK)
        rc = nyt_report_info(p, NULL, swallow, NULL, NULL);
    for (size_t i = 0; i < n && rc == NYT_OK; i++)
        rc = nyt_report_source(p, files[i].fid, NULL, swallow, NULL, NULL);
    return rc;
}

static int load_and_report(const void *data, size_t len)
{
    nyt_profile *p;
    nyt_error err = {0};
    nyt_load_options salvage = {.salvage = true};
    int rc = nyt_profile_load_memory(&p, data, len, &salvage, &err);
    assert_int_equal(p != NULL, rc == NYT_OK);
    if (rc == NYT_OK)
        rc = report_all(p);
    nyt_profile_free(p);
    return rc;
}

static int dump(const void *data, size_t len)
{
    nyt_reader *in;
    nyt_error err = {0};
    int rc = nyt_reader_open_memory(&in, data, len, &err);
    if (rc == NYT_OK)
        rc = nyt_export_text(in, swallow, NULL, &err);
    nyt_reader_close(in);
    return rc;
}

/* The reader's and the verifier's opinion must agree on whether the file can be read. */
static void try_all(const void *data, size_t len)
{
    nyt_verdict verdict;
    int findings = 0;
    int read = dump(data, len);
    assert_int_equal(nyt_verify_memory(data, len, count_finding, &findings, &verdict, NULL),
                     NYT_OK);
    assert_int_equal(findings, verdict.odd + verdict.warned + verdict.fatal);
    if (read < 0)
        assert_true(verdict.fatal > 0);
    load_and_report(data, len);
}

/* A copy that ends where the data ends, so that a byte too far is seen. */
static void try_copy(const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, data, len);
    try_all(copy, len);
    free(copy);
}

static void a_file_may_break_off_anywhere(void **state)
{
    static struct file f;
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        read_golden(names[i], &f);
        size_t step = f.len > 1500 ? 5 : 1;
        for (size_t len = 0; len < f.len; len += step)
            try_copy(f.data, len);
    }
}

static void any_bit_may_be_wrong(void **state)
{
    static struct file f;
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        read_golden(names[i], &f);
        for (size_t bit = i; bit < f.len * 8; bit += 13) {
            f.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            try_copy(f.data, f.len);
            f.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_may_break_off_anywhere),
        cmocka_unit_test(any_bit_may_be_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
