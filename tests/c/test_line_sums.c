/*
 * Statements added up by place: the fast way and the plain one give the same sums, whatever
 * the bytes are; numbers from a file do not become sizes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bytes.h"

#include "format/line_sums.h"
#include "format/record.h"

static uint32_t random_bits(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(*state >> 32);
}

/* Small numbers mostly, and some of every length. */
static uint32_t random_number(uint64_t *state, uint32_t usual)
{
    uint32_t any = random_bits(state);
    return any % 16 ? random_bits(state) % usual : any >> random_bits(state) % 32;
}

static void add_time_line(struct bytes *b, uint32_t ticks, uint32_t fid, uint32_t line)
{
    uint8_t record[1 + 3 * NYT_U32_BYTES], *p = record;
    *p++ = NYT_TAG_TIME_LINE;
    p = nyt_put_u32(p, ticks);
    p = nyt_put_u32(p, fid);
    p = nyt_put_u32(p, line);
    add_raw(b, record, (size_t)(p - record));
}

/* Statements, some discounted, some repeated. */
static void add_statements(struct bytes *b, uint64_t seed, size_t n)
{
    uint64_t state = seed;
    while (n-- > 0) {
        uint32_t ticks = random_number(&state, 200), fid = random_number(&state, 4),
                 line = random_number(&state, 300);
        if (random_bits(&state) % 8 == 0)
            add_raw(b, "-", 1);
        size_t times = random_bits(&state) % 8 ? 1 : random_bits(&state) % 40;
        for (size_t i = 0; i <= times; i++)
            add_time_line(b, ticks, fid, line);
    }
}

/* One record after the other, as the format page has it. */
static size_t add_up_plainly(struct nyt_line_sums *t, const uint8_t *data, size_t len,
                             struct nyt_run *run)
{
    struct nyt_cursor c = nyt_cursor_over(data, len);
    bool discounted = false;
    while (c.p < c.end) {
        nyt_record r;
        if (nyt_record_decode(&c, &r) != NYT_DECODED)
            break;
        if (r.tag == NYT_TAG_TIME_LINE) {
            struct nyt_line_sum *line = nyt_line_sums_at(t, r.u.time.fid, r.u.time.line);
            line->count += !discounted;
            line->ticks += r.u.time.ticks;
            run->statements++;
            run->discounted += discounted;
            run->ticks += r.u.time.ticks;
        }
        discounted = r.tag == NYT_TAG_DISCOUNT;
    }
    return (size_t)(c.p - data);
}

static void assert_same(const struct nyt_line_sums *a, const struct nyt_line_sums *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        assert_int_equal(a->list[i].fid, b->list[i].fid);
        assert_int_equal(a->list[i].line, b->list[i].line);
        assert_int_equal(a->list[i].count, b->list[i].count);
        assert_int_equal(a->list[i].ticks, b->list[i].ticks);
    }
}

static void the_fast_way_adds_up_the_same(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct bytes b = {0};
        struct nyt_line_sums fast = {0}, plain = {0};
        struct nyt_run all, expected = {0};
        add_statements(&b, seed, 2000);
        const uint8_t *p = b.data, *end = b.data + b.len;
        assert_true(nyt_line_sums_add_records(&fast, &p, end, &all));
        assert_true(end - p <= 17);  /* too few to be sure of the last record */
        size_t taken = (size_t)(p - b.data);
        assert_int_equal(add_up_plainly(&plain, b.data, taken, &expected), taken);
        assert_same(&fast, &plain);
        assert_int_equal(all.statements, expected.statements);
        assert_int_equal(all.discounted, expected.discounted);
        assert_int_equal(all.ticks, expected.ticks);
        nyt_line_sums_free(&fast);
        nyt_line_sums_free(&plain);
    }
}

static void anything_else_ends_a_run(void **state)
{
    static const char *const ends[] = {"P", "--+\1\1\1", "-P", "<", "*\1\1\1\1\1", "\xFF"};
    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct bytes b = {0};
        struct nyt_line_sums t = {0};
        struct nyt_run all;
        add_time_line(&b, 1, 1, 1);
        add_time_line(&b, 2, 1, 1);
        size_t len = b.len;
        add_raw(&b, ends[i], strlen(ends[i]));
        add_statements(&b, 1, 30);
        const uint8_t *p = b.data;
        assert_true(nyt_line_sums_add_records(&t, &p, b.data + b.len, &all));
        assert_ptr_equal(p, b.data + len);
        assert_int_equal(all.statements, 2);
        assert_int_equal(all.ticks, 3);
        nyt_line_sums_free(&t);
    }
}

/* Places that all want one slot, and the largest numbers there are. */
static void no_place_is_lost(void **state)
{
    enum { MANY = 20000 };
    struct nyt_line_sums t = {0};
    (void)state;
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < MANY; i++) {
            assert_non_null(nyt_line_sums_at(&t, 0, i << 18));
            nyt_line_sums_at(&t, UINT32_MAX, UINT32_MAX - i)->count++;
        }
    }
    assert_int_equal(t.count, MANY + 0x4000);
    for (size_t i = 0; i < t.count; i++)
        assert_int_equal(t.list[i].count != 0, t.list[i].fid == UINT32_MAX);
    assert_int_equal(nyt_line_sums_at(&t, UINT32_MAX, UINT32_MAX)->count, 2);
    assert_true(t.slot_count * 16 < 64 * t.count);      /* bytes, by what there is */
    nyt_line_sums_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fast_way_adds_up_the_same),
        cmocka_unit_test(anything_else_ends_a_run),
        cmocka_unit_test(no_place_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
