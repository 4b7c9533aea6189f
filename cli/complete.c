/*
 * Completion of command lines. `nytprof completions SHELL` writes a script that makes the shell
 * ask `nytprof __complete WORD...`, so that what is offered is always what this program takes.
 * The answer has a line for each word that the last WORD may become, with a tab and a
 * description; the line ":files" stands for files.
 */
#include "completion_scripts.h"
#include "table.h"

#include <stdio.h>
#include <string.h>

/* ---- Scripts: completion.bash, .fish and .zsh ---- */

static const struct {
    const char *name, *script;
} shells[] = {{"bash", embedded_bash}, {"fish", embedded_fish}, {"zsh", embedded_zsh}};

const char *shell_word(size_t i)
{
    return i < sizeof shells / sizeof *shells ? shells[i].name : NULL;
}

enum exit_status completions(const char *shell)
{
    for (size_t i = 0; shell && i < sizeof shells / sizeof *shells; i++)
        if (strcmp(shell, shells[i].name) == 0)
            return fputs(shells[i].script, stdout), EXIT_FINE;
    fputs("usage: nytprof completions bash|fish|zsh\n", stderr);
    return EXIT_USAGE;
}

/* ---- Answers ---- */

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static void offer(const char *word, const char *text, const char *typed)
{
    if (begins(word, typed))
        printf("%s\t%s\n", word, text);
}

static void offer_commands(const char *typed)
{
    for (size_t i = 0; i < command_count; i++)
        offer(commands[i].name, commands[i].help, typed);
}

static void offer_first_words(const char *typed)
{
    offer_commands(typed);
    offer("completions", "write completions for a shell", typed);
    offer("help", "explain a command", typed);
    offer("--help", "name the commands", typed);
    offer("--version", "name the version", typed);
}

/* `before` is what of the word stands in front of the argument. */
static void offer_argument(const struct option *o, const char *before, const char *typed)
{
    for (size_t i = 0; o->word && o->word(i); i++)
        if (begins(o->word(i), typed))
            printf("%s%s\t%s\n", before, o->word(i), o->help);
    if (strcmp(o->argument, "FILE") == 0)
        puts(":files");
}

static void offer_options(const struct command *command, const char *typed)
{
    for (size_t i = 0; i < option_count; i++) {
        char word[40];
        snprintf(word, sizeof word, "--%s", options[i].name);
        if (options[i].commands & command->bit)
            offer(word, options[i].help, typed);
    }
    offer("--help", "explain the command", typed);
}

/* The option that waits for its argument after these words; NULL: none does. */
static const struct option *waiting(const struct command *command, int count, char **words)
{
    const struct option *last = NULL;
    for (int i = 0; i < count; i++) {
        const char *argument;
        const struct option *o = last ? NULL : find_option(command, words[i], &argument);
        last = o && o->argument && !argument ? o : NULL;
    }
    return last;
}

static void complete_command(const struct command *command, int count, char **words)
{
    char *typed = words[count - 1], before[40];
    const char *argument;
    const struct option *o = waiting(command, count - 1, words);
    if (o) {
        offer_argument(o, "", typed);
        return;
    }
    o = find_option(command, typed, &argument);
    if (o && o->argument && argument) {
        snprintf(before, sizeof before, "--%s=", o->name);
        offer_argument(o, before, argument);
    } else if (*typed == '-') {
        offer_options(command, typed);
    } else {
        puts(":files");
    }
}

void complete(int count, char **words)
{
    const struct command *command = count > 1 ? find_command(words[0]) : NULL;
    if (count == 1)
        offer_first_words(words[0]);
    else if (command)
        complete_command(command, count - 1, words + 1);
    else if (count == 2 && strcmp(words[0], "help") == 0)
        offer_commands(words[1]);
    for (size_t i = 0; count == 2 && strcmp(words[0], "completions") == 0 && shell_word(i); i++)
        offer(shell_word(i), "a shell", words[1]);
}
