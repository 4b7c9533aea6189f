/* Comments that tell of awaited time, and others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "format/awaited.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static nyt_str str(const char *text)
{
    return (nyt_str){.data = text, .len = strlen(text)};
}

static void what_writers_write_is_read(void **state)
{
    struct nyt_awaited a;
    (void)state;
    assert_int_equal(nyt_awaited_parse(str("awaited 20000000 200 12 /src/a b.py\n"), &a),
                     NYT_AWAITED_LINE);
    assert_true(a.ticks == 20000000 && a.count == 200 && a.line == 12);
    assert_true(nyt_str_is(a.file, "/src/a b.py"));
    assert_int_equal(nyt_awaited_parse(str("awaited 9223372036854775807 0 4294967295 x"), &a),
                     NYT_AWAITED_LINE);
    assert_true(a.ticks == INT64_MAX && a.count == 0 && a.line == UINT32_MAX);
}

static void what_begins_so_and_is_not_is_malformed(void **state)
{
    static const char *const malformed[] = {"awaited ",
                                            "awaited 1",
                                            "awaited 1 2 3",
                                            "awaited 1 2 3 ",
                                            "awaited 1 2 3 \n",
                                            "awaited 1 2 x y",
                                            "awaited -1 2 3 f",
                                            "awaited 1  3 f",
                                            "awaited 9223372036854775808 2 3 f",
                                            "awaited 1 99999999999999999999999 3 f",
                                            "awaited 1 2 4294967296 f"};
    struct nyt_awaited a;
    (void)state;
    for (size_t i = 0; i < COUNT(malformed); i++)
        if (nyt_awaited_parse(str(malformed[i]), &a) != NYT_AWAITED_MALFORMED)
            fail_msg("not taken for malformed: '%s'", malformed[i]);
}

static void anything_else_is_something_else(void **state)
{
    static const char *const others[] = {"", "awaited", "Awaited 1 2 3 f", " awaited 1 2 3 f"};
    struct nyt_awaited a;
    (void)state;
    for (size_t i = 0; i < COUNT(others); i++)
        if (nyt_awaited_parse(str(others[i]), &a) != NYT_AWAITED_NOTHING)
            fail_msg("taken for awaited time: '%s'", others[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_writers_write_is_read),
        cmocka_unit_test(what_begins_so_and_is_not_is_malformed),
        cmocka_unit_test(anything_else_is_something_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
