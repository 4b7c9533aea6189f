/*
 * Units of work that stand in comments (docs/format.md): "unit NUMBER OUTER NAME" tells that what is
 * numbered so ran in that unit, and in what OUTER stands for; "of unit NUMBER" of which the lines and
 * calls that follow are, up to the next such comment or the end of the section; "units untold N" how
 * often what ran in one more could not be told apart.
 */
#ifndef NYT_FORMAT_UNITS_H
#define NYT_FORMAT_UNITS_H

#include <nytprof.h>

enum nyt_unit_saying { NYT_UNIT_NOTHING, NYT_UNIT_DEFINED, NYT_UNIT_FOLLOWS, NYT_UNIT_UNTOLD };

struct nyt_unit_said {
    uint32_t number, outer;
    uint64_t times;
    nyt_str name;
};

/* NYT_UNIT_NOTHING: the comment says something else. `name` points into it. */
enum nyt_unit_saying nyt_unit_parse(nyt_str comment, struct nyt_unit_said *said);

#endif
