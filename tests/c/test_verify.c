/* Each rule of verify has a profile that breaks it, and nothing else of that severity. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bytes.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct bytes b;

/* ---- Breaking rules ---- */

static void second_fid(uint32_t fid, const char *name)
{
    add_record(&b, "@uuuuuus", fid, 0u, 0u, 50u, 0u, 0u, name);
}

static void time_on(uint32_t fid, uint32_t line)
{
    add_record(&b, "+uuu", 5u, fid, line);
}

static void call_of(const char *called, uint32_t fid, uint32_t count, double incl)
{
    add_record(&b, "cuusudddus", fid, 1u, "m::f", count, incl, 0.0, 0.0, 0u, called);
}

static void define(const char *name, uint32_t fid, uint32_t first, uint32_t last)
{
    add_record(&b, "susuu", fid, name, first, last);
}

static void returns(uint32_t depth, double ticks)
{
    add_record(&b, "<udds", depth, ticks, ticks, "m::f");
}

static void attribute_malformed(void)
{
    add_text(&b, ":x\n");
}
static void option_malformed(void)
{
    add_text(&b, "!x\n");
}
static void nul(void)
{
    add_raw(&b, "#a\0b\n", 5);
}
static void ticks_0(void)
{
    add_text(&b, ":ticks_per_sec=0\n");
}
static void ticks_large(void)
{
    add_text(&b, ":ticks_per_sec=5000000000\n");
}
static void ticks_change(void)
{
    add_text(&b, ":ticks_per_sec=1000\n");
}
static void still_running(void)
{
    add_text(&b, "#Snapshot: the program was still running\n");
}
static void pid_twice(void)
{
    add_record(&b, "Puud", 7u, 1u, 1.7e9);
}
static void pid_nested(void)
{
    add_record(&b, "Puud", 8u, 1u, 1.7e9);
    add_record(&b, "pud", 8u, 1.7e9);
}
static void pid_unknown(void)
{
    add_record(&b, "pud", 9u, 1.7e9);
}
static void pid_left(void)
{
    add_record(&b, "Puud", 9u, 1u, 1.7e9);
}
static void pid_nan(void)
{
    add_record(&b, "Puud", 7u, 1u, NAN);
}
static void fid_0(void)
{
    second_fid(0, "/y");
}
static void fid_again(void)
{
    second_fid(1, "/y");
}
static void fid_name_again(void)
{
    second_fid(2, "/x.py");
}
static void fid_html(void)
{
    second_fid(2, "<string>");
}
static void fid_hole(void)
{
    second_fid(3, "/y");
}
static void eval_self(void)
{
    add_record(&b, "@uuuuuus", 2u, 2u, 1u, 0u, 0u, 0u, "/y");
}
static void eval_line_0(void)
{
    add_record(&b, "@uuuuuus", 2u, 1u, 0u, 0u, 0u, 0u, "/y");
}
static void eval_early(void)
{
    add_record(&b, "@uuuuuus", 2u, 3u, 1u, 0u, 0u, 0u, "/y");
    second_fid(3, "/z");
}
static void eval_orphan(void)
{
    add_record(&b, "@uuuuuus", 2u, 9u, 1u, 0u, 0u, 0u, "/y");
}
static void source_unknown(void)
{
    add_record(&b, "Suus", 2u, 1u, "x");
}
static void source_0(void)
{
    add_record(&b, "Suus", 1u, 0u, "x");
}
static void time_unknown(void)
{
    time_on(2, 1), second_fid(2, "/y");
}
static void time_0(void)
{
    time_on(0, 1);
}
static void line_0(void)
{
    time_on(1, 0);
}
static void line_high(void)
{
    time_on(1, 32768);
}
static void line_dropped(void)
{
    time_on(1, 65536);
}
static void ticks_below(void)
{
    add_record(&b, "+uuu", (unsigned)-5, 1u, 1u);
}
static void mixed(void)
{
    time_on(1, 1);
    add_record(&b, "*uuuuu", 1u, 1u, 1u, 1u, 1u);
}
static void discounts(void)
{
    add_record(&b, "-"), add_record(&b, "-"), time_on(1, 1);
}
static void sub_unknown(void)
{
    define("m::g", 2, 1, 1);
}
static void sub_again(void)
{
    define("m::g", 1, 1, 1), define("m::g", 1, 2, 2);
}
static void sub_range(void)
{
    define("m::g", 1, 3, 2);
}
static void sub_name(void)
{
    define("g", 1, 1, 1);
}
static void call_unknown(void)
{
    define("m::g", 1, 1, 1), call_of("m::g", 2, 1, 0);
}
static void call_none(void)
{
    define("m::g", 1, 1, 1), call_of("m::g", 1, 0, 0);
}
static void call_nan(void)
{
    define("m::g", 1, 1, 1), call_of("m::g", 1, 1, NAN);
}
static void call_below(void)
{
    define("m::g", 1, 1, 1), call_of("m::g", 1, 1, -1);
}
static void call_homeless(void)
{
    call_of("m::g", 1, 1, 0);
}
static void mark_count(void)
{
    define("m::g", 1, 0, 0), call_of("m::g", 0, 1, 0);
}
static void return_0(void)
{
    returns(0, 1);
}
static void return_jump(void)
{
    returns(3, 1), returns(1, 1);
}
static void return_missing(void)
{
    returns(2, 1);
}
static void return_part(void)
{
    returns(1, 1.5);
}
static void return_below(void)
{
    returns(1, -1);
}
static void calls_wanted(void)
{
    add_text(&b, "!calls=1\n");
}
static void shared_nothing(void)
{
    add_text(&b, "#shared 5-4 /a.py\n");
}
static void awaited_nothing(void)
{
    add_text(&b, "#awaited 5 1 /a.py\n");
}
static void awaited_line_0(void)
{
    add_text(&b, "#awaited 5 1 0 /x.py\n");
}
static void awaited_elsewhere(void)
{
    add_text(&b, "#awaited 5 1 3 /nowhere.py\n");
    add_text(&b, "#awaited 5 1 4 /nowhere.py\n");
    add_text(&b, "#awaited 5 1 4 /x.py\n");
}
static void waits_for_nothing(void)
{
    add_text(&b, "#Processor waits: -5 ticks\n");
}
static void unit_without_name(void)
{
    add_text(&b, "#unit 1 0\n");
}
static void unit_of_no_number(void)
{
    add_text(&b, "#of unit 12x\n");
}
static void unit_left_out(void)
{
    add_text(&b, "#unit 2 0 a::f\n");
}
static void unit_unknown(void)
{
    add_text(&b, "#unit 1 0 a::f\n");
    add_text(&b, "#of unit 2\n");
}
static void too_long(void)
{
    add_record(&b, "+uuu", 20000000u, 1u, 1u);
}

struct broken {
    const char *rule;
    nyt_severity severity;
    void (*by)(void);
};

static const struct broken rules[] = {
    {"attribute-malformed", NYT_WARNED, attribute_malformed},
    {"option-malformed", NYT_WARNED, option_malformed},
    {"text-nul", NYT_WARNED, nul},
    {"ticks-per-sec-range", NYT_FATAL, ticks_0},
    {"ticks-per-sec-range", NYT_WARNED, ticks_large},
    {"ticks-per-sec-changes", NYT_ODD, ticks_change},
    {"snapshot", NYT_ODD, still_running},
    {"shared-malformed", NYT_ODD, shared_nothing},
    {"awaited-malformed", NYT_WARNED, awaited_nothing},
    {"awaited-line-0", NYT_ODD, awaited_line_0},
    {"awaited-file-unknown", NYT_WARNED, awaited_elsewhere},
    {"waits-malformed", NYT_WARNED, waits_for_nothing},
    {"unit-malformed", NYT_WARNED, unit_without_name},
    {"unit-malformed", NYT_WARNED, unit_of_no_number},
    {"unit-number", NYT_ODD, unit_left_out},
    {"unit-number", NYT_ODD, unit_unknown},
    {"pid-started-twice", NYT_ODD, pid_twice},
    {"pids-nested", NYT_ODD, pid_nested},
    {"pid-not-started", NYT_WARNED, pid_unknown},
    {"incomplete", NYT_WARNED, pid_left},
    {"time-not-finite", NYT_WARNED, pid_nan},
    {"fid-0", NYT_FATAL, fid_0},
    {"fid-redefined", NYT_WARNED, fid_again},
    {"fid-same-name", NYT_WARNED, fid_name_again},
    {"fid-name-html", NYT_ODD, fid_html},
    {"fid-gap", NYT_FATAL, fid_hole},
    {"eval-self", NYT_ODD, eval_self},
    {"eval-line-0", NYT_ODD, eval_line_0},
    {"eval-parent-unknown", NYT_WARNED, eval_early},
    {"eval-parent-missing", NYT_FATAL, eval_orphan},
    {"source-fid-unknown", NYT_WARNED, source_unknown},
    {"source-line-0", NYT_ODD, source_0},
    {"time-fid-unknown", NYT_FATAL, time_unknown},
    {"time-fid-0", NYT_WARNED, time_0},
    {"line-0", NYT_ODD, line_0},
    {"line-high", NYT_ODD, line_high},
    {"line-dropped", NYT_ODD, line_dropped},
    {"ticks-negative", NYT_ODD, ticks_below},
    {"blocks-mixed", NYT_ODD, mixed},
    {"discount-twice", NYT_WARNED, discounts},
    {"sub-fid-unknown", NYT_FATAL, sub_unknown},
    {"sub-redefined", NYT_WARNED, sub_again},
    {"sub-range", NYT_ODD, sub_range},
    {"sub-name", NYT_WARNED, sub_name},
    {"call-fid-unknown", NYT_FATAL, call_unknown},
    {"call-count-0", NYT_ODD, call_none},
    {"call-time-not-finite", NYT_WARNED, call_nan},
    {"call-time-negative", NYT_ODD, call_below},
    {"sub-undefined", NYT_ODD, call_homeless},
    {"xsub-mark-count", NYT_WARNED, mark_count},
    {"return-depth", NYT_WARNED, return_0},
    {"return-depth", NYT_WARNED, return_jump},
    {"return-missing", NYT_WARNED, return_missing},
    {"return-ticks", NYT_WARNED, return_part},
    {"return-negative", NYT_ODD, return_below},
    {"calls-without-returns", NYT_ODD, calls_wanted},
    {"time-over-duration", NYT_WARNED, too_long},
};

/* ---- Finding out ---- */

struct found {
    const char *rule; /* that is looked for */
    nyt_severity severity;
    int times, worse;
};

static int compare_finding(void *ctx, const nyt_finding *finding)
{
    struct found *f = ctx;
    if (strcmp(finding->rule, f->rule) == 0 && finding->severity == f->severity)
        f->times++;
    else if (finding->severity > f->severity)
        f->worse++;
    assert_true(finding->offset <= b.len);
    return 0;
}

static void each_rule_is_found_where_it_is_broken(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rules); i++) {
        struct found f = {.rule = rules[i].rule, .severity = rules[i].severity};
        b.len = 0;
        add_header(&b);
        add_start(&b);
        rules[i].by();
        add_end(&b);
        assert_int_equal(nyt_verify_memory(b.data, b.len, compare_finding, &f, NULL, NULL), NYT_OK);
        if (f.times < 1 || f.worse)
            print_error("%s (entry %zu)\n", rules[i].rule, i);
        assert_true(f.times >= 1);
        assert_int_equal(f.worse, 0);
    }
}

static int no_finding(void *ctx, const nyt_finding *finding)
{
    (void)ctx;
    print_error("%s\n", finding->rule);
    return -1;
}

static void a_sound_profile_has_no_finding(void **state)
{
    nyt_verdict verdict;
    (void)state;
    b.len = 0;
    add_header(&b);
    add_start(&b);
    time_on(1, 1);
    add_record(&b, "-");
    time_on(1, 1);
    add_record(&b, "-");
    time_on(1, 3);              /* open when profiling began */
    define("m::f", 1, 1, 2);
    call_of("m::f", 1, 1, 0.1);
    returns(2, 1);
    returns(1, 1);
    add_end(&b);
    assert_int_equal(nyt_verify_memory(b.data, b.len, no_finding, NULL, &verdict, NULL), NYT_OK);
    assert_int_equal(verdict.records, 17);
}

static void what_a_header_lacks_is_told(void **state)
{
    static const struct {
        const char *header, *rule;
        nyt_severity severity;
    } cases[] = {
        {":ticks_per_sec=1000\n:basetime=1\n:application=x\n", "overhead-missing", NYT_WARNED},
        {":ticks_per_sec=1000\n:cumulative_overhead_ticks=0\n", "header-incomplete", NYT_WARNED},
        {"", "ticks-per-sec-missing", NYT_FATAL},
        {"", "no-files", NYT_WARNED},
        {"", "pid-missing", NYT_WARNED},
        {":nv_size=4\n", "format", NYT_FATAL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct found f = {.rule = cases[i].rule, .severity = cases[i].severity};
        b.len = 0;
        add_text(&b, "NYTProf 5 0\n");
        add_text(&b, cases[i].header);
        nyt_verify_memory(b.data, b.len, compare_finding, &f, NULL, NULL);
        assert_int_equal(f.times, 1);
    }
}

/* ---- Profiles that break a rule as a whole ---- */

static void make_newer(void)
{
    add_header(&b);
    b.data[10] = '1';
    add_start(&b);
    add_end(&b);
}

static void make_short(void)
{
    add_header(&b);
    add_start(&b);
    time_on(1, 1);
    add_record(&b, "pud", 7u, 1.7e9);
}

static void make_late_scale(void)
{
    add_text(&b, "NYTProf 5 0\n");
    add_start(&b);
    time_on(1, 1);
    time_on(1, 2);
    add_text(&b, ":ticks_per_sec=1000\n");
    add_end(&b);
}

/* Behind an empty zlib stream there is a record. */
static void make_tail(void)
{
    add_header(&b);
    add_start(&b);
    add_end(&b);
    add_raw(&b, "z\x78\x9C\x03\x00\x00\x00\x00\x01-", 10);
}

static void make_marked(void)
{
    add_header(&b);
    add_start(&b);
    define("m::\xC3\xA9", 1, 1, 1);
    b.data[b.len - 9] = NYT_TAG_STRING_UTF8;
    add_end(&b);
}

static void make_wrongly_marked(void)
{
    make_marked();
    *(uint8_t *)memchr(b.data, 0xA9, b.len) = 'x';
}

static const struct broken wholes[] = {
    {"version-minor", NYT_WARNED, make_newer},
    {"duration-0", NYT_WARNED, make_short},
    {"time-before-ticks-per-sec", NYT_WARNED, make_late_scale},
    {"tail", NYT_ODD, make_tail},
    {"utf8-tag", NYT_ODD, make_marked},
    {"utf8-invalid", NYT_WARNED, make_wrongly_marked},
};

static void whole_profiles_break_rules_too(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(wholes); i++) {
        struct found f = {.rule = wholes[i].rule, .severity = wholes[i].severity};
        b.len = 0;
        wholes[i].by();
        nyt_verify_memory(b.data, b.len, compare_finding, &f, NULL, NULL);
        if (f.times != 1)
            print_error("%s\n", wholes[i].rule);
        assert_int_equal(f.times, 1);
        assert_int_equal(f.worse, 0);
    }
}

static int keep_finding(void *ctx, const nyt_finding *finding)
{
    *(nyt_finding *)ctx = *finding;
    return 1;
}

static void findings_within_runs_have_their_place(void **state)
{
    nyt_finding f;
    (void)state;
    b.len = 0;
    add_header(&b);
    add_start(&b);
    add_record(&b, "-");
    for (int i = 0; i < 100; i++)
        time_on(1, 1);
    size_t offset = b.len;
    for (int i = 0; i < 100; i++)
        time_on(2, 1);
    add_end(&b);
    assert_int_equal(nyt_verify_memory(b.data, b.len, keep_finding, &f, NULL, NULL), 1);
    assert_string_equal(f.rule, "time-fid-unknown");
    assert_int_equal(f.offset, offset);
    assert_int_equal(f.record, 5 + 2 + 1 + 100);
}

static int stop(void *ctx, const nyt_finding *finding)
{
    (void)finding;
    ++*(int *)ctx;
    return 42;
}

static void a_finding_may_end_the_work(void **state)
{
    int calls = 0;
    (void)state;
    b.len = 0;
    add_header(&b);
    add_start(&b);
    attribute_malformed();
    option_malformed();
    assert_int_equal(nyt_verify_memory(b.data, b.len, stop, &calls, NULL, NULL), 42);
    assert_int_equal(calls, 1);
}

static void what_is_no_profile_is_a_finding_and_a_missing_file_an_error(void **state)
{
    nyt_verdict verdict;
    nyt_error err;
    (void)state;
    assert_int_equal(nyt_verify_memory("hello\n", 6, NULL, NULL, &verdict, NULL), NYT_OK);
    assert_int_equal(verdict.fatal, 1);
    assert_int_equal(nyt_verify("/nonexistent/x", NULL, NULL, &verdict, &err), NYT_EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_is_found_where_it_is_broken),
        cmocka_unit_test(a_sound_profile_has_no_finding),
        cmocka_unit_test(what_a_header_lacks_is_told),
        cmocka_unit_test(whole_profiles_break_rules_too),
        cmocka_unit_test(findings_within_runs_have_their_place),
        cmocka_unit_test(a_finding_may_end_the_work),
        cmocka_unit_test(what_is_no_profile_is_a_finding_and_a_missing_file_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
