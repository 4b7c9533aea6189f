/* pynytprof._cwrite: chunks to a profile, by libnytprof. */
#define PY_SSIZE_T_CLEAN
#include "pyutil.h"

static struct PyModuleDef cwrite_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "pynytprof._cwrite",
    .m_doc = "Writes chunks to a NYTProf profile: the C twin of pynytprof._writer.",
};

PyMODINIT_FUNC PyInit__cwrite(void);

PyMODINIT_FUNC PyInit__cwrite(void)
{
    return PyModuleDef_Init(&cwrite_module);
}
