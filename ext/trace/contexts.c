/* Which units of work are open around what runs. Off the hot path: asked when a unit begins. */
#include "contexts.h"

#include <stdlib.h>

enum { MOST_CONTEXTS = 4096, MOST_PLACES = 8192 };

static uint32_t add_place(context_table *c, uint32_t home, uint32_t context)
{
    lane_place_info *places = nyt_grow(c->places, &c->places_cap, c->n_places + 1, sizeof *places);
    if (!places)
        return UINT32_MAX;
    c->places = places;
    places[c->n_places] = (lane_place_info){.lane = home, .context = context};
    return (uint32_t)c->n_places++;
}

uint32_t contexts_new_lane(context_table *c)
{
    return add_place(c, (uint32_t)c->n_places, 0);
}

/* 0: there is no room. */
static uint32_t context_of(context_table *c, uint32_t outer, uint32_t sub)
{
    uint64_t key = nyt_pair_key(outer, sub);
    const uint32_t *found = nyt_map_find(&c->by_unit, key);
    bool is_new;
    if (found)
        return *found;
    unit_context *list = c->n < MOST_CONTEXTS ? nyt_grow(c->list, &c->cap, c->n + 1, sizeof *list)
                                              : NULL;
    if (!list)
        return 0;
    c->list = list;
    uint32_t *at = nyt_map_take(&c->by_unit, key, &is_new);
    if (!at)
        return 0;
    list[c->n] = (unit_context){.outer = outer, .sub = sub};
    return *at = (uint32_t)++c->n;
}

static uint32_t place_of(context_table *c, uint32_t home, uint32_t context)
{
    uint64_t key = nyt_pair_key(home, context);
    const uint32_t *found = context ? nyt_map_find(&c->by_lane, key) : &home;
    bool is_new;
    if (found)
        return *found;
    uint32_t place = c->n_places < MOST_PLACES ? add_place(c, home, context) : UINT32_MAX;
    uint32_t *at = place == UINT32_MAX ? NULL : nyt_map_take(&c->by_lane, key, &is_new);
    if (!at)
        return UINT32_MAX;
    return *at = place;
}

static bool is_inside(const context_table *c, uint32_t context, uint32_t sub)
{
    while (context && c->list[context - 1].sub != sub)
        context = c->list[context - 1].outer;
    return context != 0;
}

uint32_t contexts_inside(context_table *c, uint32_t place, uint32_t sub)
{
    uint32_t outer = c->places[place].context, home = c->places[place].lane;
    if (is_inside(c, outer, sub))
        return place;
    uint32_t context = context_of(c, outer, sub);
    uint32_t found = context ? place_of(c, home, context) : UINT32_MAX;
    if (found != UINT32_MAX)
        return found;
    c->untold++;
    return place;
}

uint32_t contexts_of_lane(context_table *c, uint32_t home, uint32_t place)
{
    uint32_t found = place_of(c, home, c->places[place].context);
    if (found != UINT32_MAX)
        return found;
    c->untold++;
    return home;
}

void contexts_free(context_table *c)
{
    free(c->list);
    free(c->places);
    nyt_map_free(&c->by_unit);
    nyt_map_free(&c->by_lane);
    *c = (context_table){0};
}
