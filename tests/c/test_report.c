/* What reports show and leave out, and what lines cost the project. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bytes.h"

#include "model/cost.h"
#include "model/filter.h"
#include "report/words.h"

static struct bytes b;
static nyt_profile *p;

/* A program that calls a library, which calls it back, and imports another one. */
static int begin(void **state)
{
    (void)state;
    b.len = 0;
    add_header(&b);
    add_record(&b, "Puud", 7u, 1u, 1.7e9);
    add_record(&b, "@uuuuuus", 1u, 0u, 0u, 50u, 0u, 0u, "/home/me/shop/cart.py");
    add_record(&b, "@uuuuuus", 2u, 0u, 0u, 50u, 0u, 0u, "/v/lib/python3.12/site-packages/x/y.py");
    add_record(&b, "@uuuuuus", 3u, 0u, 0u, 50u, 0u, 0u, "/v/lib/python3.12/ast.py");
    add_record(&b, "@uuuuuus", 4u, 0u, 0u, 50u, 0u, 0u, "/v/bin/shop");
    add_record(&b, "@uuuuuus", 5u, 1u, 3u, 50u, 0u, 0u, "(eval 1)[/home/me/shop/cart.py:3]");
    add_record(&b, "Suus", 4u, 1u, "import sys\n");
    add_record(&b, "Suus", 4u, 2u, "sys.exit(main())\n");
    add_record(&b, "susuu", 1u, "shop::total", 1u, 9u);
    add_record(&b, "susuu", 1u, "shop::key", 11u, 12u);
    add_record(&b, "susuu", 2u, "x::y::go", 1u, 9u);
    add_record(&b, "susuu", 2u, "x::y::(module)", 1u, 20u);
    add_record(&b, "+uuu", 1000000u, 1u, 2u);   /* 0.1 s each */
    add_record(&b, "+uuu", 1000000u, 1u, 3u);
    add_record(&b, "+uuu", 1000000u, 1u, 12u);
    add_record(&b, "+uuu", 4000000u, 2u, 2u);
    return 0;
}

static void end_and_load(void)
{
    nyt_error err = {0};
    add_record(&b, "pud", 7u, 1.7e9 + 1);
    if (nyt_profile_load_memory(&p, b.data, b.len, NULL, &err) < 0)
        fail_msg("%s", err.message);
}

static int finish(void **state)
{
    (void)state;
    nyt_profile_free(p);
    p = NULL;
    return 0;
}

static void add_call(const char *caller, uint32_t fid, uint32_t line, const char *called,
                     double incl)
{
    add_record(&b, "cuu", fid, line);
    add_str(&b, caller);
    add_u32(&b, 1);
    add_nv(&b, incl);
    add_nv(&b, incl);
    add_nv(&b, 0);
    add_u32(&b, 0);
    add_str(&b, called);
}

static void add_return(uint32_t depth, double ticks, const char *name)
{
    add_record(&b, "<udd", depth, ticks, ticks);
    add_str(&b, name);
}

/* ---- Filters ---- */

/* "12345": the fids that are shown. */
static const char *shown_by(const nyt_filter *filter)
{
    static char fids[16];
    size_t n = 0;
    bool *shown = nyt_filter_files(p, filter);
    assert_non_null(shown);
    for (size_t i = 0; i < p->file_count; i++)
        if (shown[i])
            fids[n++] = (char)('0' + p->files[i].fid);
    fids[n] = '\0';
    free(shown);
    return fids;
}

static void files_are_chosen_by_pattern_and_scope(void **state)
{
    static const struct {
        const char *only, *exclude;
        nyt_reach reach;
        const char *shown;
    } cases[] = {
        {NULL, NULL, NYT_REACH_ALL, "12345"},
        {NULL, NULL, NYT_REACH_PROJECT, "15"},  /* the launcher is a package's */
        {NULL, NULL, NYT_REACH_SITE, "1245"},
        {"shop/*", NULL, NYT_REACH_ALL, "15"},  /* evals go with who ran them */
        {"shop/", NULL, NYT_REACH_ALL, "15"},
        {"*.py", NULL, NYT_REACH_ALL, "1235"},
        {"cart.py", NULL, NYT_REACH_ALL, "15"},
        {"art.py", NULL, NYT_REACH_ALL, ""},
        {"/home/*", NULL, NYT_REACH_ALL, "15"},
        {"/shop/*", NULL, NYT_REACH_ALL, ""},   /* from the root on */
        {"<stdlib>/*", NULL, NYT_REACH_ALL, "3"},
        {"<site>/x/?.py", NULL, NYT_REACH_ALL, "2"},
        {NULL, "*/site-packages/*", NYT_REACH_ALL, "1345"},
        {"*.py", "cart.py", NYT_REACH_SITE, "2"},
    };
    (void)state;
    end_and_load();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nyt_filter filter = {.only = &cases[i].only,
                             .only_count = cases[i].only != NULL,
                             .exclude = &cases[i].exclude,
                             .exclude_count = cases[i].exclude != NULL,
                             .reach = cases[i].reach};
        assert_string_equal(shown_by(&filter), cases[i].shown);
    }
    assert_string_equal(shown_by(NULL), "12345");
}

/* ---- Costs ---- */

static double cost_of(uint32_t fid, uint32_t line)
{
    double *costs = nyt_costs_to_project(p);
    const nyt_line *at = nyt_profile_line(p, NYT_LEVEL_LINE, fid, line);
    assert_non_null(costs);
    assert_non_null(at);
    double cost = costs[at - p->lines[NYT_LEVEL_LINE].list];
    free(costs);
    return cost;
}

static void a_line_costs_the_time_of_the_libraries_it_calls(void **state)
{
    (void)state;
    add_call("shop::total", 1, 2, "x::y::go", 0.3);
    add_return(2, 3000000, "x::y::go");
    add_return(1, 2000000, "shop::total");
    end_and_load();
    assert_true(fabs(cost_of(1, 2) - 0.4) < 1e-9);
    assert_true(fabs(cost_of(1, 3) - 0.1) < 1e-9);
    assert_true(fabs(cost_of(2, 2) - 0.4) < 1e-9);
}

static void what_a_library_calls_back_costs_its_own_line(void **state)
{
    (void)state;
    add_call("shop::total", 1, 2, "x::y::go", 0.4);
    add_call("x::y::go", 2, 2, "shop::key", 0.1);
    add_return(3, 1000000, "shop::key");
    add_return(2, 3000000, "x::y::go");
    add_return(1, 2000000, "shop::total");
    end_and_load();
    assert_true(fabs(cost_of(1, 2) - 0.4) < 1e-9);
    assert_true(fabs(cost_of(1, 12) - 0.1) < 1e-9);
}

static void imports_cost_no_line(void **state)
{
    (void)state;
    add_call("shop::total", 1, 2, "x::y::(module)", 0.4);
    add_return(2, 4000000, "x::y::(module)");
    add_return(1, 2000000, "shop::total");
    end_and_load();
    assert_true(fabs(cost_of(1, 2) - 0.1) < 1e-9);
}

/* ---- Words ---- */

static void modules_have_the_names_that_people_use(void **state)
{
    static const struct {
        const char *name, *shown, *rest;
    } cases[] = {{"__main__::(module)", "__main__", ""},
                 {"__main__::(module)@1", "__main__", ""},
                 {"a::b::(module)@1", "a::b", " (module)"},
                 {"a::(modules)", "a::(modules)", ""},
                 {"a::C::(class)", "a::C", " (class)"},
                 {"a::C::f", "a::C::f", ""},
                 {"", "", ""}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nyt_str name = {.data = cases[i].name, .len = strlen(cases[i].name)};
        struct nyt_sub_words words = nyt_sub_words(name);
        assert_int_equal(words.name.len, strlen(cases[i].shown));
        assert_memory_equal(words.name.data, cases[i].shown, words.name.len);
        assert_string_equal(words.rest, cases[i].rest);
    }
}

#define TEST(claim) cmocka_unit_test_setup_teardown(claim, begin, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_are_chosen_by_pattern_and_scope),
        TEST(a_line_costs_the_time_of_the_libraries_it_calls),
        TEST(what_a_library_calls_back_costs_its_own_line),
        TEST(imports_cost_no_line),
        cmocka_unit_test(modules_have_the_names_that_people_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
