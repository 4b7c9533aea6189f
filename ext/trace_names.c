/*
 * Python's names as NYTProf subs: `a.b` and `f.<locals>.g` become a::b::f::g,
 * `<lambda>` on line 12 becomes lambda@12. Perl's tools need a `::` in each name
 * and do not escape them; the rules are in docs/format.md.
 */
#include "trace.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 500 };

typedef struct {
    char  *text;
    size_t len, room;
} name_buf;

static bool is_safe(unsigned char c)
{
    return c >= 0x80 || Py_ISALNUM(c) || (c && strchr("_.@:()[]'/+-", c));
}

/* Adds bytes, each that a page or a flame graph would trip over as `_`. */
static void add(name_buf *b, const char *text, size_t len)
{
    for (size_t i = 0; i < len && b->len < b->room; i++)
        b->text[b->len++] = is_safe((unsigned char)text[i]) ? text[i] : '_';
}

static void add_literal(name_buf *b, const char *text)
{
    add(b, text, strlen(text));
}

/* `a.b` -> `a::b` */
static void add_dotted(name_buf *b, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '.')
            add_literal(b, "::");
        else
            add(b, text + i, 1);
    }
}

static bool is(const char *text, size_t len, const char *word)
{
    return strlen(word) == len && memcmp(text, word, len) == 0;
}

/* A component of a qualified name between its dots. */
static void add_component(name_buf *b, const char *text, size_t len, int line)
{
    static const char generic[] = "<generic parameters of ";
    char at[24];
    snprintf(at, sizeof at, "@%d", line);
    if (is(text, len, "<module>")) {
        add_literal(b, "(module)");
    } else if (len > sizeof generic - 1 && memcmp(text, generic, sizeof generic - 1) == 0) {
        add_literal(b, "generic");
        add_literal(b, at);
    } else if (len > 2 && text[0] == '<' && text[len - 1] == '>') {
        add(b, text + 1, len - 2);
        add_literal(b, at);
    } else {
        add(b, text, len);
    }
}

/* Length of the component at `text`: to the next dot outside of angles. */
static size_t component_len(const char *text, size_t len)
{
    int angles = 0;
    for (size_t i = 0; i < len; i++) {
        angles += text[i] == '<';
        angles -= text[i] == '>';
        if (text[i] == '.' && angles <= 0)
            return i;
    }
    return len;
}

/* Cuts at NAME_MAX_BYTES without cutting a character. */
static char *finish(name_buf *b)
{
    if (b->len == b->room)
        while (b->len > 0 && ((unsigned char)b->text[b->len] & 0xC0) == 0x80)
            b->len--;
    b->text[b->len] = '\0';
    return b->text;
}

/* The name of a Python sub, malloc'ed; NULL: out of memory, or not to be encoded. */
char *name_of_python(PyObject *module, PyObject *qualname, int line, bool class_body)
{
    PyObject *m = PyUnicode_AsEncodedString(module, "utf-8", "replace");
    PyObject *q = PyUnicode_AsEncodedString(qualname, "utf-8", "replace");
    name_buf b = {.text = malloc(NAME_MAX_BYTES + 1), .room = NAME_MAX_BYTES - 16};
    if (!m || !q || !b.text) {
        Py_XDECREF(m);
        Py_XDECREF(q);
        free(b.text);
        return NULL;
    }
    add_dotted(&b, PyBytes_AS_STRING(m), (size_t)PyBytes_GET_SIZE(m));
    if (b.len == 0)
        add_literal(&b, "(unknown)");
    const char *text = PyBytes_AS_STRING(q);
    size_t left = (size_t)PyBytes_GET_SIZE(q);
    while (left) {
        size_t len = component_len(text, left);
        if (!is(text, len, "<locals>")) {
            add_literal(&b, "::");
            add_component(&b, text, len, line);
        }
        len += len < left;
        text += len;
        left -= len;
    }
    if (class_body)
        add_literal(&b, "::(class)");
    Py_DECREF(m);
    Py_DECREF(q);
    return finish(&b);
}

/* The type that defines the method: first in the order of resolution with this very one. */
static const char *defining_type(PyTypeObject *type, PyMethodDef *method)
{
    for (Py_ssize_t i = 0; type->tp_mro && i < PyTuple_GET_SIZE(type->tp_mro); i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(type->tp_mro, i);
        for (PyMethodDef *m = base->tp_methods; m && m->ml_name; m++)
            if (m == method)
                return base->tp_name;
    }
    return type->tp_name;
}

static const char *home_of_c(PyObject *callable, PyMethodDef *method)
{
    if (Py_IS_TYPE(callable, &PyMethodDescr_Type))
        return PyDescr_TYPE(callable)->tp_name;
    PyObject *self = PyCFunction_GET_SELF(callable);
    PyObject *module = ((PyCFunctionObject *)callable)->m_module;
    if (self && !PyModule_Check(self))
        return defining_type(PyType_Check(self) ? (PyTypeObject *)self : Py_TYPE(self), method);
    if (module && PyUnicode_Check(module))
        return PyUnicode_AsUTF8(module);
    return self ? PyModule_GetName(self) : NULL;
}

/* The name of a C function as a str; NULL with an exception. */
PyObject *name_of_c(PyObject *callable, PyMethodDef *method)
{
    char text[NAME_MAX_BYTES + 1];
    name_buf b = {.text = text, .room = NAME_MAX_BYTES - 16};
    const char *home = home_of_c(callable, method);
    if (!home || !*home) {
        trace_swallow_error();
        home = "(unknown)";
    }
    add_dotted(&b, home, strlen(home));
    add_literal(&b, "::");
    add_literal(&b, method->ml_name ? method->ml_name : "(unnamed)");
    finish(&b);
    return PyUnicode_DecodeUTF8(b.text, (Py_ssize_t)b.len, "replace");
}

/* ---- Duplicates ---- */

/* For qsort, which hands no context on: what is compared carries all it needs. */
typedef struct {
    const sub_info *sub;
    const char     *file;
    size_t          index;
} named;

static int compare_named(const void *a, const void *b)
{
    const named *x = a, *y = b;
    int order = strcmp(x->sub->base, y->sub->base);
    if (!order)
        order = strcmp(x->file, y->file);
    if (!order)
        order = (x->sub->first > y->sub->first) - (x->sub->first < y->sub->first);
    if (!order)
        order = (x->sub->last > y->sub->last) - (x->sub->last < y->sub->last);
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

static char *with_suffix(const named *n, unsigned repeat)
{
    size_t room = strlen(n->sub->base) + 32;
    char *text = malloc(room);
    if (text && repeat < 2)
        snprintf(text, room, "%s@%u", n->sub->base, n->sub->first);
    else if (text)
        snprintf(text, room, "%s@%u.%u", n->sub->base, n->sub->first, repeat);
    return text;
}

/*
 * The final name of each sub, by index: of those with one name the first by file
 * and line keeps it, others get `@LINE`, and `.2`, `.3` on the same line. The order of
 * events has no say. NULL: out of memory; else to be given to names_free().
 */
char **names_settled(tracer *t)
{
    named *order = malloc((t->n_subs + 1) * sizeof *order);
    char **names = calloc(t->n_subs + 1, sizeof *names);
    bool ok = order && names;
    for (size_t i = 0; ok && i < t->n_subs; i++)
        order[i] = (named){&t->subs[i], t->files[t->subs[i].file].name, i};
    if (ok)
        qsort(order, t->n_subs, sizeof *order, compare_named);
    unsigned repeat = 0;
    for (size_t i = 0; ok && i < t->n_subs; i++) {
        const named *n = &order[i], *before = i ? n - 1 : NULL;
        if (!before || strcmp(before->sub->base, n->sub->base) != 0) {
            repeat = 0;
            names[n->index] = strdup(n->sub->base);
        } else {
            repeat = before->sub->first == n->sub->first ? repeat + 1 : 1;
            names[n->index] = with_suffix(n, repeat);
        }
        ok = names[n->index] != NULL;
    }
    free(order);
    if (!ok && names) {
        names_free(t, names);
        names = NULL;
    }
    return names;
}

void names_free(tracer *t, char **names)
{
    for (size_t i = 0; names && i < t->n_subs; i++)
        free(names[i]);
    free(names);
}
