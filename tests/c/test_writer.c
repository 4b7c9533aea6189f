/* Records and chunks to bytes; what fails, fails for good and is reported. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "allocations.h"

#include "format/codec.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define STR(literal) ((nyt_str){.data = (literal), .len = sizeof(literal) - 1})

/* ---- A sink in memory, that may be full ---- */

struct sink {
    uint8_t *data;
    size_t len, cap;
    size_t room; /* bytes it takes before it fails */
};

static int sink_write(void *ctx, const void *data, size_t len)
{
    struct sink *s = ctx;
    if (len == 0)
        return NYT_OK;
    if (len > s->room - s->len) {
        errno = ENOSPC;
        return NYT_EIO;
    }
    if (s->len + len > s->cap) {
        s->cap = 2 * (s->len + len);
        s->data = __real_realloc(s->data, s->cap);
    }
    memcpy(s->data + s->len, data, len);
    s->len += len;
    return NYT_OK;
}

static struct sink sink_new(void)
{
    return (struct sink){.room = SIZE_MAX};
}

static void sink_free(struct sink *s)
{
    free(s->data);
    *s = sink_new();
}

static nyt_writer *writer_on(struct sink *s, int level)
{
    nyt_writer *w;
    assert_int_equal(nyt_writer_open_fn(&w, sink_write, s, level, NULL), NYT_OK);
    return w;
}

static const char banner[] = "NYTProf 5 0\n";

/* Where in the file the zlib stream begins; the file's length if there is none. */
static size_t text_length(const struct sink *s)
{
    for (size_t i = 0; i + 2 < s->len; i++)
        if (memcmp(s->data + i, "\nz\x78", 3) == 0)
            return i + 2;
    return s->len;
}

/* The zlib stream's content; zlib itself checks the checksum. To be freed. */
static struct sink inflated(const struct sink *s)
{
    struct sink plain = sink_new();
    uint8_t some[65536];
    size_t start = text_length(s);
    z_stream z = {.next_in = s->data + start, .avail_in = (uInt)(s->len - start)};
    int rc = Z_OK;
    assert_int_equal(inflateInit(&z), Z_OK);
    while (rc == Z_OK) {
        z.next_out = some;
        z.avail_out = sizeof some;
        rc = inflate(&z, Z_NO_FLUSH);
        sink_write(&plain, some, sizeof some - z.avail_out);
    }
    inflateEnd(&z);
    assert_int_equal(rc, Z_STREAM_END);
    return plain;
}

static void assert_content(const struct sink *s, const void *expected, size_t len)
{
    assert_int_equal(s->len, len);
    assert_memory_equal(s->data, expected, len);
}

/* ---- Records ---- */

static void put_one_of_each(nyt_writer *w)
{
    nyt_writer_comment(w, STR("note"));
    nyt_writer_attribute(w, STR("k"), STR("v=w"));
    nyt_writer_option(w, STR("o"), STR(""));
    nyt_writer_pid_start(w, &(nyt_pid_start){.pid = 300, .parent = 1, .time = -0.5});
    nyt_writer_new_fid(w, &(nyt_new_fid){.fid = 2,
                                         .eval_fid = 1,
                                         .eval_line = 9,
                                         .flags = 50,
                                         .size = 3,
                                         .mtime = 4,
                                         .name = STR("f")});
    nyt_writer_time(w, &(nyt_time){.ticks = -1, .fid = 2, .line = 7});
    nyt_writer_discount(w);
    nyt_writer_time(w,
                    &(nyt_time){.ticks = 5, .fid = 2, .line = 7, .block_line = 6, .sub_line = 1});
    nyt_writer_sub_entry(w, &(nyt_sub_entry){.fid = 2, .line = 8});
    nyt_writer_sub_return(
        w, &(nyt_sub_return){.depth = 1, .incl = -0.5, .excl = 0, .name = STR("p::s")});
    nyt_writer_src_line(w, &(nyt_src_line){.fid = 2, .line = 1, .text = STR("x\n")});
    nyt_writer_sub_info(w, &(nyt_sub_info){.fid = 2, .name = STR("p::s"), .first = 1, .last = 200});
    nyt_writer_sub_callers(w, &(nyt_sub_callers){.fid = 2,
                                                 .line = 8,
                                                 .caller = STR("a::b"),
                                                 .count = 3,
                                                 .excl = -0.5,
                                                 .depth = 1,
                                                 .called = STR("p::s")});
    nyt_writer_pid_end(w, &(nyt_pid_end){.pid = 300, .time = 0});
}

#define HALF "\0\0\0\0\0\0\xE0\xBF"
#define ZERO "\0\0\0\0\0\0\0\0"

static const char one_of_each[] = "NYTProf 5 0\n#note\n:k=v=w\n!o=\n"
                                  "P\x81\x2C\x01" HALF "@\x02\x01\x09\x32\x03\x04'\x01"
                                  "f"
                                  "+\xFF\xFF\xFF\xFF\xFF\x02\x07"
                                  "-*\x05\x02\x07\x06\x01"
                                  ">\x02\x08"
                                  "<\x01" HALF ZERO "'\x04p::s"
                                  "S\x02\x01'\x02x\n"
                                  "s\x02'\x04p::s\x01\x80\xC8"
                                  "c\x02\x08'\x04"
                                  "a::b\x03" ZERO HALF ZERO "\x01'\x04p::s"
                                  "p\x81\x2C" ZERO;

static void each_record_has_its_bytes(void **state)
{
    (void)state;
    struct sink s = sink_new();
    nyt_writer *w = writer_on(&s, 0);
    put_one_of_each(w);
    assert_int_equal(nyt_writer_close(w, NULL), NYT_OK);
    assert_content(&s, one_of_each, sizeof one_of_each - 1);
    sink_free(&s);
}

static void what_is_compressed_inflates_to_the_same(void **state)
{
    (void)state;
    for (int level = 1; level <= 9; level++) {
        struct sink s = sink_new();
        nyt_writer *w = writer_on(&s, level);
        assert_int_equal(nyt_writer_start_deflate(w), NYT_OK);
        put_one_of_each(w);
        assert_int_equal(nyt_writer_close(w, NULL), NYT_OK);
        struct sink plain = inflated(&s);
        assert_content(&plain, one_of_each + sizeof banner - 1, sizeof one_of_each - sizeof banner);
        sink_free(&plain);
        sink_free(&s);
    }
}

static void text_that_would_break_its_line_is_refused(void **state)
{
    (void)state;
    struct sink s = sink_new();
    nyt_writer *w = writer_on(&s, 0);
    assert_int_equal(nyt_writer_comment(w, STR("a\nb")), NYT_EAPI);
    assert_int_equal(nyt_writer_attribute(w, STR("a\n"), STR("")), NYT_EAPI);
    assert_int_equal(nyt_writer_attribute(w, STR("a=b"), STR("")), NYT_EAPI);
    assert_int_equal(nyt_writer_option(w, STR("a"), STR("\n")), NYT_EAPI);
    assert_int_equal(nyt_writer_close(w, NULL), NYT_OK);
    assert_content(&s, banner, sizeof banner - 1);
    sink_free(&s);
}

static void only_one_compressed_part_and_only_known_levels(void **state)
{
    (void)state;
    struct sink s = sink_new();
    nyt_writer *w = writer_on(&s, 1);
    nyt_error err;
    assert_int_equal(nyt_writer_start_deflate(w), NYT_OK);
    assert_int_equal(nyt_writer_start_deflate(w), NYT_EAPI);
    nyt_writer_abandon(w);
    assert_int_equal(nyt_writer_open_fn(&w, sink_write, &s, 10, &err), NYT_EAPI);
    assert_null(w);
    assert_int_equal(err.code, NYT_EAPI);
    assert_int_equal(nyt_writer_close(NULL, NULL), NYT_OK);
    nyt_writer_abandon(NULL);
    sink_free(&s);
}

static void a_record_larger_than_a_segment_is_whole(void **state)
{
    (void)state;
    enum { LARGE = 700 * 1000 };
    static char text[LARGE];
    memset(text, 'y', LARGE);
    for (int level = 0; level <= 1; level++) {
        struct sink s = sink_new();
        nyt_writer *w = writer_on(&s, level);
        nyt_writer_start_deflate(w);
        nyt_src_line r = {.fid = 1, .line = 1, .text = {.data = text, .len = LARGE}};
        nyt_writer_discount(w);
        nyt_writer_src_line(w, &r);
        nyt_writer_time_run(w, &(nyt_time){.fid = 1, .line = 1}, 3, 3);
        assert_int_equal(nyt_writer_close(w, NULL), NYT_OK);
        struct sink plain = level ? inflated(&s) : s;
        const uint8_t *p = plain.data + (level ? 0 : sizeof banner - 1);
        assert_memory_equal(p, "-S\x01\x01'\xCA\xAE\x60yyy", 11);
        assert_memory_equal(p + 8 + LARGE, "+\x01\x01\x01+\x01\x01\x01+\x01\x01\x01", 12);
        if (level)
            sink_free(&plain);
        sink_free(&s);
    }
}

/* ---- Runs ---- */

struct sums {
    uint64_t counted, discounted, ticks;
};

/* Adds up TIME records; fails for two DISCOUNTs in a row or a counted record behind one. */
static struct sums sums_of(const uint8_t *data, size_t len)
{
    struct sums sums = {0};
    struct nyt_cursor c = nyt_cursor_over(data, len);
    while (c.p != c.end) {
        bool discount = *c.p == NYT_TAG_DISCOUNT;
        c.p += discount;
        assert_true(discount || sums.discounted == 0);
        bool block = *c.p == NYT_TAG_TIME_BLOCK;
        assert_true(block || *c.p == NYT_TAG_TIME_LINE);
        c.p++;
        int32_t ticks = (int32_t)nyt_get_u32(&c);
        assert_true(ticks >= 0);
        for (int i = block ? 4 : 2; i > 0; i--)
            nyt_get_u32(&c);
        assert_false(c.short_of);
        sums.ticks += (uint64_t)ticks;
        *(discount ? &sums.discounted : &sums.counted) += 1;
    }
    return sums;
}

static struct sums sums_of_run(int level, nyt_time where, uint64_t count, uint64_t ticks)
{
    struct sink s = sink_new();
    nyt_writer *w = writer_on(&s, level);
    nyt_writer_start_deflate(w);
    assert_int_equal(nyt_writer_time_run(w, &where, count, ticks), NYT_OK);
    assert_int_equal(nyt_writer_close(w, NULL), NYT_OK);
    struct sums sums;
    if (level) {
        struct sink plain = inflated(&s);
        sums = sums_of(plain.data, plain.len);
        sink_free(&plain);
    } else {
        sums = sums_of(s.data + sizeof banner - 1, s.len - (sizeof banner - 1));
    }
    sink_free(&s);
    return sums;
}

static void runs_add_up_exactly(void **state)
{
    (void)state;
    static const struct {
        uint64_t count, ticks, counted, discounted;
    } runs[] = {
        {0, 0, 0, 0},
        {0, 17, 0, 1},
        {1, 0, 1, 0},
        {3, 2, 3, 0},
        {7, 700, 7, 0},
        {10, 1009, 10, 0},
        {1, INT32_MAX, 1, 0},
        {1, UINT64_C(1) << 31, 1, 1},
        {2, UINT64_C(2) * INT32_MAX, 2, 0},
        {2, UINT64_C(2) * INT32_MAX + 1, 2, 1},
        {3, UINT64_C(1) << 35, 3, 14},
        {0, UINT64_C(1) << 34, 0, 9},
        {100000, 12345678, 100000, 0},
        {5000000, UINT64_C(5000000) * 130 + 4999999, 5000000, 0},
        {1, UINT64_C(1) << 45, 1, 16384},
    };
    for (size_t i = 0; i < COUNT(runs); i++) {
        for (int level = 0; level <= 6; level += level ? 5 : 1) {
            nyt_time where = {.fid = 1, .line = 300, .sub_line = i % 2};
            struct sums sums = sums_of_run(level, where, runs[i].count, runs[i].ticks);
            assert_int_equal(sums.ticks, runs[i].ticks);
            assert_int_equal(sums.counted, runs[i].counted);
            assert_int_equal(sums.discounted, runs[i].discounted);
        }
    }
}

static void runs_around_the_size_of_a_segment_are_whole(void **state)
{
    (void)state;
    enum { RECORD = 4, SEGMENT = 16 * 1024 / RECORD };
    for (uint64_t count = SEGMENT - 2; count <= SEGMENT + 2; count++)
        assert_int_equal(sums_of_run(1, (nyt_time){.fid = 1, .line = 1}, count, 0).counted, count);
    for (uint64_t count = 1024 * SEGMENT - 2; count <= 1024 * SEGMENT + 2; count++)
        assert_int_equal(sums_of_run(1, (nyt_time){.fid = 1, .line = 1}, count, 0).counted, count);
}

static void a_billion_executions_cost_next_to_nothing(void **state)
{
    (void)state;
    for (int level = 1; level <= 9; level++) {
        struct sink s = sink_new();
        nyt_writer *w = writer_on(&s, level);
        nyt_writer_start_deflate(w);
        nyt_time where = {.fid = 200, .line = 20000};
        nyt_writer_time_run(w, &where, 1000000000, UINT64_C(200) * 1000000000);
        assert_int_equal(nyt_writer_close(w, NULL), NYT_OK);
        assert_in_range(s.len, 1000, 14 * 1000 * 1000);
        sink_free(&s);
    }
}

static void impossible_counts_are_refused(void **state)
{
    (void)state;
    struct sink s = sink_new();
    nyt_writer *w = writer_on(&s, 1);
    nyt_time where = {.fid = 1, .line = 1};
    assert_int_equal(nyt_writer_time_run(w, &where, NYT_COUNT_MAX + 1, 0), NYT_EAPI);
    assert_int_equal(nyt_writer_close(w, NULL), NYT_OK);
    assert_content(&s, banner, sizeof banner - 1);
    sink_free(&s);
}

/* ---- Chunks ---- */

struct payload {
    uint8_t bytes[4096];
    size_t len;
};

static void add_int(struct payload *p, uint64_t value, int bytes)
{
    for (; bytes > 0; bytes--, value >>= 8)
        p->bytes[p->len++] = (uint8_t)value;
}

static void add_double(struct payload *p, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    add_int(p, bits, 8);
}

/* Fields as in Python's struct module: I Q d, and s: a counted string. */
static void add(struct payload *p, const char *fields, ...)
{
    va_list args;
    va_start(args, fields);
    for (; *fields; fields++) {
        if (*fields == 'I') {
            add_int(p, va_arg(args, unsigned), 4);
        } else if (*fields == 'Q') {
            add_int(p, va_arg(args, uint64_t), 8);
        } else if (*fields == 'd') {
            add_double(p, va_arg(args, double));
        } else {
            const char *text = va_arg(args, const char *);
            add_int(p, strlen(text), 4);
            memcpy(p->bytes + p->len, text, strlen(text));
            p->len += strlen(text);
        }
    }
    va_end(args);
}

static nyt_chunks *chunks_on(struct sink *s, int level, nyt_pieces *pieces)
{
    nyt_chunks *c;
    assert_int_equal(nyt_chunks_open_fn(&c, sink_write, s, level, pieces, NULL), NYT_OK);
    return c;
}

static int put(nyt_chunks *c, char token, const struct payload *p, nyt_error *err)
{
    return nyt_chunks_write(c, token, p->bytes, p->len, err);
}

#define PUT(c, token, err, ...)                                         \
    (add((memset(&scratch, 0, sizeof scratch), &scratch), __VA_ARGS__), \
     put((c), (token), &scratch, (err)))

static struct payload scratch;

/* A section with a file and two subs, one of them in C; still open. */
static int begin_profile(nyt_chunks *c, nyt_error *err)
{
    int rc = PUT(c, 'P', err, "IIdssss", 7, 1, 10.0, ":basetime", "10", "#", "note");
    if (rc == NYT_OK)
        rc = PUT(c, 'F', err, "IIIIIIsIss", 1, 0, 0, 50, 0, 0, "/a.py", 2, "f()\n", "g()\n");
    if (rc == NYT_OK)
        rc = PUT(c, 'D', err, "IIIIsIIIIs", 2, 1, 1, 2, "a::f", 1, 1, 0, 0, "builtins::g");
    return rc;
}

static int end_profile(nyt_chunks *c, nyt_error *err)
{
    int rc = PUT(c, 'S', err, "IIIIQQQ", 1, 2, 0, 0, UINT64_C(2), UINT64_C(5), UINT64_C(9));
    if (rc == NYT_OK)
        rc = PUT(c, 'C', err, "IIIIQdddI", 1, 2, 0, 2, UINT64_C(0x100000001), 1.0, 0.5, 0.0, 0);
    if (rc == NYT_OK)
        rc = PUT(c, 'T', err, "IIddIIdd", 2, 1, 1.0, 1.0, 1, 2, 3.0, 2.0);
    if (rc == NYT_OK)
        rc = PUT(c, 'E', err, "IdQ", 7, 12.0, UINT64_C(30));
    if (rc == NYT_OK)
        rc = PUT(c, 'P', err, "IId", 8, 7, 12.0);
    if (rc == NYT_OK)
        rc = PUT(c, 'E', err, "IdQ", 8, 12.0, UINT64_C(3));
    return rc;
}

#define ONE         "\0\0\0\0\0\0\xF0\x3F"
#define TWO         "\0\0\0\0\0\0\0\x40"
#define THREE       "\0\0\0\0\0\0\x08\x40"
#define HALF_OF_ONE "\0\0\0\0\0\0\xE0\x3F"
#define TEN         "\0\0\0\0\0\0\x24\x40"
#define TWELVE      "\0\0\0\0\0\0\x28\x40"

static const char profile[] =
    "NYTProf 5 0\n:basetime=10\n#note\n"
    "P\x07\x01" TEN "@\x01\0\0\x32\0\0'\x05/a.py"
    "S\x01\x01'\x04"
    "f()\nS\x01\x02'\x04g()\n"
    "s\x01'\x04"
    "a::f\x01\x02"
    "s\x01'\x0B"
    "builtins::g\0\0"
    "c\0\0'\0\0" ZERO ZERO ZERO "\0'\x0B"
    "builtins::g"
    "+\x03\x01\x02+\x02\x01\x02"
    "c\x01\x02'\x0Fpython::(start)\xFF\xFF\xFF\xFF\xFF" ONE HALF_OF_ONE ZERO "\0'\x04"
    "a::f"
    "c\x01\x02'\x0Fpython::(start)\x02" ZERO ZERO ZERO "\0'\x04"
    "a::f"
    "<\x02" ONE ONE "'\x0B"
    "builtins::g"
    "<\x01" THREE TWO "'\x04"
    "a::f"
    "p\x07" TWELVE "P\x08\x07" TWELVE "p\x08" TWELVE ":cumulative_overhead_ticks=33\n";

static void chunks_become_records(void **state)
{
    (void)state;
    struct sink s = sink_new();
    nyt_chunks *c = chunks_on(&s, 0, NULL);
    assert_int_equal(begin_profile(c, NULL), NYT_OK);
    assert_int_equal(end_profile(c, NULL), NYT_OK);
    assert_int_equal(nyt_chunks_close(c, NULL), NYT_OK);
    assert_content(&s, profile, sizeof profile - 1);
    sink_free(&s);
}

struct bad_chunk {
    char token;
    uint64_t offset;
    const char *reason;
    const char *fields;
    uint64_t values[9];
};

/* Integers only; what follows an open section of begin_profile(). */
static const struct bad_chunk bad_chunks[] = {
    {'X', 0, "chunk ?: unknown token, byte 88", "", {0}},
    {'\xF0', 0, "chunk ?: unknown token, byte 240", "", {0}},
    {'P', 0, "chunk P: the section before has not ended", "IIQ", {8, 7, 0}},
    {'F', 0, "chunk F: ends in the middle of an item", "IIIII", {2}},
    {'F', 0, "chunk F: ends in the middle of an item", "IIIIIII", {2, 0, 0, 0, 0, 0, 9}},
    {'F', 0, "chunk F: fids must be dense and in order, not 3", "IIIIIIII", {3}},
    {'F', 0, "chunk F: fids must be dense and in order, not 1", "IIIIIIII", {1}},
    {'F', 0, "chunk F: unknown parent fid 2", "IIIIIIII", {2, 2, 1}},
    {'F', 32, "chunk F: ends in the middle of an item", "IIIIIIIII", {2, 0, 0, 0, 0, 0, 0, 1, 5}},
    {'F', 32, "chunk F: bytes behind the last item", "IIIIIIIII", {2}},
    {'D', 0, "chunk D: ends in the middle of an item", "IIII", {3, 1, 1, 1}},
    {'D', 0, "chunk D: impossible sub id 0", "IIIII", {0, 1}},
    {'D', 0, "chunk D: impossible sub id 16777216", "IIIII", {1 << 24, 1}},
    {'D', 0, "chunk D: a second definition of sub id 2", "IIIII", {2, 1}},
    {'D', 0, "chunk D: unknown fid 2", "IIIII", {3, 2}},
    {'S', 0, "chunk S: ends in the middle of an item", "I", {1}},
    {'S', 0, "chunk S: unknown fid 0", "IIIIQQQ", {0}},
    {'S', 0, "chunk S: unknown fid 2", "IIIIQQQ", {2}},
    {'S', 0, "chunk S: impossible count", "IIIIQQQ", {1, 1, 0, 0, NYT_COUNT_MAX + 1}},
    {'S', 40, "chunk S: ends in the middle of an item", "IIIIQQQI", {1, 1}},
    {'C', 0, "chunk C: unknown fid 0", "IIIIQQQQI", {0, 1, 1, 1}},
    {'C', 0, "chunk C: unknown sub id 9", "IIIIQQQQI", {1, 1, 9, 1}},
    {'C', 0, "chunk C: unknown sub id 0", "IIIIQQQQI", {1, 1, 1, 0}},
    {'C', 0, "chunk C: impossible count", "IIIIQQQQI", {1, 1, 1, 1, UINT64_MAX}},
    {'C',
     0,
     "chunk C: a time is not finite",
     "IIIIQQQQI",
     {1, 1, 1, 1, 1, 0, UINT64_C(0x7FF) << 52}},
    {'T', 0, "chunk T: not in post-order: depth 0", "IIQQ", {0, 1}},
    {'T', 24, "chunk T: not in post-order: depth 1", "IIQQIIQQ", {3, 1, 0, 0, 1, 1}},
    {'T', 0, "chunk T: unknown sub id 3", "IIQQ", {1, 3}},
    {'T', 0, "chunk T: a time is not finite", "IIQQ", {1, 1, UINT64_C(0xFFF) << 52}},
    {'E', 0, "chunk E: ends in the middle of an item", "IQ", {7}},
    {'E', 0, "chunk E: bytes behind the last item", "IQQI", {7}},
    {'E', 0, "chunk E: the open section has another id than 8", "IQQ", {8}},
    {'E', 0, "chunk E: a time is not finite", "IQQ", {7, UINT64_C(0x7FF) << 52}},
};

static void a_refused_chunk_names_its_fault_and_leaves_no_trace(void **state)
{
    (void)state;
    struct sink s = sink_new();
    nyt_chunks *c = chunks_on(&s, 0, NULL);
    nyt_error err;
    assert_int_equal(nyt_chunks_write(c, 'S', NULL, 0, &err), NYT_ECHUNK);
    assert_string_equal(err.message, "chunk S: no section is open");
    assert_int_equal(begin_profile(c, NULL), NYT_OK);
    for (size_t i = 0; i < COUNT(bad_chunks); i++) {
        const struct bad_chunk *bad = &bad_chunks[i];
        struct payload p = {.len = 0};
        for (size_t k = 0; bad->fields[k]; k++)
            add_int(&p, bad->values[k], bad->fields[k] == 'I' ? 4 : 8);
        assert_int_equal(put(c, bad->token, &p, &err), NYT_ECHUNK);
        assert_string_equal(err.message, bad->reason);
        assert_int_equal(err.offset, bad->offset);
    }
    assert_int_equal(end_profile(c, NULL), NYT_OK);
    assert_int_equal(nyt_chunks_close(c, NULL), NYT_OK);
    assert_content(&s, profile, sizeof profile - 1);
    sink_free(&s);
}

static void a_sub_of_a_refused_chunk_may_be_defined_later(void **state)
{
    (void)state;
    struct sink s = sink_new();
    nyt_chunks *c = chunks_on(&s, 0, NULL);
    assert_int_equal(begin_profile(c, NULL), NYT_OK);
    assert_int_equal(PUT(c, 'D', NULL, "IIIIsIIIIs", 3, 1, 1, 1, "a::x", 4, 9, 1, 1, "a::y"),
                     NYT_ECHUNK);
    assert_int_equal(PUT(c, 'T', NULL, "IIdd", 1, 3, 1.0, 1.0), NYT_ECHUNK);
    assert_int_equal(PUT(c, 'D', NULL, "IIIIs", 3, 1, 1, 1, "a::x"), NYT_OK);
    assert_int_equal(PUT(c, 'T', NULL, "IIdd", 1, 3, 1.0, 1.0), NYT_OK);
    assert_int_equal(nyt_chunks_close(c, NULL), NYT_OK);
    sink_free(&s);
}

/* Found by fuzzing: a table up to the highest id took 400 MB. */
static void sub_ids_may_be_far_apart(void **state)
{
    (void)state;
    struct sink s = sink_new();
    nyt_chunks *c = chunks_on(&s, 0, NULL);
    assert_int_equal(begin_profile(c, NULL), NYT_OK);
    largest_allocation = 0;
    assert_int_equal(PUT(c, 'D', NULL, "IIIIs", (1 << 24) - 1, 1, 5, 6, "a::last"), NYT_OK);
    assert_int_equal(PUT(c, 'D', NULL, "IIIIs", 1 << 20, 1, 7, 8, "a::middle"), NYT_OK);
    assert_int_equal(PUT(c, 'T', NULL, "IIdd", 1, (1 << 24) - 1, 1.0, 1.0), NYT_OK);
    assert_int_equal(PUT(c, 'T', NULL, "IIdd", 1, (1 << 24) - 2, 1.0, 1.0), NYT_ECHUNK);
    assert_true(largest_allocation < 1 << 20);
    assert_int_equal(nyt_chunks_close(c, NULL), NYT_OK);
    sink_free(&s);
}

static void headers_are_checked(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"", "x"}, {"basetime", "1"}, {":a=b", "1"}, {"!a\nb", "1"}, {":a", "1\n"},
    };
    struct sink s = sink_new();
    nyt_chunks *c = chunks_on(&s, 0, NULL);
    nyt_error err;
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(PUT(c, 'P', &err, "IIdss", 7, 1, 0.0, bad[i][0], bad[i][1]), NYT_ECHUNK);
        assert_int_equal(err.offset, 16);
    }
    assert_int_equal(PUT(c, 'P', &err, "IId", 7, 1, (double)INFINITY), NYT_ECHUNK);
    assert_int_equal(PUT(c, 'P', &err, "II", 7, 1), NYT_ECHUNK);
    assert_int_equal(PUT(c, 'P', &err, "IId", 7, 1, 0.0), NYT_OK);
    assert_int_equal(PUT(c, 'E', &err, "IdQ", 7, 0.0, UINT64_C(0)), NYT_OK);
    assert_int_equal(PUT(c, 'P', &err, "IIdss", 8, 7, 0.0, ":late", "1"), NYT_ECHUNK);
    assert_string_equal(err.message, "chunk P: only the first section has a header");
    assert_int_equal(nyt_chunks_close(c, NULL), NYT_OK);
    sink_free(&s);
}

static void a_section_with_open_calls_can_t_end(void **state)
{
    (void)state;
    struct sink s = sink_new();
    nyt_chunks *c = chunks_on(&s, 0, NULL);
    nyt_error err;
    assert_int_equal(begin_profile(c, NULL), NYT_OK);
    assert_int_equal(PUT(c, 'T', NULL, "IIdd", 3, 1, 1.0, 1.0), NYT_OK);
    assert_int_equal(PUT(c, 'E', &err, "IdQ", 7, 12.0, UINT64_C(0)), NYT_ECHUNK);
    assert_string_equal(err.message, "chunk E: the call tree still lacks the return at depth 2");
    assert_int_equal(nyt_chunks_close(c, NULL), NYT_OK);
    sink_free(&s);
}

static struct sink snapshot(int level, nyt_pieces *pieces, const char *name)
{
    struct sink s = sink_new();
    nyt_chunks *c = chunks_on(&s, level, pieces);
    assert_int_equal(begin_profile(c, NULL), NYT_OK);
    assert_int_equal(PUT(c, 'F', NULL, "IIIIIIsIs", 2, 0, 0, 50, 0, 0, name, 1,
                         "pass  # a line that is long enough to be worth keeping\n"),
                     NYT_OK);
    assert_int_equal(end_profile(c, NULL), NYT_OK);
    assert_int_equal(nyt_chunks_close(c, NULL), NYT_OK);
    return s;
}

static void kept_sources_change_no_byte_of_a_snapshot(void **state)
{
    (void)state;
    static const int levels[] = {1, 1, 6, 0, 1, 6};
    nyt_pieces *pieces = nyt_pieces_new();
    for (size_t i = 0; i < COUNT(levels); i++) {
        const char *name = i < 4 ? "/b.py" : "/longer.py";
        struct sink with = snapshot(levels[i], pieces, name);
        struct sink without = snapshot(levels[i], NULL, name);
        assert_content(&with, without.data, without.len);
        sink_free(&with);
        sink_free(&without);
    }
    nyt_pieces_free(pieces);
    nyt_pieces_free(NULL);
}

static struct sink stored(nyt_pieces *pieces)
{
    struct sink s = sink_new();
    assert_int_equal(nyt_pieces_save(pieces, sink_write, &s), NYT_OK);
    assert_int_equal(nyt_pieces_unsaved(pieces), 0);
    return s;
}

static void stored_sources_change_no_byte_and_are_not_made_again(void **state)
{
    (void)state;
    nyt_pieces *first = nyt_pieces_new(), *next = nyt_pieces_new(), *third = nyt_pieces_new();
    struct sink a = snapshot(1, first, "/b.py");
    assert_true(nyt_pieces_unsaved(first) > 0);
    struct sink store = stored(first);
    assert_int_equal(nyt_pieces_load(next, store.data, store.len), NYT_OK);
    struct sink b = snapshot(1, next, "/b.py");
    assert_content(&b, a.data, a.len);
    assert_int_equal(nyt_pieces_unsaved(next), 0);
    assert_int_equal(nyt_pieces_load(third, store.data, store.len), NYT_OK);
    struct sink other = snapshot(1, third, "/c.py"); /* as long, but another */
    assert_true(nyt_pieces_unsaved(third) > 0);
    struct sink plain = snapshot(1, NULL, "/c.py");
    assert_content(&other, plain.data, plain.len);
    struct sink *all[] = {&a, &b, &store, &other, &plain};
    for (size_t i = 0; i < COUNT(all); i++)
        sink_free(all[i]);
    nyt_pieces_free(first);
    nyt_pieces_free(next);
    nyt_pieces_free(third);
}

/* As snapshot(), but its second file's chunk is what was kept. */
static struct sink snapshot_of_kept(nyt_pieces *pieces)
{
    struct sink s = sink_new();
    nyt_chunks *c = chunks_on(&s, 1, pieces);
    assert_int_equal(begin_profile(c, NULL), NYT_OK);
    assert_int_equal(nyt_chunks_kept(c, 1, NULL), NYT_EAPI);    /* is there already */
    assert_int_equal(nyt_chunks_kept(c, 3, NULL), NYT_EAPI);    /* comes too early */
    assert_int_equal(nyt_chunks_kept(c, 2, NULL), NYT_OK);
    assert_int_equal(end_profile(c, NULL), NYT_OK);
    assert_int_equal(nyt_chunks_close(c, NULL), NYT_OK);
    return s;
}

static void a_source_is_known_by_what_its_file_is(void **state)
{
    (void)state;
    static const char text[] = "pass  # a line that is long enough to be worth keeping\n";
    nyt_pieces *first = nyt_pieces_new(), *next = nyt_pieces_new();
    nyt_kept_source found;
    char *kept;
    size_t len;
    assert_int_equal(nyt_pieces_know(first, 2, 1, "state", 5, &found), 0);
    struct sink a = snapshot(1, first, "/b.py"), store = stored(first);
    assert_int_equal(nyt_pieces_load(next, store.data, store.len), NYT_OK);
    assert_int_equal(nyt_pieces_text(next, 2, &kept, &len), NYT_EFORMAT);
    assert_int_equal(nyt_pieces_know(next, 2, 1, "other", 5, &found), 0);
    assert_int_equal(nyt_pieces_know(next, 2, 6, "state", 5, &found), 0);
    assert_int_equal(nyt_pieces_know(next, 3, 1, "state", 5, &found), 0);
    assert_int_equal(nyt_pieces_know(next, 2, 1, "state", 5, &found), 1);
    assert_int_equal(found.lines, 1);
    assert_true(found.payload > sizeof text);
    assert_int_equal(nyt_pieces_text(next, 2, &kept, &len), NYT_OK);
    assert_int_equal(len, sizeof text - 1);
    assert_memory_equal(kept, text, len);
    free(kept);
    struct sink b = snapshot_of_kept(next);
    assert_content(&b, a.data, a.len);
    nyt_pieces_renumber(next);
    struct sink other = snapshot(1, next, "/c.py"), plain = snapshot(1, NULL, "/c.py");
    assert_content(&other, plain.data, plain.len);
    struct sink c = snapshot_of_kept(next); /* stays */
    assert_content(&c, a.data, a.len);
    struct sink *all[] = {&a, &b, &c, &store, &other, &plain};
    nyt_pieces_free(first);
    nyt_pieces_free(next);
    for (size_t i = 0; i < COUNT(all); i++)
        sink_free(all[i]);
}

static void a_damaged_store_is_refused(void **state)
{
    (void)state;
    nyt_pieces *pieces = nyt_pieces_new(), *none = nyt_pieces_new();
    struct sink a = snapshot(1, pieces, "/b.py"), store = stored(pieces);
    for (size_t len = 0; len < store.len; len++)
        assert_int_equal(nyt_pieces_load(none, store.data, len), NYT_EFORMAT);
    for (size_t at = 0; at < store.len; at++) {
        store.data[at] ^= 0x10;
        assert_int_equal(nyt_pieces_load(none, store.data, store.len), NYT_EFORMAT);
        store.data[at] ^= 0x10;
    }
    struct sink b = snapshot(1, none, "/b.py");
    assert_content(&b, a.data, a.len);
    sink_free(&a);
    sink_free(&b);
    sink_free(&store);
    nyt_pieces_free(pieces);
    nyt_pieces_free(none);
}

/* ---- What fails ---- */

static int write_profile(nyt_chunks *c, nyt_error *err)
{
    int rc = begin_profile(c, err);
    return rc == NYT_OK ? end_profile(c, err) : rc;
}

static void a_sink_full_at_any_byte_is_told_at_close(void **state)
{
    (void)state;
    for (int level = 0; level <= 1; level++) {
        struct sink whole = sink_new();
        nyt_chunks *c = chunks_on(&whole, level, NULL);
        assert_int_equal(write_profile(c, NULL), NYT_OK);
        assert_int_equal(nyt_chunks_close(c, NULL), NYT_OK);
        for (size_t room = 0; room < whole.len; room++) {
            struct sink s = {.room = room};
            nyt_error err = {0};
            c = chunks_on(&s, level, NULL);
            write_profile(c, NULL);
            assert_int_equal(nyt_chunks_close(c, &err), NYT_EIO);
            assert_int_equal(err.code, NYT_EIO);
            assert_int_equal(err.sys_errno, ENOSPC);
            sink_free(&s);
        }
        sink_free(&whole);
    }
}

static void a_writer_that_failed_stays_failed(void **state)
{
    (void)state;
    struct sink s = {.room = 0};
    nyt_chunks *c = chunks_on(&s, 0, NULL);
    nyt_error err;
    struct payload p = {.len = 0};
    assert_int_equal(begin_profile(c, NULL), NYT_OK);
    add(&p, "IIIIQQQ", 1, 1, 0, 0, UINT64_C(1000000), UINT64_C(0), UINT64_C(0));
    assert_int_equal(put(c, 'S', &p, &err), NYT_EIO);
    s.room = SIZE_MAX;
    memset(&err, 0, sizeof err);
    assert_int_equal(put(c, 'S', &p, &err), NYT_EIO);
    assert_int_equal(err.sys_errno, ENOSPC);
    assert_int_equal(nyt_chunks_close(c, &err), NYT_EIO);
    assert_int_equal(s.len, 0);
    sink_free(&s);
}

static void a_folder_can_t_be_opened(void **state)
{
    (void)state;
    nyt_chunks *c;
    nyt_error err;
    assert_int_equal(nyt_chunks_open(&c, "/", 1, NULL, &err), NYT_EIO);
    assert_null(c);
    assert_int_equal(err.sys_errno, EISDIR);
}

/* Opens, writes, keeps sources, closes; the first failure, or NYT_OK. */
static int whole_story(struct sink *s, int level)
{
    nyt_chunks *c;
    nyt_pieces *pieces = nyt_pieces_new();
    if (!pieces)
        return NYT_ENOMEM;
    int rc = nyt_chunks_open_fn(&c, sink_write, s, level, pieces, NULL);
    if (rc == NYT_OK) {
        rc = write_profile(c, NULL);
        int closed = nyt_chunks_close(c, NULL);
        rc = rc == NYT_OK ? closed : rc;
    }
    nyt_pieces_free(pieces);
    return rc;
}

static void any_allocation_may_fail(void **state)
{
    (void)state;
    struct sink whole = sink_new();
    assert_int_equal(whole_story(&whole, 1), NYT_OK);
    int failures = 0;
    for (long n = 0;; n++) {
        struct sink s = sink_new();
        allocations_left = n;
        int rc = whole_story(&s, 1);
        bool all_went_well = allocations_left >= 0;
        allocations_left = -1;
        if (rc == NYT_OK)       /* nothing failed, or only what speeds up later files */
            assert_content(&s, whole.data, whole.len);
        else
            assert_int_equal(rc, NYT_ENOMEM);
        failures += rc != NYT_OK;
        sink_free(&s);
        if (all_went_well)
            break;
    }
    assert_true(failures >= 5);
    sink_free(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_record_has_its_bytes),
        cmocka_unit_test(what_is_compressed_inflates_to_the_same),
        cmocka_unit_test(text_that_would_break_its_line_is_refused),
        cmocka_unit_test(only_one_compressed_part_and_only_known_levels),
        cmocka_unit_test(a_record_larger_than_a_segment_is_whole),
        cmocka_unit_test(runs_add_up_exactly),
        cmocka_unit_test(runs_around_the_size_of_a_segment_are_whole),
        cmocka_unit_test(a_billion_executions_cost_next_to_nothing),
        cmocka_unit_test(impossible_counts_are_refused),
        cmocka_unit_test(chunks_become_records),
        cmocka_unit_test(a_refused_chunk_names_its_fault_and_leaves_no_trace),
        cmocka_unit_test(a_sub_of_a_refused_chunk_may_be_defined_later),
        cmocka_unit_test(sub_ids_may_be_far_apart),
        cmocka_unit_test(headers_are_checked),
        cmocka_unit_test(a_section_with_open_calls_can_t_end),
        cmocka_unit_test(kept_sources_change_no_byte_of_a_snapshot),
        cmocka_unit_test(stored_sources_change_no_byte_and_are_not_made_again),
        cmocka_unit_test(a_source_is_known_by_what_its_file_is),
        cmocka_unit_test(a_damaged_store_is_refused),
        cmocka_unit_test(a_sink_full_at_any_byte_is_told_at_close),
        cmocka_unit_test(a_writer_that_failed_stays_failed),
        cmocka_unit_test(a_folder_can_t_be_opened),
        cmocka_unit_test(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
