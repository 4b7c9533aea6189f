/*
 * Two texts, line by line: which lines stayed. What is equal at both ends stayed. Between, lines
 * that stand exactly once in each text are sure to be the same, as far as they keep their
 * order: the longest such series cuts the rest into gaps, which are treated likewise (this is
 * known as patience diff). A gap without any is solved exactly if it is small, else by pairing the
 * n-th occurrence of a line with the n-th. All steps but the exact one take n log n.
 */
#include "diff/text_diff.h"

#include "base/hash.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum {
    MOST_CELLS = 1 << 20,   /* of one exact solution: a table of two bytes each */
    DEPTH = 24              /* of gaps within gaps */
};

struct gap {
    uint32_t a, a_end, b, b_end;
    uint32_t depth;
};

/* Of one line's text, within the gap at hand. */
struct text {
    uint32_t in_a, in_b;    /* occurrences */
    uint32_t at_b;          /* the last one found in b */
};

struct anchor {
    uint32_t a, b;
    uint32_t before; /* the anchor that comes before it in the best series that ends here */
};

struct text_diff {
    uint32_t *a, *b; /* the lines as numbers of texts */
    uint32_t *mates;
    struct text *texts; /* all zeros between two uses */
    struct anchor *anchors;
    uint32_t *tails;         /* last anchor of the best series of each length */
    uint32_t *starts, *next; /* occurrences in b of each text, a list */
    uint16_t *cells;         /* made when first needed */
    struct gap *gaps;
    size_t gap_count, gap_cap;
    struct nyt_text_diff_budget *budget;
};

static bool push_gap(struct text_diff *al, struct gap gap)
{
    if (gap.a == gap.a_end || gap.b == gap.b_end)
        return true;
    if (!NYT_ROOM_FOR_ONE(al->gaps, al->gap_count, al->gap_cap))
        return false;
    al->gaps[al->gap_count++] = gap;
    return true;
}

static void pair_ends(struct text_diff *al, struct gap *g)
{
    while (g->a < g->a_end && g->b < g->b_end && al->a[g->a] == al->b[g->b])
        al->mates[g->a++] = g->b++;
    while (g->a < g->a_end && g->b < g->b_end && al->a[g->a_end - 1] == al->b[g->b_end - 1])
        al->mates[--g->a_end] = --g->b_end;
}

/* ---- Series: anchors are by `a`; the longest that also goes up in b stays ---- */

static size_t series_before(const struct text_diff *al, size_t len, uint32_t b)
{
    size_t low = 0, high = len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (al->anchors[al->tails[middle]].b < b)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Sets their mates, and returns how many there are; the last one's index is *last. */
static size_t pair_longest_series(struct text_diff *al, size_t n, uint32_t *last)
{
    size_t len = 0;
    for (uint32_t i = 0; i < n; i++) {
        size_t at = series_before(al, len, al->anchors[i].b);
        al->anchors[i].before = at ? al->tails[at - 1] : NYT_NONE;
        al->tails[at] = i;
        len += at == len;
    }
    *last = len ? al->tails[len - 1] : NYT_NONE;
    for (uint32_t i = *last; i != NYT_NONE; i = al->anchors[i].before)
        al->mates[al->anchors[i].a] = al->anchors[i].b;
    return len;
}

/* ---- Lines that stand once ---- */

static void count_texts(struct text_diff *al, const struct gap *g)
{
    for (uint32_t i = g->a; i < g->a_end; i++)
        al->texts[al->a[i]].in_a++;
    for (uint32_t i = g->b; i < g->b_end; i++) {
        al->texts[al->b[i]].in_b++;
        al->texts[al->b[i]].at_b = i;
    }
}

static void forget_texts(struct text_diff *al, const struct gap *g)
{
    for (uint32_t i = g->a; i < g->a_end; i++)
        al->texts[al->a[i]] = (struct text){0};
    for (uint32_t i = g->b; i < g->b_end; i++)
        al->texts[al->b[i]] = (struct text){0};
}

static size_t find_anchors(struct text_diff *al, const struct gap *g)
{
    size_t n = 0;
    count_texts(al, g);
    for (uint32_t i = g->a; i < g->a_end; i++) {
        const struct text *t = &al->texts[al->a[i]];
        if (t->in_a == 1 && t->in_b == 1)
            al->anchors[n++] = (struct anchor){.a = i, .b = t->at_b};
    }
    forget_texts(al, g);
    return n;
}

/* The gaps that the series ending with `last` leaves, from the back. */
static bool push_gaps_between(struct text_diff *al, const struct gap *g, uint32_t last)
{
    struct gap rest = {.a_end = g->a_end, .b_end = g->b_end, .depth = g->depth + 1};
    for (uint32_t i = last; i != NYT_NONE; i = al->anchors[i].before) {
        rest.a = al->anchors[i].a + 1;
        rest.b = al->anchors[i].b + 1;
        if (!push_gap(al, rest))
            return false;
        rest.a_end = rest.a - 1;
        rest.b_end = rest.b - 1;
    }
    rest.a = g->a;
    rest.b = g->b;
    return push_gap(al, rest);
}

/* ---- Gaps in which no line stands once ---- */

/* cells[i][j]: the most pairs that the lines from i and from j on can make. */
static void solve_exactly(struct text_diff *al, const struct gap *g)
{
    const uint32_t *a = al->a + g->a, *b = al->b + g->b;
    size_t na = g->a_end - g->a, nb = g->b_end - g->b, row = nb + 1;
    memset(al->cells + na * row, 0, row * sizeof *al->cells);
    for (size_t i = na; i-- > 0;) {
        uint16_t *here = al->cells + i * row, *below = here + row;
        here[nb] = 0;
        for (size_t j = nb; j-- > 0;) {
            if (a[i] == b[j])
                here[j] = (uint16_t)(below[j + 1] + 1);
            else
                here[j] = below[j] >= here[j + 1] ? below[j] : here[j + 1];
        }
    }
    for (size_t i = 0, j = 0; i < na && j < nb;) {
        const uint16_t *here = al->cells + i * row, *below = here + row;
        if (a[i] == b[j])
            al->mates[g->a + i++] = (uint32_t)(g->b + j++);
        else if (below[j] >= here[j + 1])
            i++;
        else
            j++;
    }
}

static bool is_small(const struct text_diff *al, const struct gap *g)
{
    uint64_t cells = ((uint64_t)(g->a_end - g->a) + 1) * ((uint64_t)(g->b_end - g->b) + 1);
    return cells <= MOST_CELLS && cells <= al->budget->cells;
}

/* The n-th occurrence of a text with the n-th. */
static void pair_by_occurrence(struct text_diff *al, const struct gap *g)
{
    size_t n = 0;
    uint32_t last;
    for (uint32_t i = g->b_end; i-- > g->b;) {
        al->next[i] = al->starts[al->b[i]];
        al->starts[al->b[i]] = i;
    }
    for (uint32_t i = g->a; i < g->a_end; i++) {
        uint32_t at = al->starts[al->a[i]];
        if (at == NYT_NONE)
            continue;
        al->anchors[n++] = (struct anchor){.a = i, .b = at};
        al->starts[al->a[i]] = al->next[at];
    }
    for (uint32_t i = g->b; i < g->b_end; i++)
        al->starts[al->b[i]] = NYT_NONE;
    pair_longest_series(al, n, &last);
}

static bool fill_gap(struct text_diff *al, struct gap g)
{
    uint32_t last = NYT_NONE;
    pair_ends(al, &g);
    if (g.a == g.a_end || g.b == g.b_end)
        return true;
    size_t n = g.depth < DEPTH ? find_anchors(al, &g) : 0;
    if (n && pair_longest_series(al, n, &last))
        return push_gaps_between(al, &g, last);
    if (!is_small(al, &g)) {
        pair_by_occurrence(al, &g);
        return true;
    }
    if (!al->cells)
        al->cells = malloc(MOST_CELLS * sizeof *al->cells);
    if (!al->cells)
        return false;
    al->budget->cells -= (uint64_t)(g.a_end - g.a + 1) * (g.b_end - g.b + 1);
    solve_exactly(al, &g);
    return true;
}

/* ---- The whole ---- */

/* Hashes as numbers from 0 on: NYT_NONE is out of memory. */
static uint32_t number_of(struct nyt_map *numbers, uint64_t hash)
{
    bool is_new;
    uint32_t *at = nyt_map_take(numbers, hash, &is_new);
    if (at && is_new)
        *at = (uint32_t)numbers->count - 1;
    return at ? *at : NYT_NONE;
}

static bool number_lines(const uint64_t *hashes, size_t n, uint32_t *lines, struct nyt_map *numbers)
{
    for (size_t i = 0; i < n; i++)
        if ((lines[i] = number_of(numbers, hashes[i])) == NYT_NONE)
            return false;
    return true;
}

static bool make_room(struct text_diff *al, size_t na, size_t nb, struct nyt_map *numbers,
                      const uint64_t *a, const uint64_t *b)
{
    al->a = malloc(na * sizeof *al->a);
    al->b = malloc(nb * sizeof *al->b);
    if (!al->a || !al->b || !number_lines(a, na, al->a, numbers) ||
        !number_lines(b, nb, al->b, numbers))
        return false;
    al->texts = calloc(numbers->count, sizeof *al->texts);
    al->anchors = malloc(na * sizeof *al->anchors);
    al->tails = malloc(na * sizeof *al->tails);
    al->starts = malloc(numbers->count * sizeof *al->starts);
    al->next = malloc(nb * sizeof *al->next);
    if (!al->texts || !al->anchors || !al->tails || !al->starts || !al->next)
        return false;
    memset(al->starts, 0xFF, numbers->count * sizeof *al->starts); /* NYT_NONE */
    return true;
}

static bool diff_middle(const uint64_t *a, size_t na, const uint64_t *b, size_t nb, uint32_t *mates,
                        struct nyt_text_diff_budget *budget)
{
    struct text_diff al = {.mates = mates, .budget = budget};
    struct nyt_map numbers = {0};
    bool ok = make_room(&al, na, nb, &numbers, a, b) &&
              push_gap(&al, (struct gap){.a_end = (uint32_t)na, .b_end = (uint32_t)nb});
    while (ok && al.gap_count)
        ok = fill_gap(&al, al.gaps[--al.gap_count]);
    nyt_map_free(&numbers);
    free(al.a);
    free(al.b);
    free(al.texts);
    free(al.anchors);
    free(al.tails);
    free(al.starts);
    free(al.next);
    free(al.cells);
    free(al.gaps);
    return ok;
}

/* Where there is more than one way, which one is taken must not depend on what is called a. */
static bool comes_first(const uint64_t *a, size_t na, const uint64_t *b, size_t nb)
{
    if (na != nb)
        return na < nb;
    for (size_t i = 0; i < na; i++)
        if (a[i] != b[i])
            return a[i] < b[i];
    return true;
}

static bool diff_exchanged(const uint64_t *a, size_t na, const uint64_t *b, size_t nb,
                           uint32_t *mates, struct nyt_text_diff_budget *budget)
{
    uint32_t *back = malloc(nb * sizeof *back);
    if (!back)
        return false;
    memset(back, 0xFF, nb * sizeof *back);
    bool ok = diff_middle(b, nb, a, na, back, budget);
    for (uint32_t i = 0; ok && i < nb; i++)
        if (back[i] != NYT_NONE)
            mates[back[i]] = i;
    free(back);
    return ok;
}

bool nyt_text_diff(const uint64_t *a, size_t na, const uint64_t *b, size_t nb, uint32_t *mates,
                   struct nyt_text_diff_budget *budget)
{
    size_t front = 0, back = 0;
    for (size_t i = 0; i < na; i++)
        mates[i] = NYT_NONE;
    for (; front < na && front < nb && a[front] == b[front]; front++)
        mates[front] = (uint32_t)front;
    for (; back < na - front && back < nb - front && a[na - 1 - back] == b[nb - 1 - back]; back++)
        mates[na - 1 - back] = (uint32_t)(nb - 1 - back);
    a += front, b += front;
    na -= front + back, nb -= front + back;
    if (na == 0 || nb == 0)
        return true;
    mates += front;
    bool ok = comes_first(a, na, b, nb) ? diff_middle(a, na, b, nb, mates, budget)
                                        : diff_exchanged(a, na, b, nb, mates, budget);
    for (size_t i = 0; ok && i < na; i++)
        if (mates[i] != NYT_NONE)
            mates[i] += (uint32_t)front;
    return ok;
}
