/* The header's pairs, attributes and options in the order that Perl's profiler has. */
#define _GNU_SOURCE
#include "header.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parts.h"

enum { TICKS_PER_SECOND = 10000000, CLOCK_WALL = 1, CLOCK_CPU = 3 };    /* the system's numbers */

typedef struct {
    char *bytes;
    size_t len;
    bool failed;
} pairs;

static void put_string(pairs *p, const char *text, size_t len)
{
    char *grown = p->failed ? NULL : realloc(p->bytes, p->len + 4 + len);
    if (!grown) {
        p->failed = true;
        return;
    }
    p->bytes = grown;
    for (int shift = 0; shift < 32; shift += 8)
        grown[p->len++] = (char)(len >> shift & 0xFF);
    memcpy(grown + p->len, text, len);
    p->len += len;
}

/* Without what would end the line: backslashes, returns and newlines as escapes. */
static void put_line(pairs *p, const char *text)
{
    char *line = malloc(2 * strlen(text) + 1), *out = line;
    for (; line && *text; text++) {
        char escape = *text == '\n' ? 'n' : *text == '\r' ? 'r' : *text == '\\' ? '\\' : 0;
        if (escape)
            *out++ = '\\';
        *out++ = escape ? escape : *text;
    }
    if (line)
        put_string(p, line, (size_t)(out - line));
    p->failed = p->failed || !line;
    free(line);
}

static void pair(pairs *p, const char *key, const char *value)
{
    put_string(p, key, strlen(key));
    put_line(p, value);
}

static void number(pairs *p, const char *key, long value)
{
    char text[32];
    snprintf(text, sizeof text, "%ld", value);
    pair(p, key, text);
}

static void comment(pairs *p, const char *format, ...)
{
    va_list args;
    char *text = NULL;
    va_start(args, format);
    if (vasprintf(&text, format, args) >= 0)
        pair(p, "#", text);
    else
        p->failed = true;
    va_end(args);
    free(text);
}

/*
 * By what the costs that were taken off have been multiplied, as the machine's speed had it; and
 * how long other programs had the processors while this one was ready to run. As attributes, they
 * would draw a warning of nytprofmerge's.
 */
static void put_machine(pairs *p, const trace_facts *facts)
{
    if (facts->least_speed_factor > 0)
        comment(p, "Cost factors: %.2f to %.2f, changed %llu times", facts->least_speed_factor,
                facts->largest_speed_factor, (unsigned long long)facts->speed_changes);
    if (facts->waited > 0)
        comment(p, "Processor waits: %.0f ticks", facts->waited * TICKS_PER_SECOND);
}

/* What the numbers of a profile can't tell by themselves. */
static void put_comments(pairs *p, const trace_facts *facts, const header_facts *f,
                         const char *python)
{
    comment(p, "Python profile by pynytprof %s, CPython %s", NYT_VERSION, python);
    comment(p, "Engine %s, clock %s", facts->engine, facts->clock);
    const struct {
        uint64_t n;
        const char *text;
    } told[] = {
        {facts->uncounted_lines,
         "lines have time but no count: their frames were open at the start"},
        {facts->resyncs, "times the call stack was found out of step and set right"},
        {facts->folded_evals,
         "evals of more texts than can be told apart: lines that ran most share a file"},
        {facts->folded_calls, "calls went past the call tree's limit: the flame graph is folded"},
        {facts->failures, "errors in the profiler itself: some events are lost"},
        {facts->disturbed,
         "time another tool took pynytprof's place in sys.monitoring: what came after is missing"},
    };
    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        if (told[i].n)
            comment(p, "%llu %s", (unsigned long long)told[i].n, told[i].text);
    put_machine(p, facts);
    if (f->note)
        comment(p, "%s", f->note);
}

static void put_attributes(pairs *p, const header_facts *f, const char *python)
{
    bool cpu = strcmp(settings_text(f->settings, "clock", "wall"), "cpu") == 0;
    number(p, ":basetime", f->basetime);
    pair(p, ":application", f->application);
    pair(p, ":perl_version", python);
    number(p, ":nv_size", 8);
    pair(p, ":xs_version", NYT_VERSION);
    number(p, ":PL_perldb", 0);
    number(p, ":clock_id", cpu ? CLOCK_CPU : CLOCK_WALL);
    number(p, ":ticks_per_sec", TICKS_PER_SECOND);
    if (f->run)
        pair(p, ":" RUN_ATTRIBUTE, f->run);
}

static void put_options(pairs *p, const settings *s)
{
    bool cpu = strcmp(settings_text(s, "clock", "wall"), "cpu") == 0;
    bool stmts = settings_flag(s, "stmts"), subs = settings_flag(s, "subs");
    const struct {
        const char *key;
        long value;
    } options[] = {
        {"!usecputime", 0},
        {"!subs", subs},
        {"!blocks", settings_flag(s, "blocks") && stmts},
        {"!leave", 1},
        {"!expand", 0},
        {"!trace", settings_number(s, "trace", 0)},
        {"!use_db_sub", settings_flag(s, "use_db_sub")},
        {"!compress", settings_number(s, "compress", 1)},
        {"!clock", cpu ? CLOCK_CPU : CLOCK_WALL},
        {"!stmts", stmts},
        {"!slowops", settings_number(s, "slowops", 1)},
        {"!findcaller", 0},
        {"!forkdepth", settings_number(s, "forkdepth", -1)},
        {"!perldb", 0},
        {"!nameevals", 1},
        {"!nameanonsubs", 1},
        {"!calls", settings_flag(s, "calls") && subs},
        {"!evals", 0},
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        number(p, options[i].key, options[i].value);
}

char *header_new(const tracer *t, const header_facts *f, size_t *len)
{
    pairs p = {0};
    trace_facts facts;
    char python[64];
    snprintf(python, sizeof python, "%.*s", (int)strcspn(Py_GetVersion(), " "), Py_GetVersion());
    trace_facts_of(t, &facts);
    put_comments(&p, &facts, f, python);
    put_attributes(&p, f, python);
    put_options(&p, f->settings);
    if (p.failed) {
        free(p.bytes);
        return NULL;
    }
    *len = p.len;
    return p.bytes;
}
