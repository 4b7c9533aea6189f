/* Lines on standard error, or in the log. */
#define _GNU_SOURCE
#include "messages.h"

#include <Python.h>

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct stat at_start;
static bool begun, there_was_one;
static bool wanted;
static char *log_path;

void messages_begin(void)
{
    if (!begun)
        there_was_one = fstat(STDERR_FILENO, &at_start) == 0;
    begun = true;
}

void messages_configure(bool on, const char *log)
{
    wanted = on;
    free(log_path);
    log_path = *log ? strdup(log) : NULL;
}

static bool is_still_ours(void)
{
    struct stat now;
    if (!begun)
        return true;
    return there_was_one && fstat(STDERR_FILENO, &now) == 0 && now.st_dev == at_start.st_dev &&
           now.st_ino == at_start.st_ino;
}

static void put_line(int fd, const char *format, va_list args)
{
    char *text = NULL, *line = NULL;
    int len = vasprintf(&text, format, args) < 0 ? -1 : asprintf(&line, "pynytprof: %s\n", text);
    if (len > 0) {      /* that it can't be written is no reason to disturb the program */
        ssize_t written = write(fd, line, (size_t)len);
        (void)written;
    }
    free(line);
    free(text);
}

void messages_say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (is_still_ours())
        put_line(STDERR_FILENO, format, args);
    va_end(args);
}

void messages_say_exception(const char *what)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *text = value ? PyObject_Str(value) : NULL;
    const char *why = text ? PyUnicode_AsUTF8(text) : NULL;
    messages_say("%s: %s", what, why ? why : "unknown error");
    Py_XDECREF(text);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
    PyErr_Clear();
}

void messages_tell(const char *format, ...)
{
    va_list args;
    if (!wanted)
        return;
    int fd = log_path          ? open(log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666)
             : is_still_ours() ? STDERR_FILENO
                               : -1;
    va_start(args, format);
    if (fd >= 0)
        put_line(fd, format, args);
    va_end(args);
    if (log_path && fd >= 0)
        close(fd);
}
