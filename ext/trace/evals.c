/*
 * The text of code that comes from no file. While the tracer runs, the C functions
 * behind exec, eval and compile are replaced by ones that do the same and remember what
 * they were given: compile() for the code object that it has made, exec and eval for the
 * frame that they are about to start.
 *
 * An audit hook would tell of texts as well, but not of the code that is made of them,
 * and could never be taken away again.
 */
#include "evals.h"

#include "util.h"

typedef PyObject *fast_function(PyObject *, PyObject *const *, Py_ssize_t);
typedef PyObject *keyword_function(PyObject *, PyObject *const *, Py_ssize_t, PyObject *);

enum { EXEC, EVAL, COMPILE, N_WATCHED };

/* The method is the interpreter's, and static: all interpreters of a process share it. */
static struct {
    const char *name;
    PyMethodDef *method;        /* NULL: not watched */
    PyCFunction original;
} watched[N_WATCHED] = {{.name = "exec"}, {.name = "eval"}, {.name = "compile"}};

static PyInterpreterState *home;        /* whose calls are looked at */
static _Thread_local PyObject *running_text;    /* borrowed from exec's arguments, or NULL */

static bool is_text(PyObject *object)
{
    return PyUnicode_CheckExact(object) || PyBytes_CheckExact(object);
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

static PyObject *exec_keywords(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    return run_text(EXEC, self, args, n, names);
}

static PyObject *eval_plain(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    return run_text(EVAL, self, args, n, NULL);
}

static PyObject *eval_keywords(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    return run_text(EVAL, self, args, n, names);
}

/* ---- compile ---- */

/*
 * Texts of code that has not run yet. Not among the code object's extras, for
 * subinterpreters refuse code that has any. A code object has a few places where its
 * text may be; the first makes room where all are taken.
 */
enum { PLACES = 4096, WAYS = 8, MOST_BYTES = 32 << 20 };

static struct {
    PyObject *code;             /* not owned, perhaps gone */
    PyObject *ref;              /* weak, owned */
    PyObject *text;             /* owned */
} waiting[PLACES];
static size_t waiting_bytes;

static size_t place_of(PyObject *code, size_t way)
{
    return ((uintptr_t)code / 64 + way) % PLACES;
}

static size_t bytes_of(PyObject *text)
{
    return (size_t)(PyBytes_Check(text) ? PyBytes_GET_SIZE(text) : PyUnicode_GET_LENGTH(text));
}

/* Empties a place, and hands out the text that was there. */
static PyObject *take_waiting(size_t place)
{
    PyObject *text = waiting[place].text;
    if (text)
        waiting_bytes -= bytes_of(text);
    waiting[place].code = NULL;
    waiting[place].text = NULL;
    Py_CLEAR(waiting[place].ref);
    return text;
}

static void forget_waiting(void)
{
    for (size_t place = 0; place < PLACES; place++)
        Py_XDECREF(take_waiting(place));
}

/* Whether the code object for which the text waits still lives. */
static bool is_alive(size_t place)
{
#if PY_VERSION_HEX >= 0x030D0000
    PyObject *code;
    int alive = PyWeakref_GetRef(waiting[place].ref, &code);
    Py_XDECREF(alive > 0 ? code : NULL);
    return alive > 0;
#else
    return PyWeakref_GetObject(waiting[place].ref) != Py_None;
#endif
}

/* The place at which the code's text waits; -1: none. */
static long find_waiting(PyObject *code)
{
    for (size_t way = 0; way < WAYS; way++) {
        size_t place = place_of(code, way);
        if (waiting[place].code == code && is_alive(place))
            return (long)place;
    }
    return -1;
}

static void await(PyObject *code, PyObject *text)
{
    PyObject *ref = PyWeakref_NewRef(code, NULL);
    if (!ref) {
        PyErr_Clear();          /* the code is the program's all the same */
        return;
    }
    if (waiting_bytes > MOST_BYTES)
        forget_waiting();
    size_t place = place_of(code, 0);
    for (size_t way = 0; way < WAYS; way++) {
        size_t other = place_of(code, way);
        if (!waiting[other].ref || waiting[other].code == code || !is_alive(other)) {
            place = other;
            break;
        }
    }
    Py_XDECREF(take_waiting(place));
    waiting[place].code = code;
    waiting[place].ref = ref;
    waiting[place].text = Py_NewRef(text);
    waiting_bytes += bytes_of(text);
}

static PyObject *compile_keywords(PyObject *self, PyObject *const *args, Py_ssize_t n,
                                  PyObject *names)
{
    PyObject *made = call_original(COMPILE, self, args, n, names);
    if (made && PyCode_Check(made) && n > 0 && is_text(args[0]) && PyInterpreterState_Get() == home)
        await(made, args[0]);
    return made;
}

static PyObject *compile_plain(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    return compile_keywords(self, args, n, NULL);
}

/* ---- What the tables ask ---- */

/*
 * The text, str or bytes, that the code of a whole module or eval was made of, as a new
 * reference; NULL, without an exception: it is not known. It is handed out once.
 */
PyObject *evals_text_of(PyCodeObject *code)
{
    long place = find_waiting((PyObject *)code);
    if (place >= 0)
        return take_waiting((size_t)place);
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
    PyObject *function = dict_get(PyEval_GetBuiltins(), name);
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
    forget_waiting();
}
