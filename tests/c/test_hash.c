/* Tables from keys and names to small numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/str.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define STR(literal) ((nyt_str){.data = (literal), .len = sizeof(literal) - 1})

static void keys_keep_their_values_while_the_table_grows(void **state)
{
    struct nyt_map m = {0};
    bool is_new;
    (void)state;
    assert_null(nyt_map_find(&m, 0));
    for (uint32_t i = 0; i < 10000; i++) {
        uint32_t *value = nyt_map_take(&m, (uint64_t)i << 20, &is_new);
        assert_true(value && is_new && *value == 0);
        *value = i;
    }
    for (uint32_t i = 0; i < 10000; i++) {
        assert_int_equal(*nyt_map_find(&m, (uint64_t)i << 20), i);
        assert_int_equal(*nyt_map_take(&m, (uint64_t)i << 20, &is_new), i);
        assert_false(is_new);
    }
    assert_null(nyt_map_find(&m, 1));
    nyt_map_clear(&m);
    assert_null(nyt_map_find(&m, 0));
    nyt_map_free(&m);
}

static void steps_visit_each_key_once(void **state)
{
    struct nyt_map m = {0};
    bool is_new, seen[100] = {false};
    uint32_t key, n = 0;
    (void)state;
    for (uint32_t i = 0; i < COUNT(seen); i++)
        assert_non_null(nyt_map_take(&m, i, &is_new));
    for (size_t at = 0; nyt_map_next(&m, &at, &key); n++) {
        assert_true(key < COUNT(seen) && !seen[key]);
        seen[key] = true;
    }
    assert_int_equal(n, COUNT(seen));
    nyt_map_free(&m);
}

static void names_are_numbered_in_order_whatever_their_tag(void **state)
{
    struct nyt_names n = {0};
    char text[16];
    (void)state;
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 2000; i++) {
            size_t len = (size_t)snprintf(text, sizeof text, "m::f%u", i);
            nyt_str name = {.data = text, .len = len, .utf8 = round == 1};
            assert_int_equal(nyt_names_take(&n, name), i);
            assert_int_equal(nyt_names_find(&n, name), i);
        }
    }
    assert_int_equal(n.count, 2000);
    assert_int_equal(nyt_names_find(&n, STR("m::f")), NYT_NONE);
    assert_int_equal(nyt_names_take(&n, STR("")), 2000);
    assert_int_equal(nyt_names_take(&n, STR("a\0b")), 2001);
    assert_int_equal(nyt_names_find(&n, STR("a\0c")), NYT_NONE);
    nyt_names_free(&n);
}

static void hashes_go_with_every_byte_and_the_length(void **state)
{
    static const nyt_str names[] = {
        {.data = "", .len = 0},          {.data = "\0", .len = 1},
        {.data = "\0\0", .len = 2},      {.data = "abcdefgh", .len = 8},
        {.data = "abcdefg", .len = 7},   {.data = "abcdefghi", .len = 9},
        {.data = "bbcdefghi", .len = 9}, {.data = "abcdefghj", .len = 9},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++)
        for (size_t k = 0; k < COUNT(names); k++)
            assert_int_equal(nyt_str_hash(names[i], 1) == nyt_str_hash(names[k], 1), i == k);
    assert_true(nyt_str_hash(names[3], 1) != nyt_str_hash(names[3], 2));
}

static const struct {
    const char *text;
    int64_t value;
} integers[] = {
    {"", 0},  {"12", 12}, {" \t\n-7x", -7}, {"+3", 3},
    {"x", 0}, {"-", 0},   {"1e3", 1},       {"922337203685477579", INT64_C(922337203685477579)},
};

static void numbers_are_read_as_atoi_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(integers); i++)
        assert_int_equal(
            nyt_str_to_int((nyt_str){.data = integers[i].text, .len = strlen(integers[i].text)}),
            integers[i].value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_keep_their_values_while_the_table_grows),
        cmocka_unit_test(steps_visit_each_key_once),
        cmocka_unit_test(names_are_numbered_in_order_whatever_their_tag),
        cmocka_unit_test(hashes_go_with_every_byte_and_the_length),
        cmocka_unit_test(numbers_are_read_as_atoi_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
