/*
 * Files: which code belongs to which, and whether it is traced. No Python code runs here: a signal
 * handler of the program could run within it.
 */
#define _GNU_SOURCE
#include "source.h"

#include "evals.h"
#include "util.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nytprof.h"

enum {
    VIA_STMT = 0x02,
    VIA_SUB = 0x04,
    HAS_SRC = 0x10,
    SAVE_SRC = 0x20,
    FAKE = 0x80,
    NOT_FILE = 0x100
};

/* No program needs memory without end: past these, texts and files share what there is. */
enum { EVALS_A_LINE = 200, EVALS_IN_ALL = 10000, EVAL_BYTES = 64 << 20, FILES_IN_ALL = 50000 };

/* ---- Is it traced? ---- */

static bool any_glob_matches(PyObject *globs, const char *path)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(globs); i++) {
        const char *glob = PyUnicode_AsUTF8(PyTuple_GET_ITEM(globs, i));
        if (glob && fnmatch(glob, path, FNM_NOESCAPE) == 0)
            return true;
    }
    return false;
}

static bool begins_with(const char *path, PyObject *prefix)
{
    Py_ssize_t len;
    const char *text = PyUnicode_AsUTF8AndSize(prefix, &len);
    return text && len > 0 && strncmp(path, text, (size_t)len) == 0;
}

static bool any_prefix_matches(PyObject *prefixes, const char *path)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(prefixes); i++)
        if (begins_with(path, PyTuple_GET_ITEM(prefixes, i)))
            return true;
    return false;
}

/* `path` is absolute, or a <name> as co_filename has it. */
static bool is_skipped(const file_table *files, const char *path)
{
    const trace_options *o = files->options;
    bool skip = any_glob_matches(o->exclude, path) ||
                (PyTuple_GET_SIZE(o->include) > 0 && !any_glob_matches(o->include, path)) ||
                any_prefix_matches(o->exclude_prefixes, path);
    swallow_error();            /* a glob that is no UTF-8 matches nothing */
    return skip;
}

/* ---- Names ---- */

static char *format(const char *pattern, ...)
{
    va_list args;
    char *text = NULL;
    va_start(args, pattern);
    if (vasprintf(&text, pattern, args) < 0)
        text = NULL;
    va_end(args);
    return text;
}

/* Takes `/.`, `/x/..` and doubled slashes out of an absolute path; malloc'ed. */
static char *without_dots(const char *path)
{
    char *out = malloc(strlen(path) + 2), *end = out;
    for (const char *p = path; out && *p;) {
        const char *stop = strchrnul(p + 1, '/');
        size_t len = (size_t)(stop - p);        /* with the slash before it */
        if (len == 3 && p[1] == '.' && p[2] == '.') {
            while (end > out && *--end != '/')
                ;
        } else if (len > 1 && !(len == 2 && p[1] == '.')) {
            memcpy(end, p, len);
            end += len;
        }
        p = stop;
    }
    if (out)
        strcpy(end, end == out ? "/" : "");
    return out;
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Where a folder is a link, `..` behind it leads elsewhere: then the path stays as it is. */
static char *absolute_path(const char *path)
{
    char cwd[4096];
    if (path[0] != '/' && !getcwd(cwd, sizeof cwd))
        return strdup(path);
    char *whole = path[0] == '/' ? strdup(path) : format("%s/%s", cwd, path);
    char *plain = whole ? without_dots(whole) : NULL;
    bool good = plain && (strcmp(plain, whole) == 0 || !strstr(whole, "/..") ||
                          access(whole, F_OK) != 0 || is_same_file(plain, whole));
    free(good ? whole : plain);
    return good ? plain : whole;
}

/* By which a file is found under another path: a number may be given again, to another file. NULL,
 * without an exception: there is none. */
static PyObject *identity_of_file(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return NULL;
    PyObject *key = Py_BuildValue("(KKLLl)", (unsigned long long)st.st_dev,
                                  (unsigned long long)st.st_ino, (long long)st.st_size,
                                  (long long)st.st_mtim.tv_sec, (long)st.st_mtim.tv_nsec);
    PyErr_Clear();
    return key;
}

/* Perl's pages do not escape paths: what would be markup there is shown as something like it. */
static void disarm(char *path)
{
    for (; *path; path++)
        *path = *path == '<' ? '(' : *path == '>' ? ')' : *path == '"' ? '\'' : *path;
}

/* "<x>" as "(x)": Perl's pages do not escape names. */
static char *without_angles(const char *name)
{
    char *text = strdup(name);
    for (char *p = text; p && *p; p++)
        *p = *p == '<' ? '(' : *p == '>' ? ')' : (unsigned char)*p < ' ' ? ' ' : *p;
    return text;
}

/* ---- The table ---- */

int files_begin(file_table *files, const trace_options *options)
{
    files->options = options;
    files->index = PyDict_New();
    files->eval_places = PyDict_New();
    files->c_file = -1;
    return files->index && files->eval_places ? 0 : -1;
}

static int64_t file_add(file_table *files, source_file f, PyObject *key)
{
    source_file *list = nyt_grow(files->list, &files->cap, files->n + 1, sizeof *list);
    PyObject *index = list && f.name ? PyLong_FromSize_t(files->n) : NULL;
    if (list)
        files->list = list;
    if (!index || PyDict_SetItem(files->index, key, index) < 0) {
        Py_XDECREF(index);
        free(f.name);
        text_free(&f.text);
        return -1;
    }
    Py_DECREF(index);
    Py_INCREF(f.filename);
    if (!f.skip && !files->forked)
        f.fid = ++files->n_fids;
    if (text_is_known(&f.text))
        f.flags |= HAS_SRC | SAVE_SRC;
    list[files->n] = f;
    return (int64_t)files->n++;
}

static int64_t file_known(file_table *files, PyObject *key)
{
    PyObject *index = PyDict_GetItemWithError(files->index, key);
    return index ? PyLong_AsLong(index) : -1;
}

/* Has the file found under that key, too; false with an exception. */
static bool file_alias(file_table *files, PyObject *key, int64_t file)
{
    PyObject *index = PyLong_FromLongLong(file);
    bool ok = index && PyDict_SetItem(files->index, key, index) == 0;
    Py_XDECREF(index);
    return ok;
}

static void take_text(const file_table *files, source_file *f, PyObject *source)
{
    uint32_t fid = files->forked ? 0 : files->n_fids + 1; /* that it is about to get */
    text_read(&f->text, f->name, f->name, fid, &files->kept);
    if (!text_is_known(&f->text) && source)
        text_take_given(&f->text, source);
    if (!text_is_known(&f->text))
        text_from_linecache(&f->text, f->filename);     /* a notebook's cell, say */
}

static int64_t real_file_new(file_table *files, source_file f, PyObject *source)
{
    f.hidden = begins_with(f.name, files->options->hide_prefix);
    f.skip = f.hidden || is_skipped(files, f.name);
    if (!f.skip && files->options->savesrc)
        take_text(files, &f, source);
    disarm(f.name);
    return file_add(files, f, f.filename);
}

/* A path. Two spellings of one path are one file, and so are two paths of one file. */
static int64_t real_file(file_table *files, PyObject *filename, const char *text, PyObject *source)
{
    source_file f = {.filename = filename, .flags = VIA_STMT, .name = absolute_path(text)};
    PyObject *name = f.name ? PyUnicode_DecodeFSDefault(f.name) : NULL;
    PyObject *identity = name ? identity_of_file(f.name) : NULL;
    int64_t file = name ? file_known(files, name) : -1;
    if (file < 0 && identity && !PyErr_Occurred())
        file = file_known(files, identity);
    bool known = file >= 0;
    if (known || !name || PyErr_Occurred())
        free(f.name);
    else
        file = real_file_new(files, f, source);
    if (file >= 0 &&
        ((known && !file_alias(files, filename, file)) || !file_alias(files, name, file) ||
         (identity && !file_alias(files, identity, file))))
        file = -1;
    Py_XDECREF(identity);
    Py_XDECREF(name);
    return file;
}

/* Text that did not come from a file: what -c or standard input gave. */
static int64_t given_source(file_table *files, PyObject *filename, PyObject *source)
{
    source_file f = {.filename = filename, .flags = VIA_STMT | NOT_FILE};
    bool string = PyUnicode_CompareWithASCIIString(filename, "<string>") == 0;
    f.name = string ? strdup("(-c)") : without_angles(PyUnicode_AsUTF8(filename));
    text_take_given(&f.text, source);
    return file_add(files, f, filename);
}

static int64_t frozen_file(file_table *files, PyObject *filename, const char *text,
                           PyObject *globals)
{
    source_file f = {.filename = filename, .name = without_angles(text)};
    f.skip = is_skipped(files, text);
    if (!f.skip && files->options->savesrc)
        text_from_globals(&f.text, globals);
    f.flags = VIA_STMT | NOT_FILE;
    return file_add(files, f, filename);
}

/* The text of what is in no file, as far as there is room for it. */
static void eval_source(file_table *files, source_file *f, PyObject *source)
{
    if (!files->options->savesrc || files->eval_bytes >= EVAL_BYTES)
        return;
    if (source)
        text_take_given(&f->text, source);
    else
        text_from_linecache(&f->text, f->filename);
    files->eval_bytes += f->text.len;
}

/* A text that code which is not traced runs is not traced either; but it may be what somebody has
 * typed: those are named by their front end. */
static bool shares_skip(const char *text)
{
    static const char *const typed[] = {"<stdin", "<console", "<input", "<ipython-input"};
    for (size_t i = 0; i < sizeof typed / sizeof *typed; i++)
        if (strncmp(text, typed[i], strlen(typed[i])) == 0)
            return false;
    return true;
}

static int64_t made_by_skipped(file_table *files, PyObject *filename, const char *text)
{
    PyObject *key = Py_BuildValue("(sO)", "skipped", filename);
    int64_t file = key ? file_known(files, key) : -1;
    if (key && file < 0 && !PyErr_Occurred())
        file = file_add(files,
                        (source_file){.filename = filename,
                                      .flags = VIA_STMT | NOT_FILE,
                                      .name = without_angles(text),
                                      .version = true,  /* others have that name, too */
                                      .skip = true},
                        key);
    Py_XDECREF(key);
    return file;
}

static int64_t generated_file(file_table *files, PyObject *filename, const char *text,
                              PyObject *source)
{
    source_file f = {.filename = filename, .name = without_angles(text)};
    f.skip = is_skipped(files, text);
    if (!f.skip)
        eval_source(files, &f, source);
    f.flags = VIA_STMT | NOT_FILE;
    return file_add(files, f, filename);
}

/*
 * Where code of that name was made of another text than is known: the module was edited
 * and loaded again, or a template's code goes by the template's name.
 */
static int64_t file_version(file_table *files, int64_t file, PyObject *filename, PyObject *source)
{
    enum { MOST_VERSIONS = 20 };
    source_file *first = &files->list[file];
    source_file f = {.filename = filename, .flags = VIA_STMT | NOT_FILE, .version = true};
    if (first->skip || !text_is_known(&first->text) || !text_unpack(&first->text, &files->kept))
        return file;
    text_take_given(&f.text, source);
    bool same = !f.text.utf8 || (f.text.len == first->text.len &&
                                 memcmp(f.text.utf8, first->text.utf8, f.text.len) == 0);
    PyObject *key = same ? NULL : Py_BuildValue("(On)", filename, PyObject_Hash(source));
    int64_t known = key ? file_known(files, key) : file;
    if (known < 0 && !PyErr_Occurred() && first->versions < MOST_VERSIONS) {
        f.name = format("%s (version %u)", first->name, ++first->versions + 1);
        known = file_add(files, f, key); /* moves the table */
        f.text = (source_text){0};
    }
    text_free(&f.text);
    Py_XDECREF(key);
    return known >= 0 || PyErr_Occurred() ? known : file;
}

/*
 * A program may make up any number of files. Past a limit all new ones are one, in
 * which different code shares lines and subs.
 */
static int64_t folded_file(file_table *files, PyObject *filename, const char *text)
{
    char *path = text[0] == '<' ? strdup(text) : absolute_path(text);
    bool skip = !path || begins_with(path, files->options->hide_prefix) || is_skipped(files, path);
    free(path);
    PyObject *key = Py_BuildValue("(i)", skip);
    int64_t file = key ? file_known(files, key) : -1;
    if (key && file < 0 && !PyErr_Occurred())
        file = file_add(files,
                        (source_file){.filename = filename,
                                      .flags = VIA_STMT | NOT_FILE,
                                      .name = strdup("(other files)"),
                                      .skip = skip,
                                      .folded = true},
                        key);
    Py_XDECREF(key);
    return file;
}

/* Whether one more text can be told apart on that line; counts it. -1: an error. */
static int eval_has_room(file_table *files, uint32_t file, int line)
{
    if (files->n_evals >= EVALS_IN_ALL)
        return 0;
    PyObject *place = Py_BuildValue("(Ii)", file, line);
    PyObject *known = place ? PyDict_GetItemWithError(files->eval_places, place) : NULL;
    long texts = known ? PyLong_AsLong(known) : 0;
    int room = texts < EVALS_A_LINE;
    PyObject *more = place && room && !PyErr_Occurred() ? PyLong_FromLong(texts + 1) : NULL;
    if (!place || PyErr_Occurred() || (more && PyDict_SetItem(files->eval_places, place, more) < 0))
        room = -1;
    Py_XDECREF(more);
    Py_XDECREF(place);
    return room;
}

static int64_t eval_new(file_table *files, PyObject *filename, PyObject *source, uint32_t parent,
                        int line, PyObject *key, bool folded)
{
    source_file f = {.filename = filename,
                     .parent = parent + 1,
                     .flags = VIA_STMT,
                     .parent_line = (uint32_t)line,
                     .folded = folded};
    f.name = format("(eval %u)[%s:%d]", ++files->n_evals, files->list[parent].name, line);
    if (!folded)
        eval_source(files, &f, source);
    f.flags = VIA_STMT;
    return file_add(files, f, key);
}

/* What stands for all further texts that this line runs. */
static int64_t eval_folded(file_table *files, PyObject *filename, uint32_t parent, int line)
{
    PyObject *key = Py_BuildValue("(Ii)", parent, line);
    int64_t file = key ? file_known(files, key) : -1;
    if (key && file < 0 && !PyErr_Occurred())
        file = eval_new(files, filename, NULL, parent, line, key, true);
    Py_XDECREF(key);
    files->folded_evals++;
    return file;
}

/*
 * A text given to exec or eval: one file for each text that a line runs, up to a
 * limit. Where the text is not known, its name must do.
 */
static int64_t string_eval(file_table *files, PyObject *filename, PyObject *source,
                           const eval_place *by)
{
    uint32_t parent = by->file;
    int line = by->line;
    PyObject *key = source ? Py_BuildValue("(nIi)", PyObject_Hash(source), parent, line)
                           : Py_BuildValue("(OIi)", filename, parent, line);
    int64_t file = key ? file_known(files, key) : -1;
    int room = key && file < 0 && !PyErr_Occurred() ? eval_has_room(files, parent, line) : -1;
    if (room > 0)
        file = eval_new(files, filename, source, parent, line, key, false);
    else if (room == 0)
        file = eval_folded(files, filename, parent, line);
    Py_XDECREF(key);
    return file;
}

/* A file that may have been seen before, under its name. */
static int64_t named_file(file_table *files, PyObject *filename, const char *text,
                          PyObject *globals, PyObject *given, PyObject *source)
{
    int64_t file = file_known(files, filename);
    if (file < 0 && !PyErr_Occurred())
        file = files->n >= FILES_IN_ALL            ? folded_file(files, filename, text)
               : given                             ? given_source(files, filename, given)
               : strncmp(text, "<frozen ", 8) == 0 ? frozen_file(files, filename, text, globals)
               : text[0] != '<'                    ? real_file(files, filename, text, source)
                                                   : generated_file(files, filename, text, source);
    if (file >= 0 && source && text[0] != '<')
        return file_version(files, file, filename, source);
    return file;
}

/* ---- Code that came over a wire ---- */

/* The line with that number, from 1, and its length; NULL: there is none. */
static const char *line_of_text(const source_text *text, int number, size_t *len)
{
    const char *p = text->utf8, *end = p ? p + text->len : NULL;
    for (; p && p < end && number > 1; number--) {
        p = memchr(p, '\n', (size_t)(end - p));
        p = p ? p + 1 : NULL;
    }
    if (!p || p >= end)
        return NULL;
    const char *stop = memchr(p, '\n', (size_t)(end - p));
    *len = (size_t)((stop ? stop : end) - p);
    return p;
}

static bool line_has(const char *line, size_t len, const char *word)
{
    return memmem(line, len, word, strlen(word)) != NULL;
}

/* With what the text of such code begins; of generators and comprehensions, with anything. */
static char *beginning_of(const char *name)
{
    if (name[0] == '<')
        return strdup(strcmp(name, "<lambda>") == 0 ? "lambda" : "");
    return format("def %s(", name);
}

/* Does the text have, where the code says that it begins, a function of its name? Decorators come
 * first. */
static bool text_has_code(const source_text *text, PyCodeObject *code)
{
    enum { MOST_ABOVE = 50 };
    const char *name = PyUnicode_AsUTF8(code->co_name);
    char *begin = name ? beginning_of(name) : NULL;
    bool found = false;
    size_t len;
    for (int i = 0; begin && !found && i < MOST_ABOVE; i++) {
        const char *line = line_of_text(text, code->co_firstlineno + i, &len);
        found = line && line_has(line, len, begin);
        if (!line || name[0] == '<')
            break;
    }
    free(begin);
    swallow_error();
    return found;
}

/*
 * cloudpickle (Dask, joblib, ray, ...) sends functions whose code has no file's name. What it sends
 * along of their globals tells the file of their module; if that has such a function there, it is its
 * text. -1 without an exception: it is not known.
 */
static int64_t file_of_unpickled(file_table *files, PyCodeObject *code, PyObject *globals)
{
    PyObject *path = globals && PyDict_Check(globals) ? dict_get(globals, "__file__") : NULL;
    const char *text = path && PyUnicode_Check(path) ? PyUnicode_AsUTF8(path) : NULL;
    int64_t file = text && text[0] ? file_known(files, path) : -1;
    if (file < 0 && text && text[0] && files->n < FILES_IN_ALL && !PyErr_Occurred())
        file = real_file(files, path, text, NULL);
    source_file *f = file >= 0 ? &files->list[file] : NULL;
    bool ok = f &&
              (f->skip || (text_unpack(&f->text, &files->kept) && text_has_code(&f->text, code)));
    return ok ? file : -1;
}

/* What the program itself is made of, if that is the code's text; borrowed, or NULL. */
static PyObject *given_text(const file_table *files, PyObject *filename, PyObject *source)
{
    PyObject *sources = files->options->sources;
    PyObject *given = sources != Py_None ? PyDict_GetItemWithError(sources, filename) : NULL;
    if (!given || !source)
        return given;
    bool same = PyUnicode_Check(source) && PyUnicode_Check(given) &&
                PyUnicode_Compare(source, given) == 0;
    return same ? given : NULL;
}

int64_t source_file_of(file_table *files, PyCodeObject *code, PyObject *globals,
                       const eval_place *by, bool by_skipped)
{
    PyObject *filename = code->co_filename;
    PyObject *bytes = PyUnicode_EncodeFSDefault(filename);
    if (!bytes)
        return -1;
    const char *text = PyBytes_AS_STRING(bytes);
    bool whole = code_is_module_level(code);
    bool plain = text[0] != '<' || strncmp(text, "<frozen ", 8) == 0;
    PyObject *source = whole ? evals_text_of(code) : NULL;
    PyObject *given = plain ? NULL : given_text(files, filename, source);
    bool eval = !plain && !given && whole && by;
    bool skip = !plain && !given && whole && !by && by_skipped && shares_skip(text);
    bool sent = strcmp(text, "<dynamic-code>") == 0 && !whole;
    int64_t origin = sent && !PyErr_Occurred() ? file_of_unpickled(files, code, globals) : -1;
    int64_t file = PyErr_Occurred() ? -1
                   : origin >= 0    ? origin
                   : eval           ? string_eval(files, filename, source, by)
                   : skip           ? made_by_skipped(files, filename, text)
                                    : named_file(files, filename, text, globals, given, source);
    Py_XDECREF(source);
    Py_DECREF(bytes);
    return file;
}

int64_t source_file_for_c(file_table *files)
{
    if (files->c_file < 0) {
        PyObject *key = PyUnicode_FromString("(builtins)");
        if (key)
            files->c_file = file_add(files,
                                     (source_file){.filename = key,
                                                   .flags = VIA_SUB | FAKE,
                                                   .name = strdup("(builtins)")},
                                     key);
        Py_XDECREF(key);
    }
    return files->c_file;
}

void source_file_number(file_table *files, source_file *f)
{
    if (f->fid || f->skip)
        return;
    if (f->parent)
        source_file_number(files, &files->list[f->parent - 1]);
    f->fid = ++files->n_fids;
}

void source_files_forget(file_table *files)
{
    for (size_t i = 0; i < files->n; i++)
        files->list[i].fid = 0;
    files->n_fids = 0;
    files->forked = true;
    if (files->kept.pieces)
        nyt_pieces_renumber(files->kept.pieces);
}

void source_files_free(file_table *files)
{
    for (size_t i = 0; i < files->n; i++) {
        Py_DECREF(files->list[i].filename);
        free(files->list[i].name);
        text_free(&files->list[i].text);
        free(files->list[i].blocks);
    }
    free(files->list);
    files->list = NULL;
    files->n = files->cap = 0;
    nyt_pieces_free(files->kept.pieces);
    free(files->kept.loaded);
    files->kept = (kept_sources){0};
    Py_CLEAR(files->index);
    Py_CLEAR(files->eval_places);
}
