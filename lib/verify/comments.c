/*
 * Comments that are like none of those that tell of figures tell people something, and are left
 * alone; those that begin like one and go on otherwise tell nobody what they should.
 */
#include "verify/comments.h"

#include "base/str.h"
#include "format/awaited.h"
#include "format/shared.h"
#include "format/units.h"

#include <stdlib.h>

static const struct nyt_comment_fault faults[] = {
    {NYT_WARNED, "awaited-malformed",
     "a comment that should tell of awaited time, as 'awaited TICKS COUNT LINE FILE', does not"},
    {NYT_WARNED, "waits-malformed",
     "a comment that should tell of waits, as 'Processor waits: TICKS ticks', does not"},
    {NYT_WARNED, "unit-malformed",
     "a comment that should tell of a unit of work, as 'unit NUMBER OUTER NAME', does not"},
    {NYT_ODD, "unit-number",
     "a unit of work is not the next one, or not known: what ran in units is not told apart"},
    {NYT_ODD, "awaited-line-0", "awaited time on line 0, which belongs to no line"},
    {NYT_ODD, "shared-malformed",
     "a comment that should name lines with shared times, as 'shared 3,5-9 FILE', does not"},
};

enum { AWAITED, WAITS, UNIT, UNIT_NUMBER, LINE_0, SHARED, NONE };

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

/* Is it "unit 12..."? Comments for people may begin with the word, too. */
static bool is_numbered(nyt_str text, const char *words, size_t len)
{
    return nyt_str_begins(text, words) && text.len > len && text.data[len] >= '0' &&
           text.data[len] <= '9';
}

static int fault_of_unit(struct nyt_comments *c, nyt_str text)
{
    struct nyt_unit_said said;
    switch (nyt_unit_parse(text, &said)) {
    case NYT_UNIT_DEFINED:
        if (said.number != c->units + 1 || said.outer > c->units)
            return UNIT_NUMBER;
        c->units++;
        return NONE;
    case NYT_UNIT_FOLLOWS:
        return said.number > c->units ? UNIT_NUMBER : NONE;
    case NYT_UNIT_UNTOLD:
        return NONE;
    default:
        return is_numbered(text, "unit ", 5) || is_numbered(text, "of unit ", 8) ||
                       is_numbered(text, "units untold ", 13)
                   ? UNIT
                   : NONE;
    }
}

static int fault_of_others(nyt_str text)
{
    struct nyt_shared_said said;
    uint64_t ticks;
    if (nyt_shared_parse(text, &said) == NYT_SHARED_MALFORMED)
        return SHARED;
    return nyt_str_begins(text, NYT_PROCESSOR_WAITS) && !nyt_processor_wait_parse(text, &ticks)
               ? WAITS
               : NONE;
}

int nyt_comments_check(struct nyt_comments *c, const nyt_record *at, uint64_t number,
                       struct nyt_comment_fault *fault)
{
    struct nyt_awaited said;
    nyt_str text = at->u.comment.text;
    int found = fault_of_unit(c, text);
    enum nyt_awaited_saying saying = nyt_awaited_parse(text, &said);
    if (found == NONE)
        found = fault_of_others(text);
    if (saying == NYT_AWAITED_MALFORMED)
        found = AWAITED;
    else if (saying == NYT_AWAITED_LINE && !said.line)
        found = LINE_0;
    if (saying == NYT_AWAITED_LINE && !keep_place(c, said.file, at, number))
        return NYT_ENOMEM;
    if (found != NONE)
        *fault = faults[found];
    return found != NONE;
}

void nyt_comments_free(struct nyt_comments *c)
{
    nyt_names_free(&c->names);
    nyt_map_free(&c->known);
    free(c->awaited);
}
