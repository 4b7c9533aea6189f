/*
 * Records behind damage: what is found again, what is given up, and that nothing is believed that
 * was not written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bytes.h"

#include "format/resync.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum {
    RECORDS = 300,
    DISTRUSTED = 8,         /* given up on each side of a break, as resync.c has it */
    NEAR = 24               /* and bytes that may pass before records are looked for */
};

struct gap {
    uint64_t from, to;
    unsigned count;
};

static void note_gap(void *ctx, uint64_t from, uint64_t to)
{
    struct gap *gap = ctx;
    *gap = (struct gap){.from = from, .to = to, .count = gap->count + 1};
}

/* A file, then statements of which no two are alike; `at` is where each record begins. */
static size_t at[RECORDS + 1];

static void make_records(struct bytes *b)
{
    b->len = 0;
    add_record(b, "@uuuuuus", 1u, 0u, 0u, 50u, 0u, 0u, "/x.py");
    for (unsigned i = 0; i < RECORDS; i++) {
        at[i] = b->len;
        add_record(b, "+uuu", 20 + i % 100, 1u, 300 + i);
    }
    at[RECORDS] = b->len;
}

static void feed(struct nyt_resync *r, const struct bytes *b, size_t step)
{
    for (size_t from = 0; from < b->len; from += step)
        assert_true(nyt_resync_add(r, b->data + from, b->len - from < step ? b->len - from : step));
    assert_true(nyt_resync_end(r));
}

static void sound_records_are_believed_however_they_come(void **state)
{
    static const size_t steps[] = {1, 2, 7, 64, 1 << 16};
    static struct bytes b;
    (void)state;
    make_records(&b);
    for (size_t i = 0; i < COUNT(steps); i++) {
        struct gap gap = {0};
        struct nyt_resync r = {.lost = note_gap, .ctx = &gap};
        feed(&r, &b, steps[i]);
        assert_int_equal(r.out.len, b.len);
        assert_memory_equal(r.out.data, b.data, b.len);
        assert_int_equal(r.records, RECORDS + 1);
        assert_int_equal(gap.count, 0);
        nyt_resync_free(&r);
    }
}

/* ---- Damage in the middle ---- */

static const struct damage {
    const char *what;
    size_t overwritten, inserted, removed;      /* bytes */
    int with;
} damages[] = {
    {"a tag became FF", 1, 0, 0, 0xFF},         {"a tag became 0", 1, 0, 0, 0},
    {"a block of zeros", 64, 0, 0, 0},          {"a block of FF", 200, 0, 0, 0xFF},
    {"text instead of records", 40, 0, 0, 'x'}, {"strange bytes between records", 0, 30, 0, 0xEE},
    {"one byte is missing", 0, 0, 1, 0},        {"a hundred bytes are missing", 0, 0, 101, 0},
};

static void do_damage(struct bytes *b, size_t from, const struct damage *d)
{
    size_t rest = b->len - from - d->removed;
    memmove(b->data + from + d->inserted, b->data + from + d->removed, rest);
    b->len += d->inserted;
    b->len -= d->removed;
    memset(b->data + from, d->with, d->overwritten + d->inserted);
}

/* The record of `sound` that is at `p`, or RECORDS. */
static size_t record_at(const struct bytes *sound, const uint8_t *p, size_t left)
{
    for (size_t i = 0; i < RECORDS; i++) {
        size_t len = at[i + 1] - at[i];
        if (len <= left && memcmp(sound->data + at[i], p, len) == 0)
            return i;
    }
    return RECORDS;
}

/* All that is believed was written, in that order; returns how many were lost. */
static size_t lost_statements(const struct bytes *sound, const struct nyt_resync *r)
{
    size_t next = 0, kept = 0;
    assert_memory_equal(r->out.data, sound->data, at[0]);
    for (size_t p = at[0]; p < r->out.len; kept++) {
        size_t i = record_at(sound, r->out.data + p, r->out.len - p);
        assert_true(i >= next && i < RECORDS);
        p += at[i + 1] - at[i];
        next = i + 1;
    }
    assert_int_equal(next, RECORDS);        /* the last one is among them */
    return RECORDS - kept;
}

static void records_are_found_again_behind_damage(void **state)
{
    static struct bytes sound, b;
    (void)state;
    make_records(&sound);
    for (size_t i = 0; i < COUNT(damages); i++) {
        /* A number that became another one cannot be known: a single byte is a tag. */
        for (size_t shift = 0; shift < (damages[i].overwritten == 1 ? 1 : 6); shift++) {
            const struct damage *d = &damages[i];
            size_t from = at[RECORDS / 2] + shift;
            struct gap gap = {0};
            struct nyt_resync r = {.lost = note_gap, .ctx = &gap};
            b = sound;
            do_damage(&b, from, d);
            if (b.len == sound.len && memcmp(b.data, sound.data, b.len) == 0)
                continue;
            feed(&r, &b, 50);
            size_t hurt = (d->overwritten + d->removed + NEAR) / 5 + 2;
            assert_in_range(lost_statements(&sound, &r), 1, hurt + 2 * DISTRUSTED + 1);
            assert_int_equal(gap.count, 1);
            assert_true(gap.from <= from && gap.to >= from + d->overwritten + d->inserted);
            nyt_resync_free(&r);
        }
    }
}

static void damage_near_the_end_costs_the_rest_and_no_more(void **state)
{
    static struct bytes sound, b;
    struct gap gap = {0};
    struct nyt_resync r = {.lost = note_gap, .ctx = &gap};
    (void)state;
    make_records(&sound);
    b = sound;
    b.data[at[RECORDS - 2]] = 0xFF;         /* two records are too few to go on with */
    feed(&r, &b, 50);
    assert_true(r.broken);
    assert_int_equal(r.out.len, at[RECORDS - 2 - DISTRUSTED]);
    assert_int_equal(r.broken_at, at[RECORDS - 2 - DISTRUSTED]);
    assert_memory_equal(r.out.data, sound.data, r.out.len);
    assert_int_equal(gap.count, 0);
    nyt_resync_free(&r);
}

static void what_is_inflated_is_not_looked_for_again(void **state)
{
    static struct bytes b;
    struct gap gap = {0};
    struct nyt_resync r = {.lost = note_gap, .ctx = &gap, .in_deflate = true};
    (void)state;
    make_records(&b);
    b.data[at[RECORDS / 2]] = 0xFF;
    feed(&r, &b, 50);
    assert_true(r.broken && gap.count == 0);
    assert_int_equal(r.out.len, at[RECORDS / 2 - NYT_RESYNC_LOOKAHEAD]);
    nyt_resync_free(&r);
}

/* ---- Single records ---- */

static void add_statement(struct bytes *b, uint32_t ticks, uint32_t fid, uint32_t line)
{
    add_record(b, "+uuu", (unsigned)ticks, (unsigned)fid, (unsigned)line);
}

static const struct {
    uint32_t ticks, fid, line;
    bool plausible;
} statements[] = {
    {0, 1, 1, true},      {0x0FFFFFFF, 1, 1, true}, {0x10000000, 1, 1, false}, {5, 1, 65535, true},
    {5, 1, 65536, false}, {5, 1, 0, false},         {5, 0, 1, false},          {5, 2, 1, false},
};

static void statements_are_judged_by_their_numbers(void **state)
{
    static struct bytes b;
    (void)state;
    for (size_t i = 0; i < COUNT(statements); i++) {
        struct gap gap = {0};
        struct nyt_resync r = {.lost = note_gap, .ctx = &gap};
        make_records(&b);
        add_statement(&b, statements[i].ticks, statements[i].fid, statements[i].line);
        for (unsigned k = 0; k < 2 * NYT_RESYNC_LOOKAHEAD; k++)
            add_statement(&b, 9, 1, 700 + k);
        feed(&r, &b, 50);
        assert_int_equal(gap.count, !statements[i].plausible);
        nyt_resync_free(&r);
    }
}

static void lenient_is_one_that_may_have_lost_definitions(void **state)
{
    static struct bytes b;
    (void)state;
    for (int lenient = 0; lenient < 2; lenient++) {
        struct gap gap = {0};
        struct nyt_resync r = {.lost = note_gap, .ctx = &gap, .lenient = lenient};
        make_records(&b);
        for (unsigned k = 0; k < 2 * NYT_RESYNC_LOOKAHEAD; k++)
            add_statement(&b, 9, 2, 700 + k);
        feed(&r, &b, 50);
        assert_int_equal(r.odd, lenient);
        assert_int_equal(r.out.len == b.len, lenient);
        nyt_resync_free(&r);
    }
}

static void a_compressed_part_begins_with_a_header_of_zlib(void **state)
{
    static const struct {
        const char *bytes;
        bool taken;
    } heads[] = {{"z\x78\x9C", true}, {"z\x78\x01", true}, {"z\x78\x9D", false}, {"zzz", false}};
    static struct bytes b;
    (void)state;
    for (size_t i = 0; i < COUNT(heads); i++) {
        struct gap gap = {0};
        struct nyt_resync r = {.lost = note_gap, .ctx = &gap};
        make_records(&b);
        size_t head = b.len;
        add_text(&b, heads[i].bytes);
        assert_true(nyt_resync_add(&r, b.data, b.len));
        assert_int_equal(r.at_deflate, heads[i].taken);
        if (heads[i].taken)
            assert_int_equal(r.offset + r.look, head);
        nyt_resync_free(&r);
    }
}

static void a_record_cut_off_at_the_end_is_left_over(void **state)
{
    static struct bytes b;
    struct gap gap = {0};
    struct nyt_resync r = {.lost = note_gap, .ctx = &gap};
    (void)state;
    make_records(&b);
    assert_true(nyt_resync_add(&r, b.data, b.len - 2));
    assert_true(nyt_resync_end(&r));
    assert_int_equal(r.out.len, at[RECORDS - 1]);
    assert_int_equal(r.in.len, b.len - 2 - at[RECORDS - 1]);
    assert_true(nyt_resync_add(&r, b.data + b.len - 2, 2));
    assert_true(nyt_resync_end(&r));
    assert_int_equal(r.out.len, b.len);
    assert_int_equal(gap.count, 0);
    nyt_resync_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_records_are_believed_however_they_come),
        cmocka_unit_test(records_are_found_again_behind_damage),
        cmocka_unit_test(damage_near_the_end_costs_the_rest_and_no_more),
        cmocka_unit_test(what_is_inflated_is_not_looked_for_again),
        cmocka_unit_test(statements_are_judged_by_their_numbers),
        cmocka_unit_test(lenient_is_one_that_may_have_lost_definitions),
        cmocka_unit_test(a_compressed_part_begins_with_a_header_of_zlib),
        cmocka_unit_test(a_record_cut_off_at_the_end_is_left_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
