/*
 * Statements -> sums by place. Most of a profile is TIME_LINE records, and most of the work on
 * them is to find the sum: so slots are taken by a sum of fid and line, which keeps neighbours
 * together, and a line that finds no slot near its own goes to a table that no file can harm.
 */
#include "format/line_sums.h"

#include "format/time_line_fast.h"

#include <stdlib.h>

enum { SLOTS_AT_FIRST = 1024, PROBES = 8 };

struct nyt_tally_slot {
    uint64_t key;
    uint32_t index;
};

/* No slot ever holds it: marks those that are free. */
#define FREE_KEY UINT64_MAX

static inline size_t home_of(const struct nyt_tally *t, uint32_t fid, uint32_t line)
{
    return (line + fid * 0x9E3779B1u) & (t->slot_count - 1);
}

/* The slot that has the place or could take it; NULL: all near its own are taken. */
static struct nyt_tally_slot *slot_for(const struct nyt_tally *t, uint32_t fid, uint32_t line)
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
static bool put_place(struct nyt_tally *t, uint32_t fid, uint32_t line, uint32_t *index)
{
    bool is_new;
    struct nyt_tally_slot *slot = slot_for(t, fid, line);
    if (slot && slot->key == FREE_KEY)
        *slot = (struct nyt_tally_slot){.key = nyt_pair_key(fid, line), .index = *index};
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
static bool grow_slots(struct nyt_tally *t)
{
    struct nyt_tally grown = {.list = t->list, .count = t->count, .cap = t->cap};
    if (t->slot_count > SIZE_MAX / 2 / sizeof *t->slots)
        return false;
    grown.slot_count = t->slot_count ? 2 * t->slot_count : SLOTS_AT_FIRST;
    grown.slots = malloc(grown.slot_count * sizeof *grown.slots);
    bool ok = grown.slots != NULL;
    for (size_t i = 0; ok && i < grown.slot_count; i++)
        grown.slots[i] = (struct nyt_tally_slot){.key = FREE_KEY, .index = NYT_NONE};
    for (uint32_t i = 0; ok && i < t->count; i++) {
        uint32_t index = i;
        ok = put_place(&grown, t->list[i].fid, t->list[i].line, &index);
    }
    struct nyt_tally old = ok ? *t : grown;
    if (ok)
        *t = grown;
    free(old.slots);
    nyt_map_free(&old.rest);
    return ok;
}

struct nyt_tally_line *nyt_tally_line(struct nyt_tally *t, uint32_t fid, uint32_t line)
{
    if (t->count >= t->slot_count / 2 && !grow_slots(t))
        return NULL;
    uint32_t index = (uint32_t)t->count;
    if (!NYT_ROOM_FOR_ONE(t->list, t->count, t->cap) || !put_place(t, fid, line, &index))
        return NULL;
    if (index == t->count)
        t->list[t->count++] = (struct nyt_tally_line){.fid = fid, .line = line};
    return &t->list[index];
}

/* The sum of a place if it is in its own slot, as most are. */
static inline struct nyt_tally_line *quick_line(const struct nyt_tally *t, uint32_t fid,
                                                uint32_t line)
{
    const struct nyt_tally_slot *slot = &t->slots[home_of(t, fid, line)];
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

static void add(struct nyt_tally_line *sum, int32_t ticks, uint64_t times, bool discounted,
                struct nyt_stretch *stretch)
{
    int64_t all_ticks = (int64_t)((uint64_t)ticks * times);
    sum->count += (int64_t)times - discounted;
    sum->ticks = nyt_add_ticks(sum->ticks, all_ticks);
    stretch->ticks = nyt_add_ticks(stretch->ticks, all_ticks);
    stretch->statements += times;
    stretch->discounted += discounted;
}

bool nyt_tally_hit(struct nyt_tally *t, const struct nyt_hit *hit, struct nyt_stretch *stretch)
{
    struct nyt_tally_line *sum = nyt_tally_line(t, hit->fid, hit->line);
    if (sum)
        add(sum, hit->ticks, hit->times, false, stretch);
    return sum != NULL;
}

/* One TIME_LINE, all equal ones behind it, and a DISCOUNT that may stand before them. */
static bool take_statement(struct nyt_tally *t, const uint8_t **p, const uint8_t *end,
                           struct nyt_stretch *stretch)
{
    bool discounted = **p == NYT_TAG_DISCOUNT;
    const uint8_t *record = *p + discounted;
    uint32_t ticks, fid, line;
    uint64_t times = 1;
    const uint8_t *next = nyt_quick_time_line(record, &ticks, &fid, &line);
    struct nyt_tally_line *sum = nyt_tally_line(t, fid, line);
    if (!sum)
        return false;
    if (end - next >= NYT_QUICK_ROOM && is_repeated(next, record))
        times += take_repeats(&next, record, end);
    add(sum, (int32_t)ticks, times, discounted, stretch);
    *p = next;
    return true;
}

/*
 * The same for as many as are neither discounted, nor repeated, nor on a new line. This is where
 * the time goes: the table is copied so that the compiler knows that nothing changes it.
 */
static const uint8_t *take_usual(const struct nyt_tally *table, const uint8_t *p,
                                 const uint8_t *end, struct nyt_stretch *stretch)
{
    const struct nyt_tally t = *table;
    uint64_t statements = 0, ticks_of_all = 0;
    while (end - p >= 2 * NYT_QUICK_ROOM && *p == NYT_TAG_TIME_LINE) {
        uint32_t ticks, fid, line;
        const uint8_t *next = nyt_quick_time_line(p, &ticks, &fid, &line);
        struct nyt_tally_line *sum = quick_line(&t, fid, line);
        if (!sum || is_repeated(next, p))
            break;
        sum->count++;
        sum->ticks = nyt_add_ticks(sum->ticks, (int32_t)ticks);
        ticks_of_all += (uint64_t)(int64_t)(int32_t)ticks;
        statements++;
        p = next;
    }
    stretch->statements += statements;
    stretch->ticks = nyt_add_ticks(stretch->ticks, (int64_t)ticks_of_all);
    return p;
}

static bool is_statement(const uint8_t *p, const uint8_t *end)
{
    return end - p >= NYT_QUICK_ROOM && (p[*p == NYT_TAG_DISCOUNT] == NYT_TAG_TIME_LINE);
}

bool nyt_tally_records(struct nyt_tally *t, const uint8_t **p, const uint8_t *end,
                       struct nyt_stretch *stretch)
{
    *stretch = (struct nyt_stretch){0};
    if (!t->slots && !grow_slots(t))
        return false;
    while (is_statement(*p, end)) {
        *p = take_usual(t, *p, end, stretch);
        if (is_statement(*p, end) && !take_statement(t, p, end, stretch))
            return false;
    }
    return true;
}

void nyt_tally_free(struct nyt_tally *t)
{
    free(t->list);
    free(t->slots);
    nyt_map_free(&t->rest);
    *t = (struct nyt_tally){0};
}
