/*
 * Python's names as NYTProf subs: `a.b` and `f.<locals>.g` become a::b::f::g,
 * `<lambda>` on line 12 becomes lambda@12. Perl's tools need a `::` in each name
 * and do not escape them; the rules are in docs/format.md.
 */
#include "names.h"

#include "util.h"

#include <stdlib.h>
#include <string.h>

/* A module's name leaves room for that of the sub. */
enum { NAME_MAX_BYTES = 500, MODULE_MAX_BYTES = 240 };

/* Stands for a part of a name that has no characters. */
static const char no_name[] = "(empty)";

typedef struct {
    char *text;
    size_t len, room;
} name_buf;

/* By character below 0x80, a bit each: letters, digits, and _.@:()[]'/+- */
static const uint32_t safe[4] = {0x00000000, 0x07FFEB80, 0xAFFFFFFF, 0x07FFFFFE};

static bool is_safe(unsigned char c)
{
    return c >= 0x80 || (safe[c >> 5] >> (c & 31) & 1);
}

/* Adds bytes, each that a page or a flame graph would trip over as `_`. */
static void add(name_buf *b, const char *text, size_t len)
{
    size_t n = len < b->room - b->len ? len : b->room - b->len;
    char *to = b->text + b->len;
    for (size_t i = 0; i < n; i++)
        to[i] = is_safe((unsigned char)text[i]) ? text[i] : '_';
    b->len += n;
}

static void add_literal(name_buf *b, const char *text)
{
    add(b, text, strlen(text));
}

/* `a.b` -> `a::b` */
static void add_dotted(name_buf *b, const char *text, size_t len)
{
    const char *end = text + len;
    for (;;) {
        const char *dot = memchr(text, '.', (size_t)(end - text)), *stop = dot ? dot : end;
        if (stop == text)
            add_literal(b, no_name);
        else
            add(b, text, (size_t)(stop - text));
        if (!dot)
            return;
        add_literal(b, "::");
        text = dot + 1;
    }
}

static bool is(const char *text, size_t len, const char *word)
{
    return strlen(word) == len && memcmp(text, word, len) == 0;
}

static void add_at_line(name_buf *b, int line)
{
    char at[24];
    snprintf(at, sizeof at, "@%d", line);
    add_literal(b, at);
}

/* A component of a qualified name between its dots. */
static void add_component(name_buf *b, const char *text, size_t len, int line)
{
    static const char generic[] = "<generic parameters of ";
    if (len == 0) {
        add_literal(b, no_name);
    } else if (is(text, len, "<module>")) {
        add_literal(b, "(module)");
    } else if (len > sizeof generic - 1 && memcmp(text, generic, sizeof generic - 1) == 0) {
        add_literal(b, "generic");
        add_at_line(b, line);
    } else if (len > 2 && text[0] == '<' && text[len - 1] == '>') {
        add(b, text + 1, len - 2);
        add_at_line(b, line);
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

/* A name that was cut must not end in half a character, nor before an empty part. */
static void trim(name_buf *b)
{
    size_t start = b->len;      /* of the last character */
    if (b->len < b->room)
        return;
    while (start > 0 && ((unsigned char)b->text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start > 0 && (unsigned char)b->text[start - 1] >= 0xC0) {
        unsigned char lead = (unsigned char)b->text[start - 1];
        size_t whole = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
        if (b->len - (start - 1) < whole)
            b->len = start - 1;
    }
    while (b->len > 0 && b->text[b->len - 1] == ':')
        b->len--;
}

static char *finish(name_buf *b)
{
    trim(b);
    b->text[b->len] = '\0';
    return b->text;
}

/* What stands before the last `::` for all subs of a module. */
static void add_module(name_buf *b, const char *text, size_t len)
{
    const size_t room = b->room;
    b->room = MODULE_MAX_BYTES;
    if (len == 0)
        add_literal(b, "(unknown)");
    else
        add_dotted(b, text, len);
    trim(b);
    b->room = room;
}

/* `::` and each part of the qualified name. */
static void add_qualname(name_buf *b, const char *text, size_t left, int line)
{
    bool any = false;
    for (;;) {
        size_t len = component_len(text, left);
        if (!is(text, len, "<locals>")) {
            add_literal(b, "::");
            add_component(b, text, len, line);
            any = true;
        }
        if (len == left)
            break;
        text += len + 1;
        left -= len + 1;
    }
    if (!any) {
        add_literal(b, "::");
        add_literal(b, no_name);
    }
}

/* UTF-8 of a str that may be none of Unicode's; false with an exception. */
typedef struct {
    const char *data;
    size_t len;
    PyObject *bytes; /* owned; NULL: the data is the str's own */
} utf8_text;

static bool utf8_of(PyObject *text, utf8_text *out)
{
    if (LIKELY(PyUnicode_IS_COMPACT_ASCII(text))) {
        *out = (utf8_text){PyUnicode_DATA(text), (size_t)PyUnicode_GET_LENGTH(text), NULL};
        return true;
    }
    PyObject *bytes = PyUnicode_AsEncodedString(text, "utf-8", "replace");
    if (!bytes)
        return false;
    *out = (utf8_text){PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes), bytes};
    return true;
}

char *name_of_python(PyObject *module, PyObject *qualname, int line, bool class_body)
{
    utf8_text m = {0}, q = {0};
    char text[NAME_MAX_BYTES + 1];
    name_buf b = {.text = text, .room = NAME_MAX_BYTES - 16};
    bool ok = utf8_of(module, &m) && utf8_of(qualname, &q);
    if (ok) {
        add_module(&b, m.data, m.len);
        add_qualname(&b, q.data, q.len, line);
        if (class_body)
            add_literal(&b, "::(class)");
    }
    Py_XDECREF(m.bytes);
    Py_XDECREF(q.bytes);
    return ok ? strdup(finish(&b)) : NULL;
}

/* The name of the base that has this very method among its own; NULL: none has. */
static const char *base_with(PyTypeObject *type, PyMethodDef *method)
{
    for (Py_ssize_t i = 0; type->tp_mro && i < PyTuple_GET_SIZE(type->tp_mro); i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(type->tp_mro, i);
        for (PyMethodDef *m = base->tp_methods; m && m->ml_name; m++)
            if (m == method)
                return base->tp_name;
    }
    return NULL;
}

/* The type that defines a method bound to `self`: for a class, itself or its metaclass. */
static const char *defining_type(PyObject *self, PyMethodDef *method)
{
    bool class = PyType_Check(self);
    const char *name = class ? base_with((PyTypeObject *)self, method) : NULL;
    if (!name)
        name = base_with(Py_TYPE(self), method);
    return name ? name : class ? ((PyTypeObject *)self)->tp_name : Py_TYPE(self)->tp_name;
}

static const char *home_of_c(PyObject *callable, PyMethodDef *method)
{
    if (Py_IS_TYPE(callable, &PyMethodDescr_Type))
        return PyDescr_TYPE(callable)->tp_name;
    PyObject *self = PyCFunction_GET_SELF(callable);
    PyObject *module = ((PyCFunctionObject *)callable)->m_module;
    if (self && !PyModule_Check(self))
        return defining_type(self, method);
    if (module && PyUnicode_Check(module))
        return PyUnicode_AsUTF8(module);
    return self ? PyModule_GetName(self) : NULL;
}

PyObject *name_of_c(PyObject *callable, PyMethodDef *method)
{
    char text[NAME_MAX_BYTES + 1];
    name_buf b = {.text = text, .room = NAME_MAX_BYTES - 16};
    const char *home = home_of_c(callable, method);
    if (!home || !*home) {
        swallow_error();
        home = "(unknown)";
    }
    add_module(&b, home, strlen(home));
    add_literal(&b, "::");
    add_literal(&b, method->ml_name && *method->ml_name ? method->ml_name : no_name);
    finish(&b);
    return PyUnicode_DecodeUTF8(b.text, (Py_ssize_t)b.len, "replace");
}

/* ---- Duplicates ---- */

/* For qsort, which hands no context on: what is compared carries all it needs. */
typedef struct {
    const sub_info *sub;
    bool eval; /* its file is a string eval */
    const char *file;
    size_t index;
} named;

static int compare_numbers(uint64_t x, uint64_t y)
{
    return (x > y) - (x < y);
}

/* By name; then who comes first keeps it: real files before evals. */
static int compare_named(const void *a, const void *b)
{
    const named *x = a, *y = b;
    int order = strcmp(x->sub->base, y->sub->base);
    if (!order)
        order = compare_numbers(x->eval, y->eval);
    if (!order)
        order = strcmp(x->file, y->file);
    if (!order)
        order = compare_numbers(x->sub->first, y->sub->first);
    if (!order)
        order = compare_numbers(x->sub->last, y->sub->last);
    return order ? order : compare_numbers(x->index, y->index);
}

/* Within one name: those of one line, whatever their file, stand together. */
static int compare_lines(const void *a, const void *b)
{
    const named *x = a, *y = b;
    int order = compare_numbers(x->sub->first, y->sub->first);
    return order ? order : compare_named(a, b);
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

/* Names a group of subs that share one; false: out of memory. */
static bool name_group(named *group, size_t n, char **names)
{
    names[group->index] = group->sub->base;
    qsort(group + 1, n - 1, sizeof *group, compare_lines);
    for (size_t i = 1, repeat = 0; i < n; i++) {
        repeat = i > 1 && group[i - 1].sub->first == group[i].sub->first ? repeat + 1 : 1;
        names[group[i].index] = with_suffix(&group[i], (unsigned)repeat);
        if (!names[group[i].index])
            return false;
    }
    return true;
}

/* How many subs have each one's name, by index; NULL: out of memory. */
static uint32_t *count_of_names(const sub_info *subs, size_t n)
{
    struct nyt_names known = {0};
    uint32_t *ids = malloc((n + 1) * sizeof *ids), *uses = calloc(n + 1, sizeof *uses);
    bool ok = ids && uses;
    for (size_t i = 0; ok && i < n; i++) {
        ids[i] = nyt_names_take(&known,
                                (nyt_str){.data = subs[i].base, .len = strlen(subs[i].base)});
        ok = ids[i] != NYT_NONE;
        if (ok)
            uses[ids[i]]++;
    }
    for (size_t i = 0; ok && i < n; i++)
        ids[i] = uses[ids[i]];
    nyt_names_free(&known);
    free(uses);
    if (ok)
        return ids;
    free(ids);
    return NULL;
}

/* Names those of which several have one; `order` has room for all. */
static bool name_shared(const sub_info *subs, size_t n, const file_table *files, named *order,
                        const uint32_t *uses, char **names)
{
    size_t shared = 0;
    bool ok = true;
    for (size_t i = 0; i < n; i++) {
        const source_file *file = &files->list[subs[i].file];
        if (uses[i] > 1)
            order[shared++] = (named){&subs[i], file->parent != 0, file->name, i};
        else
            names[i] = subs[i].base;
    }
    qsort(order, shared, sizeof *order, compare_named);
    for (size_t i = 0, end; ok && i < shared; i = end) {
        end = i + uses[order[i].index];
        ok = name_group(order + i, end - i, names);
    }
    return ok;
}

char **names_settled(const sub_info *subs, size_t n, const file_table *files)
{
    named *order = malloc((n + 1) * sizeof *order);
    char **names = calloc(n + 1, sizeof *names);
    uint32_t *uses = count_of_names(subs, n);
    bool ok = order && names && uses && name_shared(subs, n, files, order, uses, names);
    free(uses);
    free(order);
    if (!ok && names) {
        names_free(names, subs, n);
        names = NULL;
    }
    return names;
}

void names_free(char **names, const sub_info *subs, size_t n)
{
    for (size_t i = 0; names && i < n; i++)
        if (names[i] != subs[i].base)
            free(names[i]);
    free(names);
}
