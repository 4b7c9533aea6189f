/* Integers, doubles and strings: each way round, and every way of being short. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "format/codec.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct integer {
    uint32_t value;
    size_t len;
    uint8_t bytes[NYT_U32_BYTES];
};

/* Each length's first and last value, in the shortest spelling. */
static const struct integer integers[] = {
    {0, 1, {0x00}},
    {0x7F, 1, {0x7F}},
    {0x80, 2, {0x80, 0x80}},
    {0x3FFF, 2, {0xBF, 0xFF}},
    {0x4000, 3, {0xC0, 0x40, 0x00}},
    {0x1FFFFF, 3, {0xDF, 0xFF, 0xFF}},
    {0x200000, 4, {0xE0, 0x20, 0x00, 0x00}},
    {0xFFFFFFF, 4, {0xEF, 0xFF, 0xFF, 0xFF}},
    {0x10000000, 5, {0xFF, 0x10, 0x00, 0x00, 0x00}},
    {0xFFFFFFFF, 5, {0xFF, 0xFF, 0xFF, 0xFF, 0xFF}},
};

/* Spellings that we never write but, like Perl's reader, understand. */
static const struct integer odd_integers[] = {
    {5, 2, {0x80, 0x05}},
    {5, 3, {0xC0, 0x00, 0x05}},
    {5, 4, {0xE0, 0x00, 0x00, 0x05}},
    {5, 5, {0xFF, 0x00, 0x00, 0x00, 0x05}},
    {0x5000001, 4, {0xF5, 0x00, 0x00, 0x01}},
    {0xE000000, 4, {0xFE, 0x00, 0x00, 0x00}},
};

static void integers_are_written_in_their_shortest_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(integers); i++) {
        uint8_t bytes[NYT_U32_BYTES];
        size_t len = (size_t)(nyt_put_u32(bytes, integers[i].value) - bytes);
        assert_int_equal(len, integers[i].len);
        assert_memory_equal(bytes, integers[i].bytes, len);
    }
}

static void reads_back(const struct integer *n)
{
    struct nyt_cursor c = nyt_cursor_over(n->bytes, n->len);
    assert_int_equal(nyt_get_u32(&c), n->value);
    assert_false(c.short_of);
    assert_ptr_equal(c.p, c.end);
}

static void integers_are_read_in_any_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(integers); i++)
        reads_back(&integers[i]);
    for (size_t i = 0; i < COUNT(odd_integers); i++)
        reads_back(&odd_integers[i]);
}

static void every_prefix_of_an_integer_is_short(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(integers); i++) {
        for (size_t len = 0; len < integers[i].len; len++) {
            struct nyt_cursor c = nyt_cursor_over(integers[i].bytes, len);
            assert_int_equal(nyt_get_u32(&c), 0);
            assert_true(c.short_of);
        }
    }
}

static void doubles_are_little_endian(void **state)
{
    (void)state;
    static const uint8_t half_below_zero[] = {0, 0, 0, 0, 0, 0, 0xE0, 0xBF};
    uint8_t bytes[NYT_NV_BYTES];
    assert_ptr_equal(nyt_put_nv(bytes, -0.5), bytes + NYT_NV_BYTES);
    assert_memory_equal(bytes, half_below_zero, sizeof bytes);
    struct nyt_cursor c = nyt_cursor_over(bytes, sizeof bytes);
    assert_true(nyt_get_nv(&c) == -0.5);
    assert_false(c.short_of);
}

static void every_prefix_of_a_double_is_short(void **state)
{
    (void)state;
    static const uint8_t bytes[NYT_NV_BYTES] = {1, 2, 3, 4, 5, 6, 7, 8};
    for (size_t len = 0; len < sizeof bytes; len++) {
        struct nyt_cursor c = nyt_cursor_over(bytes, len);
        assert_true(nyt_get_nv(&c) == 0);
        assert_true(c.short_of);
    }
}

static void strings_hold_any_byte_and_keep_their_tag(void **state)
{
    (void)state;
    static const nyt_str strings[] = {
        {"", 0, false},
        {"", 0, true},
        {"a\0b\n", 4, false},
        {"\xC3\xA9", 2, true},
    };
    for (size_t i = 0; i < COUNT(strings); i++) {
        uint8_t bytes[16];
        size_t len = (size_t)(nyt_put_str(bytes, strings[i]) - bytes);
        assert_int_equal(len, 2 + strings[i].len);
        struct nyt_cursor c = nyt_cursor_over(bytes, len);
        nyt_str s = nyt_get_str(&c);
        assert_false(c.short_of);
        assert_int_equal(s.len, strings[i].len);
        assert_memory_equal(s.data, strings[i].data, s.len);
        assert_int_equal(s.utf8, strings[i].utf8);
    }
}

static void every_prefix_of_a_string_is_short(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {NYT_TAG_STRING, 0x80, 0x02, 'h', 'i'};
    for (size_t len = 0; len < sizeof bytes; len++) {
        struct nyt_cursor c = nyt_cursor_over(bytes, len);
        assert_int_equal(nyt_get_str(&c).len, 0);
        assert_true(c.short_of);
        assert_int_equal(c.bad_tag, -1);
    }
}

static void a_length_beyond_the_memory_is_short(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {NYT_TAG_STRING, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 'x'};
    struct nyt_cursor c = nyt_cursor_over(bytes, sizeof bytes);
    assert_int_equal(nyt_get_str(&c).len, 0);
    assert_true(c.short_of);
}

static void a_wrong_string_tag_is_told_and_stops_at_its_byte(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {7, 'S', 1, 'x'};
    struct nyt_cursor c = nyt_cursor_over(bytes, sizeof bytes);
    assert_int_equal(nyt_get_u32(&c), 7);
    nyt_get_str(&c);
    assert_int_equal(c.bad_tag, 'S');
    assert_ptr_equal(c.p, bytes + 1);
}

static void after_a_short_value_nothing_more_is_taken(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {1, 2, 3, 4};
    struct nyt_cursor c = nyt_cursor_over(bytes, sizeof bytes);
    nyt_get_nv(&c);
    assert_true(c.short_of);
    assert_int_equal(nyt_get_u32(&c), 0);
    assert_ptr_equal(c.p, bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_written_in_their_shortest_form),
        cmocka_unit_test(integers_are_read_in_any_form),
        cmocka_unit_test(every_prefix_of_an_integer_is_short),
        cmocka_unit_test(doubles_are_little_endian),
        cmocka_unit_test(every_prefix_of_a_double_is_short),
        cmocka_unit_test(strings_hold_any_byte_and_keep_their_tag),
        cmocka_unit_test(every_prefix_of_a_string_is_short),
        cmocka_unit_test(a_length_beyond_the_memory_is_short),
        cmocka_unit_test(a_wrong_string_tag_is_told_and_stops_at_its_byte),
        cmocka_unit_test(after_a_short_value_nothing_more_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
