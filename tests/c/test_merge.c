/*
 * Merging and recovering from below: scales, sums, memory that runs out, and profiles with
 * changed bytes, which become sound or are refused (run with ASan).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "allocations.h"
#include "bytes.h"

#include "base/memory.h"
#include "merge/sums.h"

#include "bytes.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- Sums ---- */

static void ticks_are_rescaled_to_the_nearest(void **state)
{
    (void)state;
    assert_int_equal(nyt_rescale_ticks(7, 1000, 10000000), 70000);
    assert_int_equal(nyt_rescale_ticks(15, 10, 1), 2);
    assert_int_equal(nyt_rescale_ticks(14, 10, 1), 1);
    assert_int_equal(nyt_rescale_ticks(-15, 10, 1), -2);
    assert_int_equal(nyt_rescale_ticks(INT64_MAX, INT32_MAX, INT32_MAX), INT64_MAX);
    assert_int_equal(nyt_rescale_ticks(INT64_MAX, 1, 2), INT64_MAX);
    assert_int_equal(nyt_rescale_ticks(INT64_MIN, 1, 2), -INT64_MAX);
}

static void lines_blocks_and_calls_of_one_place_are_apart(void **state)
{
    (void)state;
    struct nyt_sums s = {0};
    nyt_time line = {.fid = 1, .line = 2};
    nyt_time block = {.fid = 1, .line = 2, .block_line = 1, .sub_line = 1};
    nyt_sums_line(&s, 0, &line)->count = 5;
    nyt_sums_line(&s, 0, &block)->count = 7;
    nyt_sums_call(&s, 1, 2, 3, 4)->count = 8;
    nyt_sums_call(&s, 1, 2, 4, 3)->count = 9;
    assert_int_equal(nyt_sums_line(&s, 0, &line)->count, 5);
    assert_int_equal(nyt_sums_line(&s, 0, &block)->count, 7);
    assert_int_equal(nyt_sums_call(&s, 1, 2, 3, 4)->count, 8);
    assert_int_equal(nyt_sums_call(&s, 1, 2, 4, 3)->count, 9);
    assert_int_equal(s.line_count, 2);
    assert_int_equal(s.call_count, 2);
    nyt_sums_line(&s, 3, &line)->count = 10;
    nyt_sums_line(&s, 3, &block)->count = 11;
    assert_int_equal(nyt_sums_line(&s, 0, &line)->count, 5);
    assert_int_equal(nyt_sums_line(&s, 0, &block)->count, 7);
    assert_int_equal(nyt_sums_line(&s, 3, &line)->count, 10);
    assert_int_equal(nyt_sums_line(&s, 3, &block)->count, 11);
    assert_int_equal(s.lines[2].section, 3);
    nyt_sums_free(&s);
}

/* ---- Whole profiles ---- */

/* Small ones that have everything between them: evals, blocks, returns, xsubs, odd strings. */
static const char *const names[] = {
    "perl/strevals.out", "perl/blocks1.out", "perl/calls2.out",
    "perl/xsubs.out",    "perl/demo.out",    "odd/evals-nested.out",
};

static char paths[COUNT(names)][1024];

static void name_paths(void)
{
    for (size_t i = 0; i < COUNT(names); i++)
        snprintf(paths[i], sizeof paths[i], "%s/%s", GOLDEN, names[i]);
}

static int keep(void *ctx, const void *data, size_t len)
{
    return nyt_buf_append(ctx, data, len) ? 0 : NYT_ENOMEM;
}

static int write_to(nyt_merged *m, struct nyt_buf *out, nyt_error *err)
{
    return nyt_merged_write(m, keep, out, 1, err);
}

/* As often as memory runs out, each time one allocation later. */
static void memory_runs_out(int (*work)(struct nyt_buf *, nyt_error *))
{
    int rc = NYT_ENOMEM;
    for (long n = 0; rc == NYT_ENOMEM; n++) {
        struct nyt_buf out = {0};
        nyt_error err = {0};
        allocations_left = n;
        rc = work(&out, &err);
        allocations_left = -1;
        assert_int_equal(err.code, rc);
        nyt_buf_free(&out);
        assert_true(n < 100000);
    }
    assert_int_equal(rc, NYT_OK);
}

static int merge_three(struct nyt_buf *out, nyt_error *err)
{
    const char *const three[] = {paths[0], paths[3], paths[0]};
    nyt_merged *m;
    int rc = nyt_merge(&m, three, COUNT(three), NULL, NULL, NULL, err);
    if (rc == NYT_OK)
        rc = write_to(m, out, err);
    nyt_merged_free(m);
    return rc;
}

static int recover_one(struct nyt_buf *out, nyt_error *err)
{
    nyt_merged *m;
    int rc = nyt_recover(&m, paths[1], NULL, NULL, err);
    if (rc == NYT_OK)
        rc = write_to(m, out, err);
    nyt_merged_free(m);
    return rc;
}

static void merging_survives_when_memory_runs_out(void **state)
{
    (void)state;
    memory_runs_out(merge_three);
}

static void recovering_survives_when_memory_runs_out(void **state)
{
    (void)state;
    memory_runs_out(recover_one);
}

static size_t read_all(const char *path, uint8_t *data, size_t size)
{
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    size_t len = fread(data, 1, size, in);
    fclose(in);
    return len;
}

static void assert_recovers(const void *data, size_t len)
{
    nyt_merged *m;
    nyt_error err;
    struct nyt_buf out = {0};
    nyt_verdict verdict;
    nyt_memory profile = {.name = "broken", .data = data, .len = len};
    int rc = nyt_recover_memory(&m, &profile, NULL, NULL, &err);
    if (rc < 0) {
        assert_null(m);
        return;
    }
    assert_int_equal(write_to(m, &out, &err), NYT_OK);
    assert_int_equal(nyt_verify_memory(out.data, out.len, NULL, NULL, &verdict, &err), NYT_OK);
    assert_int_equal(verdict.fatal, 0);
    assert_int_equal(verdict.warned, 0);
    nyt_buf_free(&out);
    nyt_merged_free(m);
}

/* Found by fuzzing: a process without a time began then, and lasted nothing. */
static void a_basetime_beyond_all_years_is_not_taken(void **state)
{
    static struct bytes b;
    (void)state;
    add_text(&b, "NYTProf 5 0\n:ticks_per_sec=1000\n:basetime=99999999999999999999\n");
    add_record(&b, "@uuuuuus", 1u, 0u, 0u, 50u, 0u, 0u, "/x.py");
    add_record(&b, "+uuu", 1500u, 1u, 1u);
    assert_recovers(b.data, b.len);
}

/* One byte in STEP, beginning elsewhere in each profile. */
static void whatever_byte_is_changed_the_result_is_sound(void **state)
{
    enum { STEP = 11 };
    static uint8_t data[1 << 16];
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        size_t len = read_all(paths[i], data, sizeof data);
        assert_true(len > 0 && len < sizeof data);
        for (size_t at = i; at < len; at += STEP) {
            uint8_t before = data[at];
            data[at] ^= at % 2 ? 0xFF : 0x01;
            assert_recovers(data, len);
            data[at] = before;
        }
    }
}

static void profiles_in_memory_merge_as_files_do(void **state)
{
    static uint8_t data[COUNT(names)][1 << 14];
    const char *by_path[COUNT(names)];
    nyt_memory in_memory[COUNT(names)];
    struct nyt_buf from_paths = {0}, from_memory = {0};
    nyt_merged *m;
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        size_t len = read_all(paths[i], data[i], sizeof data[i]);
        assert_true(len > 0 && len < sizeof data[i]);
        by_path[i] = paths[i];
        in_memory[i] = (nyt_memory){.name = names[i], .data = data[i], .len = len};
    }
    assert_int_equal(nyt_merge(&m, by_path, COUNT(names), NULL, NULL, NULL, NULL), NYT_OK);
    assert_int_equal(write_to(m, &from_paths, NULL), NYT_OK);
    nyt_merged_free(m);
    assert_int_equal(nyt_merge_memory(&m, in_memory, COUNT(names), NULL, NULL, NULL, NULL), NYT_OK);
    assert_int_equal(write_to(m, &from_memory, NULL), NYT_OK);
    nyt_merged_free(m);
    assert_int_equal(from_paths.len, from_memory.len);
    assert_memory_equal(from_paths.data, from_memory.data, from_memory.len);
    nyt_buf_free(&from_paths);
    nyt_buf_free(&from_memory);
}

static void the_one_in_memory_that_cannot_be_merged_is_named(void **state)
{
    static const char junk[] = "not a profile\n";
    const nyt_memory profile = {.name = "junk", .data = junk, .len = sizeof junk - 1};
    nyt_merged *m;
    nyt_error err;
    const char *failed;
    (void)state;
    assert_int_equal(nyt_merge_memory(&m, &profile, 1, NULL, NULL, &failed, &err), NYT_EFORMAT);
    assert_null(m);
    assert_string_equal(failed, "junk");
    assert_int_equal(nyt_recover_memory(&m, &profile, NULL, NULL, &err), NYT_EFORMAT);
    assert_null(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ticks_are_rescaled_to_the_nearest),
        cmocka_unit_test(lines_blocks_and_calls_of_one_place_are_apart),
        cmocka_unit_test(merging_survives_when_memory_runs_out),
        cmocka_unit_test(recovering_survives_when_memory_runs_out),
        cmocka_unit_test(a_basetime_beyond_all_years_is_not_taken),
        cmocka_unit_test(whatever_byte_is_changed_the_result_is_sound),
        cmocka_unit_test(profiles_in_memory_merge_as_files_do),
        cmocka_unit_test(the_one_in_memory_that_cannot_be_merged_is_named),
    };
    name_paths();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
