/*
 * The fast ways of the reader and the plain one: segments of a stream that come again are inflated
 * once, runs are taken at once, and another thread inflates. What is loaded is the same as from
 * one record after the other.
 */
#include "fuzz.h"

#include "format/input.h"
#include "model/loader.h"

#include <string.h>

struct loaded {
    nyt_profile *p;
    nyt_error err;
    struct nyt_buf model;
};

static void load(struct loaded *l, const uint8_t *data, size_t size, bool naive)
{
    const struct nyt_source source = {
        .data = data, .len = size, .naive = naive, .threaded = !naive};
    const nyt_load_options salvage = {.salvage = true};
    *l = (struct loaded){.p = NULL};
    int rc = nyt_profile_load_source(&l->p, &source, &salvage, &l->err);
    REQUIRE(rc != NYT_ENOMEM && (l->p != NULL) == (rc == NYT_OK));
    if (l->p)
        fuzz_require_status(nyt_export_model(l->p, fuzz_keep, &l->model, NULL));
}

static void require_same_fault(const nyt_error *a, const nyt_error *b)
{
    REQUIRE(!a == !b);
    if (!a)
        return;
    REQUIRE(a->code == b->code && a->record == b->record);
    REQUIRE(a->in_deflate == b->in_deflate);
    REQUIRE(a->offset == b->offset || a->code == NYT_EDEFLATE);
    REQUIRE(strcmp(a->message, b->message) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct loaded fast, plain;
    load(&fast, data, size, false);
    load(&plain, data, size, true);
    REQUIRE(!fast.p == !plain.p);
    if (fast.p) {
        require_same_fault(nyt_profile_fault(fast.p), nyt_profile_fault(plain.p));
        const nyt_totals *a = nyt_profile_totals(fast.p), *b = nyt_profile_totals(plain.p);
        REQUIRE(a->records == b->records);
        REQUIRE(a->inflated == b->inflated || nyt_profile_fault(fast.p));
        REQUIRE(a->statements == b->statements && a->discounted == b->discounted);
        REQUIRE(fast.model.len == plain.model.len);
        REQUIRE(!fast.model.len || memcmp(fast.model.data, plain.model.data, plain.model.len) == 0);
    } else {
        require_same_fault(&fast.err, &plain.err);
    }
    nyt_profile_free(fast.p);
    nyt_profile_free(plain.p);
    nyt_buf_free(&fast.model);
    nyt_buf_free(&plain.model);
    return 0;
}
