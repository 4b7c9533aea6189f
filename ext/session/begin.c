/* From what stands in the environment to a session that waits for `__main__`. */
#define _GNU_SOURCE
#include "begin.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "children.h"
#include "environment.h"
#include "instead.h"
#include "messages.h"
#include "orders.h"
#include "session.h"
#include "told.h"
#include "wait.h"

static session *of_program;     /* owned */

/* ---- What Python runs ---- */

/* Item `i` of a list in sys, from the end if negative, in UTF-8; NULL: there is none. */
static const char *word_of(const char *list, Py_ssize_t i)
{
    PyObject *words = PySys_GetObject(list);
    Py_ssize_t n = words && PyList_Check(words) ? PyList_GET_SIZE(words) : 0;
    i = i < 0 ? n + i : i;
    const char *word = i >= 0 && i < n ? PyUnicode_AsUTF8(PyList_GET_ITEM(words, i)) : NULL;
    PyErr_Clear();
    return word;
}

static Py_ssize_t length_of(const char *list)
{
    PyObject *words = PySys_GetObject(list);
    return words && PyList_Check(words) ? PyList_GET_SIZE(words) : 0;
}

static bool runs(const char *how)
{
    const char *first = word_of("argv", 0);
    return first && strcmp(first, how) == 0;
}

/* "-c", and "-Ic" alike. */
static bool is_option_c(const char *word)
{
    return word[0] == '-' && word[1] != '-' && word[strlen(word) - 1] == 'c';
}

/* The text behind -c, a word of its own or part of one; NULL: there is none. */
static const char *command_text(void)
{
    Py_ssize_t at = length_of("orig_argv") - length_of("argv");
    const char *word = runs("-c") ? word_of("orig_argv", at) : NULL;
    const char *before = word && at > 0 ? word_of("orig_argv", at - 1) : NULL;
    if (!word || (before && at > 1 && is_option_c(before)))
        return word;
    const char *c = word[0] == '-' ? strchr(word, 'c') : NULL;
    return c ? c + 1 : NULL;
}

/*
 * What multiprocessing starts for itself and ends later than the program is no part of it; what
 * its second helper, the fork server, forks is. joblib's loky has a tracker of its own.
 */
enum helper { NO_HELPER, TRACKER, FORK_SERVER };

static enum helper helper_of(const char *text)
{
    static const struct {
        const char *begins;
        enum helper what;
    } known[] = {
        {"from multiprocessing.resource_tracker import main", TRACKER},
        {"from multiprocessing.forkserver import main", FORK_SERVER},
        {"from joblib.externals.loky.backend.resource_tracker import main", TRACKER},
        {"from loky.backend.resource_tracker import main", TRACKER},
    };
    static const char before[] = "import sys; ";        /* CPython 3.14 and later have it so */
    if (text && strncmp(text, before, sizeof before - 1) == 0)
        text += sizeof before - 1;
    for (size_t i = 0; text && i < sizeof known / sizeof *known; i++)
        if (strncmp(text, known[i].begins, strlen(known[i].begins)) == 0)
            return known[i].what;
    return NO_HELPER;
}

/* Another pynytprof, which will become a program with settings of its own. */
static bool is_door(void)
{
    const char *script = word_of("argv", 0), *name = script ? strrchr(script, '/') : NULL;
    if (name && strcmp(name, "/pynytprof") == 0)
        return true;
    for (Py_ssize_t i = 1; runs("-m") && i + 1 < length_of("orig_argv"); i++) {
        const char *word = word_of("orig_argv", i);
        if (word && word[0] == '-' && word[strlen(word) - 1] == 'm')
            return strncmp(word_of("orig_argv", i + 1), "pynytprof", 9) == 0;
    }
    return false;
}

/* ---- Texts that are in no file ---- */

/* What multiprocessing's spawn_main() is given differs from process to process: "...". */
static PyObject *same_for_all(const char *text)
{
    const char *call = strstr(text, "spawn_main("), *end = call ? strchr(call, ')') : NULL;
    if (!end)
        return PyUnicode_FromString(text);
    return PyUnicode_FromFormat("%.*sspawn_main(...%s", (int)(call - text), text, end);
}

/* Of standard input, if that is a file: what of it is still to be read. */
static PyObject *input_text(void)
{
    enum { MOST = 1 << 26 };
    off_t from = lseek(STDIN_FILENO, 0, SEEK_CUR),
          to = from < 0 ? -1 : lseek(STDIN_FILENO, 0, SEEK_END);
    if (from < 0 || to < from || to - from > MOST)
        return NULL;
    lseek(STDIN_FILENO, from, SEEK_SET);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, to - from);
    if (bytes &&
        pread(STDIN_FILENO, PyBytes_AS_STRING(bytes), (size_t)(to - from), from) != to - from)
        Py_CLEAR(bytes);
    PyObject *text = bytes ? PyUnicode_DecodeUTF8(PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes),
                                                  NULL)
                           : NULL;
    if (bytes && !text) {
        PyErr_Clear();
        text = PyUnicode_DecodeLatin1(PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes), NULL);
    }
    Py_XDECREF(bytes);
    return text;
}

/* {co_filename: text}; NULL with an exception. */
static PyObject *sources_of_program(const char *command)
{
    bool input = !command && (runs("-") || runs(""));
    PyObject *text = command ? same_for_all(command) : input ? input_text() : NULL;
    PyErr_Clear();
    PyObject *sources = PyDict_New();
    if (sources && text &&
        PyDict_SetItemString(sources, command ? "<string>" : "<stdin>", text) < 0)
        Py_CLEAR(sources);
    Py_XDECREF(text);
    return sources;
}

/* ---- The session ---- */

/* What was handed on is taken away before the program can look. */
static void clean_up(const settings *s)
{
    const char *before = settings_text(s, "path_was", NULL);
    if (settings_text(s, ORIGIN_PREFIX "run", NULL) && !settings_flag(s, "once"))
        return;                         /* for the children's children, too */
    environment_put(RUN_VARIABLE, NULL);
    if (before)
        environment_put(PATH_VARIABLE, *before ? before + 1 : NULL);
}

/* What reports call the program: its script, or whose worker it is. */
static const char *program_name(void)
{
    const char *script = word_of("argv", 0), *text = command_text();
    if (text && strstr(text, "from multiprocessing."))
        return "multiprocessing worker";
    if (text && strstr(text, "exec(eval(sys.stdin.readline()))"))
        return "execnet worker";
    return script && *script ? script : "(stdin)";
}

/* The settings of this process: those handed on, and what only it knows. */
static char *own_text(const char *given, enum helper helper)
{
    settings s;
    if (settings_parse(&s, given) < 0)
        return NULL;
    clean_up(&s);
    char *text = strdup(given);
    bool ok = text;
    if (!settings_text(&s, "application", NULL))
        ok = ok && settings_add(&text, "application", program_name());
    if (helper == FORK_SERVER)
        ok = ok && settings_add(&text, "only_forks", "1");
    if (runs("-m"))                     /* runpy is there only to run the module */
        ok = ok && settings_add(&text, "exclude", "<frozen runpy>");
    if (!ok) {
        free(text);
        PyErr_NoMemory();
        text = NULL;
    }
    settings_free(&s);
    return text;
}

static session *make_session(const char *text, const char *command)
{
    PyObject *sources = sources_of_program(command);
    PyObject *made = sources ? PyObject_CallFunction((PyObject *)session_type, "yO", text, sources)
                             : NULL;
    Py_XDECREF(sources);
    return (session *)made;
}

static int await_program(session *s)
{
    const char *when = settings_text(&s->settings, "start", "begin");
    if (session_prepare(s) < 0)
        return -1;
    if (strcmp(when, "no") == 0 || (s->inherited && strcmp(when, "end") == 0))
        return 0;
    if (strcmp(when, "begin") == 0 || s->inherited)
        return wait_for_main(s, MAIN_BEGINS);
    return wait_for_main(s, strcmp(when, "init") == 0 ? IMPORTS_END : MAIN_ENDS);
}

/* A parent whose session is in Python has children whose sessions are, too. */
static bool in_python(const char *given)
{
    settings s;
    const char *told = settings_parse(&s, given) == 0 ? settings_text(&s, "python", NULL) : NULL;
    PyObject *child = told ? PyImport_ImportModule("pynytprof._run.child") : NULL;
    PyObject *text = child ? PyUnicode_DecodeFSDefault(told) : NULL;
    PyObject *result = text ? PyObject_CallMethod(child, "take_over", "O", text) : NULL;
    if (told && !result)
        messages_say_exception("this process is not profiled");
    PyErr_Clear();
    Py_XDECREF(result);
    Py_XDECREF(text);
    Py_XDECREF(child);
    bool is = told != NULL;
    settings_free(&s);
    return is;
}

const char session_begin_doc[] = PyDoc_STR(
    "begin()\n--\n\n"
    "Take what pynytprof has handed on to this process from its environment, and profile the\n"
    "program that Python is going to run. Where that is the command pynytprof itself, let Python\n"
    "run its target instead, if that can be. Nothing is raised.");

PyObject *session_begin(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    if (of_program || (is_door() && !instead_of_command()))
        Py_RETURN_NONE;
    const char *given = getenv(RUN_VARIABLE);
    if (!given)
        Py_RETURN_NONE;
    messages_begin();
    const char *command = command_text();
    enum helper helper = helper_of(command);
    if (helper == TRACKER)
        Py_RETURN_NONE;
    if (in_python(given))
        Py_RETURN_NONE;
    char *text = own_text(given, helper);
    of_program = text ? make_session(text, command) : NULL;
    if (of_program)
        told_set(settings_flag(&of_program->settings, "quiet") || of_program->inherited
                     ? NULL
                     : of_program);
    orders_for(of_program);
    if (!of_program || await_program(of_program) < 0)
        messages_say_exception("this process is not profiled");
    free(text);
    Py_RETURN_NONE;
}

const char session_of_program_doc[] = PyDoc_STR(
    "session_of_program()\n--\n\nThe session that begin() has made, or None.");

PyObject *session_of_program(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    return Py_NewRef(of_program ? (PyObject *)of_program : Py_None);
}
