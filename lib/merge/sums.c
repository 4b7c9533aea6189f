/* Time and calls, added up by place: what profiles are merged by. */
#include "merge/sums.h"

#include <stdlib.h>

/* ---- Lines ---- */

static uint32_t add_line(struct nyt_sums *s, uint32_t section, const nyt_time *where)
{
    if (!NYT_ROOM_FOR_ONE(s->lines, s->line_count, s->line_cap))
        return NYT_NONE;
    s->lines[s->line_count] = (struct nyt_sum_line){.section = section,
                                                    .fid = where->fid,
                                                    .line = where->line,
                                                    .block_line = where->block_line,
                                                    .sub_line = where->sub_line};
    return (uint32_t)s->line_count++;
}

/* The index of a TIME_LINE's sum, which also numbers the place. */
static uint32_t place_of(struct nyt_sums *s, uint32_t fid, uint32_t line)
{
    bool is_new;
    uint32_t *at = nyt_map_take(&s->line_index, nyt_pair_key(fid, line), &is_new);
    if (at && is_new)
        *at = add_line(s, 0, &(nyt_time){.fid = fid, .line = line});
    return at ? *at : NYT_NONE;
}

/* The index of the same TIME_LINE's sum in another section than 0. */
static uint32_t place_in_section(struct nyt_sums *s, uint32_t place, uint32_t section)
{
    bool is_new;
    uint32_t *at = nyt_map_take(&s->section_index, nyt_pair_key(place, section), &is_new);
    if (at && is_new)
        *at = add_line(s, section,
                       &(nyt_time){.fid = s->lines[place].fid, .line = s->lines[place].line});
    return at ? *at : NYT_NONE;
}

/* The same in the unit of what is added next. */
static uint32_t place_in_unit(struct nyt_sums *s, uint32_t place)
{
    bool is_new;
    if (!s->unit || place == NYT_NONE)
        return place;
    uint32_t *at = nyt_map_take(&s->unit_index, nyt_pair_key(place, s->unit), &is_new);
    const struct nyt_sum_line *line = &s->lines[place];
    if (at && is_new)
        *at = add_line(s, line->section, &(nyt_time){.fid = line->fid, .line = line->line});
    if (at && is_new && *at != NYT_NONE)
        s->lines[*at].unit = s->unit;
    return at ? *at : NYT_NONE;
}

/* Pairs are numbered from 0. NYT_NONE: out of memory. */
static uint32_t number_of(struct nyt_map *numbers, uint64_t key)
{
    bool is_new;
    uint32_t *at = numbers->count < NYT_NONE - 1 ? nyt_map_take(numbers, key, &is_new) : NULL;
    if (at && is_new)
        *at = (uint32_t)numbers->count - 1;
    return at ? *at : NYT_NONE;
}

struct nyt_sum_line *nyt_sums_line(struct nyt_sums *s, uint32_t section, const nyt_time *where)
{
    uint32_t index = place_of(s, where->fid, where->line);
    if (index != NYT_NONE && section)
        index = place_in_section(s, index, section);
    index = place_in_unit(s, index);
    if (index != NYT_NONE && (where->block_line || where->sub_line)) {
        bool is_new;
        uint32_t block = number_of(&s->block_numbers,
                                   nyt_pair_key(where->block_line, where->sub_line));
        uint32_t *at = block == NYT_NONE
                           ? NULL
                           : nyt_map_take(&s->block_index, nyt_pair_key(index, block), &is_new);
        if (at && is_new)
            *at = add_line(s, section, where);
        if (at && is_new && *at != NYT_NONE)
            s->lines[*at].unit = s->unit;
        index = at ? *at : NYT_NONE;
    }
    return index == NYT_NONE ? NULL : &s->lines[index];
}

/* ---- Calls ---- */

static uint32_t add_call(struct nyt_sums *s)
{
    if (!NYT_ROOM_FOR_ONE(s->calls, s->call_count, s->call_cap))
        return NYT_NONE;
    s->calls[s->call_count] = (struct nyt_sum_call){0};
    return (uint32_t)s->call_count++;
}

struct nyt_sum_call *nyt_sums_call(struct nyt_sums *s, uint32_t fid, uint32_t line, uint32_t caller,
                                   uint32_t called)
{
    bool is_new;
    uint32_t place = place_in_unit(s, place_of(s, fid, line));
    uint32_t pair = number_of(&s->pair_numbers, nyt_pair_key(caller, called));
    if (place == NYT_NONE || pair == NYT_NONE)
        return NULL;
    uint32_t *at = nyt_map_take(&s->call_index, nyt_pair_key(place, pair), &is_new);
    if (at && is_new) {
        *at = add_call(s);
        if (*at != NYT_NONE) {
            struct nyt_sum_call *c = &s->calls[*at];
            c->fid = fid;
            c->line = line;
            c->caller = caller;
            c->called = called;
            c->unit = s->unit;
        }
    }
    return at && *at != NYT_NONE ? &s->calls[*at] : NULL;
}

/* ---- Another scale ---- */

int64_t nyt_rescale_ticks(int64_t ticks, uint32_t from, uint32_t to)
{
    uint64_t size = ticks < 0 ? 0 - (uint64_t)ticks : (uint64_t)ticks;
    uint64_t seconds = size / from, rest = size % from;
    if (seconds > (uint64_t)INT64_MAX / to - 1)
        return ticks < 0 ? -INT64_MAX : INT64_MAX;
    uint64_t scaled = seconds * to + (rest * to + from / 2) / from;
    return ticks < 0 ? -(int64_t)scaled : (int64_t)scaled;
}

void nyt_sums_rescale(struct nyt_sums *s, uint32_t from, uint32_t to)
{
    struct nyt_calltree *t = &s->tree;
    double factor = (double)to / from;
    for (size_t i = 0; i < s->line_count; i++)
        s->lines[i].ticks = nyt_rescale_ticks(s->lines[i].ticks, from, to);
    for (size_t i = 0; i < t->tree.count; i++) {
        t->tree.nodes[i].incl *= factor;
        t->tree.nodes[i].excl *= factor;
    }
    for (size_t i = 0; i < t->count; i++) {
        t->returns[i].incl *= factor;
        t->returns[i].excl *= factor;
    }
}

void nyt_sums_free(struct nyt_sums *s)
{
    nyt_map_free(&s->line_index);
    nyt_map_free(&s->section_index);
    nyt_map_free(&s->unit_index);
    nyt_map_free(&s->block_numbers);
    nyt_map_free(&s->block_index);
    nyt_map_free(&s->pair_numbers);
    nyt_map_free(&s->call_index);
    free(s->lines);
    free(s->calls);
    nyt_calltree_free(&s->tree);
    *s = (struct nyt_sums){0};
}
