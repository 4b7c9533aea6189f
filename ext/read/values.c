/* Values of libnytprof as Python objects: texts, structs by a table of their fields, lists. */
#define PY_SSIZE_T_CLEAN
#include "values.h"

/* ---- Single values ---- */

/* Perl writes names that fit Latin-1 in it, all else as UTF-8. */
PyObject *text_of(nyt_str s)
{
    PyObject *text = PyUnicode_DecodeUTF8(s.data, (Py_ssize_t)s.len, NULL);
    if (text || !PyErr_ExceptionMatches(PyExc_UnicodeDecodeError))
        return text;
    PyErr_Clear();
    return PyUnicode_DecodeLatin1(s.data, (Py_ssize_t)s.len, NULL);
}

/* Bytes that a file ends with in mid-value have no value: None. */
PyObject *text_or_none(nyt_str s)
{
    return s.data ? text_of(s) : Py_NewRef(Py_None);
}

PyObject *text_or_none_at(const void *value)
{
    return text_or_none(*(const nyt_str *)value);
}

PyObject *bool_at(const void *value)
{
    return PyBool_FromLong(*(const bool *)value);
}

PyObject *int_at(const void *value)
{
    return PyLong_FromLong(*(const int *)value);
}

PyObject *long_at(const void *value)
{
    return PyLong_FromLong(*(const long *)value);
}

PyObject *long_long_at(const void *value)
{
    return PyLong_FromLongLong(*(const long long *)value);
}

PyObject *unsigned_at(const void *value)
{
    return PyLong_FromUnsignedLong(*(const unsigned *)value);
}

PyObject *unsigned_long_at(const void *value)
{
    return PyLong_FromUnsignedLong(*(const unsigned long *)value);
}

PyObject *unsigned_long_long_at(const void *value)
{
    return PyLong_FromUnsignedLongLong(*(const unsigned long long *)value);
}

PyObject *double_at(const void *value)
{
    return PyFloat_FromDouble(*(const double *)value);
}

PyObject *text_at(const void *value)
{
    return text_of(*(const nyt_str *)value);
}

PyObject *optional_text_at(const void *value)
{
    const nyt_str *text = *(const nyt_str *const *)value;
    return text ? text_of(*text) : Py_NewRef(Py_None);
}

PyObject *chars_at(const void *value)
{
    return PyUnicode_FromString(value);
}

PyObject *string_at(const void *value)
{
    return PyUnicode_FromString(*(const char *const *)value);
}

/* ---- Structs ---- */

static size_t field_count(const struct layout *layout)
{
    size_t n = 0;
    while (layout->fields[n].name)
        n++;
    return n;
}

int add_layout(PyObject *module, const struct layout *layout)
{
    size_t n = field_count(layout);
    PyStructSequence_Field *fields = PyMem_Calloc(n + 1, sizeof *fields);
    if (!fields) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i < n; i++)
        fields[i] = (PyStructSequence_Field){layout->fields[i].name, layout->fields[i].doc};
    PyStructSequence_Desc desc = {layout->name, layout->doc, fields, (int)n - layout->hidden};
    PyTypeObject *type = PyStructSequence_NewType(&desc);
    PyMem_Free(fields);
    state_of(module)->layouts[layout->id] = type;
    return type ? PyModule_AddType(module, type) : -1;
}

int add_layouts(PyObject *module, const struct layout *const *layouts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (add_layout(module, layouts[i]) < 0)
            return -1;
    return 0;
}

PyObject *struct_of(PyObject *module, const struct layout *layout, const void *from)
{
    PyObject *made = PyStructSequence_New(state_of(module)->layouts[layout->id]);
    const struct field *field = layout->fields;
    for (Py_ssize_t i = 0; made && field->name; i++, field++) {
        PyObject *item = field->get((const char *)from + field->offset);
        if (item)
            PyStructSequence_SetItem(made, i, item);
        else
            Py_CLEAR(made);
    }
    return made;
}

/* ---- Lists ---- */

bool set_item(PyObject **list, size_t i, PyObject *item)
{
    if (!item) {
        Py_CLEAR(*list);
        return false;
    }
    PyList_SET_ITEM(*list, (Py_ssize_t)i, item);
    return true;
}

bool append_item(PyObject **list, PyObject *item)
{
    if (!item || PyList_Append(*list, item) < 0)
        Py_CLEAR(*list);
    Py_XDECREF(item);
    return *list != NULL;
}

PyObject *structs_of(PyObject *module, const struct layout *layout, const void *first, size_t size,
                     size_t n)
{
    PyObject *list = PyList_New((Py_ssize_t)n);
    for (size_t i = 0; list && i < n; i++)
        set_item(&list, i, struct_of(module, layout, (const char *)first + i * size));
    return list;
}

PyObject *texts_of(const nyt_str *strings, size_t n)
{
    PyObject *list = PyList_New((Py_ssize_t)n);
    for (size_t i = 0; list && i < n; i++)
        set_item(&list, i, text_of(strings[i]));
    return list;
}

PyObject *pairs_of(const nyt_pair *pairs, size_t n)
{
    PyObject *list = PyList_New((Py_ssize_t)n);
    for (size_t i = 0; list && i < n; i++)
        set_item(&list, i,
                 Py_BuildValue("(NN)", text_of(pairs[i].key), text_or_none(pairs[i].value)));
    return list;
}

struct part part_of(Py_ssize_t first, Py_ssize_t end, size_t n)
{
    size_t to = end < 0 ? 0 : (size_t)end < n ? (size_t)end : n;
    size_t from = first < 0 ? 0 : (size_t)first < to ? (size_t)first : to;
    return (struct part){from, to - from};
}

bool part_arguments(PyObject *args, size_t n, struct part *part)
{
    Py_ssize_t first = 0, end = PY_SSIZE_T_MAX;
    if (!PyArg_ParseTuple(args, "|nn", &first, &end))
        return false;
    *part = part_of(first, end, n);
    return true;
}
