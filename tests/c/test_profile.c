/* What records add up to, above all where files are large, deep, odd or lying. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "allocations.h"
#include "bytes.h"

#include "bytes.h"

static struct bytes b;
static nyt_profile *p;

static int begin(void **state)
{
    (void)state;
    b.len = 0;
    p = NULL;
    largest_allocation = 0;
    add_header(&b);
    add_start(&b);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    nyt_profile_free(p);
    return 0;
}

static void load(void)
{
    nyt_error err = {0};
    int rc = nyt_profile_load_memory(&p, b.data, b.len, NULL, &err);
    if (rc < 0)
        print_error("%s\n", err.message);
    assert_int_equal(rc, NYT_OK);
}

static nyt_str str(const char *text)
{
    return (nyt_str){.data = text, .len = strlen(text)};
}

static const nyt_sub *sub(const char *name)
{
    const nyt_sub *s = nyt_profile_sub(p, str(name));
    assert_non_null(s);
    return s;
}

static const nyt_line *line(uint32_t fid, uint32_t number)
{
    const nyt_line *l = nyt_profile_line(p, NYT_LEVEL_LINE, fid, number);
    assert_non_null(l);
    return l;
}

/* ---- Time ---- */

static void time_adds_up_and_discounts_do_not_count(void **state)
{
    (void)state;
    add_record(&b, "+uuu", 100u, 1u, 5u);
    add_record(&b, "-");
    add_record(&b, "+uuu", 30u, 1u, 5u);
    add_record(&b, "+uuu", 7u, 1u, 5u);
    add_end(&b);
    load();
    assert_int_equal(line(1, 5)->count, 2);
    assert_int_equal(line(1, 5)->ticks, 137);
    assert_true(fabs(line(1, 5)->time - 137e-7) < 1e-18);
    assert_int_equal(nyt_profile_totals(p)->statements, 3);
    assert_int_equal(nyt_profile_totals(p)->discounted, 1);
    assert_true(nyt_profile_totals(p)->duration == 1);
}

static void one_section_can_be_had_alone(void **state)
{
    nyt_error err;
    (void)state;
    add_record(&b, "+uuu", 100u, 1u, 5u);
    add_end(&b);
    add_record(&b, "Puud", 9u, 7u, 1.7e9);
    add_record(&b, "+uuu", 30u, 1u, 5u);
    add_record(&b, "+uuu", 40u, 1u, 6u);
    add_record(&b, "pud", 9u, 1.7e9 + 3);
    load();
    size_t n;
    const nyt_process *all = nyt_profile_processes(p, &n);
    assert_int_equal(n, 2);
    assert_true(fabs(all[0].statement_time - 100e-7) < 1e-18);
    assert_true(fabs(all[1].statement_time - 70e-7) < 1e-18);
    assert_int_equal(line(1, 5)->ticks, 130);
    for (uint32_t pid = 7; pid <= 9; pid++) {
        nyt_load_options one = {.section = pid};
        nyt_profile_free(p);
        assert_int_equal(nyt_profile_load_memory(&p, b.data, b.len, &one, &err), NYT_OK);
        const nyt_totals *t = nyt_profile_totals(p);
        assert_int_equal(t->statements, pid == 7 ? 1 : pid == 9 ? 2 : 0);
        assert_true(t->wall == (pid == 7 ? 1 : pid == 9 ? 3 : 0));
        assert_true(t->duration == t->wall && t->active == t->wall);
        if (pid != 8)
            assert_int_equal(line(1, 5)->ticks, pid == 7 ? 100 : 30);
    }
}

static void a_line_that_was_open_at_the_start_has_time_but_no_count(void **state)
{
    (void)state;
    add_record(&b, "-");
    add_record(&b, "+uuu", 30u, 1u, 5u);
    add_record(&b, "-");
    add_record(&b, "+uuu", 7u, 1u, 5u);
    add_end(&b);
    load();
    assert_int_equal(line(1, 5)->count, 0);
    assert_int_equal(line(1, 5)->ticks, 37);
    assert_int_equal(nyt_profile_totals(p)->statements, 2);
    assert_int_equal(nyt_profile_totals(p)->discounted, 2);
}

static void a_discount_holds_across_other_records(void **state)
{
    (void)state;
    add_record(&b, "+uuu", 1u, 1u, 5u);
    add_record(&b, "-");
    add_text(&b, "#a comment\n");
    add_record(&b, "+uuu", 1u, 1u, 5u);
    load();
    assert_int_equal(line(1, 5)->count, 1);
}

static void runs_of_one_record_are_counted_one_by_one(void **state)
{
    (void)state;
    add_record(&b, "-");
    for (unsigned i = 0; i < 1000; i++)
        add_record(&b, "+uuu", (unsigned)-3, 1u, 5u);
    for (unsigned i = 0; i < 500; i++)
        add_record(&b, "+uuu", 4u, 1u, 6u);
    add_end(&b);
    load();
    assert_int_equal(line(1, 5)->count, 999);
    assert_int_equal(line(1, 5)->ticks, -3000);
    assert_int_equal(line(1, 6)->count, 500);
    assert_int_equal(nyt_profile_totals(p)->statements, 1500);
    assert_int_equal(nyt_profile_totals(p)->records, 5 + 2 + 1 + 1500 + 1);
}

static void blocks_are_three_tables(void **state)
{
    size_t n;
    (void)state;
    add_record(&b, "*uuuuu", 10u, 1u, 5u, 4u, 2u);
    add_record(&b, "*uuuuu", 20u, 1u, 6u, 4u, 2u);
    load();
    assert_true(nyt_profile_totals(p)->blocks);
    nyt_profile_lines(p, NYT_LEVEL_LINE, 1, &n);
    assert_int_equal(n, 2);
    assert_int_equal(nyt_profile_line(p, NYT_LEVEL_BLOCK, 1, 4)->count, 2);
    assert_int_equal(nyt_profile_line(p, NYT_LEVEL_SUB, 1, 2)->ticks, 30);
}

static void another_ticks_per_sec_holds_for_what_follows(void **state)
{
    (void)state;
    add_record(&b, "+uuu", 10000000u, 1u, 5u);
    add_text(&b, ":ticks_per_sec=1000\n");
    add_record(&b, "+uuu", 1000u, 1u, 5u);
    load();
    assert_true(line(1, 5)->time == 2);
    assert_true(nyt_profile_totals(p)->statement_time == 2);
}

static void numbers_of_any_size_take_little_memory(void **state)
{
    size_t n;
    (void)state;
    for (uint32_t i = 0; i < 100; i++) {
        add_record(&b, "+uuu", 1u, UINT32_MAX - i * 65536, UINT32_MAX - i);
        add_record(&b, "Suus", UINT32_MAX - i, UINT32_MAX - i, "x\n");
        add_record(&b, "@uuuuuus", UINT32_MAX - i, 0u, 0u, 0u, 0u, 0u, "/y.py");
    }
    add_record(&b, "susuu", UINT32_MAX, "m::f", UINT32_MAX, UINT32_MAX);
    add_record(&b, "cuusudddus", UINT32_MAX, UINT32_MAX, "m::g", UINT32_MAX, 1.0, 1.0, 0.0,
               UINT32_MAX, "m::f");
    add_record(&b, "<udds", UINT32_MAX, 1.0, 1.0, "m::f");
    load();
    assert_true(largest_allocation < 2000000);
    nyt_profile_all_lines(p, NYT_LEVEL_LINE, &n);
    assert_int_equal(n, 100);
    assert_non_null(nyt_profile_source_line(p, UINT32_MAX, UINT32_MAX));
    assert_non_null(nyt_profile_file(p, UINT32_MAX));
    assert_null(nyt_profile_file(p, 2));
    nyt_profile_calls(p, UINT32_MAX, &n);
    assert_int_equal(n, 1);
}

/* ---- Attributes, processes, faults ---- */

static void the_last_value_of_a_key_counts(void **state)
{
    size_t n;
    (void)state;
    add_text(&b, "!calls=1\n!calls=0\n:application=y\n!none\n");
    load();
    assert_string_equal(nyt_profile_option(p, "calls")->data, "0");
    assert_string_equal(nyt_profile_attribute(p, "application")->data, "y");
    assert_null(nyt_profile_option(p, "none"));
    assert_null(nyt_profile_option(p, "application"));
    nyt_profile_options(p, &n);
    assert_int_equal(n, 1);
}

static void a_process_without_end_is_incomplete(void **state)
{
    size_t n;
    (void)state;
    load();
    assert_false(nyt_profile_totals(p)->complete);
    assert_false(nyt_profile_totals(p)->timed);
    assert_null(nyt_profile_fault(p));
    assert_false(nyt_profile_processes(p, &n)->ended);
    assert_int_equal(n, 1);
}

static void durations_of_sections_add_up(void **state)
{
    size_t n;
    (void)state;
    add_end(&b);
    add_record(&b, "Puud", 8u, 7u, 1.7e9 + 5);
    add_record(&b, "pud", 8u, 1.7e9 + 7);
    load();
    assert_true(nyt_profile_totals(p)->complete);
    assert_true(nyt_profile_totals(p)->duration == 3);
    nyt_profile_processes(p, &n);
    assert_int_equal(n, 2);
}

static void what_came_before_the_break_is_kept(void **state)
{
    (void)state;
    add_record(&b, "+uuu", 1u, 1u, 5u);
    add_text(&b, "+\x01");
    load();
    assert_int_equal(line(1, 5)->count, 1);
    assert_int_equal(nyt_profile_fault(p)->code, NYT_ETRUNC);
    assert_int_equal(nyt_profile_fault(p)->offset, b.len - 2);
}

static void damage_is_borne_only_on_request(void **state)
{
    nyt_error err;
    (void)state;
    add_record(&b, "+uuu", 1u, 1u, 5u);
    add_text(&b, "?");
    assert_int_equal(nyt_profile_load_memory(&p, b.data, b.len, NULL, &err), NYT_EFORMAT);
    assert_null(p);
    nyt_load_options salvage = {.salvage = true};
    assert_int_equal(nyt_profile_load_memory(&p, b.data, b.len, &salvage, &err), NYT_OK);
    assert_int_equal(line(1, 5)->count, 1);
    assert_int_equal(nyt_profile_fault(p)->code, NYT_EFORMAT);
}

/* ---- Subs and calls ---- */

static void calls_from_one_line_are_told_apart_by_their_callers(void **state)
{
    size_t n;
    (void)state;
    add_record(&b, "susuu", 1u, "m::f", 2u, 3u);
    add_record(&b, "cuusudddus", 1u, 9u, "m::z", 3u, 1.0, 0.5, 0.0, 0u, "m::f");
    add_record(&b, "cuusudddus", 1u, 9u, "m::a", 4u, 2.0, 0.5, 0.25, 2u, "m::f");
    add_record(&b, "cuusudddus", 1u, 8u, "m::a", 1u, 0.0, 0.5, 0.25, 1u, "m::f");
    load();
    const nyt_call *calls = nyt_profile_callers(p, sub("m::f"), &n);
    assert_int_equal(n, 3);
    assert_int_equal(calls[0].line, 8);
    assert_int_equal(calls[0].outermost, 0);
    assert_string_equal(calls[1].caller.data, "m::a");
    assert_int_equal(calls[1].count, 4);
    assert_int_equal(calls[1].outermost, 2);        /* the most: Perl does not say */
    assert_int_equal(calls[1].depth, 2);
    assert_string_equal(calls[2].caller.data, "m::z");
    assert_int_equal(calls[2].count, 3);
    assert_int_equal(calls[2].outermost, 3);
    assert_int_equal(calls[2].depth, 0);
    assert_ptr_equal(nyt_profile_all_calls(p, &n), calls);
    assert_int_equal(n, 3);
    assert_int_equal(sub("m::f")->calls, 8);
    assert_true(sub("m::f")->reci == 0.5);
    assert_int_equal(nyt_profile_totals(p)->calls, 8);
}

static void counts_may_exceed_what_one_record_holds(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        add_record(&b, "cuusudddus", 1u, 9u, "m::z", UINT32_MAX, 1.0, 0.5, 0.0, 0u, "m::f");
    load();
    assert_true(sub("m::f")->calls == 3 * (uint64_t)UINT32_MAX);
}

static void the_lowest_fid_has_a_sub_that_two_define(void **state)
{
    size_t n;
    (void)state;
    add_record(&b, "@uuuuuus", 2u, 0u, 0u, 50u, 0u, 0u, "/y.py");
    add_record(&b, "susuu", 2u, "m::f", 20u, 30u);
    add_record(&b, "susuu", 1u, "m::f", 2u, 3u);
    add_record(&b, "susuu", 2u, "m::f", 40u, 50u);
    load();
    assert_int_equal(sub("m::f")->fid, 1);
    assert_int_equal(sub("m::f")->first, 2);
    nyt_profile_defined(p, 2, &n);
    assert_int_equal(n, 1);
}

static void kinds_go_by_range_and_name(void **state)
{
    (void)state;
    add_record(&b, "susuu", 1u, "m::f", 2u, 3u);
    add_record(&b, "susuu", 1u, "math::sqrt", 0u, 0u);
    add_record(&b, "susuu", 1u, "m::CORE:print", 0u, 0u);
    add_record(&b, "cuusudddus", 0u, 0u, "", 0u, 0.0, 0.0, 0.0, 0u, "m::marked");
    add_record(&b, "cuusudddus", 1u, 9u, "m::f", 1u, 0.0, 0.0, 0.0, 0u, "m::called");
    load();
    assert_int_equal(sub("m::f")->kind, NYT_KIND_CODE);
    assert_int_equal(sub("math::sqrt")->kind, NYT_KIND_XSUB);
    assert_int_equal(sub("m::CORE:print")->kind, NYT_KIND_OPCODE);
    assert_int_equal(sub("m::marked")->kind, NYT_KIND_XSUB);
    assert_int_equal(sub("m::marked")->fid, 0);
    assert_false(sub("m::called")->has_range);
    assert_int_equal(sub("m::called")->fid, 1);     /* where the homeless go */
    assert_int_equal(sub("math::sqrt")->package_len, 4);
}

static void the_tag_of_a_name_makes_no_difference(void **state)
{
    (void)state;
    add_record(&b, "susuu", 1u, "m::f", 2u, 3u);
    size_t at = b.len;
    add_record(&b, "cuusudddus", 1u, 9u, "m::g", 1u, 0.0, 0.0, 0.0, 0u, "m::f");
    assert_int_equal(b.data[at + 3], NYT_TAG_STRING);
    b.data[b.len - 6] = NYT_TAG_STRING_UTF8;
    load();
    assert_int_equal(sub("m::f")->calls, 1);
}

/* ---- Evals ---- */

static void add_eval(uint32_t fid, uint32_t line_number, const char *source)
{
    char name[40];
    snprintf(name, sizeof name, "(eval %u)[/x.py:%u]", (unsigned)fid, (unsigned)line_number);
    add_record(&b, "@uuuuuus", fid, 1u, line_number, 50u, 0u, 0u, name);
    add_record(&b, "+uuu", 10u, fid, 1u);
    if (source)
        add_record(&b, "Suus", fid, 1u, source);
}

static size_t living_files(void)
{
    size_t n, living = 0;
    const nyt_file *files = nyt_profile_files(p, &n);
    for (size_t i = 0; i < n; i++)
        living += !files[i].merged_into;
    return living;
}

static void sibling_evals_of_one_source_merge(void **state)
{
    size_t n;
    (void)state;
    add_eval(2, 7, "a");
    add_eval(3, 7, "b");
    add_eval(4, 7, "a");
    add_eval(5, 8, "a");
    add_record(&b, "susuu", 4u, "m::made", 1u, 1u);
    add_record(&b, "cuusudddus", 4u, 1u, "m::x", 1u, 1.0, 0.5, 0.0, 0u, "m::made");
    add_record(&b, "cuusudddus", 2u, 1u, "m::y", 1u, 1.0, 0.5, 0.0, 0u, "m::made");
    load();
    assert_int_equal(nyt_profile_file(p, 4)->merged_into, 2);
    assert_int_equal(living_files(), 4);
    assert_int_equal(line(2, 1)->count, 2);
    assert_int_equal(sub("m::made")->fid, 2);
    const nyt_call *calls = nyt_profile_callers(p, sub("m::made"), &n);
    assert_int_equal(n, 2);
    assert_int_equal(calls[0].fid, 2);
    assert_int_equal(calls[1].fid, 2);
    assert_string_equal(calls[0].caller.data, "m::x");
    assert_string_equal(calls[1].caller.data, "m::y");
}

static void evals_stay_apart_on_request(void **state)
{
    nyt_load_options keep = {.keep_evals = true};
    (void)state;
    add_eval(2, 7, "a");
    add_eval(3, 7, "a");
    assert_int_equal(nyt_profile_load_memory(&p, b.data, b.len, &keep, NULL), NYT_OK);
    assert_int_equal(living_files(), 3);
}

static void evals_with_evals_of_their_own_do_not_merge(void **state)
{
    (void)state;
    add_eval(2, 7, "a");
    add_eval(3, 7, "a");
    add_record(&b, "@uuuuuus", 4u, 3u, 1u, 50u, 0u, 0u, "(eval 9)[(eval 3)]");
    load();
    assert_int_equal(living_files(), 4);
}

static void too_many_different_evals_merge_all(void **state)
{
    char source[16];
    for (uint32_t different = 200; different <= 201; different++) {
        begin(state);
        for (uint32_t i = 0; i < different; i++) {
            snprintf(source, sizeof source, "x%u", 1000 + (unsigned)i * 7);
            add_eval(i + 2, 7, source);
        }
        /* Checksums of the sources must differ, too, so make each one longer. */
        for (uint32_t i = 0; i < different; i++)
            for (uint32_t line_number = 2; line_number < 2 + i; line_number += 50)
                add_record(&b, "Suus", i + 2, line_number + i % 50, "y");
        load();
        size_t living = living_files();
        nyt_profile_free(p);
        if (different == 201)
            assert_int_equal(living, 2);
        else
            assert_true(living > 100);
    }
    p = NULL;
}

static void nameless_subs_merge_with_their_evals(void **state)
{
    size_t n;
    (void)state;
    add_eval(2, 7, "a");
    add_eval(3, 7, "a");
    add_record(&b, "susuu", 2u, "m::__ANON__[(eval 2)[/x.py:7]:1]", 3u, 4u);
    add_record(&b, "susuu", 3u, "m::__ANON__[(eval 3)[/x.py:7]:1]", 1u, 9u);
    add_record(&b, "cuusudddus", 1u, 8u, "m::x", 2u, 1.0, 0.5, 0.0, 0u,
               "m::__ANON__[(eval 3)[/x.py:7]:1]");
    load();
    const nyt_sub *survivor = sub("m::__ANON__[(eval 2)[/x.py:7]:1]");
    nyt_profile_subs(p, &n);
    assert_int_equal(n, 1);
    assert_int_equal(survivor->calls, 2);
    assert_int_equal(survivor->first, 1);
    assert_int_equal(survivor->last, 9);
    assert_string_equal(nyt_profile_merged_names(p, survivor, &n)->data,
                        "m::__ANON__[(eval 3)[/x.py:7]:1]");
    assert_int_equal(n, 1);
}

/* ---- The call tree ---- */

static const nyt_node *path(const char *first, const char *second, const char *third)
{
    const char *names[] = {first, second, third};
    size_t n;
    const nyt_node *nodes = nyt_profile_tree(p, &n), *at = nodes;
    for (size_t i = 0; i < 3 && names[i]; i++) {
        uint32_t child = at->first_child;
        while (child && strcmp(nodes[child].name.data, names[i]) != 0)
            child = nodes[child].next;
        if (!child)
            return NULL;
        at = &nodes[child];
    }
    return at;
}

static void add_return(uint32_t depth, const char *name, double ticks)
{
    add_record(&b, "<udds", depth, ticks, ticks, name);
}

static void returns_become_paths(void **state)
{
    size_t n;
    (void)state;
    add_return(3, "c", 1);
    add_return(2, "b", 10);
    add_return(3, "c", 2);
    add_return(3, "d", 4);
    add_return(2, "b", 20);
    add_return(2, "c", 40);
    add_return(1, "a", 100);
    add_return(1, "c", 1000);
    load();
    assert_true(path("a", "b", "c")->excl == 3);
    assert_true(path("a", "b", "d")->excl == 4);
    assert_true(path("a", "b", NULL)->excl == 30);
    assert_int_equal(path("a", "b", NULL)->calls, 2);
    assert_true(path("a", "c", NULL)->excl == 40);
    assert_true(path("c", NULL, NULL)->excl == 1000);
    nyt_profile_tree(p, &n);
    assert_int_equal(n, 7);
}

/* More returns than are collected before they are added up. */
static void many_returns_make_few_paths(void **state)
{
    size_t n;
    static char names[8][4] = {"f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7"};
    uint8_t *data = malloc(4 << 20);
    nyt_error err;
    (void)state;
    memcpy(data, b.data, b.len);
    size_t len = b.len;
    for (unsigned i = 0; i < 40000; i++) {
        b.len = 0;
        add_return(5, names[i % 3], 1);
        if (i % 4 == 3)
            add_return(4, names[i % 5], 1);
        if (i % 400 == 399)
            add_return(3, names[i / 400 % 2], 1);
        memcpy(data + len, b.data, b.len);
        len += b.len;
    }
    b.len = 0;
    add_return(2, "m", 1);
    add_return(1, "main", 1);
    add_end(&b);
    memcpy(data + len, b.data, b.len);
    assert_int_equal(nyt_profile_load_memory(&p, data, len + b.len, NULL, &err), NYT_OK);
    free(data);
    const nyt_node *nodes = nyt_profile_tree(p, &n);
    double excl = 0;
    uint64_t calls = 0;
    for (size_t i = 1; i < n; i++) {
        assert_true(nodes[i].parent < i);
        assert_true(nodes[i].name.len > 0);
        excl += nodes[i].excl;
        calls += nodes[i].calls;
    }
    assert_true(excl == 40000 + 10000 + 100 + 2);
    assert_int_equal(calls, 50102);
    assert_int_equal(n, 1 + 2 + 2 * (1 + 5 * (1 + 3)));
}

static void deep_paths_need_no_stack(void **state)
{
    enum { DEPTH = 100000 };
    size_t n, len = b.len;
    uint8_t *data = malloc(4 << 20);
    nyt_error err;
    (void)state;
    memcpy(data, b.data, len);
    for (uint32_t depth = DEPTH; depth > 0; depth--) {
        b.len = 0;
        add_return(depth, "deep", 1);
        memcpy(data + len, b.data, b.len);
        len += b.len;
    }
    assert_int_equal(nyt_profile_load_memory(&p, data, len, NULL, &err), NYT_OK);
    free(data);
    const nyt_node *nodes = nyt_profile_tree(p, &n);
    assert_int_equal(n, DEPTH + 1);
    assert_int_equal(nodes[n - 1].depth, DEPTH);
}

static void calls_that_never_return_have_no_name(void **state)
{
    (void)state;
    add_return(1, "a", 1);
    add_return(3, "b", 2);
    add_end(&b);
    add_return(1, "a", 4);
    load();
    assert_true(path("a", NULL, NULL)->excl == 5);
    assert_null(path("a", "b", NULL));
    assert_null(path("b", NULL, NULL));
    assert_true(path("", "b", NULL)->excl == 2);
}

static int swallow(void *ctx, const void *data, size_t len)
{
    (void)data;
    *(size_t *)ctx += len;
    return 0;
}

static void sources_with_huge_gaps_are_not_listed(void **state)
{
    size_t written = 0;
    nyt_error err;
    (void)state;
    add_record(&b, "Suus", 1u, UINT32_MAX, "x");
    load();
    assert_int_equal(nyt_export_model(p, swallow, &written, &err), NYT_ELIMIT);
    assert_true(written < 10000);
    assert_int_equal(nyt_report_source(p, 1, NULL, swallow, &written, &err), NYT_OK);
    assert_true(written < 20000);
    assert_int_equal(nyt_report_source(p, 2, NULL, swallow, &written, &err), NYT_EAPI);
}

static void assert_source(uint32_t fid, uint32_t number, const char *text)
{
    const nyt_str *found = nyt_profile_source_line(p, fid, number);
    assert_non_null(found);
    assert_int_equal(found->len, strlen(text));
    assert_memory_equal(found->data, text, found->len);
}

/* Those that come in order are not looked for: from the first that does not on, they are. */
static void sources_may_come_in_any_order_and_again(void **state)
{
    size_t n;
    (void)state;
    add_record(&b, "Suus", 1u, 1u, "one");
    add_record(&b, "Suus", 1u, 3u, "three");
    add_record(&b, "Suus", 2u, 1u, "other");
    add_record(&b, "Suus", 1u, 3u, "three again");
    add_record(&b, "Suus", 1u, 2u, "two");
    add_record(&b, "Suus", 2u, 2u, "more");
    add_record(&b, "Suus", 1u, 1u, "one");
    load();
    nyt_profile_source(p, 1, &n);
    assert_int_equal(n, 3);
    nyt_profile_source(p, 2, &n);
    assert_int_equal(n, 2);
    assert_source(1, 1, "one");
    assert_source(1, 2, "two");
    assert_source(1, 3, "three again");
    assert_source(2, 1, "other");
    assert_source(2, 2, "more");
}

/* The last one counts, even where it stands right behind the first. */
static void a_line_of_source_that_comes_twice_is_one(void **state)
{
    size_t n;
    (void)state;
    add_record(&b, "Suus", 1u, 1u, "before");
    add_record(&b, "Suus", 1u, 1u, "after");
    load();
    nyt_profile_source(p, 1, &n);
    assert_int_equal(n, 1);
    assert_source(1, 1, "after");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(time_adds_up_and_discounts_do_not_count),
        TEST(one_section_can_be_had_alone),
        TEST(a_line_that_was_open_at_the_start_has_time_but_no_count),
        TEST(a_discount_holds_across_other_records),
        TEST(runs_of_one_record_are_counted_one_by_one),
        TEST(blocks_are_three_tables),
        TEST(another_ticks_per_sec_holds_for_what_follows),
        TEST(numbers_of_any_size_take_little_memory),
        TEST(the_last_value_of_a_key_counts),
        TEST(a_process_without_end_is_incomplete),
        TEST(durations_of_sections_add_up),
        TEST(what_came_before_the_break_is_kept),
        TEST(damage_is_borne_only_on_request),
        TEST(calls_from_one_line_are_told_apart_by_their_callers),
        TEST(counts_may_exceed_what_one_record_holds),
        TEST(the_lowest_fid_has_a_sub_that_two_define),
        TEST(kinds_go_by_range_and_name),
        TEST(the_tag_of_a_name_makes_no_difference),
        TEST(sibling_evals_of_one_source_merge),
        TEST(evals_stay_apart_on_request),
        TEST(evals_with_evals_of_their_own_do_not_merge),
        TEST(too_many_different_evals_merge_all),
        TEST(nameless_subs_merge_with_their_evals),
        TEST(returns_become_paths),
        TEST(many_returns_make_few_paths),
        TEST(deep_paths_need_no_stack),
        TEST(calls_that_never_return_have_no_name),
        TEST(sources_with_huge_gaps_are_not_listed),
        TEST(sources_may_come_in_any_order_and_again),
        TEST(a_line_of_source_that_comes_twice_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
