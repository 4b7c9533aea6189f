/* What every file of the tracer leans on, beside libnytprof's memory and tables. */
#include "util.h"

void swallow_error(void)
{
    if (!PyErr_Occurred())
        return;
    if (PyErr_ExceptionMatches(PyExc_KeyboardInterrupt))
        PyErr_SetInterrupt();
    PyErr_Clear();
}

bool code_is_module_level(PyCodeObject *code)
{
    return PyUnicode_CompareWithASCIIString(code->co_name, "<module>") == 0;
}
