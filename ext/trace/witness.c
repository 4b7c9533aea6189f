/* What events cost in the program that runs, told by lines that take next to nothing. */
#include "witness.h"

#include <stdlib.h>
#include <string.h>

/*
 * So often must a line have run since it was asked last, so many lines of a code object are asked,
 * and so many frames are looked at.
 */
enum { LEAST_COUNT = 32, LINES = 16, FRAMES = 8 };

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* What the line has taken, in units a run, since it was asked last; negative: it can't tell. */
static double heard_of_line(const line_slot *now, line_slot *then)
{
    uint64_t count = now->count - then->count, time = now->time - then->time;
    bool forward = now->count >= then->count && now->time >= then->time;
    if (forward && count < LEAST_COUNT)
        return -1;
    *then = *now;
    return forward ? (double)time / (double)count : -1;
}

/*
 * Of the code's lines that can tell, the one in the middle or below: a line that lets go of the
 * last reference to something takes longer than one knows. Negative: none can.
 */
static double heard_of_code(const activation *a)
{
    code_info *info = a->info;
    double heard[LINES];
    int n = 0;
    for (uint32_t i = 0; i < info->n_witnesses && n < LINES; i++) {
        uint32_t line = info->witnesses[i];
        if (info->opening == OPENING_KNOWN && line == info->opening_line)
            continue;           /* it has no event of its own */
        heard[n] = heard_of_line(&a->slots[line], &info->heard[i]);
        n += heard[n] >= 0;
    }
    if (n == 0)
        return -1;
    qsort(heard, (size_t)n, sizeof *heard, compare);
    return heard[(n - 1) / 2];
}

/* Whether its lines can be compared with what they were; they are remembered from now on. */
static bool is_known(const activation *a)
{
    code_info *info = a->info;
    if (info->heard && info->heard_at == a->place)
        return true;
    if (!info->heard)
        info->heard = calloc(info->n_witnesses, sizeof *info->heard);
    info->heard_at = a->place;
    for (uint32_t i = 0; info->heard && i < info->n_witnesses; i++)
        info->heard[i] = a->slots[info->witnesses[i]];
    return false;
}

/*
 * What the events of such lines cost over what is taken off for them, if they took as long as they
 * do in a loop that does nothing else: a fifth of an event. Far more can't be an event's.
 */
static void ask(tracer *t, const activation *a)
{
    const double own = 0.2, most = 3;
    code_info *info = a->info;
    double cost = (double)t->costs.of[code_line_kind(info, info->witnesses[0])];
    double time = is_known(a) && cost > 0 ? heard_of_code(a) : -1;
    if (time >= 0 && time < most * cost)
        speed_hear(&t->speed, 1 + time / cost - own);
}

void witnesses_ask(tracer *t, const lane *l)
{
    const activation *a = l->top;
    for (int i = 0; i < FRAMES && a > l->stack; i++, a--)
        if (!a->c && a->slots && a->info->n_witnesses && !a->info->steps)
            ask(t, a);
}
