/*
 * Records one after the other: Reader is an iterator, and each kind of record is a type with
 * named fields (a struct sequence), to which offset and inflated are added as attributes.
 */
#define PY_SSIZE_T_CLEAN
#include "cread.h"

#include <stddef.h>

/* ---- Types of records ---- */

enum { FIELDS_MAX = 9, ADDED = 2 };

struct kind {
    nyt_tag     tag;
    const char *name, *doc;
    const char *fields[FIELDS_MAX + 1];
};

/* Fields are called and ordered as in nytprof.h. */
static const struct kind kinds[] = {
    {NYT_TAG_VERSION, "pynytprof.reader.Version", "The first line of the file.",
     {"major", "minor"}},
    {NYT_TAG_COMMENT, "pynytprof.reader.Comment", "Text without meaning.", {"text"}},
    {NYT_TAG_ATTRIBUTE, "pynytprof.reader.Attribute", "A fact about the file.",
     {"key", "value"}},
    {NYT_TAG_OPTION, "pynytprof.reader.Option", "An option of the profiler.", {"key", "value"}},
    {NYT_TAG_START_DEFLATE, "pynytprof.reader.StartDeflate", "What follows is compressed.",
     {NULL}},
    {NYT_TAG_PID_START, "pynytprof.reader.PidStart", "A process began; seconds since the epoch.",
     {"pid", "parent", "time"}},
    {NYT_TAG_PID_END, "pynytprof.reader.PidEnd", "A process ended; seconds since the epoch.",
     {"pid", "time"}},
    {NYT_TAG_NEW_FID, "pynytprof.reader.NewFid", "A file, or a string eval.",
     {"fid", "eval_fid", "eval_line", "flags", "size", "mtime", "name"}},
    {NYT_TAG_TIME_LINE, "pynytprof.reader.TimeLine", "A line ran once.",
     {"ticks", "fid", "line"}},
    {NYT_TAG_TIME_BLOCK, "pynytprof.reader.TimeBlock",
     "A line ran once, in a block and a sub that begin on these lines.",
     {"ticks", "fid", "line", "block_line", "sub_line"}},
    {NYT_TAG_DISCOUNT, "pynytprof.reader.Discount", "The next time of a line counts no run.",
     {NULL}},
    {NYT_TAG_SUB_ENTRY, "pynytprof.reader.SubEntry", "A sub was called on this line.",
     {"fid", "line"}},
    {NYT_TAG_SUB_RETURN, "pynytprof.reader.SubReturn", "A sub came back; times in ticks.",
     {"depth", "incl", "excl", "name"}},
    {NYT_TAG_SRC_LINE, "pynytprof.reader.SrcLine", "A line of source.", {"fid", "line", "text"}},
    {NYT_TAG_SUB_INFO, "pynytprof.reader.SubInfo", "Where a sub is defined.",
     {"fid", "name", "first", "last"}},
    {NYT_TAG_SUB_CALLERS, "pynytprof.reader.SubCallers",
     "Calls of one sub by another on one line; times in seconds.",
     {"fid", "line", "caller", "count", "incl", "excl", "reci", "depth", "called"}},
};
_Static_assert(sizeof kinds / sizeof *kinds == RECORD_KINDS, "a type for each kind");

static int field_count(const struct kind *kind)
{
    int n = 0;
    while (kind->fields[n])
        n++;
    return n;
}

static PyTypeObject *new_type(const struct kind *kind)
{
    PyStructSequence_Field fields[FIELDS_MAX + ADDED + 1] = {{NULL, NULL}};
    int n = field_count(kind);
    for (int i = 0; i < n; i++)
        fields[i].name = kind->fields[i];
    fields[n] = (PyStructSequence_Field){
        "offset", "Of the record in bytes, in the file or in what its compressed part inflates to"};
    fields[n + 1] = (PyStructSequence_Field){"inflated", "Which of the two"};
    PyStructSequence_Desc desc = {kind->name, kind->doc, fields, n};
    return PyStructSequence_NewType(&desc);
}

static int add_types(PyObject *module)
{
    module_state *state = state_of(module);
    for (size_t i = 0; i < RECORD_KINDS; i++) {
        state->records[i] = new_type(&kinds[i]);
        if (!state->records[i] || PyModule_AddType(module, state->records[i]) < 0)
            return -1;
    }
    return 0;
}

/* ---- Records as objects ---- */

static size_t kind_of(nyt_tag tag)
{
    size_t i = 0;
    while (i < RECORD_KINDS && kinds[i].tag != tag)
        i++;
    return i;
}

/* The fields of a record as a tuple, which is as long as its kind has fields. */
static PyObject *fields_of(const nyt_record *r)
{
    switch (r->tag) {
    case NYT_TAG_VERSION:
        return Py_BuildValue("(II)", r->u.version.major, r->u.version.minor);
    case NYT_TAG_COMMENT:
        return Py_BuildValue("(N)", text_of(r->u.comment.text));
    case NYT_TAG_ATTRIBUTE:
    case NYT_TAG_OPTION:
        return Py_BuildValue("(NN)", text_of(r->u.pair.key), text_or_none(r->u.pair.value));
    case NYT_TAG_PID_START:
        return Py_BuildValue("(IId)", r->u.pid_start.pid, r->u.pid_start.parent,
                             r->u.pid_start.time);
    case NYT_TAG_PID_END:
        return Py_BuildValue("(Id)", r->u.pid_end.pid, r->u.pid_end.time);
    case NYT_TAG_NEW_FID:
        return Py_BuildValue("(IIIIIIN)", r->u.new_fid.fid, r->u.new_fid.eval_fid,
                             r->u.new_fid.eval_line, r->u.new_fid.flags, r->u.new_fid.size,
                             r->u.new_fid.mtime, text_of(r->u.new_fid.name));
    case NYT_TAG_TIME_LINE:
        return Py_BuildValue("(iII)", r->u.time.ticks, r->u.time.fid, r->u.time.line);
    case NYT_TAG_TIME_BLOCK:
        return Py_BuildValue("(iIIII)", r->u.time.ticks, r->u.time.fid, r->u.time.line,
                             r->u.time.block_line, r->u.time.sub_line);
    case NYT_TAG_SUB_ENTRY:
        return Py_BuildValue("(II)", r->u.sub_entry.fid, r->u.sub_entry.line);
    case NYT_TAG_SUB_RETURN:
        return Py_BuildValue("(IddN)", r->u.sub_return.depth, r->u.sub_return.incl,
                             r->u.sub_return.excl, text_of(r->u.sub_return.name));
    case NYT_TAG_SRC_LINE:
        return Py_BuildValue("(IIN)", r->u.src_line.fid, r->u.src_line.line,
                             text_of(r->u.src_line.text));
    case NYT_TAG_SUB_INFO:
        return Py_BuildValue("(INII)", r->u.sub_info.fid, text_of(r->u.sub_info.name),
                             r->u.sub_info.first, r->u.sub_info.last);
    case NYT_TAG_SUB_CALLERS:
        return Py_BuildValue("(IINIdddIN)", r->u.sub_callers.fid, r->u.sub_callers.line,
                             text_of(r->u.sub_callers.caller), r->u.sub_callers.count,
                             r->u.sub_callers.incl, r->u.sub_callers.excl, r->u.sub_callers.reci,
                             r->u.sub_callers.depth, text_of(r->u.sub_callers.called));
    default:
        return PyTuple_New(0);
    }
}

static PyObject *record_object(const module_state *state, const nyt_record *r)
{
    size_t kind = kind_of(r->tag);
    if (kind == RECORD_KINDS)
        return PyErr_Format(PyExc_SystemError, "an unknown kind of record, %d", (int)r->tag);
    PyObject *fields = fields_of(r);
    PyObject *offset = fields ? PyLong_FromUnsignedLongLong(r->offset) : NULL;
    PyObject *record = offset ? PyStructSequence_New(state->records[kind]) : NULL;
    if (record) {
        Py_ssize_t n = PyTuple_GET_SIZE(fields);
        for (Py_ssize_t i = 0; i < n; i++)
            PyStructSequence_SetItem(record, i, Py_NewRef(PyTuple_GET_ITEM(fields, i)));
        PyStructSequence_SetItem(record, n, offset);
        PyStructSequence_SetItem(record, n + 1, PyBool_FromLong(r->in_deflate));
        offset = NULL;
    }
    Py_XDECREF(offset);
    Py_XDECREF(fields);
    return record;
}

/* ---- Reader ---- */

typedef struct {
    PyObject_HEAD
    nyt_reader *in;         /* NULL: at the end, or failed */
    PyObject   *path;
} Reader;

static PyObject *reader_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path", NULL};
    struct path path = {NULL, NULL};
    nyt_reader *in = NULL;
    nyt_error err;
    Reader *self = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O&:Reader", names, path_converter, &path)) {
        path_free(&path);
        return NULL;
    }
    if (nyt_reader_open(&in, PyBytes_AS_STRING(path.bytes), &err) < 0)
        raise_read_error(PyType_GetModule(type), &err, path.object);
    else
        self = (Reader *)type->tp_alloc(type, 0);
    if (self) {
        self->in = in;
        self->path = Py_NewRef(path.object);
    } else {
        nyt_reader_close(in);
    }
    path_free(&path);
    return (PyObject *)self;
}

static void reader_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    nyt_reader_close(((Reader *)op)->in);
    Py_CLEAR(((Reader *)op)->path);
    type->tp_free(op);
    Py_DECREF(type);
}

/* The file is closed as soon as there is no more to come. */
static PyObject *reader_next(PyObject *op)
{
    Reader *self = (Reader *)op;
    PyObject *module = PyType_GetModule(Py_TYPE(op));
    nyt_record record;
    nyt_error err;
    if (!self->in)
        return NULL;
    int rc = nyt_reader_next(self->in, &record, &err);
    if (rc > 0)
        return record_object(state_of(module), &record);
    nyt_reader_close(self->in);
    self->in = NULL;
    return rc < 0 ? raise_read_error(module, &err, self->path) : NULL;
}

PyDoc_STRVAR(reader_doc, "Reader(path)\n--\n\nThe records of a file, one after the other.");

static PyType_Slot reader_slots[] = {
    {Py_tp_doc, (void *)reader_doc},
    {Py_tp_new, reader_new},
    {Py_tp_dealloc, reader_dealloc},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, reader_next},
    {0, NULL},
};

static PyType_Spec reader_spec = {
    .name = "pynytprof._cread.Reader",
    .basicsize = sizeof(Reader),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = reader_slots,
};

/* ---- Both in the module ---- */

int add_records(PyObject *module)
{
    module_state *state = state_of(module);
    if (add_types(module) < 0)
        return -1;
    state->reader = PyType_FromModuleAndSpec(module, &reader_spec, NULL);
    return state->reader ? PyModule_AddType(module, (PyTypeObject *)state->reader) : -1;
}

int visit_records(module_state *state, visitproc visit, void *arg)
{
    Py_VISIT(state->reader);
    for (size_t i = 0; i < RECORD_KINDS; i++)
        Py_VISIT(state->records[i]);
    return 0;
}

void clear_records(module_state *state)
{
    Py_CLEAR(state->reader);
    for (size_t i = 0; i < RECORD_KINDS; i++)
        Py_CLEAR(state->records[i]);
}
