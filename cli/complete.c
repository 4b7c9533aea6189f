/*
 * Completion of command lines. `nytprof completions SHELL` writes a script that makes the shell
 * ask `nytprof __complete WORD...`, so that what is offered is always what this program takes.
 * The answer has a line for each word that the last WORD may become, with a tab and a
 * description; the line ":files" stands for files.
 */
#include "complete.h"

#include "completion_scripts.h"
#include "message.h"
#include "table.h"

#include <string.h>

/* ---- Scripts: completion.bash, .fish and .zsh ---- */

static const struct {
    const char *name, *script;
} shells[] = {{"bash", embedded_bash}, {"fish", embedded_fish}, {"zsh", embedded_zsh}};

static const size_t shell_count = sizeof shells / sizeof *shells;

/* The scripts are those of nytprof: each "nytprof" becomes the program's name. */
static void print_script(const struct nyt_cli_io *io, const char *script)
{
    static const char name[] = "nytprof";
    const char *next;
    for (; (next = strstr(script, name)); script = next + sizeof name - 1) {
        fwrite(script, 1, (size_t)(next - script), io->out);
        fputs(io->program, io->out);
    }
    fputs(script, io->out);
}

enum exit_status completions(const struct nyt_cli_io *io, const char *shell)
{
    if (!shell)
        return usage_error(io, NULL, "completions requires a shell: bash, fish or zsh");
    for (size_t i = 0; i < shell_count; i++)
        if (strcmp(shell, shells[i].name) == 0)
            return print_script(io, shells[i].script), EXIT_FINE;
    return usage_error(io, NULL, "unknown shell '%s': expected bash, fish or zsh", shell);
}

/* ---- Answers ---- */

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static void offer(FILE *out, const char *word, const char *text, const char *typed)
{
    if (begins(word, typed))
        fprintf(out, "%s\t%s\n", word, text);
}

static void offer_first_words(FILE *out, const char *typed)
{
    const char *name, *text;
    for (size_t i = 0; first_word(i, &name, &text); i++)
        offer(out, name, text, typed);
    offer(out, "--help", "name the commands", typed);
    offer(out, "--version", "name the version", typed);
}

static void offer_second_words(FILE *out, const char *first, const char *typed)
{
    for (size_t i = 0; i < command_count && strcmp(first, "help") == 0; i++)
        offer(out, commands[i].name, commands[i].help, typed);
    for (size_t i = 0; i < shell_count && strcmp(first, "completions") == 0; i++)
        offer(out, shells[i].name, "a shell", typed);
}

/* `typed` ends with `argument`; what comes before stays as it is. */
static void offer_argument(FILE *out, const struct option *o, const char *typed,
                           const char *argument)
{
    for (size_t i = 0; o->word && o->word(i); i++)
        if (begins(o->word(i), argument))
            fprintf(out, "%.*s%s\t%s\n", (int)(argument - typed), typed, o->word(i), o->help);
    if (strcmp(o->argument, "FILE") == 0)
        fputs(":files\n", out);
}

static void offer_options(FILE *out, const struct command *command, const char *typed)
{
    for (size_t i = 0; i < option_count; i++) {
        char word[40];
        snprintf(word, sizeof word, "--%s", options[i].name);
        if (options[i].commands & command->bit)
            offer(out, word, options[i].help, typed);
    }
    offer(out, "--help", "explain the command", typed);
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

static void complete_command(FILE *out, const struct command *command, int count, char **words)
{
    const char *typed = words[count - 1], *argument;
    const struct option *o = waiting(command, count - 1, words);
    if (o) {
        offer_argument(out, o, typed, typed);
        return;
    }
    o = find_option(command, typed, &argument);
    if (o && o->argument && argument)
        offer_argument(out, o, typed, argument);
    else if (*typed == '-')
        offer_options(out, command, typed);
    else
        fputs(":files\n", out);
}

void complete(const struct nyt_cli_io *io, int count, char **words)
{
    const struct command *command = count > 1 ? find_command(words[0]) : NULL;
    if (count == 1)
        offer_first_words(io->out, words[0]);
    else if (command)
        complete_command(io->out, command, count - 1, words + 1);
    else if (count == 2)
        offer_second_words(io->out, words[0], words[1]);
}
