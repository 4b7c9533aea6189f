/* Which word was meant: the one that fewest edits, or its missing end, make of what was typed. */
#include "suggest.h"

#include <string.h>

enum { LONGEST = 32 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many characters must be put in, taken out or replaced to get from one to the other. */
static size_t distance(const char *from, size_t len, const char *to)
{
    size_t row[LONGEST + 1], width = strlen(to);
    for (size_t j = 0; j <= width; j++)
        row[j] = j;
    for (size_t i = 1; i <= len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= width; j++) {
            size_t replaced = diagonal + (from[i - 1] != to[j - 1]);
            diagonal = row[j];
            row[j] = least(replaced, least(row[j], row[j - 1]) + 1);
        }
    }
    return row[width];
}

struct search {
    const char *typed;
    size_t len;
    const char *nearest;
    size_t distance; /* what is as far as that is no candidate */
};

static struct search search_for(const char *typed, size_t len)
{
    return (struct search){.typed = typed, .len = len, .distance = len / 3 + 1};
}

static void consider(struct search *s, const char *word)
{
    if (s->len == 0 || s->len > LONGEST || strlen(word) > LONGEST)
        return;
    size_t d = strncmp(word, s->typed, s->len) == 0 ? 0 : distance(s->typed, s->len, word);
    if (d < s->distance) {
        s->nearest = word;
        s->distance = d;
    }
}

static const char *hint_of(const struct search *s, const char *dashes, char hint[HINT_SIZE])
{
    *hint = '\0';
    if (s->nearest)
        snprintf(hint, HINT_SIZE, " (did you mean '%s%s'?)", dashes, s->nearest);
    return hint;
}

const char *suggest_command(const char *typed, char hint[HINT_SIZE])
{
    struct search s = search_for(typed, strlen(typed));
    const char *name, *help;
    for (size_t i = 0; first_word(i, &name, &help); i++)
        consider(&s, name);
    return hint_of(&s, "", hint);
}

const char *suggest_option(const struct command *command, const char *typed, char hint[HINT_SIZE])
{
    const char *name = typed + strspn(typed, "-");
    struct search s = search_for(name, strcspn(name, "="));
    for (size_t i = 0; i < option_count; i++)
        if (options[i].commands & command->bit)
            consider(&s, options[i].name);
    return hint_of(&s, "--", hint);
}
