/* Which command is meant, and running it on its files. */
#include "cli.h"

#include "complete.h"
#include "help.h"
#include "manual.h"
#include "message.h"
#include "parse.h"
#include "suggest.h"
#include "target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#ifndef _WIN32
#include <sys/ioctl.h>
#include <unistd.h>
#endif

const char nyt_cli_date[] = NYT_DATE;

bool nyt_cli_command(size_t i, const char **name, const char **help)
{
    return first_word(i, name, help);
}

/* ---- The terminal ---- */

static bool is_terminal(FILE *out)
{
#ifdef _WIN32
    (void)out;
    return false;
#else
    return isatty(fileno(out)) == 1;
#endif
}

/* 0: it has none. */
static size_t terminal_width(FILE *out)
{
#if !defined(_WIN32) && defined(TIOCGWINSZ)
    struct winsize size;
    if (is_terminal(out) && ioctl(fileno(out), TIOCGWINSZ, &size) == 0)
        return size.ws_col;
#else
    (void)out;
#endif
    return 0;
}

static bool uses_colour(const struct options *o)
{
    const char *no_color = getenv("NO_COLOR");
    if (o->colour != COLOUR_AUTO)
        return o->colour == COLOUR_ALWAYS;
    return !o->output && !(no_color && *no_color) && is_terminal(o->io->out);
}

static void settle_report(struct options *o)
{
    o->report.sort = (nyt_sort)o->sort;
    o->report.colour = uses_colour(o);
    if (!o->report.width)
        o->report.width = terminal_width(o->io->out);
}

/* ---- A command ---- */

static enum exit_status worse(enum exit_status a, enum exit_status b)
{
    return a > b ? a : b;
}

/* What buffered output could not be written shows only now. */
static enum exit_status finish_output(const struct nyt_cli_io *io)
{
    bool failed = fflush(io->out) != 0 || ferror(io->out);
    return failed ? cannot_write(io, "standard output") : EXIT_FINE;
}

static enum exit_status run_files(const struct command *command, const struct options *o,
                                  char **files, int count, FILE *out)
{
    enum exit_status status = EXIT_FINE;
    for (int i = 0; i < count; i++)
        status = worse(status, command->run(o, files[i], out));
    return status;
}

/* Without a word to write, what has the output's name stays. */
static enum exit_status run(const struct command *command, const struct options *o, char **files,
                            int count)
{
    struct target t = {.path = o->output};
    if (!open_target(&t, o->io->out)) {
        say(o->io, "%s: cannot open: %s", o->output, strerror(errno));
        return EXIT_INCOMPLETE;
    }
    enum exit_status status = command->compare ? command->compare(o, files, t.out)
                                               : run_files(command, o, files, count, t.out);
    bool whole = status == EXIT_FINE || ftell(t.out) > 0;
    if (!close_target(&t, o->io->out, whole))
        status = worse(status, cannot_write(o->io, o->output ? o->output : "standard output"));
    return status;
}

static enum exit_status run_command(const struct nyt_cli_io *io, const struct command *command,
                                    int count, char **words)
{
    struct options o = {.io = io};
    if (wants_help(count, words))
        return print_help(io, command), EXIT_FINE;
    enum exit_status status = parse(command, words, &count, &o);
    if (status == EXIT_FINE && command->check)
        status = command->check(&o, count);
    if (status != EXIT_FINE)
        return status;
    settle_report(&o);
    return command->combine ? command->combine(&o, words, count) : run(command, &o, words, count);
}

/* ---- What is no command on profiles ---- */

static enum exit_status unknown_command(const struct nyt_cli_io *io, const char *name)
{
    char hint[HINT_SIZE];
    return usage_error(io, NULL, "unknown command '%s'%s", name, suggest_command(name, hint));
}

static enum exit_status explain(const struct nyt_cli_io *io, const char *topic)
{
    const struct command *command = topic ? find_command(topic) : NULL;
    if (topic && !command)
        return unknown_command(io, topic);
    return print_help(io, command), EXIT_FINE;
}

/* Commands of its own that a program adds want the page in parts. */
static enum exit_status manual(const struct nyt_cli_io *io, const char *part)
{
    if (part && strcmp(part, "commands") == 0)
        print_manual_of_commands(io);
    else
        print_manual(io);
    return EXIT_FINE;
}

static enum exit_status dispatch(const struct nyt_cli_io *io, const char *word, int count,
                                 char **words)
{
    const char *topic = count > 0 ? words[0] : NULL;
    const struct command *command = find_command(word);
    if (command)
        return run_command(io, command, count, words);
    if (strcmp(word, "--version") == 0)
        return fprintf(io->out, "%s %s\n", io->program, NYT_VERSION), EXIT_FINE;
    if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        return explain(io, topic);
    if (strcmp(word, "--man") == 0)
        return manual(io, topic);
    if (strcmp(word, "completions") == 0)
        return completions(io, topic);
    if (strcmp(word, "__complete") == 0)
        return complete(io, count, words), EXIT_FINE;
    return unknown_command(io, word);
}

int nytprof_main(int argc, char **argv, const struct nyt_cli_io *io)
{
    if (argc < 2)
        return usage_error(io, NULL, "no command given");
    enum exit_status status = dispatch(io, argv[1], argc - 2, argv + 2);
    if (status == EXIT_FINE)
        status = finish_output(io);
    return status;
}
