/* The text of a source file. */
#ifndef PYNYTPROF_TRACE_SOURCE_TEXT_H
#define PYNYTPROF_TRACE_SOURCE_TEXT_H

#include "trace.h"

struct nyt_pieces;

/* All zeros: none is known. */
typedef struct {
    char *utf8; /* owned; NULL: none, or it is kept */
    size_t len;
    uint32_t lines;
    uint32_t kept_as;  /* the fid by which it is among the pieces, compressed; 0: it is not */
    size_t kept_bytes; /* of its chunk */
} source_text;

/* Sources that an earlier run has compressed: a file that is one of them is not read. */
typedef struct {
    struct nyt_pieces *pieces; /* NULL: there are none */
    char *loaded;              /* owned: those of the earlier run, until the pieces are freed */
    int level;                 /* of compression; 0: what is kept is not used */
} kept_sources;

/* A copy of what the compiler was given: str or bytes; nothing, if it is neither. */
void text_take_given(source_text *text, PyObject *given);
/* What the file at `path` holds, decoded as CPython does. `name` is what the profile calls it,
 * `fid` its number there; 0: it has none yet. Nothing of what is kept is asked where `kept` is NULL. */
void text_read(source_text *text, const char *path, const char *name, uint32_t fid,
               const kept_sources *kept);
/* What linecache was told of generated code: dataclass-like libraries do so. */
void text_from_linecache(source_text *text, PyObject *filename);
/* A frozen module's globals may tell where its text lies. */
void text_from_globals(source_text *text, PyObject *globals);

bool text_is_known(const source_text *text);
/* From now on utf8 is there for what is kept; false: it is not, for want of memory. */
bool text_unpack(source_text *text, const kept_sources *kept);
void text_free(source_text *text);

#endif
