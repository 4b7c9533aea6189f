/*
 * Comments that are like none of those that tell of figures tell people something, and are left
 * alone; those that begin like one and go on otherwise tell nobody what they should.
 */
#include "verify/comments.h"

#include "base/str.h"
#include "format/awaited.h"
#include "format/malformed.h"
#include "format/units.h"

#include <stdlib.h>

static const struct nyt_comment_fault malformed[] = {
    [NYT_MALFORMED_AWAITED] = {NYT_WARNED, "awaited-malformed",
                               "a comment that should tell of awaited time, as 'awaited TICKS "
                               "COUNT LINE FILE', does not"},
    [NYT_MALFORMED_WAITS] =
        {NYT_WARNED, "waits-malformed",
         "a comment that should tell of waits, as 'Processor waits: TICKS ticks', does not"},
    [NYT_MALFORMED_UNIT] =
        {NYT_WARNED, "unit-malformed",
         "a comment that should tell of a unit of work, as 'unit NUMBER OUTER NAME', does not"},
    [NYT_MALFORMED_SHARED] =
        {NYT_ODD, "shared-malformed",
         "a comment that should name lines with shared times, as 'shared 3,5-9 FILE', does not"},
};

static const struct nyt_comment_fault unit_number = {
    NYT_ODD, "unit-number",
    "a unit of work is not the next one, or not known: what ran in units is not told apart"};

static const struct nyt_comment_fault line_0 = {NYT_ODD, "awaited-line-0",
                                                "awaited time on line 0, which belongs to no line"};

/* Each file's name is kept once, with the place where it came first. */
static bool keep_place(struct nyt_comments *c, nyt_str file, const nyt_record *at, uint64_t number)
{
    bool is_new;
    uint32_t name = nyt_names_take(&c->names, file);
    uint32_t *known = name == NYT_NONE ? NULL : nyt_map_take(&c->known, name, &is_new);
    if (!known || !NYT_ROOM_FOR_ONE(c->awaited, c->count, c->cap))
        return false;
    if (is_new)
        c->awaited[c->count++] = (struct nyt_awaited_place){
            .offset = at->offset, .record = number, .in_deflate = at->in_deflate, .name = name};
    return true;
}

/* Whether it tells of a unit that is not the next one, or not known. */
static bool is_out_of_order(struct nyt_comments *c, nyt_str text)
{
    struct nyt_unit_said said;
    switch (nyt_unit_parse(text, &said)) {
    case NYT_UNIT_DEFINED:
        if (said.number != c->units + 1 || said.outer > c->units)
            return true;
        c->units++;
        return false;
    case NYT_UNIT_FOLLOWS:
        return said.number > c->units;
    default:
        return false;
    }
}

int nyt_comments_check(struct nyt_comments *c, const nyt_record *at, uint64_t number,
                       struct nyt_comment_fault *fault)
{
    struct nyt_awaited said;
    nyt_str text = at->u.comment.text;
    const struct nyt_comment_fault *found = NULL;
    enum nyt_malformed how = nyt_comment_malformed(text);
    bool awaited = nyt_awaited_parse(text, &said) == NYT_AWAITED_LINE;
    if (awaited && !keep_place(c, said.file, at, number))
        return NYT_ENOMEM;
    if (how != NYT_WELL_FORMED)
        found = &malformed[how];
    else if (awaited && !said.line)
        found = &line_0;
    else if (is_out_of_order(c, text))
        found = &unit_number;
    if (found)
        *fault = *found;
    return found != NULL;
}

void nyt_comments_free(struct nyt_comments *c)
{
    nyt_names_free(&c->names);
    nyt_map_free(&c->known);
    free(c->awaited);
}
