/* Settings as text: read in place, written line by line. */
#include "settings.h"

#include <stdlib.h>
#include <string.h>

static size_t count_lines(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += *text == '\n';
    return n + 1;
}

/* Undoes the escapes in place. */
static void unescape(char *value)
{
    char *out = value;
    for (; *value; value++) {
        if (*value == '\\' && value[1]) {
            value++;
            *out++ = *value == 'n' ? '\n' : *value;
        } else {
            *out++ = *value;
        }
    }
    *out = '\0';
}

int settings_parse(settings *s, const char *text)
{
    *s = (settings){.text = strdup(text), .items = calloc(count_lines(text), sizeof(setting))};
    if (!s->text || !s->items) {
        settings_free(s);
        PyErr_NoMemory();
        return -1;
    }
    char *rest = NULL;
    for (char *line = strtok_r(s->text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *equals = strchr(line, '=');
        if (!equals) {
            settings_free(s);
            PyErr_SetString(PyExc_ValueError, "settings: a line without =");
            return -1;
        }
        *equals = '\0';
        unescape(equals + 1);
        s->items[s->n++] = (setting){.key = line, .value = equals + 1};
    }
    return 0;
}

void settings_free(settings *s)
{
    free(s->text);
    free(s->items);
    *s = (settings){0};
}

const char *settings_text(const settings *s, const char *key, const char *otherwise)
{
    for (size_t i = s->n; i > 0; i--)
        if (strcmp(s->items[i - 1].key, key) == 0)
            return s->items[i - 1].value;
    return otherwise;
}

long settings_number(const settings *s, const char *key, long otherwise)
{
    const char *text = settings_text(s, key, NULL);
    char *end;
    long value = text ? strtol(text, &end, 10) : 0;
    return text && end != text && !*end ? value : otherwise;
}

double settings_real(const settings *s, const char *key, double otherwise)
{
    const char *text = settings_text(s, key, NULL);
    double value = text ? PyOS_string_to_double(text, NULL, NULL) : otherwise;
    if (PyErr_Occurred()) {
        PyErr_Clear();
        return otherwise;
    }
    return value;
}

bool settings_flag(const settings *s, const char *key)
{
    return settings_number(s, key, 0) != 0;
}

PyObject *settings_all(const settings *s, const char *key)
{
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && i < s->n; i++) {
        if (strcmp(s->items[i].key, key) != 0)
            continue;
        PyObject *value = PyUnicode_DecodeFSDefault(s->items[i].value);
        if (!value || PyList_Append(list, value) < 0)
            Py_CLEAR(list);
        Py_XDECREF(value);
    }
    PyObject *tuple = list ? PyList_AsTuple(list) : NULL;
    Py_XDECREF(list);
    return tuple;
}

bool settings_add(char **text, const char *key, const char *value)
{
    size_t before = *text ? strlen(*text) : 0;
    char *grown = realloc(*text, before + strlen(key) + 2 * strlen(value) + sizeof "=\n");
    if (!grown)
        return false;
    *text = grown;
    char *out = grown + before;
    out += sprintf(out, "%s=", key);
    for (; *value; value++) {
        if (*value == '\n' || *value == '\\')
            *out++ = '\\';
        *out++ = *value == '\n' ? 'n' : *value;
    }
    *out++ = '\n';
    *out = '\0';
    return true;
}

char *settings_copy(const settings *s, const char *without)
{
    char *text = strdup("");
    for (size_t i = 0; text && i < s->n; i++) {
        const setting *item = &s->items[i];
        if (strncmp(item->key, without, strlen(without)) != 0 &&
            !settings_add(&text, item->key, item->value)) {
            free(text);
            text = NULL;
        }
    }
    return text;
}
