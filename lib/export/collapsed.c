/*
 * The call tree in the lines that flamegraph.pl and its kin read, as Perl's nytprofcalls writes
 * them: "a;b;c TICKS", exclusive time summed for each path. A profile without a tree gives one of
 * subs, or of lines.
 */
#include "nytprof.h"

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/utf8.h"
#include "export/export.h"
#include "export/paths.h"
#include "model/profile.h"
#include "model/sub_name.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names may become equal when they are made fit for the format, and so may paths. */
struct path {
    uint32_t parent;        /* 0 is the root */
    uint32_t name;
    size_t len; /* of its text */
    double ticks;
    bool returned; /* has time of its own, be it 0 */
    bool taken;
};

struct collapsed {
    const nyt_profile *p;
    struct nyt_paths all;
    struct nyt_names names;
    struct nyt_map by_step; /* parent and name -> path */
    struct nyt_buf text;
    struct path *paths;
    size_t count;
    uint32_t *path_of;       /* one of `all` -> ours */
    uint32_t *name_of_frame; /* -> ours + 1 */
    size_t ticks_bytes;      /* at most, of one path's ticks */
};

/* ---- Names ---- */

static size_t digits_at(nyt_str s, size_t at)
{
    size_t n = 0;
    while (at + n < s.len && isdigit((unsigned char)s.data[at + n]))
        n++;
    return n;
}

/* Where the last ":12]" of the name begins; 0: there is none. */
static size_t last_line_mark(nyt_str s)
{
    for (size_t at = s.len; at-- > 1;) {
        size_t n = s.data[at] == ':' ? digits_at(s, at + 1) : 0;
        if (n && at + 1 + n < s.len && s.data[at + 1 + n] == ']')
            return at;
    }
    return 0;
}

/* At "(eval 12)[..." the length of "(eval 12)", and where the number begins. Else 0. */
static size_t eval_at(nyt_str s, size_t at, size_t mark, size_t *number)
{
    size_t i = at + 1;
    while (i < s.len && nyt_is_word(s.data[i]))
        i++;
    if (i < at + 5 || memcmp(s.data + i - 4, "eval", 4) != 0 || i == s.len || s.data[i] != ' ')
        return 0;
    *number = ++i;
    size_t n = digits_at(s, i);
    i += n;
    if (n == 0 || i + 1 >= s.len || s.data[i] != ')' || s.data[i + 1] != '[' || mark < i + 3)
        return 0;
    return i + 1 - at;
}

/* Sibling evals are one in a flame graph: all get the number 0. false: out of memory. */
static bool fold_evals(struct nyt_buf *to, nyt_str s)
{
    size_t mark = last_line_mark(s), number;
    for (size_t at = 0; at < s.len;) {
        size_t n = s.data[at] == '(' ? eval_at(s, at, mark, &number) : 0;
        bool ok = n ? nyt_buf_append(to, s.data + at, number - at) && nyt_buf_append(to, "0)", 2)
                    : nyt_buf_append(to, s.data + at, 1);
        if (!ok)
            return false;
        at += n ? n : 1;
    }
    return true;
}

/* Our number of it + 1; 0: out of memory. */
static uint32_t fitting_name(struct collapsed *c, nyt_str name)
{
    struct nyt_buf folded = {0};
    c->text.len = 0;
    bool ok = fold_evals(&folded, name) &&
              nyt_buf_utf8(&c->text, (nyt_str){.data = (char *)folded.data, .len = folded.len},
                           ";\t");
    nyt_buf_free(&folded);
    nyt_str text = {.data = (char *)c->text.data, .len = c->text.len};
    return ok ? nyt_names_take(&c->names, text) + 1 : 0;
}

/* Each frame's name is made fit once. */
static bool name_of(struct collapsed *c, uint32_t frame, uint32_t *id)
{
    uint32_t *known = &c->name_of_frame[frame];
    if (!*known)
        *known = fitting_name(c, c->all.frames[frame].name);
    *id = *known - 1;
    return *known != 0;
}

/* ---- Paths ---- */

static bool path_for(struct collapsed *c, uint32_t parent, uint32_t name, uint32_t *path)
{
    bool is_new;
    uint32_t *at = nyt_map_take(&c->by_step, nyt_pair_key(parent, name), &is_new);
    if (!at)
        return false;
    if (is_new) {
        size_t len = c->paths[parent].len + (parent != 0) + c->names.list[name].name.len;
        if (len > SIZE_MAX / 2)
            return false;
        *at = (uint32_t)c->count++;
        c->paths[*at] = (struct path){.parent = parent, .name = name, .len = len};
    }
    *path = *at;
    return true;
}

static bool add_path(struct collapsed *c, size_t i)
{
    const struct nyt_path *from = &c->all.list[i];
    uint32_t name, path;
    if (!name_of(c, from->frame, &name) || !path_for(c, c->path_of[from->parent], name, &path))
        return false;
    c->path_of[i] = path;
    if (from->returned) {
        c->paths[path].returned = true;
        c->paths[path].ticks += from->excl;
    }
    return true;
}

static bool add_paths(struct collapsed *c)
{
    c->count = 1;
    for (size_t i = 1; i < c->all.count; i++)
        if (!add_path(c, i))
            return false;
    return true;
}

/* ---- Lines ---- */

enum { NUMBER_BYTES = 330 };

static int put_ticks(const struct path *path, char text[static NUMBER_BYTES])
{
    double whole = trunc(path->ticks);
    return snprintf(text, NUMBER_BYTES, " %.0f\n", whole == 0 ? 0 : whole);     /* never -0 */
}

static double value_of(void *ctx, size_t item)
{
    const struct path *path = &((struct collapsed *)ctx)->paths[item];
    return path->returned ? path->ticks : -INFINITY;
}

/* It may get the time of others. */
static uint64_t cost_of(void *ctx, size_t item)
{
    const struct collapsed *c = ctx;
    return c->paths[item].returned ? c->paths[item].len + c->ticks_bytes : 0;
}

static size_t bytes_of_all_ticks(const struct collapsed *c)
{
    char text[NUMBER_BYTES];
    struct path sum = {.ticks = 0};
    for (size_t i = 1; i < c->count; i++)
        sum.ticks += c->paths[i].ticks > 0 ? c->paths[i].ticks : 0;
    return (size_t)put_ticks(&sum, text);
}

static void take(void *ctx, size_t item)
{
    struct path *path = &((struct collapsed *)ctx)->paths[item];
    path->taken = path->returned && item;
}

/* From its end to its beginning, for a path knows only the one above. */
static bool put_path(struct collapsed *c, struct nyt_out *o, const struct path *path)
{
    char ticks[NUMBER_BYTES];
    c->text.len = 0;
    if (!nyt_buf_reserve(&c->text, path->len + 1))
        return false;
    char *end = (char *)c->text.data + path->len;
    for (const struct path *at = path; at != c->paths; at = &c->paths[at->parent]) {
        nyt_str name = c->names.list[at->name].name;
        end -= name.len;
        memcpy(end, name.data, name.len);
        if (at->parent)
            *--end = ';';
    }
    nyt_out_bytes(o, c->text.data, path->len);
    nyt_out_bytes(o, ticks, (size_t)put_ticks(path, ticks));
    return true;
}

/* What is not taken gives its time to the nearest path above it that is. */
static void settle(struct collapsed *c, nyt_limit *limit)
{
    for (size_t i = 1; i < c->count; i++)
        if (c->paths[i].returned && !c->paths[i].taken)
            nyt_limit_left_out(limit, nyt_seconds_of(c->p, c->paths[i].ticks));
    for (size_t i = c->count; i-- > 1;) {
        if (c->paths[i].taken)
            continue;
        c->paths[c->paths[i].parent].ticks += c->paths[i].ticks;
        c->paths[i].ticks = 0;
    }
}

static bool put_lines(struct collapsed *c, struct nyt_out *o)
{
    for (size_t i = 1; i < c->count; i++)
        if (c->paths[i].taken && !put_path(c, o, &c->paths[i]))
            return false;
    return true;
}

/* What no path took; if there is no room for it, there is for nothing. */
static void put_left_out(struct collapsed *c, struct nyt_out *o, const nyt_limit *limit)
{
    char ticks[NUMBER_BYTES];
    size_t len = (size_t)put_ticks(&c->paths[0], ticks);
    if (c->paths[0].ticks < 1 || limit->max_bytes < nyt_left_out_name.len + len)
        return;
    nyt_out_bytes(o, nyt_left_out_name.data, nyt_left_out_name.len);
    nyt_out_bytes(o, ticks, len);
}

static bool put_all(struct collapsed *c, struct nyt_out *o, nyt_limit *limit)
{
    enum { LEFT_OUT_BYTES = 40 };
    struct nyt_chooser chooser = {.ctx = c, .value = value_of, .cost = cost_of, .take = take};
    if (!add_paths(c))
        return false;
    chooser.n = c->count;
    c->ticks_bytes = bytes_of_all_ticks(c);
    if (!nyt_choose(&chooser, LEFT_OUT_BYTES, limit))
        return false;
    settle(c, limit);
    if (!put_lines(c, o))
        return false;
    if (nyt_is_limited(limit))
        put_left_out(c, o, limit);
    return true;
}

/* false: out of memory. */
static bool begin(struct collapsed *c)
{
    if (!nyt_paths_find(&c->all, c->p))
        return false;
    c->paths = calloc(c->all.count, sizeof *c->paths);
    c->path_of = calloc(c->all.count, sizeof *c->path_of);
    c->name_of_frame = calloc(c->all.frame_count + 1, sizeof *c->name_of_frame);
    return c->paths && c->path_of && c->name_of_frame;
}

int nyt_export_collapsed(const nyt_profile *p, nyt_limit *limit, nyt_write_fn write, void *ctx,
                         nyt_error *err)
{
    struct collapsed c = {.p = p};
    struct nyt_out *o = malloc(sizeof *o);
    bool ok = begin(&c) && o;
    int rc = NYT_OK;
    nyt_limit_begin(limit);
    if (ok) {
        nyt_paths_tell(&c.all, limit);
        nyt_out_begin(o, write, ctx);
        ok = put_all(&c, o, limit);
        rc = nyt_out_end(o, err);
    }
    free(o);
    free(c.paths);
    free(c.path_of);
    free(c.name_of_frame);
    nyt_paths_free(&c.all);
    nyt_names_free(&c.names);
    nyt_map_free(&c.by_step);
    nyt_buf_free(&c.text);
    return ok ? rc : nyt_fail(err, NYT_ENOMEM, "out of memory");
}
