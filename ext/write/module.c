/*
 * pynytprof._cwrite: chunks to a profile, by libnytprof. The GIL is held throughout:
 * the writer has one user, and a file object's write() needs it anyway.
 */
#define PY_SSIZE_T_CLEAN
#include "../pyutil.h"

typedef struct {
    PyObject_HEAD
    nyt_chunks *chunks; /* owned; NULL once closed */
    PyObject *path;     /* owned; for error messages; NULL: a file object */
    PyObject *write;    /* owned; the file object's method; NULL: a path */
    bool raw;           /* its write() may take less than all, or None */
    bool busy;          /* in a call: the file object may call us back */
    bool told;          /* the caller has seen that the file is incomplete */
} Writer;

/* ---- A file object as a sink ---- */

/* How much of `len` bytes a write() took by what it returned; -1: an exception is set. */
static Py_ssize_t taken(Writer *self, PyObject *result, Py_ssize_t len)
{
    if (result == Py_None) {
        if (!self->raw)
            return len;     /* objects that take all, and don't count */
        errno = EAGAIN;
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    Py_ssize_t n = PyNumber_AsSsize_t(result, PyExc_OverflowError);
    if (n == -1 && PyErr_Occurred())
        return -1;
    if (n < 0 || n > len) {
        PyErr_Format(PyExc_OSError, "write() of %zd bytes returned %zd", len, n);
        return -1;
    }
    return n;
}

static Py_ssize_t write_some(Writer *self, const char *data, Py_ssize_t len)
{
    PyObject *bytes = PyBytes_FromStringAndSize(data, len);
    if (!bytes)
        return -1;
    PyObject *result = PyObject_CallOneArg(self->write, bytes);
    Py_DECREF(bytes);
    if (!result)
        return -1;
    Py_ssize_t n = taken(self, result, len);
    Py_DECREF(result);
    return n;
}

static int write_to_object(void *ctx, const void *data, size_t len)
{
    const char *p = data;
    while (len) {
        Py_ssize_t n = write_some(ctx, p, (Py_ssize_t)len);
        if (n < 0) {
            errno = EIO;    /* the exception tells more */
            return NYT_EIO;
        }
        if (n == 0 && PyErr_CheckSignals() < 0)
            return NYT_EIO;
        p += n;
        len -= (size_t)n;
    }
    return NYT_OK;
}

/* io.RawIOBase promises less of write() than buffered files do. */
static int find_raw(Writer *self, PyObject *file)
{
    PyObject *io = PyImport_ImportModule("io");
    PyObject *type = io ? PyObject_GetAttrString(io, "RawIOBase") : NULL;
    int is = type ? PyObject_IsInstance(file, type) : -1;
    Py_XDECREF(type);
    Py_XDECREF(io);
    self->raw = is == 1;
    return is < 0 ? -1 : 0;
}

/* ---- Opening ---- */

static int is_path(PyObject *target)
{
    return PyUnicode_Check(target) || PyBytes_Check(target) ||
           PyObject_HasAttrString(target, "__fspath__");
}

static int open_path(Writer *self, PyObject *path, int level)
{
    nyt_error err;
    PyObject *bytes;
    self->path = PyOS_FSPath(path);
    if (!self->path || !PyUnicode_FSConverter(self->path, &bytes))
        return -1;
    int rc = nyt_chunks_open(&self->chunks, PyBytes_AS_STRING(bytes), level, NULL, &err);
    Py_DECREF(bytes);
    if (rc < 0)
        raise_nyt_error(&err, self->path);
    return rc < 0 ? -1 : 0;
}

static int open_object(Writer *self, PyObject *file, int level)
{
    nyt_error err;
    self->write = PyObject_GetAttrString(file, "write");
    if (!self->write) {
        PyErr_Format(PyExc_TypeError, "a path or a binary file is needed, not %.100s",
                     Py_TYPE(file)->tp_name);
        return -1;
    }
    if (find_raw(self, file) < 0)
        return -1;
    int rc = nyt_chunks_open_fn(&self->chunks, write_to_object, self, level, NULL, &err);
    if (rc < 0)
        raise_nyt_error(&err, NULL);
    return rc < 0 ? -1 : 0;
}

static PyObject *writer_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path", "compress", NULL};
    PyObject *target;
    int level = 1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|i:Writer", names, &target, &level))
        return NULL;
    if (level < 0 || level > 9)
        return PyErr_Format(PyExc_ValueError, "compress must be 0 to 9, not %d", level);
    Writer *self = (Writer *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    int rc = is_path(target) ? open_path(self, target, level) : open_object(self, target, level);
    if (rc < 0)
        Py_CLEAR(self);
    return (PyObject *)self;
}

/* ---- Methods ---- */

/* The file object's write() may try to use the writer that is calling it. */
static bool enter(Writer *self)
{
    if (self->busy) {
        PyErr_SetString(PyExc_RuntimeError, "the writer is in use");
        return false;
    }
    self->busy = true;
    return true;
}

static PyObject *told(Writer *self, const nyt_error *err)
{
    self->told = self->told || err->code != NYT_ECHUNK;
    return raise_nyt_error(err, self->path);
}

static PyObject *write_chunk(Writer *self, PyObject *args)
{
    Py_buffer token, payload;
    nyt_error err;
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "y*y*:write_chunk", &token, &payload))
        return NULL;
    if (!self->chunks) {
        PyErr_SetString(PyExc_RuntimeError, "the writer is closed");
    } else if (token.len != 1) {
        PyErr_Format(PyExc_ValueError, "a token is one byte, not %zd", token.len);
    } else if (enter(self)) {
        int rc = nyt_chunks_write(self->chunks, *(const char *)token.buf, payload.buf,
                                  (size_t)payload.len, &err);
        self->busy = false;
        result = rc < 0 ? told(self, &err) : Py_NewRef(Py_None);
    }
    PyBuffer_Release(&token);
    PyBuffer_Release(&payload);
    return result;
}

static PyObject *writer_close(Writer *self, PyObject *Py_UNUSED(ignored))
{
    nyt_error err;
    if (!self->chunks)
        Py_RETURN_NONE;
    if (!enter(self))
        return NULL;
    nyt_chunks *chunks = self->chunks;
    self->chunks = NULL;
    int rc = nyt_chunks_close(chunks, &err);
    self->busy = false;
    if (rc < 0 && !self->told)
        return told(self, &err);
    Py_RETURN_NONE;
}

static PyObject *writer_enter(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return Py_NewRef(self);
}

static PyObject *writer_exit(Writer *self, PyObject *Py_UNUSED(args))
{
    return writer_close(self, NULL);
}

/* ---- The type ---- */

static int writer_traverse(Writer *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->path);
    Py_VISIT(self->write);
    return 0;
}

static int writer_clear(Writer *self)
{
    Py_CLEAR(self->path);
    Py_CLEAR(self->write);
    return 0;
}

/*
 * A writer that nobody closed writes nothing more: it may be the copy of one that goes
 * on in the process that forked this one.
 */
static void writer_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    nyt_chunks_abandon(((Writer *)op)->chunks);
    writer_clear((Writer *)op);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyObject *writer_closed(Writer *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(self->chunks == NULL);
}

static PyMethodDef writer_methods[] = {
    {"write_chunk", (PyCFunction)write_chunk, METH_VARARGS,
     PyDoc_STR("write_chunk(token, payload, /)\n--\n\n"
               "Writes one chunk of docs/format.md: one byte, and any bytes-like object.")},
    {"close", (PyCFunction)writer_close, METH_NOARGS,
     PyDoc_STR("close()\n--\n\nFinishes the file. Closing again does nothing.")},
    {"__enter__", writer_enter, METH_NOARGS, NULL},
    {"__exit__", (PyCFunction)writer_exit, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef writer_getset[] = {
    {"closed", (getter)writer_closed, NULL, PyDoc_STR("True once close() was called."), NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(writer_doc,
    "Writer(path, compress=1)\n--\n\n"
    "Turns chunks into a NYTProf profile.\n\n"
    "path is a path, or a binary file object, which stays open; compress is zlib's\n"
    "level, or 0. A chunk that does not follow docs/format.md is a ValueError and\n"
    "leaves no trace; an OSError is final.");

static PyType_Slot writer_slots[] = {
    {Py_tp_doc, (void *)writer_doc}, {Py_tp_new, writer_new},
    {Py_tp_dealloc, writer_dealloc}, {Py_tp_traverse, writer_traverse},
    {Py_tp_clear, writer_clear},     {Py_tp_methods, writer_methods},
    {Py_tp_getset, writer_getset},   {0, NULL},
};

static PyType_Spec writer_spec = {
    .name = "pynytprof._cwrite.Writer",
    .basicsize = sizeof(Writer),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = writer_slots,
};

/* ---- The module ---- */

static int cwrite_exec(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &writer_spec, NULL);
    int rc = type ? PyModule_AddType(module, (PyTypeObject *)type) : -1;
    Py_XDECREF(type);
    return rc;
}

static PyModuleDef_Slot cwrite_slots[] = {
    {Py_mod_exec, cwrite_exec},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
    {0, NULL},
};

static struct PyModuleDef cwrite_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "pynytprof._cwrite",
    .m_doc = "Chunks to a NYTProf profile, in C: the twin of pynytprof._writer.PyWriter.",
    .m_slots = cwrite_slots,
};

PyMODINIT_FUNC PyInit__cwrite(void);

PyMODINIT_FUNC PyInit__cwrite(void)
{
    return PyModuleDef_Init(&cwrite_module);
}
