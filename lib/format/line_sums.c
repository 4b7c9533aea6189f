/*
 * Statements -> sums by place. Most of a profile is TIME_LINE records, and most of the work on
 * them is to find the sum: so slots are taken by a sum of fid and line, which keeps neighbours
 * together, and a line that finds no slot near its own goes to a table that no file can harm.
 */
#include "format/line_sums.h"

#include "format/time_line_fast.h"

#include <stdlib.h>

enum { SLOTS_AT_FIRST = 1024, PROBES = 8 };

struct nyt_line_slot {
    uint64_t key;
    uint32_t index;
};

/* No slot ever holds it: marks those that are free. */
#define FREE_KEY UINT64_MAX

static inline size_t home_of(const struct nyt_line_sums *t, uint32_t fid, uint32_t line)
{
    return (line + fid * 0x9E3779B1u) & (t->slot_count - 1);
}

/* The slot that has the place or could take it; NULL: all near its own are taken. */
static struct nyt_line_slot *slot_for(const struct nyt_line_sums *t, uint32_t fid, uint32_t line)
{
    uint64_t key = nyt_pair_key(fid, line);
    size_t at = home_of(t, fid, line);
    if (key == FREE_KEY)
        return NULL;
    for (int i = 0; i < PROBES; i++, at = (at + 1) & (t->slot_count - 1))
        if (t->slots[at].key == key || t->slots[at].key == FREE_KEY)
            return &t->slots[at];
    return NULL;
}

/* *index is where the place is to stand if it is new. */
static bool put_place(struct nyt_line_sums *t, uint32_t fid, uint32_t line, uint32_t *index)
{
    bool is_new;
    struct nyt_line_slot *slot = slot_for(t, fid, line);
    if (slot && slot->key == FREE_KEY)
        *slot = (struct nyt_line_slot){.key = nyt_pair_key(fid, line), .index = *index};
    if (slot) {
        *index = slot->index;
        return true;
    }
    uint32_t *at = nyt_map_take(&t->rest, nyt_pair_key(fid, line), &is_new);
    if (at && is_new)
        *at = *index;
    if (at)
        *index = *at;
    return at != NULL;
}

/* All lines anew into twice the slots. */
static bool grow_slots(struct nyt_line_sums *t)
{
    struct nyt_line_sums grown = {.list = t->list, .count = t->count, .cap = t->cap};
    if (t->slot_count > SIZE_MAX / 2 / sizeof *t->slots)
        return false;
    grown.slot_count = t->slot_count ? 2 * t->slot_count : SLOTS_AT_FIRST;
    grown.slots = malloc(grown.slot_count * sizeof *grown.slots);
    bool ok = grown.slots != NULL;
    for (size_t i = 0; ok && i < grown.slot_count; i++)
        grown.slots[i] = (struct nyt_line_slot){.key = FREE_KEY, .index = NYT_NONE};
    for (uint32_t i = 0; ok && i < t->count; i++) {
        uint32_t index = i;
        ok = put_place(&grown, t->list[i].fid, t->list[i].line, &index);
    }
    struct nyt_line_sums old = ok ? *t : grown;
    if (ok)
        *t = grown;
    free(old.slots);
    nyt_map_free(&old.rest);
    return ok;
}

struct nyt_line_sum *nyt_line_sums_at(struct nyt_line_sums *t, uint32_t fid, uint32_t line)
{
    if (t->count >= t->slot_count / 2 && !grow_slots(t))
        return NULL;
    uint32_t index = (uint32_t)t->count;
    if (!NYT_ROOM_FOR_ONE(t->list, t->count, t->cap) || !put_place(t, fid, line, &index))
        return NULL;
    if (index == t->count)
        t->list[t->count++] = (struct nyt_line_sum){.fid = fid, .line = line};
    return &t->list[index];
}

/* The sum of a place if it is in its own slot, as most are. */
static inline struct nyt_line_sum *fast_line(const struct nyt_line_sums *t, uint32_t fid,
                                             uint32_t line)
{
    const struct nyt_line_slot *slot = &t->slots[home_of(t, fid, line)];
    return slot->key == nyt_pair_key(fid, line) && slot->index < t->count ? &t->list[slot->index]
                                                                          : NULL;
}

/* So often comes the record before `p` again, from `p` on; and *p is behind all of them. */
static uint64_t take_repeats(const uint8_t **p, const uint8_t *record, const uint8_t *end)
{
    size_t len = (size_t)(*p - record), again = nyt_repeats(*p, end, len);
    *p += again * len;
    return again;
}

static inline bool is_repeated(const uint8_t *p, const uint8_t *record)
{
    return memcmp(p, record, NYT_TIME_LINE_SHORTEST) == 0;
}

static void add(struct nyt_line_sum *sum, int32_t ticks, uint64_t times, bool discounted,
                struct nyt_run *run)
{
    int64_t all_ticks = (int64_t)((uint64_t)ticks * times);
    sum->count += (int64_t)times - discounted;
    sum->ticks = nyt_add_ticks(sum->ticks, all_ticks);
    run->ticks = nyt_add_ticks(run->ticks, all_ticks);
    run->statements += times;
    run->discounted += discounted;
}

bool nyt_line_sums_add_sample(struct nyt_line_sums *t, const struct nyt_sample *sample,
                              struct nyt_run *run)
{
    struct nyt_line_sum *sum = nyt_line_sums_at(t, sample->fid, sample->line);
    if (sum)
        add(sum, sample->ticks, sample->times, false, run);
    return sum != NULL;
}

/* One TIME_LINE, all equal ones behind it, and a DISCOUNT that may stand before them. */
static bool take_statement(struct nyt_line_sums *t, const uint8_t **p, const uint8_t *end,
                           struct nyt_run *run)
{
    bool discounted = **p == NYT_TAG_DISCOUNT;
    const uint8_t *record = *p + discounted;
    uint32_t ticks, fid, line;
    uint64_t times = 1;
    const uint8_t *next = nyt_fast_time_line(record, &ticks, &fid, &line);
    struct nyt_line_sum *sum = nyt_line_sums_at(t, fid, line);
    if (!sum)
        return false;
    if (end - next >= NYT_FAST_ROOM && is_repeated(next, record))
        times += take_repeats(&next, record, end);
    add(sum, (int32_t)ticks, times, discounted, run);
    *p = next;
    return true;
}

/*
 * The same for as many as are neither discounted, nor repeated, nor on a new line. This is where
 * the time goes: the table is copied so that the compiler knows that nothing changes it.
 */
static const uint8_t *take_usual(const struct nyt_line_sums *table, const uint8_t *p,
                                 const uint8_t *end, struct nyt_run *run)
{
    const struct nyt_line_sums t = *table;
    uint64_t statements = 0, ticks_of_all = 0;
    while (end - p >= 2 * NYT_FAST_ROOM && *p == NYT_TAG_TIME_LINE) {
        uint32_t ticks, fid, line;
        const uint8_t *next = nyt_fast_time_line(p, &ticks, &fid, &line);
        struct nyt_line_sum *sum = fast_line(&t, fid, line);
        if (!sum || is_repeated(next, p))
            break;
        sum->count++;
        sum->ticks = nyt_add_ticks(sum->ticks, (int32_t)ticks);
        ticks_of_all += (uint64_t)(int64_t)(int32_t)ticks;
        statements++;
        p = next;
    }
    run->statements += statements;
    run->ticks = nyt_add_ticks(run->ticks, (int64_t)ticks_of_all);
    return p;
}

static bool is_statement(const uint8_t *p, const uint8_t *end)
{
    return end - p >= NYT_FAST_ROOM && (p[*p == NYT_TAG_DISCOUNT] == NYT_TAG_TIME_LINE);
}

bool nyt_line_sums_add_records(struct nyt_line_sums *t, const uint8_t **p, const uint8_t *end,
                               struct nyt_run *run)
{
    *run = (struct nyt_run){0};
    if (!t->slots && !grow_slots(t))
        return false;
    while (is_statement(*p, end)) {
        *p = take_usual(t, *p, end, run);
        if (is_statement(*p, end) && !take_statement(t, p, end, run))
            return false;
    }
    return true;
}

void nyt_line_sums_free(struct nyt_line_sums *t)
{
    free(t->list);
    free(t->slots);
    nyt_map_free(&t->rest);
    *t = (struct nyt_line_sums){0};
}
