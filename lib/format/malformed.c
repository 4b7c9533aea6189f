/* Which comments tell nobody what they should. */
#include "format/malformed.h"

#include "base/str.h"
#include "format/awaited.h"
#include "format/shared.h"
#include "format/units.h"

/* Is it "unit 12..."? Comments for people may begin with the word, too. */
static bool is_numbered(nyt_str text, const char *words, size_t len)
{
    return nyt_str_begins(text, words) && text.len > len && text.data[len] >= '0' &&
           text.data[len] <= '9';
}

static bool unit_is_malformed(nyt_str text)
{
    struct nyt_unit_said said;
    if (nyt_unit_parse(text, &said) != NYT_UNIT_NOTHING)
        return false;
    return is_numbered(text, "unit ", 5) || is_numbered(text, "of unit ", 8) ||
           is_numbered(text, "units untold ", 13);
}

enum nyt_malformed nyt_comment_malformed(nyt_str comment)
{
    struct nyt_awaited awaited;
    struct nyt_shared_said shared;
    uint64_t ticks;
    if (unit_is_malformed(comment))
        return NYT_MALFORMED_UNIT;
    if (nyt_shared_parse(comment, &shared) == NYT_SHARED_MALFORMED)
        return NYT_MALFORMED_SHARED;
    if (nyt_str_begins(comment, NYT_PROCESSOR_WAITS) && !nyt_processor_wait_parse(comment, &ticks))
        return NYT_MALFORMED_WAITS;
    if (nyt_awaited_parse(comment, &awaited) == NYT_AWAITED_MALFORMED)
        return NYT_MALFORMED_AWAITED;
    return NYT_WELL_FORMED;
}
