/*
 * One variable, in three places: C's environment, os.environ (which was made of the second
 * when `os` was imported), and the dict posix.environ.
 */
#include <Python.h>

#include "environment.h"

#include "../trace/util.h"

#include <stdlib.h>

/* Borrowed: an attribute of a module that is loaded already, else NULL. */
static PyObject *attribute(const char *module, const char *name)
{
    PyObject *modules = PyImport_GetModuleDict();
    PyObject *found = modules ? dict_get(modules, module) : NULL;
    PyObject *dict = found && PyModule_Check(found) ? PyModule_GetDict(found) : NULL;
    return dict ? dict_get(dict, name) : NULL;
}

/* os.environ changes C's environment as well, by os.putenv. */
static void put_os(const char *name, const char *value)
{
    PyObject *environ = attribute("os", "environ");
    PyObject *key = PyUnicode_DecodeFSDefault(name);
    PyObject *text = value ? PyUnicode_DecodeFSDefault(value) : NULL;
    if (environ && key && text)
        PyObject_SetItem(environ, key, text);
    else if (environ && key && !value)
        PyObject_DelItem(environ, key);
    PyErr_Clear();
    Py_XDECREF(key);
    Py_XDECREF(text);
}

void environment_put(const char *name, const char *value)
{
    PyObject *dict = attribute("posix", "environ");
    PyObject *key = PyBytes_FromString(name);
    put_os(name, value);
    if (!value && dict && key && PyDict_Check(dict))
        PyDict_DelItem(dict, key);
    PyErr_Clear();
    Py_XDECREF(key);
    if (value)
        setenv(name, value, 1);
    else
        unsetenv(name);
}
