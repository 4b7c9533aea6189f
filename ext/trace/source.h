/* Files: which code belongs to which, and whether it is traced. */
#ifndef PYNYTPROF_TRACE_SOURCE_H
#define PYNYTPROF_TRACE_SOURCE_H

#include "options.h"
#include "source_text.h"
#include "trace.h"

/* A source file, a string eval, or the place where C functions live. */
typedef struct {
    PyObject *filename; /* owned: co_filename, the key; with parent and line for evals */
    uint32_t fid;       /* 0: not announced, because nothing of it is traced */
    uint32_t parent;    /* of an eval: index of the file plus one */
    uint32_t parent_line;
    uint32_t flags;
    bool skip;
    bool hidden;       /* of our own package */
    bool folded;       /* it stands for many texts: see source.c */
    uint32_t names;    /* of subs in a folded one */
    uint32_t versions; /* other texts that have had this name, */
    bool version;      /* of which this is one */
    char *name;        /* as the profile calls it, UTF-8 */
    source_text text;
    uint32_t *blocks;       /* by line, blocks_of_text(); NULL: not found yet, or not known */
} source_file;

typedef struct {
    const trace_options *options;       /* the tracer's */
    source_file *list;
    size_t n, cap;
    PyObject *index;       /* dict: (filename, parent, line) or filename -> index */
    PyObject *eval_places; /* dict: (file, line) -> number of texts run there */
    kept_sources kept;     /* the pieces are the table's */
    uint32_t n_fids, n_evals;
    size_t eval_bytes;     /* of their texts */
    uint64_t folded_evals; /* that had no room for a file of their own */
    int64_t c_file;        /* index of "(builtins)", -1: none yet */
    bool forked;           /* a file gets its number only once this process uses it */
} file_table;

/* The traced line that runs now. */
typedef struct {
    uint32_t file;          /* its index */
    int line;
} eval_place;

/* A folded file has so many lines, and subs of so many names. */
enum { FOLDED_LINES = 64, FOLDED_NAMES = 64 };

/* -1 with an exception. The options must live as long as the table. */
int files_begin(file_table *files, const trace_options *options);
/*
 * Index of the file a code object belongs to; -1 with or without an exception: failed. `by`
 * is the line that runs the text if the code is that of a whole one; NULL: none that is traced,
 * and then `by_skipped` if there is one that is left out.
 */
int64_t source_file_of(file_table *files, PyCodeObject *code, PyObject *globals,
                       const eval_place *by, bool by_skipped);
/* Index of the file in which all C functions are listed. */
int64_t source_file_for_c(file_table *files);
/* Gives a file a number, after those of its parents, if it has none and is traced. */
void source_file_number(file_table *files, source_file *f);
/* No file has a number any more: another process begins. */
void source_files_forget(file_table *files);
void source_files_free(file_table *files);

#endif
