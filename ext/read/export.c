/*
 * Profiles written in other formats and as reports, and the records of files as text. Each
 * function passes bytes to a write() of the caller's.
 */
#define PY_SSIZE_T_CLEAN
#include "export.h"

#include "arguments.h"
#include "values.h"

static const struct layout format_layout = {
    .id = LAYOUT_FORMAT,
    .name = "pynytprof.convert.Format",
    .doc = "A format that profiles can be exported to.",
    .fields = FIELDS(
        FIELD(nyt_export_format, "name", name, "What it is called."),
        FIELD(nyt_export_format, "suffix", suffix, "What files of this format end with."),
        FIELD(nyt_export_format, "binary", binary, "It is no text, and nothing for terminals."),
        FIELD(nyt_export_format, "limited", limited, "It can be kept below a number of bytes."),
        FIELD(nyt_export_format, "picture", picture, "It can be kept below a number of subs."),
        FIELD(nyt_export_format, "folder", folder, "It is several files."),
        FIELD(nyt_export_format, "text", help, "What it is, in a few words.")),
                          };

static const struct layout left_out_layout = {
    .id = LAYOUT_LEFT_OUT,
    .name = "pynytprof.convert.LeftOut",
    .doc = "What an export did not take as it was.",
    .fields = FIELDS(
        FIELD(nyt_limit, "paths", left_out, "Number of call paths."),
        FIELD(nyt_limit, "seconds", left_out_time, "Exclusive time of these."),
        FIELD(nyt_limit, "lines", left_out_lines, "Number of lines."),
        FIELD(nyt_limit, "shown", shown,
              "How much there was: 0 all, 1 no call tree, 2 no calls, 3 nothing."),
        FIELD(nyt_limit, "folded_levels", folded_levels,
              "Levels of the deepest recursion that is one frame, or 0."),
        FIELD(nyt_limit, "cut_paths", cut_paths, "Call paths that are deeper than 1000 frames."),
        FIELD(nyt_limit, "missing_files", missing_files,
              "Number of files left out because they do not exist.")),
                          };

int add_exports(PyObject *module)
{
    return add_layout(module, &format_layout) < 0 ? -1 : add_layout(module, &left_out_layout);
}

/* ---- Formats ---- */

/* None, or the exception for what an export ended with. */
static PyObject *exported(PyObject *profile, int rc, const nyt_error *err)
{
    if (rc < 0)
        return raise_read_error(module_of(profile), err, ((Profile *)profile)->path);
    Py_RETURN_NONE;
}

PyObject *export_model(PyObject *profile, PyObject *write)
{
    nyt_error err;
    int rc = nyt_export_model(profile_of(profile), call_write, write, &err);
    return exported(profile, rc, &err);
}

PyObject *export_fragment(PyObject *profile, PyObject *write)
{
    nyt_error err;
    int rc = nyt_report_fragment(profile_of(profile), call_write, write, &err);
    return exported(profile, rc, &err);
}

PyObject *export_format(PyObject *profile, PyObject *args)
{
    const char *name;
    PyObject *write;
    unsigned long long max_bytes = 0;
    Py_ssize_t top = 0;
    nyt_error err;
    if (!PyArg_ParseTuple(args, "sO|Kn:export", &name, &write, &max_bytes, &top))
        return NULL;
    if (top < 0)
        return PyErr_Format(PyExc_ValueError, "there are no %zd subs", top);
    const nyt_export_format *format = nyt_export_format_named(name);
    if (!format || format->folder)
        return PyErr_Format(PyExc_ValueError, "there is no format '%s'", name);
    nyt_limit limit = {.max_bytes = max_bytes, .top = (size_t)top};
    int rc = format->write(profile_of(profile), &limit, call_write, write, &err);
    if (rc < 0)
        return exported(profile, rc, &err);
    return struct_of(module_of(profile), &left_out_layout, &limit);
}

PyObject *export_formats(PyObject *module, PyObject *Py_UNUSED(unused))
{
    size_t n;
    const nyt_export_format *all = nyt_export_formats(&n);
    return structs_of(module, &format_layout, all, sizeof *all, n);
}

/* The two callables that nyt_export_nytprofcsv() goes back and forth between. */
struct files {
    PyObject *begin, *write;        /* borrowed */
};

static int call_begin(void *ctx, const char *name)
{
    PyObject *result = PyObject_CallFunction(((struct files *)ctx)->begin, "s", name);
    if (!result)
        return NYT_EIO;
    Py_DECREF(result);
    return NYT_OK;
}

static int call_files_write(void *ctx, const void *data, size_t len)
{
    return call_write(((struct files *)ctx)->write, data, len);
}

PyObject *export_csv(PyObject *profile, PyObject *args)
{
    struct files files;
    nyt_error err;
    if (!PyArg_ParseTuple(args, "OO:csv", &files.begin, &files.write))
        return NULL;
    int rc = nyt_export_nytprofcsv(profile_of(profile), call_begin, call_files_write, &files, &err);
    return exported(profile, rc, &err);
}

/* ---- Reports ---- */

/* The options that all reports share, and a `fid` if `names` has it; false: an exception is set. */
static bool report_arguments(PyObject *args, PyObject *kwargs, const char *format, char **names,
                             PyObject **write, nyt_report_options *o, unsigned *fid)
{
    Py_ssize_t top = 0, width = 0;
    int sort = NYT_SORT_TIME, colour = 0, json = 0;
    *o = (nyt_report_options){0};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, format, names, write, &top, &sort, &width,
                                     &colour, &json, &o->path, fid))
        return false;
    if (top < 0 || width < 0 || sort < NYT_SORT_TIME || sort > NYT_SORT_PLACE) {
        PyErr_SetString(PyExc_ValueError, "no such report");
        return false;
    }
    o->top = (size_t)top;
    o->width = (size_t)width;
    o->sort = (nyt_sort)sort;
    o->colour = colour;
    o->json = json;
    return true;
}

PyObject *export_summary(PyObject *profile, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"write", "top", "sort", "width", "colour", "json", "path", "fid", NULL};
    PyObject *write;
    nyt_report_options options;
    nyt_error err;
    unsigned fid = 0;
    if (!report_arguments(args, kwargs, "O|$ninppzI:summary", names, &write, &options, &fid))
        return NULL;
    const nyt_profile *p = profile_of(profile);
    int rc = fid ? nyt_report_source(p, fid, &options, call_write, write, &err)
                 : nyt_report_summary(p, &options, call_write, write, &err);
    return exported(profile, rc, &err);
}

PyObject *export_info(PyObject *profile, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"write", "top", "sort", "width", "colour", "json", "path", NULL};
    PyObject *write;
    nyt_report_options options;
    nyt_error err;
    if (!report_arguments(args, kwargs, "O|$ninppz:info", names, &write, &options, NULL))
        return NULL;
    int rc = nyt_report_info(profile_of(profile), &options, call_write, write, &err);
    return exported(profile, rc, &err);
}

/* ---- Records as text ---- */

static PyObject *dumped(PyObject *module, const struct path *path, PyObject *write, bool jsonl)
{
    nyt_reader *in;
    nyt_error err;
    int rc = nyt_reader_open(&in, PyBytes_AS_STRING(path->bytes), &err);
    if (rc < 0)
        return raise_read_error(module, &err, path->object);
    rc = jsonl ? nyt_export_jsonl(in, call_write, write, &err)
               : nyt_export_text(in, call_write, write, &err);
    nyt_reader_close(in);
    if (rc < 0)
        return raise_read_error(module, &err, path->object);
    Py_RETURN_NONE;
}

PyObject *export_dump(PyObject *module, PyObject *args)
{
    struct path path = {NULL, NULL};
    PyObject *write, *result = NULL;
    int jsonl = 0;
    if (PyArg_ParseTuple(args, "O&O|p:dump", path_converter, &path, &write, &jsonl))
        result = dumped(module, &path, write, jsonl);
    path_free(&path);
    return result;
}
