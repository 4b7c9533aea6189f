/* Runs of equal records, deflated by hand: zlib inflates them. */
#include "format/run_block.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

/* The raw stream ends with an empty last block here. */
static size_t inflated(uint8_t *packed, size_t len, uint8_t *to, size_t room)
{
    enum { RAW = -15 };
    z_stream z = {0};
    packed[len] = 0x03;
    packed[len + 1] = 0x00;
    assert_int_equal(inflateInit2(&z, RAW), Z_OK);
    z.next_in = packed;
    z.avail_in = (uInt)(len + 2);
    z.next_out = to;
    z.avail_out = (uInt)room;
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.avail_in, 0);
    size_t n = room - z.avail_out;
    inflateEnd(&z);
    return n;
}

static void check_run(size_t len, uint64_t times)
{
    uint8_t record[64];
    for (size_t i = 0; i < len; i++)
        record[i] = (uint8_t)(i * 37 + len * 11 + 130);
    size_t all = len * (size_t)times, room = nyt_run_block_room(len, times);
    uint8_t *packed = malloc(room + 2), *plain = malloc(all + 1);
    assert_non_null(packed);
    assert_non_null(plain);
    size_t n = nyt_run_block(packed, record, len, times);
    assert_true(n <= room);
    assert_int_equal(inflated(packed, n, plain, all + 1), all);
    for (size_t i = 0; i < all; i += len)
        assert_memory_equal(plain + i, record, len);
    free(plain);
    free(packed);
}

static void test_all_lengths_of_records_and_rests(void **state)
{
    (void)state;
    for (size_t len = 1; len <= 40; len++)
        for (uint64_t times = 4; times < 300; times++)
            check_run(len, times);
}

static void test_long_runs(void **state)
{
    (void)state;
    for (size_t len = 1; len <= 40; len++)
        check_run(len, 50000 + len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_lengths_of_records_and_rests),
        cmocka_unit_test(test_long_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
