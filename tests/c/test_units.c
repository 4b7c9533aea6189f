/* Comments that tell of units of work, and what becomes of those that make no sense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "format/units.h"
#include "nytprof.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static nyt_str str(const char *text)
{
    return (nyt_str){.data = text, .len = strlen(text)};
}

static void what_writers_write_is_read(void **state)
{
    struct nyt_unit_said said;
    (void)state;
    assert_int_equal(nyt_unit_parse(str("unit 12 3 web::GET_/a b\n"), &said), NYT_UNIT_DEFINED);
    assert_true(said.number == 12 && said.outer == 3 && nyt_str_is(said.name, "web::GET_/a b"));
    assert_int_equal(nyt_unit_parse(str("of unit 4294967295\n"), &said), NYT_UNIT_FOLLOWS);
    assert_true(said.number == UINT32_MAX);
    assert_int_equal(nyt_unit_parse(str("units untold 7"), &said), NYT_UNIT_UNTOLD);
    assert_true(said.times == 7);
}

static void anything_else_is_not(void **state)
{
    static const char *const others[] = {"",
                                         "unit",
                                         "unit 1 0",
                                         "unit 1 0 ",
                                         "unit 1 x y",
                                         "unit -1 0 x",
                                         "of unit",
                                         "of unit ",
                                         "of unit x",
                                         "of unit 1 more",
                                         "of unit 4294967296",
                                         "Unit 1 0 x",
                                         "units",
                                         "units untold",
                                         "units untold 1 2",
                                         "a unit 1 0 x"};
    struct nyt_unit_said said;
    (void)state;
    for (size_t i = 0; i < COUNT(others); i++)
        assert_int_equal(nyt_unit_parse(str(others[i]), &said), NYT_UNIT_NOTHING);
}

/* ---- In profiles ---- */

struct sink {
    uint8_t data[4096];
    size_t len;
};

static int keep(void *ctx, const void *data, size_t len)
{
    struct sink *s = ctx;
    assert_true(s->len + len <= sizeof s->data);
    memcpy(s->data + s->len, data, len);
    s->len += len;
    return NYT_OK;
}

static void put_call(nyt_writer *w, const char *called)
{
    nyt_sub_callers r = {.fid = 1,
                         .line = 1,
                         .count = 1,
                         .incl = 1,
                         .caller = str("main::f"),
                         .called = str(called)};
    assert_int_equal(nyt_writer_sub_callers(w, &r), NYT_OK);
}

/* A profile whose header has these comments, and whose line 2 ran once in "of unit 1". */
static void make(struct sink *s, const char *const *comments, size_t n, bool calls)
{
    nyt_writer *w;
    *s = (struct sink){.len = 0};
    assert_int_equal(nyt_writer_open_fn(&w, keep, s, 0, NULL), NYT_OK);
    for (size_t i = 0; i < n; i++)
        nyt_writer_comment(w, str(comments[i]));
    nyt_writer_attribute(w, str("ticks_per_sec"), str("10000000"));
    nyt_writer_pid_start(w, &(nyt_pid_start){.pid = 1, .time = 1});
    nyt_writer_new_fid(w, &(nyt_new_fid){.fid = 1, .name = str("a.py")});
    nyt_writer_time_run(w, &(nyt_time){.fid = 1, .line = 1}, 5, 50);
    nyt_writer_comment(w, str("of unit 1"));
    nyt_writer_time_run(w, &(nyt_time){.fid = 1, .line = 2}, 1, 10);
    if (calls)
        put_call(w, "unit::x");
    nyt_writer_comment(w, str("of unit 0"));
    put_call(w, "main::g");
    nyt_writer_pid_end(w, &(nyt_pid_end){.pid = 1, .time = 2});
    assert_int_equal(nyt_writer_close(w, NULL), NYT_OK);
}

static nyt_unit_state state_of(const struct sink *s, const char *unit, uint64_t *statements)
{
    nyt_profile *p;
    nyt_load_options how = {.unit = unit};
    assert_int_equal(nyt_profile_load_memory(&p, s->data, s->len, &how, NULL), NYT_OK);
    nyt_unit_state found = nyt_profile_unit_state(p);
    *statements = nyt_profile_totals(p)->statements;
    nyt_profile_free(p);
    return found;
}

static void only_what_ran_in_the_unit_is_kept(void **state)
{
    static const char *const comments[] = {"unit 1 0 unit::x"};
    struct sink s;
    uint64_t statements;
    (void)state;
    make(&s, comments, COUNT(comments), true);
    assert_int_equal(state_of(&s, "x", &statements), NYT_UNITS_FINE);
    assert_int_equal(statements, 1);
    assert_int_equal(state_of(&s, "unit::*", &statements), NYT_UNITS_FINE);
    assert_int_equal(statements, 1);
    assert_int_equal(state_of(&s, "y", &statements), NYT_UNITS_UNKNOWN);
    assert_int_equal(statements, 0);
    assert_int_equal(state_of(&s, NULL, &statements), NYT_UNITS_FINE);
    assert_int_equal(statements, 6);
}

static void numbers_that_make_no_sense_tell_nothing(void **state)
{
    static const char *const odd[][2] = {{"unit 2 0 unit::x", "unit 1 0 unit::y"},
                                         {"unit 1 1 unit::x", "unit 2 0 unit::y"},
                                         {"unit 1 0 unit::x", "unit 1 0 unit::y"}};
    struct sink s;
    uint64_t statements;
    (void)state;
    for (size_t i = 0; i < COUNT(odd); i++) {
        make(&s, odd[i], 2, true);
        assert_int_equal(state_of(&s, "x", &statements), NYT_UNITS_LOST);
    }
    make(&s, NULL, 0, true);
    assert_int_equal(state_of(&s, "x", &statements), NYT_UNITS_LOST);
}

static void lines_without_calls_are_what_nytprofmerge_left(void **state)
{
    static const char *const comments[] = {"unit 1 0 unit::x"};
    struct sink s;
    uint64_t statements;
    (void)state;
    make(&s, comments, COUNT(comments), false);
    assert_int_equal(state_of(&s, "x", &statements), NYT_UNITS_LOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_writers_write_is_read),
        cmocka_unit_test(anything_else_is_not),
        cmocka_unit_test(only_what_ran_in_the_unit_is_kept),
        cmocka_unit_test(numbers_that_make_no_sense_tell_nothing),
        cmocka_unit_test(lines_without_calls_are_what_nytprofmerge_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
