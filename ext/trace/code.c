/*
 * What is known of a code object is hung on it. Equal code objects share one code_info
 * (code_identity.h).
 */
#include "code.h"

#include "code_identity.h"
#include "extension_code.h"
#include "frames.h"
#include "greenlet.h"
#include "instructions.h"
#include "line_costs.h"
#include "names.h"
#include "source.h"
#include "tiers.h"
#include "tracer.h"

#include <stdlib.h>
#include <string.h>

/* ---- The mark on a code object: which tracer, and which of its codes ---- */

#if PY_VERSION_HEX < 0x030C0000
#define PyUnstable_Eval_RequestCodeExtraIndex _PyEval_RequestCodeExtraIndex
#define PyUnstable_Code_GetExtra              _PyCode_GetExtra
#define PyUnstable_Code_SetExtra              _PyCode_SetExtra
#endif

/*
 * An integer in a pointer's place, for nothing dangles when the tracer goes first: from the top
 * the tracer's serial number, the epoch in which the code was looked at, and its index plus one.
 */
enum { WIDE = sizeof(uintptr_t) >= 8, INDEX_BITS = WIDE ? 32 : 20, EPOCH_BITS = WIDE ? 16 : 6 };
#define INDEX_MASK (((uintptr_t)1 << INDEX_BITS) - 1)
#define EPOCH_MASK ((((uintptr_t)1 << EPOCH_BITS) - 1) << INDEX_BITS)

static Py_ssize_t extra_index = -2;     /* one a process: there are only 255 */

static uintptr_t mark_of_tracer(const tracer *t)
{
    return (uintptr_t)t->codes.serial << (INDEX_BITS + EPOCH_BITS);
}

static uintptr_t mark_of_epoch(const tracer *t)
{
    return ((uintptr_t)t->codes.epoch << INDEX_BITS) & EPOCH_MASK;
}

/* 0: it has none. */
static inline uintptr_t mark_of(PyCodeObject *code)
{
    void *extra = NULL;
    if (extra_index < 0 || PyUnstable_Code_GetExtra((PyObject *)code, extra_index, &extra) < 0)
        return 0;
    return (uintptr_t)extra;
}

/* Looked at since the start. */
static inline code_info *marked(const tracer *t, PyCodeObject *code)
{
    uintptr_t mark = mark_of(code), index = mark & INDEX_MASK;
    if (!index || (mark & ~INDEX_MASK) != (mark_of_tracer(t) | mark_of_epoch(t)))
        return NULL;
    return t->codes.list[index - 1];
}

/* Known to this tracer; *index is where. */
static bool marked_before(const tracer *t, PyCodeObject *code, size_t *index)
{
    uintptr_t mark = mark_of(code);
    if (!(mark & INDEX_MASK) || (mark & ~(INDEX_MASK | EPOCH_MASK)) != mark_of_tracer(t))
        return false;
    *index = (size_t)(mark & INDEX_MASK) - 1;
    return true;
}

enum looked_at { NOT_YET, LOOKED_AT };

static void set_mark(const tracer *t, PyCodeObject *code, size_t index, enum looked_at how)
{
    if (extra_index == -2)
        extra_index = PyUnstable_Eval_RequestCodeExtraIndex(NULL);
    if (extra_index < 0)
        return;
    uintptr_t epoch = how == LOOKED_AT ? mark_of_epoch(t) : 0;
    uintptr_t mark = mark_of_tracer(t) | epoch | (uintptr_t)(index + 1);
    if (PyUnstable_Code_SetExtra((PyObject *)code, extra_index, (void *)mark) < 0)
        PyErr_Clear();      /* it will be looked up again the long way */
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
        PyObject *wrapped = dict ? dict_get(dict, "__wrapped__") : NULL;
        return wrapped && depth > 0 ? search_value(wrapped, code, module, depth - 1) : NULL;
    }
    if (PyType_Check(value) && depth > 0) {
        PyObject *dict = ((PyTypeObject *)value)->tp_dict;
        PyObject *home = dict ? dict_get(dict, "__module__") : NULL;
        if (home && PyUnicode_Check(home) && PyUnicode_Compare(home, module) == 0)
            return search_namespace(dict, code, module, depth - 1);
        return NULL;
    }
    bool method = Py_IS_TYPE(value, &PyStaticMethod_Type) || Py_IS_TYPE(value, &PyClassMethod_Type);
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
    PyObject *module = globals ? dict_get(globals, "__name__") : NULL;
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
    if (PY_VERSION_HEX >= 0x030B0000 || code_is_module_level(code))
        return NULL;            /* from 3.11 on, code knows it */
    if (is_class_body(code))
        return Py_NewRef(qualname);
    return PyUnicode_FromFormat("%U.<locals>", qualname);
}

/* ---- Making one ---- */

static int64_t sub_new(code_table *codes, sub_info sub)
{
    sub_info *subs = sub.base
                         ? nyt_grow(codes->subs, &codes->subs_cap, codes->n_subs + 1, sizeof *subs)
                         : NULL;
    if (!subs) {
        free(sub.base);
        return -1;
    }
    codes->subs = subs;
    subs[codes->n_subs] = sub;
    return (int64_t)codes->n_subs++;
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

/* Nobody's tools go further than that, unless there is such a line. */
static int last_line_of(const source_file *file)
{
    enum { USUAL = 65535 };
    return file->text.lines > USUAL ? (int)file->text.lines : USUAL;
}

/* A new sub, which the code is; -1: out of memory. */
static int64_t sub_of_code(tracer *t, PyCodeObject *code, const code_identity *id, PyObject *module)
{
    const source_file *file = &t->files.list[id->file];
    int most = last_line_of(file), begins = file->folded ? 1 : code->co_firstlineno;
    int first = begins > most ? most : begins > 0 ? begins : 1;
    int last = file->folded ? FOLDED_LINES : code_last_line(code, most);
    return sub_new(&t->codes,
                   (sub_info){.kind = SUB_PYTHON,
                              .file = id->file,
                              .first = (uint32_t)first,
                              .last = (uint32_t)(last > first ? last : first),
                              .base = base_name(code, file, id->qualname, module, first)});
}

/*
 * A function of pynytprof/units.py, of a made-up file such as "/work/(unit)", which calls another
 * one under a unit's name.
 */
static bool is_units(PyCodeObject *code, const source_file *file)
{
    static const char *const names[] = {"(unit)", "(web)", "(web.body)", "(task)"};
    const char *begin = file->name ? strrchr(file->name, '/') : NULL;
    for (size_t i = 0; begin && i < sizeof names / sizeof *names; i++) {
        size_t n = strlen(names[i]);
        if (strncmp(begin + 1, names[i], n) == 0 && (!begin[n + 1] || begin[n + 1] == ' '))
            return code->co_argcount == 1 && !code_is_module_level(code);
    }
    return false;
}

static code_info *code_info_new(tracer *t, PyCodeObject *code, const code_identity *id,
                                PyObject *module)
{
    bool skip = t->files.list[id->file].skip;
    int64_t sub = skip ? 0 : sub_of_code(t, code, id, module);
    /* Last of all: what is in the table is whole. */
    code_info *info = sub < 0 ? NULL : codes_add(&t->codes, id);
    if (!info)
        return NULL;
    info->skip = skip;
    info->sub = (uint32_t)sub;
    info->folded = t->files.list[id->file].folded;
    info->first_line = info->folded ? 1 : code->co_firstlineno;
    info->module = code_is_module_level(code);
    info->unit = is_units(code, &t->files.list[id->file]);
    info->awaits = code->co_flags & (CO_COROUTINE | CO_ITERABLE_COROUTINE | CO_ASYNC_GENERATOR);
    return info;
}

static code_info *code_register(tracer *t, PyCodeObject *code, uint32_t file, PyObject *qualname,
                                PyObject *module, bool inside);

/*
 * Code that has not run yet is marked only if what is known of it now could not be
 * found when it runs: subinterpreters accept no functions whose code bears a mark.
 */
static bool may_wait(const tracer *t, uint32_t file)
{
    const source_file *f = &t->files.list[file];
    return PY_VERSION_HEX >= 0x030B0000 && !f->parent && !f->version;
}

/*
 * Functions that may never be called are subs too: they stand in co_consts. Of a file that is left
 * out they are nothing, but for marks that can't be made later.
 */
static bool register_inside(tracer *t, PyCodeObject *code, code_info *info, PyObject *module)
{
    if (info->skip && may_wait(t, info->file))
        return true;
    PyObject *prefix = info->skip ? NULL : prefix_inside(code, info->qualname);
    bool ok = !PyErr_Occurred();
    for (Py_ssize_t i = 0; ok && i < PyTuple_GET_SIZE(code->co_consts); i++) {
        PyObject *inner = PyTuple_GET_ITEM(code->co_consts, i);
        if (!PyCode_Check(inner))
            continue;
        PyObject *qualname = qualname_of((PyCodeObject *)inner, prefix, NULL);
        code_info *made = qualname ? code_register(t, (PyCodeObject *)inner, info->file, qualname,
                                                   module, true)
                                   : NULL;
        Py_XDECREF(qualname);
        ok = made != NULL;
        if (ok && !info->skip && t->codes.subs[made->sub].last > t->codes.subs[info->sub].last)
            t->codes.subs[info->sub].last = t->codes.subs[made->sub].last;
    }
    Py_XDECREF(prefix);
    return ok;
}

/* The names of subs in a folded file are limited: those past that share one. Owned. */
static PyObject *qualname_there(tracer *t, PyCodeObject *code, uint32_t file, PyObject *qualname)
{
    source_file *f = &t->files.list[file];
    code_identity id;
    size_t index;
    if (!f->folded)
        return Py_NewRef(qualname);
    if (code_identity_of(&id, &t->files, code, file, qualname, NULL) < 0)
        return NULL;
    if (codes_find(&t->codes, &id, &index) || f->names++ < FOLDED_NAMES)
        return Py_NewRef(qualname);
    return PyUnicode_FromString("(others)");
}

static code_info *code_register(tracer *t, PyCodeObject *code, uint32_t file, PyObject *given_name,
                                PyObject *module, bool inside)
{
    code_identity id;
    size_t index;
    bool mark = !inside || !may_wait(t, file);
    PyObject *qualname = qualname_there(t, code, file, given_name);
    code_info *info = NULL;
    if (qualname && code_identity_of(&id, &t->files, code, file, qualname, module) == 0) {
        info = codes_find(&t->codes, &id, &index);
        if (!info) {
            index = t->codes.n;
            info = code_info_new(t, code, &id, module);
        }
    }
    if (info && mark)
        set_mark(t, code, index, NOT_YET);
    Py_XDECREF(qualname);
    if (info && !register_inside(t, code, info, module))
        info = NULL;
    return info;
}

/* What the globals have as `__name__`, borrowed; NULL: nothing. */
static PyObject *name_in(PyObject *globals)
{
    static PyObject *kept;
    return globals && PyDict_Check(globals) ? dict_item(globals, "__name__", &kept) : NULL;
}

static PyObject *module_of(PyObject *globals)
{
    PyObject *name = name_in(globals);
    if (name && PyUnicode_Check(name))
        return Py_NewRef(name);
    return PyUnicode_FromString("(unknown)");
}

/* To learn of code takes longer than it may run: what began then is none of the program's time. */
static void leave_out_learning(tracer *t, uint64_t began)
{
    lane *l = lane_here();
    if (!t->options.raw && l)
        lane_leave_out(&t->clock, &t->costs, l, began);
}

/* The traced line that runs now, which may be about to run a text; false: there is none. */
static bool running_place(const tracer *t, eval_place *place)
{
    const lane *l = t->running ? lane_here() : NULL;
    const activation *top = l && l->top != l->stack ? l->top : NULL;
    if (!top || !top->info)
        return false;
    place->file = top->info->file;
    size_t line = tiers_are_off(top) ? tiers_line_now(top) : top->slot ? top->slot - top->slots : 0;
    place->line = top->info->lines[line];
    return true;
}

/* What calls the code, if that is what the running frame runs; owned. NULL: not known. */
static PyFrameObject *caller_of(PyCodeObject *code)
{
    PyFrameObject *frame = PyEval_GetFrame();
    PyCodeObject *running = frame ? PyFrame_GetCode(frame) : NULL;
    PyFrameObject *back = running == code ? PyFrame_GetBack(frame) : NULL;
    Py_XDECREF(running);
    return back;
}

/* Whether whole code is run by code that is not traced. */
static bool is_made_by_skipped(tracer *t, PyCodeObject *code)
{
    PyFrameObject *back = code_is_module_level(code) ? caller_of(code) : NULL;
    PyCodeObject *maker = back ? PyFrame_GetCode(back) : NULL;
    PyObject *globals = back ? frame_globals(back) : NULL;
    code_info *info = maker ? code_info_of(t, maker, globals) : NULL;
    bool skipped = info && info->skip;
    Py_XDECREF(globals);
    Py_XDECREF(maker);
    Py_XDECREF(back);
    return skipped;
}

/* What exec was given may have no name of its own: it is of the module that runs it. */
static PyObject *module_of_maker(PyCodeObject *code)
{
    PyFrameObject *back = code_is_module_level(code) ? caller_of(code) : NULL;
    PyObject *globals = back ? frame_globals(back) : NULL;
    PyObject *module = module_of(globals);
    Py_XDECREF(globals);
    Py_XDECREF(back);
    return module;
}

/*
 * Whether the running frame runs other code. No frame object is made for that: the program could
 * tell, for the one of a generator stays.
 */
static bool other_code_runs(const PyCodeObject *code)
{
#if HAVE_RAW_FRAMES
    const raw_frame *frame = running_frame();
    return frame && !frame_runs(frame, code);
#else
    PyFrameObject *frame = PyEval_GetFrame();
    PyCodeObject *running = frame ? PyFrame_GetCode(frame) : NULL;
    Py_XDECREF(running);
    return running && running != code;
#endif
}

static PyObject *module_named(PyCodeObject *code, PyObject *globals)
{
    return name_in(globals) ? module_of(globals) : module_of_maker(code);
}

/* Without a frame of its own, as an extension's code is, the globals are another's. */
typedef struct {
    PyObject *module, *qualname;    /* owned; NULL with an exception */
} code_names;

static code_names names_of(PyCodeObject *code, PyObject *globals, bool framed)
{
    code_names names = {.module = framed ? module_named(code, globals) : extension_module_of(code)};
    if (names.module && !framed)
        names.qualname = extension_qualname_of(code, names.module);
    if (names.module && !names.qualname && !PyErr_Occurred())
        names.qualname = qualname_of(code, NULL, globals);
    return names;
}

static code_info *code_learn(tracer *t, PyCodeObject *code, PyObject *globals)
{
    const bool known = globals != NULL;
    if (greenlets_look())
        tiers_end(t);
    if (!known)
        globals = PyEval_GetGlobals();
    eval_place by;
    bool skipped = !known && is_made_by_skipped(t, code);
    bool placed = !skipped && running_place(t, &by);
    int64_t file = source_file_of(&t->files, code, globals, placed ? &by : NULL, skipped);
    bool framed = known || !other_code_runs(code);
    code_names names = names_of(code, globals, framed);
    code_info *info = NULL;
    bool watched = framed || !t->engine.watch_unframed || t->engine.watch_unframed(t) == 0;
    if (watched && file >= 0 && names.module && names.qualname)
        info = code_register(t, code, (uint32_t)file, names.qualname, names.module, false);
    Py_XDECREF(names.module);
    Py_XDECREF(names.qualname);
    return info;
}

/*
 * Most code never runs: what is known of its lines is found when it does. False: no memory. Where hot
 * code goes without events there are no witnesses: of the lines that have some most are in code that
 * seldom runs, and tell of that (factors of 1 to 2 in runs of the same program).
 */
static bool learn_lines(const tracer *t, code_info *info, PyCodeObject *code)
{
    if (info->skip || info->line_kinds)
        return true;
    bool found = info->folded
                     ? code_number_lines(info, FOLDED_LINES)
                     : code_collect_lines(info, code, last_line_of(&t->files.list[info->file]));
    if (found && line_costs_find(info, code, t->options.stmts, !tiers_wanted(t)) &&
        (!t->options.stmts || instructions_weigh(info, code)))
        return true;
    code_forget_lines(info);
    return false;
}

/* It runs for the first time since the start. */
static code_info *code_look(tracer *t, PyCodeObject *code, PyObject *globals)
{
    uint64_t began = clock_read(&t->clock);
    size_t index;
    bool known = marked_before(t, code, &index);
    code_info *info = known ? t->codes.list[index] : code_learn(t, code, globals);
    if (info && !learn_lines(t, info, code))
        info = NULL;
    if (info && !info->skip && info->code && info->code != code)
        tiers_not_alone(t, info);
    if (info)
        info->code = code;
    if (info && t->engine.watch && t->engine.watch(t, code, info) < 0)
        info = NULL;
    if (info && (known || marked_before(t, code, &index)))
        set_mark(t, code, index, LOOKED_AT);
    if (!info)
        trace_fail(t);
    leave_out_learning(t, began);
    return info;
}

code_info *code_info_of(tracer *t, PyCodeObject *code, PyObject *globals)
{
    code_info *info = marked(t, code);
    return LIKELY(info != NULL) ? info : code_look(t, code, globals);
}

/* ---- C functions ---- */

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

/* Of what is not Python, by its name, which may be NULL: then, too, -1 with or without an exception. */
static int64_t c_sub_named(tracer *t, PyObject *name)
{
    PyObject *known = name ? PyDict_GetItemWithError(t->codes.c_names, name) : NULL;
    int64_t sub = -1, file = source_file_for_c(&t->files);
    if (known)
        return PyLong_AsLong(known);
    if (!name || file < 0 || PyErr_Occurred())
        return -1;
    const char *text = PyUnicode_AsUTF8(name);
    if (text)
        sub = sub_new(&t->codes,
                      (sub_info){.kind = SUB_C, .file = (uint32_t)file, .base = strdup(text)});
    PyObject *index = sub >= 0 ? PyLong_FromLongLong(sub) : NULL;
    if (!index || PyDict_SetItem(t->codes.c_names, name, index) < 0)
        sub = -1;
    Py_XDECREF(index);
    return sub;
}

int64_t code_sub_called(tracer *t, const char *text)
{
    PyObject *name = PyUnicode_FromString(text);
    int64_t sub = c_sub_named(t, name);
    Py_XDECREF(name);
    return sub;
}

static int64_t c_sub_first_seen(tracer *t, PyObject *callable, PyMethodDef *method)
{
    uint64_t began = clock_read(&t->clock);
    greenlets_look();
    PyObject *name = name_of_c(callable, method);
    int64_t sub = c_sub_named(t, name);
    Py_XDECREF(name);
    bool is_new;
    uint32_t *place = sub < 0 ? NULL
                              : nyt_map_take(&t->codes.c_methods, (uintptr_t)method, &is_new);
    if (!place) {
        trace_fail(t);
        return -1;
    }
    *place = (uint32_t)sub;
    leave_out_learning(t, began);
    return sub;
}

/* Not among the recent ones. */
static int64_t c_sub_find(tracer *t, PyObject *callable, PyMethodDef *method, size_t place)
{
    const uint32_t *found = nyt_map_find(&t->codes.c_methods, (uintptr_t)method);
    int64_t sub = found ? *found : c_sub_first_seen(t, callable, method);
    if (sub >= 0) {
        t->codes.recent[place].method = method;
        t->codes.recent[place].sub = (uint32_t)sub;
    }
    return sub;
}

int64_t code_c_sub(tracer *t, PyObject *callable, PyMethodDef *method)
{
    size_t place = (uintptr_t)method / sizeof *method % RECENT_METHODS;
    if (LIKELY(t->codes.recent[place].method == method))
        return t->codes.recent[place].sub;
    return c_sub_find(t, callable, method, place);
}
