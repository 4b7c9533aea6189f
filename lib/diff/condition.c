/*
 * Conditions on a diff, such as "total>+5%" or "sub:main::f.incl>+10%&+5ms":
 *
 *     condition = figure ( ">" | ">=" | "<" | "<=" ) amount { "&" amount }
 *     figure    = total | kind ":" pattern "." field
 *     amount    = [ "+" | "-" ] number [ "%" | "s" | "ms" | "us" | "ns" ]
 *
 * An amount with a sign is a change, one without is the new value. All amounts must be passed.
 */
#include "diff/condition.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "diff/diff.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { AMOUNTS = 4, SHOWN = 100 };

enum unit { UNIT_NONE, UNIT_PERCENT, UNIT_TIME };

struct amount {
    double value;       /* percent, seconds or a number */
    bool is_change;
    enum unit unit;
};

enum field { FIELD_COUNT, FIELD_INCL, FIELD_EXCL };

struct condition {
    const char *text;
    bool less, or_equal;
    struct amount amounts[AMOUNTS];
    size_t amount_count;

    enum nyt_total total;           /* if there is no pattern */
    bool is_time;
    bool has_pattern;
    nyt_diff_kind kind;
    nyt_str pattern;
    enum field field;
};

static int malformed(nyt_error *err, const struct condition *c, const char *at, const char *what)
{
    int rc = nyt_fail(err, NYT_EAPI, "%s", what);
    if (err)
        err->offset = (uint64_t)(at - c->text);
    return rc;
}

double nyt_percent(double before, double after)
{
    if (before == after)
        return 0;
    if (before == 0)
        return after > 0 ? INFINITY : -INFINITY;
    return 100 * (after - before) / fabs(before);
}

/* ---- Amounts ---- */

/* Digits with one point at most, whatever the locale; NULL: there is no number. */
static const char *parse_number(const char *p, double *value)
{
    double scale = 1;
    bool any = false, fraction = false;
    *value = 0;
    for (; (*p >= '0' && *p <= '9') || (*p == '.' && !fraction); p++) {
        if (*p == '.') {
            fraction = true;
            continue;
        }
        any = true;
        *value = *value * 10 + (*p - '0');
        if (fraction)
            scale *= 10;
    }
    *value /= scale;
    return any && isfinite(*value) ? p : NULL;
}

static const char *parse_unit(const char *p, struct amount *a)
{
    static const struct {
        const char *name;
        enum unit unit;
        double divisor;
    } units[] = {{"%", UNIT_PERCENT, 1},
                 {"ms", UNIT_TIME, 1e3},
                 {"us", UNIT_TIME, 1e6},
                 {"ns", UNIT_TIME, 1e9},
                 {"s", UNIT_TIME, 1}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        size_t len = strlen(units[i].name);
        if (strncmp(p, units[i].name, len) == 0) {
            a->unit = units[i].unit;
            a->value /= units[i].divisor;
            return p + len;
        }
    }
    return p;
}

/* Behind it; NULL: this is none. */
static const char *parse_amount(const char *p, struct amount *a)
{
    bool negative = *p == '-';
    *a = (struct amount){.is_change = *p == '+' || *p == '-'};
    p = parse_number(p + a->is_change, &a->value);
    if (p)
        p = parse_unit(p, a);
    if (negative)
        a->value = -a->value;
    return p;
}

int nyt_min_change_parse(struct nyt_min_change *out, const char *text, nyt_error *err)
{
    *out = (struct nyt_min_change){0};
    if (!text)
        text = "5%,100us";
    for (const char *p = text;; p++) {
        struct amount a;
        const char *end = parse_amount(p, &a);
        bool zero = end && a.unit == UNIT_NONE && a.value == 0;
        if (!end || a.is_change || (a.unit == UNIT_NONE && !zero) || (*end && *end != ','))
            return nyt_fail(err, NYT_EAPI,
                            "'%.60s' is no least change: it is like 5%%, 1ms or 5%%,1ms", text);
        if (a.unit == UNIT_PERCENT)
            out->percent = a.value;
        else
            out->seconds = a.value;
        p = end;
        if (!*p)
            return NYT_OK;
    }
}

int nyt_diff_min_change(const char *text, nyt_error *err)
{
    struct nyt_min_change min;
    return nyt_min_change_parse(&min, text, err);
}

static bool is_large(double before, double after, const struct nyt_min_change *min)
{
    return before != after && fabs(after - before) >= min->seconds &&
           fabs(nyt_percent(before, after)) >= min->percent;
}

/* What is on one side only differs by its count, unless it is a line that never ran. */
/* Times of several runs say nothing as long as one side's are among the other's. */
static bool overlap(double a, double a_most, double b, double b_most)
{
    return a <= b_most && b <= a_most;
}

bool nyt_delta_differs(const nyt_delta *delta, const struct nyt_min_change *min)
{
    const nyt_diff_side *a = &delta->before, *b = &delta->after;
    return a->count != b->count ||
           (is_large(a->incl, b->incl, min) &&
            !overlap(a->incl_least, a->incl_most, b->incl_least, b->incl_most)) ||
           (is_large(a->excl, b->excl, min) &&
            !overlap(a->excl_least, a->excl_most, b->excl_least, b->excl_most));
}

/* ---- Parsing ---- */

static bool is_word(const char *from, const char *to, const char *word)
{
    size_t len = (size_t)(to - from);
    return strlen(word) == len && memcmp(from, word, len) == 0;
}

static int parse_total(struct condition *c, const char *end, nyt_error *err)
{
    static const struct {
        const char *name;
        bool is_time;
    } totals[NYT_DIFF_TOTALS] = {[NYT_TOTAL_TIME] = {"total", true},
                                 [NYT_TOTAL_DURATION] = {"duration", true},
                                 [NYT_TOTAL_ACTIVE] = {"active", true},
                                 [NYT_TOTAL_LINES] = {"lines.count", false},
                                 [NYT_TOTAL_CALLS] = {"calls", false},
                                 {"lines.new", false},
                                 {"lines.gone", false},
                                 {"lines.changed", false},
                                 {"subs.new", false},
                                 {"subs.gone", false},
                                 {"subs.changed", false},
                                 {"edges.new", false},
                                 {"edges.gone", false},
                                 {"edges.changed", false}};
    for (int i = 0; i < NYT_DIFF_TOTALS; i++) {
        if (is_word(c->text, end, totals[i].name)) {
            c->total = (enum nyt_total)i;
            c->is_time = totals[i].is_time;
            return NYT_OK;
        }
    }
    return malformed(err, c, c->text,
                     "there is no such figure; it is like total, calls, "
                     "sub:NAME.incl, line:FILE:LINE.time or edge:A->B.calls");
}

/* Each kind: its prefix and what it calls its fields. */
static const struct {
    const char *prefix;
    const char *fields[3];
} kinds[NYT_DIFF_KINDS] = {
    [NYT_DIFF_LINES] = {"line:", {[FIELD_COUNT] = "count", [FIELD_EXCL] = "time"}},
    [NYT_DIFF_SUBS] = {"sub:", {"calls", "incl", "excl"}},
    [NYT_DIFF_EDGES] = {"edge:", {"calls", "incl", "excl"}},
};

static int parse_figure(struct condition *c, const char *end, nyt_error *err)
{
    int kind = 0;
    while (kind < NYT_DIFF_KINDS &&
           strncmp(c->text, kinds[kind].prefix, strlen(kinds[kind].prefix)) != 0)
        kind++;
    if (kind == NYT_DIFF_KINDS)
        return parse_total(c, end, err);
    const char *from = c->text + strlen(kinds[kind].prefix), *point = end;
    while (point > from && *point != '.')
        point--;
    if (point <= from)
        return malformed(err, c, from, "a name, a point and what of it is missing");
    c->has_pattern = true;
    c->kind = (nyt_diff_kind)kind;
    c->pattern = (nyt_str){.data = from, .len = (size_t)(point - from)};
    for (int i = 0; i < 3; i++) {
        const char *field = kinds[kind].fields[i];
        if (field && is_word(point + 1, end, field)) {
            c->field = (enum field)i;
            c->is_time = i != FIELD_COUNT;
            return NYT_OK;
        }
    }
    return malformed(err, c, point + 1,
                     kind == NYT_DIFF_LINES ? "of a line there are count and time"
                                            : "of this there are calls, incl and excl");
}

static int check_amount(const struct condition *c, const char *p, const struct amount *a,
                        nyt_error *err)
{
    if (a->unit == UNIT_PERCENT && !a->is_change)
        return malformed(err, c, p, "percents are of a change: write +5% or -5%");
    if (a->unit == UNIT_TIME && !c->is_time)
        return malformed(err, c, p, "a number of times is not in seconds");
    if (a->unit == UNIT_NONE && c->is_time && a->value != 0)
        return malformed(err, c, p, "the unit is missing: s, ms, us, ns or %");
    return NYT_OK;
}

static int parse_amounts(struct condition *c, const char *p, nyt_error *err)
{
    for (;; p++) {
        struct amount a;
        const char *end = parse_amount(p, &a);
        if (!end)
            return malformed(err, c, p, "a number is missing");
        if (c->amount_count == AMOUNTS)
            return malformed(err, c, p, "too many amounts");
        int rc = check_amount(c, p, &a, err);
        if (rc < 0)
            return rc;
        c->amounts[c->amount_count++] = a;
        p = end;
        if (!*p)
            return NYT_OK;
        if (*p != '&')
            return malformed(err, c, p, "an amount ends with %, s, ms, us or ns");
    }
}

/* The last '<' or '>' is the operator: names hold others. */
static int parse(struct condition *c, const char *text, nyt_error *err)
{
    *c = (struct condition){.text = text};
    const char *less = strrchr(text, '<'), *more = strrchr(text, '>');
    const char *sign = !less || (more && more > less) ? more : less;
    if (!sign)
        return malformed(err, c, text + strlen(text), "there is no > or <");
    c->less = *sign == '<';
    c->or_equal = sign[1] == '=';
    int rc = parse_figure(c, sign, err);
    return rc < 0 ? rc : parse_amounts(c, sign + 1 + c->or_equal, err);
}

/* ---- Patterns ---- */

/* '*' is any number of characters; "\*" is a '*'. */
static bool matches(nyt_str pattern, nyt_str text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, resume = 0;
    while (t < text.len) {
        bool escaped = p + 1 < pattern.len && pattern.data[p] == '\\' && pattern.data[p + 1] == '*';
        if (p < pattern.len && pattern.data[p] == '*') {
            star = ++p;
            resume = t;
        } else if (p < pattern.len && pattern.data[p + escaped] == text.data[t]) {
            p += 1 + escaped;
            t++;
        } else if (star != SIZE_MAX) {
            p = star;
            t = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.data[p] == '*')
        p++;
    return p == pattern.len;
}

static bool is_exact(nyt_str pattern)
{
    for (size_t i = 0; i < pattern.len; i++)
        if (pattern.data[i] == '*' && (i == 0 || pattern.data[i - 1] != '\\'))
            return false;
    return true;
}

struct check {
    const struct condition *c;
    const nyt_diff *d;
    struct nyt_buf name; /* of an edge or a line, for the pattern */
    bool no_memory;
};

static bool append_str(struct check *k, nyt_str s)
{
    return nyt_buf_append(&k->name, s.data, s.len);
}

static nyt_str collected(const struct check *k)
{
    return (nyt_str){.data = (const char *)k->name.data, .len = k->name.len};
}

static nyt_str full_name(struct check *k, const nyt_diff_side *side, int s)
{
    static const nyt_str arrow = {.data = "->", .len = 2};
    k->name.len = 0;
    bool ok = true;
    if (k->c->kind == NYT_DIFF_SUBS)
        return *side->name;
    if (k->c->kind == NYT_DIFF_EDGES) {
        ok = append_str(k, *side->caller) && append_str(k, arrow) && append_str(k, *side->name);
    } else {
        char digits[12];
        size_t at = sizeof digits;
        const nyt_file *file = nyt_profile_file(k->d->match.half[s].p, side->fid);
        for (uint32_t n = side->line; at == sizeof digits || n; n /= 10)
            digits[--at] = (char)('0' + n % 10);
        digits[--at] = ':';
        ok = (!file || append_str(k, file->name)) &&
             nyt_buf_append(&k->name, digits + at, sizeof digits - at);
    }
    k->no_memory |= !ok;
    return ok ? collected(k) : (nyt_str){.data = "", .len = 0};
}

/* Does the pattern match the whole, or the last parts of the path? */
static bool matches_path(nyt_str pattern, nyt_str name)
{
    enum { MOST_PARTS = 64 };
    size_t parts = 0;
    for (size_t i = name.len; i > 0 && parts < MOST_PARTS; i--) {
        if (name.data[i - 1] != '/' && name.data[i - 1] != '\\')
            continue;
        parts++;
        if (matches(pattern, (nyt_str){.data = name.data + i, .len = name.len - i}))
            return true;
    }
    return matches(pattern, name);
}

static bool is_meant(struct check *k, const nyt_diff_side *side, int s)
{
    if (!side->there)
        return false;
    nyt_str name = full_name(k, side, s);
    return k->c->kind == NYT_DIFF_LINES ? matches_path(k->c->pattern, name)
                                        : matches(k->c->pattern, name);
}

/* ---- Judging ---- */

static bool passes(const struct condition *c, const struct amount *a, double before, double after)
{
    double value = !a->is_change             ? after
                   : a->unit == UNIT_PERCENT ? nyt_percent(before, after)
                                             : after - before;
    if (c->or_equal && value == a->value)
        return true;
    return c->less ? value < a->value : value > a->value;
}

static bool is_met(const struct condition *c, double before, double after)
{
    for (size_t i = 0; i < c->amount_count; i++)
        if (!passes(c, &c->amounts[i], before, after))
            return false;
    return true;
}

static double field_of(const struct condition *c, const nyt_diff_side *side)
{
    return c->field == FIELD_COUNT  ? (double)side->count
           : c->field == FIELD_INCL ? side->incl
                                    : side->excl;
}

/* ---- What is said of it ---- */

static void put_value(struct nyt_out *o, bool is_time, double value)
{
    if (is_time)
        nyt_out_general(o, value);
    else
        nyt_out_fixed(o, 0, 0, value);
    nyt_out_text(o, is_time ? " s" : "");
}

static void put_figures(struct nyt_out *o, bool is_time, double before, double after)
{
    double percent = nyt_percent(before, after);
    put_value(o, is_time, before);
    nyt_out_text(o, " became ");
    put_value(o, is_time, after);
    nyt_out_text(o, " (");
    nyt_out_text(o, after < before ? "" : "+");
    put_value(o, is_time, after - before);
    if (isfinite(percent)) {
        nyt_out_text(o, percent < 0 ? ", " : ", +");
        nyt_out_fixed(o, 0, 1, percent);
        nyt_out_text(o, "%");
    }
    nyt_out_text(o, ")");
}

struct sum {
    size_t meant, met;
    const nyt_delta *shown;     /* of those that met it the one that changed most, else any */
};

static double size_of_change(const struct condition *c, const nyt_delta *delta)
{
    return fabs(field_of(c, &delta->after) - field_of(c, &delta->before));
}

static void add_up(struct check *k, struct sum *t)
{
    const struct condition *c = k->c;
    const struct nyt_deltas *deltas = &k->d->deltas[c->kind];
    for (size_t i = 0; i < deltas->count && !k->no_memory; i++) {
        const nyt_delta *delta = &deltas->list[i];
        if (!is_meant(k, &delta->after, 1) && !is_meant(k, &delta->before, 0))
            continue;
        bool met = is_met(c, field_of(c, &delta->before), field_of(c, &delta->after));
        bool first = met ? t->met == 0 : t->meant == 0;
        t->meant++;
        t->met += met;
        if (first || (met && size_of_change(c, delta) > size_of_change(c, t->shown)))
            t->shown = delta;
    }
}

static void put_sum(struct nyt_out *o, struct check *k, const struct sum *t)
{
    const struct condition *c = k->c;
    const nyt_delta *shown = t->shown;
    if (!shown) {
        nyt_out_text(o, "nothing of that name");
        return;
    }
    bool is_new = shown->after.there;
    nyt_out_safe(o, full_name(k, is_new ? &shown->after : &shown->before, is_new), SHOWN);
    nyt_out_text(o, " ");
    put_figures(o, c->is_time, field_of(c, &shown->before), field_of(c, &shown->after));
    if (t->met > 1)
        nyt_out_format(o, ", and %zu more", t->met - 1);
}

static int check_pattern(struct check *k, struct nyt_out *o, nyt_error *err)
{
    struct sum t = {.shown = NULL};
    add_up(k, &t);
    if (!k->no_memory && !t.meant && is_exact(k->c->pattern))
        return malformed(err, k->c, k->c->pattern.data, "this is in neither profile");
    put_sum(o, k, &t);
    return k->no_memory ? nyt_fail(err, NYT_ENOMEM, "out of memory") : t.met > 0;
}

static int check(struct check *k, struct nyt_out *o, nyt_error *err)
{
    const struct condition *c = k->c;
    nyt_out_safe(o, (nyt_str){.data = c->text, .len = strlen(c->text)}, SHOWN);
    nyt_out_text(o, ": ");
    if (c->has_pattern)
        return check_pattern(k, o, err);
    const nyt_diff_total *total = &k->d->totals[c->total];
    put_figures(o, c->is_time, total->before, total->after);
    return is_met(c, total->before, total->after);
}

static int write_nothing(void *ctx, const void *data, size_t len)
{
    (void)ctx, (void)data, (void)len;
    return NYT_OK;
}

int nyt_diff_check(const nyt_diff *d, const char *condition, nyt_write_fn write, void *ctx,
                   nyt_error *err)
{
    struct condition c;
    int rc = parse(&c, condition, err);
    if (rc < 0 || !d)
        return rc;
    struct nyt_out *o = malloc(sizeof *o);
    if (!o)
        return nyt_fail(err, NYT_ENOMEM, "out of memory");
    struct check k = {.c = &c, .d = d};
    nyt_out_begin(o, write ? write : write_nothing, ctx);
    rc = check(&k, o, err);
    int written = rc < 0 ? rc : nyt_out_end(o, err);
    nyt_buf_free(&k.name);
    free(o);
    return written < 0 ? written : rc;
}
