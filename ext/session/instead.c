/*
 * Python comes upon pynytprof.pth while it imports site, before it looks at what it is to run: that stands
 * in its configuration (PyConfig). So the command needs no second interpreter: it is read there and
 * then, and the configuration is made that of `python TARGET ARGS`. Py_RunMain() finds no difference.
 * What was imported for that is taken away again.
 */
#define _GNU_SOURCE
#include "instead.h"

#include <dlfcn.h>
#include <string.h>
#include <wchar.h>

#include "../trace/util.h"

/* ---- The configuration ---- */

/* The interpreter's own, which Py_RunMain() reads; NULL: this version does not give it. */
static PyConfig *own_config(void)
{
    typedef const PyConfig *get_config(void);
    get_config *get = (get_config *)(uintptr_t)dlsym(RTLD_DEFAULT, "_Py_GetConfig");
    return get ? (PyConfig *)(uintptr_t)get() : NULL;
}

static bool ends_with(const wchar_t *text, const wchar_t *end)
{
    size_t n = wcslen(text), m = wcslen(end);
    return n >= m && wcscmp(text + n - m, end) == 0;
}

/* Whether it says that the command is to run: `-m pynytprof`, or the script of that name. */
static bool runs_command(const PyConfig *c)
{
    if (c->run_command || (c->run_module && c->run_filename))
        return false;
    if (c->run_module)
        return wcscmp(c->run_module, L"pynytprof") == 0;
    return c->run_filename && ends_with(c->run_filename, L"/pynytprof");
}

/* False with an exception: no memory. */
static bool done(PyStatus status)
{
    if (PyStatus_Exception(status))
        PyErr_NoMemory();
    return !PyStatus_Exception(status);
}

static void words_free(wchar_t **words, Py_ssize_t n)
{
    for (Py_ssize_t i = 0; words && i < n; i++)
        PyMem_Free(words[i]);
    PyMem_Free(words);
}

/* Owned; NULL with an exception. */
static wchar_t **words_of(PyObject *list)
{
    Py_ssize_t n = PyList_GET_SIZE(list);
    wchar_t **words = PyMem_Calloc((size_t)n + 1, sizeof *words);
    bool ok = words;
    for (Py_ssize_t i = 0; ok && i < n; i++) {
        words[i] = PyUnicode_AsWideCharString(PyList_GET_ITEM(list, i), NULL);
        ok = words[i];
    }
    if (!ok) {
        words_free(words, n);
        words = NULL;
        if (!PyErr_Occurred())
            PyErr_NoMemory();
    }
    return words;
}

/* The list of the configuration, and that of the same name in sys, which is the same object as before. */
static bool set_words(PyConfig *c, PyWideStringList *list, const char *name, PyObject *value)
{
    PyObject *in_sys = PySys_GetObject(name);
    wchar_t **words = words_of(value);
    bool ok = words && in_sys && PyList_Check(in_sys) &&
              PyList_SetSlice(in_sys, 0, PyList_GET_SIZE(in_sys), value) == 0 &&
              done(PyConfig_SetWideStringList(c, list, PyList_GET_SIZE(value), words));
    words_free(words, PyList_GET_SIZE(value));
    return ok;
}

static bool set_target(PyConfig *c, const char *kind, PyObject *what)
{
    wchar_t *text = PyUnicode_AsWideCharString(what, NULL);
    bool code = strcmp(kind, "-c") == 0, name = strcmp(kind, "-m") == 0;
    bool ok = text && done(PyConfig_SetString(c, &c->run_command, code ? text : NULL)) &&
              done(PyConfig_SetString(c, &c->run_module, name ? text : NULL)) &&
              done(PyConfig_SetString(c, &c->run_filename, code || name ? NULL : text));
    PyMem_Free(text);
    return ok;
}

const char session_run_instead_doc[] = PyDoc_STR(
    "run_instead(kind, what, argv, orig_argv, /)\n--\n\n"
    "Have this interpreter, which has not begun with the command pynytprof, run `what` instead: "
    "with\n"
    "`kind` '-c' that text, with '-m' that module, else that file. True, or False if that can't "
    "be.");

PyObject *session_run_instead(PyObject *module, PyObject *args)
{
    const char *kind;
    PyObject *what, *argv, *orig_argv;
    (void)module;
    if (!PyArg_ParseTuple(args, "sUO!O!:run_instead", &kind, &what, &PyList_Type, &argv,
                          &PyList_Type, &orig_argv))
        return NULL;
    PyConfig *c = own_config();
    if (!c || !runs_command(c))
        Py_RETURN_FALSE;
    if (!set_target(c, kind, what) || !set_words(c, &c->argv, "argv", argv) ||
        !set_words(c, &c->orig_argv, "orig_argv", orig_argv))
        return NULL;
    Py_RETURN_TRUE;
}

/* ---- The command's own code ---- */

static bool is_our_python(PyObject *name)
{
    const char *text = PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;
    PyErr_Clear();
    return text && (strcmp(text, "__future__") == 0 || (strncmp(text, "pynytprof.", 10) == 0 &&
                                                        strcmp(text, "pynytprof._ctrace") != 0));
}

/* Of the package, which keeps its submodules; they still have their names. */
static void drop_submodules(PyObject *dict)
{
    PyObject *keys = PyDict_Keys(dict);
    for (Py_ssize_t i = 0; keys && i < PyList_GET_SIZE(keys); i++) {
        PyObject *value = PyDict_GetItem(dict, PyList_GET_ITEM(keys, i));
        const char *name = value && PyModule_Check(value) ? PyModule_GetName(value) : NULL;
        if (name && strncmp(name, "pynytprof.", 10) == 0 && strcmp(name, "pynytprof._ctrace") != 0)
            PyDict_DelItem(dict, PyList_GET_ITEM(keys, i));
    }
    Py_XDECREF(keys);
    PyErr_Clear();
}

/* Nothing of it runs any more. What its modules hold refers to each other, and goes only so. */
static void forget_command(void)
{
    PyObject *modules = PyImport_GetModuleDict();
    PyObject *names = modules && PyDict_Check(modules) ? PyDict_Keys(modules) : NULL;
    PyObject *package = names ? PyDict_GetItemString(modules, "pynytprof") : NULL;
    if (package && PyModule_Check(package))
        drop_submodules(PyModule_GetDict(package));
    for (Py_ssize_t i = 0; names && i < PyList_GET_SIZE(names); i++) {
        PyObject *name = PyList_GET_ITEM(names, i), *loaded = PyDict_GetItem(modules, name);
        if (!is_our_python(name) || !loaded || !PyModule_Check(loaded))
            continue;
        Py_INCREF(loaded);
        PyDict_DelItem(modules, name);
        PyDict_Clear(PyModule_GetDict(loaded));
        Py_DECREF(loaded);
    }
    Py_XDECREF(names);
    PyErr_Clear();
    PyGC_Collect();
}

/* Once: in a virtual environment site reads our file twice, and what was imported stays. */
bool instead_of_command(void)
{
    static bool asked;
    if (asked)
        return false;
    asked = true;
    PyObject *command = PyImport_ImportModule("pynytprof.cli");
    PyObject *answer = command ? PyObject_CallMethod(command, "run_instead", NULL) : NULL;
    bool is_instead = answer == Py_True;
    Py_XDECREF(answer);
    Py_XDECREF(command);
    PyErr_Clear();
    if (is_instead)
        forget_command();
    return is_instead;
}
