/* Every record of a file, one a line: as JSON arrays, or as words for the eye. */
#include "nytprof.h"

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "format/record.h"

#include <stdlib.h>
#include <string.h>

static nyt_str field_str(const nyt_record *r, const struct nyt_field *f)
{
    nyt_str s;
    memcpy(&s, (const char *)r + f->at, sizeof s);
    return s;
}

static double field_number(const nyt_record *r, const struct nyt_field *f)
{
    const char *at = (const char *)r + f->at;
    uint32_t u;
    int32_t i;
    double d;
    switch (f->type) {
    case 'u':
        memcpy(&u, at, sizeof u);
        return u;
    case 'i':
        memcpy(&i, at, sizeof i);
        return i;
    default:
        memcpy(&d, at, sizeof d);
        return d;
    }
}

static void json_field(struct nyt_json *j, const nyt_record *r, const struct nyt_field *f)
{
    if (f->type != 's') {
        nyt_json_number(j, NULL, field_number(r, f));
        return;
    }
    nyt_str s = field_str(r, f);
    if (s.utf8)
        nyt_json_open(j, NULL, '{');
    nyt_json_str(j, s.utf8 ? "utf8" : NULL, s);
    if (s.utf8)
        nyt_json_close(j, '}');
}

static void json_record(struct nyt_out *o, const nyt_record *r)
{
    const struct nyt_record_kind *kind = nyt_record_kind((int)r->tag);
    bool is_pair = r->tag == NYT_TAG_ATTRIBUTE || r->tag == NYT_TAG_OPTION;
    struct nyt_json j = {.o = o};
    if (is_pair && !r->u.pair.value.data)
        return;         /* Perl skips what has no '=', with a warning */
    nyt_json_open(&j, NULL, '[');
    nyt_json_text(&j, NULL, kind->name);
    for (const struct nyt_field *f = kind->fields; f->type; f++)
        json_field(&j, r, f);
    nyt_json_close(&j, ']');
    nyt_out_text(o, "\n");
}

static void text_field(struct nyt_out *o, const nyt_record *r, const struct nyt_field *f)
{
    char text[NYT_NUMBER_BYTES];
    nyt_out_format(o, " %s=", f->label);
    if (f->type == 's' && field_str(r, f).data)
        nyt_out_json_str(o, field_str(r, f));
    else if (f->type == 's')
        nyt_out_text(o, "(none)");
    else
        nyt_out_text(o, nyt_number(field_number(r, f), text));
}

/* The offset comes first; 'z' marks one in the inflated data. */
static void text_record(struct nyt_out *o, const nyt_record *r)
{
    const struct nyt_record_kind *kind = nyt_record_kind((int)r->tag);
    nyt_out_format(o, "%c%09llu %-13s", r->in_deflate ? 'z' : ' ', (unsigned long long)r->offset,
                   kind->name);
    for (const struct nyt_field *f = kind->fields; f->type; f++)
        text_field(o, r, f);
    nyt_out_text(o, "\n");
}

typedef void record_writer(struct nyt_out *o, const nyt_record *r);

static int export_records(nyt_reader *in, record_writer *put, nyt_write_fn write, void *ctx,
                          nyt_error *err)
{
    struct nyt_out *o = malloc(sizeof *o);
    if (!o)
        return nyt_fail(err, NYT_ENOMEM, "out of memory");
    nyt_out_begin(o, write, ctx);
    nyt_record rec;
    nyt_error fault;
    int rc = NYT_OK;
    while (o->status == NYT_OK && (rc = nyt_reader_next(in, &rec, &fault)) == 1)
        put(o, &rec);
    int written = nyt_out_end(o, err);
    free(o);
    if (written == NYT_OK && rc < 0 && err)
        *err = fault;
    return written < 0 ? written : rc;
}

int nyt_export_jsonl(nyt_reader *in, nyt_write_fn write, void *ctx, nyt_error *err)
{
    return export_records(in, json_record, write, ctx, err);
}

int nyt_export_text(nyt_reader *in, nyt_write_fn write, void *ctx, nyt_error *err)
{
    return export_records(in, text_record, write, ctx, err);
}

int nyt_export_json_string(nyt_str s, nyt_write_fn write, void *ctx)
{
    struct nyt_out *o = malloc(sizeof *o);
    if (!o)
        return NYT_ENOMEM;
    nyt_out_begin(o, write, ctx);
    nyt_out_json_str(o, s);
    int rc = nyt_out_end(o, NULL);
    free(o);
    return rc;
}
