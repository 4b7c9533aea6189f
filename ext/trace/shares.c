/*
 * The time of hot code's lines, of which only some have been timed themselves.
 *
 * From one event to the next, time goes to the line that the first one told of, or, behind a
 * call, to the line of the call. Lines without events whose time it may be are of one part with it.
 * What a part has taken is divided among its lines by how often each has started, times what one
 * start of it took in some windows of time in which all lines had events. What C functions take that
 * a line has called is its own, and not divided.
 */
#include "shares.h"

#include <stdlib.h>

/* ---- Parts ---- */

/* Nodes: lines, then blocks, which stand for whatever line runs when they begin. */
typedef struct {
    const code_tier *tier;
    uint32_t n_lines;
    uint32_t *parent;
    bool *open; /* by block: a line without events may go on from what runs when it begins */
} part_search;

static uint32_t root(const part_search *s, uint32_t of)
{
    while (s->parent[of] != of)
        of = s->parent[of] = s->parent[s->parent[of]];
    return of;
}

static void join(const part_search *s, uint32_t a, uint32_t b)
{
    s->parent[root(s, a)] = root(s, b);
}

static bool is_kept(const part_search *s, uint32_t place)
{
    return s->tier->derived.kept[s->tier->flow.places[place].line];
}

/* Until nothing changes: a block without places is as those that follow it. */
static void find_open(part_search *s)
{
    const code_flow *flow = &s->tier->flow;
    for (uint32_t i = 0; i < flow->n_blocks; i++)
        s->open[i] = flow->blocks[i].first < flow->blocks[i].end &&
                     !is_kept(s, flow->blocks[i].first);
    for (bool again = true; again;) {
        again = false;
        for (uint32_t i = 0; i < flow->n_edges; i++) {
            const flow_edge *e = &flow->edges[i];
            if (flow->blocks[e->from].first == flow->blocks[e->from].end && s->open[e->to] &&
                !s->open[e->from])
                again = s->open[e->from] = true;
        }
    }
}

/* Within the block; returns the node of what runs at its end. */
static uint32_t join_block(const part_search *s, uint32_t block)
{
    const flow_block *b = &s->tier->flow.blocks[block];
    uint32_t running = s->n_lines + block;
    for (uint32_t i = b->first; i < b->end; i++) {
        uint32_t line = s->tier->flow.places[i].line;
        if (!is_kept(s, i))
            join(s, running, line);
        running = line;
    }
    return running;
}

static void join_all(const part_search *s)
{
    const code_flow *flow = &s->tier->flow;
    for (uint32_t i = 0, next = 0; i < flow->n_blocks; i++) {
        uint32_t running = join_block(s, i);
        for (; next < flow->n_edges && flow->edges[next].from == i; next++)
            if (s->open[flow->edges[next].to])
                join(s, running, s->n_lines + flow->edges[next].to);
    }
}

/* A part of one line alone has its time measured. */
static bool mark_shared(const part_search *s, bool *shared)
{
    bool *is_shared = calloc(s->n_lines + s->tier->flow.n_blocks, sizeof *is_shared);
    for (uint32_t i = 0; is_shared && i < s->n_lines; i++)
        if (!s->tier->derived.kept[i])
            is_shared[s->tier->part[i]] = true;
    for (uint32_t i = 0; is_shared && i < s->n_lines; i++)
        shared[i] = is_shared[s->tier->part[i]];
    free(is_shared);
    return is_shared != NULL;
}

bool shares_find_parts(code_tier *tier)
{
    part_search s = {.tier = tier, .n_lines = tier->derived.n_lines};
    uint32_t n = s.n_lines + tier->flow.n_blocks;
    s.parent = malloc(n * sizeof *s.parent);
    s.open = calloc(tier->flow.n_blocks, sizeof *s.open);
    bool ok = s.parent && s.open;
    for (uint32_t i = 0; ok && i < n; i++)
        s.parent[i] = i;
    if (ok) {
        find_open(&s);
        join_all(&s);
        for (uint32_t i = 0; i < s.n_lines; i++)
            tier->part[i] = root(&s, i);
        ok = mark_shared(&s, tier->shared);
    }
    free(s.parent);
    free(s.open);
    return ok;
}

/* ---- Shares ---- */

static uint64_t count_since(const line_slot *lines, const tier_place *since, uint32_t i)
{
    return lines[i].count - since->base[i].count;
}

/* Of a line's time, what is to be divided. */
static uint64_t time_since(const line_slot *lines, const tier_place *since, uint32_t i)
{
    uint64_t all = lines[i].time - since->base[i].time;
    return all > since->own[i] ? all - since->own[i] : 0;
}

void shares_learn(code_tier *tier, const line_slot *lines, const tier_place *since)
{
    for (uint32_t i = 0; i < tier->derived.n_lines; i++) {
        learned_line *learned = &tier->learned[i];
        uint64_t count = count_since(lines, since, i);
        if (count == 0)
            continue;
        learned->each[learned->next] = (float)time_since(lines, since, i) / (float)count;
        learned->next = (uint8_t)((learned->next + 1) % WINDOWS);
        learned->n += learned->n < WINDOWS;
    }
}

/*
 * The middle one of three windows, the shorter of two: in one of them, the line may have been
 * interrupted, or collected garbage.
 */
static double each_of(const learned_line *learned)
{
    float a = learned->each[0], b = learned->each[1], c = learned->each[2];
    float low = a < b ? a : b, high = a < b ? b : a;
    if (learned->n < WINDOWS)
        return (double)(learned->n == 1 ? a : low);
    return (double)(c < low ? low : c > high ? high : c);
}

/* What one start of any line took, for those that have never been timed. */
static double usual_time(const code_tier *tier)
{
    double sum = 0, n = 0;
    for (uint32_t i = 0; i < tier->derived.n_lines; i++)
        if (tier->learned[i].n) {
            sum += each_of(&tier->learned[i]);
            n++;
        }
    return n > 0 ? sum / n : 0;
}

static double weight_of(const learned_line *learned, double usual, uint64_t count)
{
    return (learned->n ? each_of(learned) : usual) * (double)count;
}

/* Of a part, a name for which is the node that its lines have in common: */
typedef struct {
    uint64_t time, left; /* measured, and not given yet */
    double weights;
    uint32_t last;       /* the last of its lines that has a weight */
} part_sum;

static void sum_up(const code_tier *tier, const line_slot *lines, const tier_place *since,
                   part_sum *sums, double usual)
{
    for (uint32_t i = 0; i < tier->derived.n_lines; i++) {
        part_sum *sum = &sums[tier->part[i]];
        double weight = weight_of(&tier->learned[i], usual, count_since(lines, since, i));
        sum->left = sum->time += time_since(lines, since, i);
        sum->weights += weight;
        if (weight > 0)
            sum->last = i;
    }
}

static void give(const code_tier *tier, line_slot *lines, const tier_place *since, part_sum *sums,
                 double usual)
{
    for (uint32_t i = 0; i < tier->derived.n_lines; i++) {
        part_sum *sum = &sums[tier->part[i]];
        if (!tier->shared[i] || sum->weights <= 0)
            continue;
        double weight = weight_of(&tier->learned[i], usual, count_since(lines, since, i));
        uint64_t share = (uint64_t)((double)sum->time * (weight / sum->weights));
        if (share > sum->left || i == sum->last)
            share = sum->left;
        lines[i].time += share - time_since(lines, since, i);
        sum->left -= share;
    }
}

bool shares_give(code_tier *tier, line_slot *lines, const tier_place *since)
{
    uint32_t n = tier->derived.n_lines + tier->flow.n_blocks;
    part_sum *sums = calloc(n, sizeof *sums);
    double usual = usual_time(tier);
    if (sums) {
        sum_up(tier, lines, since, sums, usual);
        give(tier, lines, since, sums, usual);
    }
    free(sums);
    return sums != NULL;
}
