/*
 * The type Profile: all of a file, added up. Its parts come as structs with named fields; the long
 * lists can be had in pieces, so that a large profile doesn't become objects all at once.
 */
#define PY_SSIZE_T_CLEAN
#include "profile.h"

#include "arguments.h"
#include "export.h"
#include "values.h"

/* ---- What a profile is made of ---- */

static const struct layout header_layout = {
    .id = LAYOUT_HEADER,
    .name = "pynytprof.reader.Header",
    .doc = "What holds for the whole file.",
    .fields = FIELDS(
        FIELD(nyt_totals, "major", version.major, "Major version of the file format: 5."),
        FIELD(nyt_totals, "minor", version.minor, "Minor version of the file format."),
        FIELD(nyt_totals, "records", records,
              "Number of records that could be read, the banner included."),
        FIELD(nyt_totals, "size", bytes, "Size of the file in bytes, as far as it was read."),
        FIELD(nyt_totals, "inflated", inflated,
              "Bytes in the compressed part; 0: the file is not compressed."),
        FIELD(nyt_totals, "ticks_per_sec", ticks_per_sec,
              "Ticks in a second; 0: none was given, and all times are infinite."),
        FIELD(nyt_totals, "complete", complete,
              "The file was read to its end, and every process ended."),
        FIELD(nyt_totals, "timed", timed,
              "A process ended, so that start, end, duration and active are known."),
        FIELD(nyt_totals, "start", start,
              "When the last process began, in seconds since the epoch."),
        FIELD(nyt_totals, "end", end, "When the last process ended, in seconds since the epoch."),
        FIELD(nyt_totals, "duration", duration, "Seconds that all processes together took."),
        FIELD(nyt_totals, "active", active,
              "The duration without what the profiler itself took, in seconds."),
        FIELD(nyt_totals, "statements", statements, "Number of time records."),
        FIELD(nyt_totals, "discounted", discounted,
              "Number of time records that don't count as an execution."),
        FIELD(nyt_totals, "statement_time", statement_time,
              "Time of all statements, in seconds."),
        FIELD(nyt_totals, "calls", calls, "Number of calls."),
        FIELD(nyt_totals, "blocks", blocks, "There are figures by block and by sub, too.")),
                                                            };

static const struct layout fault_layout = {
    .id = LAYOUT_FAULT,
    .name = "pynytprof._cread.Fault",
    .doc = "Why reading ended before the end of the file.",
    .fields = FIELDS(
        FIELD(nyt_error, "text", message, "What is wrong, in one sentence."),
        FIELD(nyt_error, "offset", offset,
              "Where, in bytes, in the file or in what its compressed part inflates to."),
        FIELD(nyt_error, "inflated", in_deflate, "Which of the two.")),
    };

static const struct layout process_layout = {
    .id = LAYOUT_PROCESS,
    .name = "pynytprof.reader.Process",
    .doc = "A process, or in our own profiles a thread.",
    .fields = FIELDS(
        FIELD(nyt_process, "pid", pid, "Its number."),
        FIELD(nyt_process, "parent", parent, "The number of the process that started it."),
        FIELD(nyt_process, "started", started, "The file says that it began."),
        FIELD(nyt_process, "ended", ended, "The file says that it ended."),
        FIELD(nyt_process, "start", start, "When it began, in seconds since the epoch."),
        FIELD(nyt_process, "end", end, "When it ended, in seconds since the epoch."),
        FIELD(nyt_process, "process", process,
              "The number of the process that it is a thread of, or its own; 0: unknown.")),
                          };

static const struct layout await_layout = {
    .id = LAYOUT_AWAIT,
    .name = "pynytprof.reader.Await",
    .doc = "What a line of a coroutine has waited for, on the clock and beside its time.",
    .fields = FIELDS(
        FIELD(nyt_await, "fid", fid, "The number of its file."),
        FIELD(nyt_await, "line", line, "Its number."),
        FIELD(nyt_await, "count", count, "How often it was suspended and went on."),
        FIELD(nyt_await, "time", time, "How long that was in all, in seconds.")),
        };

static const struct layout file_layout = {
    .id = LAYOUT_FILE,
    .name = "pynytprof._cread.File",
    .doc = "A file, or the text of a string eval.",
    .fields = FIELDS(
        FIELD(nyt_file, "fid", fid, "Its number."),
        FIELD(nyt_file, "name", name, "Its path, or what the language calls it."),
        FIELD(nyt_file, "eval_fid", eval_fid, "Of an eval: the fid that ran it, else 0."),
        FIELD(nyt_file, "eval_line", eval_line, "Of an eval: the line that ran it, else 0."),
        FIELD(nyt_file, "flags", flags, "NYTProf's flags."),
        FIELD(nyt_file, "size", size, "In bytes; 0: unknown."),
        FIELD(nyt_file, "mtime", mtime,
              "When it was last modified, in seconds since the epoch; 0: unknown."),
        FIELD(nyt_file, "is_eval", is_eval, "It is the text of an eval."),
        FIELD(nyt_file, "merged_into", merged_into,
              "The fid of the eval of equal text that this one's figures were added to, or 0.")),
                                      };

static const struct layout line_layout = {
    .id = LAYOUT_LINE,
    .name = "pynytprof._cread.Line",
    .doc = "A line that was run.",
    .fields = FIELDS(
        FIELD(nyt_line, "fid", fid, "The number of its file; 0: unknown."),
        FIELD(nyt_line, "line", line, "Its number."),
        FIELD(nyt_line, "count", count, "How often it ran."),
        FIELD(nyt_line, "ticks", ticks, "Its time in ticks."),
        FIELD(nyt_line, "time", time, "Its time in seconds, without the subs that it called."),
        FIELD(nyt_line, "incl", incl, "Its time in seconds, with them."),
        FIELD(nyt_line, "shared", shared,
              "Its time is a share of one that was measured for several lines together.")),
                          };

static PyObject *sub_first(const void *value)
{
    const nyt_sub *sub = value;
    return sub->has_range ? PyLong_FromUnsignedLong(sub->first) : Py_NewRef(Py_None);
}

static PyObject *sub_last(const void *value)
{
    const nyt_sub *sub = value;
    return sub->has_range ? PyLong_FromUnsignedLong(sub->last) : Py_NewRef(Py_None);
}

static const struct layout sub_layout = {
    .id = LAYOUT_SUB,
    .name = "pynytprof._cread.Sub",
    .doc = "A sub, called or not.",
    .fields = FIELDS(
        FIELD(nyt_sub, "name", name, "Its name with that of its package."),
        FIELD(nyt_sub, "fid", fid, "The number of the file that defines it; 0: unknown."),
        FIELD_OF(sub_first, "first", "Its first line; None: unknown."),
        FIELD_OF(sub_last, "last", "Its last line; None: unknown."),
        FIELD(nyt_sub, "calls", calls, "How often it was called."),
        FIELD(nyt_sub, "incl", incl, "Inclusive time of outermost activations, in seconds."),
        FIELD(nyt_sub, "excl", excl, "Exclusive time, in seconds."),
        FIELD(nyt_sub, "reci", reci,
              "Inclusive time of activations inside another one, in seconds."),
        FIELD(nyt_sub, "depth", depth, "The most activations found below one."),
        FIELD(nyt_sub, "kind", kind,
              "0: written in the profiled language, 1: in C, 2: built into Perl.")),
                                           };

static PyObject *call_called(const void *value)
{
    return text_of(((const nyt_call *)value)->called->name);
}

static const struct layout call_layout = {
    .id = LAYOUT_CALL,
    .name = "pynytprof._cread.Call",
    .doc = "All calls of one sub by one sub from one line.",
    .fields = FIELDS(
        FIELD_OF(call_called, "called", "The name of the sub that is called."),
        FIELD(nyt_call, "fid", fid, "The number of the calling line's file; 0: unknown."),
        FIELD(nyt_call, "line", line, "The calling line."),
        FIELD(nyt_call, "count", count, "How many calls."),
        FIELD(nyt_call, "outermost", outermost, "Calls that found no other activation of the sub."),
        FIELD(nyt_call, "incl", incl, "Inclusive time, in seconds."),
        FIELD(nyt_call, "excl", excl, "Exclusive time, in seconds."),
        FIELD(nyt_call, "reci", reci,
              "Inclusive time of activations inside another one, in seconds."),
        FIELD(nyt_call, "depth", depth, "The most activations found below one."),
        FIELD(nyt_call, "caller", caller, "The name of the calling sub; empty: nobody's.")),
                                  };

/* A node and its place, which children and parents are told by. */
struct node {
    nyt_node of;
    size_t index;
};

static const struct layout node_layout = {
    .id = LAYOUT_NODE,
    .name = "pynytprof._cread.Node",
    .doc = "A call path; node 0 is the root and has no name.",
    .fields = FIELDS(
        FIELD(struct node, "name", of.name, "Of the sub; empty: a call that never returned."),
        FIELD(struct node, "parent", of.parent, "Index of the node above, always lower."),
        FIELD(struct node, "depth", of.depth, "Calls on the path; of the root 0."),
        FIELD(struct node, "returns", of.calls, "How often such a call came back."),
        FIELD(struct node, "incl", of.incl, "Inclusive time, in ticks."),
        FIELD(struct node, "excl", of.excl, "Exclusive time, in ticks."),
        FIELD(struct node, "index", index, "Its place in the tree.")),
                          };

struct counts {
    size_t lines, block_lines, sub_lines, subs, calls, nodes;
};

static const struct layout counts_layout = {
    .id = LAYOUT_COUNTS,
    .name = "pynytprof._cread.Counts",
    .doc = "How long the lists of a profile are.",
    .fields = FIELDS(
        FIELD(struct counts, "lines", lines, "Of lines."),
        FIELD(struct counts, "block_lines", block_lines, "Of lines that blocks begin on."),
        FIELD(struct counts, "sub_lines", sub_lines, "Of lines that subs begin on."),
        FIELD(struct counts, "subs", subs, "Of subs."),
        FIELD(struct counts, "calls", calls, "Of calls."),
        FIELD(struct counts, "nodes", nodes, "Of nodes of the call tree.")),
                    };

/* ---- Opening and closing ---- */

enum { MAX_PATTERNS = 100 };

/* What a profile is to have of its file. */
struct wanted {
    struct path path;
    nyt_load_options options;
    nyt_filter filter;
    const char *only[MAX_PATTERNS], *exclude[MAX_PATTERNS];
};

/* Texts of a tuple, which must live as long as they are needed. */
static bool patterns_of(PyObject *tuple, const char *patterns[MAX_PATTERNS], size_t *count)
{
    Py_ssize_t n = tuple ? PyTuple_GET_SIZE(tuple) : 0;
    if (n > MAX_PATTERNS) {
        PyErr_SetString(PyExc_ValueError, "too many patterns");
        return false;
    }
    for (Py_ssize_t i = 0; i < n; i++)
        if (!(patterns[i] = PyUnicode_AsUTF8(PyTuple_GET_ITEM(tuple, i))))
            return false;
    *count = (size_t)n;
    return true;
}

static bool parse_wanted(struct wanted *w, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path",  "keep_evals", "salvage", "only", "exclude",
                            "reach", "section",    "process", "unit", NULL};
    PyObject *only = NULL, *exclude = NULL;
    int keep_evals = 0, salvage = 0, reach = NYT_REACH_ALL;
    unsigned section = 0, process = 0;
    const char *unit = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O&|$ppO!O!iIIz:Profile", names, path_converter,
                                     &w->path, &keep_evals, &salvage, &PyTuple_Type, &only,
                                     &PyTuple_Type, &exclude, &reach, &section, &process, &unit))
        return false;
    if (reach < NYT_REACH_ALL || reach > NYT_REACH_PROJECT) {
        PyErr_Format(PyExc_ValueError, "there is no scope %d", reach);
        return false;
    }
    w->filter = (nyt_filter){.only = w->only, .exclude = w->exclude, .reach = (nyt_reach)reach};
    w->options = (nyt_load_options){.keep_evals = keep_evals,
                                    .salvage = salvage,
                                    .section = section,
                                    .process = process,
                                    .unit = unit,
                                    .filter = &w->filter};
    return patterns_of(only, w->only, &w->filter.only_count) &&
           patterns_of(exclude, w->exclude, &w->filter.exclude_count);
}

static PyObject *profile_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    struct wanted w = {.path = {NULL, NULL}};
    int rc;
    nyt_profile *p = NULL;
    nyt_error err;
    if (!parse_wanted(&w, args, kwargs)) {
        path_free(&w.path);
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    rc = nyt_profile_load(&p, PyBytes_AS_STRING(w.path.bytes), &w.options, &err);
    Py_END_ALLOW_THREADS
    Profile *self = NULL;
    if (rc < 0)
        raise_read_error(PyType_GetModule(type), &err, w.path.object);
    else
        self = (Profile *)type->tp_alloc(type, 0);
    if (self) {
        self->p = p;
        self->path = Py_NewRef(w.path.object);
    } else {
        nyt_profile_free(p);
    }
    path_free(&w.path);
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

/* ---- What the file says of itself ---- */

static PyObject *profile_totals(PyObject *self, PyObject *Py_UNUSED(none))
{
    return struct_of(module_of(self), &header_layout, nyt_profile_totals(profile_of(self)));
}

static PyObject *profile_fault(PyObject *self, PyObject *Py_UNUSED(none))
{
    const nyt_error *err = nyt_profile_fault(profile_of(self));
    return err ? struct_of(module_of(self), &fault_layout, err) : Py_NewRef(Py_None);
}

static PyObject *profile_attributes(PyObject *self, PyObject *Py_UNUSED(none))
{
    size_t n;
    const nyt_pair *pairs = nyt_profile_attributes(profile_of(self), &n);
    return pairs_of(pairs, n);
}

static PyObject *profile_options(PyObject *self, PyObject *Py_UNUSED(none))
{
    size_t n;
    const nyt_pair *pairs = nyt_profile_options(profile_of(self), &n);
    return pairs_of(pairs, n);
}

static PyObject *profile_comments(PyObject *self, PyObject *Py_UNUSED(none))
{
    size_t n;
    const nyt_str *comments = nyt_profile_comments(profile_of(self), &n);
    return texts_of(comments, n);
}

static PyObject *profile_processes(PyObject *self, PyObject *Py_UNUSED(none))
{
    size_t n;
    const nyt_process *all = nyt_profile_processes(profile_of(self), &n);
    return structs_of(module_of(self), &process_layout, all, sizeof *all, n);
}

static PyObject *profile_awaits(PyObject *self, PyObject *Py_UNUSED(none))
{
    size_t n;
    const nyt_await *all = nyt_profile_awaits(profile_of(self), &n);
    return structs_of(module_of(self), &await_layout, all, sizeof *all, n);
}

static PyObject *profile_units(PyObject *self, PyObject *Py_UNUSED(none))
{
    size_t n;
    const nyt_unit *all = nyt_profile_units(profile_of(self), &n);
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && i < n; i++) {
        PyObject *unit = Py_BuildValue("(NKdO)", text_of(all[i].name),
                                       (unsigned long long)all[i].count, all[i].time,
                                       all[i].apart ? Py_True : Py_False);
        if (!unit || PyList_Append(list, unit) < 0)
            Py_CLEAR(list);
        Py_XDECREF(unit);
    }
    return list;
}

static PyObject *profile_unit_state(PyObject *self, PyObject *Py_UNUSED(none))
{
    static const char *const words[] = {[NYT_UNITS_FINE] = "fine",
                                        [NYT_UNITS_UNKNOWN] = "unknown",
                                        [NYT_UNITS_TOGETHER] = "together",
                                        [NYT_UNITS_LOST] = "lost",
                                        [NYT_UNITS_PARTLY] = "partly"};
    return PyUnicode_FromString(words[nyt_profile_unit_state(profile_of(self))]);
}

static PyObject *profile_counts(PyObject *self, PyObject *Py_UNUSED(none))
{
    const nyt_profile *p = profile_of(self);
    struct counts counts;
    nyt_profile_all_lines(p, NYT_LEVEL_LINE, &counts.lines);
    nyt_profile_all_lines(p, NYT_LEVEL_BLOCK, &counts.block_lines);
    nyt_profile_all_lines(p, NYT_LEVEL_SUB, &counts.sub_lines);
    nyt_profile_subs(p, &counts.subs);
    nyt_profile_all_calls(p, &counts.calls);
    nyt_profile_tree(p, &counts.nodes);
    return struct_of(module_of(self), &counts_layout, &counts);
}

/* ---- Files and lines ---- */

static PyObject *profile_files(PyObject *self, PyObject *Py_UNUSED(none))
{
    size_t n;
    const nyt_file *all = nyt_profile_files(profile_of(self), &n);
    return structs_of(module_of(self), &file_layout, all, sizeof *all, n);
}

static PyObject *profile_source(PyObject *self, PyObject *args)
{
    unsigned fid;
    size_t n;
    if (!PyArg_ParseTuple(args, "I:source", &fid))
        return NULL;
    const nyt_src_line *all = nyt_profile_source(profile_of(self), fid, &n);
    PyObject *list = PyList_New((Py_ssize_t)n);
    for (size_t i = 0; list && i < n; i++)
        set_item(&list, i, Py_BuildValue("(IN)", all[i].line, text_of(all[i].text)));
    return list;
}

static PyObject *profile_source_line(PyObject *self, PyObject *args)
{
    unsigned fid, number;
    if (!PyArg_ParseTuple(args, "II:source_line", &fid, &number))
        return NULL;
    const nyt_str *text = nyt_profile_source_line(profile_of(self), fid, number);
    return text ? text_of(*text) : Py_NewRef(Py_None);
}

static bool is_level(int level)
{
    if (level >= NYT_LEVEL_LINE && level <= NYT_LEVEL_SUB)
        return true;
    PyErr_Format(PyExc_ValueError, "there is no level %d", level);
    return false;
}

static PyObject *profile_lines(PyObject *self, PyObject *args)
{
    int level = NYT_LEVEL_LINE;
    Py_ssize_t first = 0, end = PY_SSIZE_T_MAX;
    size_t n;
    if (!PyArg_ParseTuple(args, "|inn:lines", &level, &first, &end) || !is_level(level))
        return NULL;
    const nyt_line *all = nyt_profile_all_lines(profile_of(self), (nyt_level)level, &n);
    struct part part = part_of(first, end, n);
    return structs_of(module_of(self), &line_layout, all + part.from, sizeof *all, part.count);
}

static PyObject *profile_lines_in(PyObject *self, PyObject *args)
{
    unsigned fid;
    int level = NYT_LEVEL_LINE;
    size_t n;
    if (!PyArg_ParseTuple(args, "I|i:lines_in", &fid, &level) || !is_level(level))
        return NULL;
    const nyt_line *all = nyt_profile_lines(profile_of(self), (nyt_level)level, fid, &n);
    return structs_of(module_of(self), &line_layout, all, sizeof *all, n);
}

/* ---- Subs ---- */

static PyObject *profile_subs(PyObject *self, PyObject *args)
{
    size_t n;
    struct part part;
    const nyt_sub *all = nyt_profile_subs(profile_of(self), &n);
    if (!part_arguments(args, n, &part))
        return NULL;
    return structs_of(module_of(self), &sub_layout, all + part.from, sizeof *all, part.count);
}

static PyObject *profile_subs_in(PyObject *self, PyObject *args)
{
    unsigned fid;
    size_t n;
    if (!PyArg_ParseTuple(args, "I:subs_in", &fid))
        return NULL;
    const nyt_sub *const *all = nyt_profile_defined(profile_of(self), fid, &n);
    PyObject *list = PyList_New((Py_ssize_t)n);
    for (size_t i = 0; list && i < n; i++)
        set_item(&list, i, struct_of(module_of(self), &sub_layout, all[i]));
    return list;
}

/* Names come out by text_of(), so that they may stand in the file in either way. Without an
 * exception if there is none. */
static const nyt_sub *sub_named(const nyt_profile *p, PyObject *name)
{
    Py_ssize_t len;
    const char *text = PyUnicode_Check(name) ? PyUnicode_AsUTF8AndSize(name, &len) : NULL;
    if (!text) {
        PyErr_Clear();
        return NULL;
    }
    const nyt_sub *sub = nyt_profile_sub(p, (nyt_str){.data = text, .len = (size_t)len});
    PyObject *latin1 = sub ? NULL : PyUnicode_AsLatin1String(name);
    if (latin1)
        sub = nyt_profile_sub(p, (nyt_str){.data = PyBytes_AS_STRING(latin1),
                                           .len = (size_t)PyBytes_GET_SIZE(latin1)});
    Py_XDECREF(latin1);
    PyErr_Clear();
    return sub;
}

static PyObject *profile_sub(PyObject *self, PyObject *name)
{
    const nyt_sub *sub = sub_named(profile_of(self), name);
    return sub ? struct_of(module_of(self), &sub_layout, sub) : Py_NewRef(Py_None);
}

/* ---- Calls ---- */

static PyObject *profile_calls(PyObject *self, PyObject *args)
{
    size_t n;
    struct part part;
    const nyt_call *all = nyt_profile_all_calls(profile_of(self), &n);
    if (!part_arguments(args, n, &part))
        return NULL;
    return structs_of(module_of(self), &call_layout, all + part.from, sizeof *all, part.count);
}

static PyObject *profile_calls_in(PyObject *self, PyObject *args)
{
    unsigned fid;
    size_t n;
    if (!PyArg_ParseTuple(args, "I:calls_in", &fid))
        return NULL;
    const nyt_call *const *all = nyt_profile_calls(profile_of(self), fid, &n);
    PyObject *list = PyList_New((Py_ssize_t)n);
    for (size_t i = 0; list && i < n; i++)
        set_item(&list, i, struct_of(module_of(self), &call_layout, all[i]));
    return list;
}

static PyObject *profile_calls_of(PyObject *self, PyObject *name)
{
    size_t n = 0;
    const nyt_sub *sub = sub_named(profile_of(self), name);
    const nyt_call *calls = sub ? nyt_profile_callers(profile_of(self), sub, &n) : NULL;
    return structs_of(module_of(self), &call_layout, calls, sizeof *calls, n);
}

static bool is_by(const nyt_call *call, nyt_str name)
{
    return call->caller.len == name.len && memcmp(call->caller.data, name.data, name.len) == 0;
}

static PyObject *profile_calls_by(PyObject *self, PyObject *name)
{
    size_t n;
    const nyt_sub *sub = sub_named(profile_of(self), name);
    const nyt_call *all = nyt_profile_all_calls(profile_of(self), &n);
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && sub && i < n; i++)
        if (is_by(&all[i], sub->name))
            append_item(&list, struct_of(module_of(self), &call_layout, &all[i]));
    return list;
}

/* ---- The call tree ---- */

static PyObject *profile_tree(PyObject *self, PyObject *args)
{
    size_t n;
    struct part part;
    const nyt_node *all = nyt_profile_tree(profile_of(self), &n);
    if (!part_arguments(args, n, &part))
        return NULL;
    PyObject *list = PyList_New((Py_ssize_t)part.count);
    for (size_t i = 0; list && i < part.count; i++) {
        struct node node = {all[part.from + i], part.from + i};
        set_item(&list, i, struct_of(module_of(self), &node_layout, &node));
    }
    return list;
}

static PyObject *profile_children(PyObject *self, PyObject *args)
{
    Py_ssize_t index;
    size_t n;
    if (!PyArg_ParseTuple(args, "n:children", &index))
        return NULL;
    const nyt_node *all = nyt_profile_tree(profile_of(self), &n);
    PyObject *list = PyList_New(0);
    uint32_t at = index >= 0 && (size_t)index < n ? all[index].first_child : 0;
    for (; list && at; at = all[at].next)
        append_item(&list, PyLong_FromUnsignedLong(at));
    return list;
}

/* ---- The type ---- */

static PyMethodDef profile_methods[] = {
    {"totals", profile_totals, METH_NOARGS,
     PyDoc_STR("totals($self)\n--\n\nWhat holds for the whole file.")},
    {"fault", profile_fault, METH_NOARGS,
     PyDoc_STR("fault($self)\n--\n\n"
               "Why reading ended before the end of the file; None: it did not.")},
    {"attributes", profile_attributes, METH_NOARGS,
     PyDoc_STR("attributes($self)\n--\n\n"
               "Key and value of each attribute; None: the file ends in mid-value.")},
    {"options", profile_options, METH_NOARGS,
     PyDoc_STR("options($self)\n--\n\n"
               "Key and value of each option; None: the file ends in mid-value.")},
    {"comments", profile_comments, METH_NOARGS,
     PyDoc_STR("comments($self)\n--\n\nThe comments of the file, 1000 at most.")},
    {"units", profile_units, METH_NOARGS,
     PyDoc_STR("units($self)\n--\n\nUnits of work: (name, count, time, apart), by time.")},
    {"unit_state", profile_unit_state, METH_NOARGS,
     PyDoc_STR("unit_state($self)\n--\n\n"
               "\"fine\", \"unknown\", \"together\", \"lost\" or \"partly\".")},
    {"awaits", profile_awaits, METH_NOARGS,
     PyDoc_STR("awaits($self)\n--\n\nWhat lines of coroutines waited for, by fid and line.")},
    {"processes", profile_processes, METH_NOARGS,
     PyDoc_STR("processes($self)\n--\n\nThe processes in order of appearance.")},
    {"counts", profile_counts, METH_NOARGS,
     PyDoc_STR("counts($self)\n--\n\nHow long the lists of lines, subs, calls and nodes are.")},
    {"files", profile_files, METH_NOARGS,
     PyDoc_STR("files($self)\n--\n\nAll files by fid, merged ones included.")},
    {"source", profile_source, METH_VARARGS,
     PyDoc_STR("source($self, fid, /)\n--\n\n"
               "Number and text of each line of a file that the profile has.")},
    {"source_line", profile_source_line, METH_VARARGS,
     PyDoc_STR("source_line($self, fid, line, /)\n--\n\n"
               "The text of one line; None: the profile does not have it.")},
    {"lines", profile_lines, METH_VARARGS,
     PyDoc_STR(
         "lines($self, level=0, first=0, end=sys.maxsize, /)\n--\n\n"
         "Lines by fid and number, [first:end] of them.\n\n"
         "Level 1 has the times of whole blocks on the lines they begin on, 2 those of subs.")},
    {"lines_in", profile_lines_in, METH_VARARGS,
     PyDoc_STR("lines_in($self, fid, level=0, /)\n--\n\n"
               "Lines of one file by number; for the level see lines().")},
    {"subs", profile_subs, METH_VARARGS,
     PyDoc_STR("subs($self, first=0, end=sys.maxsize, /)\n--\n\n"
               "Subs by name, [first:end] of them.")},
    {"sub", profile_sub, METH_O,
     PyDoc_STR("sub($self, name, /)\n--\n\nThe sub of this name, or None.")},
    {"subs_in", profile_subs_in, METH_VARARGS,
     PyDoc_STR("subs_in($self, fid, /)\n--\n\nSubs that a file defines, by name.")},
    {"calls", profile_calls, METH_VARARGS,
     PyDoc_STR("calls($self, first=0, end=sys.maxsize, /)\n--\n\n"
               "Calls by name of the called, fid and line, [first:end] of them.")},
    {"calls_in", profile_calls_in, METH_VARARGS,
     PyDoc_STR("calls_in($self, fid, /)\n--\n\n"
               "Calls made in a file, by line and name of the called.")},
    {"calls_of", profile_calls_of, METH_O,
     PyDoc_STR("calls_of($self, name, /)\n--\n\nCalls of a sub, by fid and line.")},
    {"calls_by", profile_calls_by, METH_O,
     PyDoc_STR("calls_by($self, name, /)\n--\n\nCalls made on lines of a sub.")},
    {"tree", profile_tree, METH_VARARGS,
     PyDoc_STR("tree($self, first=0, end=sys.maxsize, /)\n--\n\n"
               "Nodes of the call tree, each behind its parent, [first:end] of them.")},
    {"children", profile_children, METH_VARARGS,
     PyDoc_STR("children($self, index, /)\n--\n\nIndexes of the nodes right below a node.")},
    {"model", export_model, METH_O,
     PyDoc_STR("model($self, write, /)\n--\n\n"
               "Passes all but the call tree to write() as one JSON object.")},
    {"fragment", export_fragment, METH_O,
     PyDoc_STR("fragment($self, write, /)\n--\n\n"
               "Passes the answer to write() as a part of an HTML page.")},
    {"export", export_format, METH_VARARGS,
     PyDoc_STR("export($self, format, write, max_bytes=0, top=0, /)\n--\n\n"
               "Passes the profile to write() in one of formats(); returns what was left out.\n\n"
               "max_bytes limits its length, top the subs of a picture; 0: as usual.")},
    {"csv", export_csv, METH_VARARGS,
     PyDoc_STR("csv($self, begin, write, /)\n--\n\n"
               "Passes the lines of each file to write(), after the file's name to begin().")},
    {"summary", (PyCFunction)(void (*)(void))export_summary, METH_VARARGS | METH_KEYWORDS,
     PyDoc_STR("summary($self, write, *, top=0, sort=0, width=0, colour=False, json=False,\n"
               "        path=None, fid=0)\n--\n\n"
               "Passes what took most time to write(), or the source of the file `fid`.")},
    {"info", (PyCFunction)(void (*)(void))export_info, METH_VARARGS | METH_KEYWORDS,
     PyDoc_STR("info($self, write, *, top=0, sort=0, width=0, colour=False, json=False,\n"
               "     path=None)\n--\n\n"
               "Passes what the file says of itself to write().")},
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

static const struct layout *const layouts[] = {
    &header_layout, &fault_layout, &process_layout, &await_layout, &file_layout,
    &counts_layout, &line_layout,  &sub_layout,     &call_layout,  &node_layout,
};

int add_profile(PyObject *module)
{
    if (add_layouts(module, layouts, sizeof layouts / sizeof *layouts) < 0)
        return -1;
    PyObject *type = PyType_FromModuleAndSpec(module, &profile_spec, NULL);
    state_of(module)->profile = type;
    return type ? PyModule_AddType(module, (PyTypeObject *)type) : -1;
}
