/*
 * Blocks: which compound statement's suite each line of a text stands in, told by its
 * header's first line ("for ...:", "else:", "def ...:"). In Python that is what indentation
 * says, so a text is cut into logical lines; of what is in them only strings and brackets
 * matter, which may hold line ends. Texts that Python would not compile get some answer.
 */
#include "blocks.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Where the scanner stands: in code, in a string, or in a format specification. */
typedef struct {
    enum { CODE, TEXT, SPEC } kind;
    char quote; /* TEXT and SPEC: of the string */
    bool triple;
    bool formatted; /* TEXT: braces hold code */
    bool raw;
    uint32_t brackets;      /* CODE: that are open */
} context;

enum { MOST_CONTEXTS = 300, MOST_INDENTS = 110 };   /* Python's own limits: 150 and 100 */

typedef struct {
    const char *p, *end;
    uint32_t line; /* of p */
    context stack[MOST_CONTEXTS];
    uint32_t depth; /* of stack, from 1 */
} scanner;

static context *innermost(scanner *s)
{
    return &s->stack[s->depth - 1];
}

static void enter(scanner *s, context c)
{
    if (s->depth < MOST_CONTEXTS)
        s->stack[s->depth++] = c;
}

static void leave(scanner *s)
{
    if (s->depth > 1)
        s->depth--;
}

static bool at(const scanner *s, char c, ptrdiff_t ahead)
{
    return s->end - s->p > ahead && s->p[ahead] == c;
}

static bool closes(const scanner *s, const context *c)
{
    return at(s, c->quote, 0) && (!c->triple || (at(s, c->quote, 1) && at(s, c->quote, 2)));
}

/* ---- Within a logical line ---- */

static bool is_name(char c)
{
    return Py_ISALNUM(c) || c == '_' || (unsigned char)c >= 0x80;
}

/* A string begins at the quote; the word before it may be a prefix. */
static void open_string(scanner *s, const char *word, size_t len)
{
    context c = {.kind = TEXT, .quote = *s->p};
    for (size_t i = 0; i < len && len <= 2; i++) {
        char letter = (char)Py_TOLOWER(word[i]);
        c.formatted |= letter == 'f' || letter == 't';
        c.raw |= letter == 'r';
    }
    c.triple = at(s, c.quote, 1) && at(s, c.quote, 2);
    s->p += c.triple ? 3 : 1;
    enter(s, c);
}

static void scan_name(scanner *s)
{
    const char *word = s->p;
    while (s->p < s->end && is_name(*s->p))
        s->p++;
    if (at(s, '"', 0) || at(s, '\'', 0))
        open_string(s, word, (size_t)(s->p - word));
}

static void skip_comment(scanner *s)
{
    const char *stop = memchr(s->p, '\n', (size_t)(s->end - s->p));
    s->p = stop ? stop : s->end;
}

/* One step in code; false at the end of the logical line, which is taken. */
static bool scan_code(scanner *s)
{
    context *c = innermost(s);
    char ch = *s->p;
    bool in_field = s->depth > 1;
    if (is_name(ch)) {
        scan_name(s);
        return true;
    }
    if (ch == '"' || ch == '\'') {
        open_string(s, s->p, 0);
        return true;
    }
    if (ch == '#') {
        skip_comment(s);
        return true;
    }
    if (ch == '\\' && at(s, '\n', 1))
        s->p++;
    else if (ch == '\n' && !in_field && c->brackets == 0) {
        s->p++;
        s->line++;
        return false;
    } else if (ch == '(' || ch == '[' || ch == '{') {
        c->brackets++;
    } else if (ch == '}' && in_field && c->brackets == 0) {
        leave(s);
    } else if ((ch == ')' || ch == ']' || ch == '}') && c->brackets > 0) {
        c->brackets--;
    } else if (ch == ':' && in_field && c->brackets == 0) {
        context spec = s->stack[s->depth - 2];
        spec.kind = SPEC;
        enter(s, spec);
    }
    s->line += *s->p == '\n';
    s->p++;
    return true;
}

/* A string that lacks its end ends with its line. */
static bool recover(scanner *s)
{
    s->depth = 1;
    s->stack[0].brackets = 0;
    return scan_code(s);
}

static void skip_escape(scanner *s, const context *c)
{
    s->p++;
    if (s->p == s->end || (c->formatted && (*s->p == '{' || *s->p == '}')))
        return;
    if (c->formatted && !c->raw && *s->p == 'N' && at(s, '{', 1)) {
        while (s->p < s->end && *s->p != '}' && *s->p != '\n')
            s->p++;
        return;
    }
    s->line += *s->p == '\n';
    s->p++;
}

/* One step in a string, or in a specification within one. */
static bool scan_text(scanner *s)
{
    context *c = innermost(s);
    if (*s->p == '\\') {
        skip_escape(s, c);
    } else if (closes(s, c)) {
        s->p += c->triple ? 3 : 1;
        if (c->kind == SPEC) {      /* an error of the program's: the field has no end */
            leave(s);
            leave(s);
        }
        leave(s);
    } else if (*s->p == '\n' && !c->triple) {
        return recover(s);
    } else if (*s->p == '{' && c->formatted) {
        bool twice = c->kind == TEXT && at(s, '{', 1);
        s->p += twice ? 2 : 1;
        if (!twice)
            enter(s, (context){.kind = CODE});
    } else if (*s->p == '}' && c->kind == SPEC) {
        s->p++;
        leave(s);
        leave(s);
    } else {
        s->line += *s->p == '\n';
        s->p++;
    }
    return true;
}

static void scan_logical_line(scanner *s)
{
    s->depth = 1;
    s->stack[0] = (context){.kind = CODE};
    while (s->p < s->end)
        if (!(innermost(s)->kind == CODE ? scan_code(s) : scan_text(s)))
            return;
    s->line++;
}

/* ---- Lines and suites ---- */

static uint32_t column_after(uint32_t column, char blank)
{
    return blank == ' ' ? column + 1 : blank == '\t' ? (column / 8 + 1) * 8 : 0;
}

/*
 * The column at which code begins; lines that hold none are passed over. A line may be only
 * a backslash: code begins after it, but at the column of the first such one, if it is
 * indented. False: the end.
 */
static bool find_code(scanner *s, uint32_t *column)
{
    uint32_t joined = 0;
    *column = 0;
    for (; s->p < s->end; s->p++) {
        char c = *s->p;
        if (c == '#')
            skip_comment(s);
        if (s->p == s->end)
            break;
        if (*s->p == '\n') {
            s->line++;
            *column = joined = 0;
        } else if (c == '\\' && at(s, '\n', 1)) {
            joined = joined ? joined : *column;
            s->line++;
            s->p++;
        } else if (c == ' ' || c == '\t' || c == '\f') {
            *column = column_after(*column, c);
        } else {
            *column = joined ? joined : *column;
            return true;
        }
    }
    return false;
}

typedef struct {
    uint32_t column, header;
} suite;

uint32_t *blocks_of_text(const char *text, size_t len, uint32_t n_lines)
{
    uint32_t *headers = calloc((size_t)n_lines + 1, sizeof *headers);
    scanner *s = calloc(1, sizeof *s);
    suite suites[MOST_INDENTS] = {{0, 0}}, *in = suites;
    uint32_t column, previous = 0;
    if (headers && s) {
        *s = (scanner){.p = text, .end = text + len, .line = 1};
        while (find_code(s, &column)) {
            while (in > suites && column < in->column)
                in--;
            if (column > in->column && in + 1 < suites + MOST_INDENTS)
                *++in = (suite){column, previous};
            previous = s->line;
            scan_logical_line(s);
            for (uint32_t line = previous; line < s->line && line <= n_lines; line++)
                headers[line] = in->header;
        }
    }
    free(s);
    return headers;
}

uint32_t block_of_line(const uint32_t *headers, uint32_t n_lines, uint32_t line, uint32_t first,
                       bool module)
{
    if (!headers || line > n_lines || first > n_lines)
        return first;
    uint32_t header = headers[line];
    if (module)
        return header ? header : first;
    bool outside = header < first || headers[header] == headers[first];
    return outside ? first : header;
}
