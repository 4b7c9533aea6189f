/*
 * The call tree and the lines as pprof reads them: a gzipped message of profile.proto, encoded here
 * by its field numbers.
 *
 * A sample is a path with its exclusive time. Lines are no part of the paths, so they are samples
 * of their own, one frame deep and named by the sub around them (else by their file), and have
 * their own kinds of values: looking at one kind, pprof does not see the other.
 */
#include "nytprof.h"

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/utf8.h"
#include "export/export.h"
#include "export/line_costs.h"
#include "export/paths.h"

#include <math.h>
#include <stdlib.h>
#include <zlib.h>

/* Field numbers of profile.proto. */
enum {
    PROFILE_SAMPLE_TYPE = 1,
    PROFILE_SAMPLE = 2,
    PROFILE_MAPPING = 3,
    PROFILE_LOCATION = 4,
    PROFILE_FUNCTION = 5,
    PROFILE_STRING_TABLE = 6,
    PROFILE_TIME_NANOS = 9,
    PROFILE_DURATION_NANOS = 10,
    PROFILE_DEFAULT_SAMPLE_TYPE = 14
};
enum { VALUE_TYPE_TYPE = 1, VALUE_TYPE_UNIT = 2 };
enum { SAMPLE_LOCATION_ID = 1, SAMPLE_VALUE = 2 };
enum {
    MAPPING_ID = 1,
    MAPPING_FILENAME = 5,
    MAPPING_HAS_FUNCTIONS = 7,
    MAPPING_HAS_FILENAMES = 8,
    MAPPING_HAS_LINE_NUMBERS = 9
};
enum { LOCATION_ID = 1, LOCATION_MAPPING_ID = 2, LOCATION_LINE = 4 };
enum { LINE_FUNCTION_ID = 1, LINE_LINE = 2 };
enum { FUNCTION_ID = 1, FUNCTION_NAME = 2, FUNCTION_FILENAME = 4, FUNCTION_START_LINE = 5 };

enum { PATH_TIME, LINE_TIME, LINE_COUNT, VALUES };

struct pprof {
    const nyt_profile *p;
    struct nyt_paths paths;
    struct nyt_ranges ranges;
    struct nyt_out *o;
    const nyt_line *lines;
    size_t line_count;
    bool *wanted;                  /* paths, then lines */
    bool *measured;                /* by frame: it is in the costs already */
    uint32_t *location_of;         /* by frame; 0: none yet */
    struct nyt_map sub_functions;  /* index of a sub -> function */
    struct nyt_map file_functions; /* fid -> function */
    struct nyt_names strings;
    uint32_t functions, locations;
    double left_out; /* ticks of no path that is written */
    struct nyt_buf message, part, text;
    bool failed; /* out of memory */
};

/* ---- Messages ---- */

static void put_varint(struct pprof *s, struct nyt_buf *b, uint64_t value)
{
    if (!nyt_buf_reserve(b, 10)) {
        s->failed = true;
        return;
    }
    for (; value >= 0x80; value >>= 7)
        b->data[b->len++] = (uint8_t)(value | 0x80);
    b->data[b->len++] = (uint8_t)value;
}

static void put_number(struct pprof *s, struct nyt_buf *b, unsigned field, uint64_t value)
{
    put_varint(s, b, field << 3);
    put_varint(s, b, value);
}

/* What is in `content` becomes one field of `b`, and `content` empty. */
static void put_part(struct pprof *s, struct nyt_buf *b, unsigned field, struct nyt_buf *content)
{
    put_varint(s, b, field << 3 | 2);
    put_varint(s, b, content->len);
    s->failed |= !nyt_buf_append(b, content->data, content->len);
    content->len = 0;
}

/* A field of the profile, from s->message. */
static void put_message(struct pprof *s, unsigned field)
{
    struct nyt_buf head = {0};
    put_varint(s, &head, field << 3 | 2);
    put_varint(s, &head, s->message.len);
    nyt_out_bytes(s->o, head.data, head.len);
    nyt_out_bytes(s->o, s->message.data, s->message.len);
    s->message.len = 0;
    nyt_buf_free(&head);
}

static void put_profile_number(struct pprof *s, unsigned field, uint64_t value)
{
    put_number(s, &s->message, field, value);
    nyt_out_bytes(s->o, s->message.data, s->message.len);
    s->message.len = 0;
}

/* ---- Strings, functions, locations ---- */

static uint32_t string_of(struct pprof *s, nyt_str text)
{
    s->text.len = 0;
    bool ok = nyt_buf_utf8(&s->text, text, NULL);
    uint32_t id = ok ? nyt_names_take(&s->strings,
                                      (nyt_str){.data = (char *)s->text.data, .len = s->text.len})
                     : NYT_NONE;
    s->failed |= id == NYT_NONE;
    return id;
}

static uint32_t word(struct pprof *s, const char *text)
{
    nyt_str string = {.data = text};
    while (text[string.len])
        string.len++;
    return string_of(s, string);
}

/* Without a system_name: pprof would take such names for C++ and cut "(module)" off. */
static uint32_t put_function(struct pprof *s, nyt_str name, const nyt_file *file, uint32_t line)
{
    uint32_t id = ++s->functions;
    put_number(s, &s->message, FUNCTION_ID, id);
    put_number(s, &s->message, FUNCTION_NAME, string_of(s, name));
    if (file)
        put_number(s, &s->message, FUNCTION_FILENAME, string_of(s, file->name));
    put_number(s, &s->message, FUNCTION_START_LINE, line);
    put_message(s, PROFILE_FUNCTION);
    return id;
}

static uint32_t put_location(struct pprof *s, uint32_t function, uint32_t line)
{
    uint32_t id = ++s->locations;
    put_number(s, &s->part, LINE_FUNCTION_ID, function);
    put_number(s, &s->part, LINE_LINE, line);
    put_number(s, &s->message, LOCATION_ID, id);
    put_number(s, &s->message, LOCATION_MAPPING_ID, 1);
    put_part(s, &s->message, LOCATION_LINE, &s->part);
    put_message(s, PROFILE_LOCATION);
    return id;
}

/* The function that the map has for a key, or a new one. */
static uint32_t function_for(struct pprof *s, struct nyt_map *known, uint32_t key, nyt_str name,
                             const nyt_file *file, uint32_t line)
{
    bool is_new;
    uint32_t *function = nyt_map_take(known, key, &is_new);
    s->failed |= !function;
    if (s->failed)
        return 0;
    if (is_new)
        *function = put_function(s, name, file, line);
    return *function;
}

static uint32_t function_of_sub(struct pprof *s, const nyt_sub *sub)
{
    return function_for(s, &s->sub_functions, (uint32_t)(sub - s->p->subs), sub->name,
                        nyt_profile_file(s->p, sub->fid), sub->first);
}

static uint32_t location_of(struct pprof *s, uint32_t number)
{
    const struct nyt_frame *frame = &s->paths.frames[number];
    uint32_t *location = &s->location_of[number];
    if (!*location)
        *location = put_location(s,
                                 frame->sub && !frame->levels
                                     ? function_of_sub(s, frame->sub)
                                     : put_function(s, frame->name, frame->file, frame->line),
                                 frame->line);
    return *location;
}

/* ---- Samples ---- */

static uint64_t ns_of(double seconds)
{
    double ns = round(seconds * 1e9);
    return ns > 0 && ns < 0x1p63 ? (uint64_t)ns : 0;
}

/* The locations are in s->part. */
static void put_sample(struct pprof *s, const uint64_t values[static VALUES])
{
    put_part(s, &s->message, SAMPLE_LOCATION_ID, &s->part);
    for (int i = 0; i < VALUES; i++)
        put_varint(s, &s->part, values[i]);
    put_part(s, &s->message, SAMPLE_VALUE, &s->part);
    put_message(s, PROFILE_SAMPLE);
}

/* Frames are announced first: until the sample is complete the parts belong to it. */
static void put_path(struct pprof *s, size_t path)
{
    uint64_t values[VALUES] = {[PATH_TIME] = ns_of(nyt_path_seconds(&s->paths, path))};
    const struct nyt_path *list = s->paths.list;
    for (size_t at = path; at && !s->failed; at = list[at].parent)
        location_of(s, list[at].frame);
    for (size_t at = path; at && !s->failed; at = list[at].parent)
        put_varint(s, &s->part, location_of(s, list[at].frame));
    put_sample(s, values);
}

static void put_left_out(struct pprof *s)
{
    uint64_t values[VALUES] = {[PATH_TIME] = ns_of(nyt_seconds_of(s->p, s->left_out))};
    if (values[PATH_TIME] == 0)
        return;
    uint32_t location = put_location(s, put_function(s, nyt_left_out_name, NULL, 0), 0);
    put_varint(s, &s->part, location);
    put_sample(s, values);
}

static void put_line(struct pprof *s, const nyt_line *line)
{
    const nyt_file *file = nyt_profile_file(s->p, line->fid);
    const nyt_sub *sub = nyt_ranges_at(&s->ranges, line->fid, line->line);
    uint64_t values[VALUES] = {[LINE_TIME] = ns_of(line->time),
                               [LINE_COUNT] = line->count > 0 ? (uint64_t)line->count : 0};
    uint32_t function = sub ? function_of_sub(s, sub)
                            : function_for(s, &s->file_functions, line->fid, file->name, file, 0);
    uint32_t location = put_location(s, function, line->line);
    put_varint(s, &s->part, location);
    put_sample(s, values);
}

/* ---- What is written ---- */

enum {
    NUMBER_BYTES = 11,
    FRAME_BYTES = 12 * NUMBER_BYTES,
    SAMPLE_BYTES = 8 * NUMBER_BYTES,
    FIXED_BYTES = 512
};

static bool is_shown(const struct pprof *s, size_t item)
{
    if (item < s->paths.count)
        return item && ns_of(nyt_path_seconds(&s->paths, item)) > 0;
    const nyt_line *line = &s->lines[item - s->paths.count];
    const nyt_file *file = nyt_profile_file(s->p, line->fid);
    return file && !file->merged_into && (ns_of(line->time) > 0 || line->count > 0);
}

static double item_seconds(void *ctx, size_t item)
{
    const struct pprof *s = ctx;
    return !is_shown(s, item)      ? -INFINITY
           : item < s->paths.count ? nyt_path_seconds(&s->paths, item)
                                   : s->lines[item - s->paths.count].time;
}

/* Latin-1 may double as UTF-8. */
static uint64_t frame_bytes(struct pprof *s, uint32_t number)
{
    const struct nyt_frame *frame = &s->paths.frames[number];
    if (s->measured[number])
        return 0;
    s->measured[number] = true;
    return FRAME_BYTES +
           2 * ((uint64_t)frame->name.len + (frame->file ? frame->file->name.len : 0));
}

/* The sub around it may have no other frame. */
static uint64_t line_bytes(const struct pprof *s, size_t line)
{
    const nyt_file *file = nyt_profile_file(s->p, s->lines[line].fid);
    return SAMPLE_BYTES + FRAME_BYTES + 2 * (uint64_t)file->name.len;
}

static uint64_t item_bytes(void *ctx, size_t item)
{
    struct pprof *s = ctx;
    uint64_t bytes = SAMPLE_BYTES;
    if (!is_shown(s, item))
        return 0;
    if (item >= s->paths.count)
        return line_bytes(s, item - s->paths.count);
    for (; item; item = s->paths.list[item].parent)
        bytes += NUMBER_BYTES + frame_bytes(s, s->paths.list[item].frame);
    return bytes;
}

static void take_item(void *ctx, size_t item)
{
    struct pprof *s = ctx;
    s->wanted[item] = is_shown(s, item);
}

static void put_items(struct pprof *s, nyt_limit *limit)
{
    for (size_t i = 1; i < s->paths.count && !s->failed; i++)
        if (s->wanted[i])
            put_path(s, i);
    put_left_out(s);
    for (size_t i = 0; i < s->line_count && !s->failed; i++) {
        if (s->wanted[s->paths.count + i])
            put_line(s, &s->lines[i]);
        else if (is_shown(s, s->paths.count + i))
            nyt_limit_left_out_line(limit);
    }
}

static void put_types(struct pprof *s)
{
    static const char *const types[VALUES][2] = {[PATH_TIME] = {"time", "nanoseconds"},
                                                 [LINE_TIME] = {"line_time", "nanoseconds"},
                                                 [LINE_COUNT] = {"line_count", "count"}};
    for (int i = 0; i < VALUES; i++) {
        put_number(s, &s->message, VALUE_TYPE_TYPE, word(s, types[i][0]));
        put_number(s, &s->message, VALUE_TYPE_UNIT, word(s, types[i][1]));
        put_message(s, PROFILE_SAMPLE_TYPE);
    }
    put_profile_number(s, PROFILE_DEFAULT_SAMPLE_TYPE, word(s, types[PATH_TIME][0]));
}

/* All there is to know is in the file: pprof need not look for a program. */
static void put_mapping(struct pprof *s)
{
    const nyt_str *name = nyt_profile_attribute(s->p, "application");
    put_number(s, &s->message, MAPPING_ID, 1);
    if (name)
        put_number(s, &s->message, MAPPING_FILENAME, string_of(s, *name));
    put_number(s, &s->message, MAPPING_HAS_FUNCTIONS, 1);
    put_number(s, &s->message, MAPPING_HAS_FILENAMES, 1);
    put_number(s, &s->message, MAPPING_HAS_LINE_NUMBERS, 1);
    put_message(s, PROFILE_MAPPING);
}

static void put_all(struct pprof *s, nyt_limit *limit)
{
    struct nyt_chooser chooser = {.ctx = s,
                                  .n = s->paths.count + s->line_count,
                                  .value = item_seconds,
                                  .cost = item_bytes,
                                  .take = take_item};
    const nyt_str *name = nyt_profile_attribute(s->p, "application");
    word(s, "");        /* string 0 must be empty */
    put_types(s);
    put_mapping(s);
    if (s->p->process_count)
        put_profile_number(s, PROFILE_TIME_NANOS, ns_of(s->p->processes[0].start));
    put_profile_number(s, PROFILE_DURATION_NANOS, ns_of(s->p->totals.duration));
    s->failed |= !nyt_choose(&chooser, FIXED_BYTES + (name ? 2 * name->len : 0), limit);
    s->left_out = nyt_paths_settle(&s->paths, s->wanted, limit);
    put_items(s, limit);
    for (size_t i = 0; i < s->strings.count && !s->failed; i++) {
        nyt_str text = s->strings.list[i].name;
        s->failed |= !nyt_buf_append(&s->message, text.data, text.len);
        put_message(s, PROFILE_STRING_TABLE);
    }
}

/* ---- gzip ---- */

struct gzip {
    nyt_write_fn write;
    void *ctx;
    z_stream z;
    uint8_t out[16 * 1024];
};

static int gzip_run(struct gzip *g, int flush)
{
    int rc = NYT_OK;
    do {
        g->z.next_out = g->out;
        g->z.avail_out = sizeof g->out;
        deflate(&g->z, flush);
        size_t n = sizeof g->out - g->z.avail_out;
        rc = n ? g->write(g->ctx, g->out, n) : NYT_OK;
    } while (rc == NYT_OK && g->z.avail_out == 0);
    return rc;
}

/* nyt_out hands over no more than it holds. */
static int gzip_write(void *ctx, const void *data, size_t len)
{
    struct gzip *g = ctx;
    g->z.next_in = (uint8_t *)data;
    g->z.avail_in = (uInt)len;
    return gzip_run(g, Z_NO_FLUSH);
}

static struct gzip *gzip_new(nyt_write_fn write, void *ctx)
{
    struct gzip *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    g->write = write;
    g->ctx = ctx;
    if (deflateInit2(&g->z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK)
        return g;
    free(g);
    return NULL;
}

static void gzip_free(struct gzip *g)
{
    if (g)
        deflateEnd(&g->z);
    free(g);
}

/* Everything is in the stream; what ends it goes straight to `write`. */
static int gzip_end(struct gzip *g, struct nyt_out *o, nyt_error *err)
{
    int rc = nyt_out_end(o, err);
    if (rc < 0)
        return rc;
    nyt_out_begin(o, gzip_write, g);
    g->z.avail_in = 0;
    o->status = gzip_run(g, Z_FINISH);
    return nyt_out_end(o, err);
}

/* false: out of memory. */
static bool begin(struct pprof *s)
{
    if (!nyt_paths_find(&s->paths, s->p) || !nyt_ranges_find(&s->ranges, s->p))
        return false;
    s->lines = nyt_profile_all_lines(s->p, NYT_LEVEL_LINE, &s->line_count);
    s->o = malloc(sizeof *s->o);
    s->wanted = calloc(s->paths.count + s->line_count, sizeof *s->wanted);
    s->measured = calloc(s->paths.frame_count + 1, sizeof *s->measured);
    s->location_of = calloc(s->paths.frame_count + 1, sizeof *s->location_of);
    return s->o && s->wanted && s->measured && s->location_of;
}

int nyt_export_pprof(const nyt_profile *p, nyt_limit *limit, nyt_write_fn write, void *ctx,
                     nyt_error *err)
{
    struct pprof s = {.p = p};
    struct gzip *gzip = gzip_new(write, ctx);
    s.failed = !begin(&s) || !gzip;
    int rc = NYT_OK;
    nyt_limit_begin(limit);
    if (!s.failed) {
        nyt_paths_tell(&s.paths, limit);
        nyt_out_begin(s.o, gzip_write, gzip);
        put_all(&s, limit);
        rc = gzip_end(gzip, s.o, err);
    }
    gzip_free(gzip);
    free(s.o);
    free(s.wanted);
    free(s.measured);
    free(s.location_of);
    nyt_paths_free(&s.paths);
    nyt_ranges_free(&s.ranges);
    nyt_map_free(&s.sub_functions);
    nyt_map_free(&s.file_functions);
    nyt_names_free(&s.strings);
    nyt_buf_free(&s.message);
    nyt_buf_free(&s.part);
    nyt_buf_free(&s.text);
    return s.failed ? nyt_fail(err, NYT_ENOMEM, "out of memory") : rc;
}
