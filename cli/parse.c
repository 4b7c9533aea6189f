/* Words to options, by the table; messages about words that are none. */
#include "parse.h"

#include "message.h"
#include "suggest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- Values ---- */

static void *field(struct options *o, size_t offset)
{
    return (char *)o + offset;
}

enum { NUMBER_LIMIT = 1000000000 };

/* NULL, or what was expected. */
static const char *parse_number(const char *text, size_t *value)
{
    char *end;
    errno = 0;
    unsigned long n = strtoul(text, &end, 10);
    *value = n;
    if (*text < '0' || *text > '9' || *end != '\0' || (errno == 0 && n == 0))
        return "a positive number";
    return errno == 0 && n < NUMBER_LIMIT ? NULL : "a number below 1000000000";
}

/* "time, incl, count or place" */
static void list_words(word_fn *word, char *text, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; word(i) && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s",
                                 i == 0        ? ""
                                 : word(i + 1) ? ", "
                                               : " or ",
                                 word(i));
}

static bool find_word(word_fn *word, const char *argument, size_t *i)
{
    for (*i = 0; word(*i); ++*i)
        if (strcmp(word(*i), argument) == 0)
            return true;
    return false;
}

/* Puts the argument where the table says. NULL, or what was expected instead. */
static const char *store(const struct option *option, const char *argument, struct options *o)
{
    if (option->flag)
        *(bool *)field(o, option->flag) = true;
    else if (option->text)
        *(const char **)field(o, option->text) = argument;
    else if (option->number)
        return parse_number(argument, field(o, option->number));
    else if (option->set)
        return option->set(o, argument);
    return NULL;
}

static enum exit_status invalid(const struct command *command, const struct options *o,
                                const struct option *option, const char *argument,
                                const char *expected)
{
    return usage_error(o->io, command->name, "invalid value '%s' for --%s: expected %s", argument,
                       option->name, expected);
}

static enum exit_status take(const struct command *command, const struct option *option,
                             const char *argument, struct options *o)
{
    char words[256] = "";
    size_t i = 0;
    if (option->word && !find_word(option->word, argument, &i)) {
        list_words(option->word, words, sizeof words);
        return invalid(command, o, option, argument, words);
    }
    if (option->choice)
        *(size_t *)field(o, option->choice) = i;
    const char *expected = store(option, argument, o);
    return expected ? invalid(command, o, option, argument, expected) : EXIT_FINE;
}

/* ---- Words ---- */

/* "summary, func or tree": the commands that have this option; false: none does. */
static bool list_commands(const char *word, char *text, size_t size)
{
    const char *argument, *last = NULL;
    size_t used = 0;
    for (size_t i = 0; i < command_count; i++) {
        if (!find_option(&commands[i], word, &argument) || used >= size)
            continue;
        if (last)
            used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "", last);
        last = commands[i].name;
    }
    if (last && used < size)
        snprintf(text + used, size - used, "%s%s", used ? " and " : "", last);
    return last != NULL;
}

static enum exit_status unknown(const struct command *command, const struct options *o,
                                const char *word)
{
    char hint[HINT_SIZE], others[256];
    if (word[1] == '-' && list_commands(word, others, sizeof others))
        return usage_error(o->io, command->name, "%s has no option '%.*s', but %s", command->name,
                           (int)strcspn(word, "="), word, others);
    return usage_error(o->io, command->name, "unknown option '%.*s'%s", (int)strcspn(word, "="),
                       word, suggest_option(command, word, hint));
}

/* The option at words[*i], whose argument may be the word behind it. */
static enum exit_status parse_option(const struct command *command, char **words, int count, int *i,
                                     struct options *o)
{
    const char *argument;
    const struct option *option = find_option(command, words[*i], &argument);
    if (!option)
        return unknown(command, o, words[*i]);
    if (!option->argument && argument)
        return usage_error(o->io, command->name, "option --%s takes no value", option->name);
    if (option->argument && !argument) {
        if (*i + 1 == count)
            return usage_error(o->io, command->name, "missing argument for --%s", option->name);
        argument = words[++*i];
    }
    return take(command, option, argument, o);
}

enum exit_status parse(const struct command *command, char **words, int *count, struct options *o)
{
    int files = 0;
    bool only_files = false;
    for (int i = 0; i < *count; i++) {
        if (only_files || words[i][0] != '-' || words[i][1] == '\0') {
            words[files++] = words[i];
            continue;
        }
        only_files = strcmp(words[i], "--") == 0;
        if (only_files) {
            o->files_before = files;
            continue;
        }
        enum exit_status status = parse_option(command, words, *count, &i, o);
        if (status != EXIT_FINE)
            return status;
    }
    *count = files;
    return EXIT_FINE;
}

bool wants_help(int count, char **words)
{
    for (int i = 0; i < count && strcmp(words[i], "--") != 0; i++)
        if (strcmp(words[i], "-h") == 0 || strcmp(words[i], "--help") == 0)
            return true;
    return false;
}
