/*
 * What is true of a code object is found once and hung on it. Equal code objects
 * (same file, module, qualified name, first line and line table) share one
 * code_info, so that code which is made again and again takes memory once.
 */
#include "trace.h"
#include "util.h"

#include <stdlib.h>
#include <string.h>

/* ---- The mark on a code object: which tracer, and which of its codes ---- */

#if PY_VERSION_HEX < 0x030C0000
#define PyUnstable_Eval_RequestCodeExtraIndex _PyEval_RequestCodeExtraIndex
#define PyUnstable_Code_GetExtra              _PyCode_GetExtra
#define PyUnstable_Code_SetExtra              _PyCode_SetExtra
#endif

/* An integer in a pointer's place: nothing dangles when the tracer goes first. */
enum { MARK_INDEX_BITS = sizeof(uintptr_t) * 5 };
#define MARK_INDEX_MASK (((uintptr_t)1 << MARK_INDEX_BITS) - 1)

static Py_ssize_t extra_index = -2;     /* one a process: there are only 255 */

static uintptr_t mark_of_tracer(const tracer *t)
{
    return (uintptr_t)t->serial << MARK_INDEX_BITS;
}

static inline code_info *marked(const tracer *t, PyCodeObject *code)
{
    void *extra = NULL;
    if (extra_index < 0 ||
        PyUnstable_Code_GetExtra((PyObject *)code, extra_index, &extra) < 0)
        return NULL;
    uintptr_t mark = (uintptr_t)extra;
    if (!mark || (mark & ~MARK_INDEX_MASK) != mark_of_tracer(t))
        return NULL;
    return t->codes[(mark & MARK_INDEX_MASK) - 1];
}

static void set_mark(const tracer *t, PyCodeObject *code, size_t index)
{
    if (extra_index == -2)
        extra_index = PyUnstable_Eval_RequestCodeExtraIndex(NULL);
    if (extra_index < 0)
        return;
    uintptr_t mark = mark_of_tracer(t) | (uintptr_t)(index + 1);
    if (PyUnstable_Code_SetExtra((PyObject *)code, extra_index, (void *)mark) < 0)
        PyErr_Clear();      /* it will be looked up again the long way */
}

/* ---- Lines ---- */

static int compare_ints(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

static void keep_distinct(code_info *info)
{
    uint32_t n = 0;
    qsort(info->lines, info->n_lines, sizeof *info->lines, compare_ints);
    for (uint32_t i = 0; i < info->n_lines; i++)
        if (n == 0 || info->lines[n - 1] != info->lines[i])
            info->lines[n++] = info->lines[i];
    info->n_lines = n;
    int *exact = realloc(info->lines, n * sizeof *exact);
    if (exact)
        info->lines = exact;
}

/* A table from line to index where the lines lie close together. */
static bool index_lines(code_info *info)
{
    info->low = info->lines[0];
    uint64_t span = (uint64_t)((int64_t)info->lines[info->n_lines - 1] - info->low) + 1;
    if (span > 4 * (uint64_t)info->n_lines + 64)
        return true;
    info->direct = calloc(span, sizeof *info->direct);
    if (!info->direct)
        return false;
    info->span = (uint32_t)span;
    for (uint32_t i = 0; i < info->n_lines; i++)
        info->direct[info->lines[i] - info->low] = i + 1;
    return true;
}

/* A stretch of code and its line; line 0: none. */
typedef struct {
    int start, end, line;
} line_range;

/* Gives the function each range of the code; false with an exception, or without: it said so. */
static bool each_range(PyCodeObject *code, bool (*take)(code_info *, line_range), code_info *info)
{
    PyObject *ranges = PyObject_CallMethod((PyObject *)code, "co_lines", NULL);
    PyObject *range;
    bool ok = ranges != NULL;
    while (ok && (range = PyIter_Next(ranges))) {
        line_range r = {0};
        PyObject *line = NULL;
        ok = PyArg_ParseTuple(range, "iiO", &r.start, &r.end, &line);
        if (ok && line != Py_None)
            r.line = (int)PyLong_AsLong(line);
        ok = ok && !PyErr_Occurred() && take(info, r);
        Py_DECREF(range);
    }
    Py_XDECREF(ranges);
    return ok && !PyErr_Occurred();
}

static bool add_line(code_info *info, int line)
{
    size_t cap = info->lines_cap;
    int *lines = nyt_grow(info->lines, &cap, info->n_lines + 1, sizeof *lines);
    if (!lines)
        return false;
    info->lines = lines;
    info->lines_cap = (uint32_t)cap;
    lines[info->n_lines++] = line;
    return true;
}

/* A module begins with an instruction on line 0. */
static bool add_range(code_info *info, line_range r)
{
    return r.line <= 0 || add_line(info, r.line);
}

static bool collect_lines(code_info *info, PyCodeObject *code)
{
    if (!each_range(code, add_range, info))
        return false;
    if (info->n_lines == 0 && !add_line(info, info->first_line > 0 ? info->first_line : 1))
        return false;
    keep_distinct(info);
    return index_lines(info);
}

/* In a folded file: code with other lines is still to come. */
static bool number_lines(code_info *info)
{
    info->lines = malloc(FOLDED_LINES * sizeof *info->lines);
    if (!info->lines)
        return false;
    for (int i = 0; i < FOLDED_LINES; i++)
        info->lines[i] = i + 1;
    info->n_lines = FOLDED_LINES;
    return index_lines(info);
}

/* ---- Places: from an offset to its line ---- */

static bool grow_places(code_info *info, uint32_t units)
{
    size_t cap = info->places_cap;
    uint32_t *places = nyt_grow(info->places, &cap, units, sizeof *places);
    if (!places)
        return false;
    info->places = places;
    info->places_cap = (uint32_t)cap;
    return true;
}

static bool place_range(code_info *info, line_range r)
{
    uint32_t first = (uint32_t)r.start / 2, end = (uint32_t)r.end / 2;
    if (r.line <= 0)
        return true;
    if (!grow_places(info, end))
        return false;
    for (uint32_t unit = first; unit < end; unit++)
        info->places[unit] = code_line_index(info, r.line) + 1;
    return true;
}

/*
 * CPython decodes a line table from its beginning for each question. For code of many
 * lines all its places are found at once.
 */
static bool place_all(code_info *info, PyCodeObject *code)
{
    enum { MANY_LINES = 500 };
    if (!info->all_placed && info->n_lines >= MANY_LINES) {
        info->all_placed = each_range(code, place_range, info);
        swallow_error();
    }
    return info->all_placed;
}

static Py_ssize_t code_units(PyCodeObject *code)
{
#if PY_VERSION_HEX >= 0x030B0000
    return Py_SIZE(code);
#else
    return PyBytes_GET_SIZE(code->co_code) / 2;
#endif
}

/*
 * The slow part of code_place(). Without memory it is found anew each time; and so is an
 * offset that lies beyond the code, for extensions may tell of such.
 */
uint32_t code_place_found(code_info *info, PyCodeObject *code, int offset)
{
    uint32_t unit = (uint32_t)offset / 2;
    if (place_all(info, code))
        return unit < info->places_cap && info->places[unit] ? info->places[unit] - 1 : 0;
    uint32_t index = code_line_index(info, PyCode_Addr2Line(code, offset));
    if (offset >= 0 && !info->folded && (Py_ssize_t)unit < code_units(code) &&
        grow_places(info, unit + 1))
        info->places[unit] = index + 1;
    return index;
}

/* Whether a jump stays on its line. One whose place alone is known has been found to. */
bool code_stays_on_line(code_info *info, PyCodeObject *code, int from, int to)
{
    uint32_t a = (uint32_t)from / 2, b = (uint32_t)to / 2;
    if (!place_all(info, code))
        return (a < info->places_cap && info->places[a]) ||
               PyCode_Addr2Line(code, from) == PyCode_Addr2Line(code, to);
    return a < info->places_cap && b < info->places_cap && info->places[a] &&
           info->places[a] == info->places[b];
}

/* ---- Qualified names ---- */

#if PY_VERSION_HEX >= 0x030B0000

static PyObject *qualname_of(PyCodeObject *code, PyObject *enclosing, PyObject *globals)
{
    (void)enclosing;
    (void)globals;
    return Py_NewRef(code->co_qualname);
}

#else

/*
 * 3.10 does not keep it with the code: it comes from the enclosing code object,
 * or, for functions defined before we looked, from the functions and classes that
 * the module holds.
 */
enum { CLASSES_IN_CLASSES = 8 };

static PyObject *search_namespace(PyObject *dict, PyObject *code, PyObject *module, int depth);

static PyObject *search_value(PyObject *value, PyObject *code, PyObject *module, int depth)
{
    if (PyFunction_Check(value)) {
        if (PyFunction_GET_CODE(value) == code)
            return Py_NewRef(((PyFunctionObject *)value)->func_qualname);
        PyObject *dict = ((PyFunctionObject *)value)->func_dict;
        PyObject *wrapped = dict ? PyDict_GetItemString(dict, "__wrapped__") : NULL;
        return wrapped && depth > 0 ? search_value(wrapped, code, module, depth - 1) : NULL;
    }
    if (PyType_Check(value) && depth > 0) {
        PyObject *dict = ((PyTypeObject *)value)->tp_dict;
        PyObject *home = dict ? PyDict_GetItemString(dict, "__module__") : NULL;
        if (home && PyUnicode_Check(home) && PyUnicode_Compare(home, module) == 0)
            return search_namespace(dict, code, module, depth - 1);
        return NULL;
    }
    bool method = Py_IS_TYPE(value, &PyStaticMethod_Type) ||
                  Py_IS_TYPE(value, &PyClassMethod_Type);
    const char *inside[] = {"fget", "fset", "fdel"};
    size_t n = method ? 1 : Py_IS_TYPE(value, &PyProperty_Type) ? 3 : 0;
    PyObject *found = NULL;
    for (size_t i = 0; i < n && !found; i++) {
        PyObject *f = PyObject_GetAttrString(value, method ? "__func__" : inside[i]);
        if (f && PyFunction_Check(f))
            found = search_value(f, code, module, 1);
        PyErr_Clear();
        Py_XDECREF(f);
    }
    return found;
}

static PyObject *search_namespace(PyObject *dict, PyObject *code, PyObject *module, int depth)
{
    Py_ssize_t at = 0;
    PyObject *key, *value, *found = NULL;
    while (!found && PyDict_Next(dict, &at, &key, &value))
        found = search_value(value, code, module, depth);
    return found;
}

static PyObject *qualname_of(PyCodeObject *code, PyObject *enclosing, PyObject *globals)
{
    if (enclosing)
        return PyUnicode_FromFormat("%U.%U", enclosing, code->co_name);
    PyObject *module = globals ? PyDict_GetItemString(globals, "__name__") : NULL;
    PyObject *found = NULL;
    if (module && PyUnicode_Check(module) && (code->co_flags & CO_OPTIMIZED))
        found = search_namespace(globals, (PyObject *)code, module, CLASSES_IN_CLASSES);
    return found ? found : Py_NewRef(code->co_name);
}

#endif

static bool is_class_body(PyCodeObject *code)
{
    return !(code->co_flags & CO_OPTIMIZED) && !code_is_module_level(code);
}

/* The prefix of what is defined inside; NULL with no error: nothing stands before it. */
static PyObject *prefix_inside(PyCodeObject *code, PyObject *qualname)
{
    if (code_is_module_level(code))
        return NULL;
    if (is_class_body(code))
        return Py_NewRef(qualname);
    return PyUnicode_FromFormat("%U.<locals>", qualname);
}

/* ---- Making one ---- */

static void slots_free(code_info *info)
{
    for (uint32_t i = 0; i < info->slots_cap; i++)
        free(info->slots[i]);
    free(info->slots);
    info->slots = NULL;
    info->slots_cap = 0;
}

/* Forgets how often all lines have run. */
void codes_forget(tracer *t)
{
    for (size_t i = 0; i < t->n_codes; i++)
        slots_free(t->codes[i]);
}

bool code_has_run(const code_info *info)
{
    for (uint32_t i = 0; i < info->slots_cap; i++)
        if (info->slots[i])
            return true;
    return false;
}

static void code_info_free(code_info *info)
{
    if (!info)
        return;
    slots_free(info);
    free(info->lines);
    free(info->direct);
    free(info->places);
    Py_XDECREF(info->qualname);
    free(info);
}

static int64_t sub_new(tracer *t, sub_info sub)
{
    sub_info *subs = sub.base ? nyt_grow(t->subs, &t->subs_cap, t->n_subs + 1, sizeof *subs)
                              : NULL;
    if (!subs) {
        free(sub.base);
        return -1;
    }
    t->subs = subs;
    subs[t->n_subs] = sub;
    return (int64_t)t->n_subs++;
}

/*
 * The key under which equal code objects meet; in a folded file, those of one name. A
 * string eval is one whatever the module in whose name it runs: namedtuple makes one up for each.
 */
static PyObject *identity_of(const tracer *t, PyCodeObject *code, uint32_t file,
                             PyObject *qualname, PyObject *module)
{
    if (t->files[file].folded)
        return Py_BuildValue("(IO)", file, qualname);
    PyObject *table = PyObject_GetAttrString((PyObject *)code, "co_linetable");
    Py_hash_t line_table = table ? PyObject_Hash(table) : -1;
    Py_XDECREF(table);
    if (line_table == -1)
        return NULL;
    return Py_BuildValue("(IOiLO)", file, qualname, code->co_firstlineno,
                         (long long)line_table, t->files[file].parent ? Py_None : module);
}

/*
 * The name before duplicates are told apart. What exec or eval was given is no module
 * of its own: it is called after the line that ran it.
 */
static char *base_name(PyCodeObject *code, const source_file *file, PyObject *qualname,
                       PyObject *module, int first)
{
    if (!file->parent || !code_is_module_level(code))
        return name_of_python(module, qualname, first, is_class_body(code));
    PyObject *eval = PyUnicode_FromString("<eval>");
    char *name = eval ? name_of_python(module, eval, (int)file->parent_line, false) : NULL;
    Py_XDECREF(eval);
    return name;
}

static code_info *code_info_new(tracer *t, PyCodeObject *code, uint32_t file,
                                PyObject *qualname, PyObject *module)
{
    code_info *info = calloc(1, sizeof *info);
    code_info **codes = nyt_grow(t->codes, &t->codes_cap, t->n_codes + 1, sizeof *codes);
    if (codes)
        t->codes = codes;
    if (!info || !codes) {
        free(info);
        return NULL;
    }
    info->qualname = Py_NewRef(qualname);
    info->file = file;
    info->first_line = t->files[file].folded ? 1 : code->co_firstlineno;
    info->module = code_is_module_level(code);
    info->skip = t->files[file].skip;
    info->folded = t->files[file].folded;
    if (!info->skip) {
        if (!(info->folded ? number_lines(info) : collect_lines(info, code))) {
            code_info_free(info);
            return NULL;
        }
        int first = info->first_line > 0 ? info->first_line : 1;
        int last = info->lines[info->n_lines - 1];
        int64_t sub = sub_new(t, (sub_info){
            .kind = SUB_PYTHON, .file = file, .first = (uint32_t)first,
            .last = (uint32_t)(last > first ? last : first),
            .base = base_name(code, &t->files[file], qualname, module, first)});
        if (sub < 0) {
            code_info_free(info);
            return NULL;
        }
        info->sub = (uint32_t)sub;
    }
    t->codes[t->n_codes++] = info;
    return info;
}

static code_info *code_register(tracer *t, PyCodeObject *code, uint32_t file,
                                PyObject *qualname, PyObject *module, bool inside);

/*
 * Code that has not run yet is marked only if what is known of it now could not be
 * found when it runs: subinterpreters accept no functions whose code bears a mark.
 */
static bool may_wait(const tracer *t, uint32_t file)
{
    return PY_VERSION_HEX >= 0x030B0000 && !t->files[file].parent && !t->files[file].version;
}

/* Functions that may never be called are subs too: they stand in co_consts. */
static bool register_inside(tracer *t, PyCodeObject *code, code_info *info, PyObject *module)
{
    PyObject *prefix = prefix_inside(code, info->qualname);
    bool ok = !PyErr_Occurred();
    for (Py_ssize_t i = 0; ok && i < PyTuple_GET_SIZE(code->co_consts); i++) {
        PyObject *inner = PyTuple_GET_ITEM(code->co_consts, i);
        if (!PyCode_Check(inner))
            continue;
        PyObject *qualname = qualname_of((PyCodeObject *)inner, prefix, NULL);
        code_info *made = qualname ? code_register(t, (PyCodeObject *)inner, info->file,
                                                   qualname, module, true) : NULL;
        Py_XDECREF(qualname);
        ok = made != NULL;
        if (ok && !info->skip && t->subs[made->sub].last > t->subs[info->sub].last)
            t->subs[info->sub].last = t->subs[made->sub].last;
    }
    Py_XDECREF(prefix);
    return ok;
}

/* The names of subs in a folded file are limited: those past that share one. Owned. */
static PyObject *qualname_there(tracer *t, PyCodeObject *code, uint32_t file, PyObject *qualname)
{
    source_file *f = &t->files[file];
    if (!f->folded)
        return Py_NewRef(qualname);
    PyObject *key = identity_of(t, code, file, qualname, NULL);
    int known = key ? PyDict_Contains(t->code_index, key) : -1;
    Py_XDECREF(key);
    if (known != 0)
        return known < 0 ? NULL : Py_NewRef(qualname);
    return f->names++ < FOLDED_NAMES ? Py_NewRef(qualname) : PyUnicode_FromString("(others)");
}

static code_info *code_register(tracer *t, PyCodeObject *code, uint32_t file,
                                PyObject *given_name, PyObject *module, bool inside)
{
    bool mark = !inside || !may_wait(t, file);
    PyObject *qualname = qualname_there(t, code, file, given_name);
    PyObject *key = qualname ? identity_of(t, code, file, qualname, module) : NULL;
    PyObject *known = key ? PyDict_GetItemWithError(t->code_index, key) : NULL;
    code_info *info = NULL;
    if (known) {
        size_t index = PyLong_AsSize_t(known);
        info = t->codes[index];
        if (mark)
            set_mark(t, code, index);
    } else if (key && !PyErr_Occurred()) {
        info = code_info_new(t, code, file, qualname, module);
        PyObject *index = info ? PyLong_FromSize_t(t->n_codes - 1) : NULL;
        if (!index || PyDict_SetItem(t->code_index, key, index) < 0) {
            info = NULL;        /* the tracer gives up; the table frees it */
        } else if (mark) {
            set_mark(t, code, t->n_codes - 1);
        }
        Py_XDECREF(index);
    }
    Py_XDECREF(key);
    Py_XDECREF(qualname);
    if (info && !register_inside(t, code, info, module))
        info = NULL;
    return info;
}

static PyObject *module_of(PyObject *globals)
{
    PyObject *name = globals && PyDict_Check(globals)
                         ? PyDict_GetItemString(globals, "__name__") : NULL;
    if (name && PyUnicode_Check(name))
        return Py_NewRef(name);
    return PyUnicode_FromString("(unknown)");
}

/* To learn of code takes longer than it may run: what began then is none of the program's time. */
static void leave_out_learning(tracer *t, uint64_t began)
{
    if (!t->raw && trace_my_lane && trace_my_lane->key == trace_my_key)
        lane_leave_out(t, trace_my_lane, began);
}

static code_info *code_first_seen(tracer *t, PyCodeObject *code, PyObject *globals)
{
    uint64_t began = clock_read(&t->clock);
    greenlets_look(t);
    if (!globals)
        globals = PyEval_GetGlobals();
    int64_t file = source_file_of(t, code, globals);
    PyObject *module = module_of(globals);
    PyObject *qualname = qualname_of(code, NULL, globals);
    code_info *info = NULL;
    if (file >= 0 && module && qualname)
        info = code_register(t, code, (uint32_t)file, qualname, module, false);
    Py_XDECREF(module);
    Py_XDECREF(qualname);
    if (!info)
        trace_fail(t);
    leave_out_learning(t, began);
    return info;
}

/*
 * The code_info of a code object; `globals` (may be NULL) are those of its frame,
 * which else is the running one. NULL: the tracer has failed.
 */
code_info *code_info_of(tracer *t, PyCodeObject *code, PyObject *globals)
{
    code_info *info = marked(t, code);
    return LIKELY(info != NULL) ? info : code_first_seen(t, code, globals);
}

void codes_free(tracer *t)
{
    for (size_t i = 0; i < t->n_codes; i++)
        code_info_free(t->codes[i]);
    for (size_t i = 0; i < t->n_subs; i++)
        free(t->subs[i].base);
    free(t->codes);
    free(t->subs);
    t->codes = NULL;
    t->subs = NULL;
    t->n_codes = t->n_subs = t->codes_cap = t->subs_cap = 0;
    nyt_map_free(&t->c_methods);
    Py_CLEAR(t->code_index);
    Py_CLEAR(t->c_names);
}

/* ---- C functions ---- */

/*
 * Is it what cProfile counts as a C function: a PyCFunction, or a method descriptor
 * called with an object? Then *method is what all its forms have in common.
 */
bool code_c_function(PyObject *callable, bool bound, PyMethodDef **method)
{
    if (PyCFunction_Check(callable)) {
        *method = ((PyCFunctionObject *)callable)->m_ml;
        return true;
    }
    if (bound && Py_IS_TYPE(callable, &PyMethodDescr_Type)) {
        *method = ((PyMethodDescrObject *)callable)->d_method;
        return true;
    }
    return false;
}

static int64_t c_sub_first_seen(tracer *t, PyObject *callable, PyMethodDef *method)
{
    uint64_t began = clock_read(&t->clock);
    greenlets_look(t);
    PyObject *name = name_of_c(callable, method);
    PyObject *known = name ? PyDict_GetItemWithError(t->c_names, name) : NULL;
    int64_t sub = -1, file = source_file_for_c(t);
    if (known) {
        sub = PyLong_AsLong(known);
    } else if (name && file >= 0 && !PyErr_Occurred()) {
        const char *text = PyUnicode_AsUTF8(name);
        sub = text ? sub_new(t, (sub_info){.kind = SUB_C, .file = (uint32_t)file,
                                           .base = strdup(text)}) : -1;
        PyObject *index = sub >= 0 ? PyLong_FromLongLong(sub) : NULL;
        if (!index || PyDict_SetItem(t->c_names, name, index) < 0)
            sub = -1;
        Py_XDECREF(index);
    }
    Py_XDECREF(name);
    bool is_new;
    uint32_t *place = sub < 0 ? NULL : nyt_map_take(&t->c_methods, (uintptr_t)method, &is_new);
    if (!place) {
        trace_fail(t);
        return -1;
    }
    *place = (uint32_t)sub;
    leave_out_learning(t, began);
    return sub;
}

/* Index of the sub of a C function; -1: the tracer has failed. */
int64_t code_c_sub(tracer *t, PyObject *callable, PyMethodDef *method)
{
    const uint32_t *found = nyt_map_find(&t->c_methods, (uintptr_t)method);
    if (LIKELY(found != NULL))
        return *found;
    return c_sub_first_seen(t, callable, method);
}
