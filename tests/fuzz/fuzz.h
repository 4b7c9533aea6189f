/* What the fuzz targets share. */
#ifndef FUZZ_H
#define FUZZ_H

#include "base/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program, which is a finding, if the promise is not kept. */
#define REQUIRE(promise)                               \
    do {                                               \
        if (!(promise))                                \
            fuzz_broken(__FILE__, __LINE__, #promise); \
    } while (0)

_Noreturn void fuzz_broken(const char *file, int line, const char *promise);

/* A number that depends on the input alone: chooses among options. */
uint32_t fuzz_choice(const uint8_t *data, size_t size);

/* ---- Output ---- */

/* A nyt_write_fn; `ctx` is a struct nyt_buf, which may not grow beyond FUZZ_OUTPUT. */
enum { FUZZ_OUTPUT = 4 * 1024 * 1024 };
int fuzz_keep(void *ctx, const void *data, size_t len);
/* A few bytes of a profile can stand for billions of equal records, which take too long to read
 * under sanitizers: longer results than this are left alone. */
enum { FUZZ_READ_AGAIN = 16 * 1024 };

/* Is it what an export or a report may return here? */
void fuzz_require_status(int rc);
void fuzz_require_json(const struct nyt_buf *text);
/* Each line is JSON. */
void fuzz_require_json_lines(const struct nyt_buf *text);
/* UTF-8 without a control character but the newline, and those of colours if `colour`. */
void fuzz_require_safe_text(const struct nyt_buf *text, bool colour);

/* ---- Profiles in the input ---- */

/* As many as there are banners in it, `max` at most; each has memory of its own, so that a byte
 * read behind its end is seen. */
size_t fuzz_split(const uint8_t *data, size_t size, nyt_memory *profiles, size_t max);
void fuzz_free_split(nyt_memory *profiles, size_t n);

#endif
