/* The arguments of Tracer(), checked and kept. */
#include "options.h"

#include "util.h"

/* Any sequence of str as a tuple. */
static PyObject *strings(PyObject *given)
{
    PyObject *tuple = given ? PySequence_Tuple(given) : PyTuple_New(0);
    for (Py_ssize_t i = 0; tuple && i < PyTuple_GET_SIZE(tuple); i++)
        if (!PyUnicode_Check(PyTuple_GET_ITEM(tuple, i))) {
            PyErr_SetString(PyExc_TypeError, "globs and prefixes must be str");
            Py_CLEAR(tuple);
        }
    return tuple;
}

/*
 * What the JIT of 3.15 has compiled can miss events that are switched on again: then each line
 * keeps its own. It is off unless PYTHON_JIT asks for it.
 */
static bool jit_is_on(void)
{
    PyObject *jit = PySys_GetObject("_jit");
    PyObject *on = jit ? PyObject_CallMethod(jit, "is_enabled", NULL) : NULL;
    bool answer = on == Py_True;
    Py_XDECREF(on);
    swallow_error();
    return answer;
}

int options_parse(trace_options *options, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {
        "stmts",   "blocks",           "subs",        "slowops",     "include",
        "exclude", "exclude_prefixes", "hide_prefix", "raw",         "max_tree_nodes",
        "savesrc", "sources",          "cpu",         "exact_lines", "gc",
        NULL};
    int stmts = 1, blocks = 0, subs = 1, slowops = 1, raw = 0, savesrc = 1, cpu = 0;
    int exact_lines = 1, gc = 0;
    PyObject *include = NULL, *exclude = NULL, *prefixes = NULL, *hide = NULL, *sources = Py_None;
    Py_ssize_t max_nodes = 1000000;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$ppppOOOUpnpOppp:Tracer", names, &stmts,
                                     &blocks, &subs, &slowops, &include, &exclude, &prefixes, &hide,
                                     &raw, &max_nodes, &savesrc, &sources, &cpu, &exact_lines, &gc))
        return -1;
    if (max_nodes < 0 || (sources != Py_None && !PyDict_Check(sources))) {
        PyErr_SetString(PyExc_ValueError,
                        "max_tree_nodes must not be negative, sources a dict or None");
        return -1;
    }
    options->stmts = stmts;
    options->blocks = blocks;
    options->subs = subs;
    options->slowops = slowops;
    options->raw = raw;
    options->cpu = cpu;
    options->exact_lines = exact_lines || jit_is_on();
    options->gc = gc;
    options->savesrc = savesrc;
    options->max_nodes = (size_t)max_nodes < UINT32_MAX ? (size_t)max_nodes : UINT32_MAX;
    options->include = strings(include);
    options->exclude = strings(exclude);
    options->exclude_prefixes = strings(prefixes);
    options->hide_prefix = hide ? Py_NewRef(hide) : PyUnicode_FromString("");
    options->sources = Py_NewRef(sources);
    return options->include && options->exclude && options->exclude_prefixes && options->hide_prefix
               ? 0
               : -1;
}

uint32_t options_kind_of_run(const trace_options *o)
{
    enum { BITS = 10, LIMIT = (1 << BITS) - 1 };
    const PyObject *const lists[] = {o->include, o->exclude, o->exclude_prefixes};
    uint32_t kind = o->subs && o->slowops;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        kind = kind << BITS | (uint32_t)(PyTuple_GET_SIZE(lists[i]) & LIMIT);
    return kind;
}

void options_free(trace_options *options)
{
    Py_CLEAR(options->include);
    Py_CLEAR(options->exclude);
    Py_CLEAR(options->exclude_prefixes);
    Py_CLEAR(options->hide_prefix);
    Py_CLEAR(options->sources);
}
