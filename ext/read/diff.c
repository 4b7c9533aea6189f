/* The type Diff: what changed from one Profile to another, as objects and as a report. */
#define PY_SSIZE_T_CLEAN
#include "diff.h"

#include "arguments.h"
#include "values.h"

typedef struct {
    PyObject_HEAD
    nyt_diff *d;                /* owned */
    PyObject *profiles[2];      /* owned: tuples of what the diff looks at */
} Diff;

static const nyt_diff *diff_of(PyObject *self)
{
    return ((Diff *)self)->d;
}

/* ---- What a diff is made of ---- */

static const struct layout total_layout = {
    .id = LAYOUT_TOTAL,
    .name = "pynytprof.diff.Total",
    .doc = "A figure of the whole profiles.",
    .fields = FIELDS(
        FIELD(nyt_diff_total, "is_time", is_time, "It is seconds, else a number of something."),
        FIELD(nyt_diff_total, "before", before, "What it was in the earlier profile."),
        FIELD(nyt_diff_total, "after", after, "What it is in the later one."),
        FIELD(nyt_diff_total, "before_least", before_least, "The least of several runs,"),
        FIELD(nyt_diff_total, "before_most", before_most, "and the most."),
        FIELD(nyt_diff_total, "after_least", after_least, "The same of the later ones."),
        FIELD(nyt_diff_total, "after_most", after_most, "The same of the later ones."),
        FIELD(nyt_diff_total, "name", name, "What conditions call it.")),
                                            .hidden = 1,
                                };

/* One side of a change, and the name of the file. */
struct side {
    nyt_diff_side of;
    const nyt_str *file;
};

static const struct layout side_layout = {
    .id = LAYOUT_SIDE,
    .name = "pynytprof.diff.Side",
    .doc = "A line, sub or call edge in one of the profiles.",
    .fields = FIELDS(
        FIELD(struct side, "fid", of.fid, "The number of its file in this profile."),
        FIELD(struct side, "line", of.line,
              "Of a sub its first line; of an edge the first line that has such a call."),
        FIELD(struct side, "file", file, "The name of its file; None: unknown."),
        FIELD(struct side, "name", of.name,
              "Of a sub, or of the called one; of a line its text, if the profile has it."),
        FIELD(struct side, "caller", of.caller, "Of an edge: the calling sub."),
        FIELD(struct side, "count", of.count, "Executions, or calls."),
        FIELD(struct side, "incl", of.incl, "Inclusive time in seconds."),
        FIELD(struct side, "excl", of.excl, "Exclusive time in seconds."),
        FIELD(struct side, "count_least", of.count_least, "The least of several runs,"),
        FIELD(struct side, "count_most", of.count_most, "and the most."),
        FIELD(struct side, "incl_least", of.incl_least, "The same of the inclusive time."),
        FIELD(struct side, "incl_most", of.incl_most, "The same of the inclusive time."),
        FIELD(struct side, "excl_least", of.excl_least, "The same of the exclusive time."),
        FIELD(struct side, "excl_most", of.excl_most, "The same of the exclusive time."),
        FIELD(struct side, "shared", of.shared,
              "Of a line: its time is a share of one that was measured for several, in one run.")),
                                                    };

/* ---- Opening and closing ---- */

/* A tuple of Profiles as an array to be freed; NULL with an exception. */
static const nyt_profile **profiles_in(PyTypeObject *type, PyObject *tuple)
{
    PyObject *profile = state_of(PyType_GetModule(type))->profile;
    Py_ssize_t n = PyTuple_GET_SIZE(tuple);
    const nyt_profile **list = PyMem_Calloc((size_t)n + 1, sizeof *list);
    if (!list)
        return (const nyt_profile **)PyErr_NoMemory();
    for (Py_ssize_t i = 0; i < n; i++) {
        if (!Py_IS_TYPE(PyTuple_GET_ITEM(tuple, i), (PyTypeObject *)profile)) {
            PyMem_Free(list);
            return (const nyt_profile **)PyErr_Format(PyExc_TypeError, "a Profile is needed");
        }
        list[i] = profile_of(PyTuple_GET_ITEM(tuple, i));
    }
    return list;
}

static int make_diff(nyt_diff **d, PyTypeObject *type, PyObject *before, PyObject *after, int take,
                     nyt_error *err)
{
    const nyt_profile **a = profiles_in(type, before), **b = a ? profiles_in(type, after) : NULL;
    size_t a_count = (size_t)PyTuple_GET_SIZE(before), b_count = (size_t)PyTuple_GET_SIZE(after);
    int rc = NYT_ENOMEM;
    if (b) {
        Py_BEGIN_ALLOW_THREADS
        rc = nyt_diff_new_runs(d, a, a_count, b, b_count, (nyt_diff_take)take, err);
        Py_END_ALLOW_THREADS
    }
    PyMem_Free(a);
    PyMem_Free(b);
    return rc;
}

static PyObject *diff_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs))
{
    PyObject *before, *after;
    nyt_diff *d = NULL;
    nyt_error err;
    int take = NYT_TAKE_LEAST;
    if (!PyArg_ParseTuple(args, "O!O!|i:Diff", &PyTuple_Type, &before, &PyTuple_Type, &after,
                          &take))
        return NULL;
    int rc = make_diff(&d, type, before, after, take, &err);
    if (PyErr_Occurred())
        return NULL;
    if (rc == NYT_EAPI)
        return PyErr_Format(PyExc_ValueError, "%s", err.message);
    if (rc < 0)
        return raise_nyt_error(&err, NULL);
    Diff *self = (Diff *)type->tp_alloc(type, 0);
    if (!self) {
        nyt_diff_free(d);
        return NULL;
    }
    self->d = d;
    self->profiles[0] = Py_NewRef(before);
    self->profiles[1] = Py_NewRef(after);
    return (PyObject *)self;
}

static void diff_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    nyt_diff_free(((Diff *)op)->d);
    Py_CLEAR(((Diff *)op)->profiles[0]);
    Py_CLEAR(((Diff *)op)->profiles[1]);
    type->tp_free(op);
    Py_DECREF(type);
}

/* ---- Methods ---- */

static PyObject *diff_totals(PyObject *self, PyObject *Py_UNUSED(none))
{
    size_t n;
    const nyt_diff_total *all = nyt_diff_totals(diff_of(self), &n);
    return structs_of(module_of(self), &total_layout, all, sizeof *all, n);
}

static PyObject *side_object(PyObject *self, int which, const nyt_diff_side *of)
{
    if (!of->there)
        Py_RETURN_NONE;
    const nyt_profile *profile = profile_of(PyTuple_GET_ITEM(((Diff *)self)->profiles[which], 0));
    const nyt_file *file = nyt_profile_file(profile, of->fid);
    struct side side = {*of, file ? &file->name : NULL};
    return struct_of(module_of(self), &side_layout, &side);
}

static PyObject *diff_entries(PyObject *self, PyObject *args)
{
    int kind;
    size_t n;
    if (!PyArg_ParseTuple(args, "i:entries", &kind))
        return NULL;
    if (kind < NYT_DIFF_LINES || kind > NYT_DIFF_EDGES)
        return PyErr_Format(PyExc_ValueError, "there is no kind %d", kind);
    const nyt_delta *all = nyt_diff_list(diff_of(self), (nyt_diff_kind)kind, &n);
    PyObject *list = PyList_New((Py_ssize_t)n);
    for (size_t i = 0; list && i < n; i++)
        set_item(&list, i,
                 Py_BuildValue("(NN)", side_object(self, 0, &all[i].before),
                               side_object(self, 1, &all[i].after)));
    return list;
}

/* A wrong condition or option is the caller's. */
static PyObject *diffed(int rc, const nyt_error *err)
{
    if (rc == NYT_EAPI && !PyErr_Occurred())
        return PyErr_Format(PyExc_ValueError, "%s (at character %llu)", err->message,
                            (unsigned long long)err->offset + 1);
    if (rc < 0)
        return raise_nyt_error(err, NULL);
    return PyBool_FromLong(rc);
}

static PyObject *diff_check(PyObject *self, PyObject *args)
{
    const char *condition;
    PyObject *write;
    nyt_error err;
    if (!PyArg_ParseTuple(args, "sO:check", &condition, &write))
        return NULL;
    return diffed(nyt_diff_check(diff_of(self), condition, call_write, write, &err), &err);
}

enum { MAX_CONDITIONS = 100 };

static bool conditions_of(PyObject *tuple, const char *conditions[MAX_CONDITIONS])
{
    Py_ssize_t n = PyTuple_GET_SIZE(tuple);
    if (n > MAX_CONDITIONS) {
        PyErr_SetString(PyExc_ValueError, "too many conditions");
        return false;
    }
    for (Py_ssize_t i = 0; i < n; i++)
        if (!(conditions[i] = PyUnicode_AsUTF8(PyTuple_GET_ITEM(tuple, i))))
            return false;
    return true;
}

static PyObject *diff_report(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"write",    "top",    "sort",  "width",      "colour",     "json",
                            "markdown", "before", "after", "min_change", "conditions", NULL};
    const char *conditions[MAX_CONDITIONS];
    nyt_diff_options o = {.conditions = conditions};
    PyObject *write, *tuple = NULL;
    Py_ssize_t top = 0, width = 0;
    int sort = NYT_SORT_TIME, colour = 0, json = 0, markdown = 0;
    nyt_error err;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$ninpppzzzO!:report", names, &write, &top,
                                     &sort, &width, &colour, &json, &markdown, &o.report.path,
                                     &o.path_after, &o.min_change, &PyTuple_Type, &tuple))
        return NULL;
    if (top < 0 || width < 0 || sort < NYT_SORT_TIME || sort > NYT_SORT_PLACE)
        return PyErr_Format(PyExc_ValueError, "no such report");
    if (tuple && !conditions_of(tuple, conditions))
        return NULL;
    o.report.top = (size_t)top;
    o.report.width = (size_t)width;
    o.report.sort = (nyt_sort)sort;
    o.report.colour = colour;
    o.report.json = json;
    o.markdown = markdown;
    o.condition_count = tuple ? (size_t)PyTuple_GET_SIZE(tuple) : 0;
    return diffed(nyt_report_diff(diff_of(self), &o, call_write, write, &err), &err);
}

/* ---- Functions of the module ---- */

PyObject *diff_check_condition(PyObject *Py_UNUSED(module), PyObject *args)
{
    const char *condition;
    nyt_error err;
    if (!PyArg_ParseTuple(args, "s:check_condition", &condition))
        return NULL;
    return diffed(nyt_diff_check(NULL, condition, NULL, NULL, &err), &err);
}

PyObject *diff_check_min_change(PyObject *Py_UNUSED(module), PyObject *args)
{
    const char *text;
    nyt_error err;
    if (!PyArg_ParseTuple(args, "s:check_min_change", &text))
        return NULL;
    return diffed(nyt_diff_min_change(text, &err), &err);
}

/* ---- The type ---- */

static PyMethodDef diff_methods[] = {
    {"totals", diff_totals, METH_NOARGS,
     PyDoc_STR("totals($self)\n--\n\nThe figures of whole profiles.")},
    {"entries", diff_entries, METH_VARARGS,
     PyDoc_STR("entries($self, kind, /)\n--\n\n"
               "All lines (0), subs (1) or call edges (2) as they were before and after.\n\n"
               "None: there was none.")},
    {"check", diff_check, METH_VARARGS,
     PyDoc_STR("check($self, condition, write, /)\n--\n\n"
               "True if a condition is met; passes it with the figures to write().")},
    {"report", (PyCFunction)(void (*)(void))diff_report, METH_VARARGS | METH_KEYWORDS,
     PyDoc_STR("report($self, write, *, top=0, sort=0, width=0, colour=False, json=False,\n"
               "       markdown=False, before=None, after=None, min_change=None, conditions=())\n"
               "--\n\n"
               "Passes what changed most to write().")},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(diff_doc,
    "Diff(before, after, take=0, /)\n--\n\n"
    "What changed from some Profiles, runs of one program, to others; both are tuples. Of the times\n"
    "of several runs the least (0) or the medians (1) are taken.");

static PyType_Slot diff_slots[] = {
    {Py_tp_doc, (void *)diff_doc},
    {Py_tp_new, diff_new},
    {Py_tp_dealloc, diff_dealloc},
    {Py_tp_methods, diff_methods},
    {0, NULL},
};

static PyType_Spec diff_spec = {
    .name = "pynytprof._cread.Diff",
    .basicsize = sizeof(Diff),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = diff_slots,
};

int add_diff(PyObject *module)
{
    if (add_layout(module, &total_layout) < 0 || add_layout(module, &side_layout) < 0)
        return -1;
    PyObject *type = PyType_FromModuleAndSpec(module, &diff_spec, NULL);
    state_of(module)->diff = type;
    return type ? PyModule_AddType(module, (PyTypeObject *)type) : -1;
}
