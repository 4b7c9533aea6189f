/* What exports share: how much to write of a profile. */
#include "export/export.h"

#include "base/str.h"
#include "model/profile.h"

#include <math.h>
#include <stdlib.h>

/* ---- Limits ---- */

struct choice {
    double value;
    size_t item;
};

static int larger_first(const void *left, const void *right)
{
    const struct choice *a = left, *b = right;
    int by_value = NYT_COMPARE(b->value, a->value);
    return by_value ? by_value : NYT_COMPARE(a->item, b->item);
}

bool nyt_is_limited(const nyt_limit *limit)
{
    return limit && limit->max_bytes;
}

/* Values that are no number come last, so that the order is one. */
static struct choice *choices_of(const struct nyt_chooser *c)
{
    struct choice *choices = calloc(c->n ? c->n : 1, sizeof *choices);
    for (size_t i = 0; choices && i < c->n; i++) {
        double value = c->value(c->ctx, i);
        choices[i] = (struct choice){.value = isnan(value) ? -INFINITY : value, .item = i};
    }
    if (choices)
        qsort(choices, c->n, sizeof *choices, larger_first);
    return choices;
}

static void take_all(const struct nyt_chooser *c)
{
    for (size_t i = 0; i < c->n; i++)
        c->take(c->ctx, i);
}

bool nyt_choose(const struct nyt_chooser *c, uint64_t fixed, const nyt_limit *limit)
{
    if (!nyt_is_limited(limit)) {
        take_all(c);
        return true;
    }
    struct choice *choices = choices_of(c);
    if (!choices)
        return false;
    uint64_t left = limit->max_bytes > fixed ? limit->max_bytes - fixed : 0;
    for (size_t i = 0; i < c->n; i++) {
        uint64_t cost = c->cost(c->ctx, choices[i].item);
        if (cost > left)
            break;
        left -= cost;
        c->take(c->ctx, choices[i].item);
    }
    free(choices);
    return true;
}

void nyt_limit_begin(nyt_limit *limit)
{
    if (limit)
        *limit = (nyt_limit){.max_bytes = limit->max_bytes, .top = limit->top};
}

void nyt_limit_left_out(nyt_limit *limit, double seconds)
{
    if (limit) {
        limit->left_out++;
        limit->left_out_time += seconds;
    }
}

void nyt_limit_left_out_line(nyt_limit *limit)
{
    if (limit)
        limit->left_out_lines++;
}

void nyt_limit_shown(nyt_limit *limit, nyt_shown shown)
{
    if (limit)
        limit->shown = shown;
}

/* ---- What there is ---- */

static bool has_calls(const nyt_profile *p)
{
    for (size_t i = 0; i < p->sub_count; i++)
        if (p->subs[i].calls)
            return true;
    return false;
}

nyt_shown nyt_shown_of_lines(const nyt_profile *p)
{
    return p->lines[NYT_LEVEL_LINE].count || has_calls(p) ? NYT_SHOWN_ALL : NYT_SHOWN_NOTHING;
}

nyt_shown nyt_shown_of_calls(const nyt_profile *p)
{
    if (has_calls(p))
        return NYT_SHOWN_ALL;
    return p->lines[NYT_LEVEL_LINE].count ? NYT_SHOWN_LINES : NYT_SHOWN_NOTHING;
}

nyt_shown nyt_shown_of(const nyt_profile *p)
{
    if (p->node_count > 1)
        return NYT_SHOWN_ALL;
    nyt_shown shown = nyt_shown_of_calls(p);
    return shown == NYT_SHOWN_ALL ? NYT_SHOWN_SUBS : shown;
}

int nyt_count_bytes(void *ctx, const void *data, size_t len)
{
    (void)data;
    *(uint64_t *)ctx += len;
    return NYT_OK;
}

const nyt_str nyt_unreturned = {.data = "(did not return)", .len = 16};
