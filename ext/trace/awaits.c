/* Frames have an address as long as they live, and another one may begin there afterwards. */
#include "awaits.h"

#include <stdlib.h>

static uint64_t key_of(const void *frame)
{
    return (uint64_t)(uintptr_t)frame;
}

/* NULL: out of memory. */
static uint32_t *place_of(await_table *a, uint32_t file, uint32_t line)
{
    bool is_new;
    uint32_t *at = nyt_map_take(&a->by_place, nyt_pair_key(file, line), &is_new);
    if (!at || !is_new)
        return at;
    await_place *places = nyt_grow(a->places, &a->places_cap, a->n_places + 1, sizeof *places);
    if (!places) {
        *at = NYT_NONE;
        return at;
    }
    a->places = places;
    places[a->n_places] = (await_place){.file = file, .line = line};
    *at = (uint32_t)a->n_places++;
    return at;
}

static await_moment *moment_of(await_table *a, const void *frame)
{
    bool is_new;
    uint32_t *at = nyt_map_take(&a->by_frame, key_of(frame), &is_new);
    if (!at)
        return NULL;
    if (!is_new)
        return *at < a->n_moments ? &a->moments[*at] : NULL;
    *at = NYT_NONE;
    await_moment *moments = nyt_grow(a->moments, &a->moments_cap, a->n_moments + 1,
                                     sizeof *moments);
    if (!moments)
        return NULL;
    a->moments = moments;
    *at = (uint32_t)a->n_moments;
    return &moments[a->n_moments++];
}

void awaits_suspend(await_table *a, const void *frame, uint32_t file, uint32_t line, uint64_t now)
{
    const uint32_t *place = place_of(a, file, line);
    uint32_t index = place ? *place : NYT_NONE;
    await_moment *moment = index < a->n_places ? moment_of(a, frame) : NULL;
    if (moment)
        *moment = (await_moment){.since = now, .place = index};
}

/* NULL: it is not suspended, as far as we know. */
static await_moment *suspended(await_table *a, const void *frame)
{
    const uint32_t *at = nyt_map_find(&a->by_frame, key_of(frame));
    await_moment *moment = at && *at < a->n_moments ? &a->moments[*at] : NULL;
    return moment && moment->since ? moment : NULL;
}

void awaits_resume(await_table *a, const void *frame, uint64_t now)
{
    await_moment *moment = suspended(a, frame);
    if (!moment)
        return;
    await_place *place = &a->places[moment->place];
    place->units += now > moment->since ? now - moment->since : 0;
    place->count++;
    moment->since = 0;
}

void awaits_begin(await_table *a, const void *frame)
{
    await_moment *moment = suspended(a, frame);
    if (moment)
        moment->since = 0;
}

void awaits_let_go(await_table *a)
{
    nyt_map_clear(&a->by_frame);
    a->n_moments = 0;
}

void awaits_free(await_table *a)
{
    nyt_map_free(&a->by_frame);
    nyt_map_free(&a->by_place);
    free(a->moments);
    free(a->places);
    *a = (await_table){0};
}
