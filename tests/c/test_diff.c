/*
 * Diffs from below: which lines go with which, conditions, mirrored profiles, memory that runs
 * out, and texts that are made to take long.
 */
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

#include "base/memory.h"
#include "base/str.h"
#include "diff/condition.h"
#include "diff/diff.h"
#include "diff/text_diff.h"

#include "allocations.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- Alignment ---- */

/* Each letter is a line. `mates`: for each line of `a` its mate in `b`, '-' for none. */
static const struct {
    const char *a, *b, *mates;
} alignments[] = {
    {"", "", ""},
    {"abc", "", "---"},
    {"abc", "abc", "012"},
    {"abc", "abXc", "013"},
    {"abc", "ac", "0-1"},
    {"abc", "xyz", "---"},
    {"abcde", "deabc", "234--"},
    {"xabcx", "xacbx", "01-34-"},
    {"aXbXc", "aXc", "0--12"},
    {"aaaa", "aaa", "012-"},
    {"abab", "baba", "-012"},
};

static void lines_go_with_equal_lines_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(alignments); i++) {
        uint64_t a[8], b[8];
        uint32_t mates[8];
        struct nyt_text_diff_budget budget = {1000000};
        size_t na = strlen(alignments[i].a), nb = strlen(alignments[i].b), pairs = 0, wanted = 0;
        for (size_t k = 0; k < na; k++)
            a[k] = (uint8_t)alignments[i].a[k];
        for (size_t k = 0; k < nb; k++)
            b[k] = (uint8_t)alignments[i].b[k];
        assert_true(nyt_text_diff(a, na, b, nb, mates, &budget));
        for (size_t k = 0; k < na; k++) {
            wanted += alignments[i].mates[k] != '-';
            pairs += mates[k] != NYT_NONE;
            if (mates[k] != NYT_NONE)
                assert_int_equal(a[k], b[mates[k]]);
        }
        assert_int_equal(pairs, wanted);
    }
}

static uint32_t random_state = 1;

static uint32_t random_below(uint32_t n)
{
    random_state = random_state * 1664525 + 1013904223;
    return (random_state >> 8) % n;
}

/* The most pairs there can be, by the book. */
static size_t longest_common(const uint64_t *a, size_t na, const uint64_t *b, size_t nb)
{
    static size_t best[65][65];
    for (size_t i = na + 1; i-- > 0;)
        for (size_t j = nb + 1; j-- > 0;)
            best[i][j] = i == na || j == nb                ? 0
                         : a[i] == b[j]                    ? best[i + 1][j + 1] + 1
                         : best[i + 1][j] > best[i][j + 1] ? best[i + 1][j]
                                                           : best[i][j + 1];
    return best[0][0];
}

/* Pairs are equal lines in order, the same with a and b exchanged, and, where no line stands
 * once in both, as many as there can be. */
static void text_diffs_are_sound_and_mirrored(void **state)
{
    (void)state;
    for (int round = 0; round < 3000; round++) {
        uint64_t a[64], b[64];
        uint32_t mates[64], back[64];
        size_t na = random_below(65), nb = random_below(65), pairs = 0;
        uint32_t letters = 1 + random_below(round % 2 ? 4 : 60);
        struct nyt_text_diff_budget budget = {round % 7 ? 1u << 20 : 0};
        for (size_t i = 0; i < na; i++)
            a[i] = random_below(letters);
        for (size_t i = 0; i < nb; i++)
            b[i] = random_below(letters);
        assert_true(nyt_text_diff(a, na, b, nb, mates, &budget));
        assert_true(nyt_text_diff(b, nb, a, na, back, &budget));
        uint32_t next = 0;
        for (uint32_t i = 0; i < na; i++) {
            if (mates[i] == NYT_NONE)
                continue;
            assert_true(mates[i] >= next && mates[i] < nb);
            assert_int_equal(a[i], b[mates[i]]);
            assert_int_equal(back[mates[i]], i);
            next = mates[i] + 1;
            pairs++;
        }
        size_t most = longest_common(a, na, b, nb);
        assert_true(pairs <= most);
        if (letters == 1 && round % 7)
            assert_int_equal(pairs, most);
        assert_true(pairs > 0 || most == 0);
    }
}

/* What would take the square of its length: time is bounded by the budget. */
static void long_texts_of_few_lines_are_aligned_all_the_same(void **state)
{
    enum { N = 100000 };
    (void)state;
    uint64_t *a = calloc(N, sizeof *a), *b = calloc(N, sizeof *b);
    uint32_t *mates = calloc(N, sizeof *mates);
    for (uint32_t letters = 1; letters <= 1000; letters *= 10) {
        struct nyt_text_diff_budget budget = {1 << 22};
        size_t pairs = 0;
        for (size_t i = 0; i < N; i++) {
            a[i] = random_below(letters);
            b[i] = random_below(letters);
        }
        a[0] = letters;         /* nothing is equal at the ends */
        b[N - 1] = letters;
        assert_true(nyt_text_diff(a, N, b, N, mates, &budget));
        for (size_t i = 0; i < N; i++)
            pairs += mates[i] != NYT_NONE;
        assert_true(pairs >= 1);
    }
    free(a);
    free(b);
    free(mates);
}

/* ---- Profiles ---- */

static nyt_profile *load(const struct bytes *b)
{
    nyt_profile *p;
    nyt_error err;
    assert_int_equal(nyt_profile_load_memory(&p, b->data, b->len, NULL, &err), NYT_OK);
    return p;
}

static nyt_diff *diff_of(const nyt_profile *a, const nyt_profile *b)
{
    nyt_diff *d;
    nyt_error err;
    assert_int_equal(nyt_diff_new(&d, a, b, &err), NYT_OK);
    return d;
}

/* m::f called `calls` times from m::g, each time for a tenth of a second, and a line's time. */
static void add_profile(struct bytes *b, const char *file, unsigned calls, unsigned ticks_per_sec)
{
    b->len = 0;
    add_text(b, "NYTProf 5 0\n:basetime=1\n:application=x\n:cumulative_overhead_ticks=0\n");
    char line[64];
    snprintf(line, sizeof line, ":ticks_per_sec=%u\n", ticks_per_sec);
    add_text(b, line);
    add_record(b, "Puud", 7u, 1u, 1.7e9);
    add_record(b, "@uuuuuus", 1u, 0u, 0u, 50u, 0u, 0u, file);
    add_record(b, "Suus", 1u, 1u, "def f():\n");
    add_record(b, "Suus", 1u, 2u, "    work()\n");
    add_record(b, "Suus", 1u, 3u, "f()\n");
    for (unsigned i = 0; i < calls; i++)
        add_record(b, "+uuu", ticks_per_sec / 10, 1u, 2u);
    add_record(b, "susuu", 1u, "m::f", 1u, 2u);
    add_record(b, "susuu", 1u, "m::g", 3u, 3u);
    add_record(b, "cuusudddus", 1u, 3u, "m::g", calls, calls / 10.0, calls / 10.0, 0.0, 0u, "m::f");
    add_record(b, "pud", 7u, 1.7e9 + 10);
}

static const struct {
    const char *condition;
    int met;
} judgements[] = {
    /* 10 calls of 0.1 s became 15. */
    {"total>+5%", 1},
    {"total>+50%", 0},
    {"total>=+50%", 1},
    {"total>+499ms", 1},
    {"total>+501ms", 0},
    {"total>1.4s", 1},
    {"total>1.6s", 0},
    {"total<2s", 1},
    {"total<-5%", 0},
    {"total<+60%", 1},
    {"total>+5%&+1s", 0},
    {"total>+5%&+0.4s&1s", 1},
    {"calls>+0", 1},
    {"calls>+5", 0},
    {"calls>=+5", 1},
    {"calls<=15", 1},
    {"lines.count>+49%", 1},
    {"duration>+0", 0},
    {"duration>=+0s", 1},
    {"active>9s", 1},
    {"lines.new>0", 0},
    {"lines.changed>0", 1},
    {"subs.gone>0", 0},
    {"edges.changed>=1", 1},
    {"sub:m::f.incl>+10%", 1},
    {"sub:m::f.excl>+0.6s", 0},
    {"sub:m::f.calls>+4", 1},
    {"sub:m::*.incl>+10%", 1},
    {"sub:*g*.incl>+10%", 0},
    {"sub:nothing*.incl>+0", 0},
    {"edge:m::g->m::f.calls>+4", 1},
    {"edge:*->m::f.incl>1s", 1},
    {"edge:m::f->*.incl>+0", 0},
    {"line:/src/x.py:2.count>+4", 1},
    {"line:x.py:2.time>+10%", 1},
    {"line:src/x.py:*.time>2s", 0},
    {"line:*:2.count>14", 1},
    {"sub:m::h.incl>+0", NYT_EAPI},
    {"line:y.py:2.time>+0", NYT_EAPI},
};

static void conditions_are_judged(void **state)
{
    static struct bytes a, b;
    (void)state;
    add_profile(&a, "/src/x.py", 10, 10000000);
    add_profile(&b, "/src/x.py", 15, 1000);     /* another scale changes nothing */
    nyt_profile *before = load(&a), *after = load(&b);
    nyt_diff *d = diff_of(before, after);
    for (size_t i = 0; i < COUNT(judgements); i++) {
        int rc = nyt_diff_check(d, judgements[i].condition, NULL, NULL, NULL);
        if (rc != judgements[i].met)
            print_error("%s: %d\n", judgements[i].condition, rc);
        assert_int_equal(rc, judgements[i].met);
    }
    nyt_diff_free(d);
    nyt_profile_free(before);
    nyt_profile_free(after);
}

/* Where the fault is. */
static const struct {
    const char *condition;
    int at;
} malformed[] = {
    {"", 0},
    {"total", 5},
    {"total>", 6},
    {"total>x", 6},
    {"total>+", 6},
    {"total>5", 6},
    {"total>5%", 6},
    {"total>+5%x", 9},
    {"total>+5 %", 6},
    {"total>+5%&", 10},
    {"total>+5%,1s", 9},
    {"calls>+1s", 6},
    {"Total>+5%", 0},
    {"sub.incl>+5%", 0},
    {"sub:>+5%", 4},
    {"sub:f>+5%", 4},
    {"sub:f.time>+5%", 6},
    {"line:f:1.incl>+1s", 9},
    {"line:.count>+1", 5},
    {"total>>+5%", 0},
    {"total>1s&2s&3s&4s&5s", 18},
    {"total>.s", 6},
    {"total>1e5s", 6},
    {"total>-5", 6},
    {"total=+5%", 9},
};

static void malformed_conditions_are_refused_at_their_fault(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(malformed); i++) {
        nyt_error err = {0};
        int rc = nyt_diff_check(NULL, malformed[i].condition, NULL, NULL, &err);
        if (rc != NYT_EAPI || (int)err.offset != malformed[i].at)
            print_error("%s: %d at %d\n", malformed[i].condition, rc, (int)err.offset);
        assert_int_equal(rc, NYT_EAPI);
        assert_int_equal(err.offset, malformed[i].at);
        assert_true(err.message[0] != '\0');
    }
}

static const struct {
    const char *text;
    bool ok;
    double seconds, percent;
} least[] = {
    {NULL, true, 100e-6, 5}, {"0", true, 0, 0},         {"5%", true, 0, 5},
    {"1ms", true, 0.001, 0}, {"2.5%,1s", true, 1, 2.5}, {"1us,10%", true, 1e-6, 10},
    {"", false, 0, 0},       {"5", false, 0, 0},        {"+5%", false, 0, 0},
    {"5%,", false, 0, 0},    {"5%;1s", false, 0, 0},    {"-1ms", false, 0, 0},
};

static void least_changes_are_parsed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(least); i++) {
        struct nyt_min_change min;
        assert_int_equal(nyt_min_change_parse(&min, least[i].text, NULL),
                         least[i].ok ? NYT_OK : NYT_EAPI);
        if (!least[i].ok)
            continue;
        assert_float_equal(min.seconds, least[i].seconds, 1e-12);
        assert_float_equal(min.percent, least[i].percent, 1e-12);
    }
}

/* Counts exactly, times by both limits. */
static const struct {
    int64_t counts[2];
    double times[2];
    bool differs;
} differences[] = {
    {{5, 5}, {1, 1}, false},   {{5, 6}, {1, 1}, true},     {{5, 5}, {1, 1.04}, false},
    {{5, 5}, {1, 1.06}, true}, {{5, 5}, {1, 0.94}, true},  {{5, 5}, {1e-6, 5e-6}, false},
    {{5, 5}, {0, 1}, true},    {{5, 5}, {0, 1e-5}, false},
};

static void small_changes_of_time_are_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(differences); i++) {
        struct nyt_min_change min;
        const double *times = differences[i].times;
        nyt_delta delta = {.before = {.there = true,
                                      .count = differences[i].counts[0],
                                      .excl = times[0],
                                      .excl_least = times[0],
                                      .excl_most = times[0]},
                           .after = {.there = true,
                                     .count = differences[i].counts[1],
                                     .excl = times[1],
                                     .excl_least = times[1],
                                     .excl_most = times[1]}};
        assert_int_equal(nyt_min_change_parse(&min, NULL, NULL), NYT_OK);
        assert_int_equal(nyt_delta_differs(&delta, &min), differences[i].differs);
    }
}

/* ---- Pairs of whole profiles ---- */

static const char *const names[] = {
    "perl/strevals.out",       "perl/packages.out",
    "perl/savesrc0.out",       "perl/recursion.out",
    "perl/slowops1.out",       "perl/slowops2.out",
    "perl/utf8.out",           "perl/utf8-greek.out",
    "perl/demo.out",           "perl/dash-e.out",
    "odd/evals-nested.out",    "odd/fid-dup-name.out",
    "odd/fid0-time.out",       "odd/callers-nan.out",
    "odd/late-tps.out",        "odd/eval-self-parent.out",
    "odd/eval-line0.out",      "odd/fid-undefined-time.out",
    "odd/discount-triple.out",
};

static nyt_profile *profiles[COUNT(names)];

static int load_profiles(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", GOLDEN, names[i]);
        if (nyt_profile_load(&profiles[i], path, NULL, NULL) < 0)
            return -1;
    }
    return 0;
}

static int free_profiles(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++)
        nyt_profile_free(profiles[i]);
    return 0;
}

static int compare_sides(const nyt_diff_side *a, const nyt_diff_side *b)
{
    if (a->there != b->there)
        return NYT_COMPARE(a->there, b->there);
    if (a->fid != b->fid)
        return NYT_COMPARE(a->fid, b->fid);
    if (a->line != b->line)
        return NYT_COMPARE(a->line, b->line);
    if (a->name && b->name && nyt_str_compare(*a->name, *b->name))
        return nyt_str_compare(*a->name, *b->name);
    return a->caller && b->caller ? nyt_str_compare(*a->caller, *b->caller) : 0;
}

static int compare_deltas(const void *left, const void *right)
{
    const nyt_delta *a = left, *b = right;
    int c = compare_sides(&a->before, &b->before);
    return c ? c : compare_sides(&a->after, &b->after);
}

static nyt_delta *sorted(const nyt_delta *list, size_t n, bool exchanged)
{
    nyt_delta *copy = calloc(n + 1, sizeof *copy);
    for (size_t i = 0; i < n; i++)
        copy[i] = exchanged ? (nyt_delta){.before = list[i].after, .after = list[i].before}
                            : list[i];
    qsort(copy, n, sizeof *copy, compare_deltas);
    return copy;
}

static void assert_same_side(const nyt_diff_side *a, const nyt_diff_side *b)
{
    assert_int_equal(compare_sides(a, b), 0);
    assert_int_equal(a->count, b->count);
    assert_true(a->incl == b->incl && a->excl == b->excl);
}

static void a_diff_backwards_is_the_mirrored_diff(void **state)
{
    (void)state;
    for (size_t pair = 0; pair < COUNT(names) * COUNT(names); pair++) {
        const nyt_profile *a = profiles[pair / COUNT(names)], *b = profiles[pair % COUNT(names)];
        nyt_diff *there = diff_of(a, b), *back = diff_of(b, a);
        for (int kind = 0; kind < NYT_DIFF_KINDS; kind++) {
            size_t n, m;
            const nyt_delta *list = nyt_diff_list(there, (nyt_diff_kind)kind, &n);
            const nyt_delta *other = nyt_diff_list(back, (nyt_diff_kind)kind, &m);
            assert_int_equal(n, m);
            nyt_delta *left = sorted(list, n, false), *right = sorted(other, m, true);
            for (size_t i = 0; i < n; i++) {
                assert_same_side(&left[i].before, &right[i].before);
                assert_same_side(&left[i].after, &right[i].after);
            }
            free(left);
            free(right);
        }
        nyt_diff_free(there);
        nyt_diff_free(back);
    }
}

static int64_t figures_of(const nyt_diff *d, nyt_diff_kind kind, bool after)
{
    size_t n;
    const nyt_delta *list = nyt_diff_list(d, kind, &n);
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += after ? list[i].after.count : list[i].before.count;
    return sum;
}

/* Whatever is matched with whatever: each line, sub and call is in the list once. */
static void nothing_is_lost_or_doubled(void **state)
{
    (void)state;
    for (size_t pair = 0; pair < COUNT(names) * COUNT(names); pair++) {
        const nyt_profile *p[2] = {profiles[pair / COUNT(names)], profiles[pair % COUNT(names)]};
        nyt_diff *d = diff_of(p[0], p[1]);
        for (int s = 0; s < 2; s++) {
            int64_t lines = 0;
            for (size_t i = 0; i < p[s]->lines[0].count; i++) {
                const nyt_file *file = nyt_profile_file(p[s], p[s]->lines[0].list[i].fid);
                lines += file && file->merged_into ? 0 : p[s]->lines[0].list[i].count;
            }
            assert_int_equal(figures_of(d, NYT_DIFF_LINES, s), lines);
            assert_int_equal(figures_of(d, NYT_DIFF_SUBS, s), p[s]->totals.calls);
            assert_int_equal(figures_of(d, NYT_DIFF_EDGES, s), p[s]->totals.calls);
        }
        nyt_diff_free(d);
    }
}

static int count_bytes(void *ctx, const void *data, size_t len)
{
    (void)data;
    *(size_t *)ctx += len;
    return NYT_OK;
}

static int diff_and_report(const nyt_profile *a, const nyt_profile *b, int form, nyt_error *err)
{
    static const char *const conditions[] = {"total>+5%", "edge:*->*.calls>+0", "line:*:*.time>1s"};
    nyt_diff_options options = {.report.json = form == 1,
                                .markdown = form == 2,
                                .conditions = conditions,
                                .condition_count = COUNT(conditions)};
    nyt_diff *d;
    size_t len = 0;
    int rc = nyt_diff_new(&d, a, b, err);
    if (rc == NYT_OK)
        rc = nyt_report_diff(d, &options, count_bytes, &len, err);
    nyt_diff_free(d);
    return rc;
}

/* Nor has one with evals of no line, or with time in a file that is not defined. */
static void no_profile_has_changed_from_itself(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        nyt_diff *d = diff_of(profiles[i], profiles[i]);
        for (int kind = 0; kind < 3; kind++) {
            size_t n;
            const nyt_delta *list = nyt_diff_list(d, (nyt_diff_kind)kind, &n);
            for (size_t k = 0; k < n; k++) {
                assert_true(list[k].before.there && list[k].after.there);
                assert_int_equal(list[k].before.count, list[k].after.count);
            }
        }
        nyt_diff_free(d);
    }
}

/* Found by fuzzing: as a difference of unsigned numbers it was 2^64 - 1. */
static void more_discounts_than_statements_are_no_statements(void **state)
{
    size_t n;
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        nyt_diff *d = diff_of(profiles[i], profiles[i]);
        const nyt_diff_total *totals = nyt_diff_totals(d, &n);
        for (size_t k = 0; k < n; k++)
            assert_true(totals[k].is_time || totals[k].before < 1e9);
        assert_int_equal(diff_and_report(profiles[i], profiles[i], 0, NULL), NYT_OK);
        nyt_diff_free(d);
    }
}

/* As often as memory runs out, each time one allocation later. */
static void diffs_survive_when_memory_runs_out(void **state)
{
    static const size_t pairs[][2] = {{0, 0}, {0, 10}, {1, 2}, {4, 5}, {6, 7}};
    (void)state;
    for (size_t i = 0; i < COUNT(pairs); i++) {
        int rc = NYT_ENOMEM;
        for (long n = 0; rc == NYT_ENOMEM; n++) {
            nyt_error err = {0};
            allocations_left = n;
            rc = diff_and_report(profiles[pairs[i][0]], profiles[pairs[i][1]], (int)(i % 3), &err);
            allocations_left = -1;
            assert_int_equal(err.code, rc);
            assert_true(n < 100000);
        }
        assert_int_equal(rc, NYT_OK);
    }
}

/* ---- Hostile ---- */

enum { MANY = 100000 };

static void append(struct nyt_buf *b, const struct bytes *part)
{
    assert_true(nyt_buf_append(b, part->data, part->len));
}

/* MANY files that no path tells apart, subs and lines, all alike; `salt` makes others of them. */
static nyt_profile *alike(unsigned salt)
{
    static struct bytes part;
    struct nyt_buf b = {0};
    part.len = 0;
    add_header(&part);
    add_start(&part);
    append(&b, &part);
    for (unsigned i = 2; i < MANY; i++) {
        char name[64], sub[64];
        snprintf(name, sizeof name, "/%u/%u/same/path/for/all/of/them/x.py", salt, i);
        snprintf(sub, sizeof sub, "m%u::f@%u[x:%u]", i % 10, i, i);
        part.len = 0;
        add_record(&part, "@uuuuuus", i, 0u, 0u, 50u, 0u, 0u, name);
        add_record(&part, "Suus", i, 1u, "the same line everywhere\n");
        add_record(&part, "+uuu", 10u, i, 1u);
        add_record(&part, "susuu", i, sub, 1u, UINT32_MAX);
        add_record(&part, "cuusudddus", i, 1u, "m::g", 1u, 0.1, 0.1, 0.0, 0u, sub);
        append(&b, &part);
    }
    part.len = 0;
    add_end(&part);
    append(&b, &part);
    nyt_profile *p;
    assert_int_equal(nyt_profile_load_memory(&p, b.data, b.len, NULL, NULL), NYT_OK);
    nyt_buf_free(&b);
    return p;
}

static void what_cannot_be_told_apart_takes_no_square_time(void **state)
{
    (void)state;
    nyt_profile *a = alike(1), *b = alike(2);
    nyt_diff *d = diff_of(a, b);
    assert_int_equal(figures_of(d, NYT_DIFF_LINES, false), MANY - 2);
    assert_int_equal(figures_of(d, NYT_DIFF_EDGES, true), MANY - 2);
    nyt_diff_free(d);
    nyt_profile_free(a);
    nyt_profile_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_go_with_equal_lines_in_order),
        cmocka_unit_test(text_diffs_are_sound_and_mirrored),
        cmocka_unit_test(long_texts_of_few_lines_are_aligned_all_the_same),
        cmocka_unit_test(conditions_are_judged),
        cmocka_unit_test(malformed_conditions_are_refused_at_their_fault),
        cmocka_unit_test(least_changes_are_parsed),
        cmocka_unit_test(small_changes_of_time_are_none),
        cmocka_unit_test(a_diff_backwards_is_the_mirrored_diff),
        cmocka_unit_test(nothing_is_lost_or_doubled),
        cmocka_unit_test(no_profile_has_changed_from_itself),
        cmocka_unit_test(more_discounts_than_statements_are_no_statements),
        cmocka_unit_test(diffs_survive_when_memory_runs_out),
        cmocka_unit_test(what_cannot_be_told_apart_takes_no_square_time),
    };
    return cmocka_run_group_tests(tests, load_profiles, free_profiles);
}
