/*
 * The manual page nytprof(1), in the man macros of roff: `nytprof --man`. What the tables have is
 * taken from there.
 */
#include "table.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* ---- Roff ---- */

enum { FOLD = 50 };      /* lines of the source end at the next space */

/* Nothing in the text means anything to roff: no escape, no request at the start of a line. */
static void put(const char *text)
{
    size_t column = 0;
    for (; *text; text++, column++) {
        bool ends = *text == '\n' || (*text == ' ' && column > FOLD);
        if (column == 0 && (*text == '.' || *text == '\''))
            fputs("\\&", stdout);
        if (*text == '\\')
            fputs("\\e", stdout);
        else if (*text == '-')
            fputs("\\-", stdout);
        else
            putchar(ends ? '\n' : *text);
        if (ends)
            column = (size_t)-1;
    }
}

/* "a fault, if any" -> "A fault, if any" */
static void put_capital(const char *text)
{
    putchar(toupper((unsigned char)*text));
    put(text + 1);
}

static void section(const char *name)
{
    printf(".SH %s\n", name);
}

static void bold(const char *text)
{
    fputs("\\fB", stdout);
    put(text);
    fputs("\\fR", stdout);
}

static void italic(const char *text)
{
    fputs("\\fI", stdout);
    put(text);
    fputs("\\fR", stdout);
}

/* Words in capitals are placeholders. */
static void put_usage(const char *words)
{
    while (*words) {
        size_t len = strcspn(words, " ");
        char word[64];
        snprintf(word, sizeof word, "%.*s", (int)len, words);
        if (isupper((unsigned char)*word))
            italic(word);
        else
            put(word);
        words += len;
        if (*words)
            putchar(*words++);
    }
}

/* ---- What the tables have ---- */

static void put_option(const struct option *o)
{
    puts(".TP");
    if (o->letter) {
        char letter[3] = {'-', o->letter};
        bold(letter);
        fputs(", ", stdout);
    }
    fputs("\\fB\\-\\-", stdout);
    put(o->name);
    fputs("\\fR", stdout);
    if (o->argument) {
        putchar(' ');
        italic(o->argument);
    }
    putchar('\n');
    put_capital(o->help);
    for (size_t i = 0; o->word && !is_format(o) && o->word(i); i++) {
        fputs(i == 0 ? ":\n" : o->word(i + 1) ? ", " : " or ", stdout);
        bold(o->word(i));
    }
    puts(".");
}

static void put_command(const struct command *command)
{
    printf(".SS nytprof %s [options] %s\n", command->name, files_of(command));
    put_capital(command->help);
    puts(".");
    if (command->more) {
        puts(".PP");
        put(command->more);
        putchar('\n');
    }
    for (size_t i = 0; i < option_count; i++)
        if (options[i].commands & command->bit)
            put_option(&options[i]);
}

static void put_formats(void)
{
    size_t n;
    const nyt_export_format *formats = nyt_export_formats(&n);
    section("FORMATS");
    puts("What \\fBnytprof convert \\-\\-to\\fR writes.\n"
         "From Python, files are called as the profile and end as shown.");
    for (size_t i = 0; i < n; i++) {
        puts(".TP");
        bold(formats[i].name);
        fputs(" (", stdout);
        put(formats[i].suffix);
        putchar(')');
        putchar('\n');
        put_capital(formats[i].help);
        puts(formats[i].limited   ? "; takes \\fB\\-\\-max\\-bytes\\fR."
             : formats[i].picture ? "; takes \\fB\\-\\-top\\fR."
                                  : ".");
    }
}

static void put_statuses(void)
{
    section("EXIT STATUS");
    for (size_t i = 0; i < status_count; i++) {
        printf(".TP\n.B %zu\n", i);
        put_capital(statuses[i]);
        puts(".");
    }
}

/* ---- What no table has ---- */

static void put_beginning(void)
{
    puts(".TH NYTPROF 1 \"" NYT_DATE "\" \"pynytprof " NYT_VERSION "\"");
    section("NAME");
    puts("nytprof \\- read, check, show and merge NYTProf profiles");
    section("SYNOPSIS");
    for (size_t i = 0; i < command_count; i++) {
        fputs(i ? ".br\n" : "", stdout);
        fputs("\\fBnytprof ", stdout);
        put(commands[i].name);
        fputs("\\fR [\\fIoptions\\fR] ", stdout);
        put_usage(files_of(&commands[i]));
        putchar('\n');
    }
    puts(".br\n\\fBnytprof help\\fR [\\fICOMMAND\\fR]\n.br\n"
         "\\fBnytprof completions bash\\fR|\\fBzsh\\fR|\\fBfish\\fR");
    section("DESCRIPTION");
    puts("Reads the profiles that pynytprof makes of Python programs\n"
         "and Devel::NYTProf of Perl's, and does so without Python and Perl.\n"
         "\\fIFILE\\fR is a profile; \\fB\\-\\fR is standard input,\n"
         "but for commands that make a new profile.\n"
         "Results go to standard output or where \\fB\\-o\\fR says,\n"
         "messages to standard error.\n"
         "A file that breaks off is read as far as it goes.\n"
         "Text from a profile is made harmless before it reaches a terminal.\n.PP\n"
         "\\fBnytprof completions\\fR writes a script\n"
         "that makes a shell complete commands and options;\n"
         "for bash: \\fBeval \"$(nytprof completions bash)\"\\fR.");
}

struct entry {
    const char *name, *text;
};

static void put_entries(const char *title, const struct entry *entries, size_t n)
{
    section(title);
    for (size_t i = 0; i < n; i++) {
        puts(".TP");
        bold(entries[i].name);
        putchar('\n');
        put(entries[i].text);
        putchar('\n');
    }
}

static void put_end(void)
{
    static const struct entry environment[] = {
        {"NO_COLOR", "If it is set and not empty, --color auto uses no colours."}};
    static const struct entry files[] = {
        {"nytprof.out", "The profile that pynytprof writes unless it is told otherwise."}};
    static const struct entry examples[] = {
        {"nytprof summary nytprof.out", "The lines, subs, files and calls that cost most."},
        {"nytprof summary --source main.py nytprof.out",
         "The source of one file with count and time beside each line."},
        {"nytprof verify --json *.out", "Whether profiles are sound, for programs."},
        {"nytprof convert --to callgrind -o out.callgrind nytprof.out", "A file for KCachegrind."},
        {"nytprof convert --to dot nytprof.out | dot -Tsvg -o calls.svg",
         "A picture of the calls."},
        {"nytprof diff --fail-if 'total>+5%' before.out after.out",
         "What changed, with exit status 1 if all takes 5 % longer."},
        {"nytprof merge -o all.out nytprof.out nytprof.out.*",
         "One profile of a program and its children."},
    };
    put_entries("ENVIRONMENT", environment, sizeof environment / sizeof *environment);
    put_entries("FILES", files, sizeof files / sizeof *files);
    put_entries("EXAMPLES", examples, sizeof examples / sizeof *examples);
    section("SEE ALSO");
    puts(".BR pynytprof (1),\n.BR nytprofhtml (1),\n.BR genhtml (1),\n.BR dot (1)");
}

void print_manual(void)
{
    put_beginning();
    section("COMMANDS");
    for (size_t i = 0; i < command_count; i++)
        put_command(&commands[i]);
    put_formats();
    put_statuses();
    put_end();
}
