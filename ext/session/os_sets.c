/* The sets of `os` that must know a function by two hashes. */
#include <Python.h>

#include "os_sets.h"

#include "../trace/util.h"

#include <stdbool.h>

static const char *const sets[] = {"supports_dir_fd", "supports_effective_ids", "supports_fd",
                                   "supports_follow_symlinks"};
static const char *const functions[] = {"_exit", "abort", "execv", "execve"};

enum { SETS = sizeof sets / sizeof *sets, FUNCTIONS = sizeof functions / sizeof *functions };

static bool held[SETS][FUNCTIONS], added;

/* os.NAME, borrowed; NULL: os is not loaded, or has no such thing. */
static PyObject *of_os(const char *name)
{
    PyObject *modules = PyImport_GetModuleDict();
    PyObject *os = modules ? dict_get(modules, "os") : NULL;
    PyObject *dict = os && PyModule_Check(os) ? PyModule_GetDict(os) : NULL;
    return dict ? dict_get(dict, name) : NULL;
}

/* Does `what` to each set and function that belong together. */
static void each(int (*what)(PyObject *, PyObject *))
{
    for (int s = 0; s < SETS; s++) {
        PyObject *set = of_os(sets[s]);
        for (int f = 0; set && PySet_Check(set) && f < FUNCTIONS; f++) {
            PyObject *function = held[s][f] ? of_os(functions[f]) : NULL;
            if (function && what(set, function) < 0)
                PyErr_Clear();
        }
    }
}

void os_sets_note(void)
{
    for (int s = 0; s < SETS; s++) {
        PyObject *set = of_os(sets[s]);
        for (int f = 0; f < FUNCTIONS; f++) {
            PyObject *function = set && PySet_Check(set) ? of_os(functions[f]) : NULL;
            held[s][f] = function && PySet_Contains(set, function) > 0;
            PyErr_Clear();
        }
    }
}

void os_sets_add(void)
{
    each(PySet_Add);
    added = true;
}

void os_sets_discard(void)
{
    if (added)
        each(PySet_Discard);
    added = false;
}
