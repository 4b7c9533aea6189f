/*
 * The module's text is parsed once more, by the compiler itself: its syntax tree is there
 * without the module `ast`, which the program must not find loaded.
 */
#include "first_line.h"

#include "../trace/util.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The bytes of the file; NULL: it can't be read. */
static PyObject *file_bytes(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    PyObject *bytes = NULL;
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        bytes = PyBytes_FromStringAndSize(NULL, st.st_size);
    if (bytes && read(fd, PyBytes_AS_STRING(bytes), (size_t)st.st_size) != st.st_size)
        Py_CLEAR(bytes);
    if (fd >= 0)
        close(fd);
    return bytes;
}

/* What __loader__.get_source() gives: for what is in a zip file. */
static PyObject *loader_text(PyObject *globals)
{
    PyObject *loader = dict_get(globals, "__loader__");
    PyObject *text = loader ? PyObject_CallMethod(loader, "get_source", "s", "__main__") : NULL;
    PyErr_Clear();
    if (text == Py_None)
        Py_CLEAR(text);
    return text;
}

/* What the code was made of: given, or the file's; a new reference, NULL: not known. */
static PyObject *text_of(PyCodeObject *code, PyObject *globals, const tracer *t)
{
    PyObject *given = t->options.sources && PyDict_Check(t->options.sources)
                          ? PyDict_GetItem(t->options.sources, code->co_filename)
                          : NULL;
    if (given)
        return Py_NewRef(given);
    const char *path = PyUnicode_AsUTF8(code->co_filename);
    PyObject *bytes = path ? file_bytes(path) : NULL;
    PyErr_Clear();
    return bytes ? bytes : loader_text(globals);
}

/* compile(text, "<pynytprof>", "exec", PyCF_ONLY_AST).body */
static PyObject *statements_of(PyObject *text)
{
    PyObject *compile = dict_get(PyEval_GetBuiltins(), "compile");
    PyObject *tree = compile ? PyObject_CallFunction(compile, "Ossi", text, "<pynytprof>", "exec",
                                                     PyCF_ONLY_AST)
                             : NULL;
    PyObject *body = tree ? PyObject_GetAttrString(tree, "body") : NULL;
    Py_XDECREF(tree);
    return body;
}

/* By the name of its class, which has its module's in front. */
static bool is_kind(PyObject *tree, const char *kind)
{
    const char *name = Py_TYPE(tree)->tp_name, *dot = strrchr(name, '.');
    return strcmp(dot ? dot + 1 : name, kind) == 0;
}

static bool imports(PyObject *tree);

/* All statements of a list that the tree has. */
static bool all_import(PyObject *tree, const char *list)
{
    PyObject *body = PyObject_GetAttrString(tree, list);
    bool all = body && PyList_Check(body);
    for (Py_ssize_t i = 0; all && i < PyList_GET_SIZE(body); i++)
        all = imports(PyList_GET_ITEM(body, i));
    Py_XDECREF(body);
    return all;
}

static bool imports(PyObject *tree)
{
    if (is_kind(tree, "If"))
        return all_import(tree, "body") && all_import(tree, "orelse");
    if (is_kind(tree, "Try"))       /* what follows may stand in for what is missing */
        return all_import(tree, "body");
    return is_kind(tree, "Import") || is_kind(tree, "ImportFrom") || is_kind(tree, "Pass");
}

static bool is_docstring(PyObject *tree)
{
    PyObject *value = is_kind(tree, "Expr") ? PyObject_GetAttrString(tree, "value") : NULL;
    bool is = value && is_kind(value, "Constant");
    Py_XDECREF(value);
    return is;
}

static int line_of(PyObject *tree)
{
    PyObject *line = PyObject_GetAttrString(tree, "lineno");
    long number = line ? PyLong_AsLong(line) : 0;
    Py_XDECREF(line);
    return (int)number;
}

/* A decorator stands above the line of what it decorates. */
static int least_line(PyObject *tree)
{
    int least = line_of(tree);
    PyObject *list = PyObject_GetAttrString(tree, "decorator_list");
    if (!list)
        PyErr_Clear();
    for (Py_ssize_t i = 0; list && PyList_Check(list) && i < PyList_GET_SIZE(list); i++) {
        int line = line_of(PyList_GET_ITEM(list, i));
        least = line < least ? line : least;
    }
    Py_XDECREF(list);
    return least;
}

int first_line_after_imports(PyCodeObject *code, PyObject *globals, const tracer *t)
{
    PyObject *text = text_of(code, globals, t);
    PyObject *body = text ? statements_of(text) : NULL;
    int line = body && PyList_Check(body) ? INT_MAX : 0;
    for (Py_ssize_t i = 0; line == INT_MAX && i < PyList_GET_SIZE(body); i++) {
        PyObject *tree = PyList_GET_ITEM(body, i);
        if (!(i == 0 && is_docstring(tree)) && !imports(tree))
            line = least_line(tree);
    }
    PyErr_Clear();
    Py_XDECREF(body);
    Py_XDECREF(text);
    return line;
}
