/* children.h - Pythons that the program starts find the settings in their environment. */
#ifndef PYNYTPROF_SESSION_CHILDREN_H
#define PYNYTPROF_SESSION_CHILDREN_H

#include "state.h"

/* What is handed on stands in this variable: once for the program, for children as long as one
 * is profiled. */
#define RUN_VARIABLE "PYNYTPROF_RUN"

/*
 * Where pynytprof.pth is not installed, a folder with our sitecustomize.py stands in front of
 * PYTHONPATH; empty entries, which are the current folder, stay.
 */
#define PATH_VARIABLE "PYTHONPATH"

/* From now on they are profiled, too. */
void children_take_along(const session *s);

/* Undoes it, where the program has not changed the variables meanwhile. */
void children_leave(void);

#endif
