/*
 * The C functions behind subprocess and multiprocessing, replaced by ones that do the same and look
 * at what they are to start. Which other programs a program starts is its own affair.
 */
#include "unfollowed.h"

#include <stdbool.h>
#include <string.h>

#include "process.h"

typedef PyObject *fast_function(PyObject *, PyObject *const *, Py_ssize_t);
typedef PyObject *keyword_function(PyObject *, PyObject *const *, Py_ssize_t, PyObject *);

enum { FORK_EXEC, SPAWN, SPAWN_P, N_FUNCTIONS };

static struct {
    const char *module, *name;
    PyMethodDef *method; /* NULL: not found */
    PyCFunction original;
    bool replaced;
} functions[N_FUNCTIONS] = {
    [FORK_EXEC] = {.module = "_posixsubprocess", .name = "fork_exec"},
    [SPAWN] = {.module = "posix", .name = "posix_spawn"},
    [SPAWN_P] = {.module = "posix", .name = "posix_spawnp"},
};

static unsigned count;

/* ---- Is it a Python? ---- */

static const char *text_of(PyObject *word)
{
    const char *text = PyBytes_Check(word)     ? PyBytes_AS_STRING(word)
                       : PyUnicode_Check(word) ? PyUnicode_AsUTF8(word)
                                               : NULL;
    PyErr_Clear();
    return text;
}

static PyObject *item(PyObject *list, Py_ssize_t i)
{
    if (PyTuple_Check(list))
        return i < PyTuple_GET_SIZE(list) ? PyTuple_GET_ITEM(list, i) : NULL;
    if (PyList_Check(list))
        return i < PyList_GET_SIZE(list) ? PyList_GET_ITEM(list, i) : NULL;
    return NULL;
}

static bool is_python(PyObject *executable)
{
    const char *path = text_of(executable), *slash = path ? strrchr(path, '/') : NULL;
    return path && strncmp(slash ? slash + 1 : path, "python", 6) == 0;
}

/* What multiprocessing starts for itself is no part of any profile. */
static bool is_helper(PyObject *args)
{
    PyObject *word;
    for (Py_ssize_t i = 1; (word = item(args, i)); i++) {
        const char *text = text_of(word);
        if (text && strstr(text, "resource_tracker import main"))
            return true;
    }
    return false;
}

static void look(PyObject *executable, PyObject *args)
{
    if (executable && is_python(executable) && !is_helper(args))
        count++;
}

/* ---- In the functions' place ---- */

static PyObject *fork_exec_fast(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    if (n > 1)
        look(item(args[1], 0), args[0]);
    return ((fast_function *)(void (*)(void))functions[FORK_EXEC].original)(self, args, n);
}

static PyObject *fork_exec_tuple(PyObject *self, PyObject *args)
{
    if (PyTuple_GET_SIZE(args) > 1)
        look(item(PyTuple_GET_ITEM(args, 1), 0), PyTuple_GET_ITEM(args, 0));
    return functions[FORK_EXEC].original(self, args);
}

static PyObject *spawn(int which, PyObject *self, PyObject *const *args, Py_ssize_t n,
                       PyObject *names)
{
    if (n > 1)
        look(args[0], args[1]);
    return ((keyword_function *)(void (*)(void))functions[which].original)(self, args, n, names);
}

static PyObject *spawn_path(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    return spawn(SPAWN, self, args, n, names);
}

static PyObject *spawn_name(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    return spawn(SPAWN_P, self, args, n, names);
}

/* NULL: it is called in a way that we do not know. */
static PyCFunction ours(int which, int flags)
{
    if (which == FORK_EXEC)
        return flags == METH_FASTCALL  ? (PyCFunction)(void (*)(void))fork_exec_fast
               : flags == METH_VARARGS ? fork_exec_tuple
                                       : NULL;
    if (flags != (METH_FASTCALL | METH_KEYWORDS))
        return NULL;
    return (PyCFunction)(void (*)(void))(which == SPAWN ? spawn_path : spawn_name);
}

/* ---- Watching ---- */

void unfollowed_find(void)
{
    for (int i = 0; i < N_FUNCTIONS; i++) {
        PyObject *module = functions[i].method ? NULL : module_borrow(functions[i].module);
        PyModuleDef *def = module && PyModule_Check(module) ? PyModule_GetDef(module) : NULL;
        PyMethodDef *m = def ? def->m_methods : NULL;
        while (m && m->ml_name && strcmp(m->ml_name, functions[i].name) != 0)
            m++;
        if (m && m->ml_name && ours(i, m->ml_flags))
            functions[i].method = m;
        Py_XDECREF(module);
        PyErr_Clear();
    }
}

void unfollowed_watch(void)
{
    for (int i = 0; i < N_FUNCTIONS; i++) {
        PyMethodDef *m = functions[i].method;
        if (!m || functions[i].replaced)
            continue;
        functions[i].original = m->ml_meth;
        m->ml_meth = ours(i, m->ml_flags);
        functions[i].replaced = true;
    }
}

void unfollowed_unwatch(void)
{
    for (int i = 0; i < N_FUNCTIONS; i++) {
        if (functions[i].replaced)
            functions[i].method->ml_meth = functions[i].original;
        functions[i].replaced = false;
    }
}

unsigned unfollowed_count(void)
{
    return count;
}
