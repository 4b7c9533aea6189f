/* The command line for reading profiles, as functions of pynytprof._cread. */
#ifndef PYNYTPROF_READ_RUN_H
#define PYNYTPROF_READ_RUN_H

#include <Python.h>

PyObject *cread_run(PyObject *module, PyObject *args, PyObject *kwargs);
PyObject *cread_command_line(PyObject *module, PyObject *unused);

/* Of the module's table of methods. */
#define RUN_METHODS                                                                              \
    {"run", (PyCFunction)(void (*)(void))cread_run, METH_VARARGS | METH_KEYWORDS,                \
     PyDoc_STR("run(argv, prog='pynytprof')\n--\n\n"                                             \
               "Runs a command line of the program nytprof on the descriptors 0, 1 and 2.\n\n"   \
               "Returns the exit status. Ctrl-C and a closed pipe end the process meanwhile.")}, \
    {                                                                                            \
        "command_line", cread_command_line, METH_NOARGS,                                         \
            PyDoc_STR(                                                                           \
                "command_line()\n--\n\n"                                                         \
                "The date of this version; and of each command its name and a line of help.")    \
    }

#endif
