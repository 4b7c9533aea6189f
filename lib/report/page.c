/*
 * The report as one HTML page that needs no network and no server: shell, style, the tables, the
 * sources, script. What the profile says stands in blocks of base64 and, for readers without
 * scripts, as escaped text; the Content-Security-Policy lets nothing run but the page's own script.
 */
#include "nytprof.h"

#include "base/error.h"
#include "report/page_bundle.h"
#include "report/page_data.h"
#include "report/page_source.h"
#include "report/page_static.h"

#include <stdlib.h>

enum { USUAL_BYTES = 5 * 1024 * 1024, LEAST_BYTES = 200 * 1024, TRIES = 16 };

/* ---- The page ---- */

/* One profile of the page. */
struct part {
    struct nyt_page_input input;
    struct nyt_insight insight;
    struct nyt_page_texts texts;
    struct nyt_block *data;
};

/* The profile, and the one to compare it with. */
struct contents {
    struct part parts[2];
    size_t count;
};

/* The tables, in at most `room` bytes: of what is too much, less and less. */
static int make_data(struct nyt_block **out, const struct nyt_page_input *input, uint64_t room)
{
    struct nyt_page_caps caps = {.files = 100000,
                                 .lines = 200000,
                                 .subs = 50000,
                                 .calls = 200000,
                                 .nodes = 40000,
                                 .processes = 20000};
    for (int i = 0; i < TRIES; i++) {
        struct nyt_page_choice choice;
        struct nyt_block *b = nyt_block_new();
        bool ok = b && nyt_page_choose(&choice, input->p, &caps);
        ok = ok && nyt_page_data(&b->json, input, &choice);
        if (b)
            nyt_page_choice_free(&choice);
        int64_t bytes = ok ? nyt_block_end(b) : NYT_ENOMEM;
        if (bytes >= 0 && ((uint64_t)bytes <= room || i == TRIES - 1)) {
            *out = b;
            return NYT_OK;
        }
        nyt_block_free(b);
        if (bytes < 0)
            return NYT_ENOMEM;
        caps = (struct nyt_page_caps){.files = caps.files / 2,
                                      .lines = caps.lines / 2,
                                      .subs = caps.subs / 2,
                                      .calls = caps.calls / 2,
                                      .nodes = caps.nodes / 2,
                                      .processes = caps.processes / 2};
    }
    return NYT_ENOMEM;
}

/* Half of the room is the tables'; sources have what these leave. */
static int make_part(struct part *part, uint64_t room)
{
    struct nyt_page_input *input = &part->input;
    if (!nyt_insight_find(&part->insight, input->p) ||
        !nyt_page_texts_make(&part->texts, input->p, room / 2))
        return NYT_ENOMEM;
    input->insight = &part->insight;
    input->sources = &part->texts.of;
    return make_data(&part->data, input, room - part->texts.bytes);
}

static int make_contents(struct contents *c, const nyt_profile *p, const nyt_page_options *options)
{
    uint64_t max_bytes = options->max_bytes ? options->max_bytes : USUAL_BYTES;
    uint64_t fixed = nyt_page_script_len + nyt_page_style_len + 16 * 1024;
    uint64_t room = max_bytes > fixed + LEAST_BYTES ? max_bytes - fixed : LEAST_BYTES;
    c->count = options->compare ? 2 : 1;
    c->parts[0].input = (struct nyt_page_input){.p = p};
    c->parts[1].input = (struct nyt_page_input){.p = options->compare};
    int rc = NYT_OK;
    for (size_t i = 0; i < c->count && rc == NYT_OK; i++)
        rc = make_part(&c->parts[i], room / c->count);
    return rc;
}

static void free_contents(struct contents *c)
{
    for (size_t i = 0; i < c->count; i++) {
        nyt_insight_free(&c->parts[i].insight);
        nyt_block_free(c->parts[i].data);
        nyt_page_texts_free(&c->parts[i].texts);
    }
}

static void put_block(struct nyt_out *o, const struct nyt_block *b, const char *id, size_t number,
                      bool numbered)
{
    nyt_out_format(o, "<script type=\"application/octet-stream\" id=\"%s", id);
    if (numbered)
        nyt_out_format(o, "%zu", number);
    nyt_out_text(o, "\">");
    nyt_block_put(b, o);
    nyt_out_text(o, "</script>\n");
}

static void put_head(struct nyt_out *o, const nyt_profile *p)
{
    nyt_out_text(o, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                    "script-src 'sha256-");
    nyt_out_text(o, nyt_page_script_hash);
    nyt_out_text(o, "'; style-src-elem 'sha256-");
    nyt_out_text(o, nyt_page_style_hash);
    nyt_out_text(o, "'; style-src-attr 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
                    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                    "<meta name=\"generator\" content=\"nytprof " NYT_VERSION "\">\n<title>");
    nyt_put_html_name(o, nyt_page_title(p));
    nyt_out_text(o, " - profile</title>\n<style>");
    nyt_out_bytes(o, nyt_page_style, nyt_page_style_len);
    nyt_out_text(o, "</style>\n</head>\n<body>\n");
}

/* The answer is painted while the rest of the page is still read. */
static bool put_first_paint(struct nyt_out *o, const struct nyt_insight *insight)
{
    nyt_out_text(o, "<div id=\"app\"><header><h1>");
    nyt_put_html_name(o, nyt_page_title(insight->p));
    nyt_out_text(o, "</h1></header>");
    bool ok = nyt_put_answer(o, insight);
    nyt_out_text(o, "</div>\n<noscript>");
    nyt_put_tables(o, insight);
    nyt_out_text(o, "</noscript>\n");
    return ok;
}

static bool put_page(struct nyt_out *o, const struct contents *c)
{
    static const char *const profile_ids[] = {"profile", "other"}, *const source_ids[] = {"s", "o"};
    const struct part *first = &c->parts[0];
    put_head(o, first->input.p);
    bool ok = put_first_paint(o, &first->insight);
    for (size_t i = 0; i < c->count; i++)
        put_block(o, c->parts[i].data, profile_ids[i], 0, false);
    for (size_t i = 0; i < c->count; i++)
        for (size_t k = 0; k < c->parts[i].texts.count; k++)
            put_block(o, c->parts[i].texts.blocks[k], source_ids[i], k, true);
    nyt_out_text(o, "<script>");
    nyt_out_bytes(o, nyt_page_script, nyt_page_script_len);
    nyt_out_text(o, "</script>\n</body>\n</html>\n");
    return ok;
}

int nyt_report_page(const nyt_profile *p, const nyt_page_options *options, nyt_write_fn write,
                    void *ctx, nyt_error *err)
{
    static const nyt_page_options usual = {0};
    struct contents c = {0};
    struct nyt_out *o = malloc(sizeof *o);
    if (!options)
        options = &usual;
    if (!nyt_page_script_len) {
        free(o);
        return nyt_fail(err, NYT_EAPI, "this build has no HTML page: npm was missing");
    }
    int rc = o ? make_contents(&c, p, options) : NYT_ENOMEM;
    if (rc == NYT_OK) {
        nyt_out_begin(o, write, ctx);
        bool ok = put_page(o, &c);
        rc = nyt_out_end(o, err);
        rc = rc == NYT_OK && !ok ? NYT_ENOMEM : rc;
    }
    if (rc == NYT_ENOMEM)
        nyt_fail(err, rc, "out of memory");
    free_contents(&c);
    free(o);
    return rc;
}
