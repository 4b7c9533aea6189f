/*
 * The text of a file is taken when its first code is seen, since it may change later. That of a
 * program's many files is the larger part of what a run reads, decodes and writes, and is nearly always what
 * it was the last time. So a file whose state is that of the last time is not read: what was compressed
 * then is at hand, and goes into the profile as it is.
 */
#define _GNU_SOURCE
#include "source_text.h"

#include "util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/utf8.h"
#include "nytprof.h"

/* Line ends become "\n", as the tokenizer sees them. */
static void normalise_line_ends(source_text *t)
{
    size_t out = 0;
    if (!memchr(t->utf8, '\r', t->len))
        return;
    for (size_t i = 0; i < t->len; i++) {
        char c = t->utf8[i];
        if (c == '\r') {
            if (i + 1 < t->len && t->utf8[i + 1] == '\n')
                i++;
            c = '\n';
        }
        t->utf8[out++] = c;
    }
    t->len = out;
}

static void count_lines(source_text *t)
{
    const char *p = t->utf8, *end = p + t->len;
    for (; (p = memchr(p, '\n', (size_t)(end - p))); p++)
        t->lines++;
    if (t->len && end[-1] != '\n')
        t->lines++;
}

/* Takes `utf8`, malloc'ed, over. */
static void adopt(source_text *t, char *utf8, size_t len)
{
    t->utf8 = utf8;
    t->len = len;
    normalise_line_ends(t);
    count_lines(t);
}

static void take_str(source_text *t, PyObject *text)
{
    Py_ssize_t len;
    const char *utf8 = text && PyUnicode_Check(text) ? PyUnicode_AsUTF8AndSize(text, &len) : NULL;
    char *copy = utf8 ? malloc((size_t)len + 1) : NULL;
    if (copy) {
        memcpy(copy, utf8, (size_t)len);
        adopt(t, copy, (size_t)len);
    }
    swallow_error();
}

static const char *line_end(const char *p, const char *end)
{
    while (p < end && *p != '\n' && *p != '\r')
        p++;
    return p;
}

/* The coding cookie of PEP 263 in the first two lines; false: there is none. */
static bool coding_cookie(const char *text, size_t len, char *name, size_t room)
{
    const char *p = text, *end = text + len;
    for (int line = 0; line < 2 && p < end; line++) {
        const char *stop = line_end(p, end), *c = p;
        while (c < stop && (*c == ' ' || *c == '\t' || *c == '\f'))
            c++;
        if (c < stop && *c != '#')
            return false;       /* code: no cookie can follow */
        for (; c + 7 < stop; c++) {
            if (memcmp(c, "coding", 6) != 0 || (c[6] != ':' && c[6] != '='))
                continue;
            c += 7;
            while (c < stop && (*c == ' ' || *c == '\t'))
                c++;
            size_t n = 0;
            while (c < stop && n + 1 < room &&
                   (Py_ISALNUM(*c) || *c == '-' || *c == '_' || *c == '.'))
                name[n++] = *c++;
            name[n] = '\0';
            return n > 0;
        }
        p = stop + (end - stop > 1 && stop[0] == '\r' && stop[1] == '\n' ? 2 : 1);
    }
    return false;
}

/* No half of a surrogate pair may be in it, whose first byte stands in other letters, too. */
static bool is_plain_utf8(const char *bytes, size_t len, const char *coding)
{
    enum { BEFORE_SURROGATES = 0xED };
    return strcasecmp(coding, "utf-8") == 0 && !memchr(bytes, BEFORE_SURROGATES, len) &&
           nyt_is_utf8((nyt_str){.data = bytes, .len = len});
}

static void decode(source_text *t, const char *bytes, size_t len, const char *coding)
{
    PyObject *text = PyUnicode_Decode(bytes, (Py_ssize_t)len, coding, "strict");
    if (!text) {
        swallow_error();
        text = PyUnicode_DecodeLatin1(bytes, (Py_ssize_t)len, NULL);
    }
    take_str(t, text);
    Py_XDECREF(text);
}

/* Takes `bytes`, malloc'ed, over. */
static void take_bytes(source_text *t, char *bytes, size_t len)
{
    enum { MARK = 3 };  /* of UTF-8 */
    char coding[64] = "utf-8";
    if (len >= MARK && memcmp(bytes, "\xEF\xBB\xBF", MARK) == 0)
        memmove(bytes, bytes + MARK, len -= MARK);
    else
        coding_cookie(bytes, len, coding, sizeof coding);
    if (is_plain_utf8(bytes, len, coding)) {
        adopt(t, bytes, len);
        return;
    }
    decode(t, bytes, len, coding);
    free(bytes);
}

void text_take_given(source_text *t, PyObject *given)
{
    if (!PyBytes_Check(given)) {
        take_str(t, given);
        return;
    }
    size_t len = (size_t)PyBytes_GET_SIZE(given);
    char *bytes = malloc(len + 1);
    if (bytes) {
        memcpy(bytes, PyBytes_AS_STRING(given), len);
        take_bytes(t, bytes, len);
    }
}

/* ---- From a file ---- */

static char *read_all(int fd, size_t len)
{
    char *bytes = malloc(len + 1);
    size_t n = 0;
    while (bytes && n < len) {
        ssize_t some = read(fd, bytes + n, len - n);
        if (some < 0 && errno == EINTR)
            continue;
        if (some <= 0) {
            free(bytes);
            return NULL;
        }
        n += (size_t)some;
    }
    return bytes;
}

static void read_open(source_text *t, int fd, const struct stat *st)
{
    enum { MOST = 1 << 28 };
    size_t len = S_ISREG(st->st_mode) && st->st_size < MOST ? (size_t)st->st_size : 0;
    char *bytes = len ? read_all(fd, len) : NULL;
    if (bytes)
        take_bytes(t, bytes, len);
}

/* What changes if the file does, on this machine. */
typedef struct {
    uint64_t device, inode, size;
    int64_t modified, changed;  /* ns */
} file_state;

/* A file may be written again within one step of its times: so recent ones tell nothing. */
static bool state_of(const struct stat *st, file_state *state)
{
    enum { STEP = 2, NS = 1000000000 };
    time_t settled = time(NULL) - STEP;
    *state = (file_state){
        .device = st->st_dev,
        .inode = st->st_ino,
        .size = (uint64_t)st->st_size,
        .modified = (int64_t)st->st_mtim.tv_sec * NS + st->st_mtim.tv_nsec,
        .changed = (int64_t)st->st_ctim.tv_sec * NS + st->st_ctim.tv_nsec,
    };
    return st->st_mtime < settled && st->st_ctime < settled;
}

static bool is_kept(source_text *t, const struct stat *st, const char *name, uint32_t fid,
                    const kept_sources *kept)
{
    file_state state;
    struct nyt_buf identity = {0};
    nyt_kept_source found;
    if (!kept->pieces || !kept->level || !fid || !state_of(st, &state))
        return false;
    bool known = nyt_buf_append(&identity, &state, sizeof state) &&
                 nyt_buf_append(&identity, name, strlen(name)) &&
                 nyt_pieces_know(kept->pieces, fid, kept->level, identity.data, identity.len,
                                 &found) == 1;
    nyt_buf_free(&identity);
    if (known)
        *t = (source_text){.lines = found.lines, .kept_as = fid, .kept_bytes = found.payload};
    return known;
}

void text_read(source_text *t, const char *path, const char *name, uint32_t fid,
               const kept_sources *kept)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO would wait for a writer */
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && !is_kept(t, &st, name, fid, kept))
        read_open(t, fd, &st);
    close(fd);
}

/* ---- From the program ---- */

void text_from_linecache(source_text *t, PyObject *filename)
{
    PyObject *modules = PyImport_GetModuleDict();
    PyObject *linecache = modules ? dict_get(modules, "linecache") : NULL;
    PyObject *cache = linecache ? PyObject_GetAttrString(linecache, "cache") : NULL;
    PyObject *entry = cache && PyDict_Check(cache) ? PyDict_GetItemWithError(cache, filename)
                                                   : NULL;
    if (entry && PyTuple_Check(entry) && PyTuple_GET_SIZE(entry) == 4 &&
        PyList_Check(PyTuple_GET_ITEM(entry, 2))) {
        PyObject *nothing = PyUnicode_FromString("");
        PyObject *text = nothing ? PyUnicode_Join(nothing, PyTuple_GET_ITEM(entry, 2)) : NULL;
        take_str(t, text);
        Py_XDECREF(text);
        Py_XDECREF(nothing);
    }
    Py_XDECREF(cache);
    swallow_error();
}

void text_from_globals(source_text *t, PyObject *globals)
{
    PyObject *path = globals && PyDict_Check(globals) ? dict_get(globals, "__file__") : NULL;
    const char *text = path && PyUnicode_Check(path) ? PyUnicode_AsUTF8(path) : NULL;
    size_t len = text ? strlen(text) : 0;
    if (len > 3 && strcmp(text + len - 3, ".py") == 0)
        text_read(t, text, text, 0, &(kept_sources){0});
    swallow_error();
}

/* ---- What is kept ---- */

bool text_is_known(const source_text *t)
{
    return t->utf8 || t->kept_as;
}

bool text_unpack(source_text *t, const kept_sources *kept)
{
    if (!t->utf8 && t->kept_as)
        nyt_pieces_text(kept->pieces, t->kept_as, &t->utf8, &t->len);
    return t->utf8 || !t->kept_as;
}

void text_free(source_text *t)
{
    free(t->utf8);
    *t = (source_text){0};
}
