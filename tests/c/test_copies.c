/*
 * Segments of a compressed stream that come again byte for byte are not inflated again, and runs
 * of equal records in them are not even looked at: all that may make no difference to what is
 * read, whatever the segments are. Built a second time with windows of 16 bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "bytes.h"

#include "format/input.h"
#include "format/line_sums.h"
#include "format/reader.h"

/* ---- Streams made of segments ---- */

struct stream {
    struct bytes file;
    z_stream z;
    uint32_t adler;
};

static uint32_t random_below(uint64_t *state, uint32_t n)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(*state >> 32) % n;
}

static void begin(struct stream *s)
{
    memset(s, 0, sizeof *s);
    s->adler = 1;
    add_text(&s->file, "NYTProf 5 0\n:ticks_per_sec=10\nz\x78\x9C");
    assert_int_equal(deflateInit2(&s->z, 6, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY), Z_OK);
}

/* With history (a sync flush) or without. Returns where the segment begins. */
static size_t add_segment(struct stream *s, const struct bytes *plain, bool history)
{
    size_t at = s->file.len;
    if (!history)
        deflateReset(&s->z);
    s->z.next_in = (Bytef *)(uintptr_t)plain->data;
    s->z.avail_in = (uInt)plain->len;
    s->z.next_out = s->file.data + at;
    s->z.avail_out = (uInt)(sizeof s->file.data - at);
    int code = deflate(&s->z, history ? Z_SYNC_FLUSH : Z_FULL_FLUSH);
    assert_true(code == Z_OK || code == Z_BUF_ERROR);   /* nothing new to flush */
    s->file.len = sizeof s->file.data - s->z.avail_out;
    s->adler = (uint32_t)adler32(s->adler, plain->data, (uInt)plain->len);
    return at;
}

static void add_copies(struct stream *s, size_t at, const struct bytes *plain, size_t times)
{
    size_t len = s->file.len - at;
    for (size_t i = 0; i < times; i++) {
        add_raw(&s->file, s->file.data + at, len);
        s->adler = (uint32_t)adler32(s->adler, plain->data, (uInt)plain->len);
    }
}

static void end(struct stream *s)
{
    uint8_t last[] = {3,
                      0,
                      (uint8_t)(s->adler >> 24),
                      (uint8_t)(s->adler >> 16),
                      (uint8_t)(s->adler >> 8),
                      (uint8_t)s->adler};
    add_raw(&s->file, last, sizeof last);
    add_text(&s->file, "#\n# what follows the stream\n");
    deflateEnd(&s->z);
}

/* ---- What is read ---- */

enum { MOST = 60000 };

struct seen {
    uint64_t offset;
    uint32_t tag, fid, line;
    int32_t ticks;
};

struct reading {
    struct seen *list;
    size_t count;
    int rc;
    nyt_error err;
    nyt_progress progress;
    uint64_t at_once; /* the longest run that came as one */
};

static void add_seen(struct reading *r, const nyt_time *t, uint32_t tag, uint64_t offset)
{
    if (r->count < MOST)
        r->list[r->count] = (struct seen){offset, tag, t->fid, t->line, t->ticks};
    r->count++;
}

static size_t encoded_len(const struct nyt_sample *h)
{
    uint8_t bytes[3 * NYT_U32_BYTES], *p = nyt_put_u32(bytes, (uint32_t)h->ticks);
    p = nyt_put_u32(nyt_put_u32(p, h->fid), h->line);
    return 1 + (size_t)(p - bytes);
}

static void add_samples(struct reading *r, const struct nyt_sample *samples, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        nyt_time t = {.ticks = samples[i].ticks, .fid = samples[i].fid, .line = samples[i].line};
        size_t len = encoded_len(&samples[i]);
        for (uint64_t k = 0; k < samples[i].times; k++)
            add_seen(r, &t, NYT_TAG_TIME_LINE, samples[i].offset + k * len);
        if (r->at_once < samples[i].times)
            r->at_once = samples[i].times;
    }
}

static nyt_reader *open_bytes(const struct bytes *b, bool naive)
{
    nyt_reader *in;
    struct nyt_source source = {.data = b->data, .len = b->len, .naive = naive, .threaded = !naive};
    assert_int_equal(nyt_reader_begin(&in, &source, NULL), NYT_OK);
    return in;
}

static struct reading read_stream(const struct bytes *b, bool naive)
{
    struct reading r = {.list = calloc(MOST, sizeof *r.list)};
    struct nyt_sample samples[7];
    nyt_record rec;
    nyt_reader *in = open_bytes(b, naive);
    do {
        size_t n;
        while (!naive && (n = nyt_reader_samples(in, samples, 7)) > 0)
            add_samples(&r, samples, n);
        r.rc = nyt_reader_next(in, &rec, &r.err);
        bool is_time = r.rc == 1 && rec.tag == NYT_TAG_TIME_LINE;
        if (r.rc == 1)
            add_seen(&r, is_time ? &rec.u.time : &(nyt_time){0}, rec.tag, rec.offset);
    } while (r.rc == 1);
    r.progress = nyt_reader_progress(in);
    nyt_reader_close(in);
    return r;
}

/* The sums of all statements. */
static struct nyt_run add_up(const struct bytes *b, bool naive, struct nyt_line_sums *t)
{
    struct nyt_run all = {0}, some;
    nyt_record rec;
    nyt_reader *in = open_bytes(b, naive);
    bool discounted = false;
    for (;;) {
        some = (struct nyt_run){0};
        if (!naive && !discounted)
            assert_true(nyt_reader_sum_lines(in, t, &some));
        if (nyt_reader_next(in, &rec, NULL) != 1)
            break;
        if (rec.tag == NYT_TAG_TIME_LINE) {
            struct nyt_line_sum *line = nyt_line_sums_at(t, rec.u.time.fid, rec.u.time.line);
            line->count += !discounted;
            line->ticks += rec.u.time.ticks;
            some.statements++;
            some.discounted += discounted;
            some.ticks += rec.u.time.ticks;
        }
        discounted = rec.tag == NYT_TAG_DISCOUNT;
        all.statements += some.statements;
        all.discounted += some.discounted;
        all.ticks += some.ticks;
    }
    all.statements += some.statements;
    all.discounted += some.discounted;
    all.ticks += some.ticks;
    nyt_reader_close(in);
    return all;
}

static void assert_same_sums(const struct bytes *b)
{
    struct nyt_line_sums fast = {0}, plain = {0};
    struct nyt_run a = add_up(b, false, &fast), c = add_up(b, true, &plain);
    assert_int_equal(a.statements, c.statements);
    assert_int_equal(a.discounted, c.discounted);
    assert_int_equal(a.ticks, c.ticks);
    assert_int_equal(fast.count, plain.count);
    for (size_t i = 0; i < fast.count; i++) {
        const struct nyt_line_sum *line = nyt_line_sums_at(&plain, fast.list[i].fid,
                                                           fast.list[i].line);
        assert_int_equal(line->count, fast.list[i].count);
        assert_int_equal(line->ticks, fast.list[i].ticks);
    }
    nyt_line_sums_free(&fast);
    nyt_line_sums_free(&plain);
}

/* Returns the longest run that the fast way took at once. */
static uint64_t assert_no_difference(const struct bytes *b)
{
    struct reading fast = read_stream(b, false), plain = read_stream(b, true);
    assert_int_equal(fast.rc, plain.rc);
    assert_int_equal(fast.count, plain.count);
    size_t n = plain.count < MOST ? plain.count : MOST;
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(fast.list[i].offset, plain.list[i].offset);
        assert_memory_equal(&fast.list[i], &plain.list[i], sizeof *fast.list);
    }
    if (plain.rc < 0) {
        assert_string_equal(fast.err.message, plain.err.message);
        assert_int_equal(fast.err.record, plain.err.record);
        assert_int_equal(fast.err.in_deflate, plain.err.in_deflate);
        if (plain.rc != NYT_EDEFLATE)   /* zlib goes some bytes further, or not */
            assert_int_equal(fast.err.offset, plain.err.offset);
    } else {
        assert_int_equal(fast.progress.inflated, plain.progress.inflated);
    }
    assert_int_equal(fast.progress.records, plain.progress.records);
    assert_int_equal(fast.progress.ticks_per_sec, plain.progress.ticks_per_sec);
    free(fast.list);
    free(plain.list);
    assert_same_sums(b);
    return fast.at_once;
}

/* ---- Segments ---- */

static void add_statement(struct bytes *b, uint32_t ticks, uint32_t line)
{
    add_text(b, "+");
    add_u32(b, ticks);
    add_u32(b, 1);
    add_u32(b, line);
}

/* `times` equal records, of which the first `skip` bytes are left out and come at the end: so a
 * segment begins in mid-record. */
static struct bytes run_of(uint32_t ticks, uint32_t line, size_t times, size_t skip)
{
    struct bytes b = {0}, turned = {0};
    for (size_t i = 0; i < times; i++)
        add_statement(&b, ticks, line);
    add_raw(&turned, b.data + skip, b.len - skip);
    add_raw(&turned, b.data, skip);
    return turned;
}

static struct bytes mixture(uint64_t *state, size_t records)
{
    struct bytes b = {0};
    for (size_t i = 0; i < records; i++) {
        if (random_below(state, 5) == 0)
            add_text(&b, "-");
        add_statement(&b, random_below(state, 300), random_below(state, 400));
    }
    return b;
}

static void runs_in_segments_are_taken_at_once(void **state)
{
    (void)state;
    for (uint32_t line = 1; line < 100000; line *= 7) {
        struct stream s;
        struct bytes run = run_of(3, line, 700, 0);
        begin(&s);
        add_copies(&s, add_segment(&s, &run, false), &run, 49);
        end(&s);
        assert_true(assert_no_difference(&s.file) >= 700 * 10);
    }
}

static void runs_that_begin_in_mid_record_are_the_same(void **state)
{
    (void)state;
    for (size_t skip = 0; skip < 5; skip++) {
        struct stream s;
        struct bytes begun = {0}, run = run_of(300, 7, 500, skip), whole = run_of(300, 7, 1, 0);
        begin(&s);
        add_raw(&begun, whole.data, skip);
        add_segment(&s, &begun, false);
        add_copies(&s, add_segment(&s, &run, false), &run, 39);
        begun.len = 0;
        add_raw(&begun, whole.data + skip, whole.len - skip);
        add_segment(&s, &begun, false);
        end(&s);
        assert_true(assert_no_difference(&s.file) >= 500 * 10);
    }
}

/* A segment that is no whole number of records, and one whose records differ. */
static void other_segments_are_read_one_by_one(void **state)
{
    uint64_t random = 1;
    (void)state;
    for (size_t less = 0; less < 4; less++) {
        struct stream s;
        struct bytes run = run_of(1, 1, 400, 0), mixed = mixture(&random, 300);
        run.len -= less;
        begin(&s);
        add_copies(&s, add_segment(&s, &run, false), &run, 15);
        add_copies(&s, add_segment(&s, &mixed, false), &mixed, 15);
        end(&s);
        assert_no_difference(&s.file);
    }
}

/* Copies that refer to what was before them inflate to something else each time. */
static void copies_with_a_history_are_inflated(void **state)
{
    struct stream s;
    struct bytes first = {0}, second = {0};
    (void)state;
    for (uint32_t i = 0; i < 40; i++)
        add_statement(&first, i, i);
    memcpy(&second, &first, sizeof first);
    begin(&s);
    add_segment(&s, &first, false);
    size_t at = add_segment(&s, &second, true);
    size_t len = s.file.len - at;
    for (int i = 0; i < 9; i++) {       /* the same distance back: the records before them */
        add_raw(&s.file, s.file.data + at, len);
        s.adler = (uint32_t)adler32(s.adler, second.data, (uInt)second.len);
    }
    end(&s);
    assert_no_difference(&s.file);
}

static void an_odd_checksum_is_found(void **state)
{
    (void)state;
    struct stream s;
    struct bytes run = run_of(3, 9, 700, 0);
    begin(&s);
    add_copies(&s, add_segment(&s, &run, false), &run, 20);
    s.adler ^= 1;
    end(&s);
    assert_no_difference(&s.file);
    struct reading r = read_stream(&s.file, false);
    assert_int_equal(r.rc, NYT_EDEFLATE);
    assert_non_null(strstr(r.err.message, "incorrect data check"));
    free(r.list);
}

/* One byte changed, lost or doubled, or the rest cut off. */
static void harm(struct bytes *b, size_t at, uint32_t how, uint32_t with)
{
    switch (how) {
    case 0:
        b->data[at] ^= (uint8_t)(1 + with);
        break;
    case 1:
        memmove(b->data + at, b->data + at + 1, --b->len - at);
        break;
    case 2:
        memmove(b->data + at + 1, b->data + at, b->len++ - at);
        break;
    default:
        b->len = at;
    }
}

static void any_harm_makes_no_difference(void **state)
{
    enum { ROUNDS = 400 };
    uint64_t random = 99;
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct stream s;
        begin(&s);
        for (uint32_t n = random_below(&random, 4) + 1; n > 0; n--) {
            uint32_t what = random_below(&random, 4);
            size_t times = random_below(&random, what == 3 ? 40 : 400);
            struct bytes segment = what == 0   ? mixture(&random, times / 8)
                                   : what == 1 ? (struct bytes){0}
                                               : run_of(random_below(&random, 200),
                                                        random_below(&random, 200), times,
                                                        times ? random_below(&random, 2) : 0);
            add_copies(&s, add_segment(&s, &segment, random_below(&random, 3) == 0), &segment,
                       random_below(&random, 12));
        }
        end(&s);
        if (round % 4)
            harm(&s.file, 32 + random_below(&random, (uint32_t)s.file.len - 40),
                 random_below(&random, 4), random_below(&random, 255));
        assert_no_difference(&s.file);
    }
}

/* An empty block that comes again and again is no way to keep a reader busy. */
static void nothing_over_and_over_is_nothing(void **state)
{
    struct stream s;
    (void)state;
    begin(&s);
    for (int i = 0; i < 12000; i++)
        add_raw(&s.file, "\0\0\0\xFF\xFF", 5);
    end(&s);
    assert_no_difference(&s.file);
    struct reading r = read_stream(&s.file, false);
    assert_int_equal(r.rc, 0);
    assert_int_equal(r.progress.inflated, 0);
    free(r.list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_in_segments_are_taken_at_once),
        cmocka_unit_test(runs_that_begin_in_mid_record_are_the_same),
        cmocka_unit_test(other_segments_are_read_one_by_one),
        cmocka_unit_test(copies_with_a_history_are_inflated),
        cmocka_unit_test(an_odd_checksum_is_found),
        cmocka_unit_test(any_harm_makes_no_difference),
        cmocka_unit_test(nothing_over_and_over_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
