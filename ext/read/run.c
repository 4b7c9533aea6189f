/*
 * The command line of the program nytprof, run in this process: cli/, on the streams that the
 * process has. While it runs, signals act as on a program in C.
 */
#include "run.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "cli.h"

/* ---- Words ---- */

struct words {
    PyObject *bytes;        /* owned: a tuple that holds what argv points to */
    char **argv;
    int count;
};

static int take_words(struct words *w, PyObject *sequence)
{
    for (int i = 0; i < w->count; i++) {
        PyObject *word = NULL;
        if (!PyUnicode_FSConverter(PySequence_Fast_GET_ITEM(sequence, i), &word))
            return -1;
        PyTuple_SET_ITEM(w->bytes, i, word);
        w->argv[i + 1] = PyBytes_AS_STRING(word);
    }
    return 0;
}

static void words_free(struct words *w)
{
    Py_CLEAR(w->bytes);
    PyMem_Free(w->argv);
}

/* 0, or -1 with an exception. */
static int words_new(struct words *w, PyObject *argv, const char *program)
{
    PyObject *sequence = PySequence_Fast(argv, "argv must be a sequence");
    if (!sequence)
        return -1;
    w->count = (int)PySequence_Fast_GET_SIZE(sequence);
    w->bytes = PyTuple_New(w->count);
    w->argv = PyMem_Calloc((size_t)w->count + 2, sizeof *w->argv);
    int rc = w->bytes && w->argv ? take_words(w, sequence) : -1;
    if (!w->argv)
        PyErr_NoMemory();
    else
        w->argv[0] = (char *)program;
    Py_DECREF(sequence);
    if (rc < 0)
        words_free(w);
    return rc;
}

/* ---- Streams ---- */

/* A stream of our own keeps nothing for the next run. Where the descriptor is closed, C's own
 * stream says so when it is used. */
static FILE *stream_of(int fd, const char *mode, FILE *instead)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    FILE *stream = copy < 0 ? NULL : fdopen(copy, mode);
    if (!stream && copy >= 0)
        close(copy);
    return stream ? stream : instead;
}

static void streams_open(struct nyt_cli_io *io)
{
    io->in = stream_of(STDIN_FILENO, "rb", stdin);
    io->out = stream_of(STDOUT_FILENO, "wb", stdout);
    io->err = stream_of(STDERR_FILENO, "wb", stderr);
    setvbuf(io->err, NULL, _IONBF, 0);
}

static void streams_close(struct nyt_cli_io *io)
{
    if (io->in != stdin)
        fclose(io->in);
    if (io->out != stdout)
        fclose(io->out);
    if (io->err != stderr)
        fclose(io->err);
}

/* What Python has buffered comes first. */
static int flush_python(const char *name)
{
    PyObject *file = PySys_GetObject(name);
    if (!file || file == Py_None)
        return 0;
    PyObject *result = PyObject_CallMethod(file, "flush", NULL);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

/* ---- Signals ---- */

/* Ctrl-C and a closed pipe end the process. Python would raise exceptions, but only after us. */
struct signals {
    struct sigaction interrupt, pipe;
};

static void signals_default(struct signals *saved)
{
    struct sigaction usual = {.sa_handler = SIG_DFL};
    sigemptyset(&usual.sa_mask);
    sigaction(SIGPIPE, &usual, &saved->pipe);
    sigaction(SIGINT, NULL, &saved->interrupt);
    if (saved->interrupt.sa_handler != SIG_IGN)     /* as of a job in the background */
        sigaction(SIGINT, &usual, NULL);
}

static void signals_restore(const struct signals *saved)
{
    sigaction(SIGPIPE, &saved->pipe, NULL);
    sigaction(SIGINT, &saved->interrupt, NULL);
}

/* ---- For Python ---- */

static int run_words(struct words *w, const char *program)
{
    struct nyt_cli_io io = {.program = program};
    struct signals saved;
    int status;
    Py_BEGIN_ALLOW_THREADS
    streams_open(&io);
    signals_default(&saved);
    status = nytprof_main(w->count + 1, w->argv, &io);
    streams_close(&io);
    signals_restore(&saved);
    Py_END_ALLOW_THREADS
    return status;
}

PyObject *cread_run(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"argv", "prog", NULL};
    const char *program = "pynytprof";
    PyObject *argv;
    struct words w = {0};
    (void)module;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|s:run", names, &argv, &program))
        return NULL;
    if (flush_python("stdout") < 0 || flush_python("stderr") < 0)
        return NULL;
    if (words_new(&w, argv, program) < 0)
        return NULL;
    int status = run_words(&w, program);
    words_free(&w);
    return PyLong_FromLong(status);
}

/* (date, [(name, help), ...]) */
PyObject *cread_command_line(PyObject *module, PyObject *unused)
{
    const char *name, *help;
    PyObject *commands = PyList_New(0);
    (void)module;
    (void)unused;
    for (size_t i = 0; commands && nyt_cli_command(i, &name, &help); i++) {
        PyObject *command = Py_BuildValue("(ss)", name, help);
        if (!command || PyList_Append(commands, command) < 0)
            Py_CLEAR(commands);
        Py_XDECREF(command);
    }
    return commands ? Py_BuildValue("(sN)", nyt_cli_date, commands) : NULL;
}
