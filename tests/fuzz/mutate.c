/*
 * Mutations that know the format. A compressed input hides its records behind zlib, where a
 * changed byte is only ever a damaged stream: so a profile is inflated, changed record by record
 * and field by field, and written again, compressed or not. Bytes are changed blindly, too, both
 * of the file and of what it inflates to.
 */
#include "fuzz.h"

#include "format/codec.h"
#include "format/record.h"
#include "format/writer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2,
                                 size_t size2, uint8_t *out, size_t max_out, unsigned seed);

enum {
    FLAT_MAX = 1 << 18,         /* bytes that a profile inflates to; the rest is dropped */
    RECORDS_MAX = 1 << 14
};

/* ---- Chance ---- */

static uint32_t chance_state;

static uint32_t chance(uint32_t below)
{
    chance_state = chance_state * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)(chance_state >> 1) * below >> 31);
}

/* ---- A profile, flat ---- */

struct flat {
    uint8_t bytes[FLAT_MAX];
    size_t len;
    bool packed; /* from `z`, the last byte of `head`, on */
    size_t head;
    nyt_record records[RECORDS_MAX];
    size_t count;
    size_t rest; /* where what is no record begins */
};

static struct flat *flat_one, *flat_two;

static void add_bytes(struct flat *f, const uint8_t *data, size_t len)
{
    size_t room = FLAT_MAX - f->len;
    len = len < room ? len : room;
    if (len)
        memcpy(f->bytes + f->len, data, len);
    f->len += len;
}

/* As much as zlib makes of it. */
static void add_inflated(struct flat *f, const uint8_t *data, size_t len)
{
    z_stream z = {.next_in = (Bytef *)data,
                  .avail_in = (uInt)len,
                  .next_out = f->bytes + f->len,
                  .avail_out = (uInt)(FLAT_MAX - f->len)};
    if (inflateInit(&z) != Z_OK)
        return;
    inflate(&z, Z_SYNC_FLUSH);
    f->len = FLAT_MAX - z.avail_out;
    inflateEnd(&z);
}

static size_t after_banner(const uint8_t *data, size_t size)
{
    const uint8_t *newline = size ? memchr(data, '\n', size) : NULL;
    return newline ? (size_t)(newline - data) + 1 : size;
}

/* Records from `at` on; the walk ends at the first `z`, too. */
static size_t take_records(struct flat *f, size_t at)
{
    struct nyt_cursor c = nyt_cursor_over(f->bytes + at, f->len - at);
    bool z = false;
    while (f->count < RECORDS_MAX && c.p < c.end && !z) {
        nyt_record *r = &f->records[f->count];
        struct nyt_cursor before = c;
        if (nyt_record_decode(&c, r) != NYT_DECODED) {
            c = before;
            break;
        }
        z = r->tag == NYT_TAG_START_DEFLATE;
        f->count += !z;
    }
    return (size_t)(c.p - f->bytes);
}

static void flatten(struct flat *f, const uint8_t *data, size_t size)
{
    f->len = f->count = 0;
    f->packed = false;
    add_bytes(f, data, size);
    size_t end = take_records(f, after_banner(data, f->len));
    f->head = end;
    if (end > 0 && f->bytes[end - 1] == NYT_TAG_START_DEFLATE && end <= size) {
        f->packed = true;
        f->len = end;
        add_inflated(f, data + end, size - end);
        end = take_records(f, end);
    }
    f->rest = end;
}

/* ---- Back to bytes ---- */

/* What does not fit is cut off, which fuzzers may do. */
struct room {
    uint8_t *data;
    size_t len, max;
};

static int put_into(void *ctx, const void *data, size_t len)
{
    struct room *room = ctx;
    size_t fits = room->max - room->len;
    fits = len < fits ? len : fits;
    if (fits)
        memcpy(room->data + room->len, data, fits);
    room->len += fits;
    return NYT_OK;
}

static nyt_str without_newline(nyt_str s)
{
    const char *newline = s.len ? memchr(s.data, '\n', s.len) : NULL;
    if (newline)
        s.len = (size_t)(newline - s.data);
    return s;
}

static void put_pair(nyt_writer *w, const nyt_record *r)
{
    nyt_str key = without_newline(r->u.pair.key), value = without_newline(r->u.pair.value);
    if (r->tag == NYT_TAG_ATTRIBUTE)
        nyt_writer_attribute(w, key, value);
    else
        nyt_writer_option(w, key, value);
}

static void put_record(nyt_writer *w, const nyt_record *r)
{
    switch (r->tag) {
    case NYT_TAG_COMMENT:
        nyt_writer_comment(w, without_newline(r->u.comment.text));
        break;
    case NYT_TAG_ATTRIBUTE:
    case NYT_TAG_OPTION:
        put_pair(w, r);
        break;
    case NYT_TAG_PID_START:
        nyt_writer_pid_start(w, &r->u.pid_start);
        break;
    case NYT_TAG_PID_END:
        nyt_writer_pid_end(w, &r->u.pid_end);
        break;
    case NYT_TAG_NEW_FID:
        nyt_writer_new_fid(w, &r->u.new_fid);
        break;
    case NYT_TAG_TIME_LINE:
    case NYT_TAG_TIME_BLOCK:
        nyt_writer_time(w, &r->u.time);
        break;
    case NYT_TAG_DISCOUNT:
        nyt_writer_discount(w);
        break;
    case NYT_TAG_SUB_ENTRY:
        nyt_writer_sub_entry(w, &r->u.sub_entry);
        break;
    case NYT_TAG_SUB_RETURN:
        nyt_writer_sub_return(w, &r->u.sub_return);
        break;
    case NYT_TAG_SRC_LINE:
        nyt_writer_src_line(w, &r->u.src_line);
        break;
    case NYT_TAG_SUB_INFO:
        nyt_writer_sub_info(w, &r->u.sub_info);
        break;
    case NYT_TAG_SUB_CALLERS:
        nyt_writer_sub_callers(w, &r->u.sub_callers);
        break;
    default:
        break;
    }
}

/* Text records stay in front of what is compressed. */
static bool is_text(const nyt_record *r)
{
    return r->tag == NYT_TAG_COMMENT || r->tag == NYT_TAG_ATTRIBUTE || r->tag == NYT_TAG_OPTION;
}

/*
 * A segment of the stream: it ends with a full flush, and comes `times` times, byte for byte alike.
 * Without one `count` is 0.
 */
struct segment {
    size_t first, count, times;
};

static void put_segment(nyt_writer *w, const nyt_record *records, const struct segment *segment)
{
    nyt_writer_cut(w);
    for (size_t t = 0; t < segment->times; t++) {
        for (size_t i = 0; i < segment->count; i++)
            put_record(w, &records[segment->first + i]);
        nyt_writer_cut(w);
    }
}

static void put_records(struct room *to, const nyt_record *records, size_t n, int level,
                        const struct segment *segment)
{
    nyt_writer *w;
    bool begun = false;
    if (nyt_writer_open_fn(&w, put_into, to, level, NULL) != NYT_OK)
        return;
    for (size_t i = 0; i < n; i++) {
        if (!begun && !is_text(&records[i])) {
            nyt_writer_start_deflate(w);
            begun = true;
        }
        if (begun && segment->count && i == segment->first)
            put_segment(w, records, segment);
        put_record(w, &records[i]);
    }
    nyt_writer_close(w, NULL);
}

/* Bytes as they are up to `head`, the others deflated. */
static void put_packed(struct room *to, const struct flat *f)
{
    static uint8_t packed[FLAT_MAX + FLAT_MAX / 8];
    uLongf len = sizeof packed;
    put_into(to, f->bytes, f->head);
    if (compress2(packed, &len, f->bytes + f->head, (uLong)(f->len - f->head), 1) == Z_OK)
        put_into(to, packed, len);
}

/* ---- Values that mean something somewhere ---- */

static uint32_t odd_number(void)
{
    static const uint32_t odd[] = {
        0,          1,          2,          3,          5,          7,          50,
        0x7F,       0x80,       0x84,       0x100,      0x3FFF,     0x4000,     32767,
        32768,      65535,      65536,      70000,      0x1FFFFF,   0x200000,   0xFFFFFFF,
        0x10000000, 0x7FFFFFFE, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF,
    };
    return odd[chance(sizeof odd / sizeof *odd)];
}

static double odd_double(void)
{
    static const double odd[] = {
        0,    -1,   1,   0.5, 1e-300, 1e300, -1e300, 1.7e9, 1.7e9 + 1, 4e9, 9007199254740993.0,
        1e11, 1e19, -0.0};
    uint32_t at = chance(sizeof odd / sizeof *odd + 3);
    if (at < sizeof odd / sizeof *odd)
        return odd[at];
    at -= sizeof odd / sizeof *odd;
    return at == 0 ? (double)NAN : at == 1 ? (double)INFINITY : (double)-INFINITY;
}

static nyt_str odd_text(void)
{
    static const char *const odd[] = {
        "",
        "x",
        "::",
        "::x",
        "a::",
        "a::b",
        "main::RUNTIME",
        "main::BEGIN@3",
        "CORE::print",
        "x::CORE:print",
        "a::__ANON__[/x.pl:3]",
        "a::__ANON__[(eval 7)[/x.pl:3]:1]",
        "a::__ANON__[(eval 71)[/x.pl:3]:1]",
        "(eval 1)[/x.pl:3]",
        "(eval 12)[(eval 1)[/x.pl:3]:1]",
        "(re_eval 5)[/x.pl:9]",
        "/x.pl",
        "a::b\nfl=/etc/passwd\n",
        "a;b;c 5",
        "</script>",
        "a::\x1B[31m",
        "a::\"\\",
        "\xFF\xFE",
        "\xC3\xA9::\xE2\x80\xAE",
        "\xED\xA0\x80",
        "-e",
        "./-",
        "application",
        "basetime",
        "ticks_per_sec",
        "cumulative_overhead_ticks",
        "nv_size",
        "calls",
        "8",
        "0",
        "-1",
        "1000000000",
        "99999999999999999999",
        "xs_version",
        "  text",
        "# line 5 \"y\"\n",
    };
    static char odd_long[5000];
    uint32_t at = chance(sizeof odd / sizeof *odd + 1);
    if (at == sizeof odd / sizeof *odd) {
        memset(odd_long, 'a' + (int)chance(26), sizeof odd_long);
        memcpy(odd_long, "::", 2);
        return (nyt_str){.data = odd_long + chance(2), .len = 1 + chance(sizeof odd_long - 2)};
    }
    return (nyt_str){.data = odd[at], .len = strlen(odd[at]), .utf8 = chance(8) == 0};
}

/* ---- Fields ---- */

static void *field_at(nyt_record *r, const struct nyt_field *field)
{
    return (char *)r + field->at;
}

/* One field of the record; its type must be `type` unless that is 0. */
static const struct nyt_field *any_field(const nyt_record *r, char type)
{
    const struct nyt_field *fields = nyt_record_kind(r->tag)->fields, *found = NULL;
    uint32_t seen = 0;
    for (const struct nyt_field *f = fields; f->type; f++)
        if ((!type || f->type == type) && chance(++seen) == 0)
            found = f;
    return found;
}

static void change_number(uint32_t *value, int way)
{
    if (way == 0)
        *value = odd_number();
    else if (way == 1)
        *value += chance(7) - 3;
    else
        *value ^= 1u << chance(32);
}

static void change_field(struct flat *f, nyt_record *r)
{
    const struct nyt_field *field = any_field(r, 0);
    if (!field)
        return;
    nyt_record *other = &f->records[chance((uint32_t)f->count)];
    const struct nyt_field *from = chance(3) == 0 ? any_field(other, field->type) : NULL;
    void *at = field_at(r, field);
    if (from && field->type == 's')
        *(nyt_str *)at = *(nyt_str *)field_at(other, from);
    else if (from && field->type == 'd')
        *(double *)at = *(double *)field_at(other, from);
    else if (from)
        *(uint32_t *)at = *(uint32_t *)field_at(other, from);
    else if (field->type == 's')
        *(nyt_str *)at = odd_text();
    else if (field->type == 'd')
        *(double *)at = odd_double();
    else
        change_number(at, (int)chance(3));
}

/* ---- Records ---- */

static void make_record(struct flat *f, nyt_record *r)
{
    static const char tags[] = "#:!Pp@+*-><Ssc";
    *r = (nyt_record){.tag = (nyt_tag)tags[chance(sizeof tags - 1)]};
    for (const struct nyt_field *field = nyt_record_kind(r->tag)->fields; field->type; field++) {
        void *at = field_at(r, field);
        if (field->type == 's')
            *(nyt_str *)at = odd_text();
        else if (field->type == 'd')
            *(double *)at = chance(2) ? (double)chance(100) : odd_double();
        else
            *(uint32_t *)at = chance(4) ? chance(9) : odd_number();
    }
    if (f->count && chance(2))
        change_field(f, r);
}

static void insert(struct flat *f, size_t at, size_t n)
{
    n = f->count + n <= RECORDS_MAX ? n : RECORDS_MAX - f->count;
    memmove(f->records + at + n, f->records + at, (f->count - at) * sizeof *f->records);
    f->count += n;
}

static void repeat_some(struct flat *f)
{
    size_t at = chance((uint32_t)f->count), n = 1 + chance(8),
           times = 1 + chance(chance(4) ? 3 : 90);
    if (n > f->count - at)
        n = f->count - at;
    for (size_t i = 0; i < times && f->count + n <= RECORDS_MAX; i++) {
        insert(f, at + n, n);
        memcpy(f->records + at + n, f->records + at, n * sizeof *f->records);
    }
}

static void drop_some(struct flat *f)
{
    size_t at = chance((uint32_t)f->count), n = 1 + chance(chance(3) ? 2 : 40);
    if (n > f->count - at)
        n = f->count - at;
    memmove(f->records + at, f->records + at + n, (f->count - at - n) * sizeof *f->records);
    f->count -= n;
}

static void swap_two(struct flat *f)
{
    nyt_record *a = &f->records[chance((uint32_t)f->count)];
    nyt_record *b = &f->records[chance((uint32_t)f->count)];
    nyt_record was = *a;
    *a = *b;
    *b = was;
}

static void add_one(struct flat *f)
{
    nyt_record r;
    make_record(f, &r);
    size_t at = chance((uint32_t)f->count + 1);
    if (f->count == RECORDS_MAX)
        return;
    insert(f, at, 1);
    f->records[at] = r;
}

static void change_records(struct flat *f)
{
    for (uint32_t n = 1 + chance(4); n > 0; n--) {
        uint32_t way = f->count ? chance(12) : 0;
        if (way < 2)
            add_one(f);
        else if (way == 2)
            repeat_some(f);
        else if (way == 3)
            drop_some(f);
        else if (way == 4)
            swap_two(f);
        else
            change_field(f, &f->records[chance((uint32_t)f->count)]);
    }
}

static struct segment choose_segment(const struct flat *f)
{
    struct segment p = {0};
    if (!f->count || chance(4))
        return p;
    p.first = chance((uint32_t)f->count);
    p.count = 1 + chance(chance(2) ? 3 : 60);
    if (p.count > f->count - p.first)
        p.count = f->count - p.first;
    p.times = 1 + chance(chance(3) ? 5 : 200);
    return p;
}

/* ---- All of it ---- */

static size_t mutate_one(uint8_t *data, size_t size, size_t max_size)
{
    struct flat *f = flat_one;
    struct room to = {.data = data, .max = max_size};
    uint32_t way = chance(8);
    if (way == 0)
        return LLVMFuzzerMutate(data, size, max_size);
    flatten(f, data, size);
    if (way < 3 && f->packed && f->len > f->head) {
        f->len = f->head +
                 LLVMFuzzerMutate(f->bytes + f->head, f->len - f->head, FLAT_MAX - f->head);
        put_packed(&to, f);
        return to.len;
    }
    if (way < 3)
        return LLVMFuzzerMutate(data, size, max_size);
    change_records(f);
    struct segment segment = choose_segment(f);
    put_records(&to, f->records, f->count, f->packed != (chance(8) == 0) ? 1 : 0, &segment);
    if (!f->packed)
        put_into(&to, f->bytes + f->rest, f->len - f->rest);
    return to.len;
}

static bool ready(unsigned seed)
{
    chance_state = seed;
    if (!flat_one)
        flat_one = malloc(sizeof *flat_one);
    if (!flat_two)
        flat_two = malloc(sizeof *flat_two);
    return flat_one && flat_two;
}

/* Of several profiles in one input, one is changed and the others stay. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    enum { MOST = 3 };
    nyt_memory parts[MOST];
    if (!ready(seed))
        return size;
    size_t n = fuzz_split(data, size, parts, MOST), which = chance((uint32_t)n);
    struct room to = {.data = data, .max = max_size};
    for (size_t i = 0; i < n; i++) {
        size_t at = to.len;
        put_into(&to, parts[i].data, parts[i].len);
        if (i == which && to.len > at)
            to.len = at + mutate_one(data + at, to.len - at, max_size - at);
    }
    fuzz_free_split(parts, n);
    return to.len ? to.len : LLVMFuzzerMutate(data, size, max_size);
}

/* The first records of the one and the last of the other; or both, one after the other. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2,
                                 size_t size2, uint8_t *out, size_t max_out, unsigned seed)
{
    struct room to = {.data = out, .max = max_out};
    if (!ready(seed))
        return 0;
    if (chance(3) == 0) {
        put_into(&to, data1, size1);
        put_into(&to, data2, size2);
        return to.len;
    }
    flatten(flat_one, data1, size1);
    flatten(flat_two, data2, size2);
    size_t keep = chance((uint32_t)flat_one->count + 1);
    size_t from = chance((uint32_t)flat_two->count + 1), more = flat_two->count - from;
    more = keep + more <= RECORDS_MAX ? more : RECORDS_MAX - keep;
    memcpy(flat_one->records + keep, flat_two->records + from, more * sizeof *flat_one->records);
    put_records(&to, flat_one->records, keep + more, chance(3) == 0, &(struct segment){0});
    return to.len;
}
