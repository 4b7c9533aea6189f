/* JSON: strings of any bytes, numbers of any kind, and commas where they belong. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "out.h"

#include "base/json.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct string {
    const char *bytes;
    const char *json;
};

static const struct string strings[] = {
    {"plain", "\"plain\""},
    {"a\"b\\c/", "\"a\\\"b\\\\c/\""},
    {"\x01\b\t\n\f\r\x1f\x7f", "\"\\u0001\\b\\t\\n\\f\\r\\u001f\\u007f\""},
    {"\xC3\xA9\xE2\x82\xAC", "\"\\u00e9\\u20ac\""},
    {"\xF0\x9F\x98\x80", "\"\\ud83d\\ude00\""},
    {"caf\xE9", "\"caf\\u00e9\""},                      /* Latin-1 */
    {"\xC3\xA9\xFF", "\"\\u00c3\\u00a9\\u00ff\""}, /* not UTF-8 all through */
    {"\xC0\x80", "\"\\u00c0\\u0080\""},               /* an over-long NUL */
    {"\xF4\x90\x80\x80", "\"\\u00f4\\u0090\\u0080\\u0080\""},
    {"\xE2\x82", "\"\\u00e2\\u0082\""},               /* cut off */
    {"a\xE2\x80\xAE"
     "b",
     "\"a\\u202eb\""}, /* right to left */
    {"\xC2\x9B"
     "31m",
     "\"\\u009b31m\""}, /* a control sequence */
    {"\033[31m", "\"\\u001b[31m\""},
};

static void any_bytes_make_a_string(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(strings); i++) {
        begin();
        nyt_out_json_str(&out, str(strings[i].bytes));
        assert_string_equal(end(), strings[i].json);
    }
    begin();
    nyt_out_json_str(&out, (nyt_str){.data = "a\0b", .len = 3});
    assert_string_equal(end(), "\"a\\u0000b\"");
}

static void what_is_not_finite_is_a_string(void **state)
{
    struct nyt_json j = {.o = &out};
    (void)state;
    begin();
    nyt_json_open(&j, NULL, '[');
    nyt_json_number(&j, NULL, NAN);
    nyt_json_number(&j, NULL, -INFINITY);
    nyt_json_number(&j, NULL, 1.5);
    nyt_json_close(&j, ']');
    assert_string_equal(end(), "[\"NaN\",\"-Inf\",1.5]");
}

static void whole_numbers_keep_all_their_digits(void **state)
{
    struct nyt_json j = {.o = &out};
    (void)state;
    begin();
    nyt_json_whole(&j, NULL, INT64_MIN);
    nyt_json_whole(&j, NULL, INT64_MAX);
    nyt_json_count(&j, NULL, UINT64_MAX);
    assert_string_equal(end(), "-9223372036854775808,9223372036854775807,18446744073709551615");
}

static void commas_stand_between_members_and_items_only(void **state)
{
    struct nyt_json j = {.o = &out};
    const nyt_str name = str("x");
    (void)state;
    begin();
    nyt_json_open(&j, NULL, '{');
    nyt_json_open(&j, "empty", '[');
    nyt_json_close(&j, ']');
    nyt_json_open(&j, "list", '[');
    nyt_json_open(&j, NULL, '{');
    nyt_json_close(&j, '}');
    nyt_json_open(&j, NULL, '[');
    nyt_json_null(&j, NULL);
    nyt_json_bool(&j, NULL, true);
    nyt_json_close(&j, ']');
    nyt_json_close(&j, ']');
    nyt_json_bool(&j, "no", false);
    nyt_json_optional(&j, "name", &name);
    nyt_json_optional(&j, "none", NULL);
    nyt_json_close(&j, '}');
    assert_string_equal(end(), "{\"empty\":[],\"list\":[{},[null,true]],\"no\":false,"
                               "\"name\":\"x\",\"none\":null}");
}

static void a_key_of_foreign_bytes_is_escaped_and_has_one_value(void **state)
{
    struct nyt_json j = {.o = &out};
    (void)state;
    begin();
    nyt_json_open(&j, NULL, '{');
    nyt_json_text(&j, "first", "1");
    nyt_json_key(&j, str("a\"\xE9"));
    nyt_json_open(&j, NULL, '[');
    nyt_json_close(&j, ']');
    nyt_json_key(&j, str("b"));
    nyt_json_count(&j, NULL, 2);
    nyt_json_close(&j, '}');
    assert_string_equal(end(), "{\"first\":\"1\",\"a\\\"\\u00e9\":[],\"b\":2}");
}

static void lines_begin_behind_the_comma(void **state)
{
    struct nyt_json j = {.o = &out};
    (void)state;
    begin();
    nyt_json_open(&j, NULL, '[');
    for (int i = 0; i < 2; i++) {
        nyt_json_line(&j);
        nyt_json_whole(&j, NULL, i);
    }
    nyt_json_close(&j, ']');
    assert_string_equal(end(), "[\n0,\n1]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_bytes_make_a_string),
        cmocka_unit_test(what_is_not_finite_is_a_string),
        cmocka_unit_test(whole_numbers_keep_all_their_digits),
        cmocka_unit_test(commas_stand_between_members_and_items_only),
        cmocka_unit_test(a_key_of_foreign_bytes_is_escaped_and_has_one_value),
        cmocka_unit_test(lines_begin_behind_the_comma),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
