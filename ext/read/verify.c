/* Is a profile sound? libnytprof's findings as a list of objects. */
#define PY_SSIZE_T_CLEAN
#include "verify.h"

#include "arguments.h"
#include "values.h"

static const struct layout finding_layout = {
    .id = LAYOUT_FINDING,
    .name = "pynytprof._cread.Finding",
    .doc = "One departure from what a sound profile obeys.",
    .fields = FIELDS(
        FIELD(nyt_finding, "severity", severity, "0: odd, 1: warned, 2: fatal."),
        FIELD(nyt_finding, "rule", rule, "The rule's name, such as `fid-gap`."),
        FIELD(nyt_finding, "offset", offset,
              "In bytes, in the file or in what its compressed part inflates to."),
        FIELD(nyt_finding, "inflated", in_deflate, "Which of the two."),
        FIELD(nyt_finding, "record", record, "Number of the record; the banner is 0."),
        FIELD(nyt_finding, "text", text, "What is wrong, in one sentence.")),
                    };

int add_verify(PyObject *module)
{
    return add_layout(module, &finding_layout);
}

struct findings {
    PyObject *module;       /* borrowed */
    PyObject *list;         /* owned; NULL: an exception is set */
};

static int append_finding(void *ctx, const nyt_finding *finding)
{
    struct findings *all = ctx;
    PyObject *item = struct_of(all->module, &finding_layout, finding);
    return append_item(&all->list, item) ? NYT_OK : NYT_ENOMEM;
}

static PyObject *verified(PyObject *module, const struct path *path)
{
    struct findings all = {module, PyList_New(0)};
    nyt_verdict verdict;
    nyt_error err;
    if (!all.list)
        return NULL;
    int rc = nyt_verify(PyBytes_AS_STRING(path->bytes), append_finding, &all, &verdict, &err);
    if (rc < 0) {
        Py_CLEAR(all.list);
        return raise_read_error(module, &err, path->object);
    }
    return Py_BuildValue("(KN)", (unsigned long long)verdict.records, all.list);
}

PyObject *verify_file(PyObject *module, PyObject *args)
{
    struct path path = {NULL, NULL};
    PyObject *result = NULL;
    if (PyArg_ParseTuple(args, "O&:verify", path_converter, &path))
        result = verified(module, &path);
    path_free(&path);
    return result;
}
