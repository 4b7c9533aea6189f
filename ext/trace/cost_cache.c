/* Costs of events in a small text file: its key, its numbers, and a sum over both. */
#define _GNU_SOURCE
#include "cost_cache.h"

#include "cache_folder.h"
#include "steps.h"
#include "tiers.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

enum { KEY_ROOM = 1024, FILE_ROOM = 4096, VARIANTS = 64, MAX_AGE = 30 * 24 * 3600 };

/* Of a unit, in which the file has how long our callbacks took. */
enum { PARTS = 1000 };

/* A cost beyond this is none: 0.1 ms. */
static const double LARGEST_NS = 1e5;

typedef struct {
    double ns_per_unit;
    uint64_t speed; /* what speed_probe() took beside it */
    base_costs of;
    double usual[COST_KINDS];
} costs;

static struct {
    bool known;
    costs costs;
} kept[VARIANTS];       /* in this process */

/* Options on which the costs depend, and whether there are single instructions, or hot code. */
static int variant(const tracer *t)
{
    return t->options.stmts | t->options.subs << 1 | t->options.slowops << 2 | t->options.cpu << 3 |
           steps_may_be_better() << 4 | tiers_wanted(t) << 5;
}

/* ---- The key ---- */

static void processor_name(char name[64])
{
    memset(name, 0, 64);
#if defined(__x86_64__)
    uint32_t *words = (uint32_t *)(void *)name;
    for (uint32_t leaf = 0; leaf < 3; leaf++, words += 4)
        if (!__get_cpuid(0x80000002 + leaf, &words[0], &words[1], &words[2], &words[3]))
            return;
#else
    gethostname(name, 63);
#endif
    for (char *p = name; *p; p++)
        if ((unsigned char)*p < ' ')
            *p = ' ';
}

/* Which file that is: a new build is another. */
static void file_mark(const char *path, char *mark, size_t room)
{
    struct stat st;
    if (!path || stat(path, &st) != 0)
        snprintf(mark, room, "-");
    else
        snprintf(mark, room, "%jx.%jx.%jx.%jx", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino,
                 (uintmax_t)st.st_size, (uintmax_t)st.st_mtime);
}

static void make_key(const tracer *t, char *key)
{
    char processor[64], python[80], ours[80];
    Dl_info here;
    processor_name(processor);
    file_mark("/proc/self/exe", python, sizeof python);
    file_mark(dladdr((const void *)kept, &here) ? here.dli_fname : NULL, ours, sizeof ours);
    snprintf(key, KEY_ROOM, "11|%s|%.200s|%s|%s|%s|%d%d", NYT_VERSION, Py_GetVersion(), processor,
             python, ours, variant(t), t->clock.tsc);
    for (char *p = key; *p; p++)
        if (*p == '\n')
            *p = ' ';
}

/* FNV-1a */
static uint64_t sum_of(const char *text, size_t len)
{
    uint64_t sum = 14695981039346656037u;
    for (size_t i = 0; i < len; i++)
        sum = (sum ^ (unsigned char)text[i]) * 1099511628211u;
    return sum;
}

/* ---- The file ---- */

static void file_name(const char *key, char name[40])
{
    snprintf(name, 40, "costs-%016" PRIx64, sum_of(key, strlen(key)));
}

static bool is_plausible(const costs *c, bool tsc)
{
    bool ok = c->speed > 0 && c->ns_per_unit > 0.01 && c->ns_per_unit < 1000 &&
              (tsc || c->ns_per_unit == 1);
    for (int k = 0; k < COST_KINDS; k++)
        ok = ok && (double)c->of.of[k] * c->ns_per_unit < LARGEST_NS;
    return ok && (double)c->of.instruction * c->ns_per_unit / WEIGHT_PARTS < LARGEST_NS;
}

/* The numbers behind the key's line. */
static bool parse(const char *text, costs *c)
{
    char *end;
    c->ns_per_unit = PyOS_string_to_double(text, &end, NULL);
    PyErr_Clear();
    c->speed = strtoull(end, &end, 10);
    for (int k = 0; k < COST_KINDS; k++)
        c->of.of[k] = strtoull(end, &end, 10);
    c->of.most_debt = strtoull(end, &end, 10);
    c->of.instruction = strtoull(end, &end, 10);
    for (int k = 0; k < COST_KINDS; k++)
        c->usual[k] = (double)strtoull(end, &end, 10) / PARTS;
    return *end == '\n';
}

static bool read_file(const char *key, costs *c)
{
    char name[40];
    size_t len, keys = strlen(key);
    file_name(key, name);
    char *text = cache_read(name, MAX_AGE, FILE_ROOM, &len);
    char *sum = text ? strrchr(text, '#') : NULL;   /* the last line */
    bool ok = sum && strtoull(sum + 1, NULL, 16) == sum_of(text, (size_t)(sum - text)) &&
              strncmp(text, key, keys) == 0 && text[keys] == '\n' && parse(text + keys + 1, c);
    free(text);
    return ok;
}

static size_t print(char *text, const char *key, const costs *c)
{
    size_t n = (size_t)snprintf(text, FILE_ROOM, "%s\n%.17g %" PRIu64, key, c->ns_per_unit,
                                c->speed);
    for (int k = 0; k < COST_KINDS; k++)
        n += (size_t)snprintf(text + n, FILE_ROOM - n, " %" PRIu64, c->of.of[k]);
    n += (size_t)snprintf(text + n, FILE_ROOM - n, " %" PRIu64 " %" PRIu64, c->of.most_debt,
                          c->of.instruction);
    for (int k = 0; k < COST_KINDS; k++)
        n += (size_t)snprintf(text + n, FILE_ROOM - n, " %.0f", c->usual[k] * PARTS);
    n += (size_t)snprintf(text + n, FILE_ROOM - n, "\n");
    return n + (size_t)snprintf(text + n, FILE_ROOM - n, "#%" PRIx64 "\n", sum_of(text, n));
}

static void write_file(const char *key, const costs *c)
{
    char name[40], text[FILE_ROOM];
    file_name(key, name);
    cache_write(name, text, print(text, key, c));
}

/* ---- Recalled and kept ---- */

static bool wants_fresh(void)
{
    const char *wanted = getenv("PYNYTPROF_CALIBRATION");
    return wanted && strcmp(wanted, "fresh") == 0;
}

bool costs_recall(tracer *t)
{
    int v = variant(t);
    if (!kept[v].known) {
        char key[KEY_ROOM];
        costs found;
        make_key(t, key);
        if (wants_fresh() || !read_file(key, &found) || !is_plausible(&found, t->clock.tsc))
            return false;
        kept[v].costs = found;
        kept[v].known = true;
    }
    const costs *c = &kept[v].costs;
    clock_assume_rate(c->ns_per_unit);
    if (!t->options.raw) {
        t->speed.measured = c->of;
        t->speed.then = c->speed;
        memcpy(t->speed.usual, c->usual, sizeof c->usual);
    }
    return true;
}

void costs_keep(const tracer *t)
{
    char key[KEY_ROOM];
    int v = variant(t);
    costs *c = &kept[v].costs;
    c->ns_per_unit = clock_ns_per_unit(&t->clock);
    c->of = t->speed.measured;
    c->speed = t->speed.then;
    memcpy(c->usual, t->speed.usual, sizeof c->usual);
    if (!is_plausible(c, t->clock.tsc) || !c->of.of[t->options.stmts ? COST_LINE : COST_ENTER])
        return;
    kept[v].known = true;
    if (t->options.stmts && steps_may_be_better() && !c->of.of[COST_STEP_BIG])
        return;                 /* other tools stood in the way: next time there may be none */
    make_key(t, key);
    write_file(key, c);
}
