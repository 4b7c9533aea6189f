/* An extension that tells of events by itself, as Cython's do: call(codelike). */
#include <Python.h>

static PyObject *call(PyObject *module, PyObject *code)
{
    enum { START, LINE, CALL, C_RETURN, JUMP, YIELD, RESUME, RETURN, N };
    static const uint8_t events[N] = {
        PY_MONITORING_EVENT_PY_START,  PY_MONITORING_EVENT_LINE,      PY_MONITORING_EVENT_CALL,
        PY_MONITORING_EVENT_C_RETURN,  PY_MONITORING_EVENT_JUMP,      PY_MONITORING_EVENT_PY_YIELD,
        PY_MONITORING_EVENT_PY_RESUME, PY_MONITORING_EVENT_PY_RETURN,
    };
    PyMonitoringState state[N] = {{0}};
    uint64_t version = 0;
    int far = 0x7ffffffe;
    PyObject *callable = PyDict_GetItemString(PyEval_GetBuiltins(), "len");
    PyObject *text = PyUnicode_FromString("no number");

    PyMonitoring_EnterScope(state, &version, events, N);
    PyMonitoring_FirePyStartEvent(&state[START], code, 0);
    PyMonitoring_FireLineEvent(&state[LINE], code, 0, 7);
    PyMonitoring_FireCallEvent(&state[CALL], code, far, callable, text);
    PyMonitoring_FireCReturnEvent(&state[C_RETURN], code, far, Py_None);
    PyMonitoring_FireJumpEvent(&state[JUMP], code, far, text);
    PyMonitoring_FireLineEvent(&state[LINE], code, far, 9);
    PyMonitoring_FirePyYieldEvent(&state[YIELD], code, far, Py_None);
    PyMonitoring_FirePyResumeEvent(&state[RESUME], code, far);
    PyMonitoring_FirePyReturnEvent(&state[RETURN], code, far, Py_None);
    PyMonitoring_ExitScope();
    Py_DECREF(text);
    (void)module;
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {{"call", call, METH_O, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "fired", NULL, -1, methods};

PyMODINIT_FUNC PyInit_fired(void)
{
    return PyModule_Create(&definition);
}
