/* Comments that mark lines of shared time, and others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "format/shared.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static nyt_str str(const char *text)
{
    return (nyt_str){.data = text, .len = strlen(text)};
}

static void what_writers_write_is_read(void **state)
{
    static const uint32_t wanted[][2] = {{3, 3}, {5, 9}, {4294967295, 4294967295}};
    struct nyt_shared_said said;
    uint32_t first, last;
    (void)state;
    assert_int_equal(nyt_shared_parse(str("shared 3,5-9,4294967295 /src/a b.py\n"), &said),
                     NYT_SHARED_LINES);
    assert_true(nyt_str_is(said.file, "/src/a b.py"));
    for (size_t i = 0; i < COUNT(wanted); i++) {
        assert_true(nyt_shared_next(&said.ranges, &first, &last));
        assert_int_equal(first, wanted[i][0]);
        assert_int_equal(last, wanted[i][1]);
    }
    assert_false(nyt_shared_next(&said.ranges, &first, &last));
}

static void what_begins_so_and_is_not_is_malformed(void **state)
{
    static const char *const malformed[] = {"shared ",
                                            "shared 1",
                                            "shared 1 ",
                                            "shared 1 \n",
                                            "shared  f",
                                            "shared x f",
                                            "shared 0 f",
                                            "shared 1, f",
                                            "shared ,1 f",
                                            "shared 1-1 f",
                                            "shared 2-1 f",
                                            "shared 1-3,3 f",
                                            "shared 2,1 f",
                                            "shared 1- f",
                                            "shared -1 f",
                                            "shared 1-3-5 f",
                                            "shared 1;2 f",
                                            "shared 1,,2 f",
                                            "shared 4294967296 f",
                                            "shared 99999999999999999999999 f",
                                            "shared values of several lines"};
    struct nyt_shared_said said;
    (void)state;
    for (size_t i = 0; i < COUNT(malformed); i++)
        if (nyt_shared_parse(str(malformed[i]), &said) != NYT_SHARED_MALFORMED)
            fail_msg("not taken for malformed: '%s'", malformed[i]);
}

static void anything_else_is_something_else(void **state)
{
    static const char *const others[] = {"", "shared", "Shared 1 f", " shared 1 f", "sharedx 1 f"};
    struct nyt_shared_said said;
    (void)state;
    for (size_t i = 0; i < COUNT(others); i++)
        if (nyt_shared_parse(str(others[i]), &said) != NYT_SHARED_NOTHING)
            fail_msg("taken for a mark: '%s'", others[i]);
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
