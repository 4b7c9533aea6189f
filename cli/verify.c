/* The command verify: what is wrong with a profile, as text or JSON. */
#include "verify.h"

#include "base/json.h"
#include "message.h"
#include "progress.h"
#include "streams.h"

#include <stdlib.h>

struct findings {
    const struct options *options;
    FILE *out;
    bool any;          /* a fault: odd is none */
    nyt_finding first; /* of the worst */
    char text[256];
    struct nyt_json json;   /* its `o` is NULL if text is wanted */
};

static const char *severity_name(nyt_severity severity)
{
    return severity == NYT_FATAL ? "fatal" : severity == NYT_WARNED ? "warned" : "odd";
}

static void json_finding(struct nyt_json *json, const nyt_finding *finding)
{
    nyt_json_open(json, NULL, '{');
    nyt_json_text(json, "severity", severity_name(finding->severity));
    nyt_json_text(json, "rule", finding->rule);
    nyt_json_count(json, "offset", finding->offset);
    nyt_json_bool(json, "inflated", finding->in_deflate);
    nyt_json_count(json, "record", finding->record);
    nyt_json_text(json, "text", finding->text);
    nyt_json_close(json, '}');
}

static void text_finding(struct findings *f, const nyt_finding *finding)
{
    fprintf(f->out, "  %-6s %s at offset %llu%s, record %llu [%s]\n",
            severity_name(finding->severity), finding->text, (unsigned long long)finding->offset,
            finding->in_deflate ? " of the inflated data" : "", (unsigned long long)finding->record,
            finding->rule);
}

static int take_finding(void *ctx, const nyt_finding *finding)
{
    struct findings *f = ctx;
    if (finding->severity != NYT_ODD && (!f->any || finding->severity > f->first.severity)) {
        f->any = true;
        f->first = *finding;
        snprintf(f->text, sizeof f->text, "%s", finding->text);
    }
    if (f->json.o)
        json_finding(&f->json, finding);
    else if (f->options->verbose)
        text_finding(f, finding);
    return 0;
}

static void text_verdict(const struct findings *f, const char *path, const nyt_verdict *verdict)
{
    if (!f->any) {
        if (!f->options->quiet)
            fprintf(f->out, "%s \u2713 %llu records\n", path, (unsigned long long)verdict->records);
        return;
    }
    fprintf(f->out, "%s \u2717 %llu records: %s at offset %llu%s\n", path,
            (unsigned long long)verdict->records, f->text, (unsigned long long)f->first.offset,
            f->first.in_deflate ? " of the inflated data" : "");
}

static void json_verdict(struct findings *f, const char *path, const nyt_verdict *verdict)
{
    nyt_json_text(&f->json, "path", path);
    nyt_json_count(&f->json, "records", verdict->records);
    nyt_json_count(&f->json, "odd", verdict->odd);
    nyt_json_count(&f->json, "warned", verdict->warned);
    nyt_json_count(&f->json, "fatal", verdict->fatal);
    nyt_json_bool(&f->json, "sound", !f->any);
}

static enum exit_status verify(struct findings *f, const char *path)
{
    nyt_verdict verdict;
    nyt_error err;
    FILE *in = f->options->io->in;
    if (f->json.o) {
        nyt_json_open(&f->json, NULL, '{');
        nyt_json_open(&f->json, "findings", '[');
    }
    if (!f->options->verbose)
        progress_begin(f->options->io, "reading", path);
    int rc = is_stdin(path) ? nyt_verify_fn(read_stream, in, take_finding, f, &verdict, &err)
                            : nyt_verify(path, take_finding, f, &verdict, &err);
    progress_end();
    if (f->json.o)
        nyt_json_close(&f->json, ']');
    if (f->json.o && rc == NYT_OK)
        json_verdict(f, path, &verdict);
    else if (rc == NYT_OK)
        text_verdict(f, path, &verdict);
    if (f->json.o) {
        nyt_json_close(&f->json, '}');
        nyt_out_text(f->json.o, "\n");
        nyt_out_end(f->json.o, NULL);   /* what `out` could not take is seen when it is closed */
    }
    if (rc < 0)
        return complain(f->options->io, path, &err), EXIT_UNREADABLE;
    return f->any ? EXIT_FINDINGS : EXIT_FINE;
}

enum exit_status command_verify(const struct options *options, const char *path, FILE *out)
{
    struct findings f = {.options = options, .out = out};
    if (options->report.json) {
        f.json.o = malloc(sizeof *f.json.o);
        if (!f.json.o)
            return say(options->io, "%s: out of memory", path), EXIT_INCOMPLETE;
        nyt_out_begin(f.json.o, write_stream, out);
    }
    enum exit_status status = verify(&f, path);
    free(f.json.o);
    return status;
}
