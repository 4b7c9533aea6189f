/* process.c - what a process tells us through Python: that it exits, that it has forked. */
#include "process.h"

#include "../trace/util.h"

#include <stdbool.h>

PyObject *module_borrow(const char *name)
{
    PyObject *modules = PyImport_GetModuleDict();
    bool there = dict_get(modules, name) != NULL;
    PyObject *module = PyImport_ImportModule(name);
    if (module && !there && PyDict_DelItemString(modules, name) < 0)
        PyErr_Clear();
    return module;
}

/* module.name(our function), or with `keyword` module.name(keyword=our function). */
static int hand_in(const char *module, const char *name, const char *keyword, PyObject *function)
{
    PyObject *from = function ? module_borrow(module) : NULL;
    PyObject *into = from ? PyObject_GetAttrString(from, name) : NULL;
    PyObject *args = into ? (keyword ? PyTuple_New(0) : PyTuple_Pack(1, function)) : NULL;
    PyObject *named = args && keyword ? Py_BuildValue("{s:O}", keyword, function) : NULL;
    PyObject *result = args && (named || !keyword) ? PyObject_Call(into, args, named) : NULL;
    Py_XDECREF(named);
    Py_XDECREF(args);
    Py_XDECREF(into);
    Py_XDECREF(from);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

static bool exit_watched, forks_watched;
static PyObject *exit_function;         /* owned: what atexit knows */

static bool watch_exit(PyMethodDef *at_exit)
{
    if (!exit_function)
        exit_function = PyCFunction_New(at_exit, NULL);
    return hand_in("atexit", "register", NULL, exit_function) == 0;
}

static bool watch_forks(PyMethodDef *after_fork)
{
    PyObject *function = PyCFunction_New(after_fork, NULL);
    bool ok = hand_in("posix", "register_at_fork", "after_in_child", function) == 0;
    Py_XDECREF(function);
    return ok;
}

int process_watch(PyMethodDef *at_exit, PyMethodDef *after_fork)
{
    if (!exit_watched) {
        exit_watched = true;    /* before, since code of the program may run in it */
        exit_watched = watch_exit(at_exit);
    }
    if (exit_watched && !forks_watched) {
        forks_watched = true;
        forks_watched = watch_forks(after_fork);
    }
    return exit_watched && forks_watched ? 0 : -1;
}

int process_unwatch(void)
{
    int rc = exit_watched ? hand_in("atexit", "unregister", NULL, exit_function) : 0;
    exit_watched = exit_watched && rc < 0;
    return rc;
}
