/*
 * Records one after the other: Reader is an iterator, and each kind of record is a type with
 * named fields, to which offset and inflated are added as attributes.
 */
#define PY_SSIZE_T_CLEAN
#include "records.h"

#include "arguments.h"
#include "values.h"

/* ---- Types of records ---- */

struct kind {
    nyt_tag tag;
    struct layout layout;
};

/* Rows of the table. Each type has the fields of its kind, and where the record stands. */
#define RECORD(kind, type, text, ...)   \
    {NYT_TAG_##kind,                    \
     {.id = LAYOUT_##kind,              \
      .name = "pynytprof.reader." type, \
      .doc = text,                      \
      .fields = FIELDS(__VA_ARGS__), .hidden = 2}}
#define IN(member, name, doc) FIELD(nyt_record, #name, u.member.name, doc)
#define OPTIONAL_TEXT(member, name, doc) \
    FIELD_WITH(text_or_none_at, nyt_record, #name, u.member.name, doc)
#define PLACE                                                                                \
    FIELD(nyt_record, "offset", offset,                                                      \
          "Of the record in bytes, in the file or in what its compressed part inflates to"), \
        FIELD(nyt_record, "inflated", in_deflate, "Which of the two")

static const struct kind kinds[] = {
    RECORD(VERSION, "Version", "The first line of the file.",
           IN(version, major, "Major version of the file format: 5."),
           IN(version, minor, "Minor version of the file format."), PLACE),
    RECORD(COMMENT, "Comment", "Text without meaning.",
           IN(comment, text, "The text, newline included."), PLACE),
    RECORD(ATTRIBUTE, "Attribute", "A fact about the file.", IN(pair, key, "What it is about."),
           OPTIONAL_TEXT(pair, value, "The fact; None: the file ends in mid-value."), PLACE),
    RECORD(OPTION, "Option", "An option of the profiler.", IN(pair, key, "Its name."),
           OPTIONAL_TEXT(pair, value, "Its value; None: the file ends in mid-value."), PLACE),
    RECORD(START_DEFLATE, "StartDeflate", "What follows is compressed.", PLACE),
    RECORD(PID_START, "PidStart", "A process began; seconds since the epoch.",
           IN(pid_start, pid, "Its number."),
           IN(pid_start, parent, "The number of the process that started it."),
           IN(pid_start, time, "When it began, in seconds since the epoch."), PLACE),
    RECORD(PID_END, "PidEnd", "A process ended; seconds since the epoch.",
           IN(pid_end, pid, "Its number."),
           IN(pid_end, time, "When it ended, in seconds since the epoch."), PLACE),
    RECORD(NEW_FID, "NewFid", "A file, or a string eval.", IN(new_fid, fid, "Its number, from 1."),
           IN(new_fid, eval_fid, "Of an eval: the fid that ran it, else 0."),
           IN(new_fid, eval_line, "Of an eval: the line that ran it, else 0."),
           IN(new_fid, flags, "NYTProf's flags."), IN(new_fid, size, "In bytes; 0: unknown."),
           IN(new_fid, mtime, "When it was last modified, in seconds since the epoch; 0: unknown."),
           IN(new_fid, name, "Its path, or what the language calls it."), PLACE),
    RECORD(TIME_LINE, "TimeLine", "A line ran once.", IN(time, ticks, "How long it took."),
           IN(time, fid, "The number of its file."), IN(time, line, "Its number."), PLACE),
    RECORD(TIME_BLOCK, "TimeBlock",
           "A line ran once, in a block and a sub that begin on these lines.",
           IN(time, ticks, "How long it took."), IN(time, fid, "The number of its file."),
           IN(time, line, "Its number."), IN(time, block_line, "The first line of the block."),
           IN(time, sub_line, "The first line of the sub."), PLACE),
    RECORD(DISCOUNT, "Discount", "The next time of a line counts no run.", PLACE),
    RECORD(SUB_ENTRY, "SubEntry", "A sub was called on this line.",
           IN(sub_entry, fid, "The number of the calling line's file."),
           IN(sub_entry, line, "The calling line."), PLACE),
    RECORD(SUB_RETURN, "SubReturn", "A sub came back; times in ticks.",
           IN(sub_return, depth, "Calls on the stack; 1: called from the top level."),
           IN(sub_return, incl, "Inclusive time in ticks."),
           IN(sub_return, excl, "Exclusive time in ticks."),
           IN(sub_return, name, "The name of the sub."), PLACE),
    RECORD(SRC_LINE, "SrcLine", "A line of source.", IN(src_line, fid, "The number of its file."),
           IN(src_line, line, "Its number."),
           IN(src_line, text, "Its text, newline included if it has one."), PLACE),
    RECORD(SUB_INFO, "SubInfo", "Where a sub is defined.",
           IN(sub_info, fid, "The number of its file."), IN(sub_info, name, "Its name."),
           IN(sub_info, first, "Its first line; 0: not written in the profiled language."),
           IN(sub_info, last, "Its last line; 0: not written in the profiled language."), PLACE),
    RECORD(SUB_CALLERS, "SubCallers", "Calls of one sub by another on one line; times in seconds.",
           IN(sub_callers, fid, "The number of the calling line's file."),
           IN(sub_callers, line, "The calling line."),
           IN(sub_callers, caller, "The name of the calling sub."),
           IN(sub_callers, count, "How many calls."),
           IN(sub_callers, incl, "Inclusive time of outermost activations, in seconds."),
           IN(sub_callers, excl, "Exclusive time, in seconds."),
           IN(sub_callers, reci, "Inclusive time of activations inside another one, in seconds."),
           IN(sub_callers, depth, "The most activations of the called found below."),
           IN(sub_callers, called, "The name of the sub that is called."), PLACE),
};

enum { KINDS = sizeof kinds / sizeof *kinds };

static const struct layout *layout_of(nyt_tag tag)
{
    for (size_t i = 0; i < KINDS; i++)
        if (kinds[i].tag == tag)
            return &kinds[i].layout;
    return NULL;
}

static PyObject *record_object(PyObject *module, const nyt_record *record)
{
    const struct layout *layout = layout_of(record->tag);
    if (layout)
        return struct_of(module, layout, record);
    return PyErr_Format(PyExc_SystemError, "an unknown kind of record, %d", (int)record->tag);
}

/* ---- Reader ---- */

typedef struct {
    PyObject_HEAD
    nyt_reader *in; /* owned; NULL: at the end, or failed */
    PyObject *path; /* owned */
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
    PyObject *module = module_of(op);
    nyt_record record;
    nyt_error err;
    if (!self->in)
        return NULL;
    int rc = nyt_reader_next(self->in, &record, &err);
    if (rc > 0)
        return record_object(module, &record);
    nyt_reader_close(self->in);
    self->in = NULL;
    return rc < 0 ? raise_read_error(module, &err, self->path) : NULL;
}

PyDoc_STRVAR(reader_doc, "Reader(path)\n--\n\nThe records of a file, one after the other.");

static PyType_Slot reader_slots[] = {
    {Py_tp_doc, (void *)reader_doc}, {Py_tp_new, reader_new},       {Py_tp_dealloc, reader_dealloc},
    {Py_tp_iter, PyObject_SelfIter}, {Py_tp_iternext, reader_next}, {0, NULL},
};

static PyType_Spec reader_spec = {
    .name = "pynytprof._cread.Reader",
    .basicsize = sizeof(Reader),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = reader_slots,
};

int add_records(PyObject *module)
{
    for (size_t i = 0; i < KINDS; i++)
        if (add_layout(module, &kinds[i].layout) < 0)
            return -1;
    PyObject *type = PyType_FromModuleAndSpec(module, &reader_spec, NULL);
    state_of(module)->reader = type;
    return type ? PyModule_AddType(module, (PyTypeObject *)type) : -1;
}
