/*
 * pynytprof._cread: profiles read, judged, compared, merged and exported, by libnytprof. Here is
 * the module with its functions and its state; each subject has a file of its own.
 */
#define PY_SSIZE_T_CLEAN
#include "cread.h"
#include "diff.h"
#include "export.h"
#include "merge.h"
#include "profile.h"
#include "records.h"
#include "run.h"
#include "verify.h"

static PyMethodDef cread_methods[] = {
    {"check_condition", diff_check_condition, METH_VARARGS,
     PyDoc_STR("check_condition(condition, /)\n--\n\n"
               "Raises ValueError for what is no condition on a diff.")},
    {"check_min_change", diff_check_min_change, METH_VARARGS,
     PyDoc_STR("check_min_change(text, /)\n--\n\n"
               "Raises ValueError for what is no least change of a diff.")},
    {"merge", merge_profiles, METH_VARARGS,
     PyDoc_STR("merge(paths, write, compress=1, /)\n--\n\n"
               "Passes one profile made of many to write(); returns (complete, notes).")},
    {"recover", merge_recover, METH_VARARGS,
     PyDoc_STR("recover(path, write, compress=1, /)\n--\n\n"
               "Passes a sound profile made of a broken one to write(), as merge() does.")},
    {"formats", export_formats, METH_NOARGS,
     PyDoc_STR("formats()\n--\n\nThe formats that profiles can be exported to.")},
    {"verify", verify_file, METH_VARARGS,
     PyDoc_STR("verify(path, /)\n--\n\nReturns the number of records and a list of findings.")},
    {"dump", export_dump, METH_VARARGS,
     PyDoc_STR("dump(path, write, jsonl=False, /)\n--\n\nPasses all records to write() as text.")},
    RUN_METHODS,
    {NULL, NULL, 0, NULL},
};

static int add_error(PyObject *module)
{
    PyObject *error = PyErr_NewExceptionWithDoc("pynytprof.reader.ProfileError",
                                                "The file is no profile that can be read.",
                                                PyExc_ValueError, NULL);
    state_of(module)->error = error;
    return error ? PyModule_AddObjectRef(module, "ProfileError", error) : -1;
}

static int cread_exec(PyObject *module)
{
    static int (*const parts[])(PyObject *) = {add_error, add_profile, add_diff,   add_exports,
                                               add_merge, add_verify,  add_records};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i](module) < 0)
            return -1;
    return 0;
}

static int cread_traverse(PyObject *module, visitproc visit, void *arg)
{
    module_state *state = state_of(module);
    Py_VISIT(state->error);
    Py_VISIT(state->profile);
    Py_VISIT(state->diff);
    Py_VISIT(state->reader);
    for (size_t i = 0; i < LAYOUT_COUNT; i++)
        Py_VISIT(state->layouts[i]);
    return 0;
}

static int cread_clear(PyObject *module)
{
    module_state *state = state_of(module);
    Py_CLEAR(state->error);
    Py_CLEAR(state->profile);
    Py_CLEAR(state->diff);
    Py_CLEAR(state->reader);
    for (size_t i = 0; i < LAYOUT_COUNT; i++)
        Py_CLEAR(state->layouts[i]);
    return 0;
}

static PyModuleDef_Slot cread_slots[] = {
    {Py_mod_exec, cread_exec},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
    {0, NULL},
};

static struct PyModuleDef cread_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "pynytprof._cread",
    .m_doc = "Profiles read, judged and exported, in C.",
    .m_size = sizeof(module_state),
    .m_methods = cread_methods,
    .m_slots = cread_slots,
    .m_traverse = cread_traverse,
    .m_clear = cread_clear,
};

PyMODINIT_FUNC PyInit__cread(void);

PyMODINIT_FUNC PyInit__cread(void)
{
    return PyModuleDef_Init(&cread_module);
}
