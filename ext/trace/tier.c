/* What is kept of hot code, and how it is freed. */
#include "tier.h"

#include <stdlib.h>

void code_flow_free(code_flow *flow)
{
    free(flow->places);
    free(flow->blocks);
    free(flow->edges);
    *flow = (code_flow){0};
}

void derivation_free(derivation *d)
{
    free(d->kept);
    free(d->steps);
    free(d->values);
    *d = (derivation){0};
}

void tier_forget(code_tier *tier)
{
    for (uint32_t i = 0; tier && i < tier->places_cap; i++) {
        free(tier->places[i]);
        tier->places[i] = NULL;
    }
}

void tier_free(code_tier *tier)
{
    if (!tier)
        return;
    tier_forget(tier);
    derivation_free(&tier->derived);
    free(tier->places);
    code_flow_free(&tier->flow);
    free(tier->learned);
    free(tier->part);
    free(tier->shared);
    free(tier->steps);
    Py_XDECREF(tier->code);
    free(tier);
}
