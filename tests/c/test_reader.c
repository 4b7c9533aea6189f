/*
 * The walk over records: where it ends, what it says then, and that neither the size of the
 * window nor the way bytes arrive makes a difference. Built a second time with windows of 16 bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "bytes.h"

#include "format/line_sums.h"
#include "format/reader.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char header[] = "NYTProf 5 0\n";

/* Reads to the end; the number of records, and how it ended. */
static uint64_t read_all(nyt_reader *in, int *rc, nyt_error *err)
{
    nyt_record rec;
    memset(err, 0, sizeof *err);
    while ((*rc = nyt_reader_next(in, &rec, err)) == 1)
        ;
    uint64_t records = nyt_reader_progress(in).records;
    nyt_reader_close(in);
    return records;
}

static uint64_t read_bytes(const void *data, size_t len, int *rc, nyt_error *err)
{
    nyt_reader *in;
    *rc = nyt_reader_open_memory(&in, data, len, err);
    if (*rc < 0)
        assert_null(in);
    return *rc < 0 ? 0 : read_all(in, rc, err);
}

struct banner {
    const char *text;
    int code;
};

static const struct banner banners[] = {
    {"NYTProf 5 0\n", 0},
    {"NYTProf 5 1\n", 0},
    {"NYTProf 5 0\r\n", 0},
    {"NYTProf 5 0 and more\n", 0},
    {"NYTProf5 0\n", 0},
    {"NYTProf\t5\t0\n", 0},
    {"", NYT_EFORMAT},
    {"\n", NYT_EFORMAT},
    {"NYT", NYT_ETRUNC},
    {"NYTProf 5 0", NYT_ETRUNC},
    {"NYTProf 6 0\n", NYT_EVERSION},
    {"NYTProf 4 9\n", NYT_EVERSION},
    {"NYTProf 5\n", NYT_EFORMAT},
    {"NYTProf x 0\n", NYT_EFORMAT},
    {"nytprof 5 0\n", NYT_EFORMAT},
    {"\x7f"
     "ELF\n",
     NYT_EFORMAT},
    {"NYTProf -5 0\n", NYT_EVERSION},
};

static void the_banner_decides_first(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(banners); i++) {
        int rc;
        nyt_error err = {0};
        uint64_t n = read_bytes(banners[i].text, strlen(banners[i].text), &rc, &err);
        assert_int_equal(rc, banners[i].code);
        assert_int_equal(err.code, banners[i].code);
        assert_int_equal(n, rc == 0);
    }
}

static void a_first_line_without_end_is_given_up(void **state)
{
    static char text[100000];
    int rc;
    nyt_error err;
    (void)state;
    memset(text, 'x', sizeof text);
    memcpy(text, "NYTProf 5 0 ", 12);
    read_bytes(text, sizeof text, &rc, &err);
    assert_int_equal(rc, NYT_EFORMAT);
}

struct fault {
    const char *what;           /* after the header */
    size_t len;
    int code;
    uint64_t offset; /* from the header's end */
    uint64_t record;
};

#define BYTES(text) text, sizeof text - 1

static const struct fault faults[] = {
    {BYTES(""), 0, 0, 0},
    {BYTES("-----"), 0, 0, 0},
    {BYTES("#c\n:a=b\n!c=d\n"), 0, 0, 0},
    {BYTES("--x"), NYT_EFORMAT, 2, 3},
    {BYTES("\0"), NYT_EFORMAT, 0, 1},
    {BYTES("-\x27\x00"), NYT_EFORMAT, 1, 2},                /* a string by itself */
    {BYTES("-+\x01\x01"), NYT_ETRUNC, 1, 2},
    {BYTES("+\x01\x01\x01+"), NYT_ETRUNC, 4, 2},
    {BYTES("S\x01\x01x\x01"
           "a"),
     NYT_EFORMAT, 3, 1},
    {BYTES("S\x01\x01'\x05"
           "abcd"),
     NYT_ETRUNC, 0, 1},
    {BYTES("S\x01\x01'\xFF\xFF\xFF\xFF\xFF"
           "abcd"),
     NYT_ETRUNC, 0, 1}, /* 4 GB promised */
    {BYTES("#no newline"), NYT_ETRUNC, 0, 1},
    {BYTES("-:no newline"), NYT_ETRUNC, 1, 2},
    {BYTES(":nv_size=8\n"), 0, 0, 0},
    {BYTES("-:nv_size=16\n"), NYT_EFORMAT, 1, 2},
    {BYTES("z"), NYT_ETRUNC, 1, 2},                         /* the stream itself is missing */
    {BYTES("znot zlib"), NYT_EDEFLATE, 1, 2},
};

static void faults_have_their_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(faults); i++) {
        struct bytes b = {0};
        int rc;
        nyt_error err;
        add_text(&b, header);
        add_raw(&b, faults[i].what, faults[i].len);
        read_bytes(b.data, b.len, &rc, &err);
        assert_int_equal(rc, faults[i].code);
        if (rc == 0)
            continue;
        assert_int_equal(err.record, faults[i].record);
        if (rc != NYT_EDEFLATE)
            assert_int_equal(err.offset, sizeof header - 1 + faults[i].offset);
        assert_true(strlen(err.message) > 5);
    }
}

static void an_error_is_repeated(void **state)
{
    nyt_reader *in;
    nyt_record rec;
    nyt_error first, again;
    (void)state;
    assert_int_equal(nyt_reader_open_memory(&in, "NYTProf 5 0\n-?", 14, NULL), NYT_OK);
    assert_int_equal(nyt_reader_next(in, &rec, NULL), 1);
    assert_int_equal(rec.tag, NYT_TAG_VERSION);
    assert_int_equal(nyt_reader_next(in, &rec, NULL), 1);
    assert_int_equal(nyt_reader_next(in, &rec, &first), NYT_EFORMAT);
    assert_int_equal(nyt_reader_next(in, &rec, &again), NYT_EFORMAT);
    assert_memory_equal(&first, &again, sizeof first);
    nyt_reader_close(in);
}

/* ---- Compressed parts ---- */

static void add_deflated(struct bytes *b, const struct bytes *plain, int level)
{
    uLongf room = sizeof b->data - b->len;
    assert_int_equal(compress2(b->data + b->len, &room, plain->data, plain->len, level), Z_OK);
    b->len += room;
}

/* Header, two plain records, then `plain` compressed. */
static void make_compressed(struct bytes *b, const struct bytes *plain)
{
    b->len = 0;
    add_text(b, header);
    add_text(b, ":a=b\n-z");
    add_deflated(b, plain, 6);
}

static void add_many(struct bytes *b)
{
    for (unsigned i = 0; i < 1000; i++) {
        add_record(b, "+uuu", i * 37, 1 + i % 3, i);
        if (i % 7 == 0)
            add_record(b, "-");
        if (i % 50 == 0)
            add_text(b, ":k=v\n");
        if (i % 100 == 0)
            add_record(b, "Suus", 1u, i, "some text that is longer than a small window\n");
    }
}

static struct bytes plain, packed;

static void compressed_records_are_the_same(void **state)
{
    int rc;
    nyt_error err;
    (void)state;
    plain.len = 0;
    add_many(&plain);
    make_compressed(&packed, &plain);
    assert_int_equal(read_bytes(packed.data, packed.len, &rc, &err), 4 + 1000 + 143 + 20 + 10);
    assert_int_equal(rc, 0);
}

static void what_follows_the_stream_is_ignored(void **state)
{
    int rc;
    nyt_error err;
    (void)state;
    plain.len = 0;
    add_many(&plain);
    make_compressed(&packed, &plain);
    add_text(&packed, "\xFF garbage");
    read_bytes(packed.data, packed.len, &rc, &err);
    assert_int_equal(rc, 0);
}

static void a_cut_stream_gives_all_it_holds(void **state)
{
    int rc;
    nyt_error err;
    uint64_t last = 0;
    (void)state;
    plain.len = 0;
    add_many(&plain);
    make_compressed(&packed, &plain);
    for (size_t len = packed.len - 400; len < packed.len; len += 7) {
        uint64_t n = read_bytes(packed.data, len, &rc, &err);
        assert_int_equal(rc, NYT_ETRUNC);
        assert_true(n >= last);
        last = n;
    }
    assert_true(last > 1000);
    assert_int_equal(read_bytes(packed.data, packed.len - 1, &rc, &err), 4 + 1000 + 143 + 20 + 10);
    assert_int_equal(rc, NYT_ETRUNC);       /* only the checksum is missing */
    assert_int_equal(err.offset, packed.len - 1);
    assert_false(err.in_deflate);
}

static void a_fault_in_inflated_data_is_counted_there(void **state)
{
    int rc;
    nyt_error err;
    (void)state;
    plain.len = 0;
    add_text(&plain, "---z");
    make_compressed(&packed, &plain);
    read_bytes(packed.data, packed.len, &rc, &err);
    assert_int_equal(rc, NYT_EFORMAT);
    assert_true(err.in_deflate);
    assert_int_equal(err.offset, 3);
}

/* ---- Ways in which bytes arrive ---- */

struct drip {
    const uint8_t *p;
    size_t left, portion;
};

static int drip(void *ctx, void *data, size_t size, size_t *got)
{
    struct drip *d = ctx;
    *got = d->portion < size ? d->portion : size;
    if (*got > d->left)
        *got = d->left;
    memcpy(data, d->p, *got);
    d->p += *got;
    d->left -= *got;
    return 0;
}

static int collect(void *ctx, const void *data, size_t len)
{
    struct bytes *b = ctx;
    if (b->len + len > sizeof b->data)
        return NYT_ELIMIT;
    add_raw(b, data, len);
    return 0;
}

static void portions_make_no_difference(void **state)
{
    static struct bytes whole, dripped;
    nyt_reader *in;
    (void)state;
    plain.len = 0;
    add_many(&plain);
    make_compressed(&packed, &plain);
    whole.len = 0;
    assert_int_equal(nyt_reader_open_memory(&in, packed.data, packed.len, NULL), NYT_OK);
    assert_int_equal(nyt_export_jsonl(in, collect, &whole, NULL), NYT_OK);
    nyt_reader_close(in);
    for (size_t portion = 1; portion < 40; portion += 3) {
        struct drip d = {packed.data, packed.len, portion};
        dripped.len = 0;
        assert_int_equal(nyt_reader_open_fn(&in, drip, &d, NULL), NYT_OK);
        assert_int_equal(nyt_export_jsonl(in, collect, &dripped, NULL), NYT_OK);
        nyt_reader_close(in);
        assert_int_equal(dripped.len, whole.len);
        assert_memory_equal(dripped.data, whole.data, whole.len);
    }
}

static int broken_pipe(void *ctx, void *data, size_t size, size_t *got)
{
    struct drip *d = ctx;
    drip(d, data, size, got);
    return *got ? 0 : -77;
}

static void a_failing_source_is_told_after_what_it_gave(void **state)
{
    static const char text[] = "NYTProf 5 0\n---";
    struct drip d = {(const uint8_t *)text, sizeof text - 1, 4};
    nyt_reader *in;
    int rc;
    nyt_error err;
    (void)state;
    assert_int_equal(nyt_reader_open_fn(&in, broken_pipe, &d, NULL), NYT_OK);
    assert_int_equal(read_all(in, &rc, &err), 4);
    assert_int_equal(rc, -77);
}

static void files_are_read(void **state)
{
    nyt_reader *in;
    nyt_error err;
    (void)state;
    assert_int_equal(nyt_reader_open(&in, "/nonexistent/nytprof.out", &err), NYT_EIO);
    assert_null(in);
    assert_true(err.sys_errno != 0);
    assert_int_equal(nyt_reader_open(&in, "/", &err), NYT_EIO);
}

static void a_string_may_be_larger_than_the_window(void **state)
{
    size_t len = 3000000;
    uint8_t *data = malloc(len + 100), *p = data;
    char *text = malloc(len);
    nyt_reader *in;
    nyt_record rec;
    (void)state;
    memset(text, 'y', len);
    memcpy(p, "NYTProf 5 0\nS\1\1", 15);
    p = nyt_put_str(p + 15, (nyt_str){.data = text, .len = len});
    *p++ = '-';
    assert_int_equal(nyt_reader_open_memory(&in, data, (size_t)(p - data), NULL), NYT_OK);
    assert_int_equal(nyt_reader_next(in, &rec, NULL), 1);
    assert_int_equal(nyt_reader_next(in, &rec, NULL), 1);
    assert_int_equal(rec.u.src_line.text.len, len);
    assert_memory_equal(rec.u.src_line.text.data, text, len);
    assert_int_equal(nyt_reader_next(in, &rec, NULL), 1);
    assert_int_equal(rec.offset, p - 1 - data);
    assert_int_equal(nyt_reader_next(in, &rec, NULL), 0);
    nyt_reader_close(in);
    free(text);
    free(data);
}

static void the_quick_way_takes_the_same_records(void **state)
{
    struct bytes b = {0};
    struct nyt_sample samples[8];
    nyt_reader *in;
    nyt_record rec;
    uint64_t seen = 0, ticks = 0;
    size_t n;
    (void)state;
    add_text(&b, header);
    add_many(&b);
    for (unsigned times = 1; times < 40; times++) { /* runs of every length, then almost one */
        for (unsigned i = 0; i < times; i++)
            add_record(&b, "+uuu", 300u, 2u, times);
        add_record(&b, "+uuu", 300u, 2u, times + 1000);
    }
    assert_int_equal(nyt_reader_open_memory(&in, b.data, b.len, NULL), NYT_OK);
    do {
        while ((n = nyt_reader_samples(in, samples, COUNT(samples))) > 0)
            for (size_t i = 0; i < n; i++) {
                seen += samples[i].times;
                ticks += (uint64_t)samples[i].ticks * samples[i].times;
            }
        if (nyt_reader_next(in, &rec, NULL) != 1)
            break;
        if (rec.tag == NYT_TAG_TIME_LINE) {
            ticks += (uint64_t)rec.u.time.ticks;
            seen++;
        }
    } while (true);
    assert_int_equal(seen, 1000 + 39 * 40 / 2 + 39);
    assert_int_equal(ticks, 37u * 999 * 1000 / 2 + 300 * (39 * 40 / 2 + 39));
    assert_int_equal(nyt_reader_progress(in).records, 1 + 1000 + 143 + 20 + 10 + 819);
    nyt_reader_close(in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_banner_decides_first),
        cmocka_unit_test(a_first_line_without_end_is_given_up),
        cmocka_unit_test(faults_have_their_place),
        cmocka_unit_test(an_error_is_repeated),
        cmocka_unit_test(compressed_records_are_the_same),
        cmocka_unit_test(what_follows_the_stream_is_ignored),
        cmocka_unit_test(a_cut_stream_gives_all_it_holds),
        cmocka_unit_test(a_fault_in_inflated_data_is_counted_there),
        cmocka_unit_test(portions_make_no_difference),
        cmocka_unit_test(a_failing_source_is_told_after_what_it_gave),
        cmocka_unit_test(files_are_read),
        cmocka_unit_test(a_string_may_be_larger_than_the_window),
        cmocka_unit_test(the_quick_way_takes_the_same_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
