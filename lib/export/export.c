/* What exports share, and the list of them. */
#include "export/export.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const nyt_export_format *nyt_export_formats(size_t *n)
{
    static const nyt_export_format formats[] = {
        {.name = "callgrind", .suffix = ".callgrind", .write = nyt_export_callgrind,
         .help = "subs, lines and calls for KCachegrind"},
        {.name = "collapsed", .suffix = ".collapsed.txt", .limited = true,
         .write = nyt_export_collapsed, .help = "call paths for flame graphs"},
        {.name = "csv", .suffix = ".csv", .folder = true,
         .help = "lines of each file with their figures, a text for each"},
        {.name = "dot", .suffix = ".dot", .picture = true, .write = nyt_export_dot,
         .help = "call graph for Graphviz"},
        {.name = "json", .suffix = ".profile.json", .limited = true, .write = nyt_export_json,
         .help = "the whole profile for programs"},
        {.name = "lcov", .suffix = ".lcov", .write = nyt_export_lcov,
         .help = "counts of lines and subs for genhtml and editors"},
        {.name = "pprof", .suffix = ".pb.gz", .binary = true, .limited = true,
         .write = nyt_export_pprof, .help = "call tree and lines for pprof"},
        {.name = "pstats", .suffix = ".pstats", .binary = true, .write = nyt_export_pstats,
         .help = "subs and their callers for Python's pstats"},
        {.name = "speedscope", .suffix = ".speedscope.json", .limited = true,
         .write = nyt_export_speedscope, .help = "call tree for https://www.speedscope.app"},
    };
    *n = sizeof formats / sizeof *formats;
    return formats;
}

const nyt_export_format *nyt_export_format_named(const char *name)
{
    size_t n;
    const nyt_export_format *formats = nyt_export_formats(&n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    return NULL;
}

double nyt_seconds_of(const nyt_profile *p, double ticks)
{
    return p->totals.ticks_per_sec ? ticks / p->totals.ticks_per_sec : 0;
}

/* ---- Limits ---- */

struct choice {
    double value;
    size_t item;
};

static int larger_first(const void *left, const void *right)
{
    const struct choice *a = left, *b = right;
    int by_value = NYT_COMPARE(b->value, a->value);
    return by_value ? by_value : NYT_COMPARE(a->item, b->item);
}

bool nyt_is_limited(const nyt_limit *limit)
{
    return limit && limit->max_bytes;
}

/* Values that are no number come last, so that the order is one. */
static struct choice *choices_of(const struct nyt_chooser *c)
{
    struct choice *choices = calloc(c->n ? c->n : 1, sizeof *choices);
    for (size_t i = 0; choices && i < c->n; i++) {
        double value = c->value(c->ctx, i);
        choices[i] = (struct choice){.value = isnan(value) ? -INFINITY : value, .item = i};
    }
    if (choices)
        qsort(choices, c->n, sizeof *choices, larger_first);
    return choices;
}

static void take_all(const struct nyt_chooser *c)
{
    for (size_t i = 0; i < c->n; i++)
        c->take(c->ctx, i);
}

bool nyt_choose(const struct nyt_chooser *c, uint64_t fixed, const nyt_limit *limit)
{
    if (!nyt_is_limited(limit)) {
        take_all(c);
        return true;
    }
    struct choice *choices = choices_of(c);
    if (!choices)
        return false;
    uint64_t left = limit->max_bytes > fixed ? limit->max_bytes - fixed : 0;
    for (size_t i = 0; i < c->n; i++) {
        uint64_t cost = c->cost(c->ctx, choices[i].item);
        if (cost > left)
            break;
        left -= cost;
        c->take(c->ctx, choices[i].item);
    }
    free(choices);
    return true;
}

void nyt_limit_begin(nyt_limit *limit)
{
    if (limit) {
        limit->left_out = 0;
        limit->left_out_time = 0;
        limit->left_out_lines = 0;
    }
}

void nyt_limit_left_out(nyt_limit *limit, double seconds)
{
    if (limit) {
        limit->left_out++;
        limit->left_out_time += seconds;
    }
}

void nyt_limit_left_out_line(nyt_limit *limit)
{
    if (limit)
        limit->left_out_lines++;
}

int nyt_count_bytes(void *ctx, const void *data, size_t len)
{
    (void)data;
    *(uint64_t *)ctx += len;
    return NYT_OK;
}

/* ---- Foreign bytes ---- */

const nyt_str nyt_unreturned = {.data = "(did not return)", .len = 16};

static size_t put_utf8(uint8_t *p, uint32_t code)
{
    if (code < 0x80) {
        p[0] = (uint8_t)code;
        return 1;
    }
    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, code >>= 6)
        p[i] = (uint8_t)(0x80 | (code & 0x3F));
    p[0] = (uint8_t)((0xF00 >> n & 0xF0) | code);
    return n;
}

static bool is_control(uint32_t code)
{
    return (code < 0x20 && code != '\t') || (code >= 0x7F && code < 0xA0) || code == 0x2028 || code == 0x2029;
}

static uint32_t allowed(uint32_t code, const char *never)
{
    if (code >= 0xD800 && code <= 0xDFFF)
        return 0xFFFD;
    if (never && (is_control(code) || (code < 0x80 && strchr(never, (int)code))))
        return '?';
    return code;
}

bool nyt_buf_utf8(struct nyt_buf *b, nyt_str s, const char *never)
{
    if (s.len > SIZE_MAX / 4 || !nyt_buf_reserve(b, s.len * 2 + 1))     /* Latin-1 may double */
        return false;
    bool utf8 = nyt_is_utf8(s);
    for (size_t at = 0; at < s.len;) {
        uint32_t code = (uint8_t)s.data[at];
        at += utf8 ? nyt_utf8_next(s.data + at, s.len - at, &code) : 1;
        b->len += put_utf8(b->data + b->len, allowed(code, never));
    }
    return true;
}
