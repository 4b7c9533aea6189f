/* Profiles made into one sound profile: many added up, or one that is broken. */
#define PY_SSIZE_T_CLEAN
#include "merge.h"

#include "arguments.h"
#include "values.h"

/* ---- Notes ---- */

static PyObject *note_path(const void *value)
{
    const nyt_note *note = value;
    return note->path ? PyUnicode_DecodeFSDefault(note->path) : Py_NewRef(Py_None);
}

static PyObject *note_text(const void *value)
{
    const nyt_note *note = value;
    return PyUnicode_DecodeUTF8(note->text, (Py_ssize_t)strlen(note->text), "replace");
}

static const struct layout note_layout = {
    .id = LAYOUT_NOTE,
    .name = "pynytprof.convert.Note",
    .doc = "Something that was found on the way.",
    .fields = FIELDS(
        FIELD(nyt_note, "lossy", lossy,
              "Something is missing in the result, or had to be made up."),
        FIELD_OF(note_path, "path", "The profile that it is about; None: the result."),
        FIELD_OF(note_text, "text", "What was found, in one sentence.")),
    };

int add_merge(PyObject *module)
{
    return add_layout(module, &note_layout);
}

struct notes {
    PyObject *module;       /* borrowed */
    PyObject *list;         /* owned; NULL: an exception is set */
};

static void append_note(void *ctx, const nyt_note *note)
{
    struct notes *notes = ctx;
    if (notes->list)
        append_item(&notes->list, struct_of(notes->module, &note_layout, note));
}

/* ---- Writing ---- */

/* (complete, notes); takes the profile, not the notes. */
static PyObject *write_merged(nyt_merged *m, PyObject *write, int level, const struct notes *notes)
{
    nyt_error err;
    bool complete = nyt_merged_complete(m);
    int rc = notes->list ? nyt_merged_write(m, call_write, write, level, &err) : NYT_OK;
    nyt_merged_free(m);
    if (!notes->list)
        return NULL;
    if (rc < 0)
        return raise_read_error(notes->module, &err, Py_None);
    return Py_BuildValue("(NO)", PyBool_FromLong(complete), notes->list);
}

/* ---- Merge ---- */

/* The paths as C has them, which live as long as `fast`; the caller's to free. */
static const char **paths_of(PyObject *fast)
{
    Py_ssize_t n = PySequence_Fast_GET_SIZE(fast);
    const char **paths = PyMem_Calloc((size_t)n + 1, sizeof *paths);
    if (!paths)
        PyErr_NoMemory();
    for (Py_ssize_t i = 0; paths && i < n; i++) {
        PyObject *item = PySequence_Fast_GET_ITEM(fast, i);
        char *path = NULL;
        if (PyBytes_Check(item) && PyBytes_AsStringAndSize(item, &path, NULL) == 0) {
            paths[i] = path;
            continue;
        }
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_TypeError, "the paths must be bytes");
        PyMem_Free(paths);
        paths = NULL;
    }
    return paths;
}

static PyObject *merged(PyObject *fast, PyObject *write, int level, struct notes *notes)
{
    nyt_merged *m;
    nyt_error err;
    const char *failed;
    const char **paths = paths_of(fast);
    if (!paths)
        return NULL;
    int rc = nyt_merge(&m, paths, (size_t)PySequence_Fast_GET_SIZE(fast), append_note, notes,
                       &failed, &err);
    PyMem_Free(paths);
    if (rc == NYT_OK)
        return write_merged(m, write, level, notes);
    if (!notes->list)
        return NULL;
    PyObject *path = PyUnicode_DecodeFSDefault(failed ? failed : "merge");
    if (path)
        raise_read_error(notes->module, &err, path);
    Py_XDECREF(path);
    return NULL;
}

PyObject *merge_profiles(PyObject *module, PyObject *args)
{
    PyObject *paths, *write, *result = NULL;
    int level = 1;
    if (!PyArg_ParseTuple(args, "OO|i:merge", &paths, &write, &level))
        return NULL;
    PyObject *fast = PySequence_Fast(paths, "the paths must be a sequence");
    struct notes notes = {module, fast ? PyList_New(0) : NULL};
    if (notes.list)
        result = merged(fast, write, level, &notes);
    Py_XDECREF(notes.list);
    Py_XDECREF(fast);
    return result;
}

/* ---- Recover ---- */

static PyObject *recovered(const struct path *path, PyObject *write, int level, struct notes *notes)
{
    nyt_merged *m;
    nyt_error err;
    if (nyt_recover(&m, PyBytes_AS_STRING(path->bytes), append_note, notes, &err) == NYT_OK)
        return write_merged(m, write, level, notes);
    return raise_read_error(notes->module, &err, path->object);
}

PyObject *merge_recover(PyObject *module, PyObject *args)
{
    struct path path = {NULL, NULL};
    struct notes notes = {module, PyList_New(0)};
    PyObject *write, *result = NULL;
    int level = 1;
    if (notes.list &&
        PyArg_ParseTuple(args, "O&O|i:recover", path_converter, &path, &write, &level))
        result = recovered(&path, write, level, &notes);
    Py_XDECREF(notes.list);
    path_free(&path);
    return result;
}
