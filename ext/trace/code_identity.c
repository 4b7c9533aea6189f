/*
 * Equal code objects share one code_info, so that code which is made again and again takes memory
 * once. Of files that are left out all code is one: nothing is told of it.
 */
#include "code_identity.h"

#include <stdlib.h>

int code_identity_of(code_identity *id, const file_table *files, PyCodeObject *code, uint32_t file,
                     PyObject *qualname, PyObject *module)
{
    const source_file *f = &files->list[file];
    *id = (code_identity){.file = file};
    if (f->skip)
        return 0;
    id->qualname = qualname;
    if (f->folded)
        return 0;
    id->first_line = code->co_firstlineno;
    id->line_table = PyObject_Hash(code->co_linetable);
    /* A string eval is one whatever the module in whose name it runs: namedtuple makes one up for
       each. */
    id->module = f->parent ? NULL : module;
    return id->line_table == -1 ? -1 : 0;
}

/* Of a str: found once, and kept in it. */
static uint64_t text_hash(PyObject *text)
{
    return text ? (uint64_t)PyObject_Hash(text) : 0;
}

static uint64_t key_of(const code_identity *id)
{
    uint64_t key = nyt_mix(nyt_pair_key(id->file, (uint32_t)id->first_line));
    key = nyt_mix(key ^ (uint64_t)id->line_table);
    key = nyt_mix(key ^ text_hash(id->qualname));
    return nyt_mix(key ^ text_hash(id->module));
}

static bool same_text(PyObject *a, PyObject *b)
{
    return a == b || (a && b && PyUnicode_Compare(a, b) == 0);
}

static bool is_it(const code_info *info, const code_identity *id)
{
    return info->file == id->file && info->defined_at == id->first_line &&
           info->line_table == id->line_table && same_text(info->qualname, id->qualname) &&
           same_text(info->module_name, id->module);
}

code_info *codes_find(const code_table *codes, const code_identity *id, size_t *index)
{
    const uint32_t *first = nyt_map_find(&codes->by_identity, key_of(id));
    for (uint32_t next = first ? *first : 0; next; next = codes->list[next - 1]->next_of_key) {
        if (is_it(codes->list[next - 1], id)) {
            *index = next - 1;
            return codes->list[next - 1];
        }
    }
    return NULL;
}

code_info *codes_add(code_table *codes, const code_identity *id)
{
    bool is_new;
    code_info **list = nyt_grow(codes->list, &codes->cap, codes->n + 1, sizeof *list);
    if (list)
        codes->list = list;
    code_info *info = list ? calloc(1, sizeof *info) : NULL;
    uint32_t *first = info ? nyt_map_take(&codes->by_identity, key_of(id), &is_new) : NULL;
    if (!first) {
        free(info);
        return NULL;
    }
    info->file = id->file;
    info->defined_at = id->first_line;
    info->line_table = id->line_table;
    info->qualname = Py_XNewRef(id->qualname);
    info->module_name = Py_XNewRef(id->module);
    info->next_of_key = *first;
    codes->list[codes->n++] = info;
    *first = (uint32_t)codes->n;
    return info;
}
