/* The commands that look at profiles: each opens one file, calls the library and says how it went. */
#include "commands.h"

#include "load.h"
#include "message.h"
#include "streams.h"

#include <stdlib.h>
#include <string.h>

/* ---- dump, info ---- */

static enum exit_status dump_records(const struct options *options, const char *path, FILE *out)
{
    nyt_reader *in;
    nyt_error err;
    int rc = open_reader(&in, options, path, &err);
    if (rc < 0)
        return unreadable(options, path, &err);
    rc = options->jsonl ? nyt_export_jsonl(in, write_stream, out, &err)
                        : nyt_export_text(in, write_stream, out, &err);
    nyt_reader_close(in);
    return finished(options, rc, path, out, &err);
}

static enum exit_status dump_model(const struct options *options, const char *path, FILE *out)
{
    nyt_profile *p;
    nyt_error err;
    if (load_profile(&p, options, path, &err) < 0)
        return unreadable(options, path, &err);
    int rc = nyt_export_model(p, write_stream, out, &err);
    enum exit_status status = finished(options, rc, path, out, &err);
    if (nyt_profile_fault(p)) {
        complain(options->io, path, nyt_profile_fault(p));
        status = EXIT_INCOMPLETE;
    }
    nyt_profile_free(p);
    return status;
}

enum exit_status command_dump(const struct options *options, const char *path, FILE *out)
{
    return options->model ? dump_model(options, path, out) : dump_records(options, path, out);
}

enum exit_status command_info(const struct options *options, const char *path, FILE *out)
{
    nyt_profile *p;
    nyt_error err;
    nyt_report_options report = options->report;
    report.path = path;
    if (load_profile(&p, options, path, &err) < 0)
        return unreadable(options, path, &err);
    int rc = nyt_report_info(p, &report, write_stream, out, &err);
    nyt_profile_free(p);
    return finished(options, rc, path, out, &err);
}
