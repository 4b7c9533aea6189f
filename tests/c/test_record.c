/* Each record from its bytes: whole, cut off anywhere, and with a wrong string. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bytes.h"

#include "format/record.h"

/* One of each kind that has a tag. Strings are the last thing in most. */
static void each_kind(struct bytes all[], size_t *n)
{
    *n = 0;
    add_text(&all[(*n)++], "#text\n");
    add_text(&all[(*n)++], ":key=value=more\n");
    add_text(&all[(*n)++], "!key=\n");
    add_record(&all[(*n)++], "z");
    add_record(&all[(*n)++], "Puud", 7u, 1u, 1.5);
    add_record(&all[(*n)++], "pud", 70000u, 2.5);
    add_record(&all[(*n)++], "@uuuuuus", 1u, 2u, 3u, 50u, 5u, 6u, "/tmp/x.py");
    add_record(&all[(*n)++], "+uuu", 0xFFFFFFFBu, 1u, 300u);
    add_record(&all[(*n)++], "*uuuuu", 5u, 1u, 300u, 299u, 290u);
    add_record(&all[(*n)++], "-");
    add_record(&all[(*n)++], ">uu", 1u, 4u);
    add_record(&all[(*n)++], "<udds", 3u, 10.0, 4.0, "m::f");
    add_record(&all[(*n)++], "Suus", 1u, 2u, "x = 1\n");
    add_record(&all[(*n)++], "susuu", 1u, "m::f", 2u, 3u);
    add_record(&all[(*n)++], "cuusudddus", 1u, 2u, "m::g", 3u, 1.0, 0.5, 0.25, 1u, "m::f");
}

enum { KINDS = 15 };
static struct bytes kinds[KINDS];

static int make_kinds(void **state)
{
    size_t n;
    (void)state;
    each_kind(kinds, &n);
    return n == KINDS ? 0 : -1;
}

static enum nyt_decoded decode(const struct bytes *b, size_t len, nyt_record *r, size_t *used)
{
    struct nyt_cursor c = nyt_cursor_over(b->data, len);
    enum nyt_decoded result = nyt_record_decode(&c, r);
    *used = (size_t)(c.p - b->data);
    return result;
}

static void whole_records_are_taken_to_their_last_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        nyt_record r;
        size_t used;
        assert_int_equal(decode(&kinds[i], kinds[i].len, &r, &used), NYT_DECODED);
        assert_int_equal(used, kinds[i].len);
        assert_int_equal(r.tag, kinds[i].data[0]);
        assert_non_null(nyt_tag_name(r.tag));
    }
}

static void every_prefix_of_a_record_is_short(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        for (size_t len = 0; len < kinds[i].len; len++) {
            nyt_record r;
            size_t used;
            assert_int_equal(decode(&kinds[i], len, &r, &used), NYT_DECODED_SHORT);
        }
    }
}

static void fields_are_where_the_format_puts_them(void **state)
{
    nyt_record r;
    size_t used;
    (void)state;
    decode(&kinds[1], kinds[1].len, &r, &used);
    assert_memory_equal(r.u.pair.key.data, "key", r.u.pair.key.len);
    assert_int_equal(r.u.pair.value.len, 10);       /* split at the first '=' only */
    decode(&kinds[2], kinds[2].len, &r, &used);
    assert_non_null(r.u.pair.value.data);
    assert_int_equal(r.u.pair.value.len, 0);
    decode(&kinds[7], kinds[7].len, &r, &used);
    assert_int_equal(r.u.time.ticks, -5);
    assert_int_equal(r.u.time.line, 300);
    decode(&kinds[13], kinds[13].len, &r, &used);
    assert_int_equal(r.u.sub_info.first, 2);
    decode(&kinds[14], kinds[14].len, &r, &used);
    assert_memory_equal(r.u.sub_callers.caller.data, "m::g", 4);
    assert_memory_equal(r.u.sub_callers.called.data, "m::f", 4);
    assert_true(r.u.sub_callers.reci == 0.25);
}

static void only_known_tags_begin_a_record(void **state)
{
    (void)state;
    for (int tag = 0; tag < 256; tag++) {
        struct bytes b = {.len = 1, .data = {(uint8_t)tag}};
        nyt_record r;
        size_t used;
        bool known = tag && strchr("#:!zPp@+*-><Ssc", tag);
        assert_int_equal(decode(&b, 1, &r, &used) == NYT_DECODED_BAD_TAG, !known);
    }
}

static void a_string_with_a_wrong_tag_is_told_from_a_short_one(void **state)
{
    struct bytes b = {0};
    nyt_record r;
    size_t used;
    (void)state;
    add_record(&b, "Suus", 1u, 2u, "x");
    b.data[3] = 'x';
    assert_int_equal(decode(&b, b.len, &r, &used), NYT_DECODED_BAD_STRING);
    assert_int_equal(used, 3);
    assert_int_equal(decode(&b, 4, &r, &used), NYT_DECODED_BAD_STRING);
    assert_int_equal(decode(&b, 3, &r, &used), NYT_DECODED_SHORT);
}

static void a_pair_without_an_equals_sign_has_no_value(void **state)
{
    struct bytes b = {0};
    nyt_record r;
    size_t used;
    (void)state;
    add_text(&b, ":nothing\n");
    assert_int_equal(decode(&b, b.len, &r, &used), NYT_DECODED);
    assert_null(r.u.pair.value.data);
    assert_int_equal(r.u.pair.key.len, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_records_are_taken_to_their_last_byte),
        cmocka_unit_test(every_prefix_of_a_record_is_short),
        cmocka_unit_test(fields_are_where_the_format_puts_them),
        cmocka_unit_test(only_known_tags_begin_a_record),
        cmocka_unit_test(a_string_with_a_wrong_tag_is_told_from_a_short_one),
        cmocka_unit_test(a_pair_without_an_equals_sign_has_no_value),
    };
    return cmocka_run_group_tests(tests, make_kinds, NULL);
}
