/*
 * One record after the other: the banner, the walk over tags, the change to inflated data,
 * and where an error is. A record that is short in memory is tried again with more of it.
 */
#include "format/reader.h"

#include "base/error.h"
#include "base/str.h"
#include "format/codec.h"
#include "format/record.h"
#include "format/time_line_fast.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BANNER_MAX = 4096 };     /* a first line longer than this is no banner */

struct nyt_reader {
    struct nyt_input in;
    uint64_t records;
    uint32_t ticks_per_sec;
    nyt_format_version version;
    bool banner_read, banner_given;
    int status; /* final once it is not NYT_OK */
    nyt_error fault;
};

/* ---- Faults ---- */

/* Makes the fault just filled in final. `offset` is where the window is. */
static int fault_here(nyt_reader *r, int code)
{
    r->fault.offset = nyt_input_offset(&r->in);
    r->fault.in_deflate = r->in.inflating;
    r->fault.record = r->records;
    r->status = code;
    return code;
}

/* Makes the input's own fault final: it knows its offset, in the file. */
static int fault_of_input(nyt_reader *r, int code)
{
    r->fault.record = r->records;
    r->status = code;
    return code;
}

static int fault_bad_tag(nyt_reader *r)
{
    int tag = *r->in.p;
    nyt_fail(&r->fault, NYT_EFORMAT,
             tag > ' ' && tag < 127 ? "unknown tag 0x%02X '%c'" : "unknown tag 0x%02X", tag, tag);
    return fault_here(r, NYT_EFORMAT);
}

static int fault_bad_string(nyt_reader *r, const struct nyt_cursor *c)
{
    nyt_fail(&r->fault, NYT_EFORMAT, "a string should begin with ' or \", not with 0x%02X, in %s",
             c->bad_tag, nyt_tag_name(*r->in.p));
    int rc = fault_here(r, NYT_EFORMAT);
    r->fault.offset += (uint64_t)(c->p - r->in.p);
    return rc;
}

static int fault_cut_off(nyt_reader *r, const char *name)
{
    nyt_fail(&r->fault, NYT_ETRUNC, "the %s ends inside %s",
             r->in.inflating ? "compressed data" : "file", name);
    return fault_here(r, NYT_ETRUNC);
}

/* ---- The banner ---- */

/* A number as sscanf's %d takes it; NULL: there is none. */
static const char *scan_int(const char *p, const char *end, int64_t *value)
{
    while (p < end && (*p == ' ' || (*p >= '\t' && *p <= '\r')))
        p++;
    const char *digits = p < end && (*p == '-' || *p == '+') ? p + 1 : p;
    if (digits == end || *digits < '0' || *digits > '9')
        return NULL;
    *value = nyt_str_to_int((nyt_str){.data = p, .len = (size_t)(end - p)});
    while (digits < end && *digits >= '0' && *digits <= '9')
        digits++;
    return digits;
}

/* "NYTProf MAJOR MINOR" and whatever else is on the line, as Perl's reader takes it. */
static int parse_banner(nyt_reader *r, nyt_str line, nyt_format_version *version)
{
    static const char word[] = "NYTProf";
    const size_t word_len = sizeof word - 1;
    const char *end = line.data + line.len;
    int64_t major = 0, minor = 0;
    const char *p = NULL;
    if (line.len >= word_len && memcmp(line.data, word, word_len) == 0)
        p = scan_int(line.data + word_len, end, &major);
    if (p)
        p = scan_int(p, end, &minor);
    if (!p)
        return nyt_fail(&r->fault, NYT_EFORMAT, "not a NYTProf profile: wrong first line");
    if (major != 5)
        return nyt_fail(&r->fault, NYT_EVERSION, "version %lld.%lld of the format is unknown",
                        (long long)major, (long long)minor);
    *version = (nyt_format_version){.major = (uint32_t)major, .minor = (uint32_t)minor};
    return NYT_OK;
}

/* What is there of the first line could still become a banner. */
static bool begins_like_banner(const uint8_t *p, size_t len)
{
    static const char word[] = "NYTProf 5 ";
    size_t known = sizeof word - 1;
    return memcmp(p, word, len < known ? len : known) == 0;
}

static int fault_no_banner(nyt_reader *r)
{
    size_t len = (size_t)(r->in.end - r->in.p);
    int code = len && len < BANNER_MAX && begins_like_banner(r->in.p, len) ? NYT_ETRUNC
                                                                           : NYT_EFORMAT;
    nyt_fail(&r->fault, code,
             code == NYT_ETRUNC ? "the file ends inside its first line"
             : len == 0         ? "the file is empty"
                                : "not a NYTProf profile: no first line");
    return fault_here(r, code);
}

static int read_banner(nyt_reader *r)
{
    const uint8_t *newline = NULL;
    for (;;) {
        size_t len = (size_t)(r->in.end - r->in.p);
        newline = len ? memchr(r->in.p, '\n', len < BANNER_MAX ? len : BANNER_MAX) : NULL;
        if (newline || len >= BANNER_MAX)
            break;
        int more = nyt_input_more(&r->in, &r->fault);
        if (more < 0)
            return fault_of_input(r, more);
        if (more == 0)
            break;
    }
    if (!newline)
        return fault_no_banner(r);
    nyt_str line = {.data = (const char *)r->in.p, .len = (size_t)(newline - r->in.p)};
    int rc = parse_banner(r, line, &r->version);
    if (rc < 0)
        return fault_here(r, rc);
    r->in.p = newline + 1;
    r->banner_read = true;
    return NYT_OK;
}

/* The first record, which has no tag. */
static int give_banner(nyt_reader *r, nyt_record *rec)
{
    if (!r->banner_read && read_banner(r) < 0)
        return r->status;
    r->banner_given = true;
    rec->tag = NYT_TAG_VERSION;
    rec->offset = 0;
    rec->in_deflate = false;
    rec->u.version = r->version;
    return 1;
}

/* ---- Records that change how the rest is read ---- */

static int heed_attribute(nyt_reader *r, const nyt_pair *pair)
{
    if (!pair->value.data)
        return NYT_OK;
    int64_t value = nyt_str_to_int(pair->value);
    if (nyt_str_is(pair->key, "ticks_per_sec"))
        r->ticks_per_sec = (uint32_t)value;     /* modulo 2^32, as in Perl */
    if (nyt_str_is(pair->key, "nv_size") && value != NYT_NV_BYTES)
        return nyt_fail(&r->fault, NYT_EFORMAT,
                        "its floating point numbers have %lld bytes, not %d", (long long)value,
                        NYT_NV_BYTES);
    return NYT_OK;
}

/* After decoding, before the window moves on. */
static int heed(nyt_reader *r, const nyt_record *rec)
{
    int rc = NYT_OK;
    if (rec->tag == NYT_TAG_ATTRIBUTE)
        rc = heed_attribute(r, &rec->u.pair);
    else if (rec->tag == NYT_TAG_START_DEFLATE && r->in.inflating)
        rc = nyt_fail(&r->fault, NYT_EFORMAT, "compressed data begins a second time");
    return rc < 0 ? fault_here(r, rc) : NYT_OK;
}

/* ---- The walk ---- */

/* 1: it is in *rec; 0: the clean end. */
static int read_record(nyt_reader *r, nyt_record *rec)
{
    for (;;) {
        struct nyt_cursor c = {.p = r->in.p, .end = r->in.end, .bad_tag = -1};
        switch (nyt_record_decode(&c, rec)) {
        case NYT_DECODED:
            rec->offset = nyt_input_offset(&r->in);
            rec->in_deflate = r->in.inflating;
            if (heed(r, rec) < 0)
                return r->status;
            r->in.p = c.p;
            return 1;
        case NYT_DECODED_BAD_TAG:
            return fault_bad_tag(r);
        case NYT_DECODED_BAD_STRING:
            return fault_bad_string(r, &c);
        case NYT_DECODED_SHORT:
            break;
        }
        int more = nyt_input_more(&r->in, &r->fault);
        if (more < 0)
            return fault_of_input(r, more);
        if (more == 0)
            return r->in.p == r->in.end ? 0 : fault_cut_off(r, nyt_tag_name(*r->in.p));
    }
}

int nyt_reader_next(nyt_reader *r, nyt_record *rec, nyt_error *err)
{
    int rc = r->status;
    if (rc == NYT_OK)
        rc = r->banner_given ? read_record(r, rec) : give_banner(r, rec);
    if (rc == 1) {
        r->records++;
        if (rec->tag == NYT_TAG_START_DEFLATE)
            rc = nyt_input_inflate(&r->in, &r->fault) < 0 ? fault_here(r, NYT_ENOMEM) : 1;
    }
    if (rc < 0 && err)
        *err = r->fault;
    return rc;
}

/*
 * Copies of one segment are to come, and all that they hold, together with what is left in the
 * window, is one TIME_LINE over and over: takes them all. false: it is not so.
 */
static bool take_copies(nyt_reader *r, struct nyt_sample *sample)
{
    enum { ENOUGH = 2 * NYT_FAST_ROOM };
    struct nyt_copies copies;
    uint8_t bytes[ENOUGH];
    if (r->in.end - r->in.p >= NYT_FAST_ROOM || !nyt_input_copies(&r->in, &copies))
        return false;
    size_t rest = (size_t)(r->in.end - r->in.p);
    if (rest >= NYT_FAST_ROOM || copies.len < ENOUGH)
        return false;
    memcpy(bytes, r->in.p, rest);
    memcpy(bytes + rest, copies.data, ENOUGH - rest);
    if (bytes[0] != NYT_TAG_TIME_LINE)
        return false;
    uint32_t ticks;
    size_t len = (size_t)(nyt_fast_time_line(bytes, &ticks, &sample->fid, &sample->line) - bytes);
    if (copies.len % len != 0 || memcmp(bytes, bytes + len, ENOUGH - len) != 0 ||
        memcmp(copies.data, copies.data + len, copies.len - len) != 0)
        return false;
    sample->ticks = (int32_t)ticks;
    sample->times = copies.len / len * copies.times;
    sample->offset = nyt_input_offset(&r->in);
    nyt_input_skip_copies(&r->in);
    return true;
}

size_t nyt_reader_samples(nyt_reader *r, struct nyt_sample *samples, size_t max)
{
    const uint8_t *p = r->in.p, *end = r->in.end;
    uint64_t offset = nyt_input_offset(&r->in), records = 0;
    size_t n = 0;
    if (r->status != NYT_OK || !r->banner_given)
        return 0;
    while (n < max && end - p >= NYT_FAST_ROOM && *p == NYT_TAG_TIME_LINE) {
        const uint8_t *record = p;
        uint32_t ticks;
        samples[n].offset = offset + (uint64_t)(p - r->in.p);
        p = nyt_fast_time_line(p, &ticks, &samples[n].fid, &samples[n].line);
        samples[n].ticks = (int32_t)ticks;
        samples[n].times = 1;
        if (end - p >= NYT_FAST_ROOM && memcmp(p, record, NYT_TIME_LINE_SHORTEST) == 0) {
            size_t len = (size_t)(p - record), again = nyt_repeats(p, end, len);
            samples[n].times += again;
            p += again * len;
        }
        records += samples[n++].times;
    }
    r->in.p = p;
    if (n < max && take_copies(r, &samples[n]))
        records += samples[n++].times;
    r->records += records;
    return n;
}

bool nyt_reader_sum_lines(nyt_reader *r, struct nyt_line_sums *t, struct nyt_run *run)
{
    *run = (struct nyt_run){0};
    if (r->status != NYT_OK || !r->banner_given)
        return true;
    struct nyt_sample sample;
    bool ok = nyt_line_sums_add_records(t, &r->in.p, r->in.end, run);
    while (ok && take_copies(r, &sample))
        ok = nyt_line_sums_add_sample(t, &sample, run);
    r->records += run->statements + run->discounted;
    return ok;
}

/* ---- Open and close ---- */

int nyt_reader_begin(nyt_reader **out, const struct nyt_source *source, nyt_error *err)
{
    *out = NULL;
    nyt_reader *r = calloc(1, sizeof *r);
    if (!r)
        return nyt_fail(err, NYT_ENOMEM, "out of memory");
    int rc = nyt_input_begin(&r->in, source, err);
    if (rc < 0)
        free(r);
    else
        *out = r;
    return rc;
}

int nyt_reader_open_source(nyt_reader **out, const struct nyt_source *source, nyt_error *err)
{
    int rc = nyt_reader_begin(out, source, err);
    if (rc < 0)
        return rc;
    assert(*out);
    rc = read_banner(*out);
    if (rc < 0) {
        if (err)
            *err = (*out)->fault;
        nyt_reader_close(*out);
        *out = NULL;
    }
    return rc;
}

int nyt_reader_open(nyt_reader **out, const char *path, nyt_error *err)
{
    return nyt_reader_open_source(out, &(struct nyt_source){.path = path}, err);
}

int nyt_reader_open_memory(nyt_reader **out, const void *data, size_t len, nyt_error *err)
{
    return nyt_reader_open_source(out, &(struct nyt_source){.data = data, .len = len}, err);
}

int nyt_reader_open_fn(nyt_reader **out, nyt_read_fn read, void *ctx, nyt_error *err)
{
    return nyt_reader_open_source(out, &(struct nyt_source){.read = read, .ctx = ctx}, err);
}

nyt_progress nyt_reader_progress(const nyt_reader *r)
{
    return (nyt_progress){.records = r->records,
                          .bytes = r->in.taken,
                          .inflated = r->in.inflated,
                          .ticks_per_sec = r->ticks_per_sec};
}

nyt_str nyt_reader_tail(const nyt_reader *r)
{
    return nyt_input_tail(&r->in);
}

void nyt_reader_close(nyt_reader *r)
{
    if (!r)
        return;
    nyt_input_close(&r->in);
    free(r);
}
