/* Which command is meant, and running it on its files. */
#include "cli.h"

#include "complete.h"
#include "guide.h"
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

/* What the user says it is; 0: nothing. */
static size_t columns_of_environment(void)
{
    const char *columns = getenv("COLUMNS");
    char *end;
    unsigned long n = columns ? strtoul(columns, &end, 10) : 0;
    return n > 0 && *end == '\0' && *columns != '-' && n < 100000 ? n : 0;
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
    const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");
    if (o->colour != COLOUR_AUTO)
        return o->colour == COLOUR_ALWAYS;
    bool dumb = terminal && strcmp(terminal, "dumb") == 0;
    return !o->output && !dumb && !(no_color && *no_color) && is_terminal(o->io->out);
}

static void settle_report(struct options *o, const struct command *command)
{
    o->report.sort = (nyt_sort)o->sort;
    o->report.colour = uses_colour(o);
    o->filter.only = o->only;
    o->filter.exclude = o->exclude;
    o->filter.reach = (nyt_reach)o->reach;
    o->narrows = command->narrows;
    o->report.filter = o->narrows ? NULL : &o->filter;
    if (!o->report.width)
        o->report.width = columns_of_environment();
    if (!o->report.width && !o->output)
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
    for (int i = 0; i < count; i++) {
        if (count > 1 && command->names_files && !o->report.json)
            fprintf(out, "%s==> %s <==\n", i ? "\n" : "", files[i]);
        status = worse(status, command->run(o, files[i], out));
    }
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

/* ---- Files ---- */

static bool is_there(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file)
        fclose(file);
    return file != NULL;
}

/* The files that a command is for: those named, or the one that is there as a rule. */
static enum exit_status find_files(const struct nyt_cli_io *io, const struct command *command,
                                   char ***words, int *count)
{
    static char usual[] = USUAL_FILE, *usual_files[] = {usual, NULL};
    if (*count > 0)
        return EXIT_FINE;
    if (!command->usual_file)
        return usage_error(io, command->name, "no input file given");
    if (!is_there(USUAL_FILE))
        return usage_error(io, command->name,
                           "no profile given, and there is no " USUAL_FILE
                           " here: 'pynytprof SCRIPT' makes one");
    *words = usual_files;
    *count = 1;
    return EXIT_FINE;
}

static enum exit_status take_name(const struct nyt_cli_io *io, const struct command *command,
                                  char ***words, int *count, struct options *o)
{
    if (!command->takes_name)
        return EXIT_FINE;
    if (*count == 0 || !***words)
        return usage_error(io, command->name, "%s requires a name", command->name);
    o->name = **words;
    ++*words;
    --*count;
    return EXIT_FINE;
}

static enum exit_status run_command(const struct nyt_cli_io *io, const struct command *command,
                                    int count, char **words)
{
    struct options o = {.io = io};
    if (wants_help(count, words))
        return print_help(io, command), EXIT_FINE;
    enum exit_status status = parse(command, words, &count, &o);
    if (status == EXIT_FINE)
        status = take_name(io, command, &words, &count, &o);
    if (status == EXIT_FINE)
        status = find_files(io, command, &words, &count);
    if (status == EXIT_FINE && command->check)
        status = command->check(&o, count);
    if (status == EXIT_FINE && o.section && o.process)
        status = usage_error(io, command->name, "--thread and --process exclude each other");
    if (status != EXIT_FINE)
        return status;
    settle_report(&o, command);
    return command->combine ? command->combine(&o, words, count) : run(command, &o, words, count);
}

/* ---- What is no command on profiles ---- */

static enum exit_status unknown_command(const struct nyt_cli_io *io, const char *name)
{
    char hint[HINT_SIZE];
    return usage_error(io, NULL, "unknown command '%s'%s", name, suggest_command(name, hint));
}

/* Of what is no command on profiles. */
static const char *usage_of(const char *word)
{
    return strcmp(word, "completions") == 0 ? "completions bash|fish|zsh"
           : strcmp(word, "help") == 0      ? "help [COMMAND]"
                                            : word;
}

static enum exit_status explain(const struct nyt_cli_io *io, const char *topic)
{
    const struct command *command = topic ? find_command(topic) : NULL;
    const char *name, *help;
    for (size_t i = 0; topic && !command && first_word(i, &name, &help); i++)
        if (strcmp(topic, name) == 0)
            return fprintf(io->out, "usage: %s %s\n\n%s\n", io->program, usage_of(topic), help),
                   EXIT_FINE;
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

/* What a word begins that is no command on profiles; false: nothing. */
static bool runs_other(const struct nyt_cli_io *io, const char *word, int count, char **words,
                       enum exit_status *status)
{
    const char *topic = count > 0 ? words[0] : NULL;
    *status = EXIT_FINE;
    if (strcmp(word, "--version") == 0)
        fprintf(io->out, "%s %s\n", io->program, NYT_VERSION);
    else if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        *status = explain(io, topic);
    else if (strcmp(word, "--man") == 0)
        *status = manual(io, topic);
    else if (strcmp(word, "guide") == 0)
        print_guide(io);
    else if (strcmp(word, "completions") == 0)
        *status = completions(io, topic);
    else if (strcmp(word, "__complete") == 0)
        complete(io, count, words);
    else
        return false;
    return true;
}

/* Words that are no command are those of a summary, if they name a file or an option. */
static enum exit_status run_words(const struct nyt_cli_io *io, int count, char **words)
{
    const struct command *summary = find_command("summary");
    bool is_file = count > 0 && (strcmp(words[0], "-") == 0 || is_there(words[0]));
    bool is_option = count > 0 && words[0][0] == '-';
    bool is_path = count > 0 && strpbrk(words[0], "/.");
    if (count == 0 || is_file || is_option)
        return run_command(io, summary, count, words);
    if (is_path) {
        say(io, "%s: cannot open: %s", words[0], strerror(ENOENT));
        return EXIT_UNREADABLE;
    }
    return unknown_command(io, words[0]);
}

static enum exit_status dispatch(const struct nyt_cli_io *io, int count, char **words)
{
    enum exit_status status;
    const struct command *command = count > 0 ? find_command(words[0]) : NULL;
    if (command)
        return run_command(io, command, count - 1, words + 1);
    if (count > 0 && runs_other(io, words[0], count - 1, words + 1, &status))
        return status;
    return run_words(io, count, words);
}

int nytprof_main(int argc, char **argv, const struct nyt_cli_io *io)
{
    enum exit_status status = dispatch(io, argc - 1, argv + 1);
    if (status == EXIT_FINE)
        status = finish_output(io);
    return status;
}
