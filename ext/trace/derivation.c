/*
 * Flow conservation: as often as a block is come into, it is left (Kirchhoff's law; Knuth 1973, Ball
 * and Larus 1994, who count edges off a maximum spanning tree). What can be counted here are lines,
 * which may start at several places. So it is done with equations: the unknowns are how often each
 * block has run and each edge was taken; for each block what comes in and what goes out are known
 * to be equal to that; and a line's count is the sum of some of them. Lines are taken one after
 * the other, those that start seldom first. One that does not follow from the equations and the
 * lines before is counted, and is an equation from now on. As the independent sets of a
 * matrix are a matroid, no other choice needs fewer events.
 *
 * All is done in whole numbers: an equation that can't be solved for an unknown with the factor
 * 1 or -1 is not used. What has been done to equations is written down as steps, which are repeated
 * with the numbers that the program has brought.
 */
#include "derivation.h"

#include "util.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_BLOCKS = 256, MOST_FACTOR = 1 << 12 };

/*
 * Rows: by block what leaves it, by block what comes, by line. Columns: blocks, then those edges that
 * are not the only ones to where they lead.
 */
typedef struct {
    derivation *d;
    const code_flow *flow;
    size_t n_columns;
    uint32_t *column_of; /* by edge */
    uint32_t *edges; /* those that come to a block side by side, */
    uint32_t *first_in; /* from here on, to the next block's */
    uint32_t *first_out; /* the same of edges that leave it, as they are */
    int32_t *work;      /* the row that is looked at */
    int32_t *rows;      /* those that are used, one after the other; */
    uint32_t *pivots;   /* each is solved for this column, and has nothing of the earlier ones' */
    uint32_t *ids;
    size_t n_rows;
    bool failed; /* no memory, or numbers too large */
} elimination;

static uint32_t row_of_way_in(const derivation *d, uint32_t block)
{
    return d->n_blocks + block;
}

static uint32_t row_of_line(const derivation *d, uint32_t line)
{
    return 2 * d->n_blocks + line;
}

static void add_step(elimination *e, uint32_t target, uint32_t source, int32_t factor)
{
    derivation *d = e->d;
    derivation_step *steps = nyt_grow(d->steps, &d->steps_cap, d->n_steps + 1, sizeof *steps);
    if (!steps) {
        e->failed = true;
        return;
    }
    d->steps = steps;
    steps[d->n_steps++] = (derivation_step){.target = target, .source = source, .factor = factor};
}

/* Takes all that is known away from the row; what is left is new. */
static void reduce(elimination *e, uint32_t id)
{
    for (size_t k = 0; k < e->n_rows && !e->failed; k++) {
        int32_t factor = e->work[e->pivots[k]];
        if (!factor)
            continue;
        const int32_t *row = &e->rows[k * e->n_columns];
        uint32_t over = 0;
        for (size_t i = 0; i < e->n_columns; i++) {
            e->work[i] -= factor * row[i];
            over |= (uint32_t)(e->work[i] + MOST_FACTOR) > 2 * MOST_FACTOR;
        }
        e->failed = e->failed || over;
        add_step(e, id, e->ids[k], factor);
    }
}

static bool is_zero(const elimination *e)
{
    for (size_t i = 0; i < e->n_columns; i++)
        if (e->work[i])
            return false;
    return true;
}

/* The row is used from now on, if it can be solved for anything. */
static bool use_row(elimination *e, uint32_t id)
{
    size_t pivot = 0;
    while (pivot < e->n_columns && e->work[pivot] != 1 && e->work[pivot] != -1)
        pivot++;
    if (pivot == e->n_columns)
        return false;
    if (e->work[pivot] < 0) {
        add_step(e, id, id, 2);         /* v -= 2 v */
        for (size_t i = 0; i < e->n_columns; i++)
            e->work[i] = -e->work[i];
    }
    memcpy(&e->rows[e->n_rows * e->n_columns], e->work, e->n_columns * sizeof *e->work);
    e->pivots[e->n_rows] = (uint32_t)pivot;
    e->ids[e->n_rows++] = id;
    return true;
}

static void clear(elimination *e)
{
    memset(e->work, 0, e->n_columns * sizeof *e->work);
}

/* An equation, or a line that is counted; what can't be used leaves no steps behind. */
static void learn_row(elimination *e, uint32_t id)
{
    size_t n_steps = e->d->n_steps;
    reduce(e, id);
    if (!use_row(e, id))
        e->d->n_steps = n_steps;
}

/* ---- Equations ---- */

/* Of code of many lines, most of the time would go into looking for edges. */
static void sort_edges(elimination *e)
{
    const code_flow *flow = e->flow;
    for (uint32_t i = 0; i < flow->n_edges; i++) {
        e->first_in[flow->edges[i].to + 1]++;
        e->first_out[flow->edges[i].from + 1]++;
    }
    for (uint32_t i = 0; i < flow->n_blocks; i++) {
        e->first_in[i + 1] += e->first_in[i];
        e->first_out[i + 1] += e->first_out[i];
    }
    for (uint32_t i = 0; i < flow->n_edges; i++)
        e->edges[e->first_in[flow->edges[i].to]++] = i;
    for (uint32_t i = flow->n_blocks; i > 0; i--)
        e->first_in[i] = e->first_in[i - 1];
    e->first_in[0] = 0;
}

/* False: no memory. */
static bool find_columns(elimination *e)
{
    const code_flow *flow = e->flow;
    e->column_of = malloc((flow->n_edges + 1) * sizeof *e->column_of);
    e->edges = malloc((flow->n_edges + 1) * sizeof *e->edges);
    e->first_in = calloc((size_t)flow->n_blocks + 1, sizeof *e->first_in);
    e->first_out = calloc((size_t)flow->n_blocks + 1, sizeof *e->first_out);
    if (!e->column_of || !e->edges || !e->first_in || !e->first_out)
        return false;
    sort_edges(e);
    e->n_columns = flow->n_blocks;
    for (uint32_t i = 0; i < flow->n_edges; i++) {
        uint32_t to = flow->edges[i].to;
        bool only = flow->blocks[to].in_known && e->first_in[to + 1] - e->first_in[to] == 1;
        e->column_of[i] = only ? to : (uint32_t)e->n_columns++;
    }
    return true;
}

/* The block runs as often as it is come into, or left. */
static void learn_balance(elimination *e, uint32_t block, bool in)
{
    clear(e);
    e->work[block] = 1;
    const uint32_t *first = in ? e->first_in : e->first_out;
    for (uint32_t i = first[block]; i < first[block + 1]; i++)
        --e->work[e->column_of[in ? e->edges[i] : i]];
    learn_row(e, in ? row_of_way_in(e->d, block) : block);
}

static void learn_flow(elimination *e)
{
    for (uint32_t i = 0; i < e->flow->n_blocks && !e->failed; i++) {
        if (e->flow->blocks[i].out_known)
            learn_balance(e, i, false);
        if (e->flow->blocks[i].in_known)
            learn_balance(e, i, true);
    }
}

/* ---- Lines ---- */

static void add_place(elimination *e, const flow_place *p)
{
    if (p->kind == PLACE_INNER)
        e->work[p->block]++;
    if (p->kind != PLACE_LEADER)
        return;
    for (uint32_t i = e->first_in[p->block]; i < e->first_in[p->block + 1]; i++)
        if (!e->flow->edges[e->edges[i]].same_line)
            ++e->work[e->column_of[e->edges[i]]];
}

/* False: of none of its places, or not of all, it is known how often it starts there. */
static bool write_line(elimination *e, uint32_t line)
{
    bool any = false;
    clear(e);
    for (uint32_t i = 0; i < e->flow->n_places; i++) {
        const flow_place *p = &e->flow->places[i];
        if (p->line != line)
            continue;
        if (p->kind == PLACE_WILD)
            return false;
        add_place(e, p);
        any = true;
    }
    return any;
}

/* Whether the line follows from what is known; else it is counted. */
static bool take_line(elimination *e, uint32_t line)
{
    uint32_t id = row_of_line(e->d, line);
    size_t n_steps = e->d->n_steps;
    e->d->kept[line] = true;
    if (!write_line(e, line))
        return false;
    reduce(e, id);
    if (e->failed || !is_zero(e)) {
        if (!use_row(e, id))
            e->d->n_steps = n_steps;
        return false;
    }
    e->d->kept[line] = false;
    return true;
}

typedef struct {
    uint64_t often;
    uint32_t line;
} dear_line;

static int by_dearness(const void *a, const void *b)
{
    const dear_line *x = a, *y = b;
    if (x->often != y->often)
        return x->often < y->often ? -1 : 1;
    return x->line < y->line ? -1 : x->line > y->line;
}

/* How many lines need not be counted. */
static size_t take_lines(elimination *e, dear_line *lines)
{
    size_t follow = 0;
    qsort(lines, e->d->n_lines, sizeof *lines, by_dearness);
    for (uint32_t i = 0; i < e->d->n_lines && !e->failed; i++)
        follow += take_line(e, lines[i].line);
    return follow;
}

/* ---- Steps ---- */

/* Only those remain on which a line's count depends. */
static void prune(derivation *d, bool *needed)
{
    for (uint32_t i = 0; i < d->n_lines; i++)
        needed[row_of_line(d, i)] = !d->kept[i];
    for (size_t i = d->n_steps; i-- > 0;)
        if (needed[d->steps[i].target])
            needed[d->steps[i].source] = true;
    size_t n = 0;
    for (size_t i = 0; i < d->n_steps; i++)
        if (needed[d->steps[i].target])
            d->steps[n++] = d->steps[i];
    d->n_steps = n;
    derivation_step *fitting = n ? realloc(d->steps, n * sizeof *fitting) : NULL;
    if (fitting) {
        d->steps = fitting;
        d->steps_cap = n;
    }
}

static bool eliminate(elimination *e, const uint64_t *often)
{
    const derivation *d = e->d;
    size_t most_rows = 2 * (size_t)d->n_blocks + d->n_lines;
    if (most_rows > e->n_columns)
        most_rows = e->n_columns;       /* no more are independent */
    dear_line *lines = calloc(d->n_lines, sizeof *lines);
    bool *needed = calloc(row_of_line(d, d->n_lines), sizeof *needed);
    e->work = malloc(e->n_columns * sizeof *e->work);
    e->rows = malloc(most_rows * e->n_columns * sizeof *e->rows);
    e->pivots = malloc(most_rows * sizeof *e->pivots);
    e->ids = malloc(most_rows * sizeof *e->ids);
    bool ok = lines && needed && e->work && e->rows && e->pivots && e->ids;
    for (uint32_t i = 0; ok && i < d->n_lines; i++)
        lines[i] = (dear_line){.often = often[i], .line = i};
    if (ok)
        learn_flow(e);
    ok = ok && !e->failed && take_lines(e, lines) && !e->failed;
    if (ok)
        prune(e->d, needed);
    free(needed);
    free(lines);
    return ok;
}

bool derivation_find(derivation *d, const code_flow *flow, uint32_t n_lines, const uint64_t *often)
{
    if (!flow->n_blocks || flow->n_blocks > MOST_BLOCKS || !n_lines)
        return false;
    d->n_blocks = flow->n_blocks;
    d->n_lines = n_lines;
    d->kept = calloc(n_lines, sizeof *d->kept);
    d->values = calloc(row_of_line(d, n_lines), sizeof *d->values);
    elimination e = {.d = d, .flow = flow};
    bool ok = d->kept && d->values && find_columns(&e) && eliminate(&e, often);
    free(e.column_of);
    free(e.edges);
    free(e.first_in);
    free(e.first_out);
    free(e.work);
    free(e.rows);
    free(e.pivots);
    free(e.ids);
    return ok;
}

int64_t *derivation_counts(const derivation *d)
{
    return &d->values[row_of_line(d, 0)];
}

void derivation_apply(const derivation *d, const int64_t *stuck)
{
    int64_t *values = d->values, *counts = derivation_counts(d);
    memset(values, 0, row_of_line(d, 0) * sizeof *values);
    memcpy(values, stuck, d->n_blocks * sizeof *values);
    for (uint32_t i = 0; i < d->n_lines; i++)
        if (!d->kept[i])
            counts[i] = 0;
    for (size_t i = 0; i < d->n_steps; i++)
        values[d->steps[i].target] -= d->steps[i].factor * values[d->steps[i].source];
    for (uint32_t i = 0; i < d->n_lines; i++)
        if (!d->kept[i])
            counts[i] = -counts[i];
}
