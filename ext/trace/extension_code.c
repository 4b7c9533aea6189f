/* Which function of an extension a code object stands for: the names that it lacks. */
#include "extension_code.h"

#include "util.h"

#include <string.h>

/* ---- The module ---- */

static bool is_imported(PyObject *name)
{
    PyObject *modules = PyImport_GetModuleDict();
    return modules && PyDict_Check(modules) && PyDict_GetItemWithError(modules, name);
}

/* `a/b.pyx` from `start`, as a dotted name; NULL with an exception. */
static PyObject *dotted(PyObject *path, Py_ssize_t start, Py_ssize_t end)
{
    PyObject *part = PyUnicode_Substring(path, start, end);
    PyObject *slash = PyUnicode_FromString("/"), *dot = PyUnicode_FromString(".");
    PyObject *name = part && slash && dot ? PyUnicode_Replace(part, slash, dot, -1) : NULL;
    Py_XDECREF(part);
    Py_XDECREF(slash);
    Py_XDECREF(dot);
    return name;
}

PyObject *extension_module_of(PyCodeObject *code)
{
    PyObject *path = code->co_filename;
    Py_ssize_t end = PyUnicode_GET_LENGTH(path), start = 0;
    Py_ssize_t slash = PyUnicode_FindChar(path, '/', 0, end, -1);
    Py_ssize_t dot = PyUnicode_FindChar(path, '.', slash + 1, end, -1);
    if (dot > slash + 1)
        end = dot;
    for (;; start = PyUnicode_FindChar(path, '/', start, end, 1) + 1) {
        PyObject *name = dotted(path, start, end);
        if (!name || start > slash || is_imported(name))
            return name;
        Py_DECREF(name);
    }
}

/* ---- The function ---- */

enum { CLASSES_IN_CLASSES = 8 };

/* Cython makes the type anew for each of its versions. */
static bool is_cython_function(PyObject *value)
{
    static const char name[] = "cython_function_or_method";
    const char *type = Py_TYPE(value)->tp_name, *dot = strrchr(type, '.');
    return strcmp(dot ? dot + 1 : type, name) == 0;
}

/* Owned, or NULL without an exception. */
static PyObject *attribute(PyObject *value, const char *name)
{
    PyObject *found = PyObject_GetAttrString(value, name);
    if (!found)
        swallow_error();
    return found;
}

static PyObject *search(PyObject *dict, PyCodeObject *code, int depth);

/* No code of the program runs: such a function and type are known for what they are. */
static PyObject *search_value(PyObject *value, PyCodeObject *code, int depth)
{
    if (PyType_Check(value) && depth > 0)
        return search(((PyTypeObject *)value)->tp_dict, code, depth - 1);
    if (!is_cython_function(value))
        return NULL;
    PyObject *its = attribute(value, "__code__");
    PyObject *name = its == (PyObject *)code ? attribute(value, "__qualname__") : NULL;
    Py_XDECREF(its);
    return name;
}

static PyObject *search(PyObject *dict, PyCodeObject *code, int depth)
{
    Py_ssize_t at = 0;
    PyObject *key, *value, *found = NULL;
    while (dict && !found && PyDict_Next(dict, &at, &key, &value))
        found = search_value(value, code, depth);
    return found;
}

PyObject *extension_qualname_of(PyCodeObject *code, PyObject *module)
{
    PyObject *modules = PyImport_GetModuleDict();
    PyObject *home = modules && PyDict_Check(modules) ? PyDict_GetItemWithError(modules, module)
                                                      : NULL;
    PyObject *found = home && PyModule_Check(home)
                          ? search(PyModule_GetDict(home), code, CLASSES_IN_CLASSES)
                          : NULL;
    if (found && !PyUnicode_Check(found))
        Py_CLEAR(found);
    return found;
}
