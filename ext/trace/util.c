/* What every file of the tracer leans on, beside libnytprof's memory and tables. */
#include "util.h"

#include <stdlib.h>

void swallow_error(void)
{
    if (!PyErr_Occurred())
        return;
    if (PyErr_ExceptionMatches(PyExc_KeyboardInterrupt))
        PyErr_SetInterrupt();
    PyErr_Clear();
}

PyObject *dict_item(PyObject *dict, const char *name, PyObject **kept)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    if (!*kept)
        *kept = PyUnicode_InternFromString(name);
    PyObject *found = *kept ? PyDict_GetItemWithError(dict, *kept) : NULL;
    PyErr_Restore(type, value, traceback);
    return found;
}

PyObject *dict_get(PyObject *dict, const char *name)
{
    PyObject *kept = NULL, *found = dict_item(dict, name, &kept);
    Py_XDECREF(kept);
    return found;
}

PyObject *frame_globals(PyFrameObject *frame)
{
#if PY_VERSION_HEX >= 0x030B0000
    return PyFrame_GetGlobals(frame);
#else
    return Py_NewRef(frame->f_globals);
#endif
}

bool code_is_module_level(PyCodeObject *code)
{
    return PyUnicode_CompareWithASCIIString(code->co_name, "<module>") == 0;
}

void *grow_by_place(void *pointers, uint32_t *cap, uint32_t place)
{
    if (place < *cap)
        return pointers;
    /* Most code runs in one thread alone. */
    uint32_t more = place == 0 ? 1 : place + 16;
    void **grown = realloc(pointers, more * sizeof *grown);
    if (!grown)
        return NULL;
    memset(grown + *cap, 0, (more - *cap) * sizeof *grown);
    *cap = more;
    return grown;
}

uint32_t often_is(uint32_t usual)
{
    const char *wanted = getenv("PYNYTPROF_HOT");
    return wanted && atoi(wanted) > 0 ? (uint32_t)atoi(wanted) : usual;
}
