/*
 * Other tools. CPython tells of those that begin by an audit event, which comes before
 * they do. Audit hooks can't be taken back: ours is set once, and only where it is needed.
 */
#include "other_tools.h"

#include "util.h"

#include <string.h>

#if PY_VERSION_HEX >= 0x030C0000

enum { TOOLS = 6 };

static bool has_holder(PyObject *monitoring, int id)
{
    PyObject *holder = PyObject_CallMethod(monitoring, "get_tool", "i", id);
    bool held = holder && holder != Py_None;
    swallow_error();
    Py_XDECREF(holder);
    return held;
}

bool other_tools_here(PyObject *monitoring, int ours)
{
    for (int id = 0; id < TOOLS; id++)
        if (id != ours && has_holder(monitoring, id))
            return true;
    PyThreadState *thread = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    for (; thread; thread = PyThreadState_Next(thread))
        if (thread->c_tracefunc || thread->c_profilefunc)
            return true;
    return false;
}

static void (*on_coming)(void);
static PyInterpreterState *home;

static int on_audit(const char *event, PyObject *args, void *unused)
{
    (void)args, (void)unused;
    if (on_coming &&
        (strcmp(event, "sys.settrace") == 0 || strcmp(event, "sys.setprofile") == 0 ||
         strcmp(event, "sys.monitoring.register_callback") == 0) &&
        PyInterpreterState_Get() == home)
        on_coming();
    return 0;
}

bool other_tools_watch(void (*coming)(void))
{
    static bool hooked;
    on_coming = NULL;
    if (coming && !hooked && PySys_AddAuditHook(on_audit, NULL) < 0) {
        swallow_error();
        return false;
    }
    hooked = hooked || coming;
    home = PyInterpreterState_Get();
    on_coming = coming;
    return true;
}

#endif
