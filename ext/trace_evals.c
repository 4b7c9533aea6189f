/*
 * The text of code that comes from no file. While the tracer runs, the C functions
 * behind exec, eval and compile are replaced by ones that do the same and remember what
 * they were given: compile() hangs it on the code object that it has made, exec and
 * eval keep it for the frame that they are about to start.
 *
 * An audit hook would tell of texts as well, but not of the code that is made of them,
 * and could never be taken away again.
 */
#include "trace.h"

typedef PyObject *fast_function(PyObject *, PyObject *const *, Py_ssize_t);
typedef PyObject *keyword_function(PyObject *, PyObject *const *, Py_ssize_t, PyObject *);

enum { EXEC, EVAL, COMPILE, N_WATCHED };

/* The method is the interpreter's, and static: all interpreters of a process share it. */
static struct {
    const char  *name;
    PyMethodDef *method;        /* NULL: not watched */
    PyCFunction  original;
} watched[N_WATCHED] = {{.name = "exec"}, {.name = "eval"}, {.name = "compile"}};

static PyInterpreterState *home;        /* whose calls are looked at */
static _Thread_local PyObject *running_text;    /* borrowed from exec's arguments, or NULL */
static Py_ssize_t text_index = -2;      /* of the code objects' extras; -1: there is none */

static bool is_text(PyObject *object)
{
    return PyUnicode_Check(object) || PyBytes_Check(object);
}

static PyObject *call_original(int which, PyObject *self, PyObject *const *args, Py_ssize_t n,
                               PyObject *names)
{
    PyCFunction original = watched[which].original;
    if (watched[which].method->ml_flags & METH_KEYWORDS)
        return ((keyword_function *)(void (*)(void))original)(self, args, n, names);
    return ((fast_function *)(void (*)(void))original)(self, args, n);
}

/* ---- exec and eval ---- */

static PyObject *run_text(int which, PyObject *self, PyObject *const *args, Py_ssize_t n,
                          PyObject *names)
{
    running_text = n > 0 && is_text(args[0]) && PyInterpreterState_Get() == home ? args[0] : NULL;
    PyObject *result = call_original(which, self, args, n, names);
    running_text = NULL;
    return result;
}

static PyObject *exec_plain(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    return run_text(EXEC, self, args, n, NULL);
}

static PyObject *exec_keywords(PyObject *self, PyObject *const *args, Py_ssize_t n,
                               PyObject *names)
{
    return run_text(EXEC, self, args, n, names);
}

static PyObject *eval_plain(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    return run_text(EVAL, self, args, n, NULL);
}

static PyObject *eval_keywords(PyObject *self, PyObject *const *args, Py_ssize_t n,
                               PyObject *names)
{
    return run_text(EVAL, self, args, n, names);
}

/* ---- compile ---- */

static void text_release(void *text)
{
    Py_XDECREF((PyObject *)text);
}

static void hang_text(PyObject *code, PyObject *text)
{
    if (text_index == -2)
        text_index = PyUnstable_Eval_RequestCodeExtraIndex(text_release);
    if (text_index < 0)
        return;
    Py_INCREF(text);
    if (PyUnstable_Code_SetExtra(code, text_index, text) < 0) {
        Py_DECREF(text);
        PyErr_Clear();      /* the code is the program's all the same */
    }
}

static PyObject *compile_keywords(PyObject *self, PyObject *const *args, Py_ssize_t n,
                                  PyObject *names)
{
    PyObject *made = call_original(COMPILE, self, args, n, names);
    if (made && PyCode_Check(made) && n > 0 && is_text(args[0]) &&
        PyInterpreterState_Get() == home)
        hang_text(made, args[0]);
    return made;
}

static PyObject *compile_plain(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    return compile_keywords(self, args, n, NULL);
}

/* ---- What the tables ask ---- */

/*
 * The text, str or bytes, that the code of a whole module or eval was made of, as a new
 * reference; NULL, without an exception: it is not known. What exec was given is
 * handed out once: the frame that comes next is of other code.
 */
PyObject *evals_text_of(PyCodeObject *code)
{
    void *text = NULL;
    if (text_index >= 0 && PyUnstable_Code_GetExtra((PyObject *)code, text_index, &text) == 0 &&
        text)
        return Py_NewRef((PyObject *)text);
    if (!running_text || PyUnicode_CompareWithASCIIString(code->co_filename, "<string>") != 0)
        return NULL;
    PyObject *given = running_text;
    running_text = NULL;
    return Py_NewRef(given);
}

/* ---- Watching ---- */

static PyCFunction our_function(int which, int flags)
{
    static fast_function *const plain[] = {exec_plain, eval_plain, compile_plain};
    static keyword_function *const keywords[] = {exec_keywords, eval_keywords, compile_keywords};
    if (flags & METH_KEYWORDS)
        return (PyCFunction)(void (*)(void))keywords[which];
    return (PyCFunction)(void (*)(void))plain[which];
}

/* The method of the built-in function of that name; NULL: another object stands there. */
static PyMethodDef *find_method(const char *name)
{
    PyObject *function = PyDict_GetItemString(PyEval_GetBuiltins(), name);
    if (!function || !PyCFunction_CheckExact(function))
        return NULL;
    PyMethodDef *method = ((PyCFunctionObject *)function)->m_ml;
    return (method->ml_flags & ~METH_KEYWORDS) == METH_FASTCALL ? method : NULL;
}

void evals_watch(void)
{
    home = PyInterpreterState_Get();
    for (int i = 0; i < N_WATCHED; i++) {
        PyMethodDef *method = find_method(watched[i].name);
        if (!method || method->ml_meth == our_function(i, method->ml_flags))
            continue;
        watched[i].method = method;
        watched[i].original = method->ml_meth;
        method->ml_meth = our_function(i, method->ml_flags);
    }
}

void evals_unwatch(void)
{
    for (int i = 0; i < N_WATCHED; i++) {
        if (watched[i].method)
            watched[i].method->ml_meth = watched[i].original;
    }
    home = NULL;
}
