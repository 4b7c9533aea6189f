/* Numbers and foreign bytes on their way out. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "out.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct number {
    double value;
    const char *text;
};

static const struct number numbers[] = {
    {0, "0"},
    {-0.0, "0"},
    {1, "1"},
    {-5, "-5"},
    {1e14, "100000000000000"},
    {1e15, "1e+15"},
    {0.1, "0.1"},
    {1.2e-06, "1.2e-06"},
    {1795390676.338803, "1795390676.338803"},
    {0.1 + 0.2, "0.30000000000000004"},
    {1.0 / 3, "0.3333333333333333"},
    {5e-324, "4.94065645841247e-324"},
    {1.7976931348623157e308, "1.7976931348623157e+308"},
    {NAN, "NaN"},
    {INFINITY, "Inf"},
    {-INFINITY, "-Inf"},
};

static void numbers_are_as_short_as_they_can_be(void **state)
{
    char shown[NYT_NUMBER_BYTES];
    (void)state;
    for (size_t i = 0; i < COUNT(numbers); i++)
        assert_string_equal(nyt_number(numbers[i].value, shown), numbers[i].text);
}

struct string {
    const char *bytes;
    const char *safe;
};

static const struct string strings[] = {
    {"plain", "plain"},
    {"a\"b\\c/", "a\"b\\c/"},
    {"\x01\b\t\n\f\r\x1f\x7f", "\\x01\\x08    \\x0a\\x0c\\x0d\\x1f\\x7f"},
    {"\xC3\xA9\xE2\x82\xAC", "\xC3\xA9\xE2\x82\xAC"},
    {"\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80"},
    {"caf\xE9", "caf\\xe9"},                      /* Latin-1 */
    {"\xC3\xA9\xFF", "\xC3\xA9\\xff"}, /* not UTF-8 all through */
    {"\xC0\x80", "\\xc0\\x80"},               /* an over-long NUL */
    {"\xF4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
    {"\xE2\x82", "\\xe2\\x82"},               /* cut off */
    {"a\xE2\x80\xAE"
     "b",
     "a\\u{202e}b"}, /* right to left */
    {"\xC2\x9B"
     "31m",
     "\\x9b31m"}, /* a control sequence */
    {"\033[31m", "\\x1b[31m"},
};

static void terminals_get_nothing_that_moves_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(strings); i++) {
        begin();
        nyt_out_safe(&out, str(strings[i].bytes), 0);
        assert_string_equal(end(), strings[i].safe);
    }
}

static void safe_text_keeps_to_its_columns(void **state)
{
    nyt_str wide = str("\xE6\xBC\xA2\xE5\xAD\x97"
                       "e\xCC\x81"
                       "x"); /* two wide, e + accent, x */
    (void)state;
    assert_int_equal(nyt_safe_columns(wide), 6);
    begin();
    assert_int_equal(nyt_out_safe(&out, wide, 3), 2);
    assert_string_equal(end(), "\xE6\xBC\xA2");
    nyt_str last = nyt_safe_last(wide, 4);
    assert_int_equal(last.len, 3 + 3 + 1);
    assert_int_equal(nyt_safe_last(wide, 0).len, 0);
}

static int fail_with_errno(void *ctx, const void *data, size_t len)
{
    (void)data, (void)len;
    ++*(int *)ctx;
    errno = ENOSPC;
    return NYT_EIO;
}

static void the_first_failure_to_write_is_the_last(void **state)
{
    int calls = 0;
    nyt_error err;
    (void)state;
    nyt_out_begin(&out, fail_with_errno, &calls);
    for (size_t i = 0; i < 3 * sizeof out.data; i++)
        nyt_out_text(&out, "x");
    errno = 0;
    assert_int_equal(nyt_out_end(&out, &err), NYT_EIO);
    assert_int_equal(calls, 1);
    assert_int_equal(err.sys_errno, ENOSPC);
}

static void long_text_is_whole(void **state)
{
    static char many[100000];
    (void)state;
    memset(many, 'y', sizeof many);
    begin();
    nyt_out_text(&out, "<");
    nyt_out_bytes(&out, many, sizeof many);
    nyt_out_text(&out, ">");
    end();
    assert_int_equal(text_len, sizeof many + 2);
    assert_int_equal(text[text_len - 1], '>');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_as_short_as_they_can_be),
        cmocka_unit_test(terminals_get_nothing_that_moves_them),
        cmocka_unit_test(safe_text_keeps_to_its_columns),
        cmocka_unit_test(the_first_failure_to_write_is_the_last),
        cmocka_unit_test(long_text_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
