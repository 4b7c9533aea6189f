/*
 * How a process ends without the interpreter's own exit, and the profile before that:
 *
 *     a signal          the handler only asks for the next event to do the work
 *     os._exit, os.abort, os.execv, os.execve
 *                       the C functions behind these names are replaced while a profile is
 *                       made, so that all who know them already are served, too
 *     C's exit()        atexit(3), if the interpreter can still be used
 *
 * Who is told is one listener, which completes the file and lets the program go on: a session
 * (../session/session.c), or two callables of Python's.
 */
#include "exits.h"

#include "lane.h"
#include "util.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const ends_listener *told;   /* NULL: nobody is to be told */
static PyInterpreterState *home;    /* where it may be called */
static pid_t owner;                 /* the process that it is about */

static bool in_our_process(void)
{
    return told && owner == getpid();
}

static bool may_tell(void)
{
    return in_our_process() && PyInterpreterState_Get() == home;
}

static void tell_finish(const char *how)
{
    if (may_tell())
        told->finish(how);
}

/* ---- Signals that end the program ---- */

enum { GRACE_SECONDS = 2, WRITING_SECONDS = 20 };

static _Atomic int caught;          /* the signal, 0: none */
static _Atomic int handling;        /* threads in on_signal() now */
static sigset_t wanted;             /* to be taken over where they have their default action */
static sigset_t timed;              /* those that have a timer */
static timer_t grace[NSIG];

/*
 * A main thread that waits in a system call shows no event. A signal that has a handler in
 * Python makes such a call end, or look for handlers and go on; this one is for that. It stays
 * until the process ends: setting it may run handlers of the program. None of the signals that
 * programs ask for may show a handler of ours.
 */
static _Atomic int wake;            /* 0: could not be had */
static PyObject *wake_object;       /* owned: our handler */
static void (*wake_handler)(int);
static pthread_t main_thread;

static void die_of(int signum)
{
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigset_t only;
    sigemptyset(&standard.sa_mask);
    sigaction(signum, &standard, NULL);
    sigemptyset(&only);
    sigaddset(&only, signum);
    pthread_sigmask(SIG_UNBLOCK, &only, NULL);
    raise(signum);
}

static void wake_main_thread(void)
{
    struct sigaction now;
    int signum = atomic_load(&wake);
    if (signum && sigaction(signum, NULL, &now) == 0 && now.sa_handler == wake_handler)
        pthread_kill(main_thread, signum);
}

static void grant(int signum, int seconds)
{
    struct itimerspec after = {.it_value.tv_sec = seconds};
    timer_settime(grace[signum], 0, &after, NULL);
}

/*
 * Async-signal-safe: sets the flag and every lane's deadline. A program that shows no event
 * any more, in a long call, dies after the grace, when the timer sends the signal again; the
 * last snapshot stays then. Further signals from elsewhere change nothing: many who end
 * a process send more than one.
 */
static void on_signal(int signum, siginfo_t *info, void *context)
{
    (void)context;
    int saved = errno, none = 0;
    atomic_fetch_add(&handling, 1);
    if (!in_our_process() || info->si_code == SI_TIMER) {
        die_of(signum);
    } else if (atomic_compare_exchange_strong(&caught, &none, signum)) {
        grant(signum, GRACE_SECONDS);
        lanes_hurry_now();
        wake_main_thread();
    }
    atomic_fetch_sub(&handling, 1);
    errno = saved;
}

bool ends_signal_pending(void)
{
    atomic_thread_fence(memory_order_seq_cst);      /* after the lanes' deadlines were written */
    return atomic_load(&caught) != 0;
}

void ends_finish_and_die(void)
{
    int signum = atomic_load(&caught);
    grant(signum, WRITING_SECONDS);
    tell_finish("signal");
    die_of(signum);
}

static void (*woken)(void);     /* NULL: nobody else */

void ends_on_wake(void (*function)(void))
{
    woken = function;
}

static PyObject *on_wake(PyObject *self, PyObject *args)
{
    (void)self, (void)args;
    if (ends_signal_pending())
        ends_finish_and_die();
    if (woken && PyInterpreterState_Get() == PyInterpreterState_Main())
        woken();
    Py_RETURN_NONE;
}

static PyMethodDef on_wake_method = {"wake", on_wake, METH_VARARGS,
                                     "pynytprof's: wakes a waiting program that is to end."};

/* _signal.NAME, a new reference; NULL with an exception. */
static PyObject *of_signal(const char *name)
{
    PyObject *modules = PyImport_GetModuleDict();
    PyObject *known = modules ? dict_get(modules, "_signal") : NULL;
    PyObject *module = known ? Py_NewRef(known) : PyImport_ImportModule("_signal");
    PyObject *found = module ? PyObject_GetAttrString(module, name) : NULL;
    Py_XDECREF(module);
    return found;
}

/* Whether our handler is the one that Python calls. Runs no code of the program. */
static bool is_awake(void)
{
    int signum = atomic_load(&wake);
    PyObject *get = signum ? of_signal("getsignal") : NULL;
    PyObject *now = get ? PyObject_CallFunction(get, "i", signum) : NULL;
    bool is = now && now == wake_object;
    Py_XDECREF(now);
    Py_XDECREF(get);
    PyErr_Clear();
    return is;
}

/* Before it does so, Python runs handlers of the program that wait to be run. They may raise
 * ValueError, as Python does in other threads, but not twice. */
int ends_set_handler(int signum, PyObject *handler)
{
    PyObject *set = of_signal("signal"), *type, *value, *traceback;
    PyObject *old = set ? PyObject_CallFunction(set, "iO", signum, handler) : NULL;
    bool refused = set && !old && PyErr_ExceptionMatches(PyExc_ValueError);
    int rc = old ? 1 : -1;
    if (refused) {
        PyErr_Fetch(&type, &value, &traceback);
        old = PyObject_CallFunction(set, "iO", signum, handler);
        rc = old ? -1 : 0;
        PyErr_Clear();
        if (old)
            PyErr_Restore(type, value, traceback);
        else
            Py_XDECREF(type), Py_XDECREF(value), Py_XDECREF(traceback);
    }
    Py_XDECREF(old);
    Py_XDECREF(set);
    return rc;
}

/* Numbers that nobody is known to use, the first that is free. */
static int find_wake(void)
{
#ifdef SIGRTMAX
    enum { FIRST = 6, LAST = 12 };
    struct sigaction now;
    for (int n = FIRST; n <= LAST && SIGRTMAX - n >= SIGRTMIN; n++)
        if (sigaction(SIGRTMAX - n, NULL, &now) == 0 && now.sa_handler == SIG_DFL)
            return SIGRTMAX - n;
#endif
    return 0;
}

int ends_prepare(void)
{
    struct sigaction now;
    if (is_awake())
        return 0;
    atomic_store(&wake, 0);
    int signum = find_wake();
    if (!wake_object)
        wake_object = PyCFunction_New(&on_wake_method, NULL);
    if (!wake_object)
        return -1;
    int rc = signum ? ends_set_handler(signum, wake_object) : 0;
    if (rc > 0 && sigaction(signum, NULL, &now) == 0) {
        main_thread = pthread_self();
        wake_handler = now.sa_handler;
        atomic_store(&wake, signum);
    }
    return rc < 0 ? -1 : 0;
}

int ends_wake_signal(void)
{
    return atomic_load(&wake);
}

int ends_forget_wake(void)
{
    int signum = is_awake() ? atomic_exchange(&wake, 0) : 0;
    PyObject *usual = signum ? PyLong_FromVoidPtr((void *)SIG_DFL) : NULL;
    int rc = signum ? (usual ? ends_set_handler(signum, usual) : -1) : 0;
    Py_XDECREF(usual);
    return rc < 0 ? -1 : 0;
}

static bool has_timer(int signum)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = signum};
    if (sigismember(&timed, signum) != 1 &&
        timer_create(CLOCK_MONOTONIC, &event, &grace[signum]) == 0)
        sigaddset(&timed, signum);
    return sigismember(&timed, signum) == 1;
}

/* Takes over what has its default action. No timer, no handler: the program must not hang. */
static void catch_signals(void)
{
    struct sigaction now, handler = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    sigemptyset(&handler.sa_mask);
    for (int signum = 1; signum < NSIG; signum++)
        if (sigismember(&wanted, signum) == 1 && sigaction(signum, NULL, &now) == 0 &&
            now.sa_handler == SIG_DFL && has_timer(signum))
            sigaction(signum, &handler, NULL);
}

/*
 * After this no handler of ours runs any more, in whatever thread: a signal that has come is in
 * `caught`. A forked child has its parent's count, but none of the other threads.
 */
static void handlers_quiet(void)
{
    if (owner != getpid())
        atomic_store(&handling, 0);
    while (atomic_load(&handling) > 0)
        sched_yield();
}

/* Gives them back, unless the program has put its own handler there meanwhile. */
static void release_signals(void)
{
    struct sigaction now;
    for (int signum = 1; signum < NSIG; signum++) {
        if (sigismember(&wanted, signum) == 1 && sigaction(signum, NULL, &now) == 0 &&
            now.sa_flags & SA_SIGINFO && now.sa_sigaction == on_signal)
            signal(signum, SIG_DFL);
        if (sigismember(&timed, signum) == 1 && owner == getpid())
            timer_delete(grace[signum]);    /* a child has no timers of its parent's */
    }
    sigemptyset(&wanted);
    sigemptyset(&timed);
    handlers_quiet();
}

static void want_signals(const int *signums, size_t n)
{
    sigemptyset(&wanted);
    sigemptyset(&timed);
    for (size_t i = 0; i < n; i++)
        if (signums[i] > 0 && signums[i] < NSIG)
            sigaddset(&wanted, signums[i]);
}

/* ---- Functions that end the process ---- */

/* The call that should have ended the process came back; its exception stays set. */
static PyObject *came_back(PyObject *result)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    if (may_tell())
        told->go_on();
    PyErr_Restore(type, value, traceback);
    return result;
}

typedef PyObject *fast_function(PyObject *, PyObject *const *, Py_ssize_t);
typedef PyObject *keyword_function(PyObject *, PyObject *const *, Py_ssize_t, PyObject *);

enum { F_EXIT, F_EXECV, F_EXECVE, F_ABORT, F_SIGNAL, N_FUNCTIONS };

static PyCFunction original[N_FUNCTIONS];

/* Whether os._exit() will raise instead, so that nothing may be done that is final. */
static bool exit_will_fail(PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    if (n + (names ? PyTuple_GET_SIZE(names) : 0) != 1 || !PyLong_Check(args[0]))
        return true;
    int overflow;
    long status = PyLong_AsLongAndOverflow(args[0], &overflow);
    return overflow || status < INT_MIN || status > INT_MAX;
}

static PyObject *watched_exit(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    keyword_function *call = (keyword_function *)(void (*)(void))original[F_EXIT];
    if (exit_will_fail(args, n, names))
        return call(self, args, n, names);
    tell_finish("_exit");
    return came_back(call(self, args, n, names));
}

/* A search in PATH tries many files that are not there: these are sure to come back. */
static bool will_fail(PyObject *const *args, Py_ssize_t n)
{
    PyObject *path = NULL;
    bool fails = n > 0 && (PyUnicode_Check(args[0]) || PyBytes_Check(args[0])) &&
                 PyUnicode_FSConverter(args[0], &path) &&
                 access(PyBytes_AS_STRING(path), X_OK) != 0;
    Py_XDECREF(path);
    PyErr_Clear();
    return fails;
}

static PyObject *watched_execv(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    fast_function *call = (fast_function *)(void (*)(void))original[F_EXECV];
    if (will_fail(args, n))
        return call(self, args, n);
    tell_finish("exec");
    return came_back(call(self, args, n));
}

static PyObject *watched_execve(PyObject *self, PyObject *const *args, Py_ssize_t n,
                                PyObject *names)
{
    keyword_function *call = (keyword_function *)(void (*)(void))original[F_EXECVE];
    if (will_fail(args, n))
        return call(self, args, n, names);
    tell_finish("exec");
    return came_back(call(self, args, n, names));
}

static PyObject *watched_abort(PyObject *self, PyObject *unused)
{
    tell_finish("abort");
    return came_back(original[F_ABORT](self, unused));
}

/* A signal gets its default action back: it is ours again. */
static PyObject *watched_signal(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    PyObject *result = ((fast_function *)(void (*)(void))original[F_SIGNAL])(self, args, n);
    if (result && in_our_process()) {
        catch_signals();
        if (!is_awake())            /* that number is the program's own now */
            atomic_store(&wake, 0);
    }
    return result;
}

static const struct {
    const char *module, *name;
    int flags; /* how it is called; if CPython changes that, it is left alone */
    PyCFunction watched;
} functions[N_FUNCTIONS] = {
    [F_EXIT] = {"posix", "_exit", METH_FASTCALL | METH_KEYWORDS,
                (PyCFunction)(void (*)(void))watched_exit},
    [F_EXECV] = {"posix", "execv", METH_FASTCALL, (PyCFunction)(void (*)(void))watched_execv},
    [F_EXECVE] = {"posix", "execve", METH_FASTCALL | METH_KEYWORDS,
                  (PyCFunction)(void (*)(void))watched_execve},
    [F_ABORT] = {"posix", "abort", METH_NOARGS, watched_abort},
    [F_SIGNAL] = {"_signal", "signal", METH_FASTCALL, (PyCFunction)(void (*)(void))watched_signal},
};

static PyMethodDef *method[N_FUNCTIONS];        /* where they stand; NULL: not as expected */
static bool replaced[N_FUNCTIONS];

/* From the module's own table, whatever the program has put in its place. */
static PyMethodDef *method_of(const char *module, const char *name)
{
    PyObject *found = PyImport_ImportModule(module);
    PyModuleDef *def = found && PyModule_Check(found) ? PyModule_GetDef(found) : NULL;
    PyMethodDef *m = def ? def->m_methods : NULL;
    while (m && m->ml_name && strcmp(m->ml_name, name) != 0)
        m++;
    Py_XDECREF(found);
    PyErr_Clear();
    return m && m->ml_name ? m : NULL;
}

/* Once, when we are imported: later imports could run code of the program. */
void ends_find_functions(void)
{
    for (int i = 0; i < N_FUNCTIONS; i++) {
        PyMethodDef *found = method_of(functions[i].module, functions[i].name);
        if (!method[i] && found && found->ml_flags == functions[i].flags)
            method[i] = found;
    }
}

static void watch_functions(void)
{
    for (int i = 0; i < N_FUNCTIONS; i++) {
        if (!method[i] || replaced[i])
            continue;
        original[i] = method[i]->ml_meth;
        method[i]->ml_meth = functions[i].watched;
        replaced[i] = true;
    }
}

/* `original` stays: a call may be under way. */
static void unwatch_functions(void)
{
    for (int i = 0; i < N_FUNCTIONS; i++) {
        if (replaced[i])
            method[i]->ml_meth = original[i];
        replaced[i] = false;
    }
}

/* ---- C's exit() ---- */

static bool interpreter_is_up(void)
{
#if PY_VERSION_HEX >= 0x030D0000
    return Py_IsInitialized() && !Py_IsFinalizing();
#else
    return Py_IsInitialized() && !_Py_IsFinalizing();
#endif
}

/* Nobody else can hold the interpreter's lock, and perhaps never let it go. */
static bool is_only_thread(PyThreadState *mine)
{
    return PyInterpreterState_ThreadHead(home) == mine && !PyThreadState_Next(mine);
}

static void at_c_exit(void)
{
    if (!in_our_process() || !interpreter_is_up())
        return;
    PyThreadState *mine = PyGILState_GetThisThreadState();
    if (!mine || (_PyThreadState_UncheckedGet() != mine && !is_only_thread(mine)))
        return;
    PyGILState_STATE state = PyGILState_Ensure();
    tell_finish("exit");
    PyGILState_Release(state);
}

/* ---- Listening ---- */

void ends_unlisten(void)
{
    if (!told)
        return;
    bool ours = owner == getpid();
    release_signals();
    unwatch_functions();
    told = NULL;
    int signum = atomic_exchange(&caught, 0);
    if (signum && ours)
        die_of(signum);
}

/* Who listened before hears no more. A signal that has come meanwhile ends the program now, with
 * its default action: nobody else will. */
void ends_listen(const ends_listener *listener, const int *signums, size_t n)
{
    static bool at_exit_set;
    ends_unlisten();
    if (owner && owner != getpid()) /* forked: there is no other thread */
        main_thread = pthread_self();
    told = listener;
    home = PyInterpreterState_Get();
    owner = getpid();
    atomic_store(&caught, 0);
    lanes_hurry_no_more();
    at_exit_set = at_exit_set || atexit(at_c_exit) == 0;
    want_signals(signums, n);
    watch_functions();
    catch_signals();
}

/* ---- For sessions in Python ---- */

static PyObject *finish, *go_on;        /* owned */

static void finish_in_python(const char *how)
{
    PyObject *whom = Py_NewRef(finish);
    PyObject *result = PyObject_CallFunction(whom, "s", how);
    Py_XDECREF(result);
    Py_DECREF(whom);
    swallow_error();
}

static void go_on_in_python(void)
{
    PyObject *whom = Py_NewRef(go_on);
    PyObject *result = PyObject_CallNoArgs(whom);
    Py_XDECREF(result);
    Py_DECREF(whom);
    swallow_error();
}

static const ends_listener in_python = {finish_in_python, go_on_in_python};

/* The numbers of a sequence, as far as there is room; -1 with an exception. */
static Py_ssize_t numbers(PyObject *sequence, int *out, Py_ssize_t room)
{
    PyObject *list = PySequence_Fast(sequence, "signums must be a sequence");
    Py_ssize_t n = list ? PySequence_Fast_GET_SIZE(list) : 0;
    for (Py_ssize_t i = 0; i < n && !PyErr_Occurred(); i++) {
        long number = PyLong_AsLong(PySequence_Fast_GET_ITEM(list, i));
        if (!PyErr_Occurred() && (number <= 0 || number >= NSIG || i == room))
            PyErr_SetString(PyExc_ValueError, "there is no such signal");
        if (i < room)
            out[i] = (int)number;
    }
    Py_XDECREF(list);
    return PyErr_Occurred() ? -1 : n;
}

const char ends_watch_doc[] = PyDoc_STR(
    "watch_ends(signums, finish, go_on, /)\n--\n\n"
    "Call finish('signal') before one of `signums` that has its default action lets it happen,\n"
    "finish('_exit'), 'abort', 'exec' before os._exit, os.abort, os.execv and os.execve, and\n"
    "finish('exit') in C's exit(); go_on() if one of the functions fails. Replaces what was\n"
    "watched before.");

PyObject *ends_watch(PyObject *module, PyObject *args)
{
    PyObject *signums, *before, *after;
    int found[NSIG];
    (void)module;
    if (!PyArg_ParseTuple(args, "OOO:watch_ends", &signums, &before, &after))
        return NULL;
    Py_ssize_t n = numbers(signums, found, NSIG);
    if (n < 0 || ends_prepare() < 0)
        return NULL;
    ends_unlisten();
    Py_XSETREF(finish, Py_NewRef(before));
    Py_XSETREF(go_on, Py_NewRef(after));
    ends_listen(&in_python, found, (size_t)n);
    Py_RETURN_NONE;
}

const char ends_unwatch_doc[] = PyDoc_STR("unwatch_ends()\n--\n\nUndo watch_ends().");

PyObject *ends_unwatch(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    if (told == &in_python)
        ends_unlisten();
    Py_CLEAR(finish);
    Py_CLEAR(go_on);
    Py_RETURN_NONE;
}
