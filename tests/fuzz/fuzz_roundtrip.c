/* Records -> writer -> reader -> the same records. The input's records are what is written. */
#include "fuzz.h"

#include "base/str.h"
#include "format/codec.h"
#include "format/record.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4096 };

static bool has_newline(nyt_str s)
{
    return s.len && memchr(s.data, '\n', s.len);
}

/* nv_size tells readers to give up, and without a '=' there is nothing to write. */
static bool is_writable_pair(const nyt_pair *p)
{
    return p->value.data && !has_newline(p->value) && !nyt_str_is(p->key, "nv_size");
}

static int write_record(nyt_writer *w, const nyt_record *r)
{
    nyt_str text = r->u.comment.text;
    switch (r->tag) {
    case NYT_TAG_COMMENT:
        return nyt_writer_comment(w, (nyt_str){.data = text.data, .len = text.len - 1});
    case NYT_TAG_ATTRIBUTE:
        return nyt_writer_attribute(w, r->u.pair.key, r->u.pair.value);
    case NYT_TAG_OPTION:
        return nyt_writer_option(w, r->u.pair.key, r->u.pair.value);
    case NYT_TAG_START_DEFLATE:
        return nyt_writer_start_deflate(w);
    case NYT_TAG_PID_START:
        return nyt_writer_pid_start(w, &r->u.pid_start);
    case NYT_TAG_PID_END:
        return nyt_writer_pid_end(w, &r->u.pid_end);
    case NYT_TAG_NEW_FID:
        return nyt_writer_new_fid(w, &r->u.new_fid);
    case NYT_TAG_TIME_LINE:
    case NYT_TAG_TIME_BLOCK:
        return nyt_writer_time(w, &r->u.time);
    case NYT_TAG_DISCOUNT:
        return nyt_writer_discount(w);
    case NYT_TAG_SUB_ENTRY:
        return nyt_writer_sub_entry(w, &r->u.sub_entry);
    case NYT_TAG_SUB_RETURN:
        return nyt_writer_sub_return(w, &r->u.sub_return);
    case NYT_TAG_SRC_LINE:
        return nyt_writer_src_line(w, &r->u.src_line);
    case NYT_TAG_SUB_INFO:
        return nyt_writer_sub_info(w, &r->u.sub_info);
    default:
        return nyt_writer_sub_callers(w, &r->u.sub_callers);
    }
}

static bool same_text(nyt_str a, nyt_str b)
{
    return a.utf8 == b.utf8 && nyt_str_compare(a, b) == 0;
}

static bool same_field(const nyt_record *a, const nyt_record *b, const struct nyt_field *f)
{
    const void *x = (const char *)a + f->at, *y = (const char *)b + f->at;
    if (f->type == 's')
        return same_text(*(const nyt_str *)x, *(const nyt_str *)y);
    return memcmp(x, y, f->type == 'd' ? sizeof(double) : sizeof(uint32_t)) == 0;
}

/* A TIME_BLOCK of no block and no sub is written as a TIME_LINE. */
static void require_same(const nyt_record *written, const nyt_record *read)
{
    bool is_time = written->tag == NYT_TAG_TIME_BLOCK || written->tag == NYT_TAG_TIME_LINE;
    REQUIRE(written->tag == read->tag || (is_time && read->tag == NYT_TAG_TIME_LINE));
    const struct nyt_field *fields = nyt_record_kind((int)read->tag)->fields;
    for (const struct nyt_field *f = fields; f->type; f++)
        REQUIRE(same_field(written, read, f));
}

/* Decoded from memory, so that strings stay where they are. */
static size_t decode(const uint8_t *data, size_t size, nyt_record *records)
{
    const uint8_t *newline = size ? memchr(data, '\n', size) : NULL;
    size_t n = 0, skip = newline ? (size_t)(newline - data) + 1 : size;
    struct nyt_cursor c = nyt_cursor_over(data + skip, size - skip);
    while (n < MOST && c.p < c.end) {
        if (nyt_record_decode(&c, &records[n]) != NYT_DECODED)
            break;
        bool is_pair = records[n].tag == NYT_TAG_ATTRIBUTE || records[n].tag == NYT_TAG_OPTION;
        if (!is_pair || is_writable_pair(&records[n].u.pair))
            n++;
    }
    return n;
}

/* The writer's own comment stands before START_DEFLATE, and that is not repeated. */
static void require_all_read(const nyt_record *records, size_t n, int level,
                             const struct nyt_buf *file)
{
    nyt_record rec;
    nyt_reader *in;
    bool deflating = level == 0;
    REQUIRE(nyt_reader_open_memory(&in, file->data, file->len, NULL) == NYT_OK);
    REQUIRE(nyt_reader_next(in, &rec, NULL) == 1);
    for (size_t i = 0; i < n; i++) {
        if (records[i].tag == NYT_TAG_START_DEFLATE && deflating)
            continue;
        REQUIRE(nyt_reader_next(in, &rec, NULL) == 1);
        if (records[i].tag == NYT_TAG_START_DEFLATE) {
            REQUIRE(rec.tag == NYT_TAG_COMMENT);
            REQUIRE(nyt_reader_next(in, &rec, NULL) == 1);
            deflating = true;
        }
        require_same(&records[i], &rec);
    }
    REQUIRE(nyt_reader_next(in, &rec, NULL) == 0);
    nyt_reader_close(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static nyt_record records[MOST];
    int level = (int)(fuzz_choice(data, size) % 10);
    struct nyt_buf file = {0};
    nyt_writer *w;
    bool deflating = false;
    size_t n = decode(data, size, records);
    REQUIRE(nyt_writer_open_fn(&w, fuzz_keep, &file, level, NULL) == NYT_OK);
    for (size_t i = 0; i < n; i++) {
        bool again = records[i].tag == NYT_TAG_START_DEFLATE && deflating && level;
        int rc = write_record(w, &records[i]);
        REQUIRE(rc == (again ? NYT_EAPI : NYT_OK));
        deflating |= records[i].tag == NYT_TAG_START_DEFLATE;
    }
    REQUIRE(nyt_writer_close(w, NULL) == NYT_OK);
    require_all_read(records, n, level, &file);
    nyt_buf_free(&file);
    return 0;
}
