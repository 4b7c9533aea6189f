/* Which code objects are taken for one. */
#ifndef PYNYTPROF_TRACE_CODE_IDENTITY_H
#define PYNYTPROF_TRACE_CODE_IDENTITY_H

#include "code_info.h"
#include "source.h"

/* Borrowed references. What does not matter is NULL or 0. */
typedef struct {
    uint32_t file;       /* index in the table of files */
    int first_line;
    Py_hash_t line_table;
    PyObject *qualname, *module;
} code_identity;

/* -1 with an exception: it can't be told. */
int code_identity_of(code_identity *id, const file_table *files, PyCodeObject *code, uint32_t file,
                     PyObject *qualname, PyObject *module);

/* The info of an equal code object, and *index in the table; NULL: there is none yet. */
code_info *codes_find(const code_table *codes, const code_identity *id, size_t *index);
/*
 * A new info of all zeros but for `id`, whose names it comes to own, as the table's last. The table
 * owns it. NULL: out of memory.
 */
code_info *codes_add(code_table *codes, const code_identity *id);

#endif
