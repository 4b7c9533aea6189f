/*
 * The manual page nytprof(1), in the man macros of roff: `nytprof --man`. What the tables have is
 * taken from there.
 */
#include "manual.h"

#include "table.h"

#include <ctype.h>
#include <string.h>

/* ---- Roff ---- */

enum { FOLD = 50 };      /* lines of the source end at the next space */

/* Nothing in the text means anything to roff: no escape, no request at the start of a line. */
static void put(FILE *out, const char *text)
{
    size_t column = 0;
    for (; *text; text++, column++) {
        bool ends = *text == '\n' || (*text == ' ' && column > FOLD);
        if (column == 0 && (*text == '.' || *text == '\''))
            fputs("\\&", out);
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else
            fputc(ends ? '\n' : *text, out);
        if (ends)
            column = (size_t)-1;
    }
}

/* "a fault, if any" -> "A fault, if any" */
static void put_capital(FILE *out, const char *text)
{
    fputc(toupper((unsigned char)*text), out);
    put(out, text + 1);
}

static void section(FILE *out, const char *name)
{
    fprintf(out, ".SH %s\n", name);
}

static void bold(FILE *out, const char *text)
{
    fputs("\\fB", out);
    put(out, text);
    fputs("\\fR", out);
}

static void italic(FILE *out, const char *text)
{
    fputs("\\fI", out);
    put(out, text);
    fputs("\\fR", out);
}

/* Words in capitals are placeholders. */
static void put_usage(FILE *out, const char *words)
{
    while (*words) {
        size_t len = strcspn(words, " ");
        char word[64];
        snprintf(word, sizeof word, "%.*s", (int)len, words);
        if (isupper((unsigned char)*word))
            italic(out, word);
        else
            put(out, word);
        words += len;
        if (*words)
            fputc(*words++, out);
    }
}

/* ---- What the tables have ---- */

static void put_option(FILE *out, const struct option *o)
{
    fputs(".TP\n", out);
    if (o->letter) {
        char letter[3] = {'-', o->letter};
        bold(out, letter);
        fputs(", ", out);
    }
    fputs("\\fB\\-\\-", out);
    put(out, o->name);
    fputs("\\fR", out);
    if (o->argument) {
        fputc(' ', out);
        italic(out, o->argument);
    }
    fputc('\n', out);
    put_capital(out, o->help);
    for (size_t i = 0; o->word && !is_format(o) && o->word(i); i++) {
        fputs(i == 0 ? ":\n" : o->word(i + 1) ? ", " : " or ", out);
        bold(out, o->word(i));
    }
    fputs(".\n", out);
}

static void put_command(const struct nyt_cli_io *io, const struct command *command)
{
    FILE *out = io->out;
    fprintf(out, ".SS %s %s [options] %s\n", io->program, command->name, files_of(command));
    put_capital(out, command->help);
    fputs(".\n", out);
    if (command->more) {
        fputs(".PP\n", out);
        put(out, command->more);
        fputc('\n', out);
    }
    for (size_t i = 0; i < option_count; i++)
        if (options[i].commands & command->bit)
            put_option(out, &options[i]);
}

static void put_formats(const struct nyt_cli_io *io)
{
    size_t n;
    FILE *out = io->out;
    const nyt_export_format *formats = nyt_export_formats(&n);
    section(out, "FORMATS");
    fprintf(out,
            "What \\fB%s convert \\-\\-to\\fR writes.\n"
            "From Python, files are called as the profile and end as shown.\n",
            io->program);
    for (size_t i = 0; i < n; i++) {
        fputs(".TP\n", out);
        bold(out, formats[i].name);
        fputs(" (", out);
        put(out, formats[i].suffix);
        fputs(")\n", out);
        put_capital(out, formats[i].help);
        fputs(formats[i].limited   ? "; takes \\fB\\-\\-max\\-bytes\\fR.\n"
              : formats[i].picture ? "; takes \\fB\\-\\-top\\fR.\n"
                                   : ".\n",
              out);
    }
}

static void put_statuses(FILE *out)
{
    section(out, "EXIT STATUS");
    for (size_t i = 0; i < status_count; i++) {
        fprintf(out, ".TP\n.B %zu\n", i);
        put_capital(out, statuses[i]);
        fputs(".\n", out);
    }
}

void print_manual_of_commands(const struct nyt_cli_io *io)
{
    for (size_t i = 0; i < command_count; i++)
        put_command(io, &commands[i]);
    put_formats(io);
    put_statuses(io->out);
}

/* ---- What no table has ---- */

static void put_synopsis(FILE *out)
{
    section(out, "SYNOPSIS");
    fputs("\\fBnytprof\\fR [\\fIoptions\\fR] [\\fIFILE\\fR]\n.br\n", out);
    for (size_t i = 0; i < command_count; i++) {
        fputs(i ? ".br\n" : "", out);
        fputs("\\fBnytprof ", out);
        put(out, commands[i].name);
        fputs("\\fR [\\fIoptions\\fR] ", out);
        put_usage(out, files_of(&commands[i]));
        fputc('\n', out);
    }
    fputs(".br\n\\fBnytprof guide\\fR\n.br\n\\fBnytprof help\\fR [\\fICOMMAND\\fR]\n.br\n"
          "\\fBnytprof completions bash\\fR|\\fBzsh\\fR|\\fBfish\\fR\n",
          out);
}

static void put_beginning(FILE *out)
{
    fputs(".TH NYTPROF 1 \"" NYT_DATE "\" \"pynytprof " NYT_VERSION "\"\n", out);
    section(out, "NAME");
    fputs("nytprof \\- read, check, show, compare and merge NYTProf profiles\n", out);
    put_synopsis(out);
    section(out, "DESCRIPTION");
    fputs("Reads the profiles that pynytprof makes of Python programs\n"
          "and Devel::NYTProf of Perl programs. It needs neither Python nor Perl.\n"
          "Without a command it shows where the time went, as \\fBnytprof summary\\fR does.\n"
          "\\fIFILE\\fR is a profile; \\fB\\-\\fR is standard input,\n"
          "except for commands that make a new profile.\n"
          "Results go to standard output or to the file named by \\fB\\-o\\fR,\n"
          "messages to standard error.\n"
          "A truncated file is read as far as it goes.\n"
          "Text from a profile is made safe for terminals.\n.PP\n"
          "\\fBnytprof guide\\fR tells on one page how to ask it questions.\n"
          "\\fBnytprof completions\\fR writes a script\n"
          "with which a shell completes commands and options;\n"
          "for bash: \\fBeval \"$(nytprof completions bash)\"\\fR.\n",
          out);
}

struct entry {
    const char *name, *text;
};

static void put_entries(FILE *out, const char *title, const struct entry *entries, size_t n)
{
    section(out, title);
    for (size_t i = 0; i < n; i++) {
        fputs(".TP\n", out);
        bold(out, entries[i].name);
        fputc('\n', out);
        put(out, entries[i].text);
        fputc('\n', out);
    }
}

static void put_end(FILE *out)
{
    static const struct entry environment[] = {
        {"COLUMNS", "How wide the output is, also where it is no terminal."},
        {"NO_COLOR", "If it is set and not empty, --color auto uses no colours."}};
    static const struct entry files[] = {
        {"nytprof.out",
         "The profile that pynytprof writes by default, and that is read where none is named."}};
    static const struct entry examples[] = {
        {"nytprof", "Where the time went, of nytprof.out."},
        {"nytprof summary --source main.py nytprof.out",
         "The source of one file with count and time beside each line."},
        {"nytprof verify --json *.out", "Whether profiles are sound, for programs."},
        {"nytprof convert --to callgrind -o out.callgrind nytprof.out", "A file for KCachegrind."},
        {"nytprof convert --to dot nytprof.out | dot -Tsvg -o calls.svg",
         "A picture of the calls."},
        {"nytprof diff --fail-if 'total>+5%' before.out after.out",
         "What changed, with exit status 1 if the total time grew by more than 5 %."},
        {"nytprof merge -o all.out nytprof.out nytprof.out.*",
         "One profile of a program and its children."},
    };
    put_entries(out, "ENVIRONMENT", environment, sizeof environment / sizeof *environment);
    put_entries(out, "FILES", files, sizeof files / sizeof *files);
    put_entries(out, "EXAMPLES", examples, sizeof examples / sizeof *examples);
    section(out, "SEE ALSO");
    fputs(".BR pynytprof (1),\n.BR nytprofhtml (1),\n.BR genhtml (1),\n.BR dot (1)\n", out);
}

void print_manual(const struct nyt_cli_io *io)
{
    put_beginning(io->out);
    section(io->out, "COMMANDS");
    print_manual_of_commands(io);
    put_end(io->out);
}
