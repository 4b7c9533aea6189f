/*
 * Every allocation fails once, in everything that the library does with a profile: each time the
 * answer is NYT_ENOMEM, or what it is with all the memory there is, and nothing leaks (run with
 * ASan). The golden profiles' folder comes from the build.
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

#include "merge/merge.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- Profiles ---- */

struct file {
    uint8_t data[16 * 1024];
    size_t len;
};

/* Evals and what is merged of them, blocks, returns, xsubs, odd strings, several processes, both
 * compressed and not, one that breaks off; the last one is made here. */
static const char *const names[] = {
    "perl/strevals.out", "perl/blocks1.out",     "perl/calls2.out",       "perl/compress0.out",
    "perl/xsubs.out",    "perl/fork-merged.out", "perl/utf8.out",         "perl/recursion.out",
    "odd/ok-full.out",   "odd/evals-nested.out", "odd/trunc-in-time.out", NULL,
};

static int keep_file(void *ctx, const void *data, size_t len)
{
    struct file *f = ctx;
    assert_true(len < sizeof f->data - f->len);
    memcpy(f->data + f->len, data, len);
    f->len += len;
    return NYT_OK;
}

struct payload {
    uint8_t data[1024];
    size_t len;
};

static void add(struct payload *p, const void *data, size_t len)
{
    memcpy(p->data + p->len, data, len);
    p->len += len;
}

static void add_u32(struct payload *p, uint32_t value)
{
    const uint8_t bytes[] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                             (uint8_t)(value >> 24)};
    add(p, bytes, sizeof bytes);
}

/* 'I' a u32, 'Q' a small u64, 'z' a double of zero, 's' a string; see docs/format.md. */
static int chunk(nyt_chunks *c, char token, const char *format, ...)
{
    struct payload p = {.len = 0};
    va_list args;
    va_start(args, format);
    for (; *format; format++) {
        if (*format == 's') {
            const char *text = va_arg(args, const char *);
            add_u32(&p, (uint32_t)strlen(text));
            add(&p, text, strlen(text));
        } else {
            add_u32(&p, *format == 'z' ? 0 : va_arg(args, unsigned));
            if (*format != 'I')
                add_u32(&p, 0);
        }
    }
    va_end(args);
    return nyt_chunks_write(c, token, p.data, p.len, NULL);
}

/* As our tracer's: counts as repeated pieces, shared and awaited times, waits, a unit of work within
 * another one, two threads, a C function, an eval, a call tree. */
static int write_chunks(nyt_chunks *c)
{
    int rc = chunk(c, 'P', "IIzssssssssssssssssssss", 7, 1, ":application", "a.py",
                   ":ticks_per_sec", "10000000", "!calls", "1", "#", "shared 1-2 /a.py", "#",
                   "shared 1 (eval 1)[/a.py:2]", "#", "awaited 5000 2 2 /a.py", "#",
                   "awaited 7000 1 1 (eval 1)[/a.py:2]", "#", "Processor waits: 300 ticks", "#",
                   "unit 1 0 unit::outer", "#", "unit 2 1 unit::inner");
    rc = rc ? rc
            : chunk(c, 'F', "IIIIIIsIss", 1, 0, 0, 50, 0, 0, "/a.py", 2, "def f():\n", " f()\n");
    rc = rc ? rc : chunk(c, 'F', "IIIIIIsI", 2, 0, 0, 0x84, 0, 0, "(builtins)", 0);
    rc = rc ? rc : chunk(c, 'F', "IIIIIIsIs", 3, 1, 2, 0x132, 0, 0, "(eval 1)[/a.py:2]", 1, "1\n");
    rc = rc ? rc : chunk(c, 'D', "IIIIsIIIIs", 1, 1, 1, 2, "a::f", 2, 2, 0, 0, "builtins::len");
    rc = rc ? rc
            : chunk(c, 'S', "IIIIQQQIIIIQQQ", 1, 1, 0, 0, 200000, 900000, 900000, 3, 1, 0, 0, 3, 7,
                    7);
    rc = rc ? rc : chunk(c, 'U', "I", 2);
    rc = rc ? rc : chunk(c, 'S', "IIIIQQQ", 1, 2, 0, 0, 3, 9, 9);
    rc = rc ? rc : chunk(c, 'C', "IIIIQzzzI", 1, 2, 1, 2, 2, 0);
    rc = rc ? rc : chunk(c, 'U', "I", 0);
    rc = rc ? rc : chunk(c, 'C', "IIIIQzzzI", 1, 2, 1, 2, 5, 0);
    rc = rc ? rc : chunk(c, 'T', "IIzzIIzz", 2, 2, 1, 1);
    rc = rc ? rc : chunk(c, 'E', "IzQ", 7, 100);
    rc = rc ? rc : chunk(c, 'P', "IIz", 8, 7);
    rc = rc ? rc : chunk(c, 'S', "IIIIQQQ", 1, 2, 0, 0, 5, 7, 7);
    return rc ? rc : chunk(c, 'E', "IzQ", 8, 1);
}

static void make_own(struct file *f)
{
    nyt_chunks *c;
    f->len = 0;
    assert_int_equal(nyt_chunks_open_fn(&c, keep_file, f, 1, NULL, NULL), NYT_OK);
    assert_int_equal(write_chunks(c), NYT_OK);
    assert_int_equal(nyt_chunks_close(c, NULL), NYT_OK);
}

static void get_file(const char *name, struct file *f)
{
    char path[1024];
    if (!name) {
        make_own(f);
        return;
    }
    snprintf(path, sizeof path, "%s/%s", GOLDEN, name);
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    f->len = fread(f->data, 1, sizeof f->data, in);
    assert_true(f->len > 0 && f->len < sizeof f->data);
    fclose(in);
}

/* ---- What is done with them ---- */

/* Tells outputs apart. */
static int add_to_hash(void *ctx, const void *data, size_t len)
{
    uint64_t *hash = ctx;
    for (size_t i = 0; i < len; i++)
        *hash = (*hash ^ ((const uint8_t *)data)[i]) * UINT64_C(0x100000001B3);
    return NYT_OK;
}

static int begin_file(void *ctx, const char *name)
{
    return add_to_hash(ctx, name, strlen(name));
}

/* Its output goes into *hash. */
typedef int work_fn(const struct file *f, uint64_t *hash);

typedef int dump_fn(nyt_reader *in, nyt_write_fn write, void *ctx, nyt_error *err);

static int dump(const struct file *f, uint64_t *hash, dump_fn *as)
{
    nyt_reader *in;
    int rc = nyt_reader_open_memory(&in, f->data, f->len, NULL);
    if (rc == NYT_OK)
        rc = as(in, add_to_hash, hash, NULL);
    nyt_reader_close(in);
    return rc == NYT_ETRUNC ? NYT_OK : rc;
}

static int dump_text(const struct file *f, uint64_t *hash)
{
    return dump(f, hash, nyt_export_text);
}

static int dump_json(const struct file *f, uint64_t *hash)
{
    return dump(f, hash, nyt_export_jsonl);
}

static int tell_finding(void *ctx, const nyt_finding *finding)
{
    return add_to_hash(ctx, finding->text, strlen(finding->text));
}

static int verify(const struct file *f, uint64_t *hash)
{
    return nyt_verify_memory(f->data, f->len, tell_finding, hash, NULL, NULL);
}

typedef int look_fn(const nyt_profile *p, uint64_t *hash);

/* One that was loaded, or not. */
static int look_at(int rc, nyt_profile *p, const nyt_error *err, look_fn *look, uint64_t *hash)
{
    assert_int_equal(p != NULL, rc == NYT_OK);
    assert_int_equal(err->code, rc);
    if (rc == NYT_OK)
        rc = look(p, hash);
    nyt_profile_free(p);
    return rc;
}

static int load_and(const struct file *f, uint64_t *hash, look_fn *look, bool keep_evals)
{
    nyt_profile *p;
    nyt_error err = {0};
    static const char *const some[] = {"/nothing"};
    static const nyt_filter filter = {.exclude = some, .exclude_count = 1};
    const nyt_load_options options = {.salvage = true,
                                      .keep_evals = keep_evals,
                                      .filter = keep_evals ? &filter : NULL,
                                      .sections = true};
    int rc = nyt_profile_load_memory(&p, f->data, f->len, &options, &err);
    return look_at(rc, p, &err, look, hash);
}

static int put_model(const nyt_profile *p, uint64_t *hash)
{
    return nyt_export_model(p, add_to_hash, hash, NULL);
}

static int model(const struct file *f, uint64_t *hash)
{
    return load_and(f, hash, put_model, false);
}

static int model_with_all_evals(const struct file *f, uint64_t *hash)
{
    return load_and(f, hash, put_model, true);
}

static int put_all_formats(const nyt_profile *p, uint64_t *hash)
{
    size_t n;
    const nyt_export_format *formats = nyt_export_formats(&n);
    int rc = nyt_export_nytprofcsv(p, begin_file, add_to_hash, hash, NULL);
    for (size_t i = 0; i < n && rc == NYT_OK; i++) {
        nyt_limit limit = {.max_bytes = 600};
        if (formats[i].folder)
            continue;
        rc = formats[i].write(p, NULL, add_to_hash, hash, NULL);
        if (rc == NYT_OK)
            rc = formats[i].write(p, &limit, add_to_hash, hash, NULL);
    }
    return rc;
}

static int all_formats(const struct file *f, uint64_t *hash)
{
    return load_and(f, hash, put_all_formats, false);
}

static int put_subs_and_trees(const nyt_profile *p, uint64_t *hash)
{
    static const nyt_report_options ways[] = {{.width = 70}, {.json = true}};
    const nyt_sub *subs[3];
    size_t n;
    int rc = nyt_find_subs(p, "[ab]", NULL, subs, COUNT(subs), &n);
    if (rc == NYT_OK)
        rc = nyt_report_explain(p, 1500, NULL, add_to_hash, hash, NULL);
    n = n < COUNT(subs) ? n : COUNT(subs);
    for (size_t i = 0; i < n && rc == NYT_OK; i++)
        rc = nyt_report_sub(p, subs[i], NULL, add_to_hash, hash, NULL);
    if (rc == NYT_OK)
        rc = nyt_report_subs(p, subs, n, NULL, add_to_hash, hash, NULL);
    for (size_t i = 0; i < COUNT(ways) && rc == NYT_OK; i++) {
        nyt_tree_options how = {.least = 1e-9, .focus = subs, .focus_count = i ? n : 0};
        rc = nyt_report_tree(p, &how, &ways[i], add_to_hash, hash, NULL);
    }
    return rc;
}

static int put_all_reports(const nyt_profile *p, uint64_t *hash)
{
    static const char *const pattern[] = {"*.p?"};
    static const nyt_filter filter = {.only = pattern, .only_count = 1};
    static const nyt_report_options ways[] = {
        {.colour = true, .width = 80}, {.json = true}, {.all = true}, {.filter = &filter}};
    size_t n;
    const nyt_file *files = nyt_profile_files(p, &n);
    int rc = NYT_OK;
    for (size_t i = 0; i < COUNT(ways) && rc == NYT_OK; i++) {
        rc = nyt_report_summary(p, &ways[i], add_to_hash, hash, NULL);
        if (rc == NYT_OK)
            rc = nyt_report_info(p, &ways[i], add_to_hash, hash, NULL);
    }
    for (size_t i = 0; i < n && rc == NYT_OK; i++)
        rc = nyt_report_source(p, files[i].fid, NULL, add_to_hash, hash, NULL);
    return rc == NYT_OK ? put_subs_and_trees(p, hash) : rc;
}

static int all_reports(const struct file *f, uint64_t *hash)
{
    return load_and(f, hash, put_all_reports, false);
}

/* What ran in one unit of work alone. */
static int unit(const struct file *f, uint64_t *hash)
{
    nyt_profile *p;
    nyt_error err = {0};
    const nyt_load_options options = {.unit = "outer"};
    int rc = nyt_profile_load_memory(&p, f->data, f->len, &options, &err);
    return look_at(rc, p, &err, put_all_reports, hash);
}

/* The page, with itself to compare with, and its part for notebooks. */
static int put_page(const nyt_profile *p, uint64_t *hash)
{
    const nyt_page_options options = {.compare = p};
    int rc = nyt_report_page(p, &options, add_to_hash, hash, NULL);
    return rc == NYT_OK ? nyt_report_fragment(p, add_to_hash, hash, NULL) : rc;
}

static int page(const struct file *f, uint64_t *hash)
{
    return load_and(f, hash, put_page, false);
}

static int put_diff(const nyt_profile *p, uint64_t *hash)
{
    static const nyt_diff_options ways[] = {
        {.markdown = false}, {.markdown = true}, {.report = {.json = true}}};
    nyt_diff *d;
    int rc = nyt_diff_new(&d, p, p, NULL);
    for (size_t i = 0; i < COUNT(ways) && rc == NYT_OK; i++)
        rc = nyt_report_diff(d, &ways[i], add_to_hash, hash, NULL);
    if (rc == NYT_OK)
        rc = nyt_diff_check(d, "total>+5%", add_to_hash, hash, NULL);
    nyt_diff_free(d);
    return rc;
}

static int diff(const struct file *f, uint64_t *hash)
{
    return load_and(f, hash, put_diff, false);
}

static void tell_note(void *ctx, const nyt_note *note)
{
    add_to_hash(ctx, note->text, strlen(note->text));
}

static int write_merged(int rc, nyt_merged *m, uint64_t *hash)
{
    if (rc == NYT_OK)
        rc = nyt_merged_write(m, add_to_hash, hash, 1, NULL);
    nyt_merged_free(m);
    return rc;
}

static int merge(const struct file *f, uint64_t *hash)
{
    const nyt_memory twice[] = {{.name = "first", .data = f->data, .len = f->len},
                                {.name = "second", .data = f->data, .len = f->len}};
    nyt_merged *m;
    int rc = nyt_merge_memory(&m, twice, COUNT(twice), tell_note, hash, NULL, NULL);
    assert_int_equal(m != NULL, rc == NYT_OK);
    return write_merged(rc, m, hash);
}

static int recover(const struct file *f, uint64_t *hash)
{
    const nyt_memory profile = {.name = "it", .data = f->data, .len = f->len};
    nyt_merged *m;
    int rc = nyt_recover_memory(&m, &profile, tell_note, hash, NULL);
    assert_int_equal(m != NULL, rc == NYT_OK);
    return write_merged(rc, m, hash);
}

/* Not of this file, but of all that tracers write; twice, with sources kept from the first. */
static int write_by_chunks(const struct file *f, uint64_t *hash)
{
    nyt_pieces *pieces = nyt_pieces_new();
    int rc = pieces ? NYT_OK : NYT_ENOMEM;
    (void)f;
    for (int i = 0; i < 2 && rc == NYT_OK; i++) {
        nyt_chunks *c;
        rc = nyt_chunks_open_fn(&c, add_to_hash, hash, 1, pieces, NULL);
        if (rc < 0)
            break;
        rc = write_chunks(c);
        int closed = nyt_chunks_close(c, NULL);
        rc = rc == NYT_OK ? closed : rc;
    }
    nyt_pieces_free(pieces);
    return rc;
}

/* A run so long that it is packed by another level. */
static int write_long_run(const struct file *f, uint64_t *hash)
{
    const nyt_time where = {.fid = 1, .line = 70000};
    nyt_writer *w;
    (void)f;
    int rc = nyt_writer_open_fn(&w, add_to_hash, hash, 1, NULL);
    if (rc < 0)
        return rc;
    nyt_writer_start_deflate(w);
    nyt_writer_time_run(w, &where, 3000000, 9);
    return nyt_writer_close(w, NULL);
}

/* ---- The test ---- */

static const struct {
    const char *name;
    work_fn *work;
    bool any_file;
} works[] = {
    {"dump", dump_text, true},
    {"dump --jsonl", dump_json, true},
    {"verify", verify, true},
    {"model", model, true},
    {"model with all evals", model_with_all_evals, true},
    {"convert", all_formats, true},
    {"reports", all_reports, true},
    {"a unit", unit, true},
    {"page", page, true},
    {"diff", diff, true},
    {"merge", merge, true},
    {"recover", recover, true},
    {"chunks", write_by_chunks, false},
    {"a long run", write_long_run, false},
};

/* The output of work that fails is worth nothing; what goes well in spite of all is the same. */
static void survives(const char *name, work_fn *work, const struct file *f)
{
    uint64_t whole = 0;
    int failures = 0;
    assert_int_equal(work(f, &whole), NYT_OK);
    for (long n = 0;; n++) {
        uint64_t hash = 0;
        allocations_left = n;
        int rc = work(f, &hash);
        bool all_went_well = allocations_left >= 0;
        allocations_left = -1;
        if (rc != NYT_OK && rc != NYT_ENOMEM)
            print_error("%s: %d when allocation %ld fails\n", name, rc, n);
        assert_true(rc == NYT_OK || rc == NYT_ENOMEM);
        if (rc == NYT_OK)
            assert_int_equal(hash, whole);
        failures += rc != NYT_OK;
        if (all_went_well) {
            assert_int_equal(rc, NYT_OK);
            break;
        }
    }
    assert_true(failures >= 3);
}

static void any_allocation_may_fail(void **state)
{
    static struct file f;
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        get_file(names[i], &f);
        for (size_t k = 0; k < COUNT(works); k++)
            if (works[k].any_file || !names[i])
                survives(works[k].name, works[k].work, &f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
