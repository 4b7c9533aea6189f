/* --help and the command help, from the tables. */
#include "help.h"

/* ": a, b or c" */
static void print_words(FILE *out, word_fn *word)
{
    for (size_t i = 0; word(i); i++)
        fprintf(out, "%s%s", i == 0 ? ": " : word(i + 1) ? ", " : " or ", word(i));
}

static void print_option(FILE *out, const struct option *o)
{
    char spelled[40];
    snprintf(spelled, sizeof spelled, "--%s%s%s", o->name, o->argument ? " " : "",
             o->argument ? o->argument : "");
    if (o->letter)
        fprintf(out, "  -%c, %-20s %s", o->letter, spelled, o->help);
    else
        fprintf(out, "      %-20s %s", spelled, o->help);
    if (o->word && !is_format(o))
        print_words(out, o->word);
    fputc('\n', out);
}

static void print_formats(FILE *out)
{
    size_t n;
    const nyt_export_format *formats = nyt_export_formats(&n);
    fputs("\nFORMATS are\n", out);
    for (size_t i = 0; i < n; i++)
        fprintf(out, "  %-12s %s%s\n", formats[i].name, formats[i].help,
                formats[i].limited   ? "; takes --max-bytes"
                : formats[i].picture ? "; takes --top"
                                     : "");
}

static void print_command_help(const struct nyt_cli_io *io, const struct command *command)
{
    bool has_formats = false;
    fprintf(io->out, "usage: %s %s [options] %s\n\n%s\n\n", io->program, command->name,
            files_of(command), command->help);
    if (command->more)
        fprintf(io->out, "%s\n\n", command->more);
    fprintf(io->out, "Input files are NYTProf profiles%s.\n\n",
            command->combine ? "" : "; - is standard input");
    for (size_t i = 0; i < option_count; i++) {
        if (!(options[i].commands & command->bit))
            continue;
        print_option(io->out, &options[i]);
        has_formats |= is_format(&options[i]);
    }
    fputs("  -h, --help               show this text\n", io->out);
    if (has_formats)
        print_formats(io->out);
}

static void print_overview(const struct nyt_cli_io *io)
{
    const char *name, *text;
    fprintf(io->out,
            "usage: %s COMMAND [options] FILE ...\n       %s [options] [FILE]\n\n"
            "Reads NYTProf profiles; without a command it shows where the time went.\n\n",
            io->program, io->program);
    for (size_t i = 0; first_word(i, &name, &text); i++)
        fprintf(io->out, "  %-12s %s\n", name, text);
    fputs("\nExit status:\n", io->out);
    for (size_t i = 0; i < status_count; i++)
        fprintf(io->out, "  %zu  %s\n", i, statuses[i]);
    fprintf(io->out, "\nOptions of a command: %s help COMMAND\n", io->program);
}

void print_help(const struct nyt_cli_io *io, const struct command *command)
{
    if (command)
        print_command_help(io, command);
    else
        print_overview(io);
}
