/*
 * Values of libnytprof as Python objects. A struct becomes a struct sequence, a tuple whose items
 * are attributes too, made by a table with a row for each field:
 *
 *     static const struct layout line = {
 *         .id = LAYOUT_LINE, .name = "pynytprof._cread.Line", .doc = "...",
 *         .fields = FIELDS(FIELD(nyt_line, "fid", fid, "The file it stands in."), ...)};
 *
 * The table has the only order of fields there is; _cread.pyi declares their names and types.
 */
#ifndef PYNYTPROF_READ_VALUES_H
#define PYNYTPROF_READ_VALUES_H

#include <stddef.h>

#include "cread.h"

/* ---- Single values: a new reference, or NULL with an exception ---- */

/* As UTF-8 or, if it is none, Latin-1; and None where there is no value. */
PyObject *text_of(nyt_str s);
PyObject *text_or_none(nyt_str s);
/* For a field: a nyt_str at `value`, by text_or_none(). */
PyObject *text_or_none_at(const void *value);

/* ---- Structs ---- */

struct field {
    const char *name;
    PyObject *(*get)(const void *value);    /* takes what is at `offset`; a new reference */
    size_t offset;
    const char *doc;
};

struct layout {
    enum layout_id id;
    const char *name, *doc;
    const struct field *fields; /* the last one has no name */
    int hidden;                 /* so many of the last are attributes, but not items */
};

PyObject *bool_at(const void *value);
PyObject *int_at(const void *value);
PyObject *long_at(const void *value);
PyObject *long_long_at(const void *value);
PyObject *unsigned_at(const void *value);
PyObject *unsigned_long_at(const void *value);
PyObject *unsigned_long_long_at(const void *value);
PyObject *double_at(const void *value);
PyObject *text_at(const void *value);
PyObject *optional_text_at(const void *value);  /* a pointer to a nyt_str; NULL: None */
PyObject *chars_at(const void *value);          /* an array of char, in UTF-8 */
PyObject *string_at(const void *value);         /* a pointer to char, in UTF-8 */

/* The compiler picks what fits the member's type, so that the two can't differ. */
#define GETTER(member)                             \
    _Generic((member),                             \
        bool: bool_at,                             \
        int: int_at,                               \
        long: long_at,                             \
        long long: long_long_at,                   \
        unsigned: unsigned_at,                     \
        unsigned long: unsigned_long_at,           \
        unsigned long long: unsigned_long_long_at, \
        double: double_at,                         \
        nyt_str: text_at,                          \
        const nyt_str *: optional_text_at,         \
        char *: chars_at,                          \
        const char *: string_at)

/* Rows of the table: a member of the C struct `type`; a member in a way of its own; and what
 * get() makes of the whole struct. */
#define FIELD(type, name, member, doc) \
    {name, GETTER(((type *)0)->member), offsetof(type, member), doc}
#define FIELD_WITH(get, type, name, member, doc) {name, get, offsetof(type, member), doc}
#define FIELD_OF(get, name, doc)                 {name, get, 0, doc}
#define FIELDS(...) ((const struct field[]){__VA_ARGS__, {NULL, NULL, 0, NULL}})

/* Makes the types and adds them to the module. 0, or -1 with an exception. */
int add_layout(PyObject *module, const struct layout *layout);
int add_layouts(PyObject *module, const struct layout *const *layouts, size_t n);

/* The C struct at `from` as an object of the layout's type. */
PyObject *struct_of(PyObject *module, const struct layout *layout, const void *from);

/* ---- Lists ---- */

/* Puts a new reference into a list under construction; NULL gives the list up. */
bool set_item(PyObject **list, size_t i, PyObject *item);
/* The same for a list that grows. */
bool append_item(PyObject **list, PyObject *item);

/* An array of n C structs of `size` bytes each. */
PyObject *structs_of(PyObject *module, const struct layout *layout, const void *first, size_t size,
                     size_t n);
PyObject *texts_of(const nyt_str *strings, size_t n);
/* As (key, value). */
PyObject *pairs_of(const nyt_pair *pairs, size_t n);

/* What `list[first:end]` is of a list of n, for numbers from 0. */
struct part {
    size_t from, count;
};

struct part part_of(Py_ssize_t first, Py_ssize_t end, size_t n);
/* The arguments `first` and `end`, both optional. False: an exception is set. */
bool part_arguments(PyObject *args, size_t n, struct part *part);

#endif
