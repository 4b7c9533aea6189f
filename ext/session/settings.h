/*
 * settings.h - what a session is told to do, as text. It goes from the command line to the
 * interpreter that runs the program, from there to the children, and from a Tracer to its
 * session: one form for all three (src/pynytprof/_run/handover.py writes it).
 *
 *     key=value       a line; in values "\n" and "\\" stand for a newline and a backslash
 *
 * A key may come more than once. Values have been checked by who wrote the text.
 */
#ifndef PYNYTPROF_SESSION_SETTINGS_H
#define PYNYTPROF_SESSION_SETTINGS_H

#include <Python.h>
#include <stdbool.h>

typedef struct {
    const char *key, *value;
} setting;

typedef struct {
    char *text; /* owned; the settings point into it */
    setting *items;
    size_t n;
} settings;

/* -1 with an exception: MemoryError, or ValueError for what is no such text. */
int settings_parse(settings *s, const char *text);
void settings_free(settings *s);

/* The last value of a key; `otherwise` if there is none. */
const char *settings_text(const settings *s, const char *key, const char *otherwise);
long settings_number(const settings *s, const char *key, long otherwise);
double settings_real(const settings *s, const char *key, double otherwise);
bool settings_flag(const settings *s, const char *key);

/* All values of a key as a tuple of str; NULL with an exception. */
PyObject *settings_all(const settings *s, const char *key);

/* The text of all settings, but for those whose key begins with `without`; malloc'ed, or NULL. */
char *settings_copy(const settings *s, const char *without);

/* `key=value` and a newline at the end of *text, which is malloc'ed or NULL; false: no memory. */
bool settings_add(char **text, const char *key, const char *value);

#endif
