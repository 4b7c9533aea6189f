/* Units of work that are open, and those of suspended frames. */
#include "units.h"

#include <stdlib.h>

static uint64_t last_id;

static uint32_t place_of(uint64_t id)
{
    return (uint32_t)id;
}

static bool place_free(unit_table *u, uint32_t *place)
{
    for (size_t i = 0; u->n_open < u->n && i < u->n; i++) {
        if (!u->marks[i]) {
            *place = (uint32_t)i;
            return true;
        }
    }
    unit_mark **marks = nyt_grow(u->marks, &u->cap, u->n + 1, sizeof(unit_mark *));
    if (!marks)
        return false;
    u->marks = marks;
    marks[u->n] = NULL;
    *place = (uint32_t)u->n++;
    return true;
}

unit_mark *units_add(unit_table *u, uint32_t sub, edge *e)
{
    uint32_t place;
    unit_mark *m = calloc(1, sizeof *m);
    if (!m || !place_free(u, &place)) {
        free(m);
        return NULL;
    }
    *m = (unit_mark){.id = ++last_id << 32 | place, .sub = sub, .edge = e};
    u->marks[place] = m;
    u->n_open++;
    return m;
}

unit_mark *units_find(const unit_table *u, uint64_t id)
{
    unit_mark *m = place_of(id) < u->n ? u->marks[place_of(id)] : NULL;
    return m && m->id == id ? m : NULL;
}

bool units_unlink(unit_mark **chain, const unit_mark *m)
{
    for (unit_mark *inner = NULL, *at = *chain; at; inner = at, at = at->outer) {
        if (at != m)
            continue;
        if (inner) {
            inner->outer = m->outer;
            inner->below = m->below;
        } else {
            *chain = m->outer;
        }
        return true;
    }
    return false;
}

static uint64_t key_of(const void *frame)
{
    return (uint64_t)(uintptr_t)frame;
}

bool units_hold(unit_table *u, const void *frame, unit_mark *chain)
{
    bool is_new;
    uint32_t *at = nyt_map_take(&u->by_frame, key_of(frame), &is_new);
    if (!at)
        return false;
    *at = place_of(chain->id) + 1;
    chain->held_by = frame;
    return true;
}

unit_mark *units_take(unit_table *u, const void *frame)
{
    uint32_t *at = nyt_map_find(&u->by_frame, key_of(frame));
    unit_mark *chain = at && *at ? u->marks[*at - 1] : NULL;
    if (at)
        *at = 0;
    if (!chain || chain->held_by != frame)      /* the place is another's by now */
        return NULL;
    chain->held_by = NULL;
    return chain;
}

void units_remove(unit_table *u, unit_mark *m)
{
    if (m->held_by && m->outer)
        (void)units_hold(u, m->held_by, m->outer);  /* there is room: the frame is known */
    for (size_t i = 0; i < u->n; i++)
        if (u->marks[i] && u->marks[i]->outer == m)
            u->marks[i]->outer = m->outer;
    u->marks[place_of(m->id)] = NULL;
    u->n_open--;
    free(m);
    if (u->n_open == 0)
        nyt_map_clear(&u->by_frame);
}

void units_free(unit_table *u)
{
    for (size_t i = 0; i < u->n; i++)
        free(u->marks[i]);
    free(u->marks);
    nyt_map_free(&u->by_frame);
    *u = (unit_table){0};
}
