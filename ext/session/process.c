/* process.c - what a process tells us through Python: that it exits, that it has forked. */
#include "process.h"

#include <stdbool.h>

PyObject *module_borrow(const char *name)
{
    PyObject *modules = PyImport_GetModuleDict();
    bool there = PyDict_GetItemString(modules, name) != NULL;
    PyObject *module = PyImport_ImportModule(name);
    if (module && !there && PyDict_DelItemString(modules, name) < 0)
        PyErr_Clear();
    return module;
}

/* module.name(our function), or with `keyword` module.name(keyword=our function). */
static int hand_in(const char *module, const char *name, const char *keyword, PyMethodDef *ours)
{
    PyObject *from = module_borrow(module);
    PyObject *into = from ? PyObject_GetAttrString(from, name) : NULL;
    PyObject *function = into ? PyCFunction_New(ours, NULL) : NULL;
    PyObject *args = function ? (keyword ? PyTuple_New(0) : PyTuple_Pack(1, function)) : NULL;
    PyObject *named = args && keyword ? Py_BuildValue("{s:O}", keyword, function) : NULL;
    PyObject *result = args && (named || !keyword) ? PyObject_Call(into, args, named) : NULL;
    Py_XDECREF(named);
    Py_XDECREF(args);
    Py_XDECREF(function);
    Py_XDECREF(into);
    Py_XDECREF(from);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

int process_watch(PyMethodDef *at_exit, PyMethodDef *after_fork)
{
    static bool exit_watched, forks_watched;
    if (!exit_watched) {
        exit_watched = true;    /* before, since code of the program may run in it */
        exit_watched = hand_in("atexit", "register", NULL, at_exit) == 0;
    }
    if (exit_watched && !forks_watched) {
        forks_watched = true;
        forks_watched = hand_in("posix", "register_at_fork", "after_in_child", after_fork) == 0;
    }
    return exit_watched && forks_watched ? 0 : -1;
}
