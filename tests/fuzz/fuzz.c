/* What the fuzz targets share: output that is kept and looked at, and input that is split. */
#include "fuzz.h"

#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void fuzz_broken(const char *file, int line, const char *promise)
{
    fprintf(stderr, "%s:%d: broken promise: %s\n", file, line, promise);
    abort();
}

uint32_t fuzz_choice(const uint8_t *data, size_t size)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ data[i]) * 16777619u;
    return hash ^ hash >> 16;
}

/* ---- Output ---- */

int fuzz_keep(void *ctx, const void *data, size_t len)
{
    struct nyt_buf *kept = ctx;
    if (len > FUZZ_OUTPUT - kept->len)
        return NYT_EIO;
    return nyt_buf_append(kept, data, len) ? NYT_OK : NYT_ENOMEM;
}

void fuzz_require_status(int rc)
{
    REQUIRE(rc == NYT_OK || rc == NYT_ELIMIT || rc == NYT_EIO);
}

/* ---- JSON, without recursion ---- */

struct json {
    const char *p, *end;
    struct nyt_buf open;        /* brackets */
};

static void skip_space(struct json *j)
{
    while (j->p < j->end && strchr(" \t\r\n", *j->p) && *j->p)
        j->p++;
}

static bool take(struct json *j, const char *word)
{
    size_t len = strlen(word);
    bool is_there = (size_t)(j->end - j->p) >= len && memcmp(j->p, word, len) == 0;
    j->p += is_there ? len : 0;
    return is_there;
}

static void take_digits(struct json *j)
{
    const char *first = j->p;
    while (j->p < j->end && *j->p >= '0' && *j->p <= '9')
        j->p++;
    REQUIRE(j->p > first);
}

static void take_number(struct json *j)
{
    (void)take(j, "-");
    if (!take(j, "0"))
        take_digits(j);
    if (take(j, "."))
        take_digits(j);
    if (take(j, "e") || take(j, "E")) {
        if (!take(j, "-"))
            (void)take(j, "+");
        take_digits(j);
    }
}

/* All of it is ASCII here: other characters come as \u. */
static void take_string(struct json *j)
{
    REQUIRE(take(j, "\""));
    while (j->p < j->end && *j->p != '"') {
        REQUIRE(*j->p >= ' ' && *j->p <= '~');
        if (take(j, "\\u")) {
            for (int i = 0; i < 4; i++, j->p++)
                REQUIRE(j->p < j->end && strchr("0123456789abcdefABCDEF", *j->p));
        } else if (take(j, "\\")) {
            REQUIRE(j->p < j->end && strchr("\"\\/bfnrt", *j->p));
            j->p++;
        } else {
            j->p++;
        }
    }
    REQUIRE(take(j, "\""));
}

/* true: it was a bracket, and what is in it comes next. */
static bool take_value(struct json *j)
{
    skip_space(j);
    REQUIRE(j->p < j->end);
    if (*j->p == '{' || *j->p == '[') {
        REQUIRE(nyt_buf_append(&j->open, j->p++, 1));
        return true;
    }
    if (*j->p == '"')
        take_string(j);
    else if (!take(j, "true") && !take(j, "false") && !take(j, "null"))
        take_number(j);
    return false;
}

static void take_key(struct json *j)
{
    if (j->open.data[j->open.len - 1] != '{')
        return;
    skip_space(j);
    take_string(j);
    skip_space(j);
    REQUIRE(take(j, ":"));
}

/* Closes what ends here; false: a further member comes. */
static bool take_ends(struct json *j)
{
    while (j->open.len) {
        bool is_object = j->open.data[j->open.len - 1] == '{';
        skip_space(j);
        if (take(j, ","))
            return false;
        REQUIRE(take(j, is_object ? "}" : "]"));
        j->open.len--;
    }
    return true;
}

static bool is_empty(struct json *j)
{
    const char *before = j->p;
    skip_space(j);
    if (j->p < j->end && (*j->p == '}' || *j->p == ']'))
        return true;
    j->p = before;
    return false;
}

static void require_json(const char *data, size_t len)
{
    struct json j = {.p = data, .end = data + len};
    for (;;) {
        bool opened = take_value(&j);
        if ((!opened || is_empty(&j)) && take_ends(&j))
            break;
        take_key(&j);
    }
    skip_space(&j);
    REQUIRE(j.p == j.end);
    nyt_buf_free(&j.open);
}

void fuzz_require_json(const struct nyt_buf *text)
{
    require_json((const char *)text->data, text->len);
}

void fuzz_require_json_lines(const struct nyt_buf *text)
{
    const char *data = (const char *)text->data;
    for (size_t at = 0, len; at < text->len; at += len + 1) {
        const char *newline = memchr(data + at, '\n', text->len - at);
        REQUIRE(newline);
        len = (size_t)(newline - data) - at;
        require_json(data + at, len);
    }
}

/* ---- Text for terminals ---- */

static bool is_direction(uint32_t code)
{
    return (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) ||
           code == 0x200E || code == 0x200F || code == 0x061C;
}

void fuzz_require_safe_text(const struct nyt_buf *text, bool colour)
{
    const char *data = (const char *)text->data;
    REQUIRE(nyt_is_utf8((nyt_str){.data = data, .len = text->len}));
    for (size_t at = 0; at < text->len;) {
        uint32_t code;
        at += nyt_utf8_next(data + at, text->len - at, &code);
        REQUIRE(code >= ' ' || code == '\n' || (code == 0x1B && colour));
        REQUIRE(code < 0x7F || code > 0x9F);
        REQUIRE(!is_direction(code));
    }
}

/* ---- Input ---- */

/* Where the next banner begins, from 1 on; the end if there is none. */
static size_t next_banner(const uint8_t *data, size_t size)
{
    static const char banner[] = "NYTProf ";
    for (size_t at = 1; at + sizeof banner - 1 <= size; at++)
        if (memcmp(data + at, banner, sizeof banner - 1) == 0)
            return at;
    return size;
}

size_t fuzz_split(const uint8_t *data, size_t size, nyt_memory *profiles, size_t max)
{
    static const char *const names[] = {"first", "second", "third", "fourth"};
    size_t n = 0;
    do {
        size_t len = n + 1 < max ? next_banner(data, size) : size;
        uint8_t *copy = malloc(len ? len : 1);
        REQUIRE(copy);
        if (len)
            memcpy(copy, data, len);
        profiles[n] = (nyt_memory){.name = names[n % 4], .data = copy, .len = len};
        n++;
        size -= len;
        data = size ? data + len : data;
    } while (size && n < max);
    return n;
}

void fuzz_free_split(nyt_memory *profiles, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free((void *)profiles[i].data);
}
