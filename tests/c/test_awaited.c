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
    assert_true(nyt_awaited_parse(str("awaited 20000000 200 12 /src/a b.py\n"), &a));
    assert_true(a.ticks == 20000000 && a.count == 200 && a.line == 12);
    assert_true(nyt_str_is(a.file, "/src/a b.py"));
    assert_true(nyt_awaited_parse(str("awaited 9223372036854775807 0 4294967295 x"), &a));
    assert_true(a.ticks == INT64_MAX && a.count == 0 && a.line == UINT32_MAX);
}

static void anything_else_is_not(void **state)
{
    static const char *const others[] = {"",
                                         "awaited",
                                         "awaited ",
                                         "awaited 1",
                                         "awaited 1 2 3",
                                         "awaited 1 2 3 ",
                                         "awaited 1 2 3 \n",
                                         "awaited 1 2 x y",
                                         "awaited -1 2 3 f",
                                         "awaited 1  3 f",
                                         "Awaited 1 2 3 f",
                                         " awaited 1 2 3 f",
                                         "awaited 9223372036854775808 2 3 f",
                                         "awaited 1 99999999999999999999999 3 f",
                                         "awaited 1 2 4294967296 f"};
    struct nyt_awaited a;
    (void)state;
    for (size_t i = 0; i < COUNT(others); i++)
        if (nyt_awaited_parse(str(others[i]), &a))
            fail_msg("taken for awaited time: '%s'", others[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_writers_write_is_read),
        cmocka_unit_test(anything_else_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
