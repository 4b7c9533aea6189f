/*
 * pynytprof._cread: profiles read, judged and exported, by libnytprof. Results are tuples
 * in the order of the library's structs; reader.py and verify.py give the fields names. Lists
 * can be had in parts, so that large profiles don't become objects all at once.
 */
#define PY_SSIZE_T_CLEAN
#include "cread.h"
#include "run.h"

/* ---- Values ---- */

/* Perl writes names that fit Latin-1 in it, all else as UTF-8. */
PyObject *text_of(nyt_str s)
{
    PyObject *text = PyUnicode_DecodeUTF8(s.data, (Py_ssize_t)s.len, NULL);
    if (text || !PyErr_ExceptionMatches(PyExc_UnicodeDecodeError))
        return text;
    PyErr_Clear();
    return PyUnicode_DecodeLatin1(s.data, (Py_ssize_t)s.len, NULL);
}

/* Bytes that a file ends with in mid-value have no value: None. */
PyObject *text_or_none(nyt_str s)
{
    return s.data ? text_of(s) : Py_NewRef(Py_None);
}

/* Puts a new reference into a list under construction; NULL gives the list up. */
static bool set_item(PyObject **list, size_t i, PyObject *item)
{
    if (!item) {
        Py_CLEAR(*list);
        return false;
    }
    PyList_SET_ITEM(*list, (Py_ssize_t)i, item);
    return true;
}

/* ---- Errors ---- */

PyObject *raise_read_error(PyObject *module, const nyt_error *err, PyObject *path)
{
    bool of_file = err->code == NYT_EFORMAT || err->code == NYT_EVERSION ||
                   err->code == NYT_ETRUNC || err->code == NYT_EDEFLATE ||
                   err->code == NYT_ELIMIT;
    if (!of_file || PyErr_Occurred())
        return raise_nyt_error(err, path);
    return PyErr_Format(state_of(module)->error, "%S: %s (at offset %llu%s)", path, err->message,
                        (unsigned long long)err->offset,
                        err->in_deflate ? " of the inflated data" : "");
}

/* ---- A path among the arguments ---- */

int path_converter(PyObject *arg, void *out)
{
    struct path *path = out;
    path->object = PyOS_FSPath(arg);
    if (!path->object)
        return 0;
    if (PyUnicode_FSConverter(path->object, &path->bytes))
        return 1;
    Py_CLEAR(path->object);
    return 0;
}

void path_free(struct path *path)
{
    Py_CLEAR(path->object);
    Py_CLEAR(path->bytes);
}

/* ---- A callable as a sink ---- */

static int call_write(void *ctx, const void *data, size_t len)
{
    PyObject *bytes = PyBytes_FromStringAndSize(data, (Py_ssize_t)len);
    PyObject *result = bytes ? PyObject_CallOneArg(ctx, bytes) : NULL;
    Py_XDECREF(bytes);
    if (!result) {
        errno = EIO;        /* the exception tells more */
        return NYT_EIO;
    }
    Py_DECREF(result);
    return NYT_OK;
}

/* ---- Profile ---- */

typedef struct {
    PyObject_HEAD
    nyt_profile *p;
    PyObject    *path;
} Profile;

static PyObject *profile_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path", "keep_evals", "salvage", NULL};
    struct path path = {NULL, NULL};
    int keep_evals = 0, salvage = 0, rc;
    nyt_profile *p = NULL;
    nyt_error err;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O&|$pp:Profile", names, path_converter, &path,
                                     &keep_evals, &salvage)) {
        path_free(&path);
        return NULL;
    }
    nyt_load_options options = {.keep_evals = keep_evals, .salvage = salvage};
    Py_BEGIN_ALLOW_THREADS
    rc = nyt_profile_load(&p, PyBytes_AS_STRING(path.bytes), &options, &err);
    Py_END_ALLOW_THREADS
    Profile *self = NULL;
    if (rc < 0)
        raise_read_error(PyType_GetModule(type), &err, path.object);
    else
        self = (Profile *)type->tp_alloc(type, 0);
    if (self) {
        self->p = p;
        self->path = Py_NewRef(path.object);
    } else {
        nyt_profile_free(p);
    }
    path_free(&path);
    return (PyObject *)self;
}

static void profile_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    nyt_profile_free(((Profile *)op)->p);
    Py_CLEAR(((Profile *)op)->path);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyObject *profile_totals(Profile *self, PyObject *Py_UNUSED(none))
{
    const nyt_totals *t = nyt_profile_totals(self->p);
    return Py_BuildValue("(IIKKKINNddddKKdKN)", t->version.major, t->version.minor,
                         (unsigned long long)t->records, (unsigned long long)t->bytes,
                         (unsigned long long)t->inflated, t->ticks_per_sec,
                         PyBool_FromLong(t->complete), PyBool_FromLong(t->timed), t->start, t->end,
                         t->duration, t->active, (unsigned long long)t->statements,
                         (unsigned long long)t->discounted, t->statement_time,
                         (unsigned long long)t->calls, PyBool_FromLong(t->blocks));
}

static PyObject *profile_fault(Profile *self, PyObject *Py_UNUSED(none))
{
    const nyt_error *err = nyt_profile_fault(self->p);
    if (!err)
        Py_RETURN_NONE;
    return Py_BuildValue("(sKN)", err->message, (unsigned long long)err->offset,
                         PyBool_FromLong(err->in_deflate));
}

static PyObject *pairs_of(const nyt_pair *pairs, size_t n)
{
    PyObject *list = PyList_New((Py_ssize_t)n);
    for (size_t i = 0; list && i < n; i++)
        set_item(&list, i, Py_BuildValue("(NN)", text_of(pairs[i].key),
                                         text_or_none(pairs[i].value)));
    return list;
}

static PyObject *profile_attributes(Profile *self, PyObject *Py_UNUSED(none))
{
    size_t n;
    const nyt_pair *pairs = nyt_profile_attributes(self->p, &n);
    return pairs_of(pairs, n);
}

static PyObject *profile_options(Profile *self, PyObject *Py_UNUSED(none))
{
    size_t n;
    const nyt_pair *pairs = nyt_profile_options(self->p, &n);
    return pairs_of(pairs, n);
}

static PyObject *texts_of(const nyt_str *strings, size_t n)
{
    PyObject *list = PyList_New((Py_ssize_t)n);
    for (size_t i = 0; list && i < n; i++)
        set_item(&list, i, text_of(strings[i]));
    return list;
}

static PyObject *profile_comments(Profile *self, PyObject *Py_UNUSED(none))
{
    size_t n;
    const nyt_str *comments = nyt_profile_comments(self->p, &n);
    return texts_of(comments, n);
}

static PyObject *profile_processes(Profile *self, PyObject *Py_UNUSED(none))
{
    size_t n;
    const nyt_process *all = nyt_profile_processes(self->p, &n);
    PyObject *list = PyList_New((Py_ssize_t)n);
    for (size_t i = 0; list && i < n; i++)
        set_item(&list, i, Py_BuildValue("(IINNdd)", all[i].pid, all[i].parent,
                                         PyBool_FromLong(all[i].started),
                                         PyBool_FromLong(all[i].ended), all[i].start,
                                         all[i].end));
    return list;
}

static PyObject *profile_files(Profile *self, PyObject *Py_UNUSED(none))
{
    size_t n;
    const nyt_file *all = nyt_profile_files(self->p, &n);
    PyObject *list = PyList_New((Py_ssize_t)n);
    for (size_t i = 0; list && i < n; i++)
        set_item(&list, i, Py_BuildValue("(INIIIIINI)", all[i].fid, text_of(all[i].name),
                                         all[i].eval_fid, all[i].eval_line, all[i].flags,
                                         all[i].size, all[i].mtime,
                                         PyBool_FromLong(all[i].is_eval), all[i].merged_into));
    return list;
}

static PyObject *profile_source(Profile *self, PyObject *args)
{
    unsigned fid;
    size_t n;
    if (!PyArg_ParseTuple(args, "I:source", &fid))
        return NULL;
    const nyt_src_line *all = nyt_profile_source(self->p, fid, &n);
    PyObject *list = PyList_New((Py_ssize_t)n);
    for (size_t i = 0; list && i < n; i++)
        set_item(&list, i, Py_BuildValue("(IN)", all[i].line, text_of(all[i].text)));
    return list;
}

/* What `list[first:end]` is of a list of n, for numbers from 0. */
struct part {
    size_t from, count;
};

static struct part part_of(Py_ssize_t first, Py_ssize_t end, size_t n)
{
    size_t to = end < 0 ? 0 : (size_t)end < n ? (size_t)end : n;
    size_t from = first < 0 ? 0 : (size_t)first < to ? (size_t)first : to;
    return (struct part){from, to - from};
}

static bool part_arguments(PyObject *args, size_t n, struct part *part)
{
    Py_ssize_t first = 0, end = PY_SSIZE_T_MAX;
    if (!PyArg_ParseTuple(args, "|nn", &first, &end))
        return false;
    *part = part_of(first, end, n);
    return true;
}

/* Numbers of lines at each level, subs, calls, nodes. */
static PyObject *profile_counts(Profile *self, PyObject *Py_UNUSED(none))
{
    size_t lines[3], subs, calls, nodes;
    for (int level = NYT_LEVEL_LINE; level <= NYT_LEVEL_SUB; level++)
        nyt_profile_all_lines(self->p, (nyt_level)level, &lines[level]);
    nyt_profile_subs(self->p, &subs);
    nyt_profile_all_calls(self->p, &calls);
    nyt_profile_tree(self->p, &nodes);
    return Py_BuildValue("(nnnnnn)", (Py_ssize_t)lines[0], (Py_ssize_t)lines[1],
                         (Py_ssize_t)lines[2], (Py_ssize_t)subs, (Py_ssize_t)calls,
                         (Py_ssize_t)nodes);
}

static PyObject *line_tuple(const nyt_line *line)
{
    return Py_BuildValue("(IILLdd)", line->fid, line->line, (long long)line->count,
                         (long long)line->ticks, line->time, line->incl);
}

static PyObject *lines_of(const nyt_line *lines, size_t n)
{
    PyObject *list = PyList_New((Py_ssize_t)n);
    for (size_t i = 0; list && i < n; i++)
        set_item(&list, i, line_tuple(&lines[i]));
    return list;
}

static bool is_level(int level)
{
    if (level >= NYT_LEVEL_LINE && level <= NYT_LEVEL_SUB)
        return true;
    PyErr_Format(PyExc_ValueError, "there is no level %d", level);
    return false;
}

static PyObject *profile_lines(Profile *self, PyObject *args)
{
    int level = NYT_LEVEL_LINE;
    Py_ssize_t first = 0, end = PY_SSIZE_T_MAX;
    size_t n;
    if (!PyArg_ParseTuple(args, "|inn:lines", &level, &first, &end) || !is_level(level))
        return NULL;
    const nyt_line *all = nyt_profile_all_lines(self->p, (nyt_level)level, &n);
    struct part part = part_of(first, end, n);
    return lines_of(all + part.from, part.count);
}

static PyObject *profile_lines_in(Profile *self, PyObject *args)
{
    unsigned fid;
    int level = NYT_LEVEL_LINE;
    size_t n;
    if (!PyArg_ParseTuple(args, "I|i:lines_in", &fid, &level) || !is_level(level))
        return NULL;
    const nyt_line *all = nyt_profile_lines(self->p, (nyt_level)level, fid, &n);
    return lines_of(all, n);
}

static PyObject *profile_source_line(Profile *self, PyObject *args)
{
    unsigned fid, line;
    if (!PyArg_ParseTuple(args, "II:source_line", &fid, &line))
        return NULL;
    const nyt_str *text = nyt_profile_source_line(self->p, fid, line);
    return text ? text_of(*text) : Py_NewRef(Py_None);
}

static PyObject *sub_tuple(const nyt_sub *s)
{
    PyObject *first = s->has_range ? PyLong_FromUnsignedLong(s->first) : Py_NewRef(Py_None);
    PyObject *last = s->has_range ? PyLong_FromUnsignedLong(s->last) : Py_NewRef(Py_None);
    return Py_BuildValue("(NINNKdddIi)", text_of(s->name), s->fid, first, last,
                         (unsigned long long)s->calls, s->incl, s->excl, s->reci, s->depth,
                         (int)s->kind);
}

static PyObject *profile_subs(Profile *self, PyObject *args)
{
    size_t n;
    struct part part;
    const nyt_sub *all = nyt_profile_subs(self->p, &n);
    if (!part_arguments(args, n, &part))
        return NULL;
    PyObject *list = PyList_New((Py_ssize_t)part.count);
    for (size_t i = 0; list && i < part.count; i++)
        set_item(&list, i, sub_tuple(&all[part.from + i]));
    return list;
}

/* Names come out by text_of(), so that they may stand in the file in either way. Without an
 * exception if there is none. */
static const nyt_sub *sub_named(Profile *self, PyObject *name)
{
    Py_ssize_t len;
    const char *text = PyUnicode_AsUTF8AndSize(name, &len);
    if (!text) {
        PyErr_Clear();
        return NULL;
    }
    const nyt_sub *sub = nyt_profile_sub(self->p, (nyt_str){.data = text, .len = (size_t)len});
    PyObject *latin1 = sub ? NULL : PyUnicode_AsLatin1String(name);
    if (latin1)
        sub = nyt_profile_sub(self->p, (nyt_str){.data = PyBytes_AS_STRING(latin1),
                                                 .len = (size_t)PyBytes_GET_SIZE(latin1)});
    Py_XDECREF(latin1);
    PyErr_Clear();
    return sub;
}

static PyObject *profile_sub(Profile *self, PyObject *name)
{
    const nyt_sub *sub = PyUnicode_Check(name) ? sub_named(self, name) : NULL;
    return sub ? sub_tuple(sub) : Py_NewRef(Py_None);
}

static PyObject *profile_subs_in(Profile *self, PyObject *args)
{
    unsigned fid;
    size_t n;
    if (!PyArg_ParseTuple(args, "I:subs_in", &fid))
        return NULL;
    const nyt_sub *const *all = nyt_profile_defined(self->p, fid, &n);
    PyObject *list = PyList_New((Py_ssize_t)n);
    for (size_t i = 0; list && i < n; i++)
        set_item(&list, i, sub_tuple(all[i]));
    return list;
}

static PyObject *call_tuple(const nyt_call *c)
{
    return Py_BuildValue("(NIIKKdddIN)", text_of(c->called->name), c->fid, c->line,
                         (unsigned long long)c->count, (unsigned long long)c->outermost, c->incl,
                         c->excl, c->reci, c->depth, text_of(c->caller));
}

static PyObject *calls_of(const nyt_call *calls, size_t n)
{
    PyObject *list = PyList_New((Py_ssize_t)n);
    for (size_t i = 0; list && i < n; i++)
        set_item(&list, i, call_tuple(&calls[i]));
    return list;
}

static PyObject *profile_calls(Profile *self, PyObject *args)
{
    size_t n;
    struct part part;
    const nyt_call *all = nyt_profile_all_calls(self->p, &n);
    return part_arguments(args, n, &part) ? calls_of(all + part.from, part.count) : NULL;
}

static PyObject *profile_calls_in(Profile *self, PyObject *args)
{
    unsigned fid;
    size_t n;
    if (!PyArg_ParseTuple(args, "I:calls_in", &fid))
        return NULL;
    const nyt_call *const *all = nyt_profile_calls(self->p, fid, &n);
    PyObject *list = PyList_New((Py_ssize_t)n);
    for (size_t i = 0; list && i < n; i++)
        set_item(&list, i, call_tuple(all[i]));
    return list;
}

static PyObject *profile_calls_of(Profile *self, PyObject *name)
{
    size_t n = 0;
    const nyt_sub *sub = PyUnicode_Check(name) ? sub_named(self, name) : NULL;
    const nyt_call *calls = sub ? nyt_profile_callers(self->p, sub, &n) : NULL;
    return calls_of(calls, n);
}

static bool is_by(const nyt_call *call, nyt_str name)
{
    return call->caller.len == name.len && memcmp(call->caller.data, name.data, name.len) == 0;
}

static PyObject *profile_calls_by(Profile *self, PyObject *name)
{
    size_t n;
    const nyt_sub *sub = PyUnicode_Check(name) ? sub_named(self, name) : NULL;
    const nyt_call *all = nyt_profile_all_calls(self->p, &n);
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && sub && i < n; i++) {
        if (!is_by(&all[i], sub->name))
            continue;
        PyObject *item = call_tuple(&all[i]);
        if (!item || PyList_Append(list, item) < 0)
            Py_CLEAR(list);
        Py_XDECREF(item);
    }
    return list;
}

static PyObject *profile_tree(Profile *self, PyObject *args)
{
    size_t n;
    struct part part;
    const nyt_node *all = nyt_profile_tree(self->p, &n);
    if (!part_arguments(args, n, &part))
        return NULL;
    PyObject *list = PyList_New((Py_ssize_t)part.count);
    for (size_t i = 0; list && i < part.count; i++) {
        const nyt_node *node = &all[part.from + i];
        set_item(&list, i, Py_BuildValue("(NIIKddn)", text_of(node->name), node->parent,
                                         node->depth, (unsigned long long)node->calls, node->incl,
                                         node->excl, (Py_ssize_t)(part.from + i)));
    }
    return list;
}

static PyObject *profile_children(Profile *self, PyObject *args)
{
    Py_ssize_t index;
    size_t n;
    if (!PyArg_ParseTuple(args, "n:children", &index))
        return NULL;
    const nyt_node *all = nyt_profile_tree(self->p, &n);
    PyObject *list = PyList_New(0);
    uint32_t at = index >= 0 && (size_t)index < n ? all[index].first_child : 0;
    for (; list && at; at = all[at].next) {
        PyObject *item = PyLong_FromUnsignedLong(at);
        if (!item || PyList_Append(list, item) < 0)
            Py_CLEAR(list);
        Py_XDECREF(item);
    }
    return list;
}

/* ---- Exports and reports: methods that take a write() ---- */

static PyObject *exported(Profile *self, int rc, const nyt_error *err)
{
    if (rc < 0)
        return raise_read_error(PyType_GetModule(Py_TYPE(self)), err, self->path);
    Py_RETURN_NONE;
}

static PyObject *profile_model(Profile *self, PyObject *write)
{
    nyt_error err;
    return exported(self, nyt_export_model(self->p, call_write, write, &err), &err);
}

static PyObject *profile_export(Profile *self, PyObject *args)
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
    PyObject *done = exported(self, format->write(self->p, &limit, call_write, write, &err), &err);
    if (!done)
        return NULL;
    Py_DECREF(done);
    return Py_BuildValue("(KdK)", (unsigned long long)limit.left_out, limit.left_out_time,
                         (unsigned long long)limit.left_out_lines);
}

/* The two callables that nyt_export_csv() goes back and forth between. */
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

static PyObject *profile_csv(Profile *self, PyObject *args)
{
    struct files files;
    nyt_error err;
    if (!PyArg_ParseTuple(args, "OO:csv", &files.begin, &files.write))
        return NULL;
    int rc = nyt_export_csv(self->p, call_begin, call_files_write, &files, &err);
    return exported(self, rc, &err);
}

/* The options that all reports share; false: an exception is set. */
static bool report_arguments(PyObject *args, PyObject *kwargs, const char *format, PyObject **write,
                             nyt_report_options *o, unsigned *fid)
{
    static char *names[] = {"write", "top", "sort", "width", "colour", "json", "path", "fid",
                            NULL};
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

static PyObject *profile_summary(Profile *self, PyObject *args, PyObject *kwargs)
{
    PyObject *write;
    nyt_report_options options;
    nyt_error err;
    unsigned fid = 0;
    if (!report_arguments(args, kwargs, "O|$ninppzI:summary", &write, &options, &fid))
        return NULL;
    int rc = fid ? nyt_report_source(self->p, fid, &options, call_write, write, &err)
                 : nyt_report_summary(self->p, &options, call_write, write, &err);
    return exported(self, rc, &err);
}

static PyObject *profile_info(Profile *self, PyObject *args, PyObject *kwargs)
{
    PyObject *write;
    nyt_report_options options;
    nyt_error err;
    unsigned fid;
    if (!report_arguments(args, kwargs, "O|$ninppzI:info", &write, &options, &fid))
        return NULL;
    return exported(self, nyt_report_info(self->p, &options, call_write, write, &err), &err);
}

static PyMethodDef profile_methods[] = {
    {"totals", (PyCFunction)profile_totals, METH_NOARGS, NULL},
    {"fault", (PyCFunction)profile_fault, METH_NOARGS, NULL},
    {"attributes", (PyCFunction)profile_attributes, METH_NOARGS, NULL},
    {"options", (PyCFunction)profile_options, METH_NOARGS, NULL},
    {"comments", (PyCFunction)profile_comments, METH_NOARGS, NULL},
    {"processes", (PyCFunction)profile_processes, METH_NOARGS, NULL},
    {"files", (PyCFunction)profile_files, METH_NOARGS, NULL},
    {"source", (PyCFunction)profile_source, METH_VARARGS, NULL},
    {"source_line", (PyCFunction)profile_source_line, METH_VARARGS, NULL},
    {"counts", (PyCFunction)profile_counts, METH_NOARGS, NULL},
    {"lines", (PyCFunction)profile_lines, METH_VARARGS, NULL},
    {"lines_in", (PyCFunction)profile_lines_in, METH_VARARGS, NULL},
    {"subs", (PyCFunction)profile_subs, METH_VARARGS, NULL},
    {"sub", (PyCFunction)profile_sub, METH_O, NULL},
    {"subs_in", (PyCFunction)profile_subs_in, METH_VARARGS, NULL},
    {"calls", (PyCFunction)profile_calls, METH_VARARGS, NULL},
    {"calls_in", (PyCFunction)profile_calls_in, METH_VARARGS, NULL},
    {"calls_of", (PyCFunction)profile_calls_of, METH_O, NULL},
    {"calls_by", (PyCFunction)profile_calls_by, METH_O, NULL},
    {"tree", (PyCFunction)profile_tree, METH_VARARGS, NULL},
    {"children", (PyCFunction)profile_children, METH_VARARGS, NULL},
    {"model", (PyCFunction)profile_model, METH_O, NULL},
    {"export", (PyCFunction)profile_export, METH_VARARGS, NULL},
    {"csv", (PyCFunction)profile_csv, METH_VARARGS, NULL},
    {"summary", (PyCFunction)(void (*)(void))profile_summary, METH_VARARGS | METH_KEYWORDS, NULL},
    {"info", (PyCFunction)(void (*)(void))profile_info, METH_VARARGS | METH_KEYWORDS, NULL},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(profile_doc,
    "Profile(path, *, keep_evals=False, salvage=False)\n--\n\n"
    "All of a file, added up. A file that breaks off is read as far as it goes, with\n"
    "`salvage` also one that is damaged; fault() then tells what was met.");

static PyType_Slot profile_slots[] = {
    {Py_tp_doc, (void *)profile_doc},
    {Py_tp_new, profile_new},
    {Py_tp_dealloc, profile_dealloc},
    {Py_tp_methods, profile_methods},
    {0, NULL},
};

static PyType_Spec profile_spec = {
    .name = "pynytprof._cread.Profile",
    .basicsize = sizeof(Profile),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = profile_slots,
};

/* ---- Diff ---- */

typedef struct {
    PyObject_HEAD
    nyt_diff *d;
    PyObject *profiles[2];      /* owned: what the diff looks at */
} Diff;

static PyObject *diff_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs))
{
    PyTypeObject *profile = (PyTypeObject *)state_of(PyType_GetModule(type))->profile;
    PyObject *before, *after;
    nyt_diff *d = NULL;
    nyt_error err;
    int rc;
    if (!PyArg_ParseTuple(args, "O!O!:Diff", profile, &before, profile, &after))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    rc = nyt_diff_new(&d, ((Profile *)before)->p, ((Profile *)after)->p, &err);
    Py_END_ALLOW_THREADS
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

static PyObject *diff_totals(Diff *self, PyObject *Py_UNUSED(none))
{
    size_t n;
    const nyt_diff_total *all = nyt_diff_totals(self->d, &n);
    PyObject *list = PyList_New((Py_ssize_t)n);
    for (size_t i = 0; list && i < n; i++)
        set_item(&list, i, Py_BuildValue("(sNdd)", all[i].name, PyBool_FromLong(all[i].is_time),
                                         all[i].before, all[i].after));
    return list;
}

static PyObject *optional_text(const nyt_str *s)
{
    return s ? text_of(*s) : Py_NewRef(Py_None);
}

static PyObject *side_tuple(const Diff *self, int s, const nyt_diff_side *side)
{
    if (!side->there)
        Py_RETURN_NONE;
    const nyt_file *file = nyt_profile_file(((Profile *)self->profiles[s])->p, side->fid);
    return Py_BuildValue("(IINNNLdd)", side->fid, side->line,
                         optional_text(file ? &file->name : NULL), optional_text(side->name),
                         optional_text(side->caller), (long long)side->count, side->incl,
                         side->excl);
}

static PyObject *diff_entries(Diff *self, PyObject *args)
{
    int kind;
    size_t n;
    if (!PyArg_ParseTuple(args, "i:entries", &kind))
        return NULL;
    if (kind < NYT_DIFF_LINES || kind > NYT_DIFF_EDGES)
        return PyErr_Format(PyExc_ValueError, "there is no kind %d", kind);
    const nyt_delta *all = nyt_diff_list(self->d, (nyt_diff_kind)kind, &n);
    PyObject *list = PyList_New((Py_ssize_t)n);
    for (size_t i = 0; list && i < n; i++)
        set_item(&list, i, Py_BuildValue("(NN)", side_tuple(self, 0, &all[i].before),
                                         side_tuple(self, 1, &all[i].after)));
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

static PyObject *diff_check(Diff *self, PyObject *args)
{
    const char *condition;
    PyObject *write;
    nyt_error err;
    if (!PyArg_ParseTuple(args, "sO:check", &condition, &write))
        return NULL;
    return diffed(nyt_diff_check(self->d, condition, call_write, write, &err), &err);
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

static PyObject *diff_report(Diff *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"write", "top", "sort", "width", "colour", "json", "markdown",
                            "before", "after", "min_change", "conditions", NULL};
    const char *conditions[MAX_CONDITIONS];
    nyt_diff_options o = {.conditions = conditions};
    PyObject *write, *tuple;
    Py_ssize_t top = 0, width = 0;
    int sort = NYT_SORT_TIME, colour = 0, json = 0, markdown = 0;
    nyt_error err;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$ninpppzzzO!:report", names, &write, &top,
                                     &sort, &width, &colour, &json, &markdown, &o.report.path,
                                     &o.path_after, &o.min_change, &PyTuple_Type, &tuple))
        return NULL;
    if (top < 0 || width < 0 || sort < NYT_SORT_TIME || sort > NYT_SORT_PLACE)
        return PyErr_Format(PyExc_ValueError, "no such report");
    if (!conditions_of(tuple, conditions))
        return NULL;
    o.report.top = (size_t)top;
    o.report.width = (size_t)width;
    o.report.sort = (nyt_sort)sort;
    o.report.colour = colour;
    o.report.json = json;
    o.markdown = markdown;
    o.condition_count = (size_t)PyTuple_GET_SIZE(tuple);
    return diffed(nyt_report_diff(self->d, &o, call_write, write, &err), &err);
}

static PyMethodDef diff_methods[] = {
    {"totals", (PyCFunction)diff_totals, METH_NOARGS, NULL},
    {"entries", (PyCFunction)diff_entries, METH_VARARGS, NULL},
    {"check", (PyCFunction)diff_check, METH_VARARGS, NULL},
    {"report", (PyCFunction)(void (*)(void))diff_report, METH_VARARGS | METH_KEYWORDS, NULL},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(diff_doc,
    "Diff(before, after, /)\n--\n\n"
    "What changed from one Profile to another.");

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

/* ---- Functions ---- */

static int append_finding(void *ctx, const nyt_finding *f)
{
    PyObject *item = Py_BuildValue("(isKNKs)", (int)f->severity, f->rule,
                                   (unsigned long long)f->offset, PyBool_FromLong(f->in_deflate),
                                   (unsigned long long)f->record, f->text);
    int rc = item ? PyList_Append(ctx, item) : -1;
    Py_XDECREF(item);
    return rc < 0 ? NYT_ENOMEM : NYT_OK;
}

static PyObject *verified(PyObject *module, const struct path *path, PyObject *findings)
{
    nyt_verdict verdict;
    nyt_error err;
    int rc = nyt_verify(PyBytes_AS_STRING(path->bytes), append_finding, findings, &verdict, &err);
    if (PyErr_Occurred())
        return NULL;
    if (rc < 0)
        return raise_read_error(module, &err, path->object);
    return Py_BuildValue("(KO)", (unsigned long long)verdict.records, findings);
}

static PyObject *cread_verify(PyObject *module, PyObject *args)
{
    struct path path = {NULL, NULL};
    PyObject *result = NULL;
    PyObject *findings = PyList_New(0);
    if (findings && PyArg_ParseTuple(args, "O&:verify", path_converter, &path))
        result = verified(module, &path, findings);
    Py_XDECREF(findings);
    path_free(&path);
    return result;
}

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

static PyObject *cread_dump(PyObject *module, PyObject *args)
{
    struct path path = {NULL, NULL};
    PyObject *write, *result = NULL;
    int jsonl = 0;
    if (PyArg_ParseTuple(args, "O&O|p:dump", path_converter, &path, &write, &jsonl))
        result = dumped(module, &path, write, jsonl);
    path_free(&path);
    return result;
}

static PyObject *cread_formats(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none))
{
    size_t n;
    const nyt_export_format *all = nyt_export_formats(&n);
    PyObject *list = PyList_New((Py_ssize_t)n);
    for (size_t i = 0; list && i < n; i++)
        set_item(&list, i, Py_BuildValue("(ssNNNNs)", all[i].name, all[i].suffix,
                                         PyBool_FromLong(all[i].binary),
                                         PyBool_FromLong(all[i].limited),
                                         PyBool_FromLong(all[i].picture),
                                         PyBool_FromLong(all[i].folder), all[i].help));
    return list;
}

/* ---- Merging: notes as (lossy, path or None, text) ---- */

static void append_note(void *ctx, const nyt_note *note)
{
    PyObject *item = NULL;
    PyObject *path = note->path ? PyUnicode_DecodeFSDefault(note->path) : Py_NewRef(Py_None);
    PyObject *text = PyUnicode_DecodeUTF8(note->text, (Py_ssize_t)strlen(note->text), "replace");
    if (path && text)
        item = PyTuple_Pack(3, note->lossy ? Py_True : Py_False, path, text);
    if (item && PyList_Append(ctx, item) < 0)
        PyErr_Clear();      /* out of memory: the work will say so */
    Py_XDECREF(item);
    Py_XDECREF(path);
    Py_XDECREF(text);
}

/* Takes the profile. (complete, notes) */
static PyObject *write_merged(PyObject *module, nyt_merged *m, PyObject *write, int level,
                              PyObject *notes)
{
    nyt_error err;
    bool complete = nyt_merged_complete(m);
    int rc = nyt_merged_write(m, call_write, write, level, &err);
    nyt_merged_free(m);
    if (PyErr_Occurred())
        return NULL;
    if (rc < 0)
        return raise_read_error(module, &err, Py_None);
    return Py_BuildValue("(NO)", PyBool_FromLong(complete), notes);
}

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

static PyObject *merged(PyObject *module, PyObject *fast, PyObject *write, int level,
                        PyObject *notes)
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
        return write_merged(module, m, write, level, notes);
    PyObject *path = PyUnicode_DecodeFSDefault(failed ? failed : "merge");
    if (path)
        raise_read_error(module, &err, path);
    Py_XDECREF(path);
    return NULL;
}

static PyObject *cread_merge(PyObject *module, PyObject *args)
{
    PyObject *paths, *write, *result = NULL;
    int level = 1;
    if (!PyArg_ParseTuple(args, "OO|i:merge", &paths, &write, &level))
        return NULL;
    PyObject *fast = PySequence_Fast(paths, "the paths must be a sequence");
    PyObject *notes = fast ? PyList_New(0) : NULL;
    if (notes)
        result = merged(module, fast, write, level, notes);
    Py_XDECREF(notes);
    Py_XDECREF(fast);
    return result;
}

static PyObject *recovered(PyObject *module, const struct path *path, PyObject *write, int level,
                           PyObject *notes)
{
    nyt_merged *m;
    nyt_error err;
    if (nyt_recover(&m, PyBytes_AS_STRING(path->bytes), append_note, notes, &err) < 0)
        return raise_read_error(module, &err, path->object);
    return write_merged(module, m, write, level, notes);
}

static PyObject *cread_recover(PyObject *module, PyObject *args)
{
    struct path path = {NULL, NULL};
    PyObject *write, *result = NULL;
    int level = 1;
    PyObject *notes = PyList_New(0);
    if (notes && PyArg_ParseTuple(args, "O&O|i:recover", path_converter, &path, &write, &level))
        result = recovered(module, &path, write, level, notes);
    Py_XDECREF(notes);
    path_free(&path);
    return result;
}

static PyObject *cread_check_condition(PyObject *Py_UNUSED(module), PyObject *args)
{
    const char *condition;
    nyt_error err;
    if (!PyArg_ParseTuple(args, "s:check_condition", &condition))
        return NULL;
    return diffed(nyt_diff_check(NULL, condition, NULL, NULL, &err), &err);
}

static PyObject *cread_check_min_change(PyObject *Py_UNUSED(module), PyObject *args)
{
    const char *text;
    nyt_error err;
    if (!PyArg_ParseTuple(args, "s:check_min_change", &text))
        return NULL;
    return diffed(nyt_diff_min_change(text, &err), &err);
}

static PyMethodDef cread_methods[] = {
    {"check_condition", cread_check_condition, METH_VARARGS,
     PyDoc_STR("check_condition(condition, /)\n--\n\n"
               "Raises ValueError for what is no condition on a diff.")},
    {"check_min_change", cread_check_min_change, METH_VARARGS,
     PyDoc_STR("check_min_change(text, /)\n--\n\n"
               "Raises ValueError for what is no least change of a diff.")},
    {"merge", cread_merge, METH_VARARGS,
     PyDoc_STR("merge(paths, write, compress=1, /)\n--\n\n"
               "Passes one profile made of many to write(); returns (complete, notes).")},
    {"recover", cread_recover, METH_VARARGS,
     PyDoc_STR("recover(path, write, compress=1, /)\n--\n\n"
               "Passes a sound profile made of a broken one to write(), as merge() does.")},
    {"formats", cread_formats, METH_NOARGS,
     PyDoc_STR("formats()\n--\n\n"
               "Of each: name, suffix, is binary, is limited, is a picture, is a folder, help.")},
    {"verify", cread_verify, METH_VARARGS,
     PyDoc_STR("verify(path, /)\n--\n\nReturns the number of records and a list of findings.")},
    {"dump", cread_dump, METH_VARARGS,
     PyDoc_STR("dump(path, write, jsonl=False, /)\n--\n\nPasses all records to write() as text.")},
    RUN_METHODS,
    {NULL, NULL, 0, NULL},
};

static int cread_exec(PyObject *module)
{
    module_state *state = state_of(module);
    state->error = PyErr_NewExceptionWithDoc(
        "pynytprof.reader.ProfileError", "The file is no profile that can be read.",
        PyExc_ValueError, NULL);
    if (!state->error || PyModule_AddObjectRef(module, "ProfileError", state->error) < 0)
        return -1;
    state->profile = PyType_FromModuleAndSpec(module, &profile_spec, NULL);
    if (!state->profile)
        return -1;
    if (PyModule_AddType(module, (PyTypeObject *)state->profile) < 0)
        return -1;
    state->diff = PyType_FromModuleAndSpec(module, &diff_spec, NULL);
    if (!state->diff || PyModule_AddType(module, (PyTypeObject *)state->diff) < 0)
        return -1;
    return add_records(module);
}

static int cread_traverse(PyObject *module, visitproc visit, void *arg)
{
    Py_VISIT(state_of(module)->error);
    Py_VISIT(state_of(module)->profile);
    Py_VISIT(state_of(module)->diff);
    return visit_records(state_of(module), visit, arg);
}

static int cread_clear(PyObject *module)
{
    Py_CLEAR(state_of(module)->error);
    Py_CLEAR(state_of(module)->profile);
    Py_CLEAR(state_of(module)->diff);
    clear_records(state_of(module));
    return 0;
}

static PyModuleDef_Slot cread_slots[] = {
    {Py_mod_exec, cread_exec},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
    {0, NULL},
};

static struct PyModuleDef cread_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "pynytprof._cread",
    .m_doc = "Profiles read, judged and exported, in C.",
    .m_size = sizeof(module_state),
    .m_methods = cread_methods,
    .m_slots = cread_slots,
    .m_traverse = cread_traverse,
    .m_clear = cread_clear,
};

PyMODINIT_FUNC PyInit__cread(void);

PyMODINIT_FUNC PyInit__cread(void)
{
    return PyModuleDef_Init(&cread_module);
}
