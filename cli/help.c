/* --help and `nytprof help`. */
#include "table.h"

#include <stdio.h>

const char *const statuses[] = {
    [EXIT_FINE] = "fine",
    [EXIT_FINDINGS] = "verify found a fault, or a condition of diff is met",
    [EXIT_USAGE] = "wrong usage",
    [EXIT_UNREADABLE] = "a file cannot be read, or is no profile",
    [EXIT_INCOMPLETE] = "something was written, but not all there should be",
};
const size_t status_count = sizeof statuses / sizeof *statuses;

/* ": a, b or c" */
static void print_words(word_fn *word)
{
    for (size_t i = 0; word(i); i++)
        printf("%s%s", i == 0 ? ": " : word(i + 1) ? ", " : " or ", word(i));
}

static void print_option(const struct option *o)
{
    char spelled[40];
    snprintf(spelled, sizeof spelled, "--%s%s%s", o->name, o->argument ? " " : "",
             o->argument ? o->argument : "");
    if (o->letter)
        printf("  -%c, %-20s %s", o->letter, spelled, o->help);
    else
        printf("      %-20s %s", spelled, o->help);
    if (o->word && !is_format(o))
        print_words(o->word);
    putchar('\n');
}

static void print_formats(void)
{
    size_t n;
    const nyt_export_format *formats = nyt_export_formats(&n);
    puts("\nFORMATS are");
    for (size_t i = 0; i < n; i++)
        printf("  %-12s %s%s\n", formats[i].name, formats[i].help,
               formats[i].limited   ? "; takes --max-bytes"
               : formats[i].picture ? "; takes --top"
                                    : "");
}

static void print_command_help(const struct command *command)
{
    bool has_formats = false;
    printf("usage: nytprof %s [options] %s\n\n%s\n\n", command->name, files_of(command),
           command->help);
    if (command->more)
        printf("%s\n\n", command->more);
    printf("FILE is a NYTProf profile%s.\n\n", command->combine ? "" : "; - is standard input");
    for (size_t i = 0; i < option_count; i++) {
        if (!(options[i].commands & command->bit))
            continue;
        print_option(&options[i]);
        has_formats |= is_format(&options[i]);
    }
    puts("  -h, --help               this text");
    if (has_formats)
        print_formats();
}

static void print_overview(void)
{
    puts("usage: nytprof COMMAND [options] FILE ...\n\nReads NYTProf profiles.\n");
    for (size_t i = 0; i < command_count; i++)
        printf("  %-12s %s\n", commands[i].name, commands[i].help);
    puts("  completions  write completions for bash, zsh or fish\n"
         "  help         explain a command\n\nExit status:");
    for (size_t i = 0; i < status_count; i++)
        printf("  %zu  %s\n", i, statuses[i]);
    puts("\nOptions: nytprof help COMMAND");
}

enum exit_status help(const char *topic)
{
    const struct command *command = topic ? find_command(topic) : NULL;
    if (topic && !command)
        return fprintf(stderr, "nytprof: there is no command '%s'\n", topic), EXIT_USAGE;
    else if (command)
        print_command_help(command);
    else
        print_overview();
    return EXIT_FINE;
}
